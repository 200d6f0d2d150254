// What a guest of the freestanding profile has beside its instance structure, and how its exports
// are called. Core header. Hosts use fermata/embedded.h, which is built on it.
//
// A Machine is one store with one instance, one context and one activation, in storage that the host
// owns: nothing here allocates. It holds one call at a time; calls that can't suspend may be made
// while it does. The functions are in runtime/core/machine.cc, which is compiled for the profile
// only (FERMATA_FREESTANDING).
#ifndef FERMATA_CORE_MACHINE_H_
#define FERMATA_CORE_MACHINE_H_

#include "fermata/core/abi.h"
#include "fermata/core/module_info.h"

namespace fermata::core {

// Without constructors: a static object of a guest's class is all zeros until it is set up, and so
// takes no flash.
struct Machine {
  Store& store() { return *reinterpret_cast<Store*>(store_bytes); }
  const Store& store() const { return *reinterpret_cast<const Store*>(store_bytes); }

  alignas(Store) u8 store_bytes[sizeof(Store)];
  Context context;
  Activation activation;
  Instance* instances[1];
  u32 life;  // odd: exports can be called; another number each time that it is set up
};

// An exported function: constant data of the module.
struct Entry {
  AnyFunction code;
  Invoke invoke;
  u32 stack_bytes;  // of native stack that a call needs, as far as the translator can tell
};

// The end of a call, or of a part of it.
struct CallEnd {
  Exit exit;
  Trap trap;  // kTrapped
  u64 value;  // kReturned: the single result, as a slot
};

// Sets up a machine and its instance, which is then to be initialized: forgets what was there.
// `frames`: storage for the frames of a call, aligned to 4 bytes. `stack_limit`: the lowest address
// that the native stack may reach, or 0 for no limit.
void SetUp(Machine& machine, Instance& self, const ModuleInfo& module, u8* frames, u32 frame_bytes,
           uintptr_t stack_limit);

// Runs ModuleInfo::initialize, after which exports can be called.
void InitializeMachine(Machine& machine, CallEnd& end);

// Calls an export with `arguments` (slots). It traps with kCallStackExhausted if the machine holds a
// call already or there is too little native stack, and with kHost if it was not set up.
void CallHeld(Machine& machine, const Entry& entry, const u64* arguments, CallEnd& end);
// The same for one that can't suspend. The machine may hold a call, or be running one.
void CallPlain(Machine& machine, const Entry& entry, const u64* arguments, CallEnd& end);
// Answers the op that the held call is suspended on, or with `count` 0 continues a paused one. The
// call traps with kCallStackExhausted if there are fewer than `stack_bytes` of native stack left.
void ResumeHeld(Machine& machine, u32 stack_bytes, const u64* results, u32 count, CallEnd& end);
// Drops the held call, if there is one.
void CancelHeld(Machine& machine);

// Sets a store's interrupt. From anywhere: a relaxed store.
inline void Interrupt(u32* interrupt) {
#if defined(__GNUC__)
  __atomic_store_n(interrupt, 1, __ATOMIC_RELAXED);
#else
  *static_cast<volatile u32*>(interrupt) = 1;
#endif
}

}  // namespace fermata::core

#endif  // FERMATA_CORE_MACHINE_H_

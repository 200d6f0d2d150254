// The core ABI: what generated code and the runtime agree on. Generated tables that describe a
// module are in fermata/core/module_info.h.
//
// Core header: freestanding C++17 (no heap, exceptions, RTTI, C++ containers); includes C headers
// only, because generated translation units pay for every line of it.
//
// The story. Each wasm function is a C++ function `R f12(core::Instance* base, P...)`. A call that
// may suspend is followed by a test of `self.unwind`. An import that suspends pushes its arguments
// as an *op frame* into the context's scratch area and sets `unwind` in every instance of the
// store; each caller on the native stack, seeing the flag, pushes its live values as a frame and
// returns. The trampoline (core::Enter / core::Resume in runtime/core/trampoline.cc) moves the
// frames from the scratch area to the activation with one copy, and clears the flag. To resume, it
// drops the op frame and calls the *resume function* of the innermost frame with the answer; when
// that returns normally its frame is dropped and its parent is resumed with the value, and so on.
//
// Frames: little-endian, fixed width, no pointers, no padding: a whole number of 4-byte words and
// aligned to those. Values first (16-byte ones, then 8-byte ones, then 4-byte ones), then an 8-byte
// Footer at the END, so that popping is O(1). The scratch area grows downward (leaf first), the
// activation upward, so frames lie in the activation ordered from the outermost to the innermost;
// the op frame, when suspended on an import, is the last.
//
// Values cross the ABI as 8-byte *slots*: i32 and f32 in the low 4 bytes (the rest zero),
// references as their 32-bit handle, v128 as two slots (low half first).
//
// References are 32-bit handles, 0 is null. A funcref handle h names store->functions[h - 1], an
// exnref handle store->exceptions[h - 1]. Those of the hierarchies of extern and any are words as
// fermata/core/objects.h has them; in a store without objects nobody looks into them.
//
// The same flag serves whatever else makes a call not return normally. *Exceptions*: the thrower
// leaves the tag in the context and the payload in its `results`, sets kThrow and returns; callers
// inside a try region look for a handler, all others return; frames whose site can't catch are
// dropped by the trampoline, the others resumed at their handlers. *Tail calls*: the caller leaves
// callee and arguments in the context, sets kTailCall and returns to its own wrapper (or the
// trampoline), which makes the call in its place. *Pauses*: like an op without arguments, at a
// check in a loop or at the beginning of a function.
#ifndef FERMATA_CORE_ABI_H_
#define FERMATA_CORE_ABI_H_

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "fermata/core/compiler.h"
#include "fermata/core/limits.h"
#include "fermata/core/processor.h"
#include "fermata/core/sites.h"
#include "fermata/core/trap.h"
#include "fermata/core/type_number.h"
#include "fermata/core/value_type.h"

namespace fermata::core {

// Bumped at every change to a structure below; a module of another version is refused.
inline constexpr uint32_t kAbiVersion = 8;

using u8 = uint8_t;
using u16 = uint16_t;
using u32 = uint32_t;
using u64 = uint64_t;
using i32 = int32_t;
using i64 = int64_t;
using f32 = float;
using f64 = double;
using ref = uint32_t;  // a reference handle, 0 is null

// From the machine's order of bytes to little-endian, and back.
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
FERMATA_INLINE u16 little(u16 v) { return __builtin_bswap16(v); }
FERMATA_INLINE u32 little(u32 v) { return __builtin_bswap32(v); }
FERMATA_INLINE u64 little(u64 v) { return __builtin_bswap64(v); }
#else
FERMATA_INLINE u16 little(u16 v) { return v; }
FERMATA_INLINE u32 little(u32 v) { return v; }
FERMATA_INLINE u64 little(u64 v) { return v; }
#endif
FERMATA_INLINE u8 little(u8 v) { return v; }

// With -ffreestanding these are functions like any other to the compiler, and copying a word would
// be a call.
#if defined(__GNUC__) && __STDC_HOSTED__ == 0
FERMATA_INLINE void* memcpy(void* to, const void* from, size_t size) {
  return __builtin_memcpy(to, from, size);
}
FERMATA_INLINE void* memmove(void* to, const void* from, size_t size) {
  return __builtin_memmove(to, from, size);
}
FERMATA_INLINE void* memset(void* to, int value, size_t size) {
  return __builtin_memset(to, value, size);
}
#endif

// Why a call did not return normally: the value of Instance::unwind. One channel serves them all.
enum class Unwind : u32 {
  kNone = 0,
  kSuspend = 1,    // an op frame was pushed
  kThrow = 2,      // an exception is in flight: Context::tag, its payload in Context::results
  kTailCall = 3,   // a tail call is due: Context::tail, its arguments in Context::results
  kOutOfFuel = 4,  // a pause: an op frame without arguments was pushed
  kInterrupt = 5,  // the same, because the store was interrupted
  kTrapped = 6,    // only between RaiseTrap and the entry
  kCollect = 7,    // a pause for a collection of objects: an op frame without arguments was pushed
};

struct Instance;
struct Store;
struct ModuleInfo;
struct Activation;

using AnyFunction = void (*)();  // cast back to the function's own type before a call

// Calls `function` of `instance` with arguments from slots. One per function type of a module. A
// single result is the return value (as a slot); several go to context->results.
using Invoke = u64 (*)(Instance* instance, AnyFunction function, const u64* arguments);

// Continues a frame: `point` selects the resume point, `frame` points at the frame's first byte
// (it is in the activation), `value` is the single result of the call it was suspended in; several
// results are in context->results. Returns like Invoke; if instance->unwind is set on return, the
// frame was written again in place (Context::frame_words).
using ResumeFunction = u64 (*)(Instance* instance, u32 point, u8* frame, u64 value);

// The last 8 bytes of each frame.
struct Footer {
  u32 site;      // index into ModuleInfo::sites
  u16 words;     // size of the whole frame, footer included, in words
  u16 instance;  // Instance::index
};
static_assert(sizeof(Footer) == 8, "part of the snapshot format");
// With this bit in `instance`, a collection has seen the frame since it was pushed, so it refers to
// old objects only, and so do those below. Not in snapshots.
inline constexpr u32 kScannedFrame = 0x8000;

// One native thread's passage through guests. Belongs to the runtime; while no guest code runs on
// the thread only `results` holds anything of interest.
struct Context {
  u8* scratch_begin;       // lowest byte of the scratch area
  u8* scratch_top;         // first byte in use; == scratch_end when empty
  u8* scratch_end;         // 4-byte aligned
  u32 pushed;              // frames pushed since the last commit
  u32 frame_words;         // words of the frame a resume function wrote in place
  u64* results;            // several results, a v128, a payload, or the arguments of a tail call
  u32 results_capacity;    // in slots
  uintptr_t stack_limit;   // lowest native stack address a guest function may be entered at
  void* entry;             // where a trap of the innermost entry goes; null between entries
  Activation* activation;  // innermost activation being run
  Trap trap;               // reason, between RaiseTrap and the entry
  u32 tag;                 // of the exception in flight: a number within the store
  u32 payload;             // its size in slots
  AnyFunction tail;        // of a tail call that is due
  Instance* tail_instance;
  Invoke tail_invoke;
};

// The frames of one call. The storage belongs to the caller of core::Enter.
struct Activation {
  u8* frames;    // 4-byte aligned; outermost frame first
  u32 size;      // bytes in use, a multiple of 4
  u32 capacity;  // bytes allocated
  u32 depth;     // number of frames in use
  Trap trap;     // set when Exit::kTrapped
  union {
    u64 value;  // the single result, when Exit::kReturned
    struct {
      u32 size;       // bytes of frames below what trapped; they are still there
      ref exception;  // Trap::kUncaughtException
    } trapped;        // Exit::kTrapped
  };
  Store* store;
  // Makes room for at least `capacity` bytes in all and keeps the contents. False if that is
  // impossible. Null: the storage can't grow.
  bool (*grow)(Activation* activation, u32 capacity);
};

// kCollect: objects are to be collected, and the call to be resumed without results (as after
// kOutOfFuel).
enum class Exit : u8 { kReturned, kSuspended, kTrapped, kOutOfFuel, kInterrupted, kCollect };

// A function as a value: funcref handles name it, table elements are copies of it, imports are
// bound to it.
struct Function {
  AnyFunction code;
  Instance* instance;  // passed as first argument
  u32 type;            // canonical type number; kNoType in null table elements
  ref handle;          // its own handle, 0 in null table elements and in unregistered functions
};
// A linear memory. `data` never moves under the reserved policy and in shared memories. The sizes
// of a shared memory may grow at any time: read them once (relaxed) for each check.
struct Memory {
  u8* data;
  u64 bytes;      // current size in bytes
  u64 pages;      // current size in pages
  u64 max_pages;  // growth past it fails
  u32 page_log2;  // 16 but for custom page sizes
  u32 shared;     // 1: shared with other threads
  void* owner;    // the runtime's own record
  // Grows by `delta` pages of zeros. Returns the previous size in pages, or ~0 on failure.
  u64 (*grow)(Memory* memory, u64 delta);
  // memory.atomic.wait32 and wait64 (`size` 4 or 8; threads proposal) on an aligned address within
  // bounds. Returns 0 if woken, 1 if the value is not the expected one, 2 if timed out (`timeout`
  // in ns; negative: none).
  u32 (*wait)(Memory* memory, u64 address, u64 expected, u32 size, i64 timeout);
  // Wakes up to `count` waiters. Returns how many.
  u32 (*notify)(Memory* memory, u64 address, u32 count);
};

// A table. Elements of funcref tables are Function, of all others ref.
struct Table {
  union {
    Function* functions;
    ref* refs;
  };
  u32 size;  // in elements
  u32 max;   // growth past it fails
  ValType type;
  void* owner;
  // Grows by `delta` elements, which are null. Returns the previous size, or ~0 on failure.
  u32 (*grow)(Table* table, u32 delta);
};

// An exception that an exnref refers to.
inline constexpr u32 kFreeTag = 0xffffffffu;  // the handle is not in use
struct Exception {
  u32 tag;
  u32 payload;  // in slots
  const u64* values;
};

// Instances that can call each other: they share one numbering of types and functions, and one
// thread at a time runs code of any of them.
struct Store {
  Instance** instances;  // by Instance::index
  u32 instance_count;
  Function* functions;  // by funcref handle - 1
  u32 function_count;
  CallLimits limits;
  void* owner;
  Exception* exceptions;  // by exnref handle - 1
  u32 exception_count;
  // Keeps an exception and returns a handle of it, or 0 if there is no room. Equal exceptions may
  // share a handle, as references to them can't be compared.
  ref (*keep)(Store* store, u32 tag, const u64* values, u32 payload);
  // Whether canonical type `type` is `wanted` or declared a subtype of it. Null: only if equal.
  bool (*is_subtype)(const Store* store, u32 type, u32 wanted);
  // If it is not zero, the next check of a guest pauses the call, and sets it to zero again. Any
  // thread or signal handler may set it, so it is read and written atomically. Null: it is never
  // set.
  u32* interrupt;
  i64 fuel;  // checks that guests with fuel pass before one of them pauses
};

// The common start of each module's instance structure.
struct Instance {
  Unwind unwind;          // tested after every call that may suspend
  u32 resume_point;       // shared bodies: 0, or 1 + the point to resume at
  uintptr_t stack_limit;  // copy of context->stack_limit while running
  Context* context;       // while running
  Store* store;
  const ModuleInfo* module;
  u32 index;          // in store->instances
  ref function_base;  // handle of ModuleInfo::functions[k] is function_base + k; never 0
  u8* resume_frame;   // shared bodies: the frame to reload, while resume_point is set
  u64 resume_value;
  void* host;            // the host's own, passed to immediate imports
  const u32* interrupt;  // == store->interrupt; not null in guests that can be paused
};

// The instance behind a host function that has no generated code of its own (FuncType::host).
// `call` answers (fills `results`, one slot a value), or pushes an op frame and returns.
struct HostInstance : Instance {
  void (*call)(HostInstance* self, const u64* arguments, u64* results);
};

// A memory as the instance structure has it.
struct MemoryField {
  Memory* memory;
  u8* base;  // == memory->data under the reserved policy, which generated code relies on
};

// ---- Runtime entry points used by generated code. ----

// Leaves the guest: unwinds to the innermost core::Enter / core::Resume, which returns kTrapped.
// Safe only where no native frame between holds anything to destroy.
[[noreturn]] FERMATA_COLD void RaiseTrap(Instance* instance, Trap trap);

// The same with the context given, for a host that turns a fault of guest code into a trap.
[[noreturn]] FERMATA_COLD void RaiseTrapIn(Context& context, Trap trap);

// Pushes the frame of a site into the scratch area: writes its footer and returns its first byte.
// Traps with kCallStackExhausted if there is no room. With an exception in flight the frame is one
// that is never read.
FERMATA_COLD u8* PushFrame(Instance* instance, u32 site);

// The same for the frame that a resume function is running in: writes it in place of the one that
// was there, which is lost.
FERMATA_COLD u8* RewriteFrame(Instance* instance, u32 site);

// SiteInfo::resume of functions with one body: sets Instance::resume_point and the fields that go
// with it, and calls the function, which takes what it needs from the frame and not its arguments.
FERMATA_COLD u64 ResumeShared(Instance* instance, u32 point, u8* frame, u64 value);

// Pushes an op frame of `slots` slots and sets `unwind` in all instances of the store. The caller
// stores the arguments as slots and returns.
FERMATA_COLD u8* PushOp(Instance* instance, u32 site, u32 slots);

// Pushes the op frame of a pause and sets `unwind` in all instances of the store: to kInterrupt if
// the store was interrupted, which it then no longer is, else to kOutOfFuel.
FERMATA_COLD void PushPause(Instance* instance, u32 site);

// Pushes the op frame of a pause for a collection, and sets `unwind` in all instances of the store.
FERMATA_COLD void PushCollect(Instance* instance, u32 site);

// Starts an exception whose payload is in context->results. The caller returns, or jumps to its
// handler.
FERMATA_COLD void Throw(Instance* instance, u32 tag, u32 payload);
// The same for an exception that is referred to; null traps.
FERMATA_COLD void ThrowRef(Instance* instance, ref exception);
// A reference to the exception in flight.
FERMATA_COLD ref KeepException(Instance* instance);
// Ends the flight of an exception; the payload stays in context->results.
FERMATA_COLD void Catch(Instance* instance);

// Leaves a call of `function` to the function to which the caller returns. The arguments are in
// context->results.
void TailCall(Instance* instance, const Function& function, Invoke invoke);
// Makes the tail call that is due, and those that it leads to. Returns like Invoke.
u64 RunTailCalls(Instance* instance);

// ---- Level 0: entering and resuming, without heap. ----

// Calls `function` with `arguments` (slots). On kReturned, activation.value (one result) or
// context.results (several) hold the results. On kSuspended, the op is activation's last frame.
// `activation` must be empty (size 0). Re-entrant: an immediate import may call Enter again, with
// another activation.
Exit Enter(Context& context, Activation& activation, const Function& function, Invoke invoke,
           const u64* arguments);

// Answers the op on which the activation is suspended with `count` result slots and runs on. After
// kOutOfFuel and kInterrupted: runs on, without results.
Exit Resume(Context& context, Activation& activation, const u64* results, u32 count);
// The op throws instead: an exception with this tag and payload, which guests may catch.
Exit ResumeThrow(Context& context, Activation& activation, u32 tag, const u64* values, u32 payload);

// Runs `initialize` of an instance, with its traps caught: kReturned or kTrapped.
Exit Initialize(Context& context, Activation& activation, Instance& instance);

// The footer of the last (innermost) frame; the activation must not be empty.
inline Footer LastFooter(const Activation& activation) {
  u64 bits;
  memcpy(&bits, FERMATA_ALIGNED(activation.frames + activation.size - sizeof bits), sizeof bits);
  bits = little(bits);
  return {static_cast<u32>(bits), static_cast<u16>(bits >> 32),
          static_cast<u16>(bits >> 48 & (kScannedFrame - 1))};
}

}  // namespace fermata::core

#endif  // FERMATA_CORE_ABI_H_

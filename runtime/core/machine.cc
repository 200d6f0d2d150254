// Calls of guests of the freestanding profile.
#include "fermata/core/machine.h"

#if defined(FERMATA_FREESTANDING)

namespace fermata::embedded {
__attribute__((weak)) void OnTrap(Trap trap);  // the program's, if it has one
}

namespace fermata::core {

// 1, of the trampoline that is compiled for this profile. A program that links the hosted one, too,
// has many functions twice, which the linker says.
extern const u8 kFreestandingCore;

namespace {

uintptr_t StackPointer() { return reinterpret_cast<uintptr_t>(__builtin_frame_address(0)); }

void Fail(CallEnd& end, Trap trap) {
  end.exit = Exit::kTrapped;
  end.trap = trap;
  if (embedded::OnTrap != nullptr) embedded::OnTrap(trap);
}

void Report(const Activation& activation, Exit exit, CallEnd& end) {
  if (exit == Exit::kTrapped) return Fail(end, activation.trap);
  end.exit = exit;
  end.value = activation.value;
}

bool HasStack(const Machine& machine, u32 bytes) {
  // No sum: the limit may be the highest address.
  const uintptr_t here = StackPointer();
  const uintptr_t limit = machine.context.stack_limit;
  return limit == 0 || (here >= limit && here - limit >= bytes);
}

bool IsReady(const Machine& machine, const Entry& entry, CallEnd& end) {
  if (machine.life % 2 == 0) {
    Fail(end, Trap::kHost);
    return false;
  }
  if (!HasStack(machine, entry.stack_bytes)) {
    Fail(end, Trap::kCallStackExhausted);
    return false;
  }
  return true;
}

void Run(Machine& machine, Activation& activation, const Entry& entry, const u64* arguments,
         CallEnd& end) {
  const Function function = {entry.code, machine.instances[0], kNoType, 0};
  Report(activation, Enter(machine.context, activation, function, entry.invoke, arguments), end);
}

}  // namespace

void SetUp(Machine& machine, Instance& self, const ModuleInfo& module, u8* frames, u32 frame_bytes,
           uintptr_t stack_limit) {
  const u32 life = (machine.life | 1) + kFreestandingCore;
  memset(&machine, 0, sizeof machine);
  machine.life = life;
  memset(&self, 0, module.instance_size);
  machine.instances[0] = &self;
  machine.store().instances = machine.instances;
  machine.store().instance_count = 1;
  machine.store().limits.frame_bytes = frame_bytes;
  machine.store().limits.call_depth = ~u32{0};
  machine.store().fuel = static_cast<i64>(~u64{0} >> 1);
  machine.context.scratch_end = machine.context.scratch_top = frames + frame_bytes;
  machine.context.stack_limit = stack_limit;
  machine.activation.frames = frames;
  machine.activation.capacity = frame_bytes;
  self.store = &machine.store();
  self.context = &machine.context;
  self.module = &module;
  self.function_base = 1;
}

void InitializeMachine(Machine& machine, CallEnd& end) {
  Activation& activation = machine.activation;
  activation.store = &machine.store();
  Report(activation, Initialize(machine.context, activation, *machine.instances[0]), end);
  if (end.exit == Exit::kReturned) ++machine.life;
}

void CallHeld(Machine& machine, const Entry& entry, const u64* arguments, CallEnd& end) {
  if (!IsReady(machine, entry, end)) return;
  Activation& activation = machine.activation;
  if (activation.depth != 0 || machine.context.entry != nullptr) {
    return Fail(end, Trap::kCallStackExhausted);
  }
  Run(machine, activation, entry, arguments, end);
}

void CallPlain(Machine& machine, const Entry& entry, const u64* arguments, CallEnd& end) {
  if (!IsReady(machine, entry, end)) return;
  Activation activation{};
  activation.frames = machine.context.scratch_end;  // no room: it needs none
  Run(machine, activation, entry, arguments, end);
}

void ResumeHeld(Machine& machine, u32 stack_bytes, const u64* results, u32 count, CallEnd& end) {
  if (!HasStack(machine, stack_bytes)) {
    CancelHeld(machine);
    return Fail(end, Trap::kCallStackExhausted);
  }
  Activation& activation = machine.activation;
  Report(activation, Resume(machine.context, activation, results, count), end);
}

void CancelHeld(Machine& machine) {
  machine.activation.size = 0;
  machine.activation.depth = 0;
}

}  // namespace fermata::core

#endif  // FERMATA_FREESTANDING

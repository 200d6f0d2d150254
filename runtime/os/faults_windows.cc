// By a vectored handler, which is asked before those of structured exceptions.
#include <malloc.h>
#include <windows.h>

#include <cstdint>
#include <mutex>

#include "runtime/os/faults.h"
#include "runtime/os/hosted_context.h"
#include "runtime/os/thread_stack.h"

namespace fermata::internal {
namespace {

// Where the thread goes on after a fault of its guest: not in the handler, which the system has to see
// return.
[[noreturn]] void RaiseFault(core::Context* context, uint64_t trap) {
  // The page that tells the system of the stack's end is used up by that. Needs to be called with
  // stack to spare.
  if (static_cast<Trap>(trap) == Trap::kCallStackExhausted) _resetstkoflw();
  core::RaiseTrapIn(*context, static_cast<Trap>(trap));
}

// The stack that RaiseFault has: as much as the guest, which has been called with its margin free, and
// whose frames nobody needs any more. The entry's own frames, where the trap goes, are above it.
uint64_t StackAfterFault(const core::Context& context, Trap trap, uint64_t stack) {
  constexpr uint64_t kEntryFrames = 16 * 1024;
  if (trap == Trap::kCallStackExhausted) {
    const uint64_t free = reinterpret_cast<uint64_t>(context.entry) - kEntryFrames;
    if (free > stack) stack = free;
  }
  // As at a function's first instruction, below the caller's room for four arguments.
  return (stack - 64) / 16 * 16 - 8;
}

LONG CALLBACK HandleFault(EXCEPTION_POINTERS* exception) {
  const EXCEPTION_RECORD& record = *exception->ExceptionRecord;
  const bool overflow = record.ExceptionCode == static_cast<DWORD>(EXCEPTION_STACK_OVERFLOW);
  if (!overflow && record.ExceptionCode != static_cast<DWORD>(EXCEPTION_ACCESS_VIOLATION)) {
    return EXCEPTION_CONTINUE_SEARCH;
  }
  core::Context* context = ExistingThreadContext();
  if (context == nullptr || record.NumberParameters < 2) return EXCEPTION_CONTINUE_SEARCH;
  const Trap trap =
      GuestFault(*context, reinterpret_cast<const void*>(record.ExceptionInformation[1]));
  if (trap == Trap::kNone) return EXCEPTION_CONTINUE_SEARCH;
  CONTEXT& machine = *exception->ContextRecord;
  machine.Rsp = StackAfterFault(*context, trap, machine.Rsp);
  machine.Rip = reinterpret_cast<DWORD64>(RaiseFault);
  machine.Rcx = reinterpret_cast<DWORD64>(context);
  machine.Rdx = static_cast<DWORD64>(trap);
  return EXCEPTION_CONTINUE_EXECUTION;
}

}  // namespace

void InstallFaultHandler() {
  static std::once_flag once;
  std::call_once(once, [] { AddVectoredExceptionHandler(/*First=*/1, HandleFault); });
}

}  // namespace fermata::internal

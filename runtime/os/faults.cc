// Faults of guest code that are traps: accesses past the end of a reserved memory, and of the
// native stack. Checks see to it that guests stop well before that (runtime/os/hosted_context.h),
// but they go by estimates of what the C++ compiler will need.
#include "runtime/os/faults.h"

#include <signal.h>

#include <atomic>
#include <mutex>

#include "runtime/os/hosted_context.h"

namespace fermata::internal {
namespace {

struct sigaction previous_segv, previous_bus;
std::atomic<OwnsAddress> owner{nullptr};

// What a fault at `address` means for the guest that runs on this thread; kNone if it is not the
// guest's.
Trap GuestFault(const core::Context& context, const void* address) {
  if (context.entry == nullptr || context.activation == nullptr) return Trap::kNone;
  const OwnsAddress owns = owner.load(std::memory_order_acquire);
  if (owns != nullptr && owns(context, address)) return Trap::kMemoryOutOfBounds;
  return PastStack(address) ? Trap::kCallStackExhausted : Trap::kNone;
}

void HandleFault(int signal, siginfo_t* info, void* machine_context) {
  core::Context* context = ExistingThreadContext();
  if (context != nullptr && info->si_code > 0) {
    const Trap trap = GuestFault(*context, info->si_addr);
    if (trap != Trap::kNone) core::RaiseTrapIn(*context, trap);
  }
  const struct sigaction& previous = signal == SIGBUS ? previous_bus : previous_segv;
  if (previous.sa_flags & SA_SIGINFO) return previous.sa_sigaction(signal, info, machine_context);
  if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    return previous.sa_handler(signal);
  }
  const bool sent = info->si_code <= 0;  // by kill() and its like, not by an instruction
  if (sent && previous.sa_handler == SIG_IGN) return;
  // On return the instruction faults again, without a handler.
  struct sigaction none = {};
  none.sa_handler = SIG_DFL;
  sigaction(signal, &none, nullptr);
  if (sent) raise(signal);
}

}  // namespace

void SetFaultOwner(OwnsAddress owns) { owner.store(owns, std::memory_order_release); }

void InstallFaultHandler() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action = {};
    action.sa_sigaction = HandleFault;
    // The handler may leave by a jump: the signal must not stay blocked.
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, &action, &previous_segv);
    sigaction(SIGBUS, &action, &previous_bus);
  });
}

}  // namespace fermata::internal

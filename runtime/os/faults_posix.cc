// By signals.
#include <signal.h>

#include <mutex>

#include "runtime/os/faults.h"
#include "runtime/os/hosted_context.h"

namespace fermata::internal {
namespace {

struct sigaction previous_segv, previous_bus;

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

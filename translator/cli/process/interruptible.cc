#include "translator/cli/process/interruptible.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

#include "translator/cli/process/running.h"

namespace fermata::process {

// A thread waits for the signals, which all others hold back. SIGUSR2, sent to it alone, ends it.
struct Interruptible::State {
  Then then;
  sigset_t awaited;
  sigset_t before;
  std::thread thread;

  void Wait() {
    for (;;) {
      int signal = 0;
      if (sigwait(&awaited, &signal) != 0) continue;
      if (signal == SIGUSR2) return;
      {
        Running& running = TheRunning();
        std::lock_guard<std::mutex> lock(running.mutex);
        running.signal = signal;
        for (pid_t program : running.programs) kill(-program, SIGKILL);
      }
      if (then == kReturn) continue;
      pthread_sigmask(SIG_UNBLOCK, &awaited, nullptr);
      raise(signal);
    }
  }
};

Interruptible::Interruptible(Then then) : state_(std::make_unique<State>()) {
  state_->then = then;
  sigemptyset(&state_->awaited);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action;
    // One that is ignored, as of a background process, or handled has its own effect.
    if (sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_DFL) {
      sigaddset(&state_->awaited, signal);
    }
  }
  sigaddset(&state_->awaited, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &state_->awaited, &state_->before);
  {
    std::lock_guard<std::mutex> lock(TheRunning().mutex);
    ++TheRunning().interruptible;
  }
  state_->thread = std::thread([state = state_.get()] { state->Wait(); });
}

Interruptible::~Interruptible() {
  pthread_kill(state_->thread.native_handle(), SIGUSR2);
  state_->thread.join();
  int signal = 0;
  {
    Running& running = TheRunning();
    std::lock_guard<std::mutex> lock(running.mutex);
    signal = running.signal;
    if (--running.interruptible == 0) running.signal = 0;
  }
  if (signal != 0) raise(signal);  // held back until the mask is as it was
  pthread_sigmask(SIG_SETMASK, &state_->before, nullptr);
}

}  // namespace fermata::process

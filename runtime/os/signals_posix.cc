#include <pthread.h>
#include <time.h>

#include <cerrno>
#include <memory>

#include "runtime/os/signals.h"

namespace fermata::internal {
namespace {

sigset_t OnlySigpipe() {
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  return pipe;
}

}  // namespace

WithoutSigpipe::WithoutSigpipe() {
  sigset_t pending;
  sigpending(&pending);
  was_pending_ = sigismember(&pending, SIGPIPE) == 1;
  if (was_pending_) return;
  const sigset_t pipe = OnlySigpipe();
  pthread_sigmask(SIG_BLOCK, &pipe, &before_);
}

WithoutSigpipe::~WithoutSigpipe() {
  if (was_pending_) return;
  const int code = errno;
  const sigset_t pipe = OnlySigpipe();
  const timespec now = {0, 0};
  while (sigtimedwait(&pipe, nullptr, &now) < 0 && errno == EINTR) {
  }
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  errno = code;
}

bool StartDetachedThread(void (*run)(void*), void* argument) {
  struct Start {
    void (*run)(void*);
    void* argument;
  };
  auto start = std::make_unique<Start>(Start{run, argument});
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  const int failed = pthread_create(
      &thread, nullptr,
      [](void* given) -> void* {
        const std::unique_ptr<Start> mine(static_cast<Start*>(given));
        mine->run(mine->argument);
        return nullptr;
      },
      start.get());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (failed != 0) return false;
  (void)start.release();  // the thread's now
  pthread_detach(thread);
  return true;
}

}  // namespace fermata::internal

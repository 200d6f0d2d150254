#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "board/second_core.h"

namespace board {
namespace {

void* Run(void* function) {
  reinterpret_cast<void (*)()>(function)();
  abort();
}

}  // namespace

void StartSecondCore(void (*function)()) {
  // The tick is an interrupt of the first core, so its signal must not reach the thread.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  if (pthread_create(&thread, nullptr, Run, reinterpret_cast<void*>(function)) != 0) abort();
  pthread_detach(thread);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

const void* SecondStackLimit() { return nullptr; }

void WakeOtherCore() {}

void SleepSecondCore() {
  const timespec a_moment = {0, 50'000};
  nanosleep(&a_moment, nullptr);
}

}  // namespace board

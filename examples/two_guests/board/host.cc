// This machine as a board: standard input and output are the serial port, and the signal of a timer
// is the interrupt. On a machine that has other things to do, ticks are late or left out.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "board/board.h"
#include "board/serial.h"

namespace board {
namespace {

bool input_ended = false;

bool Ready(int file, short event) {
  pollfd poll_for = {file, event, 0};
  return poll(&poll_for, 1, 0) == 1;
}

void ServePort() {
  while (!input_ended && received.room() > 0 && Ready(STDIN_FILENO, POLLIN)) {
    uint8_t byte;
    if (read(STDIN_FILENO, &byte, 1) == 1) {
      received.Push(byte);
    } else {
      input_ended = true;
    }
  }
  while (!to_send.empty() && Ready(STDOUT_FILENO, POLLOUT)) {
    const auto byte = static_cast<uint8_t>(to_send.Pop());
    if (write(STDOUT_FILENO, &byte, 1) != 1) _exit(1);
  }
}

// Calls nothing but what a signal handler may.
void Interrupt(int) {
  const int error = errno;
  ServePort();
  CountTick();
  errno = error;
}

[[noreturn]] void Fail(const char* what) {
  perror(what);
  exit(1);
}

}  // namespace

void Start() {
  struct sigaction action = {};
  action.sa_handler = Interrupt;
  action.sa_flags = SA_RESTART;
  if (sigaction(SIGALRM, &action, nullptr) != 0) Fail("sigaction");
  const timeval period = {0, kTickMicroseconds};
  const itimerval timer = {period, period};
  if (setitimer(ITIMER_REAL, &timer, nullptr) != 0) Fail("setitimer");
}

uint32_t Microseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint32_t>(now.tv_sec) * 1'000'000 + static_cast<uint32_t>(now.tv_nsec / 1000);
}

void Sleep() {
  static uint32_t last = 0;
  sigset_t alarm, before;
  sigemptyset(&alarm);
  sigaddset(&alarm, SIGALRM);
  sigprocmask(SIG_BLOCK, &alarm, &before);
  if (Ticks() == last) sigsuspend(&before);
  last = Ticks();
  sigprocmask(SIG_SETMASK, &before, nullptr);
}

Stack StackUse() { return {0, 0}; }

const void* StackLimit() { return nullptr; }

void Finish(int status) {
  while (!to_send.empty()) Sleep();
  const itimerval off = {};
  setitimer(ITIMER_REAL, &off, nullptr);
  printf("# exit %d\n", status);
  fflush(stdout);
  _exit(status);
}

}  // namespace board

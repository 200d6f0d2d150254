// By POSIX, which C libraries for Windows that have POSIX threads know as well.
#include "runtime/os/clocks.h"

#include <time.h>

namespace fermata::internal {
namespace {

clockid_t ToSystem(SystemClock clock) {
  switch (clock) {
    case SystemClock::kRealtime:
      return CLOCK_REALTIME;
    case SystemClock::kMonotonic:
      return CLOCK_MONOTONIC;
    case SystemClock::kProcessCpu:
      return CLOCK_PROCESS_CPUTIME_ID;
    case SystemClock::kThreadCpu:
      return CLOCK_THREAD_CPUTIME_ID;
  }
  return CLOCK_MONOTONIC;
}

bool Ask(int (*function)(clockid_t, timespec*), SystemClock clock, uint64_t& time) {
  timespec t;
  if (function(ToSystem(clock), &t) != 0) return false;
  time = static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
  return true;
}

}  // namespace

bool ReadClock(SystemClock clock, uint64_t& time) { return Ask(clock_gettime, clock, time); }
bool ClockResolution(SystemClock clock, uint64_t& resolution) {
  return Ask(clock_getres, clock, resolution);
}

}  // namespace fermata::internal

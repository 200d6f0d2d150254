// The system's clocks.
#ifndef FERMATA_RUNTIME_OS_CLOCKS_H_
#define FERMATA_RUNTIME_OS_CLOCKS_H_

#include <cstdint>

namespace fermata::internal {

enum class SystemClock : uint8_t {
  kRealtime,   // since 1970
  kMonotonic,  // since an unspecified point; the clock of std::chrono::steady_clock
  kProcessCpu,
  kThreadCpu,
};

// In nanoseconds. False: the system has no such clock.
bool ReadClock(SystemClock clock, uint64_t& time);
bool ClockResolution(SystemClock clock, uint64_t& resolution);

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_OS_CLOCKS_H_

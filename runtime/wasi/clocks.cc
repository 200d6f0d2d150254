#include <time.h>

#include <random>

#include "fermata/wasi/process.h"
#include "runtime/wasi/errors.h"
#include "runtime/wasi/system.h"

namespace fermata::wasi {
namespace {

bool ToHost(ClockId id, clockid_t& host) {
  switch (id) {
    case ClockId::kRealtime:
      host = CLOCK_REALTIME;
      return true;
    case ClockId::kMonotonic:
      host = CLOCK_MONOTONIC;
      return true;
    case ClockId::kProcessCpu:
      host = CLOCK_PROCESS_CPUTIME_ID;
      return true;
    case ClockId::kThreadCpu:
      host = CLOCK_THREAD_CPUTIME_ID;
      return true;
  }
  return false;
}

uint64_t Nanoseconds(const timespec& t) {
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}

class Host : public Clock {
 public:
  Errno Now(ClockId id, uint64_t& time) override { return Ask(clock_gettime, id, time); }
  Errno Resolution(ClockId id, uint64_t& time) override { return Ask(clock_getres, id, time); }

 private:
  static Errno Ask(int (*function)(clockid_t, timespec*), ClockId id, uint64_t& time) {
    clockid_t host;
    if (!ToHost(id, host)) return Errno::kInval;
    timespec t;
    if (function(host, &t) != 0) return FromHost(errno);
    time = Nanoseconds(t);
    return Errno::kSuccess;
  }
};

class Deterministic : public Clock {
 public:
  Deterministic(uint64_t start, uint64_t step) : start_(start), step_(step) {}
  Errno Now(ClockId id, uint64_t& time) override {
    if (id > ClockId::kThreadCpu) return Errno::kInval;
    elapsed_ = Sum(elapsed_, step_);
    time = Sum(Origin(id), elapsed_);
    return Errno::kSuccess;
  }
  Errno Resolution(ClockId id, uint64_t& resolution) override {
    if (id > ClockId::kThreadCpu) return Errno::kInval;
    resolution = 1;
    return Errno::kSuccess;
  }
  bool SkipTo(ClockId id, uint64_t time) override {
    if (time > Sum(Origin(id), elapsed_)) elapsed_ = time - Origin(id);
    return true;
  }

 private:
  // Time ends, but never goes back.
  static uint64_t Sum(uint64_t a, uint64_t b) { return b > UINT64_MAX - a ? UINT64_MAX : a + b; }
  uint64_t Origin(ClockId id) const { return id == ClockId::kRealtime ? start_ : 0; }

  uint64_t start_, step_;
  uint64_t elapsed_ = 0;
};

}  // namespace

uint64_t HostMonotonic() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return Nanoseconds(t);
}

std::shared_ptr<Clock> HostClock() { return std::make_shared<Host>(); }
std::shared_ptr<Clock> DeterministicClock(uint64_t start, uint64_t step) {
  return std::make_shared<Deterministic>(start, step);
}

std::function<bool(absl::Span<uint8_t>)> DeterministicRandom(uint64_t seed) {
  return [engine = std::mt19937_64(seed)](absl::Span<uint8_t> bytes) mutable {
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(engine() >> 32);
    return true;
  };
}

}  // namespace fermata::wasi

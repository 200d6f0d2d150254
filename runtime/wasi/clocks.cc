#include "runtime/os/clocks.h"

#include <random>

#include "fermata/wasi/process.h"
#include "runtime/wasi/system.h"

namespace fermata::wasi {
namespace {

using internal::SystemClock;

bool ToSystem(ClockId id, SystemClock& clock) {
  switch (id) {
    case ClockId::kRealtime:
      clock = SystemClock::kRealtime;
      return true;
    case ClockId::kMonotonic:
      clock = SystemClock::kMonotonic;
      return true;
    case ClockId::kProcessCpu:
      clock = SystemClock::kProcessCpu;
      return true;
    case ClockId::kThreadCpu:
      clock = SystemClock::kThreadCpu;
      return true;
  }
  return false;
}

class Host : public Clock {
 public:
  Errno Now(ClockId id, uint64_t& time) override { return Ask(internal::ReadClock, id, time); }
  Errno Resolution(ClockId id, uint64_t& time) override {
    return Ask(internal::ClockResolution, id, time);
  }

 private:
  static Errno Ask(bool (*function)(SystemClock, uint64_t&), ClockId id, uint64_t& time) {
    SystemClock clock;
    return ToSystem(id, clock) && function(clock, time) ? Errno::kSuccess : Errno::kInval;
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
  uint64_t time = 0;
  internal::ReadClock(SystemClock::kMonotonic, time);
  return time;
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

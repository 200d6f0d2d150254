#include "runtime/storage/parking.h"

#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>

#include "fermata/core/frame.h"
#include "runtime/os/hosted_context.h"

namespace fermata::internal {
namespace {

using Clock = std::chrono::steady_clock;

struct Waiter {
  const void* address = nullptr;
  bool woken = false;
  std::condition_variable wake;
};

// The waiters of all addresses that fall into it, in order of arrival. Who waits and who wakes hold
// the mutex, which makes the comparison and the waiting one step.
struct Bucket {
  std::mutex mutex;
  std::list<Waiter*> waiters;
};

Bucket& BucketOf(const void* address) {
  constexpr uint64_t kBuckets = 256;
  // Never freed: threads may wait while the process exits.
  static Bucket* buckets = new Bucket[kBuckets];
  const uint64_t at = reinterpret_cast<uintptr_t>(address);
  return buckets[(at / 4 * 0x9e3779b97f4a7c15u) >> 56];
}

bool Holds(const void* address, uint64_t expected, uint32_t size) {
  if (size == 8) {
    return core::little(__atomic_load_n(static_cast<const uint64_t*>(address), __ATOMIC_SEQ_CST)) ==
           expected;
  }
  return core::little(__atomic_load_n(static_cast<const uint32_t*>(address), __ATOMIC_SEQ_CST)) ==
         static_cast<uint32_t>(expected);
}

}  // namespace

uint32_t Park(const void* address, uint64_t expected, uint32_t size, int64_t timeout) {
  constexpr uint32_t kWoken = 0, kNotEqual = 1, kTimedOut = 2;
  RequireStack();
  // Timeouts beyond what the clock can tell (292 years) have no end.
  const Clock::time_point now = Clock::now();
  const bool endless =
      timeout < 0 || std::chrono::nanoseconds(timeout) >= Clock::time_point::max() - now;

  Bucket& bucket = BucketOf(address);
  std::unique_lock<std::mutex> lock(bucket.mutex);
  if (!Holds(address, expected, size)) return kNotEqual;
  Waiter self;
  self.address = address;
  const auto place = bucket.waiters.insert(bucket.waiters.end(), &self);
  const auto woken = [&] { return self.woken; };
  if (endless) {
    self.wake.wait(lock, woken);
  } else if (!self.wake.wait_until(lock, now + std::chrono::nanoseconds(timeout), woken)) {
    bucket.waiters.erase(place);
    return kTimedOut;
  }
  return kWoken;
}

uint32_t Unpark(const void* address, uint32_t count) {
  RequireStack();
  Bucket& bucket = BucketOf(address);
  std::lock_guard<std::mutex> lock(bucket.mutex);
  uint32_t woken = 0;
  for (auto it = bucket.waiters.begin(); it != bucket.waiters.end() && woken < count;) {
    if ((*it)->address != address) {
      ++it;
      continue;
    }
    // Under the lock: the waiter is gone as soon as it has seen the flag.
    (*it)->woken = true;
    (*it)->wake.notify_one();
    it = bucket.waiters.erase(it);
    ++woken;
  }
  return woken;
}

}  // namespace fermata::internal

// By looking again and again: what may be waited for is no object that Windows can wait for.
#include <algorithm>
#include <chrono>
#include <thread>

#include "fermata/wasi/process.h"
#include "runtime/wasi/system.h"

namespace fermata::wasi {

bool BlockFor(const Wait& wait) {
  if (wait.yield) {
    std::this_thread::yield();
    return true;
  }
  bool known = wait.deadline.has_value();
  for (const Wait::Source& source : wait.sources) {
    known = known || source.stream->native_handle() >= 0;
  }
  constexpr uint64_t kLongest = 10'000'000;  // ns
  for (uint64_t pause = 50'000;; pause = std::min(2 * pause, kLongest)) {
    for (const Wait::Source& source : wait.sources) {
      if (source.write ? source.stream->CanWrite() : source.stream->CanRead()) return true;
    }
    if (!known) return false;
    // Without sources there is nothing to look at: asleep to the end, in steps of a day.
    uint64_t sleep = wait.sources.empty() ? 86'400'000'000'000 : pause;
    if (wait.deadline) {
      const uint64_t now = HostMonotonic();
      if (now >= *wait.deadline) return true;
      sleep = std::min(sleep, *wait.deadline - now);
    }
    std::this_thread::sleep_for(std::chrono::nanoseconds(sleep));
  }
}

}  // namespace fermata::wasi

// By poll(2).
#include <poll.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "fermata/wasi/process.h"
#include "runtime/wasi/system.h"

namespace fermata::wasi {

bool BlockFor(const Wait& wait) {
  if (wait.yield) {
    std::this_thread::yield();
    return true;
  }
  std::vector<pollfd> fds;
  bool known = wait.deadline.has_value();
  for (const Wait::Source& source : wait.sources) {
    const int fd = source.stream->native_handle();
    if (fd >= 0) {
      fds.push_back({fd, static_cast<short>(source.write ? POLLOUT : POLLIN), 0});
      known = true;
    } else if (source.write ? source.stream->CanWrite() : source.stream->CanRead()) {
      return true;
    }
  }
  if (!known) return false;
  // Each descriptor once: poll takes no more entries than a process may have descriptors, and a
  // guest may ask for the same one any number of times.
  std::sort(fds.begin(), fds.end(), [](const pollfd& a, const pollfd& b) { return a.fd < b.fd; });
  size_t kept = 0;
  for (const pollfd& p : fds) {
    if (kept != 0 && fds[kept - 1].fd == p.fd) {
      fds[kept - 1].events |= p.events;
    } else {
      fds[kept++] = p;
    }
  }
  fds.resize(kept);
  timespec timeout = {};
  if (wait.deadline) {
    const uint64_t now = HostMonotonic();
    // In steps of a day: more than fits is asked for again.
    const uint64_t left =
        std::min<uint64_t>(*wait.deadline > now ? *wait.deadline - now : 0, 86'400'000'000'000);
    timeout = {static_cast<time_t>(left / 1'000'000'000), static_cast<long>(left % 1'000'000'000)};
  }
  ppoll(fds.data(), fds.size(), wait.deadline ? &timeout : nullptr, nullptr);
  return true;  // whatever woke us: the call is tried again
}

}  // namespace fermata::wasi

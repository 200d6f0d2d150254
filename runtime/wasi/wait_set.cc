#include "fermata/wasi/wait_set.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"

namespace fermata::wasi {
namespace {

absl::Status SystemError(const char* what) {
  return absl::ResourceExhaustedError(absl::StrCat(what, ": ", strerror(errno)));
}

int Control(int epoll, int operation, int handle, uint32_t events) {
  epoll_event event = {};
  event.events = events;
  return epoll_ctl(epoll, operation, handle, &event);
}

}  // namespace

WaitSet::~WaitSet() {
  if (timer_ >= 0) close(timer_);
  if (epoll_ >= 0) close(epoll_);
}

absl::StatusOr<WaitSet::Outcome> WaitSet::Update(const Wait& wait) {
  std::vector<Entry> wanted;
  bool ready = wait.yield;
  for (const Wait::Source& source : wait.sources) {
    const int handle = source.stream->native_handle();
    if (handle >= 0) {
      wanted.push_back(
          {handle, source.write ? uint32_t{EPOLLOUT} : uint32_t{EPOLLIN}, source.stream});
    } else {
      ready = ready || (source.write ? source.stream->CanWrite() : source.stream->CanRead());
    }
  }
  const bool handles = !wanted.empty();
  if (handles && epoll_ < 0) {
    if (absl::Status status = Open(); !status.ok()) return status;
  }
  // Also when something is ready: streams that are no longer waited for are let go of.
  absl::Status status = Watch(std::move(wanted), ready);
  if (status.ok()) status = SetDeadline(handles && !ready ? wait.deadline : std::nullopt);
  if (!status.ok()) return status;
  return ready ? Outcome::kReady : handles ? Outcome::kHandles : Outcome::kNoHandles;
}

absl::Status WaitSet::Open() {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  return epoll_ >= 0 ? absl::OkStatus() : SystemError("epoll_create1");
}

absl::Status WaitSet::Watch(std::vector<Entry> wanted, bool& ready) {
  // A guest may wait for a stream twice, to read and to write: epoll knows each handle once.
  std::sort(wanted.begin(), wanted.end(),
            [](const Entry& a, const Entry& b) { return a.handle < b.handle; });
  size_t size = 0;
  for (Entry& entry : wanted) {
    if (size > 0 && wanted[size - 1].handle == entry.handle) {
      wanted[size - 1].events |= entry.events;
    } else {
      std::swap(wanted[size++], entry);
    }
  }
  wanted.resize(size);

  // What stays. The streams held keep their handles open, so the same number is the same file.
  std::vector<uint32_t> had(size, 0);
  size_t next = 0;
  for (const Entry& old : entries_) {
    while (next < size && wanted[next].handle < old.handle) ++next;
    if (next < size && wanted[next].handle == old.handle && wanted[next].stream == old.stream) {
      had[next] = old.events;
    } else {
      Control(epoll_, EPOLL_CTL_DEL, old.handle, 0);
    }
  }
  entries_.clear();
  for (size_t i = 0; i < size; ++i) {
    Entry& entry = wanted[i];
    if (had[i] != entry.events && Control(epoll_, had[i] != 0 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD,
                                          entry.handle, entry.events) != 0) {
      if (errno == ENOSPC || errno == ENOMEM) return SystemError("epoll_ctl");
      // A file, which never waits, or no descriptor at all: the guest's call will say.
      ready = true;
      continue;
    }
    entries_.push_back(std::move(entry));
  }
  return absl::OkStatus();
}

absl::Status WaitSet::SetDeadline(std::optional<uint64_t> deadline) {
  if (!deadline && !timer_set_) return absl::OkStatus();
  if (timer_ < 0) {
    timer_ = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (timer_ < 0) return SystemError("timerfd_create");
    if (Control(epoll_, EPOLL_CTL_ADD, timer_, EPOLLIN) != 0) return SystemError("epoll_ctl");
  }
  // Zero would mean: never.
  const uint64_t at = std::min<uint64_t>(std::max<uint64_t>(deadline.value_or(0), 1),
                                         std::numeric_limits<int64_t>::max());
  itimerspec when = {};
  if (deadline) {
    when.it_value = {static_cast<time_t>(at / 1'000'000'000),
                     static_cast<long>(at % 1'000'000'000)};
  }
  timer_set_ = deadline.has_value();
  return timerfd_settime(timer_, TFD_TIMER_ABSTIME, &when, nullptr) == 0
             ? absl::OkStatus()
             : SystemError("timerfd_settime");
}

}  // namespace fermata::wasi

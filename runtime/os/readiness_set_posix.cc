#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "runtime/os/readiness_set.h"

namespace fermata::internal {
namespace {

absl::Status SystemError(const char* what) {
  return absl::ResourceExhaustedError(absl::StrCat(what, ": ", strerror(errno)));
}

int Control(int set, int operation, int handle, uint32_t events) {
  epoll_event event = {};
  event.events = ((events & ReadinessSet::kRead) != 0 ? uint32_t{EPOLLIN} : 0) |
                 ((events & ReadinessSet::kWrite) != 0 ? uint32_t{EPOLLOUT} : 0);
  return epoll_ctl(set, operation, handle, &event);
}

}  // namespace

ReadinessSet::~ReadinessSet() {
  if (timer_ >= 0) close(timer_);
  if (set_ >= 0) close(set_);
}

absl::Status ReadinessSet::Open() {
  set_ = epoll_create1(EPOLL_CLOEXEC);
  return set_ >= 0 ? absl::OkStatus() : SystemError("epoll_create1");
}

absl::Status ReadinessSet::Watch(int handle, uint32_t before, uint32_t events) {
  if (before == events) return absl::OkStatus();
  const int operation = before != 0 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  if (Control(set_, operation, handle, events) == 0) return absl::OkStatus();
  if (errno == ENOSPC || errno == ENOMEM) return SystemError("epoll_ctl");
  return absl::InvalidArgumentError("it can't be watched");
}

void ReadinessSet::Forget(int handle) { Control(set_, EPOLL_CTL_DEL, handle, 0); }

absl::Status ReadinessSet::SetDeadline(std::optional<uint64_t> deadline) {
  if (!deadline && !timer_set_) return absl::OkStatus();
  if (timer_ < 0) {
    timer_ = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (timer_ < 0) return SystemError("timerfd_create");
    if (Control(set_, EPOLL_CTL_ADD, timer_, kRead) != 0) return SystemError("epoll_ctl");
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

}  // namespace fermata::internal

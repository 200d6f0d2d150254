// Descriptors that are watched, and a timer: one descriptor that is readable when any of them is
// ready.
#ifndef FERMATA_RUNTIME_OS_READINESS_SET_H_
#define FERMATA_RUNTIME_OS_READINESS_SET_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"

namespace fermata::internal {

class ReadinessSet {
 public:
  enum : uint32_t { kRead = 1, kWrite = 2 };  // what to watch for

  ReadinessSet() = default;
  ~ReadinessSet();
  ReadinessSet(const ReadinessSet&) = delete;

  // kResourceExhausted: the system has no more descriptors or memory.
  absl::Status Open();
  // -1: not open.
  int descriptor() const { return set_; }

  // Watches `handle`, in place of what it was watched for before (0: nothing). kInvalidArgument: it
  // is a file, which is always ready, or no descriptor at all. kResourceExhausted as above.
  absl::Status Watch(int handle, uint32_t before, uint32_t events);
  void Forget(int handle);
  // The timer is ready from `deadline` on, in nanoseconds of the monotonic clock; null: never.
  absl::Status SetDeadline(std::optional<uint64_t> deadline);

 private:
  int set_ = -1;
  int timer_ = -1;
  bool timer_set_ = false;
};

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_OS_READINESS_SET_H_

// Windows has no object that becomes ready when a pipe or a console does.
#include "runtime/os/readiness_set.h"

namespace fermata::internal {
namespace {

absl::Status NoSuchThing() {
  return absl::UnimplementedError("streams of the host can't be watched on Windows");
}

}  // namespace

ReadinessSet::~ReadinessSet() = default;
absl::Status ReadinessSet::Open() { return NoSuchThing(); }
absl::Status ReadinessSet::Watch(int, uint32_t, uint32_t) { return NoSuchThing(); }
void ReadinessSet::Forget(int) {}
absl::Status ReadinessSet::SetDeadline(std::optional<uint64_t>) {
  return absl::OkStatus();  // nobody waits for it
}

}  // namespace fermata::internal

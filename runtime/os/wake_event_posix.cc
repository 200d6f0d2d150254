#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "runtime/os/wake_event.h"

namespace fermata::internal {

WakeEvent::~WakeEvent() { close(descriptor_); }

int WakeEvent::Open() { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void WakeEvent::Signal() {
  const uint64_t one = 1;
  // Nothing else writes there, so there is room.
  while (write(descriptor_, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

}  // namespace fermata::internal

#include <sys/random.h>

#include <algorithm>
#include <cerrno>

#include "runtime/os/random.h"

namespace fermata::internal {

bool FillRandom(uint8_t* data, size_t size) {
  while (size > 0) {
    const ssize_t n = getrandom(data, std::min<size_t>(size, 1 << 20), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    data += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

}  // namespace fermata::internal

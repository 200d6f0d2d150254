// windows.h comes first.
// clang-format off
#include <windows.h>
#include <bcrypt.h>
// clang-format on

#include <algorithm>

#include "runtime/os/random.h"

namespace fermata::internal {

bool FillRandom(uint8_t* data, size_t size) {
  while (size > 0) {
    const auto n = static_cast<ULONG>(std::min<size_t>(size, 1 << 20));
    if (BCryptGenRandom(nullptr, data, n, BCRYPT_USE_SYSTEM_PREFERRED_RNG) != 0) return false;
    data += n;
    size -= n;
  }
  return true;
}

}  // namespace fermata::internal

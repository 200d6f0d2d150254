#include "runtime/wasi/guest_memory.h"

#include <climits>

namespace fermata::wasi {

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool IsUtf8(absl::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto byte = [&](size_t k) -> uint8_t {
      return i + k < text.size() ? static_cast<uint8_t>(text[i + k]) : 0;
    };
    const uint8_t b = byte(0);
    size_t size = 1;
    uint8_t low = 0x80, high = 0xbf;  // of the second byte
    if (b >= 0x80) {
      if (b < 0xc2 || b > 0xf4) return false;
      size = b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;
      if (b == 0xe0) low = 0xa0;
      if (b == 0xed) high = 0x9f;
      if (b == 0xf0) low = 0x90;
      if (b == 0xf4) high = 0x8f;
      if (byte(1) < low || byte(1) > high) return false;
      for (size_t k = 2; k < size; ++k) {
        if (byte(k) < 0x80 || byte(k) > 0xbf) return false;
      }
    }
    i += size;
  }
  return true;
}

Errno GuestMemory::LoadPath(uint32_t address, uint32_t size, std::string& path) const {
  const uint8_t* bytes = At(address, size);
  if (bytes == nullptr) return Errno::kFault;
  if (size == 0) return Errno::kNoEnt;
  if (size >= PATH_MAX) return Errno::kNameTooLong;
  path.assign(reinterpret_cast<const char*>(bytes), size);
  if (path.find('\0') != std::string::npos) return Errno::kInval;
  return IsUtf8(path) ? Errno::kSuccess : Errno::kIlseq;
}

}  // namespace fermata::wasi

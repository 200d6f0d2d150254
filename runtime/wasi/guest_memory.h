// A guest's memory as WASI calls see it: each access is checked, multi-byte values are
// little-endian.
#ifndef FERMATA_RUNTIME_WASI_GUEST_MEMORY_H_
#define FERMATA_RUNTIME_WASI_GUEST_MEMORY_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "fermata/dynamic.h"
#include "fermata/wasi/iovec.h"
#include "fermata/wasi/types.h"

namespace fermata::wasi {

// Parts of one transfer.
using Buffers = absl::InlinedVector<iovec, 4>;

// Stores `value` at `to`, which has room for it.
template <typename T>
void StoreLittle(uint8_t* to, T value) {
  static_assert(std::is_integral_v<T>);
  for (size_t i = 0; i < sizeof value; ++i) {
    to[i] = static_cast<uint8_t>(static_cast<std::make_unsigned_t<T>>(value) >> (8 * i));
  }
}
template <typename T>
T LoadLittle(const uint8_t* from) {
  std::make_unsigned_t<T> value = 0;
  for (size_t i = 0; i < sizeof value; ++i) {
    value = static_cast<decltype(value)>(value | static_cast<decltype(value)>(from[i]) << (8 * i));
  }
  return static_cast<T>(value);
}

class GuestMemory {
 public:
  explicit GuestMemory(core::Memory* memory)
      : data_(memory == nullptr ? nullptr : memory->data),
        size_(memory == nullptr ? 0 : Memory(memory).size()) {}

  // The bytes [address, address + size), or null if any of them is out of bounds.
  uint8_t* At(uint32_t address, uint64_t size) const {
    if (data_ == nullptr || address > size_ || size > size_ - address) return nullptr;
    return data_ + address;
  }
  template <typename T>
  Errno Store(uint32_t address, T value) const {
    uint8_t* to = At(address, sizeof value);
    if (to == nullptr) return Errno::kFault;
    StoreLittle(to, value);
    return Errno::kSuccess;
  }

  // The buffers that `count` (c)iovecs at `address` describe; the first 1,024 of them, and not more
  // than 2^31 - 1 bytes in all: transfers may be partial. Empty buffers are left out.
  Errno LoadBuffers(uint32_t address, uint32_t count, Buffers& buffers) const {
    constexpr uint64_t kMostBuffers = 1024, kMostBytes = 0x7fffffff;
    const uint8_t* at = At(address, uint64_t{count} * 8);
    if (at == nullptr) return Errno::kFault;
    uint64_t left = kMostBytes;
    for (uint64_t i = 0; i < count; ++i, at += 8) {
      uint64_t size = LoadLittle<uint32_t>(at + 4);
      uint8_t* bytes = At(LoadLittle<uint32_t>(at), size);
      if (bytes == nullptr) return Errno::kFault;
      size = size < left ? size : left;
      left -= size;
      if (size != 0 && buffers.size() < kMostBuffers) {
        buffers.push_back({bytes, static_cast<size_t>(size)});
      }
    }
    return Errno::kSuccess;
  }

  // A copy of a path: no NUL in it (kInval), well-formed UTF-8 (kIlseq), not empty (kNoEnt), not
  // longer than hosts take (kNameTooLong).
  Errno LoadPath(uint32_t address, uint32_t size, std::string& path) const;

 private:
  uint8_t* data_;
  uint64_t size_;
};

bool IsUtf8(absl::string_view text);

}  // namespace fermata::wasi

#endif  // FERMATA_RUNTIME_WASI_GUEST_MEMORY_H_

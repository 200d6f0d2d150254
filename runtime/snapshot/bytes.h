// Numbers and texts as bytes, little-endian, and back.
#ifndef FERMATA_RUNTIME_SNAPSHOT_BYTES_H_
#define FERMATA_RUNTIME_SNAPSHOT_BYTES_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace fermata::internal {

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  void U32(uint64_t v) { Number(v, 4); }
  void U64(uint64_t v) { Number(v, 8); }
  void Bytes(const void* data, size_t size) { out_.append(static_cast<const char*>(data), size); }
  void Text(absl::string_view text) {
    U32(text.size());
    Bytes(text.data(), text.size());
  }

 private:
  void Number(uint64_t v, int size) {
    for (int i = 0; i < size; ++i, v >>= 8) out_ += static_cast<char>(v & 0xff);
  }
  std::string& out_;
};

inline uint64_t NumberAt(absl::string_view bytes, size_t at, int size) {
  uint64_t v = 0;
  for (int i = size; i-- > 0;) v = v << 8 | static_cast<uint8_t>(bytes[at + i]);
  return v;
}

// After the first failure everything is zero and empty.
class Reader {
 public:
  explicit Reader(absl::string_view bytes) : rest_(bytes) {}
  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }
  void Fail() {
    ok_ = false;
    rest_ = {};
  }

  uint32_t U32() { return static_cast<uint32_t>(Number(4)); }
  uint64_t U64() { return Number(8); }
  bool Flag() {
    const uint32_t v = U32();
    if (v > 1) Fail();
    return v == 1;
  }
  absl::string_view Bytes(uint64_t size) {
    if (size > rest_.size()) {
      Fail();
      return {};
    }
    const absl::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }
  absl::Span<const uint8_t> Span(uint64_t size) {
    const absl::string_view bytes = Bytes(size);
    return {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
  }
  std::string Text() { return std::string(Bytes(U32())); }
  // How many items follow, of at least `each` bytes.
  uint32_t Count(size_t each) {
    const uint32_t n = U32();
    if (n > rest_.size() / each) Fail();
    return ok_ ? n : 0;
  }

 private:
  uint64_t Number(int size) {
    const absl::string_view bytes = Bytes(size);
    return ok_ ? NumberAt(bytes, 0, size) : 0;
  }
  absl::string_view rest_;
  bool ok_ = true;
};

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_SNAPSHOT_BYTES_H_

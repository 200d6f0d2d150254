// Reads a debug section: little-endian numbers, LEB128, strings. Nothing is read past its end.
#ifndef FERMATA_TRANSLATOR_DEBUG_BYTES_H_
#define FERMATA_TRANSLATOR_DEBUG_BYTES_H_

#include <algorithm>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace fermata::debug {

// After a read that would go past the end, all others give zero, and ok() is false.
class Bytes {
 public:
  Bytes() = default;
  explicit Bytes(absl::Span<const uint8_t> section, uint64_t at = 0) : section_(section) {
    MoveTo(at);
  }

  bool ok() const { return ok_; }
  uint64_t at() const { return at_; }
  uint64_t left() const { return ok_ ? section_.size() - at_ : 0; }
  void Fail() {
    ok_ = false;
    at_ = section_.size();
  }
  void MoveTo(uint64_t at) {
    if (!ok_ || at > section_.size()) return Fail();
    at_ = at;
  }
  void Skip(uint64_t bytes) {
    if (bytes > left()) return Fail();
    at_ += bytes;
  }
  // The next `bytes` bytes by themselves.
  Bytes Take(uint64_t bytes) {
    const uint64_t begin = at_;
    Skip(bytes);
    Bytes part;
    if (!ok_) {
      part.Fail();
      return part;
    }
    part.section_ = section_.subspan(0, begin + bytes);
    part.at_ = begin;
    return part;
  }

  uint8_t U8() { return static_cast<uint8_t>(Unsigned(1)); }
  uint16_t U16() { return static_cast<uint16_t>(Unsigned(2)); }
  uint32_t U32() { return static_cast<uint32_t>(Unsigned(4)); }
  uint64_t U64() { return Unsigned(8); }
  // Of up to 8 bytes.
  uint64_t Unsigned(uint32_t bytes) {
    if (bytes > left()) {
      Fail();
      return 0;
    }
    uint64_t value = 0;
    for (uint32_t i = 0; i < std::min(bytes, 8u); ++i) {
      value |= uint64_t{section_[at_ + i]} << (8 * i);
    }
    at_ += bytes;
    return value;
  }
  // More than 64 bits are cut off, as readers of DWARF do.
  uint64_t Uleb() {
    uint64_t value = 0;
    for (uint32_t shift = 0;; shift += 7) {
      const uint8_t byte = U8();
      if (shift < 64) value |= uint64_t{byte & 0x7fu} << shift;
      if ((byte & 0x80) == 0) return value;
    }
  }
  int64_t Sleb() {
    uint64_t value = 0;
    for (uint32_t shift = 0;;) {
      const uint8_t byte = U8();
      if (shift < 64) value |= uint64_t{byte & 0x7fu} << shift;
      shift += 7;
      if ((byte & 0x80) != 0) continue;
      if (shift < 64 && (byte & 0x40) != 0) value |= ~uint64_t{0} << shift;
      return static_cast<int64_t>(value);
    }
  }
  // Up to a NUL, which is left out.
  absl::string_view String() {
    const auto begin = section_.begin() + at_;
    const auto end = std::find(begin, section_.end(), 0);
    if (!ok_ || end == section_.end()) {
      Fail();
      return "";
    }
    const auto length = static_cast<size_t>(end - begin);
    at_ += length + 1;
    return {reinterpret_cast<const char*>(section_.data()) + at_ - length - 1, length};
  }

 private:
  absl::Span<const uint8_t> section_;
  uint64_t at_ = 0;
  bool ok_ = true;
};

}  // namespace fermata::debug

#endif  // FERMATA_TRANSLATOR_DEBUG_BYTES_H_

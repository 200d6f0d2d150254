// A bounded cursor over a module's bytes: the primitives of the binary format (specification
// sections 5.2 and 5.3.1 to 5.3.5).
//
// The first error sticks: it is kept with its position, the cursor moves to its end, and everything
// read from then on is zero or empty. So a caller may decode a whole item before it asks ok(), but
// must ask before it trusts a value, and in every loop whose length the input decides.
#ifndef FERMATA_TRANSLATOR_WASM_DECODER_H_
#define FERMATA_TRANSLATOR_WASM_DECODER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "translator/wasm/features.h"
#include "translator/wasm/opcodes.h"
#include "translator/wasm/types.h"

namespace fermata::wasm {

class Decoder {
 public:
  struct Error {
    uint32_t offset = 0;
    absl::StatusCode code = absl::StatusCode::kOk;
    std::string message;
  };

  // `offset`: of bytes[0], from the start of the file.
  explicit Decoder(absl::Span<const uint8_t> bytes, uint32_t offset = 0)
      : begin_(bytes.data()), p_(begin_), end_(begin_ + bytes.size()), offset_(offset) {}

  // What the module may use; everything supported unless set.
  void set_features(FeatureSet features) { features_ = features; }
  bool Has(Feature feature) const { return features_.Has(feature); }
  // Whether the module may use what it does at `offset`, where `feature` is needed. If so that is
  // noted.
  bool Use(Feature feature, uint32_t offset) {
    return uses_.Has(feature) || FirstUse(feature, offset);
  }
  const FeatureUses& uses() const { return uses_; }
  // References to types may name those below `count`.
  void set_type_count(uint32_t count) { type_count_ = count; }
  // Where the section ends, for items that end themselves only.
  void set_section_end(uint32_t offset) { section_end_ = offset; }
  bool at_section_end() const { return offset() >= section_end_; }

  bool ok() const { return error_.code == absl::StatusCode::kOk; }
  const Error& error() const { return error_; }
  // Of the next byte.
  uint32_t offset() const { return offset_ + static_cast<uint32_t>(p_ - begin_); }
  size_t remaining() const { return static_cast<size_t>(end_ - p_); }
  bool at_end() const { return p_ == end_; }

  // Records an error, unless there is one already.
  void Fail(uint32_t offset, std::string message,
            absl::StatusCode code = absl::StatusCode::kInvalidArgument);
  // `what` needs a proposal that is not supported: "v128 needs the "simd" proposal, …".
  void FailFor(uint32_t offset, absl::string_view what, Feature feature);

  uint8_t ReadByte() {
    if (p_ == end_) return FailAtEnd();
    return *p_++;
  }
  // The next byte, not consumed; 0 at the end, without an error.
  uint8_t Peek() const { return p_ == end_ ? 0 : *p_; }

  // LEB128, refused if too long or with bits beyond the type's width.
  uint32_t ReadU32() {
    if (p_ != end_ && *p_ < 0x80) return *p_++;
    return ReadLongU32();
  }
  uint64_t ReadU64() {
    if (p_ != end_ && *p_ < 0x80) return *p_++;
    return ReadLongU64();
  }
  int32_t ReadS32();
  int64_t ReadS33();
  int64_t ReadS64();
  // Little-endian, fixed width.
  uint32_t ReadFixed32();
  uint64_t ReadFixed64();

  absl::Span<const uint8_t> ReadBytes(size_t count);
  // A byte vector that must be UTF-8; the view points into the module.
  absl::string_view ReadName();
  // The length of a vector of `what`, each of which takes at least one byte: refused if above
  // `limit` or beyond the bytes that are left, so that the caller may reserve space for it.
  uint32_t ReadCount(uint32_t limit, absl::string_view what);

  // Types (section 5.3). Those of proposals not supported fail with the proposal's name.
  ValType ReadValType();
  ValType ReadRefType();
  ValType ReadHeapType();  // as the nullable reference to it
  SizeLimits ReadTableLimits();
  // Page sizes are part of the limits.
  MemoryType ReadMemoryType();

  // An opcode, in the form of enum Opcode; `ok()` says whether it could be read.
  uint32_t ReadOpcode() {
    const uint8_t byte = ReadByte();
    return IsPrefix(byte) ? ReadPrefixed(byte) : byte;
  }
  // Fails for an opcode that is not in the table, by name of its proposal if it has one.
  void FailForOpcode(uint32_t offset, uint32_t code);

 private:
  uint8_t FailAtEnd();
  bool FirstUse(Feature feature, uint32_t offset) {
    if (!features_.Has(feature)) return false;
    uses_.Add(feature, offset);
    return true;
  }
  uint32_t ReadPrefixed(uint8_t prefix);
  uint32_t ReadLongU32();
  uint64_t ReadLongU64();
  template <int kBits, bool kSigned>
  uint64_t ReadLeb();
  // A failure: the byte is of a proposal that is not supported, or `otherwise`.
  ValType FailForType(uint32_t offset, uint8_t byte, absl::string_view otherwise);
  // The nullable reference of the abstract heap type at `offset`, or kBottom.
  ValType AbstractRef(uint8_t byte, uint32_t offset);
  // Fails if `flags`, those of limits at `offset`, are not `known` ones of features that are on.
  void CheckLimitFlags(uint8_t flags, uint8_t known, uint32_t offset);
  void ReadLimitRange(uint8_t flags, SizeLimits& limits);

  const uint8_t* begin_;
  const uint8_t* p_;
  const uint8_t* end_;
  uint32_t offset_;
  uint32_t type_count_ = 0xffffffff;
  uint32_t section_end_ = 0xffffffff;
  FeatureSet features_ = Supported();
  FeatureUses uses_;
  Error error_;
};

}  // namespace fermata::wasm

#endif  // FERMATA_TRANSLATOR_WASM_DECODER_H_

// Strings in a store's heap, as JavaScript has them: sequences of UTF-16 code units (ECMAScript
// §6.1.4). Latin-1 strings take a byte a unit. Long concatenations are ropes, which are made flat
// when somebody looks into them; a flat rope refers to the string that it has become, and to null.
//
// What needs room does not collect: it says how much it needs (wanted), and is done again from the
// start once there is room. Nothing moves meanwhile.
#ifndef FERMATA_RUNTIME_HEAP_STRINGS_H_
#define FERMATA_RUNTIME_HEAP_STRINGS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "runtime/heap/heap.h"

namespace fermata::internal {

class Strings {
 public:
  static constexpr uint32_t kMostUnits = 1u << 28;  // of one string

  explicit Strings(const Heap& heap) : heap_(heap), base_(heap.base()) {}

  // A reference, not null, to a string.
  bool Is(core::ref reference) const { return heap_.IsString(reference); }
  uint32_t Length(core::ref string) const;
  // Of a string from a snapshot, whose parts exist: a rope that these functions could have made.
  bool IsSound(core::ref string) const;

  // All of it, of a flat one or a rope.
  std::u16string Units(core::ref string) const;

  // The functions below return 0 for "no room": `wanted` bytes are.
  uint64_t wanted() const { return wanted_; }
  // The same string, flat.
  core::ref Flat(core::ref string);
  core::ref FromUnits(absl::Span<const uint16_t> units);
  core::ref FromLatin1(absl::Span<const uint8_t> bytes);
  // Not more than kMostUnits together.
  core::ref Concat(core::ref a, core::ref b);
  // From `start` to before `end`, which are in bounds. Flat ones only, as all below.
  core::ref Substring(core::ref flat, uint32_t start, uint32_t end);
  uint16_t At(core::ref flat, uint32_t index) const;
  bool Equal(core::ref a, core::ref b) const;
  int Compare(core::ref a, core::ref b) const;  // by code units: negative, 0, positive
  // Copies units out.
  void Copy(core::ref flat, uint32_t start, uint32_t count, uint16_t* to) const;

 private:
  uint32_t TypeNumber(core::ref string) const { return core::object_get32(base_, string, 0); }
  bool IsRope(core::ref s) const { return TypeNumber(s) == heap_.string_type(Heap::kRope); }
  bool IsLatin1(core::ref s) const { return TypeNumber(s) == heap_.string_type(Heap::kLatin1); }
  const uint8_t* Bytes(core::ref flat) const { return base_ + flat + core::kArrayHeader; }
  uint16_t Unit(const uint8_t* units, size_t i) const {
    return core::value_get<uint16_t>(units + 2 * i);
  }
  core::ref Array(Heap::StringType type, uint32_t length);
  bool HasRoom(uint64_t bytes);
  // Copies units of a flat string to where an array of `type` has them.
  void Put(core::ref flat, uint32_t start, uint32_t count, Heap::StringType type,
           uint8_t* to) const;
  // Calls leaf(flat string) for each part of a rope, in order.
  template <class Leaf>
  void ForEachLeaf(core::ref rope, Leaf&& leaf) const;

  const Heap& heap_;
  uint8_t* const base_;
  uint64_t wanted_ = 0;
};

// UTF-8 to UTF-16; false if it is malformed. And back, with U+FFFD for lone surrogates.
bool DecodeUtf8(absl::string_view text, std::u16string& units);
std::string EncodeUtf8(absl::Span<const uint16_t> units);

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_HEAP_STRINGS_H_

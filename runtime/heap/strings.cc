#include "runtime/heap/strings.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace fermata::internal {
namespace {

// Of a rope.
constexpr uint32_t kLeftAt = 4, kRightAt = 8, kLengthAt = 12, kRopeBytes = 16;
// Shorter ones are copied: a rope takes as much.
constexpr uint32_t kShortest = 24;

}  // namespace

uint32_t Strings::Length(core::ref string) const {
  return IsRope(string) ? core::object_get32(base_, string, kLengthAt)
                        : core::array_length(base_, string);
}

// Its parts are shorter than it is, so following them comes to an end.
bool Strings::IsSound(core::ref string) const {
  if (!IsRope(string)) return core::array_length(base_, string) <= kMostUnits;
  const core::ref left = core::object_get32(base_, string, kLeftAt);
  const core::ref right = core::object_get32(base_, string, kRightAt);
  const uint64_t length = Length(string);
  if (length < kShortest || length > kMostUnits || !heap_.IsObject(left) || !Is(left)) return false;
  if (right == 0) return !IsRope(left) && Length(left) == length;
  if (!heap_.IsObject(right) || !Is(right)) return false;
  return Length(left) != 0 && Length(right) != 0 &&
         uint64_t{Length(left)} + Length(right) == length;
}

bool Strings::HasRoom(uint64_t bytes) {
  if (!core::no_room(base_, bytes)) return true;
  wanted_ = bytes;
  return false;
}

core::ref Strings::Array(Heap::StringType type, uint32_t length) {
  const uint32_t log2 = type == Heap::kUtf16;
  if (!HasRoom(core::array_bytes(length, log2))) return 0;
  return core::new_array(base_, log2, heap_.string_type(type), length);
}

void Strings::Put(core::ref flat, uint32_t start, uint32_t count, Heap::StringType type,
                  uint8_t* to) const {
  const uint8_t* from = Bytes(flat);
  if (!IsLatin1(flat)) {
    std::memcpy(to, from + 2 * size_t{start}, 2 * size_t{count});
  } else if (type == Heap::kLatin1) {
    std::memcpy(to, from + start, count);
  } else {
    for (uint32_t i = 0; i < count; ++i) {
      core::value_put(to + 2 * size_t{i}, static_cast<uint16_t>(from[start + i]));
    }
  }
}

template <class Leaf>
void Strings::ForEachLeaf(core::ref rope, Leaf&& leaf) const {
  std::vector<core::ref> rest = {rope};
  while (!rest.empty()) {
    core::ref s = rest.back();
    rest.pop_back();
    while (IsRope(s)) {
      const core::ref right = core::object_get32(base_, s, kRightAt);
      if (right != 0) rest.push_back(right);
      s = core::object_get32(base_, s, kLeftAt);
    }
    leaf(s);
  }
}

std::u16string Strings::Units(core::ref string) const {
  std::u16string units;
  units.reserve(Length(string));
  ForEachLeaf(string, [&](core::ref leaf) {
    for (uint32_t n = core::array_length(base_, leaf), i = 0; i < n; ++i) {
      units.push_back(static_cast<char16_t>(At(leaf, i)));
    }
  });
  return units;
}

core::ref Strings::Flat(core::ref string) {
  if (!IsRope(string)) return string;
  if (core::object_get32(base_, string, kRightAt) == 0) {
    return core::object_get32(base_, string, kLeftAt);
  }
  Heap::StringType type = Heap::kLatin1;
  ForEachLeaf(string, [&](core::ref leaf) {
    if (!IsLatin1(leaf)) type = Heap::kUtf16;
  });
  const core::ref flat = Array(type, Length(string));
  if (flat == 0) return 0;
  uint8_t* to = base_ + flat + core::kArrayHeader;
  ForEachLeaf(string, [&](core::ref leaf) {
    const uint32_t length = core::array_length(base_, leaf);
    Put(leaf, 0, length, type, to);
    to += size_t{length} << (type == Heap::kUtf16);
  });
  core::object_put_ref(base_, string, kLeftAt, flat);
  core::object_put32(base_, string, kRightAt, 0);
  return flat;
}

core::ref Strings::FromUnits(absl::Span<const uint16_t> units) {
  const bool latin1 = std::all_of(units.begin(), units.end(), [](uint16_t u) { return u < 0x100; });
  const core::ref made =
      Array(latin1 ? Heap::kLatin1 : Heap::kUtf16, static_cast<uint32_t>(units.size()));
  if (made == 0) return 0;
  uint8_t* to = base_ + made + core::kArrayHeader;
  for (uint16_t unit : units) {
    if (latin1) {
      *to++ = static_cast<uint8_t>(unit);
    } else {
      core::value_put(to, unit);
      to += 2;
    }
  }
  return made;
}

core::ref Strings::FromLatin1(absl::Span<const uint8_t> bytes) {
  const core::ref made = Array(Heap::kLatin1, static_cast<uint32_t>(bytes.size()));
  if (made != 0 && !bytes.empty()) {
    std::memcpy(base_ + made + core::kArrayHeader, bytes.data(), bytes.size());
  }
  return made;
}

core::ref Strings::Concat(core::ref a, core::ref b) {
  const uint32_t left = Length(a), right = Length(b);
  if (left == 0) return b;
  if (right == 0) return a;
  if (left + right < kShortest) {
    // Nothing this short is a rope.
    const Heap::StringType type = IsLatin1(a) && IsLatin1(b) ? Heap::kLatin1 : Heap::kUtf16;
    const core::ref made = Array(type, left + right);
    if (made == 0) return 0;
    uint8_t* const to = base_ + made + core::kArrayHeader;
    Put(a, 0, left, type, to);
    Put(b, 0, right, type, to + (size_t{left} << (type == Heap::kUtf16)));
    return made;
  }
  if (!HasRoom(kRopeBytes)) return 0;
  const core::ref rope = core::new_object(base_, kRopeBytes, heap_.string_type(Heap::kRope));
  core::object_put32(base_, rope, kLeftAt, a);
  core::object_put32(base_, rope, kRightAt, b);
  core::object_put32(base_, rope, kLengthAt, left + right);
  return rope;
}

core::ref Strings::Substring(core::ref flat, uint32_t start, uint32_t end) {
  if (start == 0 && end == core::array_length(base_, flat)) return flat;
  Heap::StringType type = Heap::kLatin1;
  if (!IsLatin1(flat)) {
    for (uint32_t i = start; i < end && type == Heap::kLatin1; ++i) {
      if (Unit(Bytes(flat), i) > 0xff) type = Heap::kUtf16;
    }
  }
  const core::ref made = Array(type, end - start);
  if (made == 0) return 0;
  uint8_t* to = base_ + made + core::kArrayHeader;
  if (type == Heap::kLatin1 && !IsLatin1(flat)) {
    for (uint32_t i = start; i < end; ++i) *to++ = static_cast<uint8_t>(Unit(Bytes(flat), i));
  } else {
    Put(flat, start, end - start, type, to);
  }
  return made;
}

uint16_t Strings::At(core::ref flat, uint32_t index) const {
  return IsLatin1(flat) ? Bytes(flat)[index] : Unit(Bytes(flat), index);
}

bool Strings::Equal(core::ref a, core::ref b) const {
  const uint32_t length = core::array_length(base_, a);
  if (length != core::array_length(base_, b)) return false;
  if (IsLatin1(a) == IsLatin1(b)) {
    return std::memcmp(Bytes(a), Bytes(b), size_t{length} << !IsLatin1(a)) == 0;
  }
  return Compare(a, b) == 0;
}

int Strings::Compare(core::ref a, core::ref b) const {
  const uint32_t left = core::array_length(base_, a), right = core::array_length(base_, b);
  const uint32_t both = std::min(left, right);
  for (uint32_t i = 0; i < both; ++i) {
    const int difference = int{At(a, i)} - int{At(b, i)};
    if (difference != 0) return difference;
  }
  return left == right ? 0 : left < right ? -1 : 1;
}

void Strings::Copy(core::ref flat, uint32_t start, uint32_t count, uint16_t* to) const {
  for (uint32_t i = 0; i < count; ++i) to[i] = At(flat, start + i);
}

// ---- UTF-8 ----

namespace {

// The code point at `text`, which is shortened by it; -1 if it is malformed.
int32_t NextCodePoint(absl::string_view& text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  const int more = first < 0x80   ? 0
                   : first < 0xc2 ? -1
                   : first < 0xe0 ? 1
                   : first < 0xf0 ? 2
                   : first < 0xf5 ? 3
                                  : -1;
  if (more < 0 || text.size() <= static_cast<size_t>(more)) return -1;
  int32_t point = more == 0 ? first : first & (0x3f >> more);
  for (int i = 1; i <= more; ++i) {
    if ((byte(static_cast<size_t>(i)) & 0xc0) != 0x80) return -1;
    point = point << 6 | (byte(static_cast<size_t>(i)) & 0x3f);
  }
  constexpr int32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
  if (point < kLeast[more] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return -1;
  text.remove_prefix(static_cast<size_t>(more) + 1);
  return point;
}

}  // namespace

bool DecodeUtf8(absl::string_view text, std::u16string& units) {
  while (!text.empty()) {
    const int32_t point = NextCodePoint(text);
    if (point < 0) return false;
    if (point >= 0x10000) {
      units.push_back(static_cast<char16_t>(0xd800 + ((point - 0x10000) >> 10)));
      units.push_back(static_cast<char16_t>(0xdc00 + (point & 0x3ff)));
    } else {
      units.push_back(static_cast<char16_t>(point));
    }
  }
  return true;
}

std::string EncodeUtf8(absl::Span<const uint16_t> units) {
  std::string text;
  const auto put = [&](uint32_t bits) { text.push_back(static_cast<char>(bits)); };
  for (size_t i = 0; i < units.size(); ++i) {
    uint32_t point = units[i];
    if ((point & 0xfc00) == 0xd800 && i + 1 < units.size() && (units[i + 1] & 0xfc00) == 0xdc00) {
      point = 0x10000 + ((point & 0x3ff) << 10) + (units[++i] & 0x3ff);
    } else if ((point & 0xf800) == 0xd800) {
      point = 0xfffd;
    }
    if (point < 0x80) {
      put(point);
      continue;
    }
    if (point < 0x800) {
      put(0xc0 | point >> 6);
    } else {
      if (point < 0x10000) {
        put(0xe0 | point >> 12);
      } else {
        put(0xf0 | point >> 18);
        put(0x80 | (point >> 12 & 0x3f));
      }
      put(0x80 | (point >> 6 & 0x3f));
    }
    put(0x80 | (point & 0x3f));
  }
  return text;
}

}  // namespace fermata::internal

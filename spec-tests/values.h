// Values as the suite's scripts write them, and their comparison with a guest's.
//
// Everything is compared by bits. A float may also be a pattern: nan:canonical (exponent ones, of
// the fraction the top bit alone, any sign), nan:arithmetic (the top bit of the fraction set); in a
// v128 each lane is compared on its own. Header for C++17.
#ifndef FERMATA_SPEC_TESTS_VALUES_H_
#define FERMATA_SPEC_TESTS_VALUES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fermata/dynamic.h"

namespace fermata::spec {

struct Lane {
  enum class Kind : uint8_t { kBits, kCanonicalNan, kArithmeticNan };
  Kind kind = Kind::kBits;
  uint64_t bits = 0;
};

// One value of a script: an argument, or what a result may be.
struct Pattern {
  enum class Kind : uint8_t {
    kLanes,          // a number (one lane) or a v128
    kNull,           // a null reference of `type`
    kHostReference,  // (ref.extern N), (ref.host N): `reference`
    kNonNull,        // any reference of `type` but null
    kEither,         // any of `choices`
  };
  Kind kind = Kind::kLanes;
  std::string type;        // "i32", "v128", "externref", "refnull", …
  unsigned lane_bits = 0;  // 8 to 64
  std::vector<Lane> lanes;
  uint32_t reference = 0;
  std::vector<Pattern> choices;
};

// A lane from a script: a number, or "nan:canonical", "nan:arithmetic".
absl::StatusOr<Lane> ParseLane(absl::string_view text);

// Whether the low `bits` (32 or 64) of `value` are what `lane` says.
bool LaneMatches(const Lane& lane, uint64_t value, unsigned bits);

// An argument. Null references and host references become those of the hierarchy's top.
absl::StatusOr<Value> ToValue(const Pattern& pattern);

bool Matches(const Pattern& pattern, const Value& value);
bool Matches(absl::Span<const Pattern> patterns, absl::Span<const Value> values);

// "(f32 nan:canonical)", "(i32 0x5)", "(externref null)".
std::string Describe(const Pattern& pattern);
std::string Describe(const Value& value);
std::string Describe(absl::Span<const Pattern> patterns);
std::string Describe(absl::Span<const Value> values);

}  // namespace fermata::spec

#endif  // FERMATA_SPEC_TESTS_VALUES_H_

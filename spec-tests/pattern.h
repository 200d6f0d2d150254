// Values as the suite's scripts write them.
//
// A float may also be a pattern: nan:canonical (exponent ones, of the fraction the top bit alone,
// any sign), nan:arithmetic (the top bit of the fraction set).
#ifndef FERMATA_SPEC_TESTS_PATTERN_H_
#define FERMATA_SPEC_TESTS_PATTERN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

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

}  // namespace fermata::spec

#endif  // FERMATA_SPEC_TESTS_PATTERN_H_

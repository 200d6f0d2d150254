// Patterns, and their comparison with a guest's values: by bits; in a v128 each lane is compared on
// its own.
#ifndef FERMATA_SPEC_TESTS_VALUES_H_
#define FERMATA_SPEC_TESTS_VALUES_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "fermata/dynamic.h"
#include "spec-tests/pattern.h"

namespace fermata::spec {

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

// Modules that must be refused: the suite's assert_invalid and assert_malformed on binaries.
#ifndef FERMATA_SPEC_TESTS_NEGATIVE_H_
#define FERMATA_SPEC_TESTS_NEGATIVE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "spec-tests/outcome.h"
#include "translator/wasm/features.h"

namespace fermata::spec {

// What the modules of a group may use: WebAssembly 3.0 and the group's own proposal. The scripts of
// threads are from before 3.0: for them it is 2.0 and threads.
wasm::FeatureSet FeaturesOf(absl::string_view group);

// Reads and validates the module in a file.
absl::Status CheckModule(const std::string& path, const wasm::FeatureSet& features);

// Whether a phrase of the suite says that a module is malformed (not: invalid).
bool IsMalformedPhrase(absl::string_view phrase);

// What follows the position in an error of the reader or the validator: "guest.wasm: 0x1f3
// (function 12 "parse"): " is taken off.
std::string WithoutPosition(absl::string_view message, absl::string_view path);

// Reads and validates the module in the file `path`, as of `group`. Passed: it is refused with the
// phrase of `command`, or another phrase of the same class (`other_phrase` is then set).
CommandResult CheckRefused(const Command& command, const std::string& path, absl::string_view group,
                           bool& other_phrase);

}  // namespace fermata::spec

#endif  // FERMATA_SPEC_TESTS_NEGATIVE_H_

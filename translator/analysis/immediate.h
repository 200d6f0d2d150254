// Which imports are plain calls that never suspend, as the user says.
#ifndef FERMATA_TRANSLATOR_ANALYSIS_IMMEDIATE_H_
#define FERMATA_TRANSLATOR_ANALYSIS_IMMEDIATE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "translator/wasm/module.h"

namespace fermata::analysis {

// By function import: whether a glob of --immediate matches "module.field". Errors: a glob that is
// none, or matches no import.
absl::StatusOr<std::vector<bool>> MatchImmediate(const wasm::Module& module,
                                                 const std::vector<std::string>& globs);

}  // namespace fermata::analysis

#endif  // FERMATA_TRANSLATOR_ANALYSIS_IMMEDIATE_H_

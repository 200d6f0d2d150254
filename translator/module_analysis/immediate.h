// Which imports are plain calls that never suspend, as the user says.
#ifndef FERMATA_TRANSLATOR_MODULE_ANALYSIS_IMMEDIATE_H_
#define FERMATA_TRANSLATOR_MODULE_ANALYSIS_IMMEDIATE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "translator/wasm/module.h"

namespace fermata::analysis {

// WASI preview 1: its module's name, and those of its functions that never wait, which --wasi makes
// plain calls. The runtime has the same list: wasi::System::ImmediateImports().
inline constexpr absl::string_view kWasiModule = "wasi_snapshot_preview1";
absl::Span<const absl::string_view> WasiFunctionsThatNeverWait();

// By function import: whether a glob of --immediate matches "module.field", or `wasi` is set and it
// is a WASI function that never waits. Errors: a glob that is none, or matches no import.
absl::StatusOr<std::vector<bool>> MatchImmediate(const wasm::Module& module,
                                                 const std::vector<std::string>& globs, bool wasi);

}  // namespace fermata::analysis

#endif  // FERMATA_TRANSLATOR_MODULE_ANALYSIS_IMMEDIATE_H_

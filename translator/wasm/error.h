// How errors in a module are written: `guest.wasm: 0x1f3 (function 12 "parse"): type mismatch: …`.
//
// The message after the position begins with the official test suite's phrase for that error, if
// there is one. kInvalidArgument: the module is malformed or invalid, or beyond one of Fermata's
// limits (limits.h). kUnimplemented: it needs a proposal that Fermata does not support yet.
#ifndef FERMATA_TRANSLATOR_WASM_ERROR_H_
#define FERMATA_TRANSLATOR_WASM_ERROR_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "translator/wasm/module.h"

namespace fermata::wasm {

// An error outside of function bodies. `offset`: bytes from the start of the file.
absl::Status ErrorAt(absl::string_view path, uint32_t offset, absl::string_view message,
                     absl::StatusCode code = absl::StatusCode::kInvalidArgument);

// An error in the body of `function`.
absl::Status ErrorIn(const Module& module, uint32_t function, uint32_t offset,
                     absl::string_view message,
                     absl::StatusCode code = absl::StatusCode::kInvalidArgument);

}  // namespace fermata::wasm

#endif  // FERMATA_TRANSLATOR_WASM_ERROR_H_

// The rules of validation that are not about function bodies (specification sections 3.2 and 3.4):
// indices that must exist, types that must match, limits, constant expressions, names of exports.
#ifndef FERMATA_TRANSLATOR_VALIDATE_MODULE_VALIDATOR_H_
#define FERMATA_TRANSLATOR_VALIDATE_MODULE_VALIDATOR_H_

#include "absl/status/status.h"
#include "translator/wasm/module.h"

namespace fermata::validate {

// Checks a module as it came from wasm::ReadModule. Once it passed, all indices in it may be used
// without further checks, and function bodies may be validated, in any order
// (function_validator.h).
absl::Status ValidateModule(const wasm::Module& module);

}  // namespace fermata::validate

#endif  // FERMATA_TRANSLATOR_VALIDATE_MODULE_VALIDATOR_H_

// Validation of constant expressions (specification §3.4.13).
#ifndef FERMATA_TRANSLATOR_VALIDATE_CONST_VALIDATOR_H_
#define FERMATA_TRANSLATOR_VALIDATE_CONST_VALIDATOR_H_

#include <cstdint>

#include "absl/status/status.h"
#include "translator/wasm/module.h"

namespace fermata::validate {

// Checks that `expr` makes one value of type `expected`. It may read the immutable ones of the first
// `globals` globals. `offset`: of what holds the expression.
absl::Status ValidateConst(const wasm::Module& module, uint32_t offset, const wasm::ConstExpr& expr,
                           wasm::ValType expected, uint32_t globals);

}  // namespace fermata::validate

#endif  // FERMATA_TRANSLATOR_VALIDATE_CONST_VALIDATOR_H_

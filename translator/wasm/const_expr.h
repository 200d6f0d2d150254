// Constant expressions: what initializes globals and tables and places segments (specification
// sections 3.3.13 and 5.4.9, and the proposal for extended constant expressions).
#ifndef FERMATA_TRANSLATOR_WASM_CONST_EXPR_H_
#define FERMATA_TRANSLATOR_WASM_CONST_EXPR_H_

#include "translator/wasm/decoder.h"
#include "translator/wasm/module.h"

namespace fermata::wasm {

// Decodes one, `end` included, and refuses instructions that are not constant. Types and indices
// are checked later, when the whole module is known (validate/module_validator.h).
ConstExpr ReadConstExpr(Decoder& in);

}  // namespace fermata::wasm

#endif  // FERMATA_TRANSLATOR_WASM_CONST_EXPR_H_

// Subtyping (specification section 3.3.3).
#ifndef FERMATA_TRANSLATOR_WASM_SUBTYPING_H_
#define FERMATA_TRANSLATOR_WASM_SUBTYPING_H_

#include "translator/wasm/module.h"

namespace fermata::wasm {

// Whether a value of type `sub` can be used where one of `super` is expected.
bool IsSubtype(const Module& module, ValType sub, ValType super);

// The same of defined types, by declaration.
bool IsDeclaredSubtype(const Module& module, uint32_t sub, uint32_t super);

}  // namespace fermata::wasm

#endif  // FERMATA_TRANSLATOR_WASM_SUBTYPING_H_

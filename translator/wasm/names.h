// The "name" custom section (specification appendix "Custom Sections"): names of the module, its
// functions and locals, types and fields, for generated code and messages.
//
// Nothing in it can make a module wrong. What is malformed is left out, with all that follows it in
// its subsection; names for indices that do not exist are ignored.
#ifndef FERMATA_TRANSLATOR_WASM_NAMES_H_
#define FERMATA_TRANSLATOR_WASM_NAMES_H_

#include <cstdint>

#include "absl/types/span.h"
#include "translator/wasm/module.h"

namespace fermata::wasm {

// `contents`: what follows the section's own name. `functions`, `types`: how many the module has.
// Memory use is bounded by a multiple of the section's size and these numbers, whatever its indices.
Names ReadNames(absl::Span<const uint8_t> contents, uint32_t functions, uint32_t types = 0);

}  // namespace fermata::wasm

#endif  // FERMATA_TRANSLATOR_WASM_NAMES_H_

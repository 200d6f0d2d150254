// Names from modules, as a part of one line of text.
//
// A name may be of any length and hold any character. What would end the line, close the quotes
// around the name, command a terminal or turn the direction of writing around is escaped as in C.
#ifndef FERMATA_TRANSLATOR_WASM_PRINTABLE_H_
#define FERMATA_TRANSLATOR_WASM_PRINTABLE_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace fermata::wasm {

inline constexpr size_t kMaxPrintedName = 120;

// Of a name of more than `max_bytes`, the beginning and "…".
std::string Printable(absl::string_view name, size_t max_bytes = kMaxPrintedName);

}  // namespace fermata::wasm

#endif  // FERMATA_TRANSLATOR_WASM_PRINTABLE_H_

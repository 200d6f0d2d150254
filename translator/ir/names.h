// The names of functions and variables, in generated C++ and wherever the IR is printed. Stable: they
// depend on an index and the part's own wasm name only, so a small change to a module makes a small
// change to the output.
//
//   fn12_parse    function 12, named "parse"
//   l0 l1_len     wasm locals
//   s3 w3 p3 d3   operands at height 3 of the stack, by type: i32, i64, f32, f64; for the others see
//                 fermata/core/value_types.def
#ifndef FERMATA_TRANSLATOR_IR_NAMES_H_
#define FERMATA_TRANSLATOR_IR_NAMES_H_

#include <string>

#include "absl/strings/string_view.h"
#include "translator/ir/ir.h"
#include "translator/wasm/module.h"

namespace fermata::ir {

// ASCII letters, digits and single underscores of `text`, at most `limit` characters, or "".
std::string Sanitize(absl::string_view text, size_t limit);
std::string FunctionName(const wasm::Module& module, uint32_t function);
std::string VarName(const wasm::Module& module, const Function& f, VarId v);

}  // namespace fermata::ir

#endif  // FERMATA_TRANSLATOR_IR_NAMES_H_

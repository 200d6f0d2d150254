// The C++ names of a module's parts. Stable: they depend on the part's index and its own wasm name
// only, so a small change to a module makes a small change to the output.
//
//   fn12_parse    function 12, named "parse"         fn12_parse_resume  its resume function
//   import_3      import slot of imported function 3  suspend_3          its suspending stub
//   l0 l1_len     wasm locals                         s3 w3 p3 d3 r3     operand slots of height 3:
//   g0 table0 memory0 data0 elem0                       i32 i64 f32 f64 funcref; others: value_types.def
//   elements0     of a table that HasFixedElements
#ifndef FERMATA_TRANSLATOR_EMIT_NAMES_H_
#define FERMATA_TRANSLATOR_EMIT_NAMES_H_

#include <string>

#include "absl/strings/string_view.h"
#include "translator/ir/ir.h"
#include "translator/wasm/module.h"

namespace fermata::emit {

// ASCII letters, digits and single underscores of `text`, at most `limit` characters, or "".
std::string Sanitize(absl::string_view text, size_t limit);
std::string FunctionName(const wasm::Module& module, uint32_t function);
std::string VarName(const wasm::Module& module, const ir::Function& f, ir::VarId v);

// "u32", "u64", "f32", "f64", "v128", "ref".
absl::string_view CType(ir::Kind kind);
// The core::ValType enumerator: "ValType::kI32".
absl::string_view ValTypeName(ir::Kind kind);
// The same of a value type, references by the top of their hierarchy.
absl::string_view ValTypeName(const wasm::Module& module, wasm::ValType type);
// A table of functions whose size can't change, imported or not: its elements never move.
bool HasFixedElements(const wasm::Module& module, const wasm::Table& table);
// What a function of this type returns in C++: void unless it has exactly one result.
absl::string_view ReturnType(const wasm::FuncType& type);
// "Instance*, u32, f64".
std::string ParamTypes(const wasm::FuncType& type);
// A C++ string literal, quotes included, that holds any bytes.
std::string Quote(absl::string_view bytes);
// A comment-safe version of a wasm name.
std::string ForComment(absl::string_view name);

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_NAMES_H_

// How the parts of a module are spelled in C++, beside the names of ir/names.h:
//
//   fn12_parse_resume        the resume function of function 12
//   import_3_fd_write        calls imported function 3, of the slot import_3; suspend_3 is the stub
//                            that the slot holds if the host provides the import as an op
//   g0 table0 memory0 data0 elem0 elements0    members of the instance; the last is of tables that
//                                              HasFixedElements
#ifndef FERMATA_TRANSLATOR_EMIT_NAMES_H_
#define FERMATA_TRANSLATOR_EMIT_NAMES_H_

#include <string>

#include "absl/strings/string_view.h"
#include "translator/ir/ir.h"
#include "translator/ir/names.h"
#include "translator/wasm/module.h"

namespace fermata::emit {

using ir::FunctionName;
using ir::Sanitize;
using ir::VarName;

// The function of the module's header that calls an import: "import_3_fd_write".
std::string ImportName(const wasm::Module& module, uint32_t function);

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

// The parts of a module in words, each a piece of one line: names are escaped, and what is very
// long is cut.
#ifndef FERMATA_TRANSLATOR_INSPECT_DESCRIBE_H_
#define FERMATA_TRANSLATOR_INSPECT_DESCRIBE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "translator/inspect/inspection.h"
#include "translator/wasm/module.h"

namespace fermata::inspect {

// `function 12 "parse"`.
std::string FunctionText(const wasm::Module& module, uint32_t function);

// `(ref null 3)`, `i32`.
std::string TypeText(wasm::ValType type);

// `[i32 i64] -> [f32]` of a function type.
std::string SignatureText(const wasm::FuncType& type);

// "function", "memory", …
const char* KindName(wasm::ExternKind kind);

// The type of what an import or export names: of a function its signature, of a memory its limits.
std::string ExternTypeText(const wasm::Module& module, wasm::ExternKind kind, uint32_t index);

// `1 to 16 pages of 64 KiB, shared`.
std::string MemoryText(const wasm::MemoryType& type);

// `10 to 20 funcref`.
std::string TableText(const wasm::TableType& type);

// `type 3 [i32] -> [] through table 0`.
std::string IndirectText(const Inspection& in, const SuspendingType& type);

// What an error of the reader or the validator says after the path of the module.
std::string PlaceInError(const std::string& path, const absl::Status& error);

// Lower-case hexadecimal.
std::string Sha256(absl::Span<const uint8_t> bytes);

}  // namespace fermata::inspect

#endif  // FERMATA_TRANSLATOR_INSPECT_DESCRIBE_H_

#include "translator/inspect/describe.h"

#include <algorithm>
#include <array>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringExtras.h"
#include "translator/wasm/printable.h"
#include "translator/wasm/sha256.h"

namespace fermata::inspect {
namespace {

using wasm::ExternKind;
using wasm::ValType;

constexpr size_t kMaxShownTypes = 32;

std::string ListText(const std::vector<ValType>& types) {
  std::string text = "[";
  const size_t shown = std::min(types.size(), kMaxShownTypes);
  for (size_t i = 0; i < shown; ++i) absl::StrAppend(&text, i == 0 ? "" : " ", TypeText(types[i]));
  if (shown < types.size()) absl::StrAppend(&text, " … ", types.size() - shown, " more");
  return text + "]";
}

// "10", "10 to 20", "at least 10".
std::string RangeText(const wasm::SizeLimits& limits) {
  if (!limits.has_max) return absl::StrCat("at least ", limits.min);
  if (limits.max == limits.min) return absl::StrCat(limits.min);
  return absl::StrCat(limits.min, " to ", limits.max);
}

}  // namespace

std::string FunctionText(const wasm::Module& module, uint32_t function) {
  const auto& names = module.names.functions;
  if (function >= names.size() || names[function].empty()) {
    return absl::StrCat("function ", function);
  }
  return absl::StrCat("function ", function, " \"", wasm::Printable(names[function]), "\"");
}

std::string TypeText(ValType type) {
  if (type.kind() == ValType::kTypedRef) {
    const std::string index = absl::StrCat(type.type_index());
    return absl::StrCat("(ref ", type.nullable() ? "null " : "",
                        type.exact() ? absl::StrCat("(exact ", index, ")") : index, ")");
  }
  if (!type.is_ref() || type.nullable()) return Name(type);
  if (type.kind() == ValType::kNoneRef) return "(ref none)";
  // "funcref" is short for (ref null func), "nullfuncref" for (ref null nofunc).
  absl::string_view name = Name(type);
  name.remove_suffix(3);
  const bool bottom = absl::ConsumePrefix(&name, "null");
  return absl::StrCat("(ref ", bottom ? "no" : "", name, ")");
}

std::string SignatureText(const wasm::FuncType& type) {
  return absl::StrCat(ListText(type.params), " -> ", ListText(type.results));
}

const char* KindName(ExternKind kind) {
  switch (kind) {
    case ExternKind::kFunction:
      return "function";
    case ExternKind::kTable:
      return "table";
    case ExternKind::kMemory:
      return "memory";
    case ExternKind::kGlobal:
      return "global";
    case ExternKind::kTag:
      return "tag";
  }
  return "?";
}

std::string ExternTypeText(const wasm::Module& module, ExternKind kind, uint32_t index) {
  switch (kind) {
    case ExternKind::kFunction:
      return SignatureText(module.TypeOf(index));
    case ExternKind::kTable:
      return TableText(module.tables[index].type);
    case ExternKind::kMemory:
      return MemoryText(module.memories[index].type);
    case ExternKind::kGlobal: {
      const wasm::GlobalType& type = module.globals[index].type;
      return absl::StrCat(type.mut ? "mutable " : "", TypeText(type.type));
    }
    case ExternKind::kTag:
      return SignatureText(module.types[module.tags[index].type]);
  }
  return "";
}

std::string MemoryText(const wasm::MemoryType& type) {
  return absl::StrCat(RangeText(type.limits),
                      type.page_log2 == 16 ? " pages of 64 KiB" : " pages of one byte",
                      type.limits.is64 ? ", 64-bit" : "", type.limits.shared ? ", shared" : "");
}

std::string TableText(const wasm::TableType& type) {
  return absl::StrCat(RangeText(type.limits), " ", TypeText(type.element),
                      type.limits.is64 ? ", 64-bit" : "");
}

std::string IndirectText(const Inspection& in, const SuspendingType& type) {
  const std::string text =
      absl::StrCat("type ", type.type, " ", SignatureText(in.module.types[type.type]));
  return type.table == analysis::kAnyTable ? absl::StrCat(text, " by reference")
                                           : absl::StrCat(text, " through table ", type.table);
}

std::string PlaceInError(const std::string& path, const absl::Status& error) {
  absl::string_view text = error.message();
  absl::ConsumePrefix(&text, absl::StrCat(path, ": "));
  return std::string(text);
}

std::string Sha256(absl::Span<const uint8_t> bytes) {
  return llvm::toHex(llvm::ArrayRef(fermata::Sha256(bytes)), /*LowerCase=*/true);
}

}  // namespace fermata::inspect

#include "translator/emit/names.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace fermata::emit {

using ir::Kind;

std::string ImportName(const wasm::Module& module, uint32_t function) {
  const std::string own =
      Sanitize(module.imports[module.functions[function].import].name, /*limit=*/32);
  return absl::StrCat("import_", function, own.empty() ? "" : "_", own);
}

absl::string_view CType(Kind kind) {
  switch (kind) {
#define FERMATA_VALUE_TYPE(enumerator, code, name, letter, bytes, c_type, slot, host_type) \
  case Kind::enumerator:                                                                   \
    return #c_type;
#define FERMATA_HEAP_TYPE(enumerator, ...) case Kind::enumerator:
#include "include/fermata/core/value_types.def"
    case Kind::kBottom:
    case Kind::kTypedRef:
      break;
  }
  return "ref";
}

absl::string_view ValTypeName(Kind kind) {
  switch (kind) {
#define FERMATA_VALUE_TYPE(enumerator, ...) \
  case Kind::enumerator:                    \
    return "ValType::" #enumerator;
#define FERMATA_HEAP_TYPE(enumerator, ...) case Kind::enumerator:
#include "include/fermata/core/value_types.def"
    case Kind::kBottom:
    case Kind::kTypedRef:
      break;
  }
  return "ValType::kFuncRef";
}

absl::string_view ValTypeName(const wasm::Module& module, wasm::ValType type) {
  return ValTypeName(wasm::RepOf(module, type));
}

bool HasFixedElements(const wasm::Module& module, const wasm::Table& table) {
  const wasm::SizeLimits& limits = table.type.limits;
  return limits.has_max && limits.min == limits.max && limits.max <= 0xffffffff &&
         wasm::RepOf(module, table.type.element) == Kind::kFuncRef;
}

absl::string_view ReturnType(const wasm::FuncType& type) {
  return type.results.size() == 1 ? CType(type.results[0].kind()) : "void";
}

std::string ParamTypes(const wasm::FuncType& type) {
  std::string text = "Instance*";
  for (wasm::ValType t : type.params) absl::StrAppend(&text, ", ", CType(t.kind()));
  return text;
}

std::string Quote(absl::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 2 + 2);
  out.push_back('"');
  for (size_t i = 0; i < bytes.size(); ++i) {
    const unsigned char c = bytes[i];
    if (c >= 0x20 && c < 0x7f) {
      if (c == '"' || c == '\\' || c == '?') out.push_back('\\');  // no trigraphs
      out.push_back(c);
      continue;
    }
    // An octal escape would swallow a following digit unless it has all three of its own.
    const bool digit_next = i + 1 < bytes.size() && absl::ascii_isdigit(bytes[i + 1]);
    out.push_back('\\');
    if (digit_next || c >= 0100) out.push_back('0' + (c >> 6));
    if (digit_next || c >= 010) out.push_back('0' + (c >> 3 & 7));
    out.push_back('0' + (c & 7));
  }
  out.push_back('"');
  return out;
}

std::string ForComment(absl::string_view name) {
  std::string out;
  for (unsigned char c : name.substr(0, 120)) {
    // Two question marks may begin a trigraph, and so another backslash.
    const bool plain =
        c >= 0x20 && c < 0x7f && c != '\\' && (c != '?' || out.empty() || out.back() != '?');
    out.push_back(plain ? c : '.');
  }
  return out;
}

}  // namespace fermata::emit

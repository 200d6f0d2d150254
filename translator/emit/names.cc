#include "translator/emit/names.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace fermata::emit {

using ir::Kind;

std::string Sanitize(absl::string_view text, size_t limit) {
  std::string out;
  // A name may be a megabyte of dashes, and is asked for at each call.
  for (char c : text.substr(0, 16 * limit)) {
    if (out.size() >= limit) break;
    if (absl::ascii_isalnum(static_cast<unsigned char>(c))) {
      out.push_back(c);
    } else if (!out.empty() && out.back() != '_') {
      out.push_back('_');
    }
  }
  while (!out.empty() && out.back() == '_') out.pop_back();
  return out;
}

std::string FunctionName(const wasm::Module& module, uint32_t function) {
  std::string name = absl::StrCat("fn", function);  // f32 and f64 are types
  if (function < module.names.functions.size()) {
    const std::string own = Sanitize(module.names.functions[function], 48);
    if (!own.empty()) absl::StrAppend(&name, "_", own);
  }
  return name;
}

namespace {
char SlotPrefix(Kind kind) {
  switch (kind) {
    case Kind::kI64:
      return 'w';
    case Kind::kF32:
      return 'e';
    case Kind::kF64:
      return 'd';
    case Kind::kV128:
      return 'v';
    case Kind::kI32:
      return 's';
    default:
      return 'r';
  }
}
}  // namespace

std::string VarName(const wasm::Module& module, const ir::Function& f, ir::VarId v) {
  const ir::Var& var = f.vars[v];
  if (!var.local) {
    std::string name = absl::StrCat(std::string(1, SlotPrefix(var.type)), var.height);
    // Slots of several reference types may share a height.
    if (var.type == Kind::kExternRef) absl::StrAppend(&name, "x");
    if (var.type == Kind::kExnRef) absl::StrAppend(&name, "e");
    if (var.type == Kind::kAnyRef) absl::StrAppend(&name, "a");
    if (var.variant != 0) absl::StrAppend(&name, "_", var.variant);
    return name;
  }
  std::string name = absl::StrCat("l", var.height);
  const auto& locals = module.names.locals;
  if (f.index < locals.size() && var.height < locals[f.index].size()) {
    const std::string own = Sanitize(locals[f.index][var.height], 24);
    if (!own.empty()) absl::StrAppend(&name, "_", own);
  }
  return name;
}

absl::string_view CType(Kind kind) {
  switch (kind) {
    case Kind::kI32:
      return "u32";
    case Kind::kI64:
      return "u64";
    case Kind::kF32:
      return "f32";
    case Kind::kF64:
      return "f64";
    case Kind::kV128:
      return "v128";
    default:
      return "ref";
  }
}

absl::string_view ValTypeName(Kind kind) {
  switch (kind) {
    case Kind::kI32:
      return "ValType::kI32";
    case Kind::kI64:
      return "ValType::kI64";
    case Kind::kF32:
      return "ValType::kF32";
    case Kind::kF64:
      return "ValType::kF64";
    case Kind::kV128:
      return "ValType::kV128";
    case Kind::kExternRef:
      return "ValType::kExternRef";
    case Kind::kExnRef:
      return "ValType::kExnRef";
    case Kind::kAnyRef:
      return "ValType::kAnyRef";
    default:
      return "ValType::kFuncRef";
  }
}

absl::string_view ValTypeName(const wasm::Module& module, wasm::ValType type) {
  return ValTypeName(wasm::RepOf(module, type));
}

bool HasFixedElements(const wasm::Module& module, const wasm::Table& table) {
  const wasm::Limits& limits = table.type.limits;
  return limits.has_max && limits.min == limits.max && limits.max <= 0xffffffff &&
         ValTypeName(module, table.type.element) == "ValType::kFuncRef";
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

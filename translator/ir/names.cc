#include "translator/ir/names.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace fermata::ir {

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

const char* SlotPrefix(Kind kind) {
  switch (kind) {
#define FERMATA_VALUE_TYPE(enumerator, code, name, letter, bytes, c_type, slot, host_type) \
  case Kind::enumerator:                                                                   \
    return slot;
#define FERMATA_HEAP_TYPE(enumerator, ...) case Kind::enumerator:
#include "include/fermata/core/value_types.def"
    case Kind::kBottom:
    case Kind::kTypedRef:
      break;
  }
  return "r";
}

}  // namespace

std::string VarName(const wasm::Module& module, const Function& f, VarId v) {
  const Var& var = f.vars[v];
  if (!var.local) {
    std::string name = absl::StrCat(SlotPrefix(var.type), var.height);
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

}  // namespace fermata::ir

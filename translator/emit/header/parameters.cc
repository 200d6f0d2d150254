#include "translator/emit/header/parameters.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace fermata::emit {

absl::string_view HostType(const wasm::Module& module, wasm::ValType type) {
  switch (wasm::RepOf(module, type)) {
#define FERMATA_VALUE_TYPE(enumerator, code, name, letter, bytes, c_type, slot, host_type) \
  case wasm::ValType::enumerator:                                                          \
    return host_type;
#define FERMATA_HEAP_TYPE(enumerator, ...) case wasm::ValType::enumerator:
#include "include/fermata/core/value_types.def"
    case wasm::ValType::kBottom:
    case wasm::ValType::kTypedRef:
      break;
  }
  return "fermata::FuncRef";
}

std::vector<Param> ParamsOf(const wasm::Module& module, const std::string& class_name,
                            const Member& member, MacroGuard& macros) {
  const wasm::FuncType& type = module.TypeOf(member.function);
  const auto& locals = module.names.locals;
  NameSet names;
  names.Reserve(member.name);
  names.Reserve(class_name);
  std::vector<Param> params;
  for (uint32_t p = 0; p < type.params.size(); ++p) {
    absl::string_view own;
    if (member.function < locals.size() && p < locals[member.function].size()) {
      own = locals[member.function][p];
    }
    params.push_back(
        {std::string(HostType(module, type.params[p])), names.Unique(own, absl::StrCat("a", p))});
    if (!own.empty()) macros.Add(params.back().name);
  }
  return params;
}

std::string Declare(const std::vector<Param>& params) {
  return absl::StrJoin(params, ", ", [](std::string* out, const Param& p) {
    absl::StrAppend(out, p.type, " ", p.name);
  });
}

std::string ImportName(const wasm::Module& module, const Member& member) {
  const wasm::Import& import = module.imports[member.index];
  return absl::StrCat(import.module, ".", import.name);
}

}  // namespace fermata::emit

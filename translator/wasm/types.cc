#include "translator/wasm/types.h"

#include "absl/strings/str_cat.h"

namespace fermata::wasm {
namespace {

void AppendTypes(const std::vector<ValType>& types, std::string& out) {
  out.push_back('[');
  for (size_t i = 0; i < types.size(); ++i) {
    absl::StrAppend(&out, i == 0 ? "" : " ", Name(types[i]));
  }
  out.push_back(']');
}

}  // namespace

const char* Name(ValType type) {
  switch (type.kind()) {
    case ValType::kBottom:
      return "bottom";
    case ValType::kI32:
      return "i32";
    case ValType::kI64:
      return "i64";
    case ValType::kF32:
      return "f32";
    case ValType::kF64:
      return "f64";
    case ValType::kV128:
      return "v128";
    case ValType::kFuncRef:
      return "funcref";
    case ValType::kExternRef:
      return "externref";
    case ValType::kExnRef:
      return "exnref";
    case ValType::kAnyRef:
      return "anyref";
    case ValType::kEqRef:
      return "eqref";
    case ValType::kI31Ref:
      return "i31ref";
    case ValType::kStructRef:
      return "structref";
    case ValType::kArrayRef:
      return "arrayref";
    case ValType::kNoneRef:
      return "nullref";
    case ValType::kNoFuncRef:
      return "nullfuncref";
    case ValType::kNoExternRef:
      return "nullexternref";
    case ValType::kNoExnRef:
      return "nullexnref";
    case ValType::kTypedRef:
      return type.nullable() ? "(ref null)" : "(ref)";
  }
  return "?";
}

std::string ToString(const FuncType& type) {
  std::string out;
  AppendTypes(type.params, out);
  out.append(" -> ");
  AppendTypes(type.results, out);
  return out;
}

}  // namespace fermata::wasm

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

uint8_t CodeOf(ValType::Kind kind) {
  switch (kind) {
#define FERMATA_VALUE_TYPE(enumerator, code, ...) \
  case ValType::enumerator:                       \
    return code;
#define FERMATA_HEAP_TYPE(enumerator, code, ...) \
  case ValType::enumerator:                      \
    return code;
#include "include/fermata/core/value_types.def"
    case ValType::kBottom:
    case ValType::kTypedRef:
      return 0;
  }
  return 0;
}

char LetterOf(ValType::Kind kind) {
  switch (kind) {
#define FERMATA_VALUE_TYPE(enumerator, code, name, letter, ...) \
  case ValType::enumerator:                                     \
    return letter;
#define FERMATA_HEAP_TYPE(enumerator, ...) case ValType::enumerator:
#include "include/fermata/core/value_types.def"
    case ValType::kBottom:
    case ValType::kTypedRef:
      return '\0';
  }
  return '\0';
}

uint32_t Field::SizeLog2() const {
  if (packed_bits != 0) return packed_bits == 8 ? 0 : 1;
  switch (type.kind()) {
    case ValType::kI64:
    case ValType::kF64:
      return 3;
    case ValType::kV128:
      return 4;
    default:
      return 2;
  }
}

ValType::Kind TopOf(ValType::Kind kind) {
  switch (kind) {
#define FERMATA_HEAP_TYPE(enumerator, code, name, top) \
  case ValType::enumerator:                            \
    return ValType::top;
#define FERMATA_VALUE_TYPE(enumerator, ...) \
  case ValType::enumerator:                 \
    return kind;
#include "include/fermata/core/value_types.def"
    case ValType::kBottom:
    case ValType::kTypedRef:
      return kind;
  }
  return kind;
}

const char* Name(ValType type) {
  switch (type.kind()) {
#define FERMATA_VALUE_TYPE(enumerator, code, name, ...) \
  case ValType::enumerator:                             \
    return name;
#define FERMATA_HEAP_TYPE(enumerator, code, name, top) \
  case ValType::enumerator:                            \
    return name;
#include "include/fermata/core/value_types.def"
    case ValType::kBottom:
      return "bottom";
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

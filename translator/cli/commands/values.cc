#include "translator/cli/commands/values.h"

#include <cerrno>
#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"

namespace fermata::commands {
namespace {

// Accepts -2^(bits-1) to 2^bits - 1.
bool ParseInteger(llvm::StringRef text, unsigned bits, uint64_t& value) {
  const bool negative = text.consume_front("-");
  unsigned long long magnitude = 0;
  if (text.empty() || llvm::getAsUnsignedInteger(text, 0, magnitude)) return false;
  const uint64_t most = bits == 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
  if (negative ? magnitude > most / 2 + 1 : magnitude > most) return false;
  value = (negative ? 0 - magnitude : magnitude) & most;
  return true;
}

bool ParseValue(const std::string& text, ValType type, Value& value) {
  value.type = type;
  switch (type) {
    case ValType::kI32:
      return ParseInteger(text, 32, value.low);
    case ValType::kI64:
      return ParseInteger(text, 64, value.low);
    case ValType::kF32: {
      float number;
      if (!absl::SimpleAtof(text, &number)) return false;
      value = Value::F32(number);
      return true;
    }
    case ValType::kF64: {
      double number;
      if (!absl::SimpleAtod(text, &number)) return false;
      value = Value::F64(number);
      return true;
    }
    case ValType::kV128:
      return false;
    case ValType::kFuncRef:
    case ValType::kExternRef:
    case ValType::kExnRef:
    case ValType::kAnyRef:
      value.low = 0;
      return text == "null";
  }
  return false;
}

const char* TypeName(ValType type) {
  switch (type) {
    case ValType::kI32:
      return "an i32";
    case ValType::kI64:
      return "an i64";
    case ValType::kF32:
      return "an f32";
    case ValType::kF64:
      return "an f64";
    case ValType::kV128:
      return "a v128, which can't be given here";
    case ValType::kFuncRef:
    case ValType::kExternRef:
    case ValType::kExnRef:
    case ValType::kAnyRef:
      return "a reference: null";
  }
  return "";
}

}  // namespace

absl::StatusOr<std::vector<Value>> ParseArguments(const ModuleInfo& info,
                                                  absl::string_view export_name,
                                                  absl::Span<const std::string> texts) {
  const core::ExportInfo* found = nullptr;
  std::string names;
  for (uint32_t i = 0; i < info.export_count; ++i) {
    const core::ExportInfo& e = info.exports[i];
    if (e.kind != ExternKind::kFunction) continue;
    const absl::string_view name(e.name.data, e.name.size);
    if (name == export_name) found = &e;
    if (names.size() < 2000) absl::StrAppend(&names, names.empty() ? "" : ", ", name);
  }
  if (found == nullptr) {
    return absl::NotFoundError(absl::StrCat("no function is exported as \"", export_name,
                                            "\"; there are: ", names.empty() ? "none" : names));
  }
  const core::FuncType& type = info.types[info.functions[found->index].type];
  if (texts.size() != type.param_count) {
    return absl::InvalidArgumentError(
        absl::StrCat(export_name, " takes ", type.param_count, " arguments, not ", texts.size()));
  }
  std::vector<Value> values(texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    if (!ParseValue(texts[i], type.params[i], values[i])) {
      return absl::InvalidArgumentError(absl::StrCat("argument ", i + 1, " of ", export_name,
                                                     ", \"", texts[i], "\", is not ",
                                                     TypeName(type.params[i])));
    }
  }
  return values;
}

void PrintValues(absl::Span<const Value> values) {
  for (const Value& value : values) {
    switch (value.type) {
      case ValType::kI32:
        llvm::outs() << static_cast<int32_t>(value.i32());
        break;
      case ValType::kI64:
        llvm::outs() << static_cast<int64_t>(value.i64());
        break;
      case ValType::kF32:
        llvm::outs() << absl::StrFormat("%.9g", value.f32());
        break;
      case ValType::kF64:
        llvm::outs() << absl::StrFormat("%.17g", value.f64());
        break;
      case ValType::kV128:
        llvm::outs() << absl::StrFormat("0x%016x%016x", value.high, value.low);
        break;
      case ValType::kFuncRef:
      case ValType::kExternRef:
      case ValType::kExnRef:
      case ValType::kAnyRef:
        llvm::outs() << (value.ref() == 0 ? "null" : absl::StrCat("ref ", value.ref()));
    }
    llvm::outs() << "\n";
  }
  llvm::outs().flush();
}

}  // namespace fermata::commands

#include "translator/analysis/comparisons.h"

#include <utility>

#include "absl/strings/string_view.h"

namespace fermata::analysis {

std::optional<Comparison> ComparisonOf(wasm::Opcode op) {
  constexpr std::pair<absl::string_view, Sign> kSigns[] = {
      {"==", Sign::kEqual},       {"!=", Sign::kNotEqual}, {"<", Sign::kLess},
      {"<=", Sign::kLessOrEqual}, {">", Sign::kGreater},   {">=", Sign::kGreaterOrEqual}};
  const wasm::OpcodeInfo& info = wasm::Info(op);
  if (info.infix == nullptr || (info.params != "ii" && info.params != "II")) return std::nullopt;
  for (const auto& [symbol, sign] : kSigns) {
    if (symbol != info.infix) continue;
    const bool ordered = sign != Sign::kEqual && sign != Sign::kNotEqual;
    return Comparison{sign, ordered && *info.operand_type == '\0'};
  }
  return std::nullopt;
}

Sign Mirror(Sign sign) {
  switch (sign) {
    case Sign::kLess:
      return Sign::kGreater;
    case Sign::kGreater:
      return Sign::kLess;
    case Sign::kLessOrEqual:
      return Sign::kGreaterOrEqual;
    case Sign::kGreaterOrEqual:
      return Sign::kLessOrEqual;
    case Sign::kEqual:
    case Sign::kNotEqual:
      return sign;
  }
  return sign;
}
Sign Negate(Sign sign) {
  switch (sign) {
    case Sign::kEqual:
      return Sign::kNotEqual;
    case Sign::kNotEqual:
      return Sign::kEqual;
    case Sign::kLess:
      return Sign::kGreaterOrEqual;
    case Sign::kGreater:
      return Sign::kLessOrEqual;
    case Sign::kLessOrEqual:
      return Sign::kGreater;
    case Sign::kGreaterOrEqual:
      return Sign::kLess;
  }
  return sign;
}

}  // namespace fermata::analysis

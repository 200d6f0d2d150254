// What the instructions say that compare integers.
#ifndef FERMATA_TRANSLATOR_ANALYSIS_COMPARISONS_H_
#define FERMATA_TRANSLATOR_ANALYSIS_COMPARISONS_H_

#include <cstdint>
#include <optional>

#include "translator/wasm/opcodes.h"

namespace fermata::analysis {

enum class Sign : uint8_t { kEqual, kNotEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };

// With its operands in order.
struct Comparison {
  Sign sign;
  bool is_unsigned;  // of those that ask for an order
};

// Null: no comparison of two integers.
std::optional<Comparison> ComparisonOf(wasm::Opcode op);

// The same comparison with its operands exchanged.
Sign Mirror(Sign sign);
Sign Negate(Sign sign);

}  // namespace fermata::analysis

#endif  // FERMATA_TRANSLATOR_ANALYSIS_COMPARISONS_H_

// Operands worth trying, for instructions by the types of their operands and the shapes that their
// names speak of.
#ifndef FERMATA_TESTS_TRANSLATOR_EMIT_CONSTANTS_OPERAND_VALUES_H_
#define FERMATA_TESTS_TRANSLATOR_EMIT_CONSTANTS_OPERAND_VALUES_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "fermata/dynamic.h"

namespace fermata::constants {

using Operands = std::vector<Value>;

// What to call the instruction `name` with. `params` are its operands by the letters of
// opcodes.def. Two operands of the same type meet in all combinations of boundary values.
std::vector<Operands> OperandsOf(absl::string_view name, absl::string_view params);

// Bits of a float: a NaN; one with the canonical payload; one that is quiet. `size` is 4 or 8.
bool IsNan(uint64_t bits, int size);
bool IsCanonicalNan(uint64_t bits, int size);
bool IsQuietNan(uint64_t bits, int size);

// Lane `index` of lanes of `size` bytes; scalars are lane 0.
uint64_t Lane(const Value& value, int size, int index);

}  // namespace fermata::constants

#endif  // FERMATA_TESTS_TRANSLATOR_EMIT_CONSTANTS_OPERAND_VALUES_H_

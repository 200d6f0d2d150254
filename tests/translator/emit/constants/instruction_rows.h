// A module that computes every numeric instruction in several ways, made from the table of
// instructions, so that none can be forgotten. For row r of Rows():
//
//   h<r>(operands) -> results   on operands that the C++ compiler can't see
//   c<r>_<k>()                  on constants: the operands of the cases of chunk k
//   m<r>_<j>_<k>(operands)      on all operands but the j-th, which is a constant: chunk k of the
//                               values that it has in the cases
//
// The functions c and m store their results, each in 16 bytes from kResults on.
#ifndef FERMATA_TESTS_TRANSLATOR_EMIT_CONSTANTS_INSTRUCTION_ROWS_H_
#define FERMATA_TESTS_TRANSLATOR_EMIT_CONSTANTS_INSTRUCTION_ROWS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/wasm_builder.h"
#include "tests/translator/emit/constants/operand_values.h"
#include "translator/wasm/opcodes.h"

namespace fermata::constants {

inline constexpr uint32_t kResults = 4096;

struct Row {
  enum Kind {
    kConstant,  // the operand itself, as a constant instruction
    kNumeric,
    kLoad,   // of bytes that were stored before: the first operand
    kWrite,  // the same; the last result is what the bytes are afterwards
  };
  Kind kind;
  wasm::Opcode opcode;
  std::string name;    // with the immediate: "i8x16.extract_lane_s 15"
  std::string params;  // letters, as in opcodes.def
  std::string results;
  testing_support::Bytes immediates;
  std::vector<Operands> cases;
  // Of each operand, the values that it is as a constant beside hidden ones; empty: it never is.
  std::vector<std::vector<Value>> constants;

  // Cases, or values of a constant operand, in one function. What may trap has one of its own.
  size_t chunk() const { return wasm::Info(opcode).traps ? 1 : 64; }
  // Bytes of a lane if the results are floats that arithmetic computes, whose NaNs are not fixed to
  // the bit; else 0. The same of the operands.
  int result_lane() const;
  int operand_lane() const;
};

// Every instruction that computes a value from operands, or loads or stores one.
const std::vector<Row>& Rows();

testing_support::Bytes BuildModule();

}  // namespace fermata::constants

#endif  // FERMATA_TESTS_TRANSLATOR_EMIT_CONSTANTS_INSTRUCTION_ROWS_H_

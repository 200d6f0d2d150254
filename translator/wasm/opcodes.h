// Instructions by their codes: what opcodes.def says, as types and look-up functions.
#ifndef FERMATA_TRANSLATOR_WASM_OPCODES_H_
#define FERMATA_TRANSLATOR_WASM_OPCODES_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "translator/wasm/features.h"
#include "translator/wasm/types.h"

namespace fermata::wasm {

// The value is the code: the opcode byte, or prefix << 16 | sub-opcode.
enum class Opcode : uint32_t {
#define FERMATA_OPCODE(enumerator, name, code, feature, immediate, signature) enumerator = code,
#include "translator/wasm/opcodes.def"
};

// What follows the opcode in the binary format, in the order of the name's words.
enum class Immediate : uint8_t {
  kNone,
  kBlock,  // block type
  kLabel,
  kBrTable,  // vector of labels, then one label
  kFunction,
  kCallIndirect,  // type, table
  kSelectTypes,   // vector of value types
  kLocal,
  kGlobal,
  kTable,
  kMemArg8,  // alignment and offset; the number is the access's width in bits
  kMemArg16,
  kMemArg32,
  kMemArg64,
  kMemory,
  kI32,  // constants
  kI64,
  kF32,
  kF64,
  kHeapType,
  kDataMemory,
  kData,
  kMemoryMemory,  // destination first
  kElementTable,
  kElement,
  kTableTable,  // destination first
  kType,
  kTag,
  kTryTable,  // block type, catch clauses
  kMemArg128,
  kMemLane8,  // alignment, offset, lane; the number is the access's width in bits
  kMemLane16,
  kMemLane32,
  kMemLane64,
  kV128,  // a constant
  kShuffle,
  kLane2,  // a lane; the number is how many there are
  kLane4,
  kLane8,
  kLane16,
  kAtomic8,  // as kMemArg8; the alignment must be natural
  kAtomic16,
  kAtomic32,
  kAtomic64,
  kFence,         // a zero byte
  kStruct,        // type; those of garbage collection from here on
  kStructField,   // type, field
  kArray,         // type
  kArrayCount,    // type, number of elements
  kArrayData,     // type, data segment
  kArrayElement,  // type, element segment
  kArrayArray,    // type, type; destination first
  kCastType,      // heap type
  kCastBranch,    // nullability of both types, label, heap type, heap type
};

struct OpcodeInfo {
  Opcode opcode;
  absl::string_view name;  // "i32.add"
  Feature feature;
  Immediate immediate;
  absl::string_view params;  // one letter a value; see opcodes.def
  absl::string_view results;
  bool traps = false;  // numeric instructions: may trap
  // The C++ that computes a numeric instruction where it is no function of the core headers: an
  // operator, with the type that its operands are converted to first, or a conversion.
  const char* infix = nullptr;  // "+"
  const char* operand_type = "";
  const char* before = nullptr;  // "u32(", and what follows the operand
  const char* after = nullptr;
};

namespace internal {
inline constexpr uint16_t kNoOpcode = 0xffff;
extern const OpcodeInfo kOpcodes[];
extern const std::array<uint16_t, 256> kOpcodeOfByte;  // index into kOpcodes, or kNoOpcode
const OpcodeInfo* FindPrefixed(uint32_t code);
}  // namespace internal

// The instruction with that code, or nullptr.
inline const OpcodeInfo* Find(uint32_t code) {
  if (code > 0xff) return internal::FindPrefixed(code);
  const uint16_t index = internal::kOpcodeOfByte[code];
  return index == internal::kNoOpcode ? nullptr : &internal::kOpcodes[index];
}

inline const OpcodeInfo& Info(Opcode opcode) { return *Find(static_cast<uint32_t>(opcode)); }

// How many bytes of memory a load, a store or an atomic access takes; 0 for other instructions.
uint32_t AccessBytes(Opcode opcode);

// Whether the byte is the first of a two-part code (the sub-opcode follows as a u32).
constexpr bool IsPrefix(uint8_t byte) { return byte >= 0xfb && byte <= 0xfe; }

// The proposal that a code not in the table belongs to, if it is known.
std::optional<Feature> ProposalOf(uint32_t code);

// "0c" or "fc 08", for messages.
std::string CodeText(uint32_t code);

// The type of a letter of OpcodeInfo::params and results.
constexpr ValType::Kind KindOf(char letter_of_type) {
  switch (letter_of_type) {
#define FERMATA_VALUE_TYPE(enumerator, code, name, letter, ...) \
  case letter:                                                  \
    return ValType::enumerator;
#include "include/fermata/core/value_types.def"
    default:
      return ValType::kBottom;
  }
}

}  // namespace fermata::wasm

#endif  // FERMATA_TRANSLATOR_WASM_OPCODES_H_

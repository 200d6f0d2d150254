// Value types by their binary codes, and what value_types.def says of each. Core header.
#ifndef FERMATA_CORE_VALUE_TYPE_H_
#define FERMATA_CORE_VALUE_TYPE_H_

#include <stdint.h>

namespace fermata::core {

// A value is of one of these types; a reference, of the top of its hierarchy.
enum class ValType : uint8_t {
#define FERMATA_VALUE_TYPE(enumerator, code, ...) enumerator = code,
#include "fermata/core/value_types.def"
};

// The heap types of references (RefType::heap); kConcrete: a type of the module, or a subtype of it;
// kExact: just that type.
enum class HeapType : uint8_t {
  kConcrete = 0,
  kExact = 0x62,
#define FERMATA_VALUE_TYPE(enumerator, code, name, letter, bytes, c_type, slot, host_type) \
  enumerator = code,
#define FERMATA_HEAP_TYPE(enumerator, code, name, top) enumerator = code,
#include "fermata/core/value_types.def"
};

// The top of the hierarchy of a heap type; of the value types, the type itself. kConcrete, kExact: the
// type of the module decides, not this function, which says kFuncRef.
constexpr ValType TopOf(HeapType type) {
  switch (type) {
    case HeapType::kConcrete:
    case HeapType::kExact:
      return ValType::kFuncRef;
#define FERMATA_VALUE_TYPE(enumerator, ...) \
  case HeapType::enumerator:                \
    return ValType::enumerator;
#define FERMATA_HEAP_TYPE(enumerator, code, name, top) \
  case HeapType::enumerator:                           \
    return ValType::top;
#include "fermata/core/value_types.def"
  }
  return ValType::kFuncRef;
}

// "i32".
constexpr const char* NameOf(ValType type) {
  switch (type) {
#define FERMATA_VALUE_TYPE(enumerator, code, name, ...) \
  case ValType::enumerator:                             \
    return name;
#include "fermata/core/value_types.def"
  }
  return "?";
}

// The type's letter in keys of function types and in descriptions of frames.
constexpr char LetterOf(ValType type) {
  switch (type) {
#define FERMATA_VALUE_TYPE(enumerator, code, name, letter, ...) \
  case ValType::enumerator:                                     \
    return letter;
#include "fermata/core/value_types.def"
  }
  return '?';
}

// Sets `type` to the type with that letter; false if there is none.
constexpr bool TypeOfLetter(char letter_of_type, ValType& type) {
  switch (letter_of_type) {
#define FERMATA_VALUE_TYPE(enumerator, code, name, letter, ...) \
  case letter:                                                  \
    type = ValType::enumerator;                                 \
    return true;
#include "fermata/core/value_types.def"
    default:
      return false;
  }
}

// Bytes of a value in the frame of a function. In frames of ops each value has slots of 8 bytes.
constexpr uint32_t FrameBytes(ValType type) {
  switch (type) {
#define FERMATA_VALUE_TYPE(enumerator, code, name, letter, bytes, ...) \
  case ValType::enumerator:                                            \
    return bytes;
#include "fermata/core/value_types.def"
  }
  return 0;
}

// References have codes below those of numbers and vectors (specification §5.3).
constexpr bool IsRef(ValType type) { return static_cast<uint8_t>(type) < 0x7b; }

// Slots of 8 bytes that a value takes wherever values cross the ABI.
constexpr uint32_t SlotsOf(ValType type) { return (FrameBytes(type) + 7) / 8; }

}  // namespace fermata::core

#endif  // FERMATA_CORE_VALUE_TYPE_H_

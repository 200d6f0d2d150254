// Canonical type numbers: equal for two types, of whatever modules, if and only if the types are
// equal. Core header, which the translator reads, too.
//
// The number of a type whose key (FuncType::key) consists of up to nine of the letters of readable
// keys is the key itself, as a number to the base of 11, so that generated code can hold it as a
// constant; it is less than kFirstTypeNumber. All other types are numbered from there on, as the
// runtime meets them.
#ifndef FERMATA_CORE_TYPE_NUMBER_H_
#define FERMATA_CORE_TYPE_NUMBER_H_

#include <stddef.h>
#include <stdint.h>

namespace fermata::core {

inline constexpr uint32_t kNoType = 0xffffffffu;
inline constexpr uint32_t kFirstTypeNumber = 0x90000000u;

// The number that stands for a key of `size` characters; kNoType if there is none.
constexpr uint32_t TypeNumberOf(const char* key, size_t size) {
  constexpr char kLetters[] = ":iIfFVrxea";
  if (size > 9) return kNoType;
  uint32_t number = 0;
  for (size_t i = 0; i < size; ++i) {
    uint32_t digit = 0;
    while (digit < 10 && kLetters[digit] != key[i]) ++digit;
    if (digit == 10) return kNoType;
    number = number * 11 + digit + 1;
  }
  return number;
}

}  // namespace fermata::core

#endif  // FERMATA_CORE_TYPE_NUMBER_H_

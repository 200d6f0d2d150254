// The four instructions of the wide-arithmetic proposal: 128-bit numbers as pairs of i64, low half
// first. Core header.
#ifndef FERMATA_CORE_WIDE_H_
#define FERMATA_CORE_WIDE_H_

#include "fermata/core/abi.h"

namespace fermata::core {

// The results may be the operands' variables: operands are passed by value.
FERMATA_INLINE void i64_add128(u64 a_low, u64 a_high, u64 b_low, u64 b_high, u64& low, u64& high) {
  low = a_low + b_low;
  high = a_high + b_high + (low < a_low);
}
FERMATA_INLINE void i64_sub128(u64 a_low, u64 a_high, u64 b_low, u64 b_high, u64& low, u64& high) {
  low = a_low - b_low;
  high = a_high - b_high - (a_low < b_low);
}

FERMATA_INLINE void i64_mul_wide_u(u64 a, u64 b, u64& low, u64& high) {
#if defined(__SIZEOF_INT128__) && !defined(FERMATA_NO_INT128)
  __extension__ typedef unsigned __int128 u128;
  const u128 product = static_cast<u128>(a) * b;
  low = static_cast<u64>(product);
  high = static_cast<u64>(product >> 64);
#else
  // In halves of 32 bits; no sum below overflows.
  const u64 mask = 0xffffffffu;
  const u64 bottom = (a & mask) * (b & mask);
  const u64 cross = (a >> 32) * (b & mask) + (bottom >> 32);
  const u64 middle = (a & mask) * (b >> 32) + (cross & mask);
  high = (a >> 32) * (b >> 32) + (cross >> 32) + (middle >> 32);
  low = middle << 32 | (bottom & mask);
#endif
}
FERMATA_INLINE void i64_mul_wide_s(u64 a, u64 b, u64& low, u64& high) {
  // A negative factor counts as 2^64 too much.
  const u64 excess = (a >> 63 ? b : 0) + (b >> 63 ? a : 0);
  i64_mul_wide_u(a, b, low, high);
  high -= excess;
}

}  // namespace fermata::core

#endif  // FERMATA_CORE_WIDE_H_

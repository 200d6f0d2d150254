// Vector instructions on bits and integer lanes (specification §4.3.2). Core header; see simd.h.
//
// Lanes are unsigned wherever they may overflow; signed only to compare and to shift.
#ifndef FERMATA_CORE_SIMD_INTEGER_H_
#define FERMATA_CORE_SIMD_INTEGER_H_

#include "fermata/core/simd/lanes.h"

namespace fermata::core {

// ---- Bits ----
FERMATA_INLINE v128 v128_not(v128 v) { return ~v; }
FERMATA_INLINE v128 v128_and(v128 a, v128 b) { return a & b; }
FERMATA_INLINE v128 v128_andnot(v128 a, v128 b) { return a & ~b; }
FERMATA_INLINE v128 v128_or(v128 a, v128 b) { return a | b; }
FERMATA_INLINE v128 v128_xor(v128 a, v128 b) { return a ^ b; }
// Bits of `a` where `c` is set, of `b` elsewhere.
FERMATA_INLINE v128 v128_bitselect(v128 a, v128 b, v128 c) { return (a & c) | (b & ~c); }
FERMATA_INLINE v128 i8x16_relaxed_laneselect(v128 a, v128 b, v128 c) {
  return v128_bitselect(a, b, c);
}
FERMATA_INLINE v128 i16x8_relaxed_laneselect(v128 a, v128 b, v128 c) {
  return v128_bitselect(a, b, c);
}
FERMATA_INLINE v128 i32x4_relaxed_laneselect(v128 a, v128 b, v128 c) {
  return v128_bitselect(a, b, c);
}
FERMATA_INLINE v128 i64x2_relaxed_laneselect(v128 a, v128 b, v128 c) {
  return v128_bitselect(a, b, c);
}

// ---- Addition, negation, comparison, minimum, maximum ----
#define FERMATA_BINARY(name, shape, op) \
  FERMATA_INLINE v128 name(v128 a, v128 b) { return v128(shape(a) op shape(b)); }
#define FERMATA_CHOICE(name, shape, op)      \
  FERMATA_INLINE v128 name(v128 a, v128 b) { \
    const shape x = shape(a), y = shape(b);  \
    return v128(x op y ? x : y);             \
  }
#define FERMATA_SIGNED(p, s, u)                                    \
  FERMATA_BINARY(p##_add, u, +)                                    \
  FERMATA_BINARY(p##_sub, u, -)                                    \
  FERMATA_INLINE v128 p##_neg(v128 v) { return v128(u{} - u(v)); } \
  FERMATA_INLINE v128 p##_abs(v128 v) {                            \
    const u negative = u(s(v) < s{}); /* all ones, or 0 */         \
    return v128((u(v) ^ negative) - negative);                     \
  }                                                                \
  FERMATA_BINARY(p##_eq, u, ==)                                    \
  FERMATA_BINARY(p##_ne, u, !=)                                    \
  FERMATA_BINARY(p##_lt_s, s, <)                                   \
  FERMATA_BINARY(p##_gt_s, s, >)                                   \
  FERMATA_BINARY(p##_le_s, s, <=)                                  \
  FERMATA_BINARY(p##_ge_s, s, >=)
#define FERMATA_UNSIGNED(p, s, u) \
  FERMATA_BINARY(p##_lt_u, u, <)  \
  FERMATA_BINARY(p##_gt_u, u, >)  \
  FERMATA_BINARY(p##_le_u, u, <=) \
  FERMATA_BINARY(p##_ge_u, u, >=) \
  FERMATA_CHOICE(p##_min_s, s, <) \
  FERMATA_CHOICE(p##_min_u, u, <) \
  FERMATA_CHOICE(p##_max_s, s, >) \
  FERMATA_CHOICE(p##_max_u, u, >)
FERMATA_SIGNED(i8x16, i8x16, u8x16)
FERMATA_SIGNED(i16x8, i16x8, u16x8)
FERMATA_SIGNED(i32x4, i32x4, u32x4)
FERMATA_SIGNED(i64x2, i64x2, u64x2)
FERMATA_UNSIGNED(i8x16, i8x16, u8x16)
FERMATA_UNSIGNED(i16x8, i16x8, u16x8)
FERMATA_UNSIGNED(i32x4, i32x4, u32x4)
FERMATA_BINARY(i16x8_mul, u16x8, *)
FERMATA_BINARY(i32x4_mul, u32x4, *)
FERMATA_BINARY(i64x2_mul, u64x2, *)
#undef FERMATA_UNSIGNED
#undef FERMATA_SIGNED
#undef FERMATA_CHOICE
#undef FERMATA_BINARY

// ---- Saturating addition and subtraction, average ----
#if defined(FERMATA_SSE2)
#define FERMATA_INTRINSIC(name, intrinsic) \
  FERMATA_INLINE v128 name(v128 a, v128 b) { return v128(intrinsic(__m128i(a), __m128i(b))); }
FERMATA_INTRINSIC(i8x16_add_sat_s, _mm_adds_epi8)
FERMATA_INTRINSIC(i8x16_add_sat_u, _mm_adds_epu8)
FERMATA_INTRINSIC(i8x16_sub_sat_s, _mm_subs_epi8)
FERMATA_INTRINSIC(i8x16_sub_sat_u, _mm_subs_epu8)
FERMATA_INTRINSIC(i8x16_avgr_u, _mm_avg_epu8)
FERMATA_INTRINSIC(i16x8_add_sat_s, _mm_adds_epi16)
FERMATA_INTRINSIC(i16x8_add_sat_u, _mm_adds_epu16)
FERMATA_INTRINSIC(i16x8_sub_sat_s, _mm_subs_epi16)
FERMATA_INTRINSIC(i16x8_sub_sat_u, _mm_subs_epu16)
FERMATA_INTRINSIC(i16x8_avgr_u, _mm_avg_epu16)
FERMATA_INTRINSIC(i16x8_high_products_s, _mm_mulhi_epi16)
FERMATA_INTRINSIC(i16x8_high_products_u, _mm_mulhi_epu16)
#undef FERMATA_INTRINSIC
#else
// On overflow the signed result has the sign of neither operand: the limit has that of `a`.
#define FERMATA_SATURATING(p, s, u, bits)                                         \
  FERMATA_INLINE v128 p##_add_sat_s(v128 a, v128 b) {                             \
    const u x = u(a), y = u(b), sum = x + y;                                      \
    const u limit = u(s(x) >> (bits - 1)) ^ u(p##_splat((1u << (bits - 1)) - 1)); \
    return v128(s((x ^ sum) & (y ^ sum)) < s{} ? limit : sum);                    \
  }                                                                               \
  FERMATA_INLINE v128 p##_sub_sat_s(v128 a, v128 b) {                             \
    const u x = u(a), y = u(b), difference = x - y;                               \
    const u limit = u(s(x) >> (bits - 1)) ^ u(p##_splat((1u << (bits - 1)) - 1)); \
    return v128(s((x ^ y) & (x ^ difference)) < s{} ? limit : difference);        \
  }                                                                               \
  FERMATA_INLINE v128 p##_add_sat_u(v128 a, v128 b) {                             \
    const u sum = u(a) + u(b);                                                    \
    return v128(sum | u(sum < u(a)));                                             \
  }                                                                               \
  FERMATA_INLINE v128 p##_sub_sat_u(v128 a, v128 b) {                             \
    const u difference = u(a) - u(b);                                             \
    return v128(difference & u(u(a) >= u(b)));                                    \
  }                                                                               \
  FERMATA_INLINE v128 p##_avgr_u(v128 a, v128 b) {                                \
    return v128((u(a) | u(b)) - ((u(a) ^ u(b)) >> 1));                            \
  }
FERMATA_SATURATING(i8x16, i8x16, u8x16, 8)
FERMATA_SATURATING(i16x8, i16x8, u16x8, 16)
#undef FERMATA_SATURATING
FERMATA_INLINE v128 i16x8_high_products_u(v128 a, v128 b) {
  const u32x4 even = u32x4(a & i32x4_splat(0xffff)) * u32x4(b & i32x4_splat(0xffff));
  const u32x4 odd = (u32x4(a) >> 16) * (u32x4(b) >> 16);
  return v128((even >> 16) | (odd & u32x4(i32x4_splat(0xffff0000))));
}
FERMATA_INLINE v128 i16x8_high_products_s(v128 a, v128 b) {
  const u16x8 of_a = u16x8(i16x8(a) >> 15) & u16x8(b), of_b = u16x8(i16x8(b) >> 15) & u16x8(a);
  return v128(u16x8(i16x8_high_products_u(a, b)) - of_a - of_b);
}
#endif

// ---- Shifts: the count is taken modulo the lane's width ----
#define FERMATA_SHIFTS(p, s, u, bits)                                                           \
  FERMATA_INLINE v128 p##_shl(v128 v, u32 count) { return v128(u(v) << (count & (bits - 1))); } \
  FERMATA_INLINE v128 p##_shr_u(v128 v, u32 count) { return v128(u(v) >> (count & (bits - 1))); }
FERMATA_SHIFTS(i16x8, i16x8, u16x8, 16)
FERMATA_SHIFTS(i32x4, i32x4, u32x4, 32)
FERMATA_SHIFTS(i64x2, i64x2, u64x2, 64)
#undef FERMATA_SHIFTS
FERMATA_INLINE v128 i16x8_shr_s(v128 v, u32 count) { return v128(i16x8(v) >> (count & 15)); }
FERMATA_INLINE v128 i32x4_shr_s(v128 v, u32 count) {
  return v128(i32x4(v) >> static_cast<int>(count & 31));
}
// Where there is no such shift: shift the sign bit along, and extend from it.
FERMATA_INLINE v128 i64x2_shr_s(v128 v, u32 count) {
  const v128 sign = i64x2_splat(u64{1} << 63) >> (count & 63);
  return ((v >> (count & 63)) ^ sign) - sign;
}
FERMATA_INLINE v128 i8x16_shl(v128 v, u32 count) {
  return i16x8_shl(v, count & 7) & i8x16_splat(0xffu << (count & 7));
}
FERMATA_INLINE v128 i8x16_shr_u(v128 v, u32 count) {
  return i16x8_shr_u(v, count & 7) & i8x16_splat(0xffu >> (count & 7));
}
FERMATA_INLINE v128 i8x16_shr_s(v128 v, u32 count) {
  const u8x16 sign = u8x16(i8x16_splat(0x80u >> (count & 7)));
  return v128((u8x16(i8x16_shr_u(v, count)) ^ sign) - sign);
}

// ---- Bits set in each byte ----
FERMATA_INLINE v128 i8x16_popcnt(v128 v) {
#if defined(FERMATA_SSSE3)
  const __m128i counts = __m128i(u8x16{0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4});
  const v128 nibble = i8x16_splat(15);
  return v128(u8x16(_mm_shuffle_epi8(counts, __m128i(v & nibble))) +
              u8x16(_mm_shuffle_epi8(counts, __m128i((v >> 4) & nibble))));
#else
  u8x16 x = u8x16(v) - u8x16((v >> 1) & i8x16_splat(0x55));
  x = u8x16(v128(x) & i8x16_splat(0x33)) + u8x16((v128(x) >> 2) & i8x16_splat(0x33));
  return v128(x + u8x16(v128(x) >> 4)) & i8x16_splat(0x0f);
#endif
}

// ---- Products of lanes twice as wide ----
FERMATA_INLINE v128 i16x8_extmul_low_i8x16_s(v128 a, v128 b) {
  return i16x8_mul(i16x8_extend_low_i8x16_s(a), i16x8_extend_low_i8x16_s(b));
}
FERMATA_INLINE v128 i16x8_extmul_high_i8x16_s(v128 a, v128 b) {
  return i16x8_mul(i16x8_extend_high_i8x16_s(a), i16x8_extend_high_i8x16_s(b));
}
FERMATA_INLINE v128 i16x8_extmul_low_i8x16_u(v128 a, v128 b) {
  return i16x8_mul(i16x8_extend_low_i8x16_u(a), i16x8_extend_low_i8x16_u(b));
}
FERMATA_INLINE v128 i16x8_extmul_high_i8x16_u(v128 a, v128 b) {
  return i16x8_mul(i16x8_extend_high_i8x16_u(a), i16x8_extend_high_i8x16_u(b));
}
#define FERMATA_EXTMUL(name, high_products, interleave)                          \
  FERMATA_INLINE v128 name(v128 a, v128 b) {                                     \
    return v128(interleave(u16x8(i16x8_mul(a, b)), u16x8(high_products(a, b)))); \
  }
FERMATA_EXTMUL(i32x4_extmul_low_i16x8_s, i16x8_high_products_s, FERMATA_LOW16)
FERMATA_EXTMUL(i32x4_extmul_high_i16x8_s, i16x8_high_products_s, FERMATA_HIGH16)
FERMATA_EXTMUL(i32x4_extmul_low_i16x8_u, i16x8_high_products_u, FERMATA_LOW16)
FERMATA_EXTMUL(i32x4_extmul_high_i16x8_u, i16x8_high_products_u, FERMATA_HIGH16)
#undef FERMATA_EXTMUL

// Products of lanes 0 and 2 of the four.
FERMATA_INLINE v128 i32x4_even_products_u(v128 a, v128 b) {
#if defined(FERMATA_SSE2)
  return v128(_mm_mul_epu32(__m128i(a), __m128i(b)));
#else
  const v128 low = i64x2_splat(0xffffffffu);
  return (a & low) * (b & low);
#endif
}
FERMATA_INLINE v128 i32x4_even_products_s(v128 a, v128 b) {
#if defined(FERMATA_SSE41)
  return v128(_mm_mul_epi32(__m128i(a), __m128i(b)));
#else
  // A negative factor counts as 2^32 too much.
  const u32x4 excess = (i32x4_signs(a) & u32x4(b)) + (i32x4_signs(b) & u32x4(a));
  return i32x4_even_products_u(a, b) - (v128(excess) << 32);
#endif
}
#define FERMATA_TWICE(v, i, j) v128(FERMATA_SHUFFLE(u32x4, i32x4, u32x4(v), u32x4(v), i, i, j, j))
FERMATA_INLINE v128 i64x2_extmul_low_i32x4_s(v128 a, v128 b) {
  return i32x4_even_products_s(FERMATA_TWICE(a, 0, 1), FERMATA_TWICE(b, 0, 1));
}
FERMATA_INLINE v128 i64x2_extmul_high_i32x4_s(v128 a, v128 b) {
  return i32x4_even_products_s(FERMATA_TWICE(a, 2, 3), FERMATA_TWICE(b, 2, 3));
}
FERMATA_INLINE v128 i64x2_extmul_low_i32x4_u(v128 a, v128 b) {
  return i32x4_even_products_u(FERMATA_TWICE(a, 0, 1), FERMATA_TWICE(b, 0, 1));
}
FERMATA_INLINE v128 i64x2_extmul_high_i32x4_u(v128 a, v128 b) {
  return i32x4_even_products_u(FERMATA_TWICE(a, 2, 3), FERMATA_TWICE(b, 2, 3));
}
#undef FERMATA_TWICE

// The sums of the products of neighbours; only -2^15 four times over overflows, and wraps.
FERMATA_INLINE v128 i32x4_dot_i16x8_s(v128 a, v128 b) {
#if defined(FERMATA_SSE2)
  return v128(_mm_madd_epi16(__m128i(a), __m128i(b)));
#else
  const u32x4 even = u32x4(i32x4(u32x4(a) << 16) >> 16) * u32x4(i32x4(u32x4(b) << 16) >> 16);
  return v128(even + u32x4(i32x4(a) >> 16) * u32x4(i32x4(b) >> 16));
#endif
}

// ---- Sums of neighbours ----
FERMATA_INLINE v128 i16x8_extadd_pairwise_i8x16_s(v128 v) {
  return v128(u16x8(i16x8(u16x8(v) << 8) >> 8) + u16x8(i16x8(v) >> 8));
}
FERMATA_INLINE v128 i16x8_extadd_pairwise_i8x16_u(v128 v) {
  return v128(u16x8(v & i16x8_splat(0xff)) + (u16x8(v) >> 8));
}
FERMATA_INLINE v128 i32x4_extadd_pairwise_i16x8_s(v128 v) {
  return i32x4_dot_i16x8_s(v, i16x8_splat(1));
}
FERMATA_INLINE v128 i32x4_extadd_pairwise_i16x8_u(v128 v) {
  return v128(u32x4(v & i32x4_splat(0xffff)) + (u32x4(v) >> 16));
}

// ---- Fixed-point product: (a * b + 2^14) / 2^15, rounded down ----
FERMATA_INLINE v128 i16x8_q15mulr_sat_s(v128 a, v128 b) {
#if defined(FERMATA_SSSE3)
  const u16x8 r = u16x8(_mm_mulhrs_epi16(__m128i(a), __m128i(b)));
#else
  const u16x8 low = u16x8(i16x8_mul(a, b)), high = u16x8(i16x8_high_products_s(a, b));
  const u16x8 one = u16x8(i16x8_splat(1));
  const u16x8 r = ((high << 1) | (low >> 15)) + ((low >> 14) & one);
#endif
  return v128(r ^ u16x8(r == u16x8(i16x8_splat(0x8000))));  // only -1 times -1 overflows
}
FERMATA_INLINE v128 i16x8_relaxed_q15mulr_s(v128 a, v128 b) { return i16x8_q15mulr_sat_s(a, b); }

// ---- Relaxed dot products of bytes, both signed ----
FERMATA_INLINE v128 i16x8_relaxed_dot_i8x16_i7x16_s(v128 a, v128 b) {
  const u16x8 even = u16x8(i16x8(u16x8(a) << 8) >> 8) * u16x8(i16x8(u16x8(b) << 8) >> 8);
  const u16x8 odd = u16x8(i16x8(a) >> 8) * u16x8(i16x8(b) >> 8);
  return i16x8_add_sat_s(v128(even), v128(odd));
}
FERMATA_INLINE v128 i32x4_relaxed_dot_i8x16_i7x16_add_s(v128 a, v128 b, v128 c) {
  return i32x4_add(i32x4_extadd_pairwise_i16x8_s(i16x8_relaxed_dot_i8x16_i7x16_s(a, b)), c);
}

}  // namespace fermata::core

#endif  // FERMATA_CORE_SIMD_INTEGER_H_

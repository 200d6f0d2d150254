// Vector instructions on float lanes, and conversions (specification §4.3.3 and §4.3.4). Core
// header; see simd.h.
#ifndef FERMATA_CORE_SIMD_FLOAT_H_
#define FERMATA_CORE_SIMD_FLOAT_H_

#include "fermata/core/simd/integer.h"

// The vector unit of 32-bit ARM takes subnormal numbers for zeros. g++ uses it for floats with
// -ffast-math only, clang for all vectors.
#if defined(__clang__) && defined(__arm__) && defined(__ARM_NEON) && !defined(__aarch64__)
#error "vectors of floats on 32-bit ARM: compile with g++, or with clang's -mfpu=vfpv3-d16"
#endif

namespace fermata::core {

// ---- Constants ----
#define FERMATA_SIGNS32 i32x4_splat(0x80000000u)
#define FERMATA_SIGNS64 i64x2_splat(0x8000000000000000u)

FERMATA_INLINE v128 f64x2_of(f64 low, f64 high) {
#if defined(FERMATA_BIG_ENDIAN)
  return v128(f64x2{high, low});
#else
  return v128(f64x2{low, high});
#endif
}

// NaN lanes come out quiet, others unchanged.
FERMATA_INLINE v128 f32x4_quiet(v128 v) {
  return v | (v128(f32x4(v) != f32x4(v)) & i32x4_splat(0x00400000u));
}
FERMATA_INLINE v128 f64x2_quiet(v128 v) {
  return v | (v128(f64x2(v) != f64x2(v)) & i64x2_splat(0x0008000000000000u));
}

// Whether the compiler may fold float arithmetic on this operand away: clang makes x * 1 to x,
// which keeps a signaling NaN signaling. False under g++, where -fsignaling-nans is heeded.
#if defined(__clang__)
FERMATA_INLINE bool is_constant(f32x4 v) {
  return __builtin_constant_p(v[0]) || __builtin_constant_p(v[1]) || __builtin_constant_p(v[2]) ||
         __builtin_constant_p(v[3]);
}
FERMATA_INLINE bool is_constant(f64x2 v) {
  return __builtin_constant_p(v[0]) || __builtin_constant_p(v[1]);
}
#else
FERMATA_INLINE bool is_constant(f32x4) { return false; }
FERMATA_INLINE bool is_constant(f64x2) { return false; }
#endif

// ---- Arithmetic, comparison, signs, pseudo-minimum ----
#define FERMATA_ARITHMETIC(name, f, op)                               \
  FERMATA_INLINE v128 name(v128 a, v128 b) {                          \
    const v128 r = v128(f(a) op f(b));                                \
    return is_constant(f(a)) || is_constant(f(b)) ? f##_quiet(r) : r; \
  }
#define FERMATA_COMPARISON(name, f, op) \
  FERMATA_INLINE v128 name(v128 a, v128 b) { return v128(f(a) op f(b)); }
#define FERMATA_FLOATS(p, signs)                                  \
  FERMATA_ARITHMETIC(p##_add, p, +)                               \
  FERMATA_ARITHMETIC(p##_sub, p, -)                               \
  FERMATA_ARITHMETIC(p##_mul, p, *)                               \
  FERMATA_ARITHMETIC(p##_div, p, /)                               \
  FERMATA_COMPARISON(p##_eq, p, ==)                               \
  FERMATA_COMPARISON(p##_ne, p, !=)                               \
  FERMATA_COMPARISON(p##_lt, p, <)                                \
  FERMATA_COMPARISON(p##_gt, p, >)                                \
  FERMATA_COMPARISON(p##_le, p, <=)                               \
  FERMATA_COMPARISON(p##_ge, p, >=)                               \
  FERMATA_INLINE v128 p##_abs(v128 v) { return v & ~signs; }      \
  FERMATA_INLINE v128 p##_neg(v128 v) { return v ^ signs; }       \
  /* Rounds twice: the deterministic profile. */                  \
  FERMATA_INLINE v128 p##_relaxed_madd(v128 a, v128 b, v128 c) {  \
    return p##_add(p##_mul(a, b), c);                             \
  }                                                               \
  FERMATA_INLINE v128 p##_relaxed_nmadd(v128 a, v128 b, v128 c) { \
    return p##_add(p##_mul(p##_neg(a), b), c);                    \
  }
FERMATA_FLOATS(f32x4, FERMATA_SIGNS32)
FERMATA_FLOATS(f64x2, FERMATA_SIGNS64)
#undef FERMATA_FLOATS
#undef FERMATA_COMPARISON
#undef FERMATA_ARITHMETIC

// pmin(a, b) is b < a ? b : a, pmax(a, b) is a < b ? b : a: the operand's bits, NaNs included. The
// machine's minps and maxps are just that, with the operands exchanged.
#if defined(FERMATA_SSE2)
#define FERMATA_PSEUDO(name, f, intrinsic, condition) \
  FERMATA_INLINE v128 name(v128 a, v128 b) { return v128(intrinsic(f(b), f(a))); }
#else
#define FERMATA_PSEUDO(name, f, intrinsic, condition) \
  FERMATA_INLINE v128 name(v128 a, v128 b) { return v128_bitselect(b, a, v128(condition)); }
#endif
FERMATA_PSEUDO(f32x4_pmin, f32x4, _mm_min_ps, f32x4(b) < f32x4(a))
FERMATA_PSEUDO(f32x4_pmax, f32x4, _mm_max_ps, f32x4(a) < f32x4(b))
FERMATA_PSEUDO(f64x2_pmin, f64x2, _mm_min_pd, f64x2(b) < f64x2(a))
FERMATA_PSEUDO(f64x2_pmax, f64x2, _mm_max_pd, f64x2(a) < f64x2(b))
#undef FERMATA_PSEUDO

// Both orders of operands agree but for zeros of different signs and for NaNs: `or` makes the zero
// negative, `and` positive. Where an operand is a NaN, the lane is all ones and the payload is
// cleared: the negative canonical NaN.
#define FERMATA_MINMAX(p, lanes, pmin, join, payload)                         \
  FERMATA_INLINE v128 p(v128 a, v128 b) {                                     \
    const v128 nan = v128(lanes(a) != lanes(a)) | v128(lanes(b) != lanes(b)); \
    return ((pmin(a, b) join pmin(b, a)) | nan) & ~payload(nan);              \
  }
#define FERMATA_PAYLOAD32(nan) v128(u32x4(nan) >> 10)
#define FERMATA_PAYLOAD64(nan) (nan >> 13)
FERMATA_MINMAX(f32x4_min, f32x4, f32x4_pmin, |, FERMATA_PAYLOAD32)
FERMATA_MINMAX(f32x4_max, f32x4, f32x4_pmax, &, FERMATA_PAYLOAD32)
FERMATA_MINMAX(f64x2_min, f64x2, f64x2_pmin, |, FERMATA_PAYLOAD64)
FERMATA_MINMAX(f64x2_max, f64x2, f64x2_pmax, &, FERMATA_PAYLOAD64)
#undef FERMATA_PAYLOAD64
#undef FERMATA_PAYLOAD32
#undef FERMATA_MINMAX
FERMATA_INLINE v128 f32x4_relaxed_min(v128 a, v128 b) { return f32x4_min(a, b); }
FERMATA_INLINE v128 f32x4_relaxed_max(v128 a, v128 b) { return f32x4_max(a, b); }
FERMATA_INLINE v128 f64x2_relaxed_min(v128 a, v128 b) { return f64x2_min(a, b); }
FERMATA_INLINE v128 f64x2_relaxed_max(v128 a, v128 b) { return f64x2_max(a, b); }

// ---- Square root ----
#if defined(FERMATA_SSE2)
FERMATA_INLINE v128 f32x4_sqrt(v128 v) { return v128(_mm_sqrt_ps(f32x4(v))); }
FERMATA_INLINE v128 f64x2_sqrt(v128 v) { return v128(_mm_sqrt_pd(f64x2(v))); }
#else
FERMATA_INLINE v128 f32x4_sqrt(v128 v) {
  const f32x4 x = f32x4(v);
  return v128(f32x4{f32_sqrt(x[0]), f32_sqrt(x[1]), f32_sqrt(x[2]), f32_sqrt(x[3])});
}
FERMATA_INLINE v128 f64x2_sqrt(v128 v) {
  const f64x2 x = f64x2(v);
  return v128(f64x2{f64_sqrt(x[0]), f64_sqrt(x[1])});
}
#endif

// ---- Rounding to an integer ----
#if defined(FERMATA_SSE41)
// The machine's rounding modes, without the inexact exception.
FERMATA_INLINE v128 f32x4_nearest(v128 v) { return v128(_mm_round_ps(f32x4(v), 8)); }
FERMATA_INLINE v128 f32x4_floor(v128 v) { return v128(_mm_round_ps(f32x4(v), 9)); }
FERMATA_INLINE v128 f32x4_ceil(v128 v) { return v128(_mm_round_ps(f32x4(v), 10)); }
FERMATA_INLINE v128 f32x4_trunc(v128 v) { return v128(_mm_round_ps(f32x4(v), 11)); }
FERMATA_INLINE v128 f64x2_nearest(v128 v) { return v128(_mm_round_pd(f64x2(v), 8)); }
FERMATA_INLINE v128 f64x2_floor(v128 v) { return v128(_mm_round_pd(f64x2(v), 9)); }
FERMATA_INLINE v128 f64x2_ceil(v128 v) { return v128(_mm_round_pd(f64x2(v), 10)); }
FERMATA_INLINE v128 f64x2_trunc(v128 v) { return v128(_mm_round_pd(f64x2(v), 11)); }
#else
// Adding 2^23 (2^52) to a magnitude below it leaves no room for a fraction: the sum rounds to even,
// and the difference is exact. Larger magnitudes are integers, infinite or NaNs. The other three
// correct the result by one; the sign is that of the operand, that of zeros included.
#define FERMATA_ROUNDING(p, signs, big, one)                                                     \
  FERMATA_INLINE v128 p##_rounded_magnitude(v128 v) {                                            \
    return v128((p(p##_abs(v)) + p(big)) - p(big));                                              \
  }                                                                                              \
  FERMATA_INLINE v128 p##_or_itself(v128 v, v128 rounded) {                                      \
    return v128_bitselect(rounded | (v & signs), p##_quiet(v), p##_lt(p##_abs(v), big));         \
  }                                                                                              \
  FERMATA_INLINE v128 p##_nearest(v128 v) { return p##_or_itself(v, p##_rounded_magnitude(v)); } \
  FERMATA_INLINE v128 p##_trunc(v128 v) {                                                        \
    const v128 n = p##_rounded_magnitude(v);                                                     \
    return p##_or_itself(v, v128(p(n) - p(p##_gt(n, p##_abs(v)) & one)));                        \
  }                                                                                              \
  FERMATA_INLINE v128 p##_floor(v128 v) {                                                        \
    const v128 n = p##_rounded_magnitude(v) | (v & signs);                                       \
    return p##_or_itself(v, v128(p(n) - p(p##_gt(n, v) & one)));                                 \
  }                                                                                              \
  FERMATA_INLINE v128 p##_ceil(v128 v) {                                                         \
    const v128 n = p##_rounded_magnitude(v) | (v & signs);                                       \
    return p##_or_itself(v, v128(p(n) + p(p##_lt(n, v) & one)));                                 \
  }
FERMATA_ROUNDING(f32x4, FERMATA_SIGNS32, f32x4_splat(8388608.0f), f32x4_splat(1.0f))
FERMATA_ROUNDING(f64x2, FERMATA_SIGNS64, f64x2_splat(4503599627370496.0), f64x2_splat(1.0))
#undef FERMATA_ROUNDING
#endif

// ---- Integers to floats ----
FERMATA_INLINE v128 f32x4_convert_i32x4_s(v128 v) {
  return v128(__builtin_convertvector(i32x4(v), f32x4));
}
FERMATA_INLINE v128 f32x4_convert_i32x4_u(v128 v) {
  // Both halves convert exactly; their sum rounds once.
  const f32x4 low = __builtin_convertvector(i32x4(v & i32x4_splat(0xffff)), f32x4);
  const f32x4 high = __builtin_convertvector(i32x4(u32x4(v) >> 16), f32x4);
  return v128(high * 65536.0f + low);
}
// Below the exponent of 2^52 the 32 bits are an exact integer.
FERMATA_INLINE v128 f64x2_convert_low_i32x4_u(v128 v) {
  const v128 exponent = f64x2_splat(4503599627370496.0);
  return v128(f64x2(i64x2_extend_low_i32x4_u(v) | exponent) - f64x2(exponent));
}
FERMATA_INLINE v128 f64x2_convert_low_i32x4_s(v128 v) {
#if defined(FERMATA_SSE2) && !defined(__clang__)
  return v128(_mm_cvtepi32_pd(__m128i(v)));
#else
  return f64x2_of(static_cast<f64>(i32x4(v)[FERMATA_LANE(i32x4, 0)]),
                  static_cast<f64>(i32x4(v)[FERMATA_LANE(i32x4, 1)]));
#endif
}

// ---- Floats to floats ----
FERMATA_INLINE v128 f32x4_demote_f64x2_zero(v128 v) {
#if defined(FERMATA_SSE2)
  // g++ takes a promotion that it sees before this one for its inverse, which it is not for
  // signaling NaNs.
  return v128(_mm_cvtpd_ps(f64x2(in_one_register(v))));
#else
  const f64x2 x = f64x2(v);
  const f32 low = f32_demote_f64(x[FERMATA_LANE(f64x2, 0)]);
  const f32 high = f32_demote_f64(x[FERMATA_LANE(f64x2, 1)]);
  return v128_const(i32_reinterpret_f32(low) | u64{i32_reinterpret_f32(high)} << 32, 0);
#endif
}
FERMATA_INLINE v128 f64x2_promote_low_f32x4(v128 v) {
#if defined(FERMATA_SSE2) && !defined(__clang__)
  return v128(_mm_cvtps_pd(f32x4(v)));
#elif defined(__clang__) && !defined(FERMATA_BIG_ENDIAN)
  const f32x4 x = f32x4(v);
  const v128 r = v128(__builtin_convertvector(__builtin_shufflevector(x, x, 0, 1), f64x2));
  return is_constant(x) ? f64x2_quiet(r) : r;
#else
  // g++ converts vectors of constants without regard to signaling NaNs.
  const v128 r = f64x2_of(f64_promote_f32(f32x4(v)[FERMATA_LANE(f32x4, 0)]),
                          f64_promote_f32(f32x4(v)[FERMATA_LANE(f32x4, 1)]));
  return __builtin_constant_p(v[0]) ? f64x2_quiet(r) : r;
#endif
}

// ---- Floats to integers, saturating; NaNs to 0 ----
#if defined(FERMATA_SSE2)
// The machine's conversions, which give 0x80000000 for whatever is out of range. Compilers that
// convert a constant by themselves come to another number there (g++ to the nearest one), so they
// are not shown what it is: an empty statement of assembly may have changed it.
FERMATA_INLINE v128 i32x4_machine_trunc(f32x4 v) {
  __asm__("" : "+" FERMATA_VECTOR_REGISTER(v));
  return v128(_mm_cvttps_epi32(v));
}
FERMATA_INLINE v128 i32x4_machine_trunc(f64x2 v) {
  __asm__("" : "+" FERMATA_VECTOR_REGISTER(v));
  return v128(_mm_cvttpd_epi32(v));  // lanes 2, 3: 0
}
#endif
FERMATA_INLINE v128 i32x4_trunc_sat_f32x4_s(v128 v) {
#if defined(FERMATA_SSE2)
  const v128 number = v & f32x4_eq(v, v);
  return i32x4_machine_trunc(f32x4(number)) ^ f32x4_ge(v, f32x4_splat(2147483648.0f));
#else
  const f32x4 x = f32x4(v);
  return v128(u32x4{i32_trunc_sat_f32_s(x[0]), i32_trunc_sat_f32_s(x[1]), i32_trunc_sat_f32_s(x[2]),
                    i32_trunc_sat_f32_s(x[3])});
#endif
}
FERMATA_INLINE v128 i32x4_trunc_sat_f32x4_u(v128 v) {
#if defined(FERMATA_SSE2)
  // Negative lanes and NaNs are 0 first. From 2^31 on, 2^31 is set apart; from 2^32 on, all ones,
  // whatever the conversion gives.
  const v128 limit = f32x4_splat(2147483648.0f);
  const v128 number = f32x4_pmax(v128{}, v);
  const v128 big = f32x4_ge(number, limit);
  const v128 rest = f32x4_sub(number, big & limit);
  return (v128(_mm_cvttps_epi32(f32x4(rest))) ^ (big & FERMATA_SIGNS32)) | f32x4_ge(rest, limit);
#else
  const f32x4 x = f32x4(v);
  return v128(u32x4{i32_trunc_sat_f32_u(x[0]), i32_trunc_sat_f32_u(x[1]), i32_trunc_sat_f32_u(x[2]),
                    i32_trunc_sat_f32_u(x[3])});
#endif
}
FERMATA_INLINE v128 i32x4_trunc_sat_f64x2_s_zero(v128 v) {
#if defined(FERMATA_SSE2)
  const v128 number = f64x2_pmin(v & f64x2_eq(v, v), f64x2_splat(2147483647.0));
  return i32x4_machine_trunc(f64x2(number));
#else
  const f64x2 x = f64x2(v);
  return v128_const(i32_trunc_sat_f64_s(x[FERMATA_LANE(f64x2, 0)]) |
                        u64{i32_trunc_sat_f64_s(x[FERMATA_LANE(f64x2, 1)])} << 32,
                    0);
#endif
}
FERMATA_INLINE v128 i32x4_trunc_sat_f64x2_u_zero(v128 v) {
#if defined(FERMATA_SSE2)
  const v128 limit = f64x2_splat(2147483648.0);
  const v128 number = f64x2_pmin(f64x2_pmax(v128{}, v), f64x2_splat(4294967295.0));
  const v128 big = f64x2_ge(number, limit);
  const v128 rest = v128(_mm_cvttpd_epi32(f64x2(f64x2_sub(number, big & limit))));  // lanes 2, 3: 0
  const u32x4 bigs = FERMATA_SHUFFLE(u32x4, i32x4, u32x4(big), u32x4{}, 0, 2, 4, 4);
  return rest ^ (v128(bigs) & FERMATA_SIGNS32);
#else
  const f64x2 x = f64x2(v);
  return v128_const(i32_trunc_sat_f64_u(x[FERMATA_LANE(f64x2, 0)]) |
                        u64{i32_trunc_sat_f64_u(x[FERMATA_LANE(f64x2, 1)])} << 32,
                    0);
#endif
}
FERMATA_INLINE v128 i32x4_relaxed_trunc_f32x4_s(v128 v) { return i32x4_trunc_sat_f32x4_s(v); }
FERMATA_INLINE v128 i32x4_relaxed_trunc_f32x4_u(v128 v) { return i32x4_trunc_sat_f32x4_u(v); }
FERMATA_INLINE v128 i32x4_relaxed_trunc_f64x2_s_zero(v128 v) {
  return i32x4_trunc_sat_f64x2_s_zero(v);
}
FERMATA_INLINE v128 i32x4_relaxed_trunc_f64x2_u_zero(v128 v) {
  return i32x4_trunc_sat_f64x2_u_zero(v);
}
#undef FERMATA_SIGNS32
#undef FERMATA_SIGNS64

}  // namespace fermata::core

#endif  // FERMATA_CORE_SIMD_FLOAT_H_

// Numeric instructions that C++ has no operator for, exact to the bit (specification §4.3).
//
// Named as in the text format, with underscores for dots. Integers are unsigned throughout. What
// can trap takes the instance first. Needs IEEE 754 floats and no fast-math.
#ifndef FERMATA_CORE_NUMERIC_H_
#define FERMATA_CORE_NUMERIC_H_

#include "fermata/core/abi.h"

#if defined(__FAST_MATH__)
#error "WebAssembly's floats can't be compiled with -ffast-math"
#endif

namespace fermata::core {

// ---- Bit patterns ----
FERMATA_INLINE u32 i32_reinterpret_f32(f32 v) {
  u32 bits;
  memcpy(&bits, &v, sizeof bits);
  return bits;
}
FERMATA_INLINE u64 i64_reinterpret_f64(f64 v) {
  u64 bits;
  memcpy(&bits, &v, sizeof bits);
  return bits;
}
FERMATA_INLINE f32 f32_reinterpret_i32(u32 bits) {
  f32 v;
  memcpy(&v, &bits, sizeof v);
  return v;
}
FERMATA_INLINE f64 f64_reinterpret_i64(u64 bits) {
  f64 v;
  memcpy(&v, &bits, sizeof v);
  return v;
}

// ---- Integers ----
FERMATA_INLINE u32 i32_clz(u32 v) { return v ? __builtin_clz(v) : 32; }
FERMATA_INLINE u32 i32_ctz(u32 v) { return v ? __builtin_ctz(v) : 32; }
FERMATA_INLINE u32 i32_popcnt(u32 v) { return __builtin_popcount(v); }
FERMATA_INLINE u32 i32_rotl(u32 v, u32 n) { return v << (n & 31) | v >> (-n & 31); }
FERMATA_INLINE u32 i32_rotr(u32 v, u32 n) { return v >> (n & 31) | v << (-n & 31); }
FERMATA_INLINE u32 i32_div_s(Instance* instance, u32 a, u32 b) {
  if (FERMATA_UNLIKELY(b == 0)) RaiseTrap(instance, Trap::kIntegerDivideByZero);
  if (FERMATA_UNLIKELY(b == ~u32{0} && a == u32{1} << 31)) {
    RaiseTrap(instance, Trap::kIntegerOverflow);
  }
  return static_cast<u32>(static_cast<i32>(a) / static_cast<i32>(b));
}
FERMATA_INLINE u32 i32_div_u(Instance* instance, u32 a, u32 b) {
  if (FERMATA_UNLIKELY(b == 0)) RaiseTrap(instance, Trap::kIntegerDivideByZero);
  return a / b;
}
FERMATA_INLINE u32 i32_rem_s(Instance* instance, u32 a, u32 b) {
  if (FERMATA_UNLIKELY(b == 0)) RaiseTrap(instance, Trap::kIntegerDivideByZero);
  if (b == ~u32{0}) return 0;  // the quotient may overflow, the remainder is 0
  return static_cast<u32>(static_cast<i32>(a) % static_cast<i32>(b));
}
FERMATA_INLINE u32 i32_rem_u(Instance* instance, u32 a, u32 b) {
  if (FERMATA_UNLIKELY(b == 0)) RaiseTrap(instance, Trap::kIntegerDivideByZero);
  return a % b;
}
FERMATA_INLINE u32 i32_extend8_s(u32 v) {
  return static_cast<u32>(static_cast<i32>(static_cast<int8_t>(v)));
}
FERMATA_INLINE u32 i32_extend16_s(u32 v) {
  return static_cast<u32>(static_cast<i32>(static_cast<int16_t>(v)));
}
FERMATA_INLINE u64 i64_clz(u64 v) { return v ? __builtin_clzll(v) : 64; }
FERMATA_INLINE u64 i64_ctz(u64 v) { return v ? __builtin_ctzll(v) : 64; }
FERMATA_INLINE u64 i64_popcnt(u64 v) { return __builtin_popcountll(v); }
FERMATA_INLINE u64 i64_rotl(u64 v, u64 n) { return v << (n & 63) | v >> (-n & 63); }
FERMATA_INLINE u64 i64_rotr(u64 v, u64 n) { return v >> (n & 63) | v << (-n & 63); }
FERMATA_INLINE u64 i64_div_s(Instance* instance, u64 a, u64 b) {
  if (FERMATA_UNLIKELY(b == 0)) RaiseTrap(instance, Trap::kIntegerDivideByZero);
  if (FERMATA_UNLIKELY(b == ~u64{0} && a == u64{1} << 63)) {
    RaiseTrap(instance, Trap::kIntegerOverflow);
  }
  return static_cast<u64>(static_cast<i64>(a) / static_cast<i64>(b));
}
FERMATA_INLINE u64 i64_div_u(Instance* instance, u64 a, u64 b) {
  if (FERMATA_UNLIKELY(b == 0)) RaiseTrap(instance, Trap::kIntegerDivideByZero);
  return a / b;
}
FERMATA_INLINE u64 i64_rem_s(Instance* instance, u64 a, u64 b) {
  if (FERMATA_UNLIKELY(b == 0)) RaiseTrap(instance, Trap::kIntegerDivideByZero);
  if (b == ~u64{0}) return 0;  // the quotient may overflow, the remainder is 0
  return static_cast<u64>(static_cast<i64>(a) % static_cast<i64>(b));
}
FERMATA_INLINE u64 i64_rem_u(Instance* instance, u64 a, u64 b) {
  if (FERMATA_UNLIKELY(b == 0)) RaiseTrap(instance, Trap::kIntegerDivideByZero);
  return a % b;
}
FERMATA_INLINE u64 i64_extend8_s(u64 v) {
  return static_cast<u64>(static_cast<i64>(static_cast<int8_t>(v)));
}
FERMATA_INLINE u64 i64_extend16_s(u64 v) {
  return static_cast<u64>(static_cast<i64>(static_cast<int16_t>(v)));
}
FERMATA_INLINE u64 i64_extend32_s(u64 v) {
  return static_cast<u64>(static_cast<i64>(static_cast<i32>(v)));
}

// ---- Floats ----
// The result of a float operation that the compiler may have folded to one of its operands: a NaN
// comes out quiet (specification §4.3.3, NaN propagation).
FERMATA_INLINE f32 quiet(f32 v) {
  const u32 bits = i32_reinterpret_f32(v);
  return (bits & 0x7fffffffu) > 0x7f800000u ? f32_reinterpret_i32(bits | 0x00400000u) : v;
}
// Sign operations act on the bit pattern, NaNs included.
FERMATA_INLINE f32 f32_abs(f32 v) {
  return f32_reinterpret_i32(i32_reinterpret_f32(v) & ~0x80000000u);
}
FERMATA_INLINE f32 f32_neg(f32 v) {
  return f32_reinterpret_i32(i32_reinterpret_f32(v) ^ 0x80000000u);
}
FERMATA_INLINE f32 f32_copysign(f32 v, f32 s) {
  return f32_reinterpret_i32((i32_reinterpret_f32(v) & ~0x80000000u) |
                             (i32_reinterpret_f32(s) & 0x80000000u));
}
FERMATA_INLINE f32 f32_sqrt(f32 v) { return __builtin_sqrtf(v); }
FERMATA_INLINE f32 f32_ceil(f32 v) { return quiet(__builtin_ceilf(v)); }
FERMATA_INLINE f32 f32_floor(f32 v) { return quiet(__builtin_floorf(v)); }
FERMATA_INLINE f32 f32_trunc(f32 v) { return quiet(__builtin_truncf(v)); }
// Rounds to even in the default rounding mode.
FERMATA_INLINE f32 f32_nearest(f32 v) { return quiet(__builtin_rintf(v)); }
FERMATA_INLINE f32 f32_min(f32 a, f32 b) {
  if (a != a || b != b) return quiet(a != a ? a : b);
  if (a == b)
    return f32_reinterpret_i32(i32_reinterpret_f32(a) |
                               i32_reinterpret_f32(b));  // -0 is less than +0
  return a < b ? a : b;
}
FERMATA_INLINE f32 f32_max(f32 a, f32 b) {
  if (a != a || b != b) return quiet(a != a ? a : b);
  if (a == b) return f32_reinterpret_i32(i32_reinterpret_f32(a) & i32_reinterpret_f32(b));
  return a > b ? a : b;
}
// The result of a float operation that the compiler may have folded to one of its operands: a NaN
// comes out quiet (specification §4.3.3, NaN propagation).
FERMATA_INLINE f64 quiet(f64 v) {
  const u64 bits = i64_reinterpret_f64(v);
  return (bits & 0x7fffffffffffffffull) > 0x7ff0000000000000ull
             ? f64_reinterpret_i64(bits | 0x0008000000000000ull)
             : v;
}
// Sign operations act on the bit pattern, NaNs included.
FERMATA_INLINE f64 f64_abs(f64 v) {
  return f64_reinterpret_i64(i64_reinterpret_f64(v) & ~0x8000000000000000ull);
}
FERMATA_INLINE f64 f64_neg(f64 v) {
  return f64_reinterpret_i64(i64_reinterpret_f64(v) ^ 0x8000000000000000ull);
}
FERMATA_INLINE f64 f64_copysign(f64 v, f64 s) {
  return f64_reinterpret_i64((i64_reinterpret_f64(v) & ~0x8000000000000000ull) |
                             (i64_reinterpret_f64(s) & 0x8000000000000000ull));
}
FERMATA_INLINE f64 f64_sqrt(f64 v) { return __builtin_sqrt(v); }
FERMATA_INLINE f64 f64_ceil(f64 v) { return quiet(__builtin_ceil(v)); }
FERMATA_INLINE f64 f64_floor(f64 v) { return quiet(__builtin_floor(v)); }
FERMATA_INLINE f64 f64_trunc(f64 v) { return quiet(__builtin_trunc(v)); }
// Rounds to even in the default rounding mode.
FERMATA_INLINE f64 f64_nearest(f64 v) { return quiet(__builtin_rint(v)); }
FERMATA_INLINE f64 f64_min(f64 a, f64 b) {
  if (a != a || b != b) return quiet(a != a ? a : b);
  if (a == b)
    return f64_reinterpret_i64(i64_reinterpret_f64(a) |
                               i64_reinterpret_f64(b));  // -0 is less than +0
  return a < b ? a : b;
}
FERMATA_INLINE f64 f64_max(f64 a, f64 b) {
  if (a != a || b != b) return quiet(a != a ? a : b);
  if (a == b) return f64_reinterpret_i64(i64_reinterpret_f64(a) & i64_reinterpret_f64(b));
  return a > b ? a : b;
}

// ---- Conversions ----
FERMATA_INLINE f32 f32_demote_f64(f64 v) { return quiet(static_cast<f32>(v)); }
FERMATA_INLINE f64 f64_promote_f32(f32 v) { return static_cast<f64>(v); }
FERMATA_INLINE f32 f32_convert_i32_s(u32 v) { return static_cast<f32>(static_cast<i32>(v)); }
FERMATA_INLINE f32 f32_convert_i32_u(u32 v) { return static_cast<f32>(v); }
FERMATA_INLINE f32 f32_convert_i64_s(u64 v) { return static_cast<f32>(static_cast<i64>(v)); }
FERMATA_INLINE f32 f32_convert_i64_u(u64 v) { return static_cast<f32>(v); }
FERMATA_INLINE f64 f64_convert_i32_s(u32 v) { return static_cast<f64>(static_cast<i32>(v)); }
FERMATA_INLINE f64 f64_convert_i32_u(u32 v) { return static_cast<f64>(v); }
FERMATA_INLINE f64 f64_convert_i64_s(u64 v) { return static_cast<f64>(static_cast<i64>(v)); }
FERMATA_INLINE f64 f64_convert_i64_u(u64 v) { return static_cast<f64>(v); }
FERMATA_INLINE u32 i32_trunc_f32_s(Instance* instance, f32 v) {
  if (FERMATA_UNLIKELY(!(v >= -2147483648.0f && v < 2147483648.0f))) {
    RaiseTrap(instance, v != v ? Trap::kInvalidConversionToInteger : Trap::kIntegerOverflow);
  }
  return static_cast<u32>(static_cast<i32>(v));
}
FERMATA_INLINE u32 i32_trunc_sat_f32_s(f32 v) {
  if (v >= -2147483648.0f && v < 2147483648.0f) return static_cast<u32>(static_cast<i32>(v));
  if (v != v) return 0;
  return v < 0 ? u32{1} << 31 : ~u32{0} >> 1;
}
FERMATA_INLINE u32 i32_trunc_f32_u(Instance* instance, f32 v) {
  if (FERMATA_UNLIKELY(!(v > -1.0f && v < 4294967296.0f))) {
    RaiseTrap(instance, v != v ? Trap::kInvalidConversionToInteger : Trap::kIntegerOverflow);
  }
  return static_cast<u32>(v);
}
FERMATA_INLINE u32 i32_trunc_sat_f32_u(f32 v) {
  if (v > -1.0f && v < 4294967296.0f) return static_cast<u32>(v);
  if (v != v) return 0;
  return v < 0 ? 0 : ~u32{0};
}
FERMATA_INLINE u32 i32_trunc_f64_s(Instance* instance, f64 v) {
  if (FERMATA_UNLIKELY(!(v > -2147483649.0 && v < 2147483648.0))) {
    RaiseTrap(instance, v != v ? Trap::kInvalidConversionToInteger : Trap::kIntegerOverflow);
  }
  return static_cast<u32>(static_cast<i32>(v));
}
FERMATA_INLINE u32 i32_trunc_sat_f64_s(f64 v) {
  if (v > -2147483649.0 && v < 2147483648.0) return static_cast<u32>(static_cast<i32>(v));
  if (v != v) return 0;
  return v < 0 ? u32{1} << 31 : ~u32{0} >> 1;
}
FERMATA_INLINE u32 i32_trunc_f64_u(Instance* instance, f64 v) {
  if (FERMATA_UNLIKELY(!(v > -1.0 && v < 4294967296.0))) {
    RaiseTrap(instance, v != v ? Trap::kInvalidConversionToInteger : Trap::kIntegerOverflow);
  }
  return static_cast<u32>(v);
}
FERMATA_INLINE u32 i32_trunc_sat_f64_u(f64 v) {
  if (v > -1.0 && v < 4294967296.0) return static_cast<u32>(v);
  if (v != v) return 0;
  return v < 0 ? 0 : ~u32{0};
}
FERMATA_INLINE u64 i64_trunc_f32_s(Instance* instance, f32 v) {
  if (FERMATA_UNLIKELY(!(v >= -9223372036854775808.0f && v < 9223372036854775808.0f))) {
    RaiseTrap(instance, v != v ? Trap::kInvalidConversionToInteger : Trap::kIntegerOverflow);
  }
  return static_cast<u64>(static_cast<i64>(v));
}
FERMATA_INLINE u64 i64_trunc_sat_f32_s(f32 v) {
  if (v >= -9223372036854775808.0f && v < 9223372036854775808.0f)
    return static_cast<u64>(static_cast<i64>(v));
  if (v != v) return 0;
  return v < 0 ? u64{1} << 63 : ~u64{0} >> 1;
}
FERMATA_INLINE u64 i64_trunc_f32_u(Instance* instance, f32 v) {
  if (FERMATA_UNLIKELY(!(v > -1.0f && v < 18446744073709551616.0f))) {
    RaiseTrap(instance, v != v ? Trap::kInvalidConversionToInteger : Trap::kIntegerOverflow);
  }
  return static_cast<u64>(v);
}
FERMATA_INLINE u64 i64_trunc_sat_f32_u(f32 v) {
  if (v > -1.0f && v < 18446744073709551616.0f) return static_cast<u64>(v);
  if (v != v) return 0;
  return v < 0 ? 0 : ~u64{0};
}
FERMATA_INLINE u64 i64_trunc_f64_s(Instance* instance, f64 v) {
  if (FERMATA_UNLIKELY(!(v >= -9223372036854775808.0 && v < 9223372036854775808.0))) {
    RaiseTrap(instance, v != v ? Trap::kInvalidConversionToInteger : Trap::kIntegerOverflow);
  }
  return static_cast<u64>(static_cast<i64>(v));
}
FERMATA_INLINE u64 i64_trunc_sat_f64_s(f64 v) {
  if (v >= -9223372036854775808.0 && v < 9223372036854775808.0)
    return static_cast<u64>(static_cast<i64>(v));
  if (v != v) return 0;
  return v < 0 ? u64{1} << 63 : ~u64{0} >> 1;
}
FERMATA_INLINE u64 i64_trunc_f64_u(Instance* instance, f64 v) {
  if (FERMATA_UNLIKELY(!(v > -1.0 && v < 18446744073709551616.0))) {
    RaiseTrap(instance, v != v ? Trap::kInvalidConversionToInteger : Trap::kIntegerOverflow);
  }
  return static_cast<u64>(v);
}
FERMATA_INLINE u64 i64_trunc_sat_f64_u(f64 v) {
  if (v > -1.0 && v < 18446744073709551616.0) return static_cast<u64>(v);
  if (v != v) return 0;
  return v < 0 ? 0 : ~u64{0};
}

}  // namespace fermata::core

#endif  // FERMATA_CORE_NUMERIC_H_

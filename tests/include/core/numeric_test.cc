// The numeric helpers, bit by bit, against independent computations: wide integers, exact decimal
// bounds, and properties that IEEE 754 fixes.
#include "fermata/core/numeric.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "absl/numeric/int128.h"
#include "fermata/core/generated.h"
#include "fermata/dynamic.h"
#include "tests/support/trap_of.h"

namespace fermata::core {
namespace {

template <typename T, typename F>
T Value(F f) {
  T result{};
  EXPECT_EQ(TrapOf([&](Instance* i) { result = f(i); }), Trap::kNone);
  return result;
}

std::vector<u32> Words32() {
  std::vector<u32> words = {0,          1,          2,          3,          31,
                            32,         33,         0x7f,       0x80,       0xff,
                            0x7fff,     0x8000,     0xffff,     0x7ffffffe, 0x7fffffff,
                            0x80000000, 0x80000001, 0xfffffffe, 0xffffffff};
  std::mt19937 random(1);
  for (int i = 0; i < 200; ++i) words.push_back(random());
  return words;
}
std::vector<u64> Words64() {
  std::vector<u64> words = {0,
                            1,
                            2,
                            63,
                            64,
                            65,
                            0x80,
                            0x8000,
                            0x80000000,
                            0xffffffff,
                            0x7fffffffffffffff,
                            0x8000000000000000,
                            0x8000000000000001,
                            0xfffffffffffffffe,
                            0xffffffffffffffff};
  std::mt19937_64 random(2);
  for (int i = 0; i < 200; ++i) words.push_back(random() >> (i % 64));
  return words;
}

TEST(Integers, CountsAndRotations) {
  for (u32 v : Words32()) {
    u32 leading = 0, trailing = 0, ones = 0;
    while (leading < 32 && !(v >> (31 - leading) & 1)) ++leading;
    while (trailing < 32 && !(v >> trailing & 1)) ++trailing;
    for (int i = 0; i < 32; ++i) ones += v >> i & 1;
    EXPECT_EQ(i32_clz(v), leading);
    EXPECT_EQ(i32_ctz(v), trailing);
    EXPECT_EQ(i32_popcnt(v), ones);
    for (u32 n : {0u, 1u, 31u, 32u, 33u, 0xffffffffu}) {
      u32 left = v;
      for (u32 i = 0; i < n % 32; ++i) left = left << 1 | left >> 31;
      EXPECT_EQ(i32_rotl(v, n), left);
      EXPECT_EQ(i32_rotr(left, n), v);
    }
  }
  for (u64 v : Words64()) {
    u64 leading = 0, trailing = 0;
    while (leading < 64 && !(v >> (63 - leading) & 1)) ++leading;
    while (trailing < 64 && !(v >> trailing & 1)) ++trailing;
    EXPECT_EQ(i64_clz(v), leading);
    EXPECT_EQ(i64_ctz(v), trailing);
    for (u64 n : {u64{0}, u64{1}, u64{63}, u64{64}, u64{65}, ~u64{0}}) {
      EXPECT_EQ(i64_rotr(i64_rotl(v, n), n), v);
    }
    EXPECT_EQ(i64_extend32_s(v), static_cast<u64>(static_cast<absl::int128>(static_cast<i32>(v))));
    EXPECT_EQ(i64_extend8_s(v), v & 0x80 ? v | ~u64{0xff} : v & 0xff);
    EXPECT_EQ(i64_extend16_s(v), v & 0x8000 ? v | ~u64{0xffff} : v & 0xffff);
  }
}

TEST(Integers, DivisionAgainstWiderIntegers) {
  for (u32 a : Words32()) {
    for (u32 b : Words32()) {
      const i64 sa = static_cast<i32>(a), sb = static_cast<i32>(b);
      if (b == 0) {
        EXPECT_EQ(TrapOf([&](Instance* i) { i32_div_s(i, a, b); }), Trap::kIntegerDivideByZero);
        EXPECT_EQ(TrapOf([&](Instance* i) { i32_rem_u(i, a, b); }), Trap::kIntegerDivideByZero);
        continue;
      }
      if (sa / sb == i64{1} << 31) {
        EXPECT_EQ(TrapOf([&](Instance* i) { i32_div_s(i, a, b); }), Trap::kIntegerOverflow);
      } else {
        EXPECT_EQ(Value<u32>([&](Instance* i) { return i32_div_s(i, a, b); }),
                  static_cast<u32>(sa / sb));
      }
      EXPECT_EQ(Value<u32>([&](Instance* i) { return i32_rem_s(i, a, b); }),
                static_cast<u32>(sa % sb));
      EXPECT_EQ(Value<u32>([&](Instance* i) { return i32_div_u(i, a, b); }), u64{a} / b);
    }
  }
  for (u64 a : Words64()) {
    for (u64 b : Words64()) {
      if (b == 0) {
        EXPECT_EQ(TrapOf([&](Instance* i) { i64_rem_s(i, a, b); }), Trap::kIntegerDivideByZero);
        continue;
      }
      const absl::int128 sa = static_cast<i64>(a), sb = static_cast<i64>(b);
      if (sa / sb == static_cast<absl::int128>(1) << 63) {
        EXPECT_EQ(TrapOf([&](Instance* i) { i64_div_s(i, a, b); }), Trap::kIntegerOverflow);
      } else {
        EXPECT_EQ(Value<u64>([&](Instance* i) { return i64_div_s(i, a, b); }),
                  static_cast<u64>(sa / sb));
      }
      EXPECT_EQ(Value<u64>([&](Instance* i) { return i64_rem_s(i, a, b); }),
                static_cast<u64>(sa % sb));
    }
  }
}

// ---- Floats ----
constexpr u32 kQuiet32 = 0x7fc00000;
constexpr u64 kQuiet64 = 0x7ff8000000000000;
bool IsQuiet(f32 v) { return std::isnan(v) && (i32_reinterpret_f32(v) & 0x00400000); }
bool IsQuiet(f64 v) { return std::isnan(v) && (i64_reinterpret_f64(v) & 0x0008000000000000); }

std::vector<f64> Doubles() {
  std::vector<f64> values = {0.0,
                             -0.0,
                             0.5,
                             -0.5,
                             1.0,
                             -1.0,
                             1.5,
                             2.5,
                             -2.5,
                             0.49999999999999994,
                             4503599627370495.5,
                             4503599627370496.0,
                             1e300,
                             -1e300,
                             5e-324,
                             INFINITY,
                             -INFINITY,
                             2147483647.0,
                             2147483648.0,
                             -2147483648.0,
                             -2147483648.9,
                             -2147483649.0,
                             4294967295.0,
                             4294967295.9,
                             4294967296.0,
                             9223372036854774784.0,
                             9223372036854775808.0,
                             -9223372036854775808.0,
                             -9223372036854777856.0,
                             18446744073709549568.0,
                             18446744073709551616.0,
                             -0.9,
                             -1.0,
                             0.9};
  std::mt19937_64 random(3);
  for (int i = 0; i < 2000; ++i) {
    const f64 v = f64_reinterpret_i64(random());
    if (!std::isnan(v)) values.push_back(v);
  }
  return values;
}

TEST(Floats, SignOperationsKeepEveryBit) {
  for (u32 bits : {0x7f800001u, 0xff800001u, 0x7fc12345u, 0x3f800000u, 0x80000000u}) {
    const f32 v = f32_reinterpret_i32(bits);
    EXPECT_EQ(i32_reinterpret_f32(f32_neg(v)), bits ^ 0x80000000u);
    EXPECT_EQ(i32_reinterpret_f32(f32_abs(v)), bits & 0x7fffffffu);
    EXPECT_EQ(i32_reinterpret_f32(f32_copysign(v, -0.0f)), bits | 0x80000000u);
  }
  const f64 signaling = f64_reinterpret_i64(0xfff0000000000001);
  EXPECT_EQ(i64_reinterpret_f64(f64_abs(signaling)), 0x7ff0000000000001u);
  EXPECT_EQ(i64_reinterpret_f64(f64_neg(signaling)), 0x7ff0000000000001u);
}

TEST(Floats, MinAndMax) {
  EXPECT_TRUE(std::signbit(f64_min(0.0, -0.0)));
  EXPECT_TRUE(std::signbit(f64_min(-0.0, 0.0)));
  EXPECT_FALSE(std::signbit(f64_max(0.0, -0.0)));
  EXPECT_FALSE(std::signbit(f64_max(-0.0, 0.0)));
  for (f64 v : Doubles()) {
    EXPECT_EQ(f64_min(v, -INFINITY), -INFINITY);
    EXPECT_EQ(f64_max(v, 1.0), v > 1.0 ? v : 1.0);
    EXPECT_TRUE(IsQuiet(f64_min(v, f64_reinterpret_i64(0x7ff0000000000001))));
    EXPECT_TRUE(IsQuiet(f64_max(f64_reinterpret_i64(kQuiet64), v)));
    const f32 narrow = static_cast<f32>(v);
    EXPECT_TRUE(IsQuiet(f32_min(f32_reinterpret_i32(0x7f800001), narrow)));
    EXPECT_TRUE(IsQuiet(f32_max(narrow, f32_reinterpret_i32(kQuiet32))));
  }
}

TEST(Floats, Rounding) {
  for (f64 v : Doubles()) {
    EXPECT_EQ(f64_ceil(v), std::ceil(v));
    EXPECT_EQ(f64_floor(v), std::floor(v));
    EXPECT_EQ(f64_trunc(v), std::trunc(v));
    const f64 nearest = f64_nearest(v);
    if (std::fabs(v) < 4503599627370496.0) {
      EXPECT_EQ(nearest, std::trunc(nearest));
      EXPECT_LE(std::fabs(nearest - v), 0.5);
      const bool tie = std::fabs(v - std::trunc(v)) == 0.5;
      EXPECT_TRUE(!tie || std::fmod(nearest, 2.0) == 0.0) << v;
      EXPECT_EQ(std::signbit(nearest), std::signbit(v));
    } else {
      EXPECT_EQ(nearest, v);
    }
  }
  for (f64 (*f)(f64) : {f64_ceil, f64_floor, f64_trunc, f64_nearest, f64_sqrt}) {
    EXPECT_TRUE(IsQuiet(f(f64_reinterpret_i64(0x7ff0000000000001))));
  }
  for (f32 (*f)(f32) : {f32_ceil, f32_floor, f32_trunc, f32_nearest, f32_sqrt}) {
    EXPECT_TRUE(IsQuiet(f(f32_reinterpret_i32(0xff800001))));
  }
  EXPECT_TRUE(IsQuiet(f32_demote_f64(f64_reinterpret_i64(0x7ff0000000000001))));
  EXPECT_TRUE(IsQuiet(f64_promote_f32(f32_reinterpret_i32(0x7f800001))));
}

// The truncation of v as an exact integer, if |v| < 2^100.
absl::int128 Exact(f64 v) { return static_cast<absl::int128>(std::trunc(v)); }

template <typename T, typename F, typename Float>
void CheckTruncation(F f, T (*saturate)(Float), Float v, absl::int128 low, absl::int128 high) {
  const bool huge = !(std::fabs(v) < 1e30);
  const absl::int128 exact = huge ? (v < 0 ? low - 1 : high + 1) : Exact(v);
  if (exact < low || exact > high) {
    EXPECT_EQ(TrapOf([&](Instance* i) { f(i, v); }), Trap::kIntegerOverflow) << v;
    EXPECT_EQ(saturate(v), static_cast<T>(exact < low ? low : high)) << v;
  } else {
    EXPECT_EQ(Value<T>([&](Instance* i) { return f(i, v); }), static_cast<T>(exact)) << v;
    EXPECT_EQ(saturate(v), static_cast<T>(exact)) << v;
  }
}

TEST(Conversions, TruncationAgainstExactIntegers) {
  constexpr absl::int128 kOne = 1;
  for (f64 v : Doubles()) {
    CheckTruncation<u32>(i32_trunc_f64_s, i32_trunc_sat_f64_s, v, -(kOne << 31), (kOne << 31) - 1);
    CheckTruncation<u32>(i32_trunc_f64_u, i32_trunc_sat_f64_u, v, 0, (kOne << 32) - 1);
    CheckTruncation<u64>(i64_trunc_f64_s, i64_trunc_sat_f64_s, v, -(kOne << 63), (kOne << 63) - 1);
    CheckTruncation<u64>(i64_trunc_f64_u, i64_trunc_sat_f64_u, v, 0, (kOne << 64) - 1);
    const f32 w = static_cast<f32>(v);
    CheckTruncation<u32>(i32_trunc_f32_s, i32_trunc_sat_f32_s, w, -(kOne << 31), (kOne << 31) - 1);
    CheckTruncation<u32>(i32_trunc_f32_u, i32_trunc_sat_f32_u, w, 0, (kOne << 32) - 1);
    CheckTruncation<u64>(i64_trunc_f32_s, i64_trunc_sat_f32_s, w, -(kOne << 63), (kOne << 63) - 1);
    CheckTruncation<u64>(i64_trunc_f32_u, i64_trunc_sat_f32_u, w, 0, (kOne << 64) - 1);
  }
  EXPECT_EQ(TrapOf([](Instance* i) { i32_trunc_f32_s(i, f32_reinterpret_i32(kQuiet32)); }),
            Trap::kInvalidConversionToInteger);
  EXPECT_EQ(i64_trunc_sat_f64_u(f64_reinterpret_i64(kQuiet64)), 0u);
}

TEST(Conversions, FromIntegersRoundToNearest) {
  EXPECT_EQ(f32_convert_i32_u(0xffffffffu), 4294967296.0f);
  EXPECT_EQ(f32_convert_i32_s(0xffffffffu), -1.0f);
  EXPECT_EQ(f32_convert_i64_u(0x8000008000000001u), 9223373136366403584.0f);
  EXPECT_EQ(f64_convert_i64_u(~u64{0}), 18446744073709551616.0);
  EXPECT_EQ(f64_convert_i64_s(~u64{0}), -1.0);
  EXPECT_EQ(f64_convert_i32_u(0x80000000u), 2147483648.0);
}

TEST(Quiet, OnlyChangesSignalingNans) {
  EXPECT_EQ(i32_reinterpret_f32(quiet(f32_reinterpret_i32(0x7f800001))), 0x7fc00001u);
  EXPECT_EQ(i64_reinterpret_f64(quiet(f64_reinterpret_i64(0xfff0000000000002))),
            0xfff8000000000002u);
  for (f64 v : Doubles()) EXPECT_EQ(i64_reinterpret_f64(quiet(v)), i64_reinterpret_f64(v));
}

}  // namespace
}  // namespace fermata::core

// Vector instructions on integer lanes against wide integers, lane by lane.
#include "tests/include/core/simd/lanes.h"

namespace fermata::core {
namespace {

// Calls `check(name, function, reference)` without writing the name twice.
#define CHECK_UNARY(T, op, expr) Unary<T>(#op, op, [](Wide x) { return expr; })
#define CHECK_BINARY(T, op, expr) Binary<T>(#op, op, [](Wide x, Wide y) { return expr; })

TEST(SimdInteger, Arithmetic) {
#define CHECK_ALL(p, s)            \
  CHECK_BINARY(s, p##_add, x + y); \
  CHECK_BINARY(s, p##_sub, x - y); \
  CHECK_UNARY(s, p##_neg, -x);     \
  CHECK_UNARY(s, p##_abs, x < 0 ? -x : x);
  CHECK_ALL(i8x16, int8_t)
  CHECK_ALL(i16x8, int16_t)
  CHECK_ALL(i32x4, int32_t)
  CHECK_ALL(i64x2, int64_t)
#undef CHECK_ALL
  CHECK_BINARY(int16_t, i16x8_mul, x * y);
  CHECK_BINARY(int32_t, i32x4_mul, x * y);
  CHECK_BINARY(int64_t, i64x2_mul, x * y);
}

TEST(SimdInteger, Comparison) {
#define CHECK_SIGNED(p, s)                    \
  CHECK_BINARY(s, p##_eq, x == y ? -1 : 0);   \
  CHECK_BINARY(s, p##_ne, x != y ? -1 : 0);   \
  CHECK_BINARY(s, p##_lt_s, x < y ? -1 : 0);  \
  CHECK_BINARY(s, p##_gt_s, x > y ? -1 : 0);  \
  CHECK_BINARY(s, p##_le_s, x <= y ? -1 : 0); \
  CHECK_BINARY(s, p##_ge_s, x >= y ? -1 : 0);
#define CHECK_MORE(p, s, u)                   \
  CHECK_BINARY(u, p##_lt_u, x < y ? -1 : 0);  \
  CHECK_BINARY(u, p##_gt_u, x > y ? -1 : 0);  \
  CHECK_BINARY(u, p##_le_u, x <= y ? -1 : 0); \
  CHECK_BINARY(u, p##_ge_u, x >= y ? -1 : 0); \
  CHECK_BINARY(s, p##_min_s, x < y ? x : y);  \
  CHECK_BINARY(u, p##_min_u, x < y ? x : y);  \
  CHECK_BINARY(s, p##_max_s, x < y ? y : x);  \
  CHECK_BINARY(u, p##_max_u, x < y ? y : x);
  CHECK_SIGNED(i8x16, int8_t)
  CHECK_SIGNED(i16x8, int16_t)
  CHECK_SIGNED(i32x4, int32_t)
  CHECK_SIGNED(i64x2, int64_t)
  CHECK_MORE(i8x16, int8_t, uint8_t)
  CHECK_MORE(i16x8, int16_t, uint16_t)
  CHECK_MORE(i32x4, int32_t, uint32_t)
#undef CHECK_MORE
#undef CHECK_SIGNED
}

TEST(SimdInteger, Saturation) {
#define CHECK_ALL(p, s, u)                            \
  CHECK_BINARY(s, p##_add_sat_s, Saturate<s>(x + y)); \
  CHECK_BINARY(u, p##_add_sat_u, Saturate<u>(x + y)); \
  CHECK_BINARY(s, p##_sub_sat_s, Saturate<s>(x - y)); \
  CHECK_BINARY(u, p##_sub_sat_u, Saturate<u>(x - y)); \
  CHECK_BINARY(u, p##_avgr_u, (x + y + 1) / 2);
  CHECK_ALL(i8x16, int8_t, uint8_t)
  CHECK_ALL(i16x8, int16_t, uint16_t)
#undef CHECK_ALL
  CHECK_BINARY(int16_t, i16x8_q15mulr_sat_s, Saturate<int16_t>((x * y + 0x4000) >> 15));
  CHECK_BINARY(int16_t, i16x8_relaxed_q15mulr_s, Saturate<int16_t>((x * y + 0x4000) >> 15));
  CHECK_UNARY(uint8_t, i8x16_popcnt, std::popcount(static_cast<uint8_t>(x)));
}

template <class T, class F>
void CheckShift(const char* name, v128 (*instruction)(v128, u32), F lane) {
  v128 (*volatile op)(v128, u32) = instruction;
  for (v128 v : Vectors<T>()) {
    for (u32 count : {0u, 1u, 3u, 7u, 8u, 9u, 15u, 16u, 31u, 32u, 33u, 63u, 64u, 65u, 255u, ~0u}) {
      const auto x = Lanes<T>(v), r = Lanes<T>(op(v, count));
      for (size_t i = 0; i < kLanes<T>; ++i) {
        ASSERT_EQ(r[i], static_cast<T>(lane(x[i], count % (8 * sizeof(T)))))
            << name << " of " << +x[i] << " by " << count;
      }
    }
  }
}
TEST(SimdInteger, Shifts) {
  const auto left = [](Wide x, u32 n) { return x * (Wide{1} << n); };
  const auto right = [](Wide x, u32 n) { return x >> n; };
#define CHECK_ALL(p, s, u)                      \
  CheckShift<u>(#p "_shl", p##_shl, left);      \
  CheckShift<s>(#p "_shr_s", p##_shr_s, right); \
  CheckShift<u>(#p "_shr_u", p##_shr_u, right);
  CHECK_ALL(i8x16, int8_t, uint8_t)
  CHECK_ALL(i16x8, int16_t, uint16_t)
  CHECK_ALL(i32x4, int32_t, uint32_t)
  CHECK_ALL(i64x2, int64_t, uint64_t)
#undef CHECK_ALL
}

TEST(SimdInteger, Bits) {
  using T = uint64_t;
  Unary<T>("v128_not", v128_not, [](T x) { return ~x; });
  Binary<T>("v128_and", v128_and, [](T x, T y) { return x & y; });
  Binary<T>("v128_andnot", v128_andnot, [](T x, T y) { return x & ~y; });
  Binary<T>("v128_or", v128_or, [](T x, T y) { return x | y; });
  Binary<T>("v128_xor", v128_xor, [](T x, T y) { return x ^ y; });
  const v128 masks[] = {v128_const(0, ~u64{0}), v128_const(0x0f0f00ff12345678, 0x8000000000000001)};
  for (v128 c : masks) {
    for (auto instruction : {v128_bitselect, i8x16_relaxed_laneselect, i16x8_relaxed_laneselect,
                             i32x4_relaxed_laneselect, i64x2_relaxed_laneselect}) {
      v128 (*volatile select)(v128, v128, v128) = instruction;
      for (auto [a, b] : Pairs<T>()) {
        const v128 r = select(a, b, c);
        for (int i = 0; i < 128; ++i) {
          const auto bit = [i](v128 v) { return Lanes<u8>(v)[i / 8] >> i % 8 & 1; };
          ASSERT_EQ(bit(r), bit(c) ? bit(a) : bit(b));
        }
      }
    }
  }
}

template <class T>
void CheckTests(u32 (*all_true_instruction)(v128), u32 (*bitmask_instruction)(v128)) {
  u32 (*volatile all_true)(v128) = all_true_instruction;
  u32 (*volatile bitmask)(v128) = bitmask_instruction;
  for (v128 v : Vectors<T>()) {
    u32 all = 1, mask = 0, i = 0;
    for (T x : Lanes<T>(v)) {
      all &= x != 0;
      mask |= (x < 0 ? 1u : 0u) << i++;
    }
    ASSERT_EQ(all_true(v), all);
    ASSERT_EQ(bitmask(v), mask);
  }
  // A single lane decides.
  for (size_t i = 0; i < kLanes<T>; ++i) {
    Array<T> lanes;
    lanes.fill(1);
    EXPECT_EQ(all_true(Vector<T>(lanes)), 1u);
    lanes[i] = 0;
    EXPECT_EQ(all_true(Vector<T>(lanes)), 0u);
    lanes.fill(0);
    EXPECT_EQ(v128_any_true(Vector<T>(lanes)), 0u);
    lanes[i] = std::numeric_limits<T>::min();
    EXPECT_EQ(v128_any_true(Vector<T>(lanes)), 1u);
    EXPECT_EQ(bitmask(Vector<T>(lanes)), 1u << i);
  }
}
TEST(SimdInteger, TestsOfAllLanes) {
  CheckTests<int8_t>(i8x16_all_true, i8x16_bitmask);
  CheckTests<int16_t>(i16x8_all_true, i16x8_bitmask);
  CheckTests<int32_t>(i32x4_all_true, i32x4_bitmask);
  CheckTests<int64_t>(i64x2_all_true, i64x2_bitmask);
}

TEST(SimdInteger, WideningAndNarrowing) {
#define CHECK_WIDER(wide, narrow, n, w)                                               \
  {                                                                                   \
    constexpr size_t half = kLanes<w>;                                                \
    const auto low = [](const Array<n>& x, size_t i) { return x[i]; };                \
    const auto high = [](const Array<n>& x, size_t i) { return x[half + i]; };        \
    const auto low_product = [](const Array<n>& x, const Array<n>& y, size_t i) {     \
      return Wide{x[i]} * y[i];                                                       \
    };                                                                                \
    const auto high_product = [](const Array<n>& x, const Array<n>& y, size_t i) {    \
      return Wide{x[half + i]} * y[half + i];                                         \
    };                                                                                \
    Convert<n, w>("extend_low " #narrow, wide##_extend_low_##narrow, low);            \
    Convert<n, w>("extend_high " #narrow, wide##_extend_high_##narrow, high);         \
    Combine<n, w>("extmul_low " #narrow, wide##_extmul_low_##narrow, low_product);    \
    Combine<n, w>("extmul_high " #narrow, wide##_extmul_high_##narrow, high_product); \
  }
#define CHECK_PAIRS(wide, narrow, n, w)                                      \
  Convert<n, w>("extadd_pairwise " #narrow, wide##_extadd_pairwise_##narrow, \
                [](const Array<n>& x, size_t i) { return Wide{x[2 * i]} + x[2 * i + 1]; });
#define CHECK_NARROW(op, w, n)                                                \
  Combine<w, n>(#op, op, [](const Array<w>& x, const Array<w>& y, size_t i) { \
    return Saturate<n>(i < kLanes<w> ? x[i] : y[i - kLanes<w>]);              \
  });
  CHECK_WIDER(i16x8, i8x16_s, int8_t, int16_t)
  CHECK_WIDER(i16x8, i8x16_u, uint8_t, uint16_t)
  CHECK_WIDER(i32x4, i16x8_s, int16_t, int32_t)
  CHECK_WIDER(i32x4, i16x8_u, uint16_t, uint32_t)
  CHECK_WIDER(i64x2, i32x4_s, int32_t, int64_t)
  CHECK_WIDER(i64x2, i32x4_u, uint32_t, uint64_t)
  CHECK_PAIRS(i16x8, i8x16_s, int8_t, int16_t)
  CHECK_PAIRS(i16x8, i8x16_u, uint8_t, uint16_t)
  CHECK_PAIRS(i32x4, i16x8_s, int16_t, int32_t)
  CHECK_PAIRS(i32x4, i16x8_u, uint16_t, uint32_t)
  CHECK_NARROW(i8x16_narrow_i16x8_s, int16_t, int8_t)
  CHECK_NARROW(i8x16_narrow_i16x8_u, int16_t, uint8_t)
  CHECK_NARROW(i16x8_narrow_i32x4_s, int32_t, int16_t)
  CHECK_NARROW(i16x8_narrow_i32x4_u, int32_t, uint16_t)
}

TEST(SimdInteger, DotProducts) {
  Combine<int16_t, int32_t>("i32x4_dot_i16x8_s", i32x4_dot_i16x8_s,
                            [](const auto& x, const auto& y, size_t i) {
                              return Wide{x[2 * i]} * y[2 * i] + Wide{x[2 * i + 1]} * y[2 * i + 1];
                            });
  const auto pair = [](const Array<int8_t>& x, const Array<int8_t>& y, size_t i) {
    return Saturate<int16_t>(Wide{x[2 * i]} * y[2 * i] + Wide{x[2 * i + 1]} * y[2 * i + 1]);
  };
  Combine<int8_t, int16_t>("i16x8_relaxed_dot_i8x16_i7x16_s", i16x8_relaxed_dot_i8x16_i7x16_s,
                           pair);
  const v128 c = v128_const(0x7fffffff80000000, 0xffffffff00000001);
  for (auto [a, b] : Pairs<int8_t>()) {
    const auto x = Lanes<int8_t>(a), y = Lanes<int8_t>(b);
    const auto r = Lanes<u32>(i32x4_relaxed_dot_i8x16_i7x16_add_s(a, b, c));
    for (size_t i = 0; i < 4; ++i) {
      ASSERT_EQ(r[i], static_cast<u32>(Wide{pair(x, y, 2 * i)} + pair(x, y, 2 * i + 1) +
                                       Lanes<u32>(c)[i]));
    }
  }
}

}  // namespace
}  // namespace fermata::core

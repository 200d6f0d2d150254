// Vector instructions on float lanes against scalar floats, lane by lane, NaNs included.
#include "tests/include/core/simd/lanes.h"

namespace fermata::core {
namespace {

template <class T>
T Min(T x, T y) {
  if (x != x || y != y) return std::numeric_limits<T>::quiet_NaN();
  if (x == y) return std::signbit(x) ? x : y;
  return x < y ? x : y;
}
template <class T>
T Max(T x, T y) {
  if (x != x || y != y) return std::numeric_limits<T>::quiet_NaN();
  if (x == y) return std::signbit(x) ? y : x;
  return x < y ? y : x;
}

#define CHECK_FLOATS(p, T)                                                                         \
  FloatBinary<T>(#p "_add", p##_add, [](T x, T y) { return x + y; });                              \
  FloatBinary<T>(#p "_sub", p##_sub, [](T x, T y) { return x - y; });                              \
  FloatBinary<T>(#p "_mul", p##_mul, [](T x, T y) { return x * y; });                              \
  FloatBinary<T>(#p "_div", p##_div, [](T x, T y) { return x / y; });                              \
  FloatBinary<T>(#p "_min", p##_min, Min<T>);                                                      \
  FloatBinary<T>(#p "_max", p##_max, Max<T>);                                                      \
  FloatBinary<T>(#p "_relaxed_min", p##_relaxed_min, Min<T>);                                      \
  FloatBinary<T>(#p "_relaxed_max", p##_relaxed_max, Max<T>);                                      \
  FloatUnary<T>(#p "_sqrt", p##_sqrt, [](T x) { return std::sqrt(x); });                           \
  FloatUnary<T>(#p "_ceil", p##_ceil, [](T x) { return std::ceil(x); });                           \
  FloatUnary<T>(#p "_floor", p##_floor, [](T x) { return std::floor(x); });                        \
  FloatUnary<T>(#p "_trunc", p##_trunc, [](T x) { return std::trunc(x); });                        \
  FloatUnary<T>(#p "_nearest", p##_nearest, [](T x) { return std::nearbyint(x); });                \
  /* Bits of an operand, whatever it is. */                                                        \
  Binary<T>(#p "_pmin", p##_pmin, [](T x, T y) { return std::bit_cast<Bits<T>>(y < x ? y : x); }); \
  Binary<T>(#p "_pmax", p##_pmax, [](T x, T y) { return std::bit_cast<Bits<T>>(x < y ? y : x); }); \
  Binary<T>(#p "_eq", p##_eq, [](T x, T y) { return x == y ? -1 : 0; });                           \
  Binary<T>(#p "_ne", p##_ne, [](T x, T y) { return x != y ? -1 : 0; });                           \
  Binary<T>(#p "_lt", p##_lt, [](T x, T y) { return x < y ? -1 : 0; });                            \
  Binary<T>(#p "_gt", p##_gt, [](T x, T y) { return x > y ? -1 : 0; });                            \
  Binary<T>(#p "_le", p##_le, [](T x, T y) { return x <= y ? -1 : 0; });                           \
  Binary<T>(#p "_ge", p##_ge, [](T x, T y) { return x >= y ? -1 : 0; });                           \
  for (v128 v : Vectors<T>()) {                                                                    \
    const auto x = Lanes<Bits<T>>(v);                                                              \
    const auto absolute = Lanes<Bits<T>>(p##_abs(v)), negated = Lanes<Bits<T>>(p##_neg(v));        \
    const Bits<T> sign = Bits<T>{1} << (8 * sizeof(T) - 1);                                        \
    for (size_t i = 0; i < kLanes<T>; ++i) {                                                       \
      ASSERT_EQ(absolute[i], x[i] & ~sign);                                                        \
      ASSERT_EQ(negated[i], x[i] ^ sign);                                                          \
    }                                                                                              \
  }

TEST(SimdFloat, F32x4){CHECK_FLOATS(f32x4, f32)} TEST(SimdFloat, F64x2){CHECK_FLOATS(f64x2, f64)}

TEST(SimdFloat, RelaxedMultiplyAddRoundsTwice) {
  const f32 a = 0x1.000004p+0f, b = 0x1.0002p+0f, c = -0x1.000204p+0f;  // fused: 2^-37
  const v128 x = f32x4_splat(a), y = f32x4_splat(b), z = f32x4_splat(c);
  EXPECT_TRUE(Same(f32x4_relaxed_madd(x, y, z), f32x4_splat(0)));
  EXPECT_TRUE(Same(f32x4_relaxed_nmadd(f32x4_splat(-a), y, z), f32x4_splat(0)));
  EXPECT_TRUE(
      Same(f32x4_relaxed_nmadd(f32x4_splat(2), f32x4_splat(3), f32x4_splat(10)), f32x4_splat(4)));
  EXPECT_TRUE(
      Same(f64x2_relaxed_madd(f64x2_splat(2), f64x2_splat(3), f64x2_splat(10)), f64x2_splat(16)));
  EXPECT_TRUE(
      Same(f64x2_relaxed_nmadd(f64x2_splat(2), f64x2_splat(3), f64x2_splat(10)), f64x2_splat(4)));
}

// Operations that change no number, with a constant that the compiler sees.
TEST(SimdFloat, SignalingNansComeOutQuietOfWhatFolds) {
  const v128 f = opaque(i32x4_splat(0x7f800001)), d = opaque(i64x2_splat(0xfff0000000000001));
  const v128 results32[] = {
      f32x4_mul(f, f32x4_splat(1)),
      f32x4_mul(f32x4_splat(1), f),
      f32x4_div(f, f32x4_splat(1)),
      f32x4_sub(f, f32x4_splat(0)),
      f32x4_add(f, f32x4_splat(-0.0f)),
      f32x4_relaxed_madd(f, f32x4_splat(1), f32x4_splat(-0.0f)),
      f32x4_replace_lane<1>(f32x4_mul(f, v128_const(0x3f8000003f800000, 0x3f8000003f800000)),
                            __builtin_nanf(""))};
  for (v128 r : results32) {
    for (f32 x : Lanes<f32>(r)) EXPECT_TRUE(IsQuietNan(x));
  }
  const v128 results64[] = {f64x2_mul(d, f64x2_splat(1)), f64x2_div(d, f64x2_splat(1)),
                            f64x2_sub(d, f64x2_splat(0)), f64x2_add(f64x2_splat(-0.0), d)};
  for (v128 r : results64) {
    for (f64 x : Lanes<f64>(r)) EXPECT_TRUE(IsQuietNan(x));
  }
  const v128 both = f32x4_demote_f64x2_zero(f64x2_promote_low_f32x4(f));
  EXPECT_TRUE(IsQuietNan(Lanes<f32>(both)[0]));
  EXPECT_TRUE(IsQuietNan(Lanes<f32>(both)[1]));
  EXPECT_EQ(v128_high(both), 0u);
}

TEST(SimdFloat, Conversions) {
  Convert<int32_t, f32>("f32x4_convert_i32x4_s", f32x4_convert_i32x4_s,
                        [](const auto& x, size_t i) { return static_cast<f32>(x[i]); });
  Convert<uint32_t, f32>("f32x4_convert_i32x4_u", f32x4_convert_i32x4_u,
                         [](const auto& x, size_t i) { return static_cast<f32>(x[i]); });
  Convert<int32_t, f64>("f64x2_convert_low_i32x4_s", f64x2_convert_low_i32x4_s,
                        [](const auto& x, size_t i) { return static_cast<f64>(x[i]); });
  Convert<uint32_t, f64>("f64x2_convert_low_i32x4_u", f64x2_convert_low_i32x4_u,
                         [](const auto& x, size_t i) { return static_cast<f64>(x[i]); });
  Convert<f64, f32>("f32x4_demote_f64x2_zero", f32x4_demote_f64x2_zero,
                    [](const auto& x, size_t i) { return i < 2 ? static_cast<f32>(x[i]) : 0.0f; });
  Convert<f32, f64>("f64x2_promote_low_f32x4", f64x2_promote_low_f32x4,
                    [](const auto& x, size_t i) { return static_cast<f64>(x[i]); });
}

// Towards zero, within the limits of I, NaNs to 0.
template <class I, class T>
I Truncate(T x) {
  if (x != x) return 0;
  const long double low = std::numeric_limits<I>::min(), high = std::numeric_limits<I>::max();
  const long double whole = std::trunc(static_cast<long double>(x));
  return static_cast<I>(whole < low ? low : whole > high ? high : whole);
}
TEST(SimdFloat, Truncations) {
  const auto from32s = [](const auto& x, size_t i) { return Truncate<int32_t>(x[i]); };
  const auto from32u = [](const auto& x, size_t i) { return Truncate<uint32_t>(x[i]); };
  const auto from64s = [](const auto& x, size_t i) { return i < 2 ? Truncate<int32_t>(x[i]) : 0; };
  const auto from64u = [](const auto& x, size_t i) { return i < 2 ? Truncate<uint32_t>(x[i]) : 0; };
  Convert<f32, int32_t>("trunc_sat_f32x4_s", i32x4_trunc_sat_f32x4_s, from32s);
  Convert<f32, uint32_t>("trunc_sat_f32x4_u", i32x4_trunc_sat_f32x4_u, from32u);
  Convert<f64, int32_t>("trunc_sat_f64x2_s_zero", i32x4_trunc_sat_f64x2_s_zero, from64s);
  Convert<f64, uint32_t>("trunc_sat_f64x2_u_zero", i32x4_trunc_sat_f64x2_u_zero, from64u);
  Convert<f32, int32_t>("relaxed_trunc_f32x4_s", i32x4_relaxed_trunc_f32x4_s, from32s);
  Convert<f32, uint32_t>("relaxed_trunc_f32x4_u", i32x4_relaxed_trunc_f32x4_u, from32u);
  Convert<f64, int32_t>("relaxed_trunc_f64x2_s", i32x4_relaxed_trunc_f64x2_s_zero, from64s);
  Convert<f64, uint32_t>("relaxed_trunc_f64x2_u", i32x4_relaxed_trunc_f64x2_u_zero, from64u);
}

}  // namespace
}  // namespace fermata::core

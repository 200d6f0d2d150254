// Vectors as arrays of lanes, the values worth trying, and comparison lane by lane.
#ifndef FERMATA_TESTS_INCLUDE_CORE_SIMD_LANES_H_
#define FERMATA_TESTS_INCLUDE_CORE_SIMD_LANES_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/numeric/int128.h"
#include "fermata/core/generated.h"
#include "fermata/core/simd/simd.h"

namespace fermata::core {

template <class T>
constexpr size_t kLanes = 16 / sizeof(T);
template <class T>
using Array = std::array<T, kLanes<T>>;
// Unsigned integers as wide as T.
template <class T>
using Bits = std::conditional_t<
    sizeof(T) == 1, u8,
    std::conditional_t<sizeof(T) == 2, u16, std::conditional_t<sizeof(T) == 4, u32, u64>>>;
using Wide = absl::int128;  // holds every product of two lanes

// The elements of a vector in the order of its lanes, and back.
template <class T>
Array<T> FromTheLowest(Array<T> elements) {
  if (std::endian::native == std::endian::big) std::reverse(elements.begin(), elements.end());
  return elements;
}
template <class T>
Array<T> Lanes(v128 v) {
  Array<T> lanes;
  std::memcpy(&lanes, &v, sizeof v);
  return FromTheLowest(lanes);
}
template <class T>
v128 Vector(const Array<T>& lanes) {
  const Array<T> elements = FromTheLowest(lanes);
  v128 v;
  std::memcpy(&v, &elements, sizeof v);
  return v;
}

// Edges first, then numbers of every magnitude. Floats are made from bits: any NaN may occur.
template <class T>
std::vector<T> Values(unsigned seed) {
  std::vector<T> values;
  std::mt19937_64 random(seed);
  if constexpr (std::is_floating_point_v<T>) {
    using L = std::numeric_limits<T>;
    const auto add = [&](T v) {
      values.push_back(v);
      values.push_back(-v);
    };
    for (T v : {T(0),
                T(1),
                T(2),
                T(0.5),
                T(1.5),
                T(2.5),
                T(3.5),
                T(0.49999997),
                T(0.75),
                T(1e10),
                T(127.9),
                T(65535.5),
                T(2147483647),
                T(2147483646.5),
                T(2147483648),
                T(2147483649),
                T(4294967295),
                T(4294967294.5),
                T(4294967296),
                T(8388607.5),
                T(8388608),
                T(8388609),
                T(4503599627370495.5),
                T(4503599627370496),
                T(4503599627370497),
                L::min(),
                L::denorm_min(),
                L::max(),
                L::infinity()}) {
      add(v);
    }
    const Bits<T> exponent = std::bit_cast<Bits<T>>(L::infinity());
    const Bits<T> quiet = Bits<T>{1} << (L::digits - 2);
    for (Bits<T> payload : {quiet, Bits<T>(quiet + 5), Bits<T>{1}, Bits<T>(quiet - 1)}) {
      values.push_back(std::bit_cast<T>(Bits<T>(exponent | payload)));
      values.push_back(
          std::bit_cast<T>(Bits<T>(exponent | payload | Bits<T>{1} << (sizeof(T) * 8 - 1))));
    }
    for (int i = 0; i < 60; ++i) values.push_back(std::bit_cast<T>(static_cast<Bits<T>>(random())));
    std::uniform_real_distribution<double> near(-70000, 70000);
    for (int i = 0; i < 30; ++i) values.push_back(static_cast<T>(near(random)));
  } else {
    using U = std::make_unsigned_t<T>;
    const U top = U{1} << (sizeof(T) * 8 - 1);
    for (U v : {U{0},       U{1},       U{2},        U(~U{0}),      U(~U{0} - 1),  top,
                U(top - 1), U(top + 1), U(top >> 1), U{15},         U{16},         U{17},
                U{0x70},    U{0x7f},    U{0x80},     U{0x81},       U{0xff},       U(0x7fff),
                U(0x8000),  U(0x8001),  U(0xffff),   U(0xffff8000), U(0xffffff80), U(0x10000)}) {
      values.push_back(static_cast<T>(v));
    }
    for (int i = 0; i < 40; ++i) values.push_back(static_cast<T>(random() >> (random() % 64)));
  }
  return values;
}

// Vectors whose lanes are `values` in order, the last one filled up from the start.
template <class T>
std::vector<v128> Pack(const std::vector<T>& values) {
  std::vector<v128> vectors;
  for (size_t i = 0; i < values.size(); i += kLanes<T>) {
    Array<T> lanes;
    for (size_t k = 0; k < kLanes<T>; ++k) lanes[k] = values[(i + k) % values.size()];
    vectors.push_back(Vector<T>(lanes));
  }
  return vectors;
}
template <class T>
std::vector<v128> Vectors() {
  return Pack(Values<T>(1));
}
// Every value against every other.
template <class T>
std::vector<std::pair<v128, v128>> Pairs() {
  std::vector<T> left, right;
  for (T a : Values<T>(1)) {
    for (T b : Values<T>(2)) {
      left.push_back(a);
      right.push_back(b);
    }
  }
  const std::vector<v128> x = Pack(left), y = Pack(right);
  std::vector<std::pair<v128, v128>> pairs;
  for (size_t i = 0; i < x.size(); ++i) pairs.push_back({x[i], y[i]});
  return pairs;
}

inline bool Same(v128 a, v128 b) { return std::memcmp(&a, &b, sizeof a) == 0; }

template <class T>
bool IsCanonicalNan(T v) {
  return (std::bit_cast<Bits<T>>(v) << 1) ==
         static_cast<Bits<T>>((std::bit_cast<Bits<T>>(std::numeric_limits<T>::infinity()) |
                               Bits<T>{1} << (std::numeric_limits<T>::digits - 2))
                              << 1);
}
template <class T>
bool IsQuietNan(T v) {
  const Bits<T> least = std::bit_cast<Bits<T>>(std::numeric_limits<T>::infinity()) |
                        Bits<T>{1} << (std::numeric_limits<T>::digits - 2);
  return (std::bit_cast<Bits<T>>(v) & least) == least;
}
// Whether `actual` may be the result of arithmetic on `operands` whose exact result is `expected`
// (specification §4.3.3, NaN propagation).
template <class T, class... Operands>
bool MayBe(T actual, T expected, Operands... operands) {
  if (expected == expected)
    return std::bit_cast<Bits<T>>(actual) == std::bit_cast<Bits<T>>(expected);
  const bool canonical = ((operands == operands || IsCanonicalNan(operands)) && ...);
  return canonical ? IsCanonicalNan(actual) : IsQuietNan(actual);
}

// ---- Instructions against functions of one lane ----
template <class T, class F>
void Unary(const char* name, v128 (*instruction)(v128), F lane) {
  v128 (*volatile op)(v128) = instruction;  // not inlined, not folded
  for (v128 v : Vectors<T>()) {
    const auto x = Lanes<T>(v), r = Lanes<T>(op(v));
    for (size_t i = 0; i < kLanes<T>; ++i) {
      ASSERT_EQ(r[i], static_cast<T>(lane(x[i]))) << name << " of " << +x[i];
    }
  }
}
// The result's lanes are of the same width.
template <class T, class F>
void Binary(const char* name, v128 (*instruction)(v128, v128), F lane) {
  v128 (*volatile op)(v128, v128) = instruction;  // not inlined, not folded
  using R = std::conditional_t<std::is_floating_point_v<T>, Bits<T>, T>;
  for (auto [a, b] : Pairs<T>()) {
    const auto x = Lanes<T>(a), y = Lanes<T>(b);
    const auto r = Lanes<R>(op(a, b));
    for (size_t i = 0; i < kLanes<T>; ++i) {
      ASSERT_EQ(r[i], static_cast<R>(lane(x[i], y[i]))) << name << " of " << +x[i] << ", " << +y[i];
    }
  }
}
// Arithmetic on floats.
template <class T, class F>
void FloatUnary(const char* name, v128 (*instruction)(v128), F lane) {
  v128 (*volatile op)(v128) = instruction;  // not inlined, not folded
  for (v128 v : Vectors<T>()) {
    const auto x = Lanes<T>(v), r = Lanes<T>(op(v));
    for (size_t i = 0; i < kLanes<T>; ++i) {
      ASSERT_TRUE(MayBe<T>(r[i], lane(x[i]), x[i])) << name << " of " << x[i] << ": " << r[i];
    }
  }
}
template <class T, class F>
void FloatBinary(const char* name, v128 (*instruction)(v128, v128), F lane) {
  v128 (*volatile op)(v128, v128) = instruction;  // not inlined, not folded
  for (auto [a, b] : Pairs<T>()) {
    const auto x = Lanes<T>(a), y = Lanes<T>(b), r = Lanes<T>(op(a, b));
    for (size_t i = 0; i < kLanes<T>; ++i) {
      ASSERT_TRUE(MayBe<T>(r[i], lane(x[i], y[i]), x[i], y[i]))
          << name << " of " << x[i] << ", " << y[i] << ": " << r[i];
    }
  }
}
// One lane of the result computed from all lanes of the operand: `lane(x, i)`.
template <class T, class R, class F>
void Convert(const char* name, v128 (*instruction)(v128), F lane) {
  v128 (*volatile op)(v128) = instruction;  // not inlined, not folded
  for (v128 v : Vectors<T>()) {
    const auto x = Lanes<T>(v);
    const auto r = Lanes<R>(op(v));
    for (size_t i = 0; i < kLanes<R>; ++i) {
      const R expected = static_cast<R>(lane(x, i));
      if constexpr (std::is_floating_point_v<R>) {
        ASSERT_TRUE(MayBe<R>(r[i], expected, x[i % kLanes<T>]))
            << name << " lane " << i << ": " << r[i];
      } else {
        ASSERT_EQ(r[i], expected) << name << " lane " << i;
      }
    }
  }
}
// Likewise from two vectors: `lane(x, y, i)`.
template <class T, class R, class F>
void Combine(const char* name, v128 (*instruction)(v128, v128), F lane) {
  v128 (*volatile op)(v128, v128) = instruction;  // not inlined, not folded
  for (auto [a, b] : Pairs<T>()) {
    const auto x = Lanes<T>(a), y = Lanes<T>(b);
    const auto r = Lanes<R>(op(a, b));
    for (size_t i = 0; i < kLanes<R>; ++i) {
      ASSERT_EQ(r[i], static_cast<R>(lane(x, y, i))) << name << " lane " << i;
    }
  }
}

template <class T>
T Saturate(Wide v) {
  const Wide low = std::numeric_limits<T>::min(), high = std::numeric_limits<T>::max();
  return static_cast<T>(v < low ? low : v > high ? high : v);
}

}  // namespace fermata::core

#endif  // FERMATA_TESTS_INCLUDE_CORE_SIMD_LANES_H_

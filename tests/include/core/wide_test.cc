// The wide-arithmetic instructions, computed in halves, against 128-bit integers.
#define FERMATA_NO_INT128 1
#include "fermata/core/wide.h"

#include <gtest/gtest.h>

#include <random>
#include <utility>
#include <vector>

#include "absl/numeric/int128.h"

namespace fermata::core {
namespace {

using U128 = absl::uint128;
using S128 = absl::int128;

U128 Pair(u64 low, u64 high) { return U128{high} << 64 | low; }

std::vector<u64> Words() {
  std::vector<u64> words = {0,
                            1,
                            2,
                            0xffffffff,
                            0x100000000,
                            0x100000001,
                            0x7fffffffffffffff,
                            0x8000000000000000,
                            0x8000000000000001,
                            0xfffffffffffffffe,
                            0xffffffffffffffff};
  std::mt19937_64 random(3);
  for (int i = 0; i < 40; ++i) words.push_back(random() >> (i % 64));
  return words;
}

TEST(Wide, Products) {
  for (u64 a : Words()) {
    for (u64 b : Words()) {
      u64 low = 0, high = 0;
      i64_mul_wide_u(a, b, low, high);
      ASSERT_EQ(Pair(low, high), U128{a} * b) << a << " * " << b;
      i64_mul_wide_s(a, b, low, high);
      ASSERT_EQ(Pair(low, high), static_cast<U128>(S128{static_cast<i64>(a)} * static_cast<i64>(b)))
          << a << " * " << b;
    }
  }
}

TEST(Wide, SumsAndDifferences) {
  const auto words = Words();
  for (size_t i = 0; i < words.size(); ++i) {
    for (size_t k = 0; k < words.size(); ++k) {
      const u64 a = words[i], c = words[words.size() - 1 - k];
      const U128 x = Pair(a, words[k]), y = Pair(c, words[(i + k) % words.size()]);
      u64 low = 0, high = 0;
      i64_add128(a, words[k], c, static_cast<u64>(y >> 64), low, high);
      ASSERT_EQ(Pair(low, high), x + y);
      i64_sub128(a, words[k], c, static_cast<u64>(y >> 64), low, high);
      ASSERT_EQ(Pair(low, high), x - y);
    }
  }
}

TEST(Wide, ResultsMayBeTheOperandsVariables) {
  u64 a = ~u64{0}, b = 1, c = 1, d = 2;
  i64_add128(a, b, c, d, a, b);
  EXPECT_EQ(a, 0u);
  EXPECT_EQ(b, 4u);
  i64_sub128(a, b, c, d, b, a);
  EXPECT_EQ(b, ~u64{0});
  EXPECT_EQ(a, 1u);
  i64_mul_wide_s(b, b, a, b);
  EXPECT_EQ(a, 1u);
  EXPECT_EQ(b, 0u);
}

}  // namespace
}  // namespace fermata::core

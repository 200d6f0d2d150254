// Atomic accesses on every view: values, wrapping, traps and their order, and two threads counting.
#include "fermata/core/atomics.h"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <vector>

#include "fermata/core/generated.h"
#include "fermata/dynamic.h"
#include "tests/support/trap_of.h"

namespace fermata::core {
namespace {

struct Fixture {
  alignas(8) u8 bytes[64] = {};
  Instance instance{};
  Memory memory{};
  MemoryField field{};
  Fixture() {
    memory.data = bytes;
    memory.bytes = sizeof bytes;
    field.base = bytes;
    field.memory = &memory;
  }
};

constexpr u64 kOld = 0x8182838485868788, kOperand = 0x7b6a594837261f0e;

template <class View>
class Atomics : public ::testing::Test {};
using Views = ::testing::Types<MemReserved, MemChecked, MemChecked64, MemShared>;
TYPED_TEST_SUITE(Atomics, Views);

// `op` on the `size` bytes at an address returns those of kOld and leaves `expected`; nothing else
// changes. At each address from 16 to 23 that it may have.
template <class View, class F>
void CheckRmw(u32 size, F op, u64 expected) {
  const u64 old = little(kOld), left = little(expected);
  const u64 mask = size == 8 ? ~u64{0} : (u64{1} << 8 * size) - 1;
  for (u32 at = 16; at < 24; at += size) {
    Fixture f;
    std::memset(f.bytes, 0x55, sizeof f.bytes);
    std::memcpy(f.bytes + at, &old, size);
    EXPECT_EQ(op(&f.instance, View(&f.instance, f.field), at - 12), kOld & mask);
    u8 wanted[64];
    std::memset(wanted, 0x55, sizeof wanted);
    std::memcpy(wanted + at, &left, size);
    EXPECT_EQ(std::memcmp(wanted, f.bytes, sizeof wanted), 0) << at;
  }
}
#define CHECK_RMW(type, name, size, expected)                   \
  CheckRmw<TypeParam>(                                          \
      size,                                                     \
      [](auto* i, auto m, u32 at) -> u64 {                      \
        return name(i, m, at, 12, static_cast<type>(kOperand)); \
      },                                                        \
      expected);
#define CHECK_CMPXCHG(type, name, size, compared, expected)                                  \
  CheckRmw<TypeParam>(                                                                       \
      size,                                                                                  \
      [](auto* i, auto m, u32 at) -> u64 {                                                   \
        return name(i, m, at, 12, static_cast<type>(compared), static_cast<type>(kOperand)); \
      },                                                                                     \
      expected);
// Narrow accesses wrap their operands: the high bits of the compared value do not count.
#define CHECK_ALL(type, rmw, u, size)                         \
  CHECK_RMW(type, rmw##_add##u, size, kOld + kOperand)        \
  CHECK_RMW(type, rmw##_sub##u, size, kOld - kOperand)        \
  CHECK_RMW(type, rmw##_and##u, size, (kOld & kOperand))      \
  CHECK_RMW(type, rmw##_or##u, size, (kOld | kOperand))       \
  CHECK_RMW(type, rmw##_xor##u, size, (kOld ^ kOperand))      \
  CHECK_RMW(type, rmw##_xchg##u, size, kOperand)              \
  CHECK_CMPXCHG(type, rmw##_cmpxchg##u, size, kOld, kOperand) \
  CHECK_CMPXCHG(type, rmw##_cmpxchg##u, size, kOld + 1, kOld)
TYPED_TEST(Atomics, ReadModifyWrite){
    CHECK_ALL(u32, i32_atomic_rmw, , 4) CHECK_ALL(u32, i32_atomic_rmw8, _u, 1)
        CHECK_ALL(u32, i32_atomic_rmw16, _u, 2) CHECK_ALL(u64, i64_atomic_rmw, , 8)
            CHECK_ALL(u64, i64_atomic_rmw8, _u, 1) CHECK_ALL(u64, i64_atomic_rmw16, _u, 2)
                CHECK_ALL(u64, i64_atomic_rmw32, _u, 4)}

TYPED_TEST(Atomics, LoadsAndStores) {
  Fixture f;
  const TypeParam m(&f.instance, f.field);
  Instance* const i = &f.instance;
  const auto word = [&] {
    u64 v;
    std::memcpy(&v, f.bytes + 56, 8);
    return little(v);
  };
  i64_atomic_store(i, m, 50, 6, kOld);
  EXPECT_EQ(word(), kOld);
  EXPECT_EQ(i64_atomic_load(i, m, 56, 0), kOld);
  EXPECT_EQ(i64_atomic_load8_u(i, m, 63, 0), kOld >> 56);
  EXPECT_EQ(i64_atomic_load16_u(i, m, 62, 0), kOld >> 48);
  EXPECT_EQ(i64_atomic_load32_u(i, m, 60, 0), kOld >> 32);
  EXPECT_EQ(i32_atomic_load(i, m, 60, 0), kOld >> 32);
  EXPECT_EQ(i32_atomic_load8_u(i, m, 63, 0), kOld >> 56);
  EXPECT_EQ(i32_atomic_load16_u(i, m, 62, 0), kOld >> 48);
  i64_atomic_store32(i, m, 56, 0, 0xabcdef0011223344);
  EXPECT_EQ(word(), 0x8182838411223344u);
  i64_atomic_store16(i, m, 56, 0, 0xabcdef0011225566);
  EXPECT_EQ(word(), 0x8182838411225566u);
  i64_atomic_store8(i, m, 56, 0, 0xabcdef0011225577);
  EXPECT_EQ(word(), 0x8182838411225577u);
  i32_atomic_store(i, m, 60, 0, 0xcafebabe);
  EXPECT_EQ(word(), 0xcafebabe11225577u);
  i32_atomic_store16(i, m, 62, 0, 0x12345678);
  EXPECT_EQ(word(), 0x5678babe11225577u);
  i32_atomic_store8(i, m, 63, 0, 0x12345699);
  EXPECT_EQ(word(), 0x9978babe11225577u);
  atomic_fence();
}

TYPED_TEST(Atomics, MisalignmentTrapsFirst) {
  Fixture f;
  const auto trap = [&](auto access) {
    return TrapOf([&](Instance* i) { access(i, TypeParam(i, f.field)); });
  };
  const Trap unaligned = Trap::kUnalignedAtomic;
  EXPECT_EQ(trap([](auto* i, auto m) { i32_atomic_load(i, m, 2, 4); }), unaligned);
  EXPECT_EQ(trap([](auto* i, auto m) { i32_atomic_load(i, m, 1, 3); }), Trap::kNone);
  EXPECT_EQ(trap([](auto* i, auto m) { i32_atomic_load8_u(i, m, 1, 0); }), Trap::kNone);
  EXPECT_EQ(trap([](auto* i, auto m) { i64_atomic_load16_u(i, m, 1, 0); }), unaligned);
  EXPECT_EQ(trap([](auto* i, auto m) { i64_atomic_store(i, m, 4, 0, 1); }), unaligned);
  EXPECT_EQ(trap([](auto* i, auto m) { i64_atomic_store32(i, m, 0, 2, 1); }), unaligned);
  EXPECT_EQ(trap([](auto* i, auto m) { i64_atomic_rmw_add(i, m, 63, 0, 1); }), unaligned);
  EXPECT_EQ(trap([](auto* i, auto m) { i32_atomic_rmw16_cmpxchg_u(i, m, 65, 0, 1, 2); }),
            unaligned);
  for (u8 b : f.bytes) EXPECT_EQ(b, 0);
}

TYPED_TEST(Atomics, WaitingChecksItsAddress) {
  Fixture f;
  const auto trap = [&](auto access) {
    return TrapOf([&](Instance* i) { access(i, TypeParam(i, f.field), &f.memory); });
  };
  const Trap outside = Trap::kMemoryOutOfBounds, unaligned = Trap::kUnalignedAtomic;
  EXPECT_EQ(trap([](auto* i, auto m, auto* y) { memory_atomic_notify(i, m, y, 62, 0, 1); }),
            unaligned);
  EXPECT_EQ(trap([](auto* i, auto m, auto* y) { memory_atomic_notify(i, m, y, 60, 4, 1); }),
            outside);
  EXPECT_EQ(trap([](auto* i, auto m, auto* y) { memory_atomic_notify(i, m, y, ~u64{3}, 8, 1); }),
            outside);
  EXPECT_EQ(trap([](auto* i, auto m, auto* y) { memory_atomic_wait32(i, m, y, 1, 64, 0, 0); }),
            unaligned);
  EXPECT_EQ(trap([](auto* i, auto m, auto* y) { memory_atomic_wait32(i, m, y, 64, 0, 0, 0); }),
            outside);
  EXPECT_EQ(trap([](auto* i, auto m, auto* y) { memory_atomic_wait64(i, m, y, 4, 0, 0, 0); }),
            unaligned);
  EXPECT_EQ(trap([](auto* i, auto m, auto* y) { memory_atomic_wait64(i, m, y, 0, 64, 0, 0); }),
            outside);
  // Within bounds, but not shared.
  EXPECT_EQ(trap([](auto* i, auto m, auto* y) { memory_atomic_wait64(i, m, y, 8, 48, 0, 0); }),
            Trap::kUnsharedWait);
}

// MemReserved faults instead: memory_test.cc.
template <class View>
class CheckedAtomics : public ::testing::Test {};
using CheckedViews = ::testing::Types<MemChecked, MemChecked64, MemShared>;
TYPED_TEST_SUITE(CheckedAtomics, CheckedViews);
TYPED_TEST(CheckedAtomics, Bounds) {
  Fixture f;
  const auto trap = [&](auto access) {
    return TrapOf([&](Instance* i) { access(i, TypeParam(i, f.field)); });
  };
  const Trap outside = Trap::kMemoryOutOfBounds;
  EXPECT_EQ(trap([](auto* i, auto m) { i32_atomic_load(i, m, 64, 0); }), outside);
  EXPECT_EQ(trap([](auto* i, auto m) { i32_atomic_load(i, m, 60, 0); }), Trap::kNone);
  EXPECT_EQ(trap([](auto* i, auto m) { i64_atomic_rmw32_or_u(i, m, 0, 64, 1); }), outside);
  EXPECT_EQ(trap([](auto* i, auto m) { i64_atomic_store8(i, m, 64, 0, 1); }), outside);
  EXPECT_EQ(trap([](auto* i, auto m) { i64_atomic_rmw_cmpxchg(i, m, 64, 0, 1, 2); }), outside);
}

// Two threads, each adding in its own way; nothing is lost.
TYPED_TEST(Atomics, TwoThreadsCount) {
  Fixture f;
  constexpr u32 kTimes = 50000;
  const auto count = [&] {
    Instance* const i = &f.instance;
    const TypeParam m(i, f.field);
    for (u32 n = 0; n < kTimes; ++n) {
      i32_atomic_rmw_add(i, m, 0, 0, 1);
      i64_atomic_rmw_sub(i, m, 8, 0, 1);
      i32_atomic_rmw16_add_u(i, m, 16, 2, 1);
      u64 seen = i64_atomic_load(i, m, 24, 0);
      for (;;) {
        const u64 found = i64_atomic_rmw_cmpxchg(i, m, 24, 0, seen, seen + 3);
        if (found == seen) break;
        seen = found;
      }
    }
  };
  std::thread other(count);
  count();
  other.join();
  Instance* const i = &f.instance;
  const TypeParam m(i, f.field);
  EXPECT_EQ(i32_atomic_load(i, m, 0, 0), 2 * kTimes);
  EXPECT_EQ(i64_atomic_load(i, m, 8, 0), -u64{2 * kTimes});
  EXPECT_EQ(i32_atomic_load16_u(i, m, 18, 0), (2 * kTimes) & 0xffff);
  EXPECT_EQ(i64_atomic_load(i, m, 24, 0), 3 * u64{2 * kTimes});
}

}  // namespace
}  // namespace fermata::core

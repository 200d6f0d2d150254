// Lanes moved, shuffled, swizzled; vectors loaded from and stored to memories of every kind.
#include "tests/include/core/simd/lanes.h"

#include "fermata/core/memory.h"

namespace fermata::core {
namespace {

const v128 kA = v128_const(0x8706050483020100, 0x8f0e0d0c8b0a0908);
const v128 kB = v128_const(0x9716151493121110, 0x9f1e1d1c9b1a1918);

template <size_t... kLane>
void CheckBytes(std::index_sequence<kLane...>) {
  const auto x = Lanes<u8>(kA);
  const auto check = [&]<size_t lane>() {
    EXPECT_EQ(i8x16_extract_lane_u<lane>(kA), x[lane]);
    EXPECT_EQ(i8x16_extract_lane_s<lane>(kA), static_cast<u32>(static_cast<int8_t>(x[lane])));
    auto y = x;
    y[lane] = 0xed;
    EXPECT_TRUE(Same((i8x16_replace_lane<lane>(kA, 0xabcdefed)), Vector<u8>(y)));
  };
  (check.template operator()<kLane>(), ...);
}
TEST(SimdLanes, Bytes) {
  CheckBytes(std::make_index_sequence<16>());
  for (u8 b : Lanes<u8>(i8x16_splat(0x12345678))) EXPECT_EQ(b, 0x78);
}

template <size_t... kLane>
void CheckHalves(std::index_sequence<kLane...>) {
  const v128 a = v128_const(0x8003000280010000, 0x0007800600058004);
  const auto x = Lanes<u16>(a);
  const auto check = [&]<size_t lane>() {
    EXPECT_EQ(i16x8_extract_lane_u<lane>(a), x[lane]);
    EXPECT_EQ(i16x8_extract_lane_s<lane>(a), static_cast<u32>(static_cast<int16_t>(x[lane])));
    auto y = x;
    y[lane] = 0xefed;
    EXPECT_TRUE(Same((i16x8_replace_lane<lane>(a, 0xabcdefed)), Vector<u16>(y)));
  };
  (check.template operator()<kLane>(), ...);
}
TEST(SimdLanes, Halves) {
  CheckHalves(std::make_index_sequence<8>());
  for (u16 h : Lanes<u16>(i16x8_splat(0x12345678))) EXPECT_EQ(h, 0x5678);
}

template <size_t... kLane>
void CheckWords(std::index_sequence<kLane...>) {
  const v128 a = v128_const(0x7f80000180000000, 0xff80000112345678);  // signaling NaNs too
  const auto x = Lanes<u32>(a);
  const auto check = [&]<size_t lane>() {
    EXPECT_EQ(i32x4_extract_lane<lane>(a), x[lane]);
    EXPECT_EQ(i32_reinterpret_f32(f32x4_extract_lane<lane>(a)), x[lane]);
    auto y = x;
    y[lane] = 0x7f800055;
    EXPECT_TRUE(Same((i32x4_replace_lane<lane>(a, 0x7f800055)), Vector<u32>(y)));
    const f32 nan = f32_reinterpret_i32(0x7f800055);
    EXPECT_TRUE(Same((f32x4_replace_lane<lane>(a, nan)), Vector<u32>(y)));
  };
  (check.template operator()<kLane>(), ...);
}
TEST(SimdLanes, Words) {
  CheckWords(std::make_index_sequence<4>());
  for (u32 w : Lanes<u32>(i32x4_splat(0x12345678))) EXPECT_EQ(w, 0x12345678u);
  for (f32 w : Lanes<f32>(f32x4_splat(-2.5f))) EXPECT_EQ(w, -2.5f);
}

TEST(SimdLanes, DoubleWords) {
  const v128 a = v128_const(0x7ff0000000000001, 0x8123456789abcdef);
  EXPECT_EQ(i64x2_extract_lane<0>(a), 0x7ff0000000000001u);
  EXPECT_EQ(i64x2_extract_lane<1>(a), 0x8123456789abcdefu);
  EXPECT_EQ(i64_reinterpret_f64(f64x2_extract_lane<0>(a)), 0x7ff0000000000001u);
  EXPECT_TRUE(Same(i64x2_replace_lane<0>(a, 7), v128_const(7, 0x8123456789abcdef)));
  EXPECT_TRUE(Same(i64x2_replace_lane<1>(a, 7), v128_const(0x7ff0000000000001, 7)));
  EXPECT_TRUE(Same(f64x2_replace_lane<1>(v128{}, 1.0), v128_const(0, 0x3ff0000000000000)));
  EXPECT_TRUE(Same(i64x2_splat(~u64{5}), v128_const(~u64{5}, ~u64{5})));
  EXPECT_TRUE(Same(f64x2_splat(1.0), v128_const(0x3ff0000000000000, 0x3ff0000000000000)));
  EXPECT_EQ(v128_low(a), 0x7ff0000000000001u);
  EXPECT_EQ(v128_high(a), 0x8123456789abcdefu);
  EXPECT_TRUE(Same(force(a), a));
  u8 frame[40] = {};
  frame_put128(frame, 9, a);
  EXPECT_EQ(frame[8], 0);
  EXPECT_EQ(frame[9], 1);
  EXPECT_EQ(frame[24], 0x81);
  EXPECT_EQ(frame[25], 0);
  EXPECT_TRUE(Same(frame_get128(frame, 9), a));
}

template <u8... i>
void CheckShuffle() {
  const auto a = Lanes<u8>(kA), b = Lanes<u8>(kB);
  const Array<u8> expected = {(i < 16 ? a[i % 16] : b[i % 16])...};
  EXPECT_TRUE(Same((i8x16_shuffle<i...>(kA, kB)), Vector<u8>(expected)));
  EXPECT_TRUE(Same((i8x16_shuffle<i...>(opaque(kA), opaque(kB))), Vector<u8>(expected)));
}
TEST(SimdLanes, Shuffle) {
  CheckShuffle<0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15>();
  CheckShuffle<16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31>();
  CheckShuffle<31, 30, 29, 28, 27, 26, 25, 24, 7, 6, 5, 4, 3, 2, 1, 0>();
  CheckShuffle<0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23>();
  CheckShuffle<5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5>();
  CheckShuffle<3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18>();
  CheckShuffle<2, 3, 0, 1, 22, 23, 4, 5, 30, 31, 8, 9, 12, 13, 14, 15>();        // 16-bit lanes
  CheckShuffle<4, 5, 6, 7, 16, 17, 18, 19, 0, 1, 2, 3, 28, 29, 30, 31>();        // 32-bit lanes
  CheckShuffle<8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23>();  // 64-bit lanes
  CheckShuffle<4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19>();
  CheckShuffle<3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10>();  // rotated halves
  CheckShuffle<15, 0, 1, 2, 3, 4, 5, 6, 16, 17, 18, 19, 20, 21, 22, 31>();
  CheckShuffle<0, 17, 2, 19, 4, 21, 6, 23, 8, 25, 10, 27, 12, 29, 14, 31>();
  CheckShuffle<31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 0>();
  CheckShuffle<1, 2, 0, 3, 4, 6, 5, 7, 31, 9, 21, 11, 12, 29, 14, 15>();
}

TEST(SimdLanes, Swizzle) {
  for (auto [a, s] : Pairs<u8>()) {
    const auto x = Lanes<u8>(a), p = Lanes<u8>(s), r = Lanes<u8>(i8x16_swizzle(a, s));
    for (size_t i = 0; i < 16; ++i) ASSERT_EQ(r[i], p[i] < 16 ? x[p[i]] : 0);
    ASSERT_TRUE(Same(i8x16_relaxed_swizzle(a, s), i8x16_swizzle(a, s)));
  }
}

// ---- Memory ----
struct Fixture {
  std::vector<u8> bytes = std::vector<u8>(256);
  Instance instance{};
  Memory memory{};
  MemoryField field{};
  Fixture() {
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<u8>(i * 37 + 101);
    memory.data = bytes.data();
    memory.bytes = bytes.size();
    field.base = bytes.data();
    field.memory = &memory;
  }
};

template <class T>
Array<T> At(const Fixture& f, size_t address, size_t count) {
  Array<T> lanes{};
  for (size_t i = 0; i < count; ++i) {
    Bits<T> bits;
    std::memcpy(&bits, &f.bytes[address + i * sizeof(T)], sizeof bits);
    lanes[i] = std::bit_cast<T>(little(bits));
  }
  return lanes;
}
template <class N, class W, class View>
void CheckExtending(const Fixture& f, const View& m, v128 (*instruction)(const View&, u64, u64)) {
  v128 (*volatile load)(const View&, u64, u64) = instruction;
  for (u64 address : {0u, 3u, 17u, 100u, 230u}) {
    const auto narrow = At<N>(f, address + 18, 8 / sizeof(N));
    const auto r = Lanes<W>(load(m, address, 18));
    for (size_t i = 0; i < kLanes<W>; ++i) ASSERT_EQ(r[i], static_cast<W>(narrow[i]));
  }
}
template <class View>
void CheckLoads() {
  Fixture f;
  const View m(&f.instance, f.field);
  EXPECT_TRUE(Same(v128_load(m, 200, 40), Vector<u8>(At<u8>(f, 240, 16))));
  EXPECT_TRUE(Same(v128_load(m, 3, 4), Vector<u8>(At<u8>(f, 7, 16))));
  CheckExtending<int8_t, int16_t>(f, m, v128_load8x8_s<View>);
  CheckExtending<u8, u16>(f, m, v128_load8x8_u<View>);
  CheckExtending<int16_t, int32_t>(f, m, v128_load16x4_s<View>);
  CheckExtending<u16, u32>(f, m, v128_load16x4_u<View>);
  CheckExtending<int32_t, int64_t>(f, m, v128_load32x2_s<View>);
  CheckExtending<u32, u64>(f, m, v128_load32x2_u<View>);
  EXPECT_TRUE(Same(v128_load8_splat(m, 255, 0), i8x16_splat(At<u8>(f, 255, 1)[0])));
  EXPECT_TRUE(Same(v128_load16_splat(m, 253, 1), i16x8_splat(At<u16>(f, 254, 1)[0])));
  EXPECT_TRUE(Same(v128_load32_splat(m, 11, 1), i32x4_splat(At<u32>(f, 12, 1)[0])));
  EXPECT_TRUE(Same(v128_load64_splat(m, 12, 1), i64x2_splat(At<u64>(f, 13, 1)[0])));
  EXPECT_TRUE(Same(v128_load32_zero(m, 252, 0), v128_const(At<u32>(f, 252, 1)[0], 0)));
  EXPECT_TRUE(Same(v128_load64_zero(m, 0, 248), v128_const(At<u64>(f, 248, 1)[0], 0)));

  const auto replaced = [&]<class T>(size_t lane, T value) {
    auto lanes = Lanes<T>(kA);
    lanes[lane] = value;
    return Vector<T>(lanes);
  };
  EXPECT_TRUE(Same(v128_load8_lane<5>(m, 9, 1, kA), replaced(5, At<u8>(f, 10, 1)[0])));
  EXPECT_TRUE(Same(v128_load16_lane<7>(m, 9, 1, kA), replaced(7, At<u16>(f, 10, 1)[0])));
  EXPECT_TRUE(Same(v128_load32_lane<2>(m, 9, 2, kA), replaced(2, At<u32>(f, 11, 1)[0])));
  EXPECT_TRUE(Same(v128_load64_lane<1>(m, 9, 2, kA), replaced(1, At<u64>(f, 11, 1)[0])));
}
// `store` writes the `size` bytes of kA from `from` on at 60, and no other.
template <class View, class F>
void CheckStore(size_t from, size_t size, F store) {
  Fixture f;
  const View m(&f.instance, f.field);
  std::vector<u8> expected = f.bytes;
  const Array<u8> bytes = Lanes<u8>(kA);
  for (size_t i = 0; i < size; ++i) expected.at(60 + i) = bytes[from + i];
  store(m);
  EXPECT_EQ(f.bytes, expected);
}
template <class View>
void CheckStores() {
  CheckStore<View>(0, 16, [](const View& m) { v128_store(m, 53, 7, kA); });
  CheckStore<View>(11, 1, [](const View& m) { v128_store8_lane<11>(m, 53, 7, kA); });
  CheckStore<View>(6, 2, [](const View& m) { v128_store16_lane<3>(m, 53, 7, kA); });
  CheckStore<View>(12, 4, [](const View& m) { v128_store32_lane<3>(m, 53, 7, kA); });
  CheckStore<View>(8, 8, [](const View& m) { v128_store64_lane<1>(m, 53, 7, kA); });
}
TEST(SimdMemory, Loads) {
  CheckLoads<MemReserved>();
  CheckLoads<MemChecked>();
  CheckLoads<MemChecked64>();
  CheckLoads<MemShared>();
}
TEST(SimdMemory, Stores) {
  CheckStores<MemReserved>();
  CheckStores<MemChecked>();
  CheckStores<MemChecked64>();
  CheckStores<MemShared>();
}

// What is asked of the view: every access checks exactly the bytes it touches.
struct Recorder {
  mutable u64 address = 0, offset = 0;
  mutable u32 size = 0;
  mutable u8 bytes[16] = {};
  u8* at(u64 a, u64 o, u32 s) const {
    address = a;
    offset = o;
    size = s;
    return bytes;
  }
  static constexpr bool kFaults = true;
  template <class T>
  T Whole(T v) const {
    return v;
  }
  void Stored() const {}
};
TEST(SimdMemory, ChecksTheBytesTouched) {
  Recorder m;
  const u64 a = 0xfffffff000000001, o = 0xffffffff;
#define EXPECT_SIZE(access, expected)     \
  access;                                 \
  EXPECT_EQ(m.size, expected) << #access; \
  EXPECT_EQ(m.address, a);                \
  EXPECT_EQ(m.offset, o);
  EXPECT_SIZE(v128_load(m, a, o), 16u)
  EXPECT_SIZE(v128_load8x8_s(m, a, o), 8u)
  EXPECT_SIZE(v128_load32x2_u(m, a, o), 8u)
  EXPECT_SIZE(v128_load8_splat(m, a, o), 1u)
  EXPECT_SIZE(v128_load16_splat(m, a, o), 2u)
  EXPECT_SIZE(v128_load32_splat(m, a, o), 4u)
  EXPECT_SIZE(v128_load64_splat(m, a, o), 8u)
  EXPECT_SIZE(v128_load32_zero(m, a, o), 4u)
  EXPECT_SIZE(v128_load64_zero(m, a, o), 8u)
  EXPECT_SIZE(v128_load8_lane<0>(m, a, o, kA), 1u)
  EXPECT_SIZE(v128_load16_lane<0>(m, a, o, kA), 2u)
  EXPECT_SIZE(v128_load32_lane<0>(m, a, o, kA), 4u)
  EXPECT_SIZE(v128_load64_lane<0>(m, a, o, kA), 8u)
  EXPECT_SIZE(v128_store(m, a, o, kA), 16u)
  EXPECT_SIZE(v128_store8_lane<0>(m, a, o, kA), 1u)
  EXPECT_SIZE(v128_store16_lane<0>(m, a, o, kA), 2u)
  EXPECT_SIZE(v128_store32_lane<0>(m, a, o, kA), 4u)
  EXPECT_SIZE(v128_store64_lane<0>(m, a, o, kA), 8u)
}

}  // namespace
}  // namespace fermata::core

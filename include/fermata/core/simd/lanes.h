// The type v128, its lanes, and what moves lanes: constants, splat, extract, replace, shuffle,
// swizzle, bit masks, widening and narrowing. Core header; see simd.h.
#ifndef FERMATA_CORE_SIMD_LANES_H_
#define FERMATA_CORE_SIMD_LANES_H_

#include "fermata/core/abi.h"
#include "fermata/core/frame.h"
#include "fermata/core/numeric.h"

#if !defined(__GNUC__)
#error "v128 needs GNU C++'s vector extensions"
#endif
#if defined(__SSE2__) && !defined(FERMATA_SIMD_PORTABLE)
#define FERMATA_SSE2 1
#if defined(__SSSE3__)
#define FERMATA_SSSE3 1
#endif
#if defined(__SSE4_1__)
#define FERMATA_SSE41 1
#endif
#endif
// The intrinsics of these headers stay; compilers' builtins behind them come and go.
#if defined(FERMATA_SSE41)
#include <smmintrin.h>
#elif defined(FERMATA_SSSE3)
#include <tmmintrin.h>
#elif defined(FERMATA_SSE2)
#include <emmintrin.h>
#endif

namespace fermata::core {

// Lane 0 has the lowest bits of the value. Conversions between these keep the bits.
typedef int8_t i8x16 __attribute__((vector_size(16)));
typedef u8 u8x16 __attribute__((vector_size(16)));
typedef int16_t i16x8 __attribute__((vector_size(16)));
typedef u16 u16x8 __attribute__((vector_size(16)));
typedef int i32x4 __attribute__((vector_size(16)));
typedef u32 u32x4 __attribute__((vector_size(16)));
typedef long long i64x2 __attribute__((vector_size(16)));
typedef unsigned long long u64x2 __attribute__((vector_size(16)));
typedef f32 f32x4 __attribute__((vector_size(16)));
typedef f64 f64x2 __attribute__((vector_size(16)));
using v128 = u64x2;

// The element of a vector that is a lane. On big-endian machines a vector's bytes are in the order of
// the machine as a whole, so that lanes of all widths agree: element 0 is the highest lane.
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define FERMATA_BIG_ENDIAN 1
#define FERMATA_LANE(shape, lane) \
  (static_cast<int>(sizeof(shape) / sizeof(shape{}[0])) - 1 - (lane))
#else
#define FERMATA_LANE(shape, lane) (lane)
#endif

// ---- Whole values ----
#if defined(FERMATA_BIG_ENDIAN)
FERMATA_INLINE v128 v128_const(u64 low, u64 high) { return v128{high, low}; }
#else
FERMATA_INLINE v128 v128_const(u64 low, u64 high) { return v128{low, high}; }
#endif
FERMATA_INLINE u64 v128_low(v128 v) { return v[FERMATA_LANE(v128, 0)]; }
FERMATA_INLINE u64 v128_high(v128 v) { return v[FERMATA_LANE(v128, 1)]; }
// The vector whose bytes in the machine's memory are those of `v` in WebAssembly's, and back.
FERMATA_INLINE v128 little(v128 v) {
#if defined(FERMATA_BIG_ENDIAN)
  return v128{little(v128_low(v)), little(v128_high(v))};
#else
  return v;
#endif
}

// As those of memory.h.
#if defined(__SSE2__)
#define FERMATA_VECTOR_REGISTER "x"
#elif defined(__aarch64__)
#define FERMATA_VECTOR_REGISTER "w"
#else
#define FERMATA_VECTOR_REGISTER "m"
#endif
FERMATA_INLINE v128 force(v128 v) {
  __asm__ volatile("" : : FERMATA_VECTOR_REGISTER(v) : "memory");
  return v;
}
FERMATA_INLINE v128 in_one_register(v128 v) {
  __asm__("" : "+" FERMATA_VECTOR_REGISTER(v));
  return v;
}

// 16 bytes, little-endian, at any alignment.
FERMATA_INLINE void frame_put128(u8* frame, u32 offset, v128 v) {
  v = little(v);
  memcpy(frame + offset, &v, sizeof v);
}
FERMATA_INLINE v128 frame_get128(const u8* frame, u32 offset) {
  v128 v;
  memcpy(&v, frame + offset, sizeof v);
  return little(v);
}

// ---- Splat, extract, replace ----
FERMATA_INLINE v128 i8x16_splat(u32 x) {
  const u8 b = static_cast<u8>(x);
  return v128(u8x16{b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b});
}
FERMATA_INLINE v128 i16x8_splat(u32 x) {
  const u16 h = static_cast<u16>(x);
  return v128(u16x8{h, h, h, h, h, h, h, h});
}
FERMATA_INLINE v128 i32x4_splat(u32 x) { return v128(u32x4{x, x, x, x}); }
FERMATA_INLINE v128 i64x2_splat(u64 x) { return v128{x, x}; }
FERMATA_INLINE v128 f32x4_splat(f32 x) { return v128(f32x4{x, x, x, x}); }
FERMATA_INLINE v128 f64x2_splat(f64 x) { return v128(f64x2{x, x}); }

#define FERMATA_EXTRACT(name, shape, result, cast)     \
  template <int kLane>                                 \
  FERMATA_INLINE result name(v128 v) {                 \
    return cast(shape(v)[FERMATA_LANE(shape, kLane)]); \
  }
FERMATA_EXTRACT(i8x16_extract_lane_s, i8x16, u32, static_cast<u32>)
FERMATA_EXTRACT(i8x16_extract_lane_u, u8x16, u32, )
FERMATA_EXTRACT(i16x8_extract_lane_s, i16x8, u32, static_cast<u32>)
FERMATA_EXTRACT(i16x8_extract_lane_u, u16x8, u32, )
FERMATA_EXTRACT(i32x4_extract_lane, u32x4, u32, )
FERMATA_EXTRACT(i64x2_extract_lane, u64x2, u64, )
// Moved as integers, so that signaling NaNs stay what they are.
FERMATA_EXTRACT(f32x4_extract_lane, u32x4, f32, f32_reinterpret_i32)
FERMATA_EXTRACT(f64x2_extract_lane, u64x2, f64, f64_reinterpret_i64)
#undef FERMATA_EXTRACT

#define FERMATA_REPLACE(name, shape, value, cast) \
  template <int kLane>                            \
  FERMATA_INLINE v128 name(v128 v, value x) {     \
    shape lanes = shape(v);                       \
    lanes[FERMATA_LANE(shape, kLane)] = cast(x);  \
    return v128(lanes);                           \
  }
FERMATA_REPLACE(i8x16_replace_lane, u8x16, u32, static_cast<u8>)
FERMATA_REPLACE(i16x8_replace_lane, u16x8, u32, static_cast<u16>)
FERMATA_REPLACE(i32x4_replace_lane, u32x4, u32, )
FERMATA_REPLACE(i64x2_replace_lane, u64x2, u64, )
FERMATA_REPLACE(f32x4_replace_lane, u32x4, f32, i32_reinterpret_f32)
FERMATA_REPLACE(f64x2_replace_lane, u64x2, f64, i64_reinterpret_f64)
#undef FERMATA_REPLACE

// ---- Shuffle ----
// Lanes of `a` are numbered from 0, those of `b` follow.
#if defined(FERMATA_BIG_ENDIAN)
// `b` and `a` one after the other have the lanes of both from the highest to the lowest.
#define FERMATA_SHUFFLE(shape, mask, a, b, ...) FERMATA_SHUFFLE_##shape(a, b, __VA_ARGS__)
#define FERMATA_SHUFFLE_u64x2(a, b, i, j) __builtin_shufflevector(b, a, 3 - (j), 3 - (i))
#define FERMATA_SHUFFLE_u32x4(a, b, i, j, k, l) \
  __builtin_shufflevector(b, a, 7 - (l), 7 - (k), 7 - (j), 7 - (i))
#define FERMATA_SHUFFLE_u16x8(a, b, i, j, k, l, m, n, o, p)                                 \
  __builtin_shufflevector(b, a, 15 - (p), 15 - (o), 15 - (n), 15 - (m), 15 - (l), 15 - (k), \
                          15 - (j), 15 - (i))
#define FERMATA_SHUFFLE_u8x16(a, b, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x)             \
  __builtin_shufflevector(b, a, 31 - (x), 31 - (w), 31 - (v), 31 - (u), 31 - (t), 31 - (s),     \
                          31 - (r), 31 - (q), 31 - (p), 31 - (o), 31 - (n), 31 - (m), 31 - (l), \
                          31 - (k), 31 - (j), 31 - (i))
#elif defined(__clang__) || __GNUC__ >= 12
#define FERMATA_SHUFFLE(shape, mask, a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define FERMATA_SHUFFLE(shape, mask, a, b, ...) __builtin_shuffle(a, b, mask{__VA_ARGS__})
#endif

#if defined(FERMATA_SSE2) && !defined(FERMATA_SSSE3) && !defined(__clang__)
// g++ moves bytes one by one where there is no pshufb. But most shuffles move runs of bytes by a
// few distances: each distance is a shift of an operand as a whole and a mask.
struct ShufflePlan {
  u64 masks[2][31][2];  // by operand, 15 + distance and half: the bytes that it brings in place
  int parts;
};
constexpr ShufflePlan shuffle_plan(const u8 (&lanes)[16]) {
  ShufflePlan plan{};
  for (int i = 0; i < 16; ++i) {
    u64(&mask)[2] = plan.masks[lanes[i] / 16][15 + i - lanes[i] % 16];
    if (mask[0] == 0 && mask[1] == 0) ++plan.parts;
    mask[i / 8] |= u64{0xff} << 8 * (i % 8);
  }
  return plan;
}
template <u8... kLane>
struct ByteShuffle {
  static constexpr u8 kLanes[16] = {kLane...};
  static constexpr ShufflePlan kPlan = shuffle_plan(kLanes);
  template <int kOperand, int kIndex>
  static FERMATA_INLINE v128 Part(v128 v) {
    constexpr u64 kLow = kPlan.masks[kOperand][kIndex][0], kHigh = kPlan.masks[kOperand][kIndex][1];
    if constexpr (kLow == 0 && kHigh == 0) {
      return v128{};
    } else {
      if constexpr (kIndex > 15) v = v128(_mm_slli_si128(__m128i(v), kIndex - 15));
      if constexpr (kIndex < 15) v = v128(_mm_srli_si128(__m128i(v), 15 - kIndex));
      return v & v128{kLow, kHigh};
    }
  }
  template <int kIndex>
  static FERMATA_INLINE v128 From(v128 a, v128 b) {
    if constexpr (kIndex > 30) {
      return v128{};
    } else {
      return Part<0, kIndex>(a) | Part<1, kIndex>(b) | From<kIndex + 1>(a, b);
    }
  }
};
#define FERMATA_SHUFFLES_BY_SHIFTS 1
#endif

// The bytes at the given positions of the 32 bytes of `a` and `b`. What moves wider lanes as a
// whole is said so: compilers for SSE2 find its instructions then.
template <u8 i0, u8 i1, u8 i2, u8 i3, u8 i4, u8 i5, u8 i6, u8 i7, u8 i8, u8 i9, u8 i10, u8 i11,
          u8 i12, u8 i13, u8 i14, u8 i15>
FERMATA_INLINE v128 i8x16_shuffle(v128 a, v128 b) {
  constexpr bool k16 = i0 % 2 == 0 && i1 == i0 + 1 && i2 % 2 == 0 && i3 == i2 + 1 && i4 % 2 == 0 &&
                       i5 == i4 + 1 && i6 % 2 == 0 && i7 == i6 + 1 && i8 % 2 == 0 && i9 == i8 + 1 &&
                       i10 % 2 == 0 && i11 == i10 + 1 && i12 % 2 == 0 && i13 == i12 + 1 &&
                       i14 % 2 == 0 && i15 == i14 + 1;
  constexpr bool k32 = k16 && i0 % 4 == 0 && i2 == i0 + 2 && i4 % 4 == 0 && i6 == i4 + 2 &&
                       i8 % 4 == 0 && i10 == i8 + 2 && i12 % 4 == 0 && i14 == i12 + 2;
  constexpr bool k64 = k32 && i0 % 8 == 0 && i4 == i0 + 4 && i8 % 8 == 0 && i12 == i8 + 4;
  if constexpr (k64) {
    return FERMATA_SHUFFLE(u64x2, i64x2, a, b, i0 / 8, i8 / 8);
  } else if constexpr (k32) {
    return v128(FERMATA_SHUFFLE(u32x4, i32x4, u32x4(a), u32x4(b), i0 / 4, i4 / 4, i8 / 4, i12 / 4));
  } else if constexpr (k16) {
    return v128(FERMATA_SHUFFLE(u16x8, i16x8, u16x8(a), u16x8(b), i0 / 2, i2 / 2, i4 / 2, i6 / 2,
                                i8 / 2, i10 / 2, i12 / 2, i14 / 2));
  } else {
#if defined(FERMATA_SHUFFLES_BY_SHIFTS)
    using S = ByteShuffle<i0, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11, i12, i13, i14, i15>;
    if constexpr (S::kPlan.parts <= 6) return S::template From<0>(a, b);
#endif
    return v128(FERMATA_SHUFFLE(u8x16, i8x16, u8x16(a), u8x16(b), i0, i1, i2, i3, i4, i5, i6, i7,
                                i8, i9, i10, i11, i12, i13, i14, i15));
  }
}

// The bytes of `a` at the positions in `positions`, 0 for positions above 15.
FERMATA_INLINE v128 i8x16_swizzle(v128 a, v128 positions) {
#if defined(FERMATA_SSSE3)
  // pshufb gives 0 where the top bit is set: 16 and above are brought there.
  const __m128i top = _mm_adds_epu8(__m128i(positions), __m128i(i8x16_splat(0x70)));
  return v128(_mm_shuffle_epi8(__m128i(a), top));
#else
  // A table with a zero after the 16 bytes, and positions up to 16.
  alignas(16) u8 table[32] = {};
  const u8x16 p = u8x16(positions);
  const u8x16 limit = u8x16(i8x16_splat(16));
  const v128 q = v128(p < limit ? p : limit);
  a = little(a);
  memcpy(table, &a, sizeof a);
  u64 halves[2] = {v128_low(q), v128_high(q)};
  for (u64& half : halves) {
    const u64 in = half;
    half = u64{table[in & 31]} | u64{table[in >> 8 & 31]} << 8 | u64{table[in >> 16 & 31]} << 16 |
           u64{table[in >> 24 & 31]} << 24 | u64{table[in >> 32 & 31]} << 32 |
           u64{table[in >> 40 & 31]} << 40 | u64{table[in >> 48 & 31]} << 48 |
           u64{table[in >> 56]} << 56;
  }
  return v128_const(halves[0], halves[1]);
#endif
}
FERMATA_INLINE v128 i8x16_relaxed_swizzle(v128 a, v128 positions) {
  return i8x16_swizzle(a, positions);
}

// ---- Tests of all lanes ----
#if defined(FERMATA_SSE2)
FERMATA_INLINE u32 i8x16_bitmask(v128 v) { return static_cast<u32>(_mm_movemask_epi8(__m128i(v))); }
FERMATA_INLINE u32 i16x8_bitmask(v128 v) {
  return i8x16_bitmask(v128(_mm_packs_epi16(__m128i(v), __m128i{})));
}
FERMATA_INLINE u32 i32x4_bitmask(v128 v) { return static_cast<u32>(_mm_movemask_ps(f32x4(v))); }
FERMATA_INLINE u32 i64x2_bitmask(v128 v) { return static_cast<u32>(_mm_movemask_pd(f64x2(v))); }
#else
FERMATA_INLINE u32 i8x16_bitmask(v128 v) {
  // One bit per byte, then a multiplication that collects the eight of a half in its top byte.
  const v128 bits = (v >> 7) & i8x16_splat(1);
  return static_cast<u32>(v128_low(bits) * 0x0102040810204080u >> 56 |
                          (v128_high(bits) * 0x0102040810204080u >> 56) << 8);
}
FERMATA_INLINE u32 i16x8_bitmask(v128 v) {
  u32 mask = 0;
  for (int i = 0; i < 8; ++i) mask |= u32{u16x8(v)[FERMATA_LANE(u16x8, i)]} >> 15 << i;
  return mask;
}
FERMATA_INLINE u32 i32x4_bitmask(v128 v) {
  u32 mask = 0;
  for (int i = 0; i < 4; ++i) mask |= u32x4(v)[FERMATA_LANE(u32x4, i)] >> 31 << i;
  return mask;
}
FERMATA_INLINE u32 i64x2_bitmask(v128 v) {
  return static_cast<u32>(v128_low(v) >> 63 | (v128_high(v) >> 63) << 1);
}
#endif
FERMATA_INLINE u32 i8x16_all_true(v128 v) { return i8x16_bitmask(v128(u8x16(v) == u8x16{})) == 0; }
FERMATA_INLINE u32 i16x8_all_true(v128 v) { return i8x16_bitmask(v128(u16x8(v) == u16x8{})) == 0; }
FERMATA_INLINE u32 i32x4_all_true(v128 v) { return i8x16_bitmask(v128(u32x4(v) == u32x4{})) == 0; }
FERMATA_INLINE u32 i64x2_all_true(v128 v) { return v[0] != 0 && v[1] != 0; }
FERMATA_INLINE u32 v128_any_true(v128 v) {
#if defined(FERMATA_SSE2)
  return i8x16_bitmask(v128(u8x16(v) == u8x16{})) != 0xffff;
#else
  return (v[0] | v[1]) != 0;
#endif
}

// ---- Widening: half the lanes, each twice as wide ----
// Unsigned lanes are interleaved with zeros, signed ones with themselves and shifted down.
#define FERMATA_LOW8(a, b) \
  FERMATA_SHUFFLE(u8x16, i8x16, a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define FERMATA_HIGH8(a, b) \
  FERMATA_SHUFFLE(u8x16, i8x16, a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#define FERMATA_LOW16(a, b) FERMATA_SHUFFLE(u16x8, i16x8, a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define FERMATA_HIGH16(a, b) FERMATA_SHUFFLE(u16x8, i16x8, a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#define FERMATA_LOW32(a, b) FERMATA_SHUFFLE(u32x4, i32x4, a, b, 0, 4, 1, 5)
#define FERMATA_HIGH32(a, b) FERMATA_SHUFFLE(u32x4, i32x4, a, b, 2, 6, 3, 7)
#define FERMATA_WIDEN(wide, narrow, half, interleave, in, out, bits) \
  FERMATA_INLINE v128 wide##_extend_##half##_##narrow##_u(v128 v) {  \
    return v128(interleave(in(v), in{}));                            \
  }                                                                  \
  FERMATA_INLINE v128 wide##_extend_##half##_##narrow##_s(v128 v) {  \
    return v128(out(interleave(in(v), in(v))) >> bits);              \
  }
FERMATA_WIDEN(i16x8, i8x16, low, FERMATA_LOW8, u8x16, i16x8, 8)
FERMATA_WIDEN(i16x8, i8x16, high, FERMATA_HIGH8, u8x16, i16x8, 8)
FERMATA_WIDEN(i32x4, i16x8, low, FERMATA_LOW16, u16x8, i32x4, 16)
FERMATA_WIDEN(i32x4, i16x8, high, FERMATA_HIGH16, u16x8, i32x4, 16)
#undef FERMATA_WIDEN
// No machine before AVX-512 shifts signed 64-bit lanes: interleaved with the signs instead.
FERMATA_INLINE u32x4 i32x4_signs(v128 v) { return u32x4(i32x4(v) >> 31); }
FERMATA_INLINE v128 i64x2_extend_low_i32x4_u(v128 v) {
  return v128(FERMATA_LOW32(u32x4(v), u32x4{}));
}
FERMATA_INLINE v128 i64x2_extend_high_i32x4_u(v128 v) {
  return v128(FERMATA_HIGH32(u32x4(v), u32x4{}));
}
FERMATA_INLINE v128 i64x2_extend_low_i32x4_s(v128 v) {
  return v128(FERMATA_LOW32(u32x4(v), i32x4_signs(v)));
}
FERMATA_INLINE v128 i64x2_extend_high_i32x4_s(v128 v) {
  return v128(FERMATA_HIGH32(u32x4(v), i32x4_signs(v)));
}

// ---- Narrowing: signed lanes of `a`, then of `b`, to half the width with saturation ----
#define FERMATA_EVEN8(a, b) \
  FERMATA_SHUFFLE(u8x16, i8x16, a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
#define FERMATA_EVEN16(a, b) FERMATA_SHUFFLE(u16x8, i16x8, a, b, 0, 2, 4, 6, 8, 10, 12, 14)
template <class V>
FERMATA_INLINE V lanes_clamp(V v, V low, V high) {
  v = v < low ? low : v;
  return v > high ? high : v;
}
#if defined(FERMATA_SSE2)
FERMATA_INLINE v128 i8x16_narrow_i16x8_s(v128 a, v128 b) {
  return v128(_mm_packs_epi16(__m128i(a), __m128i(b)));
}
FERMATA_INLINE v128 i8x16_narrow_i16x8_u(v128 a, v128 b) {
  return v128(_mm_packus_epi16(__m128i(a), __m128i(b)));
}
FERMATA_INLINE v128 i16x8_narrow_i32x4_s(v128 a, v128 b) {
  return v128(_mm_packs_epi32(__m128i(a), __m128i(b)));
}
FERMATA_INLINE v128 i16x8_narrow_i32x4_u(v128 a, v128 b) {
#if defined(FERMATA_SSE41)
  return v128(_mm_packus_epi32(__m128i(a), __m128i(b)));
#else
  // Negative lanes to 0, then down by 2^15, where signed saturation is the one wanted.
  const u32x4 down = u32x4(i32x4_splat(0x8000));
  const u32x4 x = (u32x4(a) & ~i32x4_signs(a)) - down;
  const u32x4 y = (u32x4(b) & ~i32x4_signs(b)) - down;
  return v128(_mm_packs_epi32(__m128i(x), __m128i(y))) ^ i16x8_splat(0x8000);
#endif
}
#else
#define FERMATA_NARROW(name, wide, splat, low, high, even, narrow)                   \
  FERMATA_INLINE v128 name(v128 a, v128 b) {                                         \
    const wide least = wide(splat(static_cast<u32>(low))), most = wide(splat(high)); \
    return v128(even(narrow(lanes_clamp(wide(a), least, most)),                      \
                     narrow(lanes_clamp(wide(b), least, most))));                    \
  }
FERMATA_NARROW(i8x16_narrow_i16x8_s, i16x8, i16x8_splat, -128, 127, FERMATA_EVEN8, u8x16)
FERMATA_NARROW(i8x16_narrow_i16x8_u, i16x8, i16x8_splat, 0, 255, FERMATA_EVEN8, u8x16)
FERMATA_NARROW(i16x8_narrow_i32x4_s, i32x4, i32x4_splat, -32768, 32767, FERMATA_EVEN16, u16x8)
FERMATA_NARROW(i16x8_narrow_i32x4_u, i32x4, i32x4_splat, 0, 65535, FERMATA_EVEN16, u16x8)
#undef FERMATA_NARROW
#endif

}  // namespace fermata::core

#endif  // FERMATA_CORE_SIMD_LANES_H_

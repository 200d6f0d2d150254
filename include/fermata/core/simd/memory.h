// Loads and stores of vectors (specification §4.4.7), for every view of a memory (memory.h).
// Addresses of memories with 32-bit addresses widen to u64. Core header; see simd.h.
#ifndef FERMATA_CORE_SIMD_MEMORY_H_
#define FERMATA_CORE_SIMD_MEMORY_H_

#include "fermata/core/memory.h"
#include "fermata/core/simd/lanes.h"

namespace fermata::core {

// The integer or vector of type T at an address.
template <class T, class View>
FERMATA_INLINE T load_as(const View& m, u64 address, u64 offset) {
  T value;
  memcpy(&value, m.at(address, offset, sizeof value), sizeof value);
  return little(value);
}

template <class View>
FERMATA_INLINE v128 v128_load(const View& m, u64 address, u64 offset) {
  return load_as<v128>(m, address, offset);
}
template <class View>
FERMATA_INLINE void v128_store(const View& m, u64 address, u64 offset, v128 v) {
  // Unoptimized, memcpy would store it in two pieces.
  typedef v128 Anywhere __attribute__((aligned(1), may_alias));
  if (View::kFaults) v = in_one_register(v);  // as MemReserved::Whole
  *reinterpret_cast<Anywhere*>(m.at(address, offset, sizeof v)) = little(v);
  m.Stored();
}

// Part of a vector, widened, repeated or followed by zeros.
#define FERMATA_VECTOR_LOAD(name, bits, make)                        \
  template <class View>                                              \
  FERMATA_INLINE v128 name(const View& m, u64 address, u64 offset) { \
    return make(load_as<bits>(m, address, offset));                  \
  }
#define FERMATA_WIDENING_LOAD(name, extend)                          \
  template <class View>                                              \
  FERMATA_INLINE v128 name(const View& m, u64 address, u64 offset) { \
    return extend(v128_load64_zero(m, address, offset));             \
  }
FERMATA_INLINE v128 v128_of_low(u64 low) { return v128_const(low, 0); }
FERMATA_VECTOR_LOAD(v128_load64_zero, u64, v128_of_low)
FERMATA_WIDENING_LOAD(v128_load8x8_s, i16x8_extend_low_i8x16_s)
FERMATA_WIDENING_LOAD(v128_load8x8_u, i16x8_extend_low_i8x16_u)
FERMATA_WIDENING_LOAD(v128_load16x4_s, i32x4_extend_low_i16x8_s)
FERMATA_WIDENING_LOAD(v128_load16x4_u, i32x4_extend_low_i16x8_u)
FERMATA_WIDENING_LOAD(v128_load32x2_s, i64x2_extend_low_i32x4_s)
FERMATA_WIDENING_LOAD(v128_load32x2_u, i64x2_extend_low_i32x4_u)
FERMATA_VECTOR_LOAD(v128_load8_splat, u8, i8x16_splat)
FERMATA_VECTOR_LOAD(v128_load16_splat, u16, i16x8_splat)
FERMATA_VECTOR_LOAD(v128_load32_splat, u32, i32x4_splat)
FERMATA_VECTOR_LOAD(v128_load64_splat, u64, i64x2_splat)
FERMATA_VECTOR_LOAD(v128_load32_zero, u32, v128_of_low)
#undef FERMATA_WIDENING_LOAD
#undef FERMATA_VECTOR_LOAD

// One lane: replaced by what is loaded, or stored: out of one register, so that it is stored whole.
#define FERMATA_LANE_ACCESS(bits, lane, shape, lanes)                                           \
  template <int kLane, class View>                                                              \
  FERMATA_INLINE v128 v128_load##bits##_lane(const View& m, u64 address, u64 offset, v128 v) {  \
    return shape##_replace_lane<kLane>(v, load_as<lane>(m, address, offset));                   \
  }                                                                                             \
  template <int kLane, class View>                                                              \
  FERMATA_INLINE void v128_store##bits##_lane(const View& m, u64 address, u64 offset, v128 v) { \
    if (View::kFaults && bits == 64) v = in_one_register(v);                                    \
    const lane value = little(static_cast<lane>(lanes(v)[FERMATA_LANE(lanes, kLane)]));         \
    memcpy(m.at(address, offset, sizeof value), &value, sizeof value);                          \
    m.Stored();                                                                                 \
  }
FERMATA_LANE_ACCESS(8, u8, i8x16, u8x16)
FERMATA_LANE_ACCESS(16, u16, i16x8, u16x8)
FERMATA_LANE_ACCESS(32, u32, i32x4, u32x4)
FERMATA_LANE_ACCESS(64, u64, i64x2, u64x2)
#undef FERMATA_LANE_ACCESS

}  // namespace fermata::core

#endif  // FERMATA_CORE_SIMD_MEMORY_H_

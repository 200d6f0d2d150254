// Linear memory: loads, stores and the bulk instructions (specification §4.4.7). Core header.
//
// Loads and stores take a view of the memory that the function keeps in a local variable. Three
// policies share one set of names:
//   MemReserved  address space is reserved beyond every address that 32 bits of address and 32 bits
//                of offset can form; what is out of bounds faults, and the host turns the fault
//                into a trap. The C++ compiler must not move or drop an access that may fault:
//                loads are forced (below), and nothing moves across a store (`Stored`). Nor may it
//                store in pieces, of which the first is written when the last traps (`Whole`).
//   MemChecked   each access is checked; the base may move, so the view is reloaded after calls.
//                An access that is known to be in bounds is one of MemInside instead.
//   MemFixed     the memory never grows nor moves, and its size is a constant of the module: a check
//                is one comparison of 32 bits with a constant.
// Memories with 64-bit addresses (MemChecked64) or pages of another size than 64 KiB are checked
// under both policies.
#ifndef FERMATA_CORE_MEMORY_H_
#define FERMATA_CORE_MEMORY_H_

#include "fermata/core/abi.h"
#include "fermata/core/frame.h"
#include "fermata/core/numeric.h"

namespace fermata::core {

// A barrier across which the compiler moves no access to memory.
#if defined(__GNUC__)
#define FERMATA_IN_ORDER() __asm__ volatile("" : : : "memory")
#else
#define FERMATA_IN_ORDER() ((void)0)
#endif

inline constexpr bool kReservesMemories = FERMATA_RESERVES_MEMORIES != 0;

// For accesses that the translator knows to be in bounds.
struct MemInside {
  static constexpr bool kFaults = false;
  u8* base;
  FERMATA_INLINE u8* at(u64 address, u64 offset, u32) const { return base + address + offset; }
  FERMATA_INLINE void Stored() const {}
  template <class T>
  FERMATA_INLINE T Whole(T v) const {
    return v;
  }
};

struct MemReserved {
  static constexpr bool kFaults = true;
  u8* base;
  MemReserved(Instance*, const MemoryField& field) : base(field.base) {}
  FERMATA_INLINE MemInside Inside() const { return {base}; }
  FERMATA_INLINE u8* at(u64 address, u64 offset, u32) const { return base + address + offset; }
  // The value in one register, from which one instruction stores it. If compilers know the parts of
  // an 8-byte value, or that it is a constant which no instruction can hold, they store the parts
  // one after the other. Smaller values are never taken apart.
#if defined(__GNUC__)
  FERMATA_INLINE u64 Whole(u64 v) const {
    if (__builtin_constant_p(v) && static_cast<u64>(static_cast<i32>(v)) == v) return v;
    __asm__("" : "+r"(v));
    return v;
  }
  FERMATA_INLINE f64 Whole(f64 v) const {
    __asm__("" : "+" FERMATA_FLOAT_REGISTER(v));
    return v;
  }
#endif
  template <class T>
  FERMATA_INLINE T Whole(T v) const {
    return v;
  }
  FERMATA_INLINE void Stored() const { FERMATA_IN_ORDER(); }
};

struct CheckedMemory {
  static constexpr bool kFaults = false;
  u8* base;
  u64 bytes;
  Memory* memory;
  Instance* instance;
  CheckedMemory(Instance* self, const MemoryField& field) : memory(field.memory), instance(self) {
    Reload();
  }
  FERMATA_INLINE void Reload() {
    base = memory->data;
    bytes = memory->bytes;
  }
  // The check is a branch, which stays where it is.
  FERMATA_INLINE void Stored() const {}
  template <class T>
  FERMATA_INLINE T Whole(T v) const {
    return v;
  }
};

struct MemChecked : CheckedMemory {
  using CheckedMemory::CheckedMemory;
  FERMATA_INLINE MemInside Inside() const { return {base}; }
  // `address` is below 2^32 and so is `offset`: nothing wraps. What is compared with is the same
  // for all iterations of a loop.
  FERMATA_INLINE u8* at(u64 address, u64 offset, u32 size) const {
    if (FERMATA_UNLIKELY(offset + size == 1
                             ? address >= bytes
                             : static_cast<i64>(address) >
                                   static_cast<i64>(bytes) - static_cast<i64>(offset + size))) {
      RaiseTrap(instance, Trap::kMemoryOutOfBounds);
    }
    return base + address + offset;
  }
  // Several accesses at once: to some of the `size` bytes from `address` on, those too. They trap
  // alike, whichever of them is out of bounds. (An imported memory may be of the other policy and
  // have all of 4 GiB; addresses may then wrap around, and what is out of bounds faults.)
  FERMATA_INLINE void Check(u64 address, u64 size) const {
    if (FERMATA_UNLIKELY(static_cast<i64>(address) > static_cast<i64>(bytes - size)) &&
        bytes != u64{1} << 32) {
      RaiseTrap(instance, Trap::kMemoryOutOfBounds);
    }
  }
};

struct MemChecked64 : CheckedMemory {
  using CheckedMemory::CheckedMemory;
  FERMATA_INLINE u8* at(u64 address, u64 offset, u32 size) const {
    const u64 start = address + offset;
    if (FERMATA_UNLIKELY(start < address || bytes < size || start > bytes - size)) {
      RaiseTrap(instance, Trap::kMemoryOutOfBounds);
    }
    return base + start;
  }
};

// A shared memory that is checked: it never moves, but other threads may grow it at any time.
struct MemShared : CheckedMemory {
  using CheckedMemory::CheckedMemory;
  FERMATA_INLINE u8* at(u64 address, u64 offset, u32 size) const {
#if defined(__GNUC__)
    const u64 now = __atomic_load_n(&memory->bytes, __ATOMIC_RELAXED);
#else
    const u64 now = *const_cast<const volatile u64*>(&memory->bytes);
#endif
    const u64 start = address + offset;
    if (FERMATA_UNLIKELY(start < address || now < size || start > now - size)) {
      RaiseTrap(instance, Trap::kMemoryOutOfBounds);
    }
    return base + start;
  }
};

// A memory with 32-bit addresses that has `kBytes` bytes for good.
template <u64 kBytes>
struct MemFixed {
  static_assert(kBytes <= u64{1} << 32, "32-bit addresses reach no further");
  static constexpr bool kFaults = false;
  u8* base;
  Instance* instance;
  MemFixed(Instance* self, const MemoryField& field) : base(field.base), instance(self) {}
  // `offset` and `size` are constants where this is inlined, and so is all that depends on them
  // alone.
  FERMATA_INLINE u8* at(u32 address, u64 offset, u32 size) const {
    const u64 end = offset + size;
    if (end > kBytes || FERMATA_UNLIKELY(address > static_cast<u32>(kBytes - end))) {
      RaiseTrap(instance, Trap::kMemoryOutOfBounds);
    }
    return base + address + static_cast<uintptr_t>(offset);
  }
  // What the bulk instructions go over.
  FERMATA_INLINE u8* range(u32 address, u32 size) const {
    // Only the largest memory needs a word of more than 32 bits for what is left.
    const bool fits = kBytes <= ~u32{0}
                          ? size <= kBytes && address <= static_cast<u32>(kBytes) - size
                          : address <= kBytes - size;
    if (FERMATA_UNLIKELY(!fits)) RaiseTrap(instance, Trap::kMemoryOutOfBounds);
    return base + address;
  }
  // The check is a branch, which stays where it is.
  FERMATA_INLINE void Stored() const {}
  template <class T>
  FERMATA_INLINE T Whole(T v) const {
    return v;
  }
};

#define FERMATA_LOAD(head, view, index, name, result, bits, cast)             \
  head FERMATA_INLINE result name(const view& m, index address, u64 offset) { \
    bits raw;                                                                 \
    memcpy(&raw, m.at(address, offset, sizeof raw), sizeof raw);              \
    return cast(little(raw));                                                 \
  }
#define FERMATA_STORE(head, view, index, name, value, bits, cast)                        \
  head FERMATA_INLINE void name(const view& m, index address, u64 offset, value v) {     \
    const bits raw = little(static_cast<bits>(cast(sizeof(bits) < 8 ? v : m.Whole(v)))); \
    memcpy(m.at(address, offset, sizeof raw), &raw, sizeof raw);                         \
    m.Stored();                                                                          \
  }
#define FERMATA_ACCESSES(head, view, index)                                  \
  FERMATA_LOAD(head, view, index, i32_load, u32, u32, )                      \
  FERMATA_LOAD(head, view, index, i64_load, u64, u64, )                      \
  FERMATA_LOAD(head, view, index, f32_load, f32, u32, f32_reinterpret_i32)   \
  FERMATA_LOAD(head, view, index, f64_load, f64, u64, f64_reinterpret_i64)   \
  FERMATA_LOAD(head, view, index, i32_load8_s, u32, u8, i32_extend8_s)       \
  FERMATA_LOAD(head, view, index, i32_load8_u, u32, u8, u32)                 \
  FERMATA_LOAD(head, view, index, i32_load16_s, u32, u16, i32_extend16_s)    \
  FERMATA_LOAD(head, view, index, i32_load16_u, u32, u16, u32)               \
  FERMATA_LOAD(head, view, index, i64_load8_s, u64, u8, i64_extend8_s)       \
  FERMATA_LOAD(head, view, index, i64_load8_u, u64, u8, u64)                 \
  FERMATA_LOAD(head, view, index, i64_load16_s, u64, u16, i64_extend16_s)    \
  FERMATA_LOAD(head, view, index, i64_load16_u, u64, u16, u64)               \
  FERMATA_LOAD(head, view, index, i64_load32_s, u64, u32, i64_extend32_s)    \
  FERMATA_LOAD(head, view, index, i64_load32_u, u64, u32, u64)               \
  FERMATA_STORE(head, view, index, i32_store, u32, u32, )                    \
  FERMATA_STORE(head, view, index, i64_store, u64, u64, )                    \
  FERMATA_STORE(head, view, index, f32_store, f32, u32, i32_reinterpret_f32) \
  FERMATA_STORE(head, view, index, f64_store, f64, u64, i64_reinterpret_f64) \
  FERMATA_STORE(head, view, index, i32_store8, u32, u8, )                    \
  FERMATA_STORE(head, view, index, i32_store16, u32, u16, )                  \
  FERMATA_STORE(head, view, index, i64_store8, u64, u8, )                    \
  FERMATA_STORE(head, view, index, i64_store16, u64, u16, )                  \
  FERMATA_STORE(head, view, index, i64_store32, u64, u32, )
FERMATA_ACCESSES(, MemInside, u32)
FERMATA_ACCESSES(, MemReserved, u32)
FERMATA_ACCESSES(, MemChecked, u32)
FERMATA_ACCESSES(, MemChecked64, u64)
FERMATA_ACCESSES(, MemShared, u64)
#if !defined(FERMATA_STRICT_ALIGNMENT)
FERMATA_ACCESSES(template <u64 kBytes>, MemFixed<kBytes>, u32)
#endif
#undef FERMATA_STORE
#undef FERMATA_LOAD

#if defined(FERMATA_STRICT_ALIGNMENT)
// note [aligned and in bounds]
//
// A machine that reads words at multiples of their size only reads others byte by byte. One
// comparison tells which it is: with the address rotated right by 2, what is not a multiple of 4 is
// above all that is within a memory. What is above is left to a function that looks again. Bases of
// memories are multiples of 4.
//
// Code that is made for size calls functions for all of it. They take the instance, behind which
// the freestanding profile has the memory, and so does not keep the base in a register.
template <class Bits>
constexpr u32 kAlignLog2 = sizeof(Bits) == 1   ? 0
                           : sizeof(Bits) == 2 ? 1
                                               : 2;
template <class Bits>
struct InMemory {
  typedef Bits Word __attribute__((may_alias, aligned(1 << kAlignLog2<Bits>)));
};
template <class Bits>
FERMATA_COLD inline Bits load_bytes(const u8* at) {
  Bits raw = 0;
  for (u32 i = 0; i < sizeof raw; ++i) raw = static_cast<Bits>(raw | Bits{at[i]} << (8 * i));
  return raw;
}
template <class Bits>
FERMATA_COLD inline void store_bytes(u8* at, Bits raw) {
  for (u32 i = 0; i < sizeof raw; ++i) at[i] = static_cast<u8>(raw >> (8 * i));
}
// Whether Bits are at a multiple of their size, or of 4, and end within the memory.
template <class Bits, u64 kBytes>
FERMATA_INLINE bool is_plain(u32 address, u64 offset) {
  constexpr u32 kLog2 = kAlignLog2<Bits>;
  const u64 end = offset + sizeof(Bits);
  if (end > kBytes || offset % (1u << kLog2) != 0) return false;
  const u32 turned = kLog2 == 0 ? address : address >> kLog2 | address << (32 - kLog2);
  return turned <= static_cast<u32>(kBytes - end) >> kLog2;
}
template <class Bits, u64 kBytes>
FERMATA_INLINE Bits load_inline(const MemFixed<kBytes>& m, u32 address, u64 offset) {
  if (FERMATA_UNLIKELY((!is_plain<Bits, kBytes>(address, offset)))) {
    return load_bytes<Bits>(m.at(address, offset, sizeof(Bits)));
  }
  return *reinterpret_cast<const typename InMemory<Bits>::Word*>(m.base + address +
                                                                 static_cast<uintptr_t>(offset));
}
template <class Bits, u64 kBytes>
FERMATA_INLINE void store_inline(const MemFixed<kBytes>& m, u32 address, u64 offset, Bits raw) {
  if (FERMATA_UNLIKELY((!is_plain<Bits, kBytes>(address, offset)))) {
    return store_bytes<Bits>(m.at(address, offset, sizeof(Bits)), raw);
  }
  *reinterpret_cast<typename InMemory<Bits>::Word*>(m.base + address +
                                                    static_cast<uintptr_t>(offset)) = raw;
}

#if defined(__OPTIMIZE_SIZE__) && defined(FERMATA_FREESTANDING)
#define FERMATA_ACCESS __attribute__((noinline))
template <u64 kBytes>
FERMATA_INLINE MemFixed<kBytes> memory_of(Instance* self) {
  return MemFixed<kBytes>(self, *reinterpret_cast<const MemoryField*>(self + 1));
}
template <class Bits, u64 kBytes>
FERMATA_ACCESS Bits load_at(Instance* self, u32 address) {
  return load_inline<Bits>(memory_of<kBytes>(self), address, 0);
}
template <class Bits, u64 kBytes>
FERMATA_ACCESS Bits load_behind(Instance* self, u32 address, u32 offset) {
  if (FERMATA_UNLIKELY(offset > ~address)) RaiseTrap(self, Trap::kMemoryOutOfBounds);
  return load_inline<Bits>(memory_of<kBytes>(self), address + offset, 0);
}
template <class Bits, u64 kBytes>
FERMATA_ACCESS void store_at(Instance* self, u32 address, Bits raw) {
  store_inline<Bits>(memory_of<kBytes>(self), address, 0, raw);
}
template <class Bits, u64 kBytes>
FERMATA_ACCESS void store_behind(Instance* self, u32 address, Bits raw, u32 offset) {
  if (FERMATA_UNLIKELY(offset > ~address)) RaiseTrap(self, Trap::kMemoryOutOfBounds);
  store_inline<Bits>(memory_of<kBytes>(self), address + offset, 0, raw);
}
// At addresses that are known, variables of the guest's, there is nothing to check.
template <class Bits, u64 kBytes>
FERMATA_INLINE Bits load_fixed(const MemFixed<kBytes>& m, u32 address, u64 offset) {
  if (__builtin_constant_p(address) && is_plain<Bits, kBytes>(address, offset)) {
    return load_inline<Bits>(m, address, offset);
  }
  return offset == 0 ? load_at<Bits, kBytes>(m.instance, address)
                     : load_behind<Bits, kBytes>(m.instance, address, static_cast<u32>(offset));
}
template <class Bits, u64 kBytes>
FERMATA_INLINE void store_fixed(const MemFixed<kBytes>& m, u32 address, u64 offset, Bits raw) {
  if (__builtin_constant_p(address) && is_plain<Bits, kBytes>(address, offset)) {
    return store_inline<Bits>(m, address, offset, raw);
  }
  return offset == 0
             ? store_at<Bits, kBytes>(m.instance, address, raw)
             : store_behind<Bits, kBytes>(m.instance, address, raw, static_cast<u32>(offset));
}
#undef FERMATA_ACCESS
#else
template <class Bits, u64 kBytes>
FERMATA_INLINE Bits load_fixed(const MemFixed<kBytes>& m, u32 address, u64 offset) {
  return load_inline<Bits>(m, address, offset);
}
template <class Bits, u64 kBytes>
FERMATA_INLINE void store_fixed(const MemFixed<kBytes>& m, u32 address, u64 offset, Bits raw) {
  store_inline<Bits>(m, address, offset, raw);
}
#endif
#define FERMATA_LOAD(head, view, index, name, result, bits, cast)             \
  head FERMATA_INLINE result name(const view& m, index address, u64 offset) { \
    return cast(load_fixed<bits>(m, address, offset));                        \
  }
#define FERMATA_STORE(head, view, index, name, value, bits, cast)                    \
  head FERMATA_INLINE void name(const view& m, index address, u64 offset, value v) { \
    store_fixed<bits>(m, address, offset, static_cast<bits>(cast(v)));               \
  }
FERMATA_ACCESSES(template <u64 kBytes>, MemFixed<kBytes>, u32)
#undef FERMATA_STORE
#undef FERMATA_LOAD
#endif
#undef FERMATA_ACCESSES

// Returns `v`, all of which the compiler must compute before anything that follows, even if it is
// not used, because a load from a reserved memory must trap. (An output operand would copy it.)
// opaque(v) returns `v` and hides from the compiler what it knows of it.
#if defined(__GNUC__)
template <typename T>  // integers
FERMATA_INLINE T force(T v) {
  __asm__ volatile("" : : "r"(v) : "memory");
  return v;
}
FERMATA_INLINE f32 force(f32 v) {
  __asm__ volatile("" : : FERMATA_FLOAT_REGISTER(v) : "memory");
  return v;
}
FERMATA_INLINE f64 force(f64 v) {
  __asm__ volatile("" : : FERMATA_FLOAT_REGISTER(v) : "memory");
  return v;
}
template <typename T>
FERMATA_INLINE T opaque(T v) {
  __asm__("" : "+m"(v));
  return v;
}
#else
template <typename T>
inline T force(T v) {
  volatile T kept = v;
  return kept;
}
template <typename T>
inline T opaque(T v) {
  return force(v);
}
#endif

// memory.copy and memory.fill within an unshared memory with 32-bit addresses: no sum wraps.
FERMATA_INLINE u8* memory_range(Instance* self, const Memory* memory, u32 address, u32 size) {
  if (FERMATA_UNLIKELY(u64{address} + size > memory->bytes)) {
    RaiseTrap(self, Trap::kMemoryOutOfBounds);
  }
  return memory->data + address;
}
FERMATA_INLINE void memory_move(Instance* self, Memory* memory, u32 to, u32 from, u32 size) {
  u8* const target = memory_range(self, memory, to, size);
  const u8* const source = memory_range(self, memory, from, size);
  if (FERMATA_LIKELY(size != 0)) memmove(target, source, size);
}
FERMATA_INLINE void memory_set(Instance* self, Memory* memory, u32 address, u32 value, u32 size) {
  u8* const target = memory_range(self, memory, address, size);
  if (FERMATA_LIKELY(size != 0)) memset(target, static_cast<u8>(value), size);
}

// The bulk instructions on a memory of a fixed size.
template <u64 kBytes>
FERMATA_INLINE void memory_move(const MemFixed<kBytes>& m, u32 to, u32 from, u32 size) {
  u8* const target = m.range(to, size);
  const u8* const source = m.range(from, size);
  if (FERMATA_LIKELY(size != 0)) memmove(target, source, size);
}
template <u64 kBytes>
FERMATA_INLINE void memory_set(const MemFixed<kBytes>& m, u32 address, u32 value, u32 size) {
  u8* const target = m.range(address, size);
  if (FERMATA_LIKELY(size != 0)) memset(target, static_cast<u8>(value), size);
}
template <u64 kBytes>
FERMATA_INLINE void memory_copy_in(const MemFixed<kBytes>& m, const u8* segment, u64 segment_size,
                                   u32 address, u32 from, u32 size) {
  u8* const target = m.range(address, size);
  if (FERMATA_UNLIKELY(size > segment_size || from > segment_size - size)) {
    RaiseTrap(m.instance, Trap::kMemoryOutOfBounds);
  }
  if (FERMATA_LIKELY(size != 0)) memcpy(target, segment + from, size);
}
// An active data segment that is known to fit: `size` bytes from `start` of the module's data.
struct FixedSegment {
  u32 address;
  u32 start;
  u32 size;
};
inline void memory_put_segments(u8* base, const u8* data, const FixedSegment* segments, u32 count) {
  for (u32 i = 0; i < count; ++i) {
    memcpy(base + segments[i].address, data + segments[i].start, segments[i].size);
  }
}
// Growth by nothing succeeds.
FERMATA_INLINE u32 memory_grow_fixed(u32 pages, u32 delta) { return delta == 0 ? pages : ~u32{0}; }

// Out of line (runtime/core/bulk.cc). Addresses and sizes are checked as a whole before anything is
// written; growth returns the previous size in pages, or ~0.
void memory_fill(Instance* self, Memory* memory, u64 address, u32 value, u64 size);
void memory_copy(Instance* self, Memory* to, Memory* from, u64 to_address, u64 from_address,
                 u64 size);
// An active data segment: `size` bytes from `start` of the module's data.
struct DataSegment {
  u64 address;
  u64 start;
  u64 size;
};
// Copies segments to `memory` in order. Traps at the first that does not fit.
void memory_init_segments(Instance* self, Memory* memory, const u8* data,
                          const DataSegment* segments, u32 count);
void memory_init(Instance* self, Memory* memory, const u8* segment, u64 segment_size, u64 address,
                 u64 from, u64 size);
u64 memory_grow(Instance* self, Memory* memory, u64 delta);
u64 memory_pages(const Memory* memory);  // of a shared memory too

}  // namespace fermata::core

#endif  // FERMATA_CORE_MEMORY_H_

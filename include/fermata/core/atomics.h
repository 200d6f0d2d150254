// Atomic accesses (threads proposal), for every view of a memory (memory.h). Core header.
//
// Sequentially consistent, on little-endian values. An address that is not a multiple of the
// access's size traps before one that is out of bounds. Narrow accesses wrap what they take, the
// expected value of cmpxchg too, and zero-extend what they return.
#ifndef FERMATA_CORE_ATOMICS_H_
#define FERMATA_CORE_ATOMICS_H_

#include "fermata/core/abi.h"
#include "fermata/core/memory.h"

#if !defined(__GNUC__)
#error "atomic accesses need GNU C++'s __atomic builtins"
#endif

namespace fermata::core {

// Where an atomic access of a T goes.
template <class T, class View>
FERMATA_INLINE T* atomic_at(Instance* base, const View& m, u64 address, u64 offset) {
  if (FERMATA_UNLIKELY((address + offset) % sizeof(T) != 0)) {
    RaiseTrap(base, Trap::kUnalignedAtomic);
  }
  return reinterpret_cast<T*>(m.at(address, offset, sizeof(T)));
}

// Machines on which the compiler has no atomic accesses of less than a word but by a library: g++ 12
// for RISC-V. (FERMATA_WORD_ATOMICS may be defined to 1 elsewhere, for tests.)
#if !defined(FERMATA_WORD_ATOMICS)
#if defined(__GCC_HAVE_SYNC_COMPARE_AND_SWAP_4) && !defined(__GCC_HAVE_SYNC_COMPARE_AND_SWAP_1)
#define FERMATA_WORD_ATOMICS 1
#else
#define FERMATA_WORD_ATOMICS 0
#endif
#endif

#if FERMATA_WORD_ATOMICS
// The bytes beside those at `at` stay as they are: whoever writes them does so before or after.
template <class T>
FERMATA_INLINE bool atomic_compare_exchange(T* at, T* expected, T replacement, int order) {
  if constexpr (sizeof(T) >= 4) {
    return __atomic_compare_exchange_n(at, expected, replacement, false, order, __ATOMIC_SEQ_CST);
  } else {
    const uintptr_t address = reinterpret_cast<uintptr_t>(at), byte = address & 3;
    u32* const word = reinterpret_cast<u32*>(address - byte);
    T parts[4 / sizeof(T)];
    u32 found = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    for (;;) {
      memcpy(parts, &found, sizeof found);
      if (parts[byte / sizeof(T)] != *expected) {
        *expected = parts[byte / sizeof(T)];
        return false;
      }
      parts[byte / sizeof(T)] = replacement;
      u32 wanted;
      memcpy(&wanted, parts, sizeof wanted);
      if (__atomic_compare_exchange_n(word, &found, wanted, false, order, __ATOMIC_SEQ_CST)) {
        return true;
      }
    }
  }
}
#define FERMATA_ATOMIC_UPDATE(name, builtin, updated)                                \
  template <class T>                                                                 \
  FERMATA_INLINE T name(T* at, T v, int order) {                                     \
    if constexpr (sizeof(T) >= 4) {                                                  \
      return builtin(at, v, order);                                                  \
    } else {                                                                         \
      T found = __atomic_load_n(at, __ATOMIC_RELAXED);                               \
      while (!atomic_compare_exchange(at, &found, static_cast<T>(updated), order)) { \
      }                                                                              \
      return found;                                                                  \
    }                                                                                \
  }
FERMATA_ATOMIC_UPDATE(atomic_and, __atomic_fetch_and, (found & v))
FERMATA_ATOMIC_UPDATE(atomic_or, __atomic_fetch_or, (found | v))
FERMATA_ATOMIC_UPDATE(atomic_xor, __atomic_fetch_xor, (found ^ v))
FERMATA_ATOMIC_UPDATE(atomic_exchange, __atomic_exchange_n, v)
#else
#define atomic_compare_exchange(at, expected, replacement, order) \
  __atomic_compare_exchange_n(at, expected, replacement, false, order, __ATOMIC_SEQ_CST)
#define atomic_and __atomic_fetch_and
#define atomic_or __atomic_fetch_or
#define atomic_xor __atomic_fetch_xor
#define atomic_exchange __atomic_exchange_n
#endif

// Addition and subtraction of values in little-endian order. All else that is done in memory is the
// same in either order of bytes.
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
template <class T>
FERMATA_INLINE T atomic_add(T* at, T v, int order) {
  T found = __atomic_load_n(at, __ATOMIC_RELAXED);
  while (!atomic_compare_exchange(at, &found, little(static_cast<T>(little(found) + little(v))),
                                  order)) {
  }
  return found;
}
template <class T>
FERMATA_INLINE T atomic_sub(T* at, T v, int order) {
  return atomic_add(at, little(static_cast<T>(-little(v))), order);
}
#elif FERMATA_WORD_ATOMICS
FERMATA_ATOMIC_UPDATE(atomic_add, __atomic_fetch_add, found + v)
FERMATA_ATOMIC_UPDATE(atomic_sub, __atomic_fetch_sub, found - v)
#else
#define atomic_add __atomic_fetch_add
#define atomic_sub __atomic_fetch_sub
#endif

// ---- Loads, stores, read-modify-write ----
// Compilers make a load, or nothing, of what they know to change nothing.
#define FERMATA_RMW(name, value, bits, update)                                                    \
  template <class View>                                                                           \
  FERMATA_INLINE value name(Instance* base, const View& m, u64 address, u64 offset, value v) {    \
    __asm__("" : "+r"(v));                                                                        \
    return little(update(atomic_at<bits>(base, m, address, offset), little(static_cast<bits>(v)), \
                         __ATOMIC_SEQ_CST));                                                      \
  }
// `rmw` and `u` as in i32.atomic.rmw8.add_u, without the first dot.
#define FERMATA_ATOMICS(value, bits, load, store, rmw, u)                                          \
  template <class View>                                                                            \
  FERMATA_INLINE value load(Instance* base, const View& m, u64 address, u64 offset) {              \
    return little(__atomic_load_n(atomic_at<bits>(base, m, address, offset), __ATOMIC_SEQ_CST));   \
  }                                                                                                \
  template <class View>                                                                            \
  FERMATA_INLINE void store(Instance* base, const View& m, u64 address, u64 offset, value v) {     \
    __atomic_store_n(atomic_at<bits>(base, m, address, offset), little(static_cast<bits>(v)),      \
                     __ATOMIC_SEQ_CST);                                                            \
  }                                                                                                \
  FERMATA_RMW(rmw##_add##u, value, bits, atomic_add)                                               \
  FERMATA_RMW(rmw##_sub##u, value, bits, atomic_sub)                                               \
  FERMATA_RMW(rmw##_and##u, value, bits, atomic_and)                                               \
  FERMATA_RMW(rmw##_or##u, value, bits, atomic_or)                                                 \
  FERMATA_RMW(rmw##_xor##u, value, bits, atomic_xor)                                               \
  FERMATA_RMW(rmw##_xchg##u, value, bits, atomic_exchange)                                         \
  template <class View>                                                                            \
  FERMATA_INLINE value rmw##_cmpxchg##u(Instance* base, const View& m, u64 address, u64 offset,    \
                                        value expected, value replacement) {                       \
    bits* const at = atomic_at<bits>(base, m, address, offset);                                    \
    bits found = Comparand(little(static_cast<bits>(expected)));                                   \
    atomic_compare_exchange(at, &found, little(static_cast<bits>(replacement)), __ATOMIC_SEQ_CST); \
    return little(found);                                                                          \
  }
FERMATA_ATOMICS(u32, u32, i32_atomic_load, i32_atomic_store, i32_atomic_rmw, )
FERMATA_ATOMICS(u32, u8, i32_atomic_load8_u, i32_atomic_store8, i32_atomic_rmw8, _u)
FERMATA_ATOMICS(u32, u16, i32_atomic_load16_u, i32_atomic_store16, i32_atomic_rmw16, _u)
FERMATA_ATOMICS(u64, u64, i64_atomic_load, i64_atomic_store, i64_atomic_rmw, )
FERMATA_ATOMICS(u64, u8, i64_atomic_load8_u, i64_atomic_store8, i64_atomic_rmw8, _u)
FERMATA_ATOMICS(u64, u16, i64_atomic_load16_u, i64_atomic_store16, i64_atomic_rmw16, _u)
FERMATA_ATOMICS(u64, u32, i64_atomic_load32_u, i64_atomic_store32, i64_atomic_rmw32, _u)
#undef FERMATA_ATOMICS
#undef FERMATA_RMW
#undef FERMATA_ATOMIC_UPDATE
#undef atomic_add
#undef atomic_sub
#undef atomic_exchange
#undef atomic_xor
#undef atomic_or
#undef atomic_and
#undef atomic_compare_exchange

FERMATA_INLINE void atomic_fence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

// ---- Waiting and notification ----
// memory.atomic.wait32, wait64 and notify, after the checks of bounds and alignment. Out of line
// (runtime/core/bulk.cc). Waits return 0 (woken), 1 (another value was there) or 2 (timed out;
// `timeout` in nanoseconds, negative: none), and trap if the memory is not shared. Notification
// returns how many it woke.
u32 atomic_wait32(Instance* self, Memory* memory, u64 address, u32 expected, i64 timeout);
u32 atomic_wait64(Instance* self, Memory* memory, u64 address, u64 expected, i64 timeout);
u32 atomic_notify(Instance* self, Memory* memory, u64 address, u32 count);

// The checked address of `size` bytes. Under every policy against the memory's size: the runtime
// must not fault.
FERMATA_INLINE u64 parking_address(Instance* base, const Memory* memory, u64 address, u64 offset,
                                   u64 size) {
  const u64 start = address + offset;
  if (FERMATA_UNLIKELY(start % size != 0)) RaiseTrap(base, Trap::kUnalignedAtomic);
  const u64 bytes = __atomic_load_n(&memory->bytes, __ATOMIC_RELAXED);
  if (FERMATA_UNLIKELY(start < address || bytes < size || start > bytes - size)) {
    RaiseTrap(base, Trap::kMemoryOutOfBounds);
  }
  return start;
}
template <class View>
FERMATA_INLINE u32 memory_atomic_notify(Instance* base, const View&, Memory* memory, u64 address,
                                        u64 offset, u32 count) {
  return atomic_notify(base, memory, parking_address(base, memory, address, offset, 4), count);
}
template <class View>
FERMATA_INLINE u32 memory_atomic_wait32(Instance* base, const View&, Memory* memory, u64 address,
                                        u64 offset, u32 expected, u64 timeout) {
  return atomic_wait32(base, memory, parking_address(base, memory, address, offset, 4), expected,
                       static_cast<i64>(timeout));
}
template <class View>
FERMATA_INLINE u32 memory_atomic_wait64(Instance* base, const View&, Memory* memory, u64 address,
                                        u64 offset, u64 expected, u64 timeout) {
  return atomic_wait64(base, memory, parking_address(base, memory, address, offset, 8), expected,
                       static_cast<i64>(timeout));
}

}  // namespace fermata::core

#endif  // FERMATA_CORE_ATOMICS_H_

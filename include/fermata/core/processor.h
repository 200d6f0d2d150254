// What the core headers know of the processor, but for vectors (simd/lanes.h). Core header. On any
// other processor, and with any other compiler, the portable way is taken.
#ifndef FERMATA_CORE_PROCESSOR_H_
#define FERMATA_CORE_PROCESSOR_H_

#include <stdint.h>

#include "fermata/core/compiler.h"

// ---- Memory --------------------------------------------------------------------------------------

// Where memories are reserved: with 64-bit addresses, and only on machines that store 8 and 16 bytes by
// one instruction at any address, so that a store which traps has written nothing.
#if (defined(__x86_64__) || defined(__aarch64__)) && UINTPTR_MAX > 0xffffffffu
#define FERMATA_RESERVES_MEMORIES 1
#else
#define FERMATA_RESERVES_MEMORIES 0
#endif

// A machine that can't read words at any address: a little-endian one without unaligned accesses.
// (FERMATA_STRICT_ALIGNMENT may be defined on other little-endian ones, for tests.)
#if defined(__arm__) && !defined(__ARM_FEATURE_UNALIGNED) && defined(__GNUC__) && \
    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && !defined(FERMATA_STRICT_ALIGNMENT)
#define FERMATA_STRICT_ALIGNMENT 1
#endif

// A pointer that is a multiple of 4, and of which the compiler may know it where that is of use: on
// machines that can't read words anywhere, copying one would be a call.
#if defined(__GNUC__) && (defined(__arm__) || defined(__riscv))
#define FERMATA_ALIGNED(pointer) __builtin_assume_aligned(pointer, 4)
#else
#define FERMATA_ALIGNED(pointer) (pointer)
#endif

// ---- Registers -----------------------------------------------------------------------------------

// The constraint of `asm` operands that are floating-point numbers.
#if defined(__x86_64__)
#define FERMATA_FLOAT_REGISTER "x"
#elif defined(__aarch64__)
#define FERMATA_FLOAT_REGISTER "w"
#else
#define FERMATA_FLOAT_REGISTER "m"
#endif

namespace fermata::core {

// Whether a word of 32 bits is not 0. Written out because g++ would load into a register first.
template <class Word>
FERMATA_INLINE bool IsSet(const Word& word) {
  static_assert(sizeof word == 4, "");
#if defined(__GNUC__) && defined(__x86_64__) && !defined(__clang__)
  bool set;
  __asm__("cmpl $0, %1" : "=@ccne"(set) : "m"(word));
  return set;
#else
  return word != Word{};
#endif
}

// The same of a word that others write at any time: a relaxed load. The one instruction that it
// takes is written out, because compilers don't make it from an atomic load: g++ loads first and
// then compares.
FERMATA_INLINE bool IsSetByOthers(const uint32_t* word) {
#if defined(__GNUC__) && defined(__x86_64__) && !defined(FERMATA_TSAN)
  bool set;
  __asm__ volatile("cmpl $0, %1" : "=@ccne"(set) : "m"(*word));
  return set;
#elif defined(__GNUC__)
  return __atomic_load_n(word, __ATOMIC_RELAXED) != 0;
#else
  return *static_cast<const volatile uint32_t*>(word) != 0;
#endif
}

// Returns `v`, which an atomic access is to compare. g++ for 64-bit RISC-V compares all of the register
// with a word that the processor has sign-extended, whatever is above the word in the register (GCC
// bug 114130; mended in 12.4).
template <class T>
FERMATA_INLINE T Comparand(T v) {
#if defined(__riscv) && defined(__GNUC__) && !defined(__clang__)
  if constexpr (sizeof(T) == 4 && sizeof(long) == 8) {
    long extended = static_cast<int32_t>(v);
    __asm__("" : "+r"(extended));
    return static_cast<T>(extended);
  }
#endif
  return v;
}

// ---- The native stack, which grows downward ------------------------------------------------------

// Where it has got to.
FERMATA_INLINE uintptr_t StackPosition() {
#if defined(__GNUC__) && defined(__x86_64__)
  // The stack pointer itself: asking for the frame's address would give the function a frame
  // pointer.
  uintptr_t here;
  __asm__("mov %%rsp, %0" : "=r"(here));
  return here;
#elif defined(__GNUC__)
  return reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
#else
  volatile char marker = 0;
  return reinterpret_cast<uintptr_t>(&marker);
#endif
}

// Whether it has got below `limit`, in one instruction where there is one.
FERMATA_INLINE bool StackBelow(const uintptr_t& limit) {
#if defined(__GNUC__) && defined(__x86_64__)
  bool below;
  __asm__("cmp %1, %%rsp" : "=@ccb"(below) : "m"(limit));
  return below;
#else
  return StackPosition() < limit;
#endif
}

// Whether it is above `limit`, likewise.
FERMATA_INLINE bool StackAbove(const uintptr_t& limit) {
#if defined(__GNUC__) && defined(__x86_64__)
  bool above;
  __asm__("cmp %1, %%rsp" : "=@cca"(above) : "m"(limit));
  return above;
#else
  return StackPosition() > limit;
#endif
}

}  // namespace fermata::core

#endif  // FERMATA_CORE_PROCESSOR_H_

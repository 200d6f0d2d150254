// How guest code is called so that a trap can leave it. Nothing between the trap and the guard has
// anything to destroy: generated frames hold plain values only.
//
// A guard is what C's setjmp makes, at each entry and resumption. The C library's obfuscates some
// registers; and around setjmp, be it the compiler's own, a function keeps all it knows in memory.
// On x86-64 the registers are saved by the very call that is guarded: after a trap it returns with
// all registers that calls preserve, and so is a call like any other for the compiler.
#ifndef FERMATA_RUNTIME_CORE_GUARDED_CALL_H_
#define FERMATA_RUNTIME_CORE_GUARDED_CALL_H_

#include "fermata/core/abi.h"

// FERMATA_PORTABLE_GUARD: with the C library's setjmp everywhere, for tests.
//
// Not with shadow stacks and checked jump targets, which the jump would have to heed.
#if defined(__x86_64__) && defined(__LP64__) && defined(__GNUC__) && !defined(_WIN32) && \
    !defined(__CET__) && !defined(FERMATA_PORTABLE_GUARD)
#define FERMATA_GUARD_IN_ASSEMBLY 1
// Part of the calling function in unoptimized builds, too.
#define FERMATA_IN_CALLER inline __attribute__((always_inline))
#elif defined(__thumb__) && !defined(__ARM_FP) && defined(__GNUC__) && \
    !defined(FERMATA_PORTABLE_GUARD)
// Microcontrollers without registers for floating-point numbers: all that calls preserve are r4 to
// r11 and the stack pointer. Much smaller than the C library's.
#define FERMATA_GUARD_IN_THUMB 1
#define FERMATA_NOINLINE __attribute__((noinline))
#define FERMATA_SETJMP(buffer) SaveRegisters(buffer)
#define FERMATA_LONGJMP(buffer) RestoreRegisters(buffer)
#elif (defined(__x86_64__) || defined(__aarch64__)) && defined(__GNUC__) && \
    !defined(FERMATA_PORTABLE_GUARD)
#define FERMATA_NOINLINE __attribute__((noinline))
#define FERMATA_SETJMP(buffer) __builtin_setjmp(buffer)
#define FERMATA_LONGJMP(buffer) __builtin_longjmp(buffer, 1)
#else
#include <setjmp.h>
#define FERMATA_NOINLINE
#define FERMATA_SETJMP(buffer) setjmp(buffer)
#define FERMATA_LONGJMP(buffer) longjmp(buffer, 1)
#endif

namespace fermata::core {

// Where a trap goes; in the native frame of an entry.
struct Guard {
#if defined(FERMATA_GUARD_IN_ASSEMBLY)
  u64 registers[7];  // rsp, rbp, rbx, r12 to r15
#elif defined(FERMATA_GUARD_IN_THUMB)
  u32 jump[10];  // r4 to r11, sp, lr
#elif (defined(__x86_64__) || defined(__aarch64__)) && defined(__GNUC__) && \
    !defined(FERMATA_PORTABLE_GUARD)
  void* jump[5];
#else
  jmp_buf jump;
#endif
};

// Keeps the compiler from knowing a value, and from making one load or store of two.
template <class T>
FERMATA_INLINE T Opaque(T v) {
#if defined(__GNUC__)
  __asm__("" : "+r"(v));
#endif
  return v;
}

#if defined(FERMATA_GUARD_IN_ASSEMBLY)

FERMATA_INLINE u64 Word(u64 v) { return v; }
template <class T>
FERMATA_INLINE u64 Word(T* v) {
  return reinterpret_cast<u64>(v);
}

// function(instance, arguments...), of integers and pointers; returns anything if Leave(guard)
// ended it. Only in functions that make other calls too: those keep the stack aligned and have no
// red zone.
template <class... A>
FERMATA_IN_CALLER u64 CallGuarded(Guard& guard, u64 (*function)(Instance*, A...),
                                  Instance* instance, A... arguments) {
  static_assert(sizeof...(A) <= 3);
  u64 words[3] = {Word(arguments)...};
  u64 result = Word(function);
  register u64* registers __asm__("r8") = guard.registers;
  __asm__ volatile(
      "movq %%rsp, (%[registers])\n\t"
      "movq %%rbp, 8(%[registers])\n\t"
      "movq %%rbx, 16(%[registers])\n\t"
      "movq %%r12, 24(%[registers])\n\t"
      "movq %%r13, 32(%[registers])\n\t"
      "movq %%r14, 40(%[registers])\n\t"
      "movq %%r15, 48(%[registers])\n\t"
      "callq *%%rax\n\t"
      : "+a"(result), "+D"(instance), "+S"(words[0]), "+d"(words[1]),
        "+c"(words[2]), [registers] "+r"(registers)
      :
      : "r9", "r10", "r11", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
        "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc", "memory");
  return result;
}

// The address that the call above returns to is still where it was pushed.
[[noreturn]] FERMATA_IN_CALLER void Leave(Guard& guard) {
  __asm__ volatile(
      "movq (%%rax), %%rsp\n\t"
      "movq 8(%%rax), %%rbp\n\t"
      "movq 16(%%rax), %%rbx\n\t"
      "movq 24(%%rax), %%r12\n\t"
      "movq 32(%%rax), %%r13\n\t"
      "movq 40(%%rax), %%r14\n\t"
      "movq 48(%%rax), %%r15\n\t"
      "jmpq *-8(%%rsp)\n\t"
      :
      : "a"(guard.registers)
      : "memory");
  __builtin_unreachable();
}

#else

#if defined(FERMATA_GUARD_IN_THUMB)
// As setjmp and longjmp, in instructions that every Thumb has.
__attribute__((naked, noinline, returns_twice)) inline int SaveRegisters(u32*) {
  __asm__ volatile(
      ".syntax unified\n\t"
      "stmia r0!, {r4-r7}\n\t"
      "mov r1, r8\n\t"
      "mov r2, r9\n\t"
      "mov r3, r10\n\t"
      "stmia r0!, {r1-r3}\n\t"
      "mov r1, r11\n\t"
      "mov r2, sp\n\t"
      "mov r3, lr\n\t"
      "stmia r0!, {r1-r3}\n\t"
      "movs r0, #0\n\t"
      "bx lr");
}
[[noreturn]] __attribute__((naked, noinline)) inline void RestoreRegisters(u32*) {
  __asm__ volatile(
      ".syntax unified\n\t"
      "adds r0, #16\n\t"
      "ldmia r0!, {r1-r3}\n\t"
      "mov r8, r1\n\t"
      "mov r9, r2\n\t"
      "mov r10, r3\n\t"
      "ldmia r0!, {r1-r3}\n\t"
      "mov r11, r1\n\t"
      "mov sp, r2\n\t"
      "subs r0, #40\n\t"
      "ldmia r0!, {r4-r7}\n\t"
      "movs r0, #1\n\t"
      "bx r3");
}
#endif

// Not inlined: the function keeps all it knows in memory.
template <class... A>
FERMATA_NOINLINE u64 CallGuarded(Guard& guard, u64 (*function)(Instance*, A...), Instance* instance,
                                 A... arguments) {
  return FERMATA_SETJMP(guard.jump) != 0 ? 0 : function(instance, arguments...);
}

[[noreturn]] inline void Leave(Guard& guard) { FERMATA_LONGJMP(guard.jump); }

#endif

}  // namespace fermata::core

#endif  // FERMATA_RUNTIME_CORE_GUARDED_CALL_H_

// Everything that generated code includes, and the few helpers that only it needs. Core header.
//
// It needs the flags that docs/building.md lists, which the CMake function passes. One of them is
// `-ffp-contract=off`, because WebAssembly rounds after every operation (specification §4.3.3). The
// pragma below covers compilers that heed it.
#ifndef FERMATA_CORE_GENERATED_H_
#define FERMATA_CORE_GENERATED_H_

// Nobody looks for warnings in generated code, whatever warnings a build enables: it has names that
// are not used, and variables for which the compiler can't see that every path of the module sets
// them. This comes before the headers, whose functions are inlined into generated code.
#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Winvalid-offsetof"
#pragma GCC diagnostic ignored "-Wmisleading-indentation"
#pragma GCC diagnostic ignored "-Wtautological-compare"
#pragma GCC diagnostic ignored "-Wtype-limits"
#pragma GCC diagnostic ignored "-Wunused"
#pragma GCC diagnostic ignored "-Wunused-but-set-parameter"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#pragma GCC diagnostic ignored "-Wunused-label"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-variable"
#if defined(__clang__)
#pragma GCC diagnostic ignored "-Wunused-const-variable"
#else
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#endif

#include "fermata/core/abi.h"
#include "fermata/core/frame.h"
#include "fermata/core/memory.h"
#include "fermata/core/numeric.h"
#include "fermata/core/pieces.h"
#include "fermata/core/spelling.h"
#include "fermata/core/table.h"

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__) && defined(__FMA__) && !defined(FERMATA_FP_CONTRACT_OFF)
#error "compile generated code with -ffp-contract=off -DFERMATA_FP_CONTRACT_OFF"
#endif

#if defined(__GNUC__)
#define FERMATA_UNREACHABLE __builtin_unreachable()
#else
#define FERMATA_UNREACHABLE ((void)0)
#endif

namespace fermata::core {

// Values as 8-byte slots and back.
FERMATA_INLINE u64 slot_of_u32(u32 v) { return v; }
FERMATA_INLINE u64 slot_of_u64(u64 v) { return v; }
FERMATA_INLINE u64 slot_of_f32(f32 v) { return i32_reinterpret_f32(v); }
FERMATA_INLINE u64 slot_of_f64(f64 v) { return i64_reinterpret_f64(v); }
FERMATA_INLINE u64 slot_of_ref(ref v) { return v; }
FERMATA_INLINE u32 slot_u32(u64 s) { return static_cast<u32>(s); }
FERMATA_INLINE u64 slot_u64(u64 s) { return s; }
FERMATA_INLINE f32 slot_f32(u64 s) { return f32_reinterpret_i32(static_cast<u32>(s)); }
FERMATA_INLINE f64 slot_f64(u64 s) { return f64_reinterpret_i64(s); }
FERMATA_INLINE ref slot_ref(u64 s) { return static_cast<ref>(s); }

// An element of a segment: an index into ModuleInfo::functions, or ~0 for null, as a handle.
FERMATA_INLINE ref element(const Instance* instance, u32 index) {
  return index == ~0u ? 0 : instance->function_base + index;
}

FERMATA_INLINE ref non_null(Instance* instance, ref value) {
  if (FERMATA_UNLIKELY(value == 0)) RaiseTrap(instance, Trap::kNullReference);
  return value;
}

// Whether a call did not return normally.
FERMATA_INLINE bool unwinding(const Instance& instance) { return IsSet(instance.unwind); }

FERMATA_INLINE bool interrupted(const u32* interrupt) { return IsSetByOthers(interrupt); }

// Native stack that unoptimized and instrumented builds need for one byte of the translator's
// estimate.
#if defined(__SANITIZE_ADDRESS__)
#define FERMATA_STACK_SCALE 8u
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FERMATA_STACK_SCALE 8u
#endif
#endif
#ifndef FERMATA_STACK_SCALE
#define FERMATA_STACK_SCALE 1u
#endif

// What the runtime keeps below the stack limit for callees that don't check, beyond what the host
// needs: a need of no more than that takes no arithmetic. Microcontrollers have no such stacks.
#if defined(FERMATA_FREESTANDING)
inline constexpr uintptr_t kStackSlack = 0;
#else
inline constexpr uintptr_t kStackSlack = 64 * 1024;
#endif

// Traps unless `need` bytes (the translator's estimate) are left on the native stack.
FERMATA_INLINE void check_stack(Instance* instance, u32 need) {
  const uintptr_t bytes = uintptr_t{need} * FERMATA_STACK_SCALE;
  const bool below = bytes <= kStackSlack ? StackBelow(instance->stack_limit)
                                          : StackPosition() < instance->stack_limit + bytes;
  if (FERMATA_UNLIKELY(below)) RaiseTrap(instance, Trap::kCallStackExhausted);
}

}  // namespace fermata::core

#endif  // FERMATA_CORE_GENERATED_H_

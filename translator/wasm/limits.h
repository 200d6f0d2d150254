// Limits of what Fermata translates. All are far above what compilers make, near those of the
// engines in browsers, and there so that a small hostile module can't ask for a lot of memory.
#ifndef FERMATA_TRANSLATOR_WASM_LIMITS_H_
#define FERMATA_TRANSLATOR_WASM_LIMITS_H_

#include <cstdint>

namespace fermata::wasm {

inline constexpr uint64_t kMaxModuleBytes = 0x7fffffff;
inline constexpr uint32_t kMaxItems = 1'000'000;  // types, functions, imports, exports, globals, …
inline constexpr uint32_t kMaxSegmentItems = 10'000'000;  // elements in a segment
inline constexpr uint32_t kMaxParams = 1'000;
inline constexpr uint32_t kMaxResults = 1'000;
inline constexpr uint32_t kMaxFields = 10'000;      // of a structure
inline constexpr uint32_t kMaxFixedArray = 10'000;  // elements of array.new_fixed
inline constexpr uint32_t kMaxSubtypeDepth = 63;    // declared supertypes of a type
inline constexpr uint32_t kMaxLocals = 50'000;      // parameters included
inline constexpr uint32_t kMaxBrTableTargets = 1'000'000;
inline constexpr uint32_t kMaxNesting = 200'000;     // blocks within blocks
inline constexpr uint32_t kMaxOperands = 2'000'000;  // on the operand stack

}  // namespace fermata::wasm

#endif  // FERMATA_TRANSLATOR_WASM_LIMITS_H_

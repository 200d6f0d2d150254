// Traps: why a call of a guest ended without a result. Core header: freestanding, included by
// generated code.
#ifndef FERMATA_CORE_TRAP_H_
#define FERMATA_CORE_TRAP_H_

#include <stdint.h>

namespace fermata {

// The reasons of the WebAssembly core specification (§4.4, "traps"), and those of Fermata. The
// numbers are part of the ABI between generated code and the runtime: only append.
enum class Trap : uint32_t {
  kNone = 0,
  kUnreachable = 1,
  kMemoryOutOfBounds = 2,
  kTableOutOfBounds = 3,
  kIntegerDivideByZero = 4,
  kIntegerOverflow = 5,
  kInvalidConversionToInteger = 6,
  kUndefinedElement = 7,      // call_indirect past the end of the table
  kUninitializedElement = 8,  // call_indirect on a null element
  kIndirectCallTypeMismatch = 9,
  kCallStackExhausted = 10,  // native stack, frame storage or call depth used up
  kNullReference = 11,       // ref.as_non_null
  kUncaughtException = 12,
  kUnalignedAtomic = 13,
  kHost = 14,  // the host made the call fail: Step::Throw, or an import's error
  kCancelled = 15,
  kNullFunctionReference = 16,   // call_ref
  kNullExceptionReference = 17,  // throw_ref
  kUnsharedWait = 18,            // memory.atomic.wait on a memory that is not shared
  kExceptionsExhausted = 19,     // no room to keep another exception
  kCastFailure = 20,             // ref.cast
  kArrayOutOfBounds = 21,
  kHeapExhausted = 22,      // no room for another object, even after a collection
  kStringOutOfBounds = 23,  // builtins of wasm:js-string: an index, or a code point that is none
};

// The text for the trap in the official test suite, for example "integer divide by zero". It has
// static storage, and is never null, even for values that are not enumerators.
const char* TrapMessage(Trap trap);

}  // namespace fermata

#endif  // FERMATA_CORE_TRAP_H_

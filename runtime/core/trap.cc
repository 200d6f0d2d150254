#include "fermata/core/trap.h"

namespace fermata {

const char* TrapMessage(Trap trap) {
  switch (trap) {
    case Trap::kNone:
      return "no trap";
    case Trap::kUnreachable:
      return "unreachable";
    case Trap::kMemoryOutOfBounds:
      return "out of bounds memory access";
    case Trap::kTableOutOfBounds:
      return "out of bounds table access";
    case Trap::kIntegerDivideByZero:
      return "integer divide by zero";
    case Trap::kIntegerOverflow:
      return "integer overflow";
    case Trap::kInvalidConversionToInteger:
      return "invalid conversion to integer";
    case Trap::kUndefinedElement:
      return "undefined element";
    case Trap::kUninitializedElement:
      return "uninitialized element";
    case Trap::kIndirectCallTypeMismatch:
      return "indirect call type mismatch";
    case Trap::kCallStackExhausted:
      return "call stack exhausted";
    case Trap::kNullReference:
      return "null reference";
    case Trap::kUncaughtException:
      return "uncaught exception";
    case Trap::kUnalignedAtomic:
      return "unaligned atomic";
    case Trap::kHost:
      return "host error";
    case Trap::kCancelled:
      return "cancelled";
    case Trap::kNullFunctionReference:
      return "null function reference";
    case Trap::kNullExceptionReference:
      return "null exception reference";
    case Trap::kUnsharedWait:
      return "expected shared memory";
    case Trap::kExceptionsExhausted:
      return "no room for another exception";
    case Trap::kCastFailure:
      return "cast failure";
    case Trap::kArrayOutOfBounds:
      return "out of bounds array access";
    case Trap::kHeapExhausted:
      return "heap exhausted";
    case Trap::kStringOutOfBounds:
      return "string index out of bounds";
  }
  return "unknown trap";
}

}  // namespace fermata

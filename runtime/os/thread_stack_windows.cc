#include <windows.h>

#include "runtime/os/thread_stack.h"

namespace fermata::internal {

NativeStack ThisStack() {
  ULONG_PTR low = 0, high = 0;
  GetCurrentThreadStackLimits(&low, &high);
  return {low, MarginOf(high - low)};
}

// Handlers run on the thread's own stack, of which this much is kept for them.
FaultStack::FaultStack() {
  ULONG bytes = 32 * 1024;
  SetThreadStackGuarantee(&bytes);
}

FaultStack::~FaultStack() = default;

}  // namespace fermata::internal

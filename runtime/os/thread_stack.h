// The native stack of the calling thread.
#ifndef FERMATA_RUNTIME_OS_THREAD_STACK_H_
#define FERMATA_RUNTIME_OS_THREAD_STACK_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace fermata::internal {

struct NativeStack {
  uintptr_t low = 0;  // lowest address; 0 if unknown
  // Native stack that guest functions leave to unchecked callees (the translator's
  // kUncheckedBytes), to host functions they call and to handlers of faults.
  size_t margin = 0;
};

// The margin of a stack of `size` bytes.
inline size_t MarginOf(size_t size) { return std::min<size_t>(512 * 1024, size / 2); }

NativeStack ThisStack();

// While it exists, faults on the calling thread can be handled when its stack is used up.
class FaultStack {
 public:
  FaultStack();
  ~FaultStack();
  FaultStack(const FaultStack&) = delete;

 private:
  void* stack_ = nullptr;
};

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_OS_THREAD_STACK_H_

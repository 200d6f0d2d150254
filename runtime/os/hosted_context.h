// The context of the calling thread: its scratch area, its stack's end, and its readiness to turn
// faults of guest code into traps. Made at first use, freed when the thread ends.
#ifndef FERMATA_RUNTIME_OS_HOSTED_CONTEXT_H_
#define FERMATA_RUNTIME_OS_HOSTED_CONTEXT_H_

#include "fermata/core/abi.h"

namespace fermata::internal {

// With room for at least `results` slots. Null if the thread has no memory for it.
core::Context* ThreadContext(uint32_t results);

// The same if it exists; for signal handlers.
core::Context* ExistingThreadContext();

// Whether a fault at `address` means that the calling thread has no native stack left; for signal
// handlers.
bool PastStack(const void* address);

// For what guests call that must not be left half done, because it takes locks or memory: traps if
// a guest runs and has left too little native stack for it.
void RequireStack();

// While it exists, guests on this thread are entered with no more native stack than `bytes` below
// here (0: than they would otherwise), and nested ones with no more than those around them.
class StackBudget {
 public:
  StackBudget(core::Context& context, uint32_t bytes)
      : context_(context), outer_(context.stack_limit) {
    if (bytes == 0) return;
    const uintptr_t here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
    if (here > outer_ && here - outer_ > bytes) context.stack_limit = here - bytes;
  }
  ~StackBudget() { context_.stack_limit = outer_; }
  StackBudget(const StackBudget&) = delete;

 private:
  core::Context& context_;
  const uintptr_t outer_;
};

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_OS_HOSTED_CONTEXT_H_

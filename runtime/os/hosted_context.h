// The context of the calling thread: its scratch area, its stack's end, and its readiness to turn
// faults of guest code into traps. Made at first use, freed when the thread ends.
#ifndef FERMATA_RUNTIME_OS_HOSTED_CONTEXT_H_
#define FERMATA_RUNTIME_OS_HOSTED_CONTEXT_H_

#include "fermata/core/abi.h"

namespace fermata::internal {

// The calling thread's, once it has one.
extern constinit thread_local core::Context* thread_context;

core::Context* MakeThreadContext(uint32_t results);
// With room for at least `results` slots. Null if the thread has no memory for it.
inline core::Context* ThreadContext(uint32_t results) {
  core::Context* const context = thread_context;
  if (context != nullptr && results <= context->results_capacity) return context;
  return MakeThreadContext(results);
}

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
  FERMATA_INLINE StackBudget(core::Context& context, uint32_t bytes) {
    if (FERMATA_UNLIKELY(bytes != 0)) Begin(context, bytes);
  }
  FERMATA_INLINE ~StackBudget() {
    if (FERMATA_UNLIKELY(context_ != nullptr)) context_->stack_limit = outer_;
  }
  StackBudget(const StackBudget&) = delete;

 private:
  void Begin(core::Context& context, uint32_t bytes);

  core::Context* context_ = nullptr;  // null: nothing to be put back
  uintptr_t outer_ = 0;
};

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_OS_HOSTED_CONTEXT_H_

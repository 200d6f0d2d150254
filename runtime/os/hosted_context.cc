#include "runtime/os/hosted_context.h"

#include <algorithm>
#include <new>
#include <vector>

#include "runtime/os/faults.h"
#include "runtime/os/thread_end.h"
#include "runtime/os/thread_stack.h"
#include "runtime/os/virtual_memory.h"

namespace fermata::internal {

constinit thread_local core::Context* thread_context = nullptr;

namespace {

constexpr size_t kScratchBytes = size_t{64} << 20;  // reserved; pages are used as they are touched
// What validators allow a function to take or return (1,000 values of up to two slots), and some.
constexpr size_t kResults = 2048;

class ThreadState {
 public:
  ThreadState() {
    scratch_ = MapZeroed(kScratchBytes);
    if (scratch_ == nullptr) return;
    results_.resize(kResults);
    context_.scratch_begin = scratch_;
    context_.scratch_end = context_.scratch_begin + kScratchBytes;
    context_.scratch_top = context_.scratch_end;
    context_.results = results_.data();
    context_.results_capacity = results_.size();
    stack_ = ThisStack();
    context_.stack_limit = stack_.low + stack_.margin;
    InstallFaultHandler();
  }
  ~ThreadState() {
    if (scratch_ != nullptr) Unmap(scratch_, kScratchBytes);
  }
  bool ok() const { return scratch_ != nullptr; }

  core::Context* Get(uint32_t results) {
    if (results > results_.size() && context_.entry == nullptr) {
      results_.resize(results);
      context_.results = results_.data();
      context_.results_capacity = results;
    }
    return results <= results_.size() ? &context_ : nullptr;
  }
  core::Context* context() { return &context_; }
  const NativeStack& stack() const { return stack_; }

  static thread_local ThreadState* current;

 private:
  uint8_t* scratch_ = nullptr;
  FaultStack fault_stack_;
  NativeStack stack_;
  std::vector<uint64_t> results_;
  core::Context context_{};
};

thread_local ThreadState* ThreadState::current = nullptr;

// Null if there is no memory.
ThreadState* MakeThreadState() {
  auto* state = new (std::nothrow) ThreadState;
  const auto end = [](void* ended) {
    ThreadState::current = nullptr;
    thread_context = nullptr;
    delete static_cast<ThreadState*>(ended);
  };
  if (state == nullptr || (state->ok() && AtThreadEnd(end, state))) return state;
  delete state;
  return nullptr;
}

}  // namespace

core::Context* MakeThreadContext(uint32_t results) {
  if (ThreadState::current == nullptr) {
    ThreadState::current = MakeThreadState();
    if (ThreadState::current == nullptr) return nullptr;
    thread_context = ThreadState::current->context();
  }
  return ThreadState::current->Get(results);
}

core::Context* ExistingThreadContext() { return thread_context; }

bool PastStack(const void* address) {
  // Frames may be larger than the guard pages; and the system may end a stack a little earlier.
  constexpr uintptr_t kBelow = size_t{16} << 20, kAbove = 64 * 1024;
  if (ThreadState::current == nullptr) return false;
  const uintptr_t low = ThreadState::current->stack().low;
  const uintptr_t at = reinterpret_cast<uintptr_t>(address);
  return low != 0 && at < low + kAbove && at >= low - std::min(low, kBelow);
}

void StackBudget::Begin(core::Context& context, uint32_t bytes) {
  context_ = &context;
  outer_ = context.stack_limit;
  const uintptr_t here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  if (here > outer_ && here - outer_ > bytes) context.stack_limit = here - bytes;
}

void RequireStack() {
  constexpr size_t kMost = 64 * 1024;
  if (ThreadState::current == nullptr) return;
  core::Context& context = *ThreadState::current->context();
  if (context.entry == nullptr || context.activation == nullptr) return;
  const NativeStack& stack = ThreadState::current->stack();
  const uintptr_t here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  // Below its end, it is another stack.
  if (here >= stack.low && here - stack.low < std::min(kMost, stack.margin / 4)) {
    core::RaiseTrapIn(context, Trap::kCallStackExhausted);
  }
}

}  // namespace fermata::internal

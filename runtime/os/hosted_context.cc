#include "runtime/os/hosted_context.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <algorithm>
#include <vector>

#include "runtime/os/faults.h"

namespace fermata::internal {
namespace {

constexpr size_t kScratchBytes = size_t{64} << 20;  // reserved; pages are used as they are touched
constexpr size_t kSignalStackBytes = 64 * 1024;
// What validators allow a function to take or return (1,000 values of up to two slots), and some.
constexpr size_t kResults = 2048;

struct NativeStack {
  uintptr_t low = 0;  // lowest address; 0 if unknown
  // Native stack that guest functions leave to unchecked callees (the translator's
  // kUncheckedBytes), to host functions they call and to signal handlers.
  size_t margin = 0;
};

NativeStack ThisStack() {
  constexpr size_t kMargin = 512 * 1024;
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return {};
  void* low = nullptr;
  size_t size = 0;
  pthread_attr_getstack(&attributes, &low, &size);
  pthread_attr_destroy(&attributes);
  // An unlimited stack is not mapped to its end; what lies there may belong to others.
  constexpr size_t kMost = size_t{64} << 20;
  const uintptr_t high = reinterpret_cast<uintptr_t>(low) + size;
  size = std::min(size, kMost);
  return {high - size, std::min(kMargin, size / 2)};
}

class ThreadState {
 public:
  ThreadState() {
    scratch_ = mmap(nullptr, kScratchBytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (scratch_ == MAP_FAILED) return;
    results_.resize(kResults);
    context_.scratch_begin = static_cast<core::u8*>(scratch_);
    context_.scratch_end = context_.scratch_begin + kScratchBytes;
    context_.scratch_top = context_.scratch_end;
    context_.results = results_.data();
    context_.results_capacity = results_.size();
    stack_ = ThisStack();
    context_.stack_limit = stack_.low + stack_.margin;
    InstallSignalStack();
    InstallFaultHandler();
    current = this;
  }
  ~ThreadState() {
    current = nullptr;
    if (scratch_ != MAP_FAILED) munmap(scratch_, kScratchBytes);
    if (signal_stack_ != nullptr) {
      stack_t installed = {};
      if (sigaltstack(nullptr, &installed) == 0 && installed.ss_sp == signal_stack_) {
        stack_t off = {};
        off.ss_flags = SS_DISABLE;
        sigaltstack(&off, nullptr);
      }
      free(signal_stack_);
    }
  }
  bool ok() const { return scratch_ != MAP_FAILED; }

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
  // Faults are handled on a stack of their own, as the guest's may be used up. One that is there
  // already (a sanitizer's, the host's) will do.
  void InstallSignalStack() {
    stack_t existing;
    if (sigaltstack(nullptr, &existing) == 0 && !(existing.ss_flags & SS_DISABLE)) return;
    signal_stack_ = malloc(kSignalStackBytes);
    if (signal_stack_ == nullptr) return;
    stack_t stack = {};
    stack.ss_sp = signal_stack_;
    stack.ss_size = kSignalStackBytes;
    sigaltstack(&stack, nullptr);
  }

  void* scratch_ = MAP_FAILED;
  void* signal_stack_ = nullptr;
  NativeStack stack_;
  std::vector<uint64_t> results_;
  core::Context context_{};
};

thread_local ThreadState* ThreadState::current = nullptr;

}  // namespace

core::Context* ThreadContext(uint32_t results) {
  thread_local ThreadState state;
  return state.ok() ? state.Get(results) : nullptr;
}

core::Context* ExistingThreadContext() {
  return ThreadState::current == nullptr ? nullptr : ThreadState::current->context();
}

bool PastStack(const void* address) {
  // Frames may be larger than the guard pages; and the system may end a stack a little earlier.
  constexpr uintptr_t kBelow = size_t{16} << 20, kAbove = 64 * 1024;
  if (ThreadState::current == nullptr) return false;
  const uintptr_t low = ThreadState::current->stack().low;
  const uintptr_t at = reinterpret_cast<uintptr_t>(address);
  return low != 0 && at < low + kAbove && at >= low - std::min(low, kBelow);
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

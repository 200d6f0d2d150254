#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include <algorithm>

#include "runtime/os/thread_stack.h"

namespace fermata::internal {

NativeStack ThisStack() {
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
  return {high - size, MarginOf(size)};
}

// Signals are handled on a stack of their own. One that is there already (a sanitizer's, the host's)
// will do.
FaultStack::FaultStack() {
  constexpr size_t kBytes = 64 * 1024;
  stack_t existing;
  if (sigaltstack(nullptr, &existing) == 0 && !(existing.ss_flags & SS_DISABLE)) return;
  stack_ = malloc(kBytes);
  if (stack_ == nullptr) return;
  stack_t stack = {};
  stack.ss_sp = stack_;
  stack.ss_size = kBytes;
  sigaltstack(&stack, nullptr);
}

FaultStack::~FaultStack() {
  if (stack_ == nullptr) return;
  stack_t installed = {};
  if (sigaltstack(nullptr, &installed) == 0 && installed.ss_sp == stack_) {
    stack_t off = {};
    off.ss_flags = SS_DISABLE;
    sigaltstack(&off, nullptr);
  }
  free(stack_);
}

}  // namespace fermata::internal

#include "runtime/os/faults.h"

#include <atomic>

#include "runtime/os/hosted_context.h"

namespace fermata::internal {
namespace {

std::atomic<FaultMeaning> meaning_to_store{nullptr};

}  // namespace

void SetFaultMeaning(FaultMeaning meaning) {
  meaning_to_store.store(meaning, std::memory_order_release);
}

Trap GuestFault(const core::Context& context, const void* address) {
  if (context.entry == nullptr || context.activation == nullptr) return Trap::kNone;
  const FaultMeaning meaning = meaning_to_store.load(std::memory_order_acquire);
  const Trap trap = meaning == nullptr ? Trap::kNone : meaning(context, address);
  if (trap != Trap::kNone) return trap;
  return PastStack(address) ? Trap::kCallStackExhausted : Trap::kNone;
}

}  // namespace fermata::internal

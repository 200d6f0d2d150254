#include "runtime/os/faults.h"

#include <atomic>

#include "runtime/os/hosted_context.h"

namespace fermata::internal {
namespace {

std::atomic<OwnsAddress> owner{nullptr};

}  // namespace

void SetFaultOwner(OwnsAddress owns) { owner.store(owns, std::memory_order_release); }

Trap GuestFault(const core::Context& context, const void* address) {
  if (context.entry == nullptr || context.activation == nullptr) return Trap::kNone;
  const OwnsAddress owns = owner.load(std::memory_order_acquire);
  if (owns != nullptr && owns(context, address)) return Trap::kMemoryOutOfBounds;
  return PastStack(address) ? Trap::kCallStackExhausted : Trap::kNone;
}

}  // namespace fermata::internal

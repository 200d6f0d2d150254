// Memories that never move: address space for all that they may become, of which growth makes more
// usable. Under the reserved policy that is space for every address that an access can form, and
// accesses out of bounds are faults (runtime/os/faults.h). Shared memories are mapped under every
// policy.
#include <algorithm>
#include <memory>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "runtime/os/hosted_context.h"
#include "runtime/os/virtual_memory.h"
#include "runtime/storage/storage.h"

namespace fermata::internal {
namespace {

// 32 bits of address + 32 bits of offset + the widest access.
constexpr uint64_t kReservation = (uint64_t{8} << 30) + 64 * 1024;

class MappedMemory : public MemoryStorage {
 public:
  MappedMemory(core::MemoryPolicy policy, const core::SizeLimitsInfo& limits, uint64_t max_pages)
      : MemoryStorage(policy, limits, max_pages),
        reservation_(
            policy == core::MemoryPolicy::kReserved
                ? kReservation
                : std::max(RoundUpToPages(max_pages << limits.page_log2), SystemPageSize())) {
    if (limits.shared) growing_ = std::make_unique<std::mutex>();
    memory_.grow = [](core::Memory* memory, uint64_t delta) {
      return static_cast<MappedMemory*>(static_cast<MemoryStorage*>(memory->owner))->Grow(delta);
    };
  }
  ~MappedMemory() override {
    if (memory_.data != nullptr) Unmap(memory_.data, reservation_);
  }
  absl::Status Reserve() {
    memory_.data = ReserveAddresses(reservation_);
    if (memory_.data == nullptr) {
      return absl::ResourceExhaustedError(
          absl::StrCat("no address space to reserve for a memory (", reservation_, " bytes)"));
    }
    if (limits_.min != 0 && Grow(limits_.min) == ~uint64_t{0}) {
      return absl::ResourceExhaustedError(absl::StrCat("no memory of ", limits_.min, " pages"));
    }
    return absl::OkStatus();
  }
  bool Covers(const void* address) const override {
    const auto at = reinterpret_cast<uintptr_t>(address),
               base = reinterpret_cast<uintptr_t>(memory_.data);
    return at >= base && at - base < reservation_;
  }

 private:
  uint64_t Grow(uint64_t delta) {
    RequireStack();
    std::unique_lock<std::mutex> lock;
    if (growing_ != nullptr) lock = std::unique_lock<std::mutex>(*growing_);
    const uint64_t before = memory_.pages;
    if (delta > memory_.max_pages - before) return ~uint64_t{0};
    const uint64_t pages = before + delta, bytes = pages << memory_.page_log2;
    const uint64_t usable = RoundUpToPages(memory_.bytes), wanted = RoundUpToPages(bytes);
    if (wanted > usable && !CommitAddresses(memory_.data + usable, wanted - usable)) {
      return ~uint64_t{0};
    }
    // Other threads read them at any time.
    __atomic_store_n(&memory_.bytes, bytes, __ATOMIC_RELEASE);
    __atomic_store_n(&memory_.pages, pages, __ATOMIC_RELEASE);
    return before;
  }

  const uint64_t reservation_;           // bytes
  std::unique_ptr<std::mutex> growing_;  // whoever writes the sizes of a shared memory
};

}  // namespace

absl::StatusOr<std::shared_ptr<MemoryStorage>> MakeMappedMemory(const core::SizeLimitsInfo& limits,
                                                                core::MemoryPolicy policy,
                                                                uint64_t max_pages) {
  auto memory = std::make_shared<MappedMemory>(policy, limits, max_pages);
  absl::Status status = memory->Reserve();
  if (!status.ok()) return status;
  return memory;
}

}  // namespace fermata::internal

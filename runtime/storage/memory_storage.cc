// Which storage a memory gets, and how large it may become.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "runtime/storage/parking.h"
#include "runtime/storage/storage.h"

namespace fermata::internal {
namespace {

// Pages that addresses can tell apart, and that come to at most `most` times 64 KiB. A memory that is
// checked has less than 4 GiB if its addresses have 32 bits, so that no access which is in bounds
// has one behind it whose address wraps around and is in bounds again (MemChecked::Check).
uint64_t MostPages(const core::SizeLimitsInfo& limits, core::MemoryPolicy policy, uint64_t most) {
  most <<= 16 - limits.page_log2;
  const uint64_t addressable =
      limits.is64 ? ~uint64_t{0} >> limits.page_log2 : uint64_t{1} << (32 - limits.page_log2);
  if (policy == core::MemoryPolicy::kChecked && !limits.is64 && limits.page_log2 == 16) {
    most = std::min<uint64_t>(most, 65535);
  }
  return std::min({most, addressable, limits.has_max ? limits.max : ~uint64_t{0}});
}

uint32_t Wait(core::Memory* memory, uint64_t address, uint64_t expected, uint32_t size,
              int64_t timeout) {
  return Park(memory->data + address, expected, size, timeout);
}
uint32_t Notify(core::Memory* memory, uint64_t address, uint32_t count) {
  return Unpark(memory->data + address, count);
}

}  // namespace

MemoryStorage::MemoryStorage(core::MemoryPolicy policy, const core::SizeLimitsInfo& limits,
                             uint64_t max_pages)
    : policy_(policy), limits_(limits) {
  memory_.max_pages = max_pages;
  memory_.page_log2 = limits.page_log2;
  memory_.owner = this;
  if (limits.shared) {
    memory_.shared = 1;
    memory_.wait = Wait;
    memory_.notify = Notify;
  }
}

absl::StatusOr<std::shared_ptr<MemoryStorage>> MakeMemory(const core::SizeLimitsInfo& limits,
                                                          core::MemoryPolicy policy, uint64_t most,
                                                          uint64_t fixed_bytes) {
  if (limits.page_log2 != 0 && limits.page_log2 != 16) {
    return absl::InvalidArgumentError(
        absl::StrCat("pages of 2^", limits.page_log2, " bytes: memories have pages of 1 or 64 Ki"));
  }
  if (limits.has_max && limits.min > limits.max) {
    return absl::InvalidArgumentError(absl::StrCat("the size of a memory, ", limits.min,
                                                   " pages, is above its maximum, ", limits.max));
  }
  if (limits.shared && !limits.has_max) {
    return absl::InvalidArgumentError("a shared memory needs a maximum");
  }
  const uint64_t max_pages = MostPages(limits, policy, most);
  if (limits.min > max_pages) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a memory of ", limits.min, " pages is above the limit of ", max_pages));
  }
  if (policy == core::MemoryPolicy::kFixed) {
    if (limits.shared || limits.is64) {
      return absl::InvalidArgumentError(
          "a memory of a fixed size can't be shared, nor have 64-bit addresses");
    }
    return MakeFixedMemory(limits, std::min(limits.min << limits.page_log2, fixed_bytes));
  }
  if (AlwaysChecked(limits) || sizeof(void*) < 8) policy = core::MemoryPolicy::kChecked;
  if (policy == core::MemoryPolicy::kChecked && !limits.shared) {
    return MakeCheckedMemory(limits, max_pages);
  }
  return MakeMappedMemory(limits, policy, max_pages);
}

}  // namespace fermata::internal

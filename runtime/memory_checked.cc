// Plain storage: an allocation that may move when it grows, for code that checks each access.
#include <stdlib.h>
#include <string.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "runtime/storage.h"

namespace fermata::internal {
namespace {

class CheckedMemory : public MemoryStorage {
 public:
  CheckedMemory(const core::LimitsInfo& limits, uint64_t max_pages)
      : MemoryStorage(core::MemoryPolicy::kChecked, limits, max_pages) {
    memory_.grow = Grow;
  }
  ~CheckedMemory() override { free(memory_.data); }
  bool Covers(const void*) const override { return false; }

  static uint64_t Grow(core::Memory* memory, uint64_t delta) {
    const uint64_t before = memory->pages;
    if (delta > memory->max_pages - before) return ~uint64_t{0};
    const uint64_t bytes = (before + delta) << memory->page_log2;
    // Fresh large allocations come as zero pages that cost nothing until touched.
    void* data = memory->data == nullptr ? calloc(std::max<uint64_t>(bytes, 1), 1)
                                         : realloc(memory->data, std::max<uint64_t>(bytes, 1));
    if (data == nullptr) return ~uint64_t{0};
    if (memory->data != nullptr) {
      memset(static_cast<core::u8*>(data) + memory->bytes, 0, bytes - memory->bytes);
    }
    memory->data = static_cast<core::u8*>(data);
    memory->pages += delta;
    memory->bytes = bytes;
    return before;
  }
};

}  // namespace

absl::StatusOr<std::shared_ptr<MemoryStorage>> MakeCheckedMemory(const core::LimitsInfo& limits,
                                                                 uint64_t max_pages) {
  auto memory = std::make_shared<CheckedMemory>(limits, max_pages);
  if (CheckedMemory::Grow(memory->memory(), limits.min) == ~uint64_t{0}) {
    return absl::ResourceExhaustedError(absl::StrCat("no memory of ", limits.min, " pages"));
  }
  return memory;
}

}  // namespace fermata::internal

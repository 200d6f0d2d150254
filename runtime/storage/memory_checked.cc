// Plain storage: it may move when it grows, for code that checks each access. Large ones are mapped
// by themselves: malloc clears what it hands out again, after which all of it is resident.
#include <stdlib.h>
#include <string.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "runtime/os/hosted_context.h"
#include "runtime/os/virtual_memory.h"
#include "runtime/storage/storage.h"

namespace fermata::internal {
namespace {

constexpr uint64_t kMapped = 32 * 1024;  // bytes from which storage is mapped

class CheckedMemory : public MemoryStorage {
 public:
  CheckedMemory(const core::SizeLimitsInfo& limits, uint64_t max_pages)
      : MemoryStorage(core::MemoryPolicy::kChecked, limits, max_pages) {
    memory_.grow = Grow;
  }
  ~CheckedMemory() override { Free(memory_.data, memory_.bytes); }
  bool Covers(const void*) const override { return false; }

  static uint64_t Grow(core::Memory* memory, uint64_t delta) {
    RequireStack();
    const uint64_t before = memory->pages;
    if (delta > memory->max_pages - before) return ~uint64_t{0};
    const uint64_t bytes = (before + delta) << memory->page_log2;
    if (memory->data == nullptr || bytes != memory->bytes) {
      core::u8* data = Resize(memory->data, memory->bytes, bytes);
      if (data == nullptr) return ~uint64_t{0};
      memory->data = data;
    }
    memory->pages += delta;
    memory->bytes = bytes;
    return before;
  }

 private:
  // Never null, nor shared with another memory, if there is room; what is new is zero.
  static core::u8* Resize(core::u8* data, uint64_t from, uint64_t to) {
    if (to < kMapped) {
      void* larger = realloc(data, std::max<uint64_t>(to, 1));
      if (larger != nullptr) memset(static_cast<core::u8*>(larger) + from, 0, to - from);
      return static_cast<core::u8*>(larger);
    }
    if (from >= kMapped) return ResizeMapped(data, from, to);
    core::u8* mapped = MapZeroed(to);
    if (mapped == nullptr) return nullptr;
    if (from != 0) memcpy(mapped, data, from);
    Free(data, from);
    return mapped;
  }
  static void Free(core::u8* data, uint64_t bytes) {
    if (bytes < kMapped) return free(data);
    Unmap(data, bytes);
  }
};

}  // namespace

absl::StatusOr<std::shared_ptr<MemoryStorage>> MakeCheckedMemory(const core::SizeLimitsInfo& limits,
                                                                 uint64_t max_pages) {
  auto memory = std::make_shared<CheckedMemory>(limits, max_pages);
  if (CheckedMemory::Grow(memory->memory(), limits.min) == ~uint64_t{0}) {
    return absl::ResourceExhaustedError(absl::StrCat("no memory of ", limits.min, " pages"));
  }
  return memory;
}

}  // namespace fermata::internal

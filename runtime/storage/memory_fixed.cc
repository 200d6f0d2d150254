// Plain storage of a size that never changes, for code that checks each access against a constant.
#include <stdlib.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "runtime/os/virtual_memory.h"
#include "runtime/storage/storage.h"

namespace fermata::internal {
namespace {

class FixedMemory : public MemoryStorage {
 public:
  FixedMemory(const core::SizeLimitsInfo& limits, uint64_t bytes)
      : MemoryStorage(core::MemoryPolicy::kFixed, limits, limits.min), bytes_(bytes) {
    memory_.data = IsMapped() ? MapZeroed(bytes)
                              : static_cast<core::u8*>(calloc(std::max<uint64_t>(bytes, 1), 1));
    memory_.bytes = bytes;
    memory_.pages = limits.min;
    memory_.grow = [](core::Memory* memory, uint64_t delta) {
      return delta == 0 ? memory->pages : ~uint64_t{0};
    };
  }
  ~FixedMemory() override {
    if (memory_.data == nullptr) return;
    if (IsMapped()) {
      Unmap(memory_.data, bytes_);
      return;
    }
    free(memory_.data);
  }
  bool Covers(const void*) const override { return false; }

 private:
  // Large ones are by themselves: what was never touched is not resident, and looked at by no
  // snapshot.
  bool IsMapped() const { return bytes_ >= 32 * 1024; }
  const uint64_t bytes_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<MemoryStorage>> MakeFixedMemory(const core::SizeLimitsInfo& limits,
                                                               uint64_t bytes) {
  auto memory = std::make_shared<FixedMemory>(limits, bytes);
  if (memory->memory()->data == nullptr) {
    return absl::ResourceExhaustedError(absl::StrCat("no memory of ", bytes, " bytes"));
  }
  return memory;
}

}  // namespace fermata::internal

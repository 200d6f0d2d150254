#include <algorithm>

#include "absl/strings/str_cat.h"
#include "runtime/storage.h"

namespace fermata::internal {

absl::StatusOr<std::unique_ptr<TableStorage>> TableStorage::Make(core::ValType type,
                                                                 const core::LimitsInfo& limits,
                                                                 uint64_t most_elements) {
  if (limits.min > most_elements) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a table of ", limits.min, " elements is above the limit of ", most_elements));
  }
  auto storage = std::unique_ptr<TableStorage>(new TableStorage(limits));
  storage->table_.type = type;
  storage->table_.max = static_cast<uint32_t>(
      std::min<uint64_t>(limits.has_max ? limits.max : 0xffffffffu, most_elements));
  storage->table_.owner = storage.get();
  storage->table_.grow = Grow;
  storage->Resize(limits.min);
  return storage;
}

void TableStorage::Resize(uint64_t size) {
  if (table_.type == core::ValType::kFuncRef) {
    functions_.resize(size, core::Function{nullptr, nullptr, core::kNoType, 0});
    table_.functions = functions_.data();
  } else {
    refs_.resize(size, 0);
    table_.refs = refs_.data();
  }
  table_.size = static_cast<uint32_t>(size);
}

uint32_t TableStorage::Grow(core::Table* table, uint32_t delta) {
  const uint32_t before = table->size;
  if (delta > table->max - before) return ~uint32_t{0};
  static_cast<TableStorage*>(table->owner)->Resize(uint64_t{before} + delta);
  return before;
}

}  // namespace fermata::internal

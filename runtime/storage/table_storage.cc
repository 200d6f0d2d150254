// Table elements: an allocation that moves as it grows. Generated code reads Table::functions anew
// for each access.
#include <stdlib.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "runtime/os/hosted_context.h"
#include "runtime/storage/storage.h"

namespace fermata::internal {

absl::StatusOr<std::unique_ptr<TableStorage>> TableStorage::Make(core::ValType type,
                                                                 core::RefType ref,
                                                                 const core::SizeLimitsInfo& limits,
                                                                 uint64_t most_elements) {
  if (limits.has_max && limits.min > limits.max) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the size of a table, ", limits.min, " elements, is above its maximum, ", limits.max));
  }
  if (limits.min > most_elements) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a table of ", limits.min, " elements is above the limit of ", most_elements));
  }
  auto storage = std::unique_ptr<TableStorage>(new TableStorage(ref, limits));
  core::Table& table = storage->table_;
  table.type = type;
  // All ones is what growth returns when it fails, so no table gets that large, whatever the type
  // of its indices.
  table.max = static_cast<uint32_t>(
      std::min<uint64_t>({limits.has_max ? limits.max : ~uint64_t{0}, most_elements, 0xfffffffe}));
  table.owner = storage.get();
  table.grow = Grow;
  if (limits.min != 0 && Grow(&table, static_cast<uint32_t>(limits.min)) == ~uint32_t{0}) {
    return absl::ResourceExhaustedError(absl::StrCat("no memory for ", limits.min, " elements"));
  }
  return storage;
}

TableStorage::~TableStorage() { free(elements_); }

uint32_t TableStorage::Grow(core::Table* table, uint32_t delta) {
  RequireStack();
  const uint32_t before = table->size;
  if (delta > table->max - before) return ~uint32_t{0};
  auto* self = static_cast<TableStorage*>(table->owner);
  if (!self->Reserve(size_t{before} + delta)) return ~uint32_t{0};
  table->size = before + delta;
  if (table->type == core::ValType::kFuncRef) {
    std::fill_n(table->functions + before, delta,
                core::Function{nullptr, nullptr, core::kNoType, 0});
  } else {
    std::fill_n(table->refs + before, delta, core::ref{0});
  }
  return before;
}

// Guests grow tables by single elements in loops: capacity doubles.
bool TableStorage::Reserve(size_t size) {
  if (size <= capacity_) return true;
  const bool functions = table_.type == core::ValType::kFuncRef;
  const size_t each = functions ? sizeof(core::Function) : sizeof(core::ref);
  const size_t capacity = std::max(size, std::min<size_t>(2 * capacity_, table_.max));
  void* moved = realloc(elements_, capacity * each);
  if (moved == nullptr) return false;
  elements_ = moved;
  capacity_ = capacity;
  if (functions) {
    table_.functions = static_cast<core::Function*>(moved);
  } else {
    table_.refs = static_cast<core::ref*>(moved);
  }
  return true;
}

}  // namespace fermata::internal

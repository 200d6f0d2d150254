// The storage behind memories and tables, by policy.
#ifndef FERMATA_RUNTIME_STORAGE_STORAGE_H_
#define FERMATA_RUNTIME_STORAGE_STORAGE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "fermata/core/module_info.h"

namespace fermata::internal {

// Owns what a core::Memory points to. Address-stable. Each store that uses it holds a share: shared
// memories may be linked into several.
class MemoryStorage : public std::enable_shared_from_this<MemoryStorage> {
 public:
  virtual ~MemoryStorage() = default;
  core::Memory* memory() { return &memory_; }
  // kReserved: code that does not check its accesses may use it.
  core::MemoryPolicy policy() const { return policy_; }
  // Declared, for import checks.
  const core::SizeLimitsInfo& limits() const { return limits_; }
  // The address range that belongs to the memory, mapped or not.
  virtual bool Covers(const void* address) const = 0;
  // Pages that were not touched yet may hold something: they are a file's, not the system's zeros.
  bool has_file = false;

 protected:
  MemoryStorage(core::MemoryPolicy policy, const core::SizeLimitsInfo& limits, uint64_t max_pages);
  core::Memory memory_{};
  const core::MemoryPolicy policy_;
  const core::SizeLimitsInfo limits_;
};

// Whether generated code checks its accesses to such memories under every policy.
inline bool AlwaysChecked(const core::SizeLimitsInfo& limits) {
  return limits.is64 || limits.page_log2 != 16;
}

// `most`: the store's limit, in units of 64 KiB. `fixed_bytes`: of a kFixed memory, the bytes that
// can be accessed, if that is fewer than its pages have. Errors: limits that no memory can have, too large,
// no address space or memory.
absl::StatusOr<std::shared_ptr<MemoryStorage>> MakeMemory(const core::SizeLimitsInfo& limits,
                                                          core::MemoryPolicy policy, uint64_t most,
                                                          uint64_t fixed_bytes = ~uint64_t{0});

// By kind, for MakeMemory; of `limits.min` pages. Mapped ones have address space for `max_pages`,
// and under kReserved for every address that an access without checks can form; they may be shared.
absl::StatusOr<std::shared_ptr<MemoryStorage>> MakeMappedMemory(const core::SizeLimitsInfo& limits,
                                                                core::MemoryPolicy policy,
                                                                uint64_t max_pages);
absl::StatusOr<std::shared_ptr<MemoryStorage>> MakeCheckedMemory(const core::SizeLimitsInfo& limits,
                                                                 uint64_t max_pages);
absl::StatusOr<std::shared_ptr<MemoryStorage>> MakeFixedMemory(const core::SizeLimitsInfo& limits,
                                                               uint64_t bytes);

// The size of a memory that other threads may be growing.
inline uint64_t BytesOf(const core::Memory& memory) {
  return __atomic_load_n(&memory.bytes, __ATOMIC_RELAXED);
}

// Owns what a core::Table points to. Address-stable.
class TableStorage {
 public:
  // `ref`: with the canonical number of the type, if any.
  static absl::StatusOr<std::unique_ptr<TableStorage>> Make(core::ValType type, core::RefType ref,
                                                            const core::SizeLimitsInfo& limits,
                                                            uint64_t most_elements);
  ~TableStorage();
  core::Table* table() { return &table_; }
  const core::SizeLimitsInfo& limits() const { return limits_; }
  const core::RefType& ref() const { return ref_; }

 private:
  TableStorage(core::RefType ref, const core::SizeLimitsInfo& limits)
      : ref_(ref), limits_(limits) {}
  bool Reserve(size_t size);
  static uint32_t Grow(core::Table* table, uint32_t delta);

  core::Table table_{};
  const core::RefType ref_;
  const core::SizeLimitsInfo limits_;
  void* elements_ = nullptr;
  size_t capacity_ = 0;  // in elements
};

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_STORAGE_STORAGE_H_

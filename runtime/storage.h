// The storage behind memories and tables, by policy.
#ifndef FERMATA_RUNTIME_STORAGE_H_
#define FERMATA_RUNTIME_STORAGE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "fermata/core.h"

namespace fermata::internal {

// Owns what a core::Memory points to. Address-stable.
class MemoryStorage {
 public:
  virtual ~MemoryStorage() = default;
  core::Memory* memory() { return &memory_; }
  core::MemoryPolicy policy() const { return policy_; }
  // Declared, for import checks.
  const core::LimitsInfo& limits() const { return limits_; }
  // The address range that belongs to the memory, mapped or not.
  virtual bool Covers(const void* address) const = 0;

 protected:
  MemoryStorage(core::MemoryPolicy policy, const core::LimitsInfo& limits)
      : policy_(policy), limits_(limits) {}
  core::Memory memory_{};
  const core::MemoryPolicy policy_;
  const core::LimitsInfo limits_;
};

// `most_pages`: the store's limit. Errors: too large, no address space or memory.
absl::StatusOr<std::unique_ptr<MemoryStorage>> MakeReservedMemory(const core::LimitsInfo& limits,
                                                                  uint64_t most_pages);
absl::StatusOr<std::unique_ptr<MemoryStorage>> MakeCheckedMemory(const core::LimitsInfo& limits,
                                                                 uint64_t most_pages);

// Makes faults in reserved memories of the store that runs on the faulting thread traps; all others
// go to the handlers installed before. Done once a process.
void InstallFaultHandler();

// Owns what a core::Table points to. Address-stable.
class TableStorage {
 public:
  static absl::StatusOr<std::unique_ptr<TableStorage>> Make(core::ValType type,
                                                            const core::LimitsInfo& limits,
                                                            uint64_t most_elements);
  ~TableStorage();
  core::Table* table() { return &table_; }
  const core::LimitsInfo& limits() const { return limits_; }

 private:
  explicit TableStorage(const core::LimitsInfo& limits) : limits_(limits) {}
  bool Reserve(size_t size);
  static uint32_t Grow(core::Table* table, uint32_t delta);

  core::Table table_{};
  const core::LimitsInfo limits_;
  void* elements_ = nullptr;
  size_t capacity_ = 0;  // in elements
};

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_STORAGE_H_

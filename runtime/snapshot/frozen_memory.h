// The contents of a memory, to be given to many: copied once, then mapped copy-on-write.
#ifndef FERMATA_RUNTIME_SNAPSHOT_FROZEN_MEMORY_H_
#define FERMATA_RUNTIME_SNAPSHOT_FROZEN_MEMORY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "runtime/snapshot/image.h"

namespace fermata::internal {

class SharedContents;

class FrozenMemory {
 public:
  explicit FrozenMemory(absl::Span<const MemoryRun> runs);
  ~FrozenMemory();
  FrozenMemory(const FrozenMemory&) = delete;

  // Gives `memory`, which is all zero and at least as large, the contents. Memories that never move
  // get private mappings of a file in memory; others are written.
  absl::Status CopyTo(core::Memory& memory) const;

 private:
  struct Range {
    uint64_t begin, end;
  };
  bool Map(core::Memory& memory) const;

  std::unique_ptr<SharedContents> contents_;  // null: the system has no such thing
  std::vector<Range> pages_;                  // to be mapped: few, and whole pages of the system
  std::vector<Range> runs_;
  std::string bytes_;  // of the runs, one after the other, if there is no file
};

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_SNAPSHOT_FROZEN_MEMORY_H_

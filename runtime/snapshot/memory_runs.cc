// What of a memory is not zero.
//
// Bytes are compared with zeros, a page at a time and then in blocks. Looking at a page that was
// never touched would make the system map one, so in large memories the system is asked which were.
#include <algorithm>
#include <cstring>

#include "runtime/os/virtual_memory.h"
#include "runtime/snapshot/image.h"

namespace fermata::internal {
namespace {

// What ends a run is worth its 16 bytes.
constexpr uint64_t kBlock = 256;
constexpr uint64_t kPage = 4096;
alignas(64) constexpr uint8_t kZeros[kPage] = {};

// From this size on faults are worth avoiding.
constexpr uint64_t kLarge = uint64_t{1} << 20;

bool IsZero(const uint8_t* data, uint64_t size) { return std::memcmp(data, kZeros, size) == 0; }

class RunFinder {
 public:
  explicit RunFinder(const uint8_t* data) : data_(data) {}

  void Look(uint64_t from, uint64_t to) {
    for (uint64_t page = from; page < to; page += kPage) {
      const uint64_t size = std::min(kPage, to - page);
      if (IsZero(data_ + page, size)) continue;
      for (uint64_t at = page; at < page + size; at += kBlock) {
        const uint64_t block = std::min(kBlock, page + size - at);
        if (!IsZero(data_ + at, block)) Add(at, at + block);
      }
    }
  }
  std::vector<MemoryRun> Finish() {
    Flush();
    return std::move(runs_);
  }

 private:
  void Flush() {
    if (end_ == begin_) return;
    runs_.push_back({begin_, {data_ + begin_, static_cast<size_t>(end_ - begin_)}});
  }
  void Add(uint64_t from, uint64_t to) {
    if (from != end_ || end_ == begin_) {
      Flush();
      begin_ = from;
    }
    end_ = to;
  }
  const uint8_t* data_;
  std::vector<MemoryRun> runs_;
  uint64_t begin_ = 0, end_ = 0;  // of the run under way
};

}  // namespace

std::vector<MemoryRun> FindRuns(const core::Memory& memory) {
  const uint64_t bytes = BytesOf(memory);
  const auto& storage = *static_cast<const MemoryStorage*>(memory.owner);
  RunFinder finder(memory.data);
  if (bytes >= kLarge && !storage.has_file) {
    if (ForTouchedPages(memory.data, bytes,
                        [&](uint64_t from, uint64_t to) { finder.Look(from, to); })) {
      return finder.Finish();
    }
    finder = RunFinder(memory.data);
  }
  finder.Look(0, bytes);
  return finder.Finish();
}

}  // namespace fermata::internal

// What of a memory is not zero.
//
// Bytes are compared with zeros, a page at a time and then in blocks. Looking at a page that was
// never touched would make the system map one, so in large memories the process's page map says
// which were: reading it costs 8 bytes a page instead of a fault.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

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
    if (end_ != begin_) runs_.push_back({begin_, {data_ + begin_, end_ - begin_}});
    return std::move(runs_);
  }

 private:
  void Add(uint64_t from, uint64_t to) {
    if (from != end_ || end_ == begin_) {
      if (end_ != begin_) runs_.push_back({begin_, {data_ + begin_, end_ - begin_}});
      begin_ = from;
    }
    end_ = to;
  }
  const uint8_t* data_;
  std::vector<MemoryRun> runs_;
  uint64_t begin_ = 0, end_ = 0;  // of the run under way
};

// Looks at the pages that are there: present, or swapped out (Linux, admin-guide/mm/pagemap). False
// if the system does not tell.
bool LookAtTouched(RunFinder& finder, const uint8_t* data, uint64_t bytes) {
  if (sysconf(_SC_PAGESIZE) != kPage || reinterpret_cast<uintptr_t>(data) % kPage != 0) {
    return false;
  }
  const int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  constexpr uint64_t kThere = uint64_t{3} << 62;
  std::vector<uint64_t> entries(4096);
  const uint64_t first = reinterpret_cast<uintptr_t>(data) / kPage;
  const uint64_t pages = (bytes + kPage - 1) / kPage;
  bool told = true;
  for (uint64_t page = 0; page < pages && told;) {
    const uint64_t count = std::min<uint64_t>(entries.size(), pages - page);
    const ssize_t n = pread(fd, entries.data(), count * 8, static_cast<off_t>((first + page) * 8));
    told = n == static_cast<ssize_t>(count * 8);
    for (uint64_t i = 0; told && i < count; ++i) {
      const uint64_t at = (page + i) * kPage;
      if ((entries[i] & kThere) != 0) finder.Look(at, std::min(at + kPage, bytes));
    }
    page += count;
  }
  close(fd);
  return told;
}

}  // namespace

std::vector<MemoryRun> FindRuns(const core::Memory& memory) {
  const uint64_t bytes = BytesOf(memory);
  const auto& storage = *static_cast<const MemoryStorage*>(memory.owner);
  RunFinder finder(memory.data);
  if (bytes >= kLarge && !storage.has_file) {
    if (LookAtTouched(finder, memory.data, bytes)) return finder.Finish();
    finder = RunFinder(memory.data);
  }
  finder.Look(0, bytes);
  return finder.Finish();
}

}  // namespace fermata::internal

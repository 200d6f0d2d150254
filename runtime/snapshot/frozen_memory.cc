#include "runtime/snapshot/frozen_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace fermata::internal {
namespace {

constexpr size_t kMostMappings = 16;  // each costs about a microsecond and a place in a short list

// All of `size` bytes at `offset`, by pread or pwrite.
template <class Byte, class Transfer>
bool TransferAll(Transfer transfer, int fd, Byte* data, size_t size, uint64_t offset) {
  while (size != 0) {
    const ssize_t n = transfer(fd, data, size, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    data += n;
    offset += static_cast<uint64_t>(n);
    size -= static_cast<size_t>(n);
  }
  return true;
}

}  // namespace

FrozenMemory::FrozenMemory(absl::Span<const MemoryRun> runs) {
  for (const MemoryRun& run : runs) {
    runs_.push_back({run.address, run.address + run.bytes.size()});
  }
  if (runs_.empty()) return;
  const uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  // Of the zeros between runs, only long stretches stay unmapped.
  for (uint64_t gap = 16 * page;; gap *= 4) {
    pages_.clear();
    for (const Range& run : runs_) {
      const Range whole = {run.begin / page * page, (run.end + page - 1) / page * page};
      if (!pages_.empty() && whole.begin < pages_.back().end + gap) {
        pages_.back().end = whole.end;
      } else {
        pages_.push_back(whole);
      }
    }
    if (pages_.size() <= kMostMappings) break;
  }
#if defined(MFD_CLOEXEC)
  fd_ = memfd_create("fermata memory", MFD_CLOEXEC);
  if (fd_ >= 0) {
    bool written = ftruncate(fd_, static_cast<off_t>(pages_.back().end)) == 0;
    for (const MemoryRun& run : runs) {
      written =
          written && TransferAll(pwrite, fd_, run.bytes.data(), run.bytes.size(), run.address);
    }
    if (written) return;
    close(fd_);
    fd_ = -1;
  }
#endif
  for (const MemoryRun& run : runs) {
    bytes_.append(reinterpret_cast<const char*>(run.bytes.data()), run.bytes.size());
  }
}

FrozenMemory::~FrozenMemory() {
  if (fd_ >= 0) close(fd_);
}

bool FrozenMemory::Map(core::Memory& memory) const {
  auto& storage = *static_cast<MemoryStorage*>(memory.owner);
  if (storage.policy() != core::MemoryPolicy::kReserved) return false;
  storage.has_file = true;
  if (pages_.back().end > memory.bytes) return false;
  for (const Range& range : pages_) {
    if (mmap(memory.data + range.begin, range.end - range.begin, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, fd_,
             static_cast<off_t>(range.begin)) == MAP_FAILED) {
      return false;
    }
  }
  return true;
}

absl::Status FrozenMemory::CopyTo(core::Memory& memory) const {
  if (runs_.empty()) return absl::OkStatus();
  if (runs_.back().end > memory.bytes) {
    return absl::InvalidArgumentError("more than a memory holds");
  }
  if (fd_ >= 0 && Map(memory)) return absl::OkStatus();
  size_t at = 0;
  for (const Range& run : runs_) {
    const size_t size = run.end - run.begin;
    if (fd_ < 0) {
      std::memcpy(memory.data + run.begin, bytes_.data() + at, size);
    } else if (!TransferAll(pread, fd_, memory.data + run.begin, size, run.begin)) {
      return absl::ResourceExhaustedError("the contents of a memory can't be read");
    }
    at += size;
  }
  return absl::OkStatus();
}

}  // namespace fermata::internal

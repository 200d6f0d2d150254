#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "runtime/os/virtual_memory.h"

namespace fermata::internal {
namespace {

uint8_t* Map(uint64_t bytes, int protection) {
  void* mapped =
      mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return mapped == MAP_FAILED ? nullptr : static_cast<uint8_t*>(mapped);
}

// All of `size` bytes at `offset`, by pread or pwrite.
template <class Byte, class Transfer>
bool TransferAll(Transfer transfer, int file, Byte* data, size_t size, uint64_t offset) {
  while (size != 0) {
    const ssize_t n = transfer(file, data, size, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    data += n;
    offset += static_cast<uint64_t>(n);
    size -= static_cast<size_t>(n);
  }
  return true;
}

// Linux's map of pages (admin-guide/mm/pagemap): 8 bytes for each, with these bits if it is there,
// present or swapped out. Reading that costs less than looking at a page that was never touched, which
// is a fault.
constexpr uint64_t kThere = uint64_t{3} << 62;

bool ReadPagemap(int fd, const uint8_t* data, uint64_t* entries, uint64_t count) {
  const uint64_t first = reinterpret_cast<uintptr_t>(data) / SystemPageSize();
  const ssize_t n = pread(fd, entries, count * 8, static_cast<off_t>(first * 8));
  return n == static_cast<ssize_t>(count * 8);
}

// Emulators of other machines, as QEMU's user mode, hand out the map of their own process: of other
// addresses, and in another order of bytes. So the map must know a pattern of touched pages. The pages
// may well lie beside each other, where a few bits of their numbers, which are in the lowest bytes,
// are the same for all. Hence the bits that private memory never has set.
bool IsPagemapOfThisProcess(int fd) {
  constexpr uint64_t kPattern = 0x9e3779b97f4a7c15;
  constexpr int kPages = 64;
  constexpr uint64_t kNever = uint64_t{0x1f} << 57;
  const uint64_t page_size = SystemPageSize();
  uint8_t* probe = MapZeroed(kPages * page_size);
  if (probe == nullptr) return false;
#if defined(MADV_NOHUGEPAGE)
  madvise(probe, kPages * page_size, MADV_NOHUGEPAGE);
#endif
  for (int i = 0; i < kPages; ++i) {
    if ((kPattern >> i & 1) != 0) probe[i * page_size] = 1;
  }
  uint64_t entries[kPages] = {};
  bool known = ReadPagemap(fd, probe, entries, kPages);
  for (int i = 0; i < kPages; ++i) {
    known = known && ((entries[i] & kThere) != 0) == ((kPattern >> i & 1) != 0) &&
            (entries[i] & kNever) == 0;
  }
  Unmap(probe, kPages * page_size);
  return known;
}

}  // namespace

uint64_t SystemPageSize() {
  static const auto size = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return size;
}

uint64_t RoundUpToPages(uint64_t bytes) {
  const uint64_t page = SystemPageSize();
  return (bytes + page - 1) / page * page;
}

uint8_t* ReserveAddresses(uint64_t bytes) { return Map(bytes, PROT_NONE); }

bool CommitAddresses(uint8_t* from, uint64_t bytes) {
  return mprotect(from, bytes, PROT_READ | PROT_WRITE) == 0;
}

void DecommitAddresses(uint8_t* from, uint64_t bytes) {
  madvise(from, bytes, MADV_DONTNEED);
  mprotect(from, bytes, PROT_NONE);
}

uint8_t* MapZeroed(uint64_t bytes) { return Map(bytes, PROT_READ | PROT_WRITE); }

uint8_t* ResizeMapped(uint8_t* data, uint64_t from, uint64_t to) {
#if defined(__linux__)
  void* moved = mremap(data, from, to, MREMAP_MAYMOVE);
  return moved == MAP_FAILED ? nullptr : static_cast<uint8_t*>(moved);
#else
  uint8_t* mapped = MapZeroed(to);
  if (mapped == nullptr) return nullptr;
  memcpy(mapped, data, std::min(from, to));
  Unmap(data, from);
  return mapped;
#endif
}

void Unmap(uint8_t* data, uint64_t bytes) { munmap(data, bytes); }

bool ForTouchedPages(const uint8_t* data, uint64_t bytes,
                     const std::function<void(uint64_t from, uint64_t to)>& look) {
  const uint64_t page_size = SystemPageSize();
  if (reinterpret_cast<uintptr_t>(data) % page_size != 0) return false;
  const int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  static const bool is_ours = IsPagemapOfThisProcess(fd);
  std::vector<uint64_t> entries(4096);
  const uint64_t pages = (bytes + page_size - 1) / page_size;
  bool told = is_ours;
  for (uint64_t page = 0; page < pages && told;) {
    const uint64_t count = std::min<uint64_t>(entries.size(), pages - page);
    told = ReadPagemap(fd, data + page * page_size, entries.data(), count);
    for (uint64_t i = 0; told && i < count; ++i) {
      const uint64_t at = (page + i) * page_size;
      if ((entries[i] & kThere) != 0) look(at, std::min(at + page_size, bytes));
    }
    page += count;
  }
  close(fd);
  return told;
}

SharedContents::SharedContents([[maybe_unused]] uint64_t bytes) {
#if defined(MFD_CLOEXEC)
  file_ = memfd_create("fermata memory", MFD_CLOEXEC);
  if (file_ >= 0 && ftruncate(file_, static_cast<off_t>(bytes)) != 0) {
    close(file_);
    file_ = -1;
  }
#endif
}

SharedContents::~SharedContents() {
  if (file_ >= 0) close(file_);
}

bool SharedContents::Write(uint64_t offset, const uint8_t* data, size_t size) {
  return TransferAll(pwrite, file_, data, size, offset);
}

bool SharedContents::Read(uint64_t offset, uint8_t* data, size_t size) const {
  return TransferAll(pread, file_, data, size, offset);
}

bool SharedContents::MapAt(uint8_t* at, uint64_t offset, uint64_t bytes) const {
  return mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, file_,
              static_cast<off_t>(offset)) != MAP_FAILED;
}

}  // namespace fermata::internal

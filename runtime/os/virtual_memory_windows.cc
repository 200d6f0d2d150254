// Each piece of address space that is reserved at once must be given back at once. What ResizeMapped
// makes longer in place consists of several.
#include <string.h>
#include <windows.h>

#include <algorithm>

#include "runtime/os/virtual_memory.h"

namespace fermata::internal {
namespace {

uint8_t* MapAt(uint8_t* at, uint64_t bytes) {
  return static_cast<uint8_t*>(VirtualAlloc(at, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE));
}

// Reservations begin at multiples of this.
uint64_t Granularity() {
  static const uint64_t granularity = [] {
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    return uint64_t{info.dwAllocationGranularity};
  }();
  return granularity;
}

// Where the piece that begins at `at` ends.
uint8_t* EndOfPiece(uint8_t* at) {
  uint8_t* const base = at;
  MEMORY_BASIC_INFORMATION info;
  while (VirtualQuery(at, &info, sizeof info) != 0 && info.State != MEM_FREE &&
         info.AllocationBase == base) {
    at = static_cast<uint8_t*>(info.BaseAddress) + info.RegionSize;
  }
  return at;
}

}  // namespace

uint64_t SystemPageSize() {
  static const uint64_t size = [] {
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    return uint64_t{info.dwPageSize};
  }();
  return size;
}

uint64_t RoundUpToPages(uint64_t bytes) {
  const uint64_t page = SystemPageSize();
  return (bytes + page - 1) / page * page;
}

uint8_t* ReserveAddresses(uint64_t bytes) {
  return static_cast<uint8_t*>(VirtualAlloc(nullptr, bytes, MEM_RESERVE, PAGE_NOACCESS));
}

bool CommitAddresses(uint8_t* from, uint64_t bytes) {
  return VirtualAlloc(from, bytes, MEM_COMMIT, PAGE_READWRITE) != nullptr;
}

void DecommitAddresses(uint8_t* from, uint64_t bytes) { VirtualFree(from, bytes, MEM_DECOMMIT); }

uint8_t* MapZeroed(uint64_t bytes) { return MapAt(nullptr, bytes); }

uint8_t* ResizeMapped(uint8_t* data, uint64_t from, uint64_t to) {
  const uint64_t granularity = Granularity();
  if (to > from && from % granularity == 0 && MapAt(data + from, to - from) != nullptr) return data;
  uint8_t* mapped = MapZeroed(to);
  if (mapped == nullptr) return nullptr;
  memcpy(mapped, data, std::min(from, to));
  Unmap(data, from);
  return mapped;
}

void Unmap(uint8_t* data, uint64_t bytes) {
  uint8_t* const end = data + bytes;
  while (data < end) {
    uint8_t* const next = EndOfPiece(data);
    if (next == data || !VirtualFree(data, 0, MEM_RELEASE)) return;
    data = next;
  }
}

// There is no such thing for memory that was not asked to be watched from the first.
bool ForTouchedPages(const uint8_t*, uint64_t, const std::function<void(uint64_t, uint64_t)>&) {
  return false;
}

// Sections could do this, but not at any address of memory that is mapped already.
SharedContents::SharedContents(uint64_t) {}
SharedContents::~SharedContents() = default;
bool SharedContents::Write(uint64_t, const uint8_t*, size_t) { return false; }
bool SharedContents::Read(uint64_t, uint8_t*, size_t) const { return false; }
bool SharedContents::MapAt(uint8_t*, uint64_t, uint64_t) const { return false; }

}  // namespace fermata::internal

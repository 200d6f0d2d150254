// Address space, in whole pages of the system.
#ifndef FERMATA_RUNTIME_OS_VIRTUAL_MEMORY_H_
#define FERMATA_RUNTIME_OS_VIRTUAL_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <functional>

namespace fermata::internal {

uint64_t SystemPageSize();
// Up to a whole number of pages.
uint64_t RoundUpToPages(uint64_t bytes);

// Address space that can't be accessed yet. Null: there is none of that size.
uint8_t* ReserveAddresses(uint64_t bytes);
// Makes a part of it readable, writable and zero; both numbers are in whole pages. False if the
// system has no memory for it.
bool CommitAddresses(uint8_t* from, uint64_t bytes);
// Takes the memory of a part of it away: it can't be accessed again, and what is committed later is
// zero.
void DecommitAddresses(uint8_t* from, uint64_t bytes);

// Memory that is zero, which costs nothing until it is touched. Null: there is none.
uint8_t* MapZeroed(uint64_t bytes);
// Changes the size of what MapZeroed returned, and perhaps its address; what is new is zero. Null:
// there is no memory, and nothing has changed.
uint8_t* ResizeMapped(uint8_t* data, uint64_t from, uint64_t to);
// Gives back what ReserveAddresses, MapZeroed or ResizeMapped returned, all of it.
void Unmap(uint8_t* data, uint64_t bytes);

// Calls `look(from, to)`, offsets from `data`, for stretches that cover whatever was touched.
// False if the system does not tell what was; `look` may have been called then.
bool ForTouchedPages(const uint8_t* data, uint64_t bytes,
                     const std::function<void(uint64_t from, uint64_t to)>& look);

// Contents that many memories can begin with: each sees them at once, and writes to copies of its
// own.
class SharedContents {
 public:
  // Of `bytes` bytes, zero. Not ok() if the system has no such thing.
  explicit SharedContents(uint64_t bytes);
  ~SharedContents();
  SharedContents(const SharedContents&) = delete;

  bool ok() const { return file_ >= 0; }
  bool Write(uint64_t offset, const uint8_t* data, size_t size);
  bool Read(uint64_t offset, uint8_t* data, size_t size) const;
  // Puts a part of them, in whole pages, where memory is mapped: copy on write.
  bool MapAt(uint8_t* at, uint64_t offset, uint64_t bytes) const;

 private:
  int file_ = -1;
};

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_OS_VIRTUAL_MEMORY_H_

// A queue of bytes without locks between two that run at the same time: the main loop and an
// interrupt, or two cores. One of the two writes, the other reads.
#ifndef TWO_GUESTS_BOARD_FIFO_H_
#define TWO_GUESTS_BOARD_FIFO_H_

#include <stddef.h>
#include <stdint.h>

#include <atomic>

namespace board {

// Neither side moves the other's index, and an index is moved only after its byte was written or
// read. Indices count up to 2^32 and wrap around, so a full queue differs from an empty one.
template <size_t kBytes>
class Fifo {
  static_assert((kBytes & (kBytes - 1)) == 0, "a power of two");

 public:
  bool empty() const { return size() == 0; }
  size_t size() const {
    return written_.load(std::memory_order_acquire) - read_.load(std::memory_order_acquire);
  }
  size_t room() const { return kBytes - size(); }

  // The writer's: false if the queue is full.
  bool Push(uint8_t byte) {
    if (room() == 0) return false;
    const uint32_t at = written_.load(std::memory_order_relaxed);
    bytes_[at % kBytes] = byte;
    written_.store(at + 1, std::memory_order_release);
    return true;
  }

  // The reader's: -1 if the queue is empty.
  int Pop() {
    if (empty()) return -1;
    const uint32_t at = read_.load(std::memory_order_relaxed);
    const uint8_t byte = bytes_[at % kBytes];
    read_.store(at + 1, std::memory_order_release);
    return byte;
  }

 private:
  std::atomic<uint32_t> written_{0}, read_{0};
  uint8_t bytes_[kBytes];
};

}  // namespace board

#endif  // TWO_GUESTS_BOARD_FIFO_H_

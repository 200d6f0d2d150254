// The half of a board that all boards share: what is queued in either direction, and the ticks.
#ifndef TWO_GUESTS_BOARD_SERIAL_H_
#define TWO_GUESTS_BOARD_SERIAL_H_

#include <stdint.h>

#include <atomic>

#include "board/board.h"
#include "board/fifo.h"

namespace board {

inline Fifo<kSendBytes> to_send;
inline Fifo<kReceiveBytes> received;
inline std::atomic<uint32_t> ticks{0};

// The end of each board's interrupt. Not a read-modify-write operation: Cortex-M0 has none that is
// atomic, and nobody else writes.
inline void CountTick() {
  ticks.store(ticks.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  OnTick();
}

}  // namespace board

#endif  // TWO_GUESTS_BOARD_SERIAL_H_

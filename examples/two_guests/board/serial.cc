#include "board/serial.h"

namespace board {

uint32_t Ticks() { return ticks.load(std::memory_order_acquire); }

int Read() { return received.Pop(); }

size_t WriteRoom() { return to_send.room(); }

bool Write(const char* bytes, size_t size) {
  if (size > WriteRoom()) return false;
  for (size_t i = 0; i < size; ++i) to_send.Push(static_cast<uint8_t>(bytes[i]));
  return true;
}

}  // namespace board

// Runs out of stack, for a test that this is reported.
#include <stdint.h>

#include "board/board.h"

namespace {

volatile uint32_t deepest, end = UINT32_MAX;

[[gnu::noinline]] uint32_t Recurse(uint32_t depth) {
  volatile uint32_t room[50];
  room[depth % 50] = depth;
  deepest = depth;
  return depth == end ? 0 : Recurse(depth + 1) + room[0];
}

}  // namespace

void board::OnTick() {}

int main() {
  board::Start();
  board::Write("overflow\n", 9);
  while (board::Ticks() < 40) board::Sleep();
  return static_cast<int>(Recurse(0));
}

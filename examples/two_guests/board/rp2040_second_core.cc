#include <stdint.h>

#include "board/cortex_m0.h"
#include "board/second_core.h"

namespace board {
namespace {

// 2.3.1.4: a queue of eight words in either direction.
constexpr uint32_t kStatus = 0xd0000050, kWrite = 0xd0000054, kRead = 0xd0000058;
constexpr uint32_t kValid = Bit(0), kReady = Bit(1);

uint32_t stack[512];

void Push(uint32_t word) {
  while ((Register(kStatus) & kReady) == 0) {
  }
  Register(kWrite) = word;
  WakeOtherCore();
}

uint32_t Pop() {
  while ((Register(kStatus) & kValid) == 0) WaitForEvent();
  return Register(kRead);
}

void Drain() {
  while ((Register(kStatus) & kValid) != 0) static_cast<void>(uint32_t{Register(kRead)});
}

}  // namespace

// 2.8.2: the second core sleeps in the boot ROM until it has got these words, each of which it
// sends back. If one comes back wrong, all begins anew.
void StartSecondCore(void (*function)()) {
  constexpr uint32_t kVectorTable = 0xe000ed08;
  const uint32_t words[] = {
      0,
      0,
      1,
      Register(kVectorTable),
      static_cast<uint32_t>(reinterpret_cast<uintptr_t>(stack + sizeof(stack) / 4)),
      static_cast<uint32_t>(reinterpret_cast<uintptr_t>(function))};
  for (unsigned sent = 0; sent < 6;) {
    if (words[sent] == 0) {
      Drain();
      WakeOtherCore();
    }
    Push(words[sent]);
    sent = Pop() == words[sent] ? sent + 1 : 0;
  }
}

const void* SecondStackLimit() { return stack; }

void WakeOtherCore() { __asm__ volatile("sev" ::: "memory"); }

void SleepSecondCore() { WaitForEvent(); }

}  // namespace board

// What the boards with a Cortex-M0 or M0+ share: the way from reset to main, and registers.
#ifndef TWO_GUESTS_BOARD_CORTEX_M0_H_
#define TWO_GUESTS_BOARD_CORTEX_M0_H_

#include <stdint.h>

namespace board {

// A register of a device.
inline volatile uint32_t& Register(uint32_t address) {
  return *reinterpret_cast<volatile uint32_t*>(static_cast<uintptr_t>(address));
}

// The bit of a register with this number.
constexpr uint32_t Bit(unsigned number) { return uint32_t{1} << number; }

// Enables an interrupt of the processor's interrupt controller by its number, 0 to 31.
inline void EnableInterrupt(unsigned number) { Register(0xe000e100) = Bit(number); }

// Sleeps until there was an interrupt since the last call of this function: an interrupt sets the
// processor's event flag, and WFE takes it or waits for it.
inline void WaitForEvent() { __asm__ volatile("wfe" ::: "memory"); }

// Defined by each board: the only interrupt that it enables, one of the 32 external ones.
void Interrupt();

// Defined by each board: sends one byte without interrupts, waiting as long as that takes.
void SendNow(char byte);

}  // namespace board

#endif  // TWO_GUESTS_BOARD_CORTEX_M0_H_

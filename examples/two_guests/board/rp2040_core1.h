// The RP2040's second core.
#ifndef TWO_GUESTS_BOARD_RP2040_CORE1_H_
#define TWO_GUESTS_BOARD_RP2040_CORE1_H_

#include <stdint.h>

namespace board {

// Has the second core run `function`, which must not return, on the stack that ends at `stack_end`.
// It has the first core's vector table and no interrupts. Once after each reset of the chip.
void StartSecondCore(void (*function)(), uint32_t* stack_end);

// Wakes the other core, or keeps it from falling asleep the next time.
inline void WakeOtherCore() { __asm__ volatile("sev" ::: "memory"); }

}  // namespace board

#endif  // TWO_GUESTS_BOARD_RP2040_CORE1_H_

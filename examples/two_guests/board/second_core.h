// What a main loop needs of a board with two cores: rp2040_second_core.cc, and host_second_core.cc,
// where the second core is a thread.
#ifndef TWO_GUESTS_BOARD_SECOND_CORE_H_
#define TWO_GUESTS_BOARD_SECOND_CORE_H_

namespace board {

// Has the second core run `function`, which must not return, on a stack of its own. The second core
// has no interrupts. Once after each reset of the board.
void StartSecondCore(void (*function)());

// The end of the second core's stack, or null if the board does not know.
const void* SecondStackLimit();

// In either core: wakes the other, or keeps it from falling asleep the next time.
void WakeOtherCore();

// In the second core: sleeps until it is woken. May return early, and does so if it was woken since
// it last slept.
void SleepSecondCore();

}  // namespace board

#endif  // TWO_GUESTS_BOARD_SECOND_CORE_H_

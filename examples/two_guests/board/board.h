// What the main loop needs of a board. Each board is one file that defines these functions:
// rp2040.cc, nrf51.cc and host.cc.
//
// There is one interrupt, the tick. Everything that must not wait for the main loop is done in it:
// the board's serial port is served, and the main loop's OnTick is called. The main loop and the
// interrupt share nothing but a counter and two queues with one reader and one writer each
// (fifo.h), so nothing has to be locked.
#ifndef TWO_GUESTS_BOARD_BOARD_H_
#define TWO_GUESTS_BOARD_BOARD_H_

#include <stddef.h>
#include <stdint.h>

namespace board {

// The tick's period. At 115,200 baud no more than three bytes arrive in it, and the smallest
// receive buffer of a serial port here holds six.
inline constexpr uint32_t kTickMicroseconds = 250;

// How many bytes can wait to be sent or read. A power of two.
inline constexpr size_t kSendBytes = 256;
inline constexpr size_t kReceiveBytes = 64;

// Sets up clocks and the serial port (115,200 baud, 8N1) and starts the tick.
void Start();

// How many ticks there were since Start. It wraps around after twelve days.
uint32_t Ticks();

// A clock for measurements, which wraps around.
uint32_t Microseconds();

// Sleeps until the next interrupt. May return early, and does so if there was an interrupt after
// the last sleep. So the caller looks for work first, then sleeps, and misses nothing.
void Sleep();

// The next byte that was received, or -1 if there is none yet.
int Read();

// How many bytes Write would take now, and no later call of it fewer.
size_t WriteRoom();

// Queues bytes to be sent, or none of them and returns false if they are more than WriteRoom().
bool Write(const char* bytes, size_t size);

// How many bytes of the stack were in use at once so far, and how many it has; 0 and 0 if the board
// does not know.
struct Stack {
  uint32_t used, bytes;
};
Stack StackUse();

// The end of the stack that main has, or null if the board does not know.
const void* StackLimit();

// Sends what is queued and stops. The status is 0 if all is well. Emulators read it from the last
// line sent, "# exit 0".
[[noreturn]] void Finish(int status);

// Defined by the main loop: what else is to be done in the interrupt.
void OnTick();

}  // namespace board

#endif  // TWO_GUESTS_BOARD_BOARD_H_

// The BBC micro:bit's processor, nRF51822 at 16 MHz, for `qemu-system-arm -M microbit`: the UART is
// on pins 24 (sends) and 25 (receives), which the micro:bit connects to its USB.
#include <stdint.h>

#include "board/board.h"
#include "board/cortex_m0.h"
#include "board/serial.h"

namespace board {
namespace {

// Tasks are started by writing 1; events are 1 when they have happened, until 0 is written.
constexpr uint32_t kClockStart = 0x40000000, kClockStarted = 0x40000100;

constexpr uint32_t kUartStartReceiving = 0x40002000, kUartStartSending = 0x40002008;
constexpr uint32_t kUartReceived = 0x40002108, kUartSent = 0x4000211c;
constexpr uint32_t kUartEnable = 0x40002500, kUartSendPin = 0x4000250c,
                   kUartReceivePin = 0x40002514, kUartReceive = 0x40002518, kUartSend = 0x4000251c,
                   kUartBaud = 0x40002524;
constexpr uint32_t kPinDirectionSet = 0x50000518;

// TIMER0 counts microseconds for measurements; TIMER1 makes the tick.
constexpr uint32_t kTimer0 = 0x40008000, kTimer1 = 0x40009000;
constexpr uint32_t kStartTask = 0x000, kCaptureTask1 = 0x044, kCompareEvent0 = 0x140,
                   kShortcuts = 0x200, kInterruptSet = 0x304, kBits = 0x508, kPrescaler = 0x510,
                   kCompare0 = 0x540, kCompare1 = 0x544;
constexpr unsigned kTimer1Interrupt = 9;

bool sending = false;  // a byte was given to the UART, and it has not said that it is sent

void StartUart() {
  Register(kPinDirectionSet) = Bit(24);
  Register(kUartSendPin) = 24;
  Register(kUartReceivePin) = 25;
  Register(kUartBaud) = 0x01d7e000;  // 115,200
  Register(kUartEnable) = 4;
  Register(kUartStartReceiving) = 1;
  Register(kUartStartSending) = 1;
}

// One byte a tick is sent, 4,000 a second, unless the UART is done with it at once.
void ServeUart() {
  while (Register(kUartReceived) != 0) {
    Register(kUartReceived) = 0;  // before the byte is read: the next one may come at once
    received.Push(static_cast<uint8_t>(Register(kUartReceive)));
  }
  for (;;) {
    if (sending && Register(kUartSent) == 0) return;
    sending = false;
    if (to_send.empty()) return;
    Register(kUartSent) = 0;
    sending = true;
    Register(kUartSend) = static_cast<uint32_t>(to_send.Pop());
  }
}

}  // namespace

void Interrupt() {
  Register(kTimer1 + kCompareEvent0) = 0;
  ServeUart();
  CountTick();
}

void SendNow(char byte) {
  while (sending && Register(kUartSent) == 0) {
  }
  Register(kUartSent) = 0;
  sending = true;
  Register(kUartSend) = static_cast<uint8_t>(byte);
}

void Start() {
  Register(kClockStart) = 1;  // the crystal; the UART needs its precision
  while (Register(kClockStarted) == 0) {
  }
  StartUart();
  Register(kTimer0 + kPrescaler) = 4;  // 16 MHz / 2^4
  Register(kTimer0 + kBits) = 3;       // 32 bits
  Register(kTimer0 + kStartTask) = 1;
  Register(kTimer1 + kPrescaler) = 4;
  Register(kTimer1 + kBits) = 0;  // 16 bits, all that it has
  Register(kTimer1 + kCompare0) = kTickMicroseconds;
  Register(kTimer1 + kShortcuts) = Bit(0);  // back to 0 when it compares equal
  Register(kTimer1 + kInterruptSet) = Bit(16);
  EnableInterrupt(kTimer1Interrupt);
  Register(kTimer1 + kStartTask) = 1;
}

uint32_t Microseconds() {
  Register(kTimer0 + kCaptureTask1) = 1;
  return Register(kTimer0 + kCompare1);
}

}  // namespace board

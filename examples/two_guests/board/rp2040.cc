// The Raspberry Pi Pico's processor, RP2040, at 125 MHz with a crystal of 12 MHz; UART0 is on GPIO
// 0 (sends) and 1 (receives). Section numbers are those of the RP2040 datasheet.
//
// The second core stays where the boot ROM leaves it, asleep.
#include <stdint.h>

#include "board/board.h"
#include "board/cortex_m0.h"
#include "board/serial.h"

namespace board {
namespace {

constexpr uint32_t kProcessorHz = 125'000'000;
constexpr uint32_t kBaud = 115'200;

// Most registers can be changed in one access by an alias of them (2.1.2).
constexpr uint32_t kSetAlias = 0x2000, kClearAlias = 0x3000;

// 2.14: devices that are held in reset until their bits are cleared.
constexpr uint32_t kReset = 0x4000c000, kResetDone = 0x4000c008;
constexpr uint32_t kIoBank0 = Bit(5), kPadsBank0 = Bit(8), kPllSys = Bit(12), kTimer = Bit(21),
                   kUart0 = Bit(22);

void Release(uint32_t devices) {
  Register(kReset + kClearAlias) = devices;
  while ((Register(kResetDone) & devices) != devices) {
  }
}

// 2.16: the crystal oscillator takes about a millisecond to become stable.
void StartCrystal() {
  constexpr uint32_t kControl = 0x40024000, kStatus = 0x40024004, kStartup = 0x4002400c;
  Register(kStartup) = 47;        // times 256 cycles of 12 MHz
  Register(kControl) = 0xfabaa0;  // enable; 1 to 15 MHz
  while ((Register(kStatus) & Bit(31)) == 0) {
  }
}

// 2.18: 12 MHz * 125 = 1,500 MHz, divided by 6 and 2.
void StartPll() {
  constexpr uint32_t kStatus = 0x40028000, kPower = 0x40028004, kFeedback = 0x40028008,
                     kDivide = 0x4002800c;
  Register(kReset + kSetAlias) = kPllSys;
  Release(kPllSys);
  Register(kStatus) = 1;  // reference divider
  Register(kFeedback) = 125;
  Register(kPower + kClearAlias) = Bit(0) | Bit(5);  // main and oscillator
  while ((Register(kStatus) & Bit(31)) == 0) {
  }
  Register(kDivide) = 6u << 16 | 2u << 12;
  Register(kPower + kClearAlias) = Bit(3);  // dividers
}

// 2.15: the reference clock runs from the crystal, the processor and the UART from the PLL. The
// first two have a switch without glitches, whose position is read back one-hot.
void StartClocks() {
  constexpr uint32_t kReferenceControl = 0x40008030, kReferenceDivide = 0x40008034,
                     kReferenceSelected = 0x40008038;
  constexpr uint32_t kSystemControl = 0x4000803c, kSystemDivide = 0x40008040,
                     kSystemSelected = 0x40008044;
  constexpr uint32_t kPeripheralControl = 0x40008048;
  constexpr uint32_t kWatchdogTick = 0x4005802c;

  StartCrystal();
  Register(kSystemControl + kClearAlias) = 1;  // from the reference clock while the PLL changes
  while (Register(kSystemSelected) != 1) {
  }
  Register(kReferenceControl) = 2;  // the crystal
  while (Register(kReferenceSelected) != Bit(2)) {
  }
  Register(kReferenceDivide) = 1u << 8;
  StartPll();
  Register(kSystemDivide) = 1u << 8;
  Register(kSystemControl) = 0;  // auxiliary source: the PLL
  Register(kSystemControl) = 1;  // from the auxiliary source
  while (Register(kSystemSelected) != Bit(1)) {
  }
  Register(kPeripheralControl) = Bit(11);  // enabled, from the processor's clock
  // The timer counts ticks of the watchdog, one each 12 cycles of the reference clock (4.7).
  Register(kWatchdogTick) = Bit(9) | 12;
}

// 4.2: a PL011, with queues of 32 bytes.
constexpr uint32_t kUartData = 0x40034000, kUartFlags = 0x40034018;
constexpr uint32_t kUartIntegerDivisor = 0x40034024, kUartFractionalDivisor = 0x40034028;
constexpr uint32_t kUartLine = 0x4003402c, kUartControl = 0x40034030;
constexpr uint32_t kReceiveEmpty = Bit(4), kSendFull = Bit(5), kReceiveError = 0xf00;

void StartUart() {
  constexpr uint32_t kGpio0Control = 0x40014004, kGpio1Control = 0x4001400c;
  Release(kIoBank0 | kPadsBank0 | kUart0);
  // In 64ths, rounded: clock / (16 * baud).
  constexpr uint32_t kDivisor = (kProcessorHz * 4 + kBaud / 2) / kBaud;
  Register(kUartIntegerDivisor) = kDivisor >> 6;
  Register(kUartFractionalDivisor) = kDivisor & 63;
  Register(kUartLine) = 3u << 5 | Bit(4);             // 8 bits, with queues
  Register(kUartControl) = Bit(9) | Bit(8) | Bit(0);  // receives, sends, is enabled
  Register(kGpio0Control) = 2;                        // GPIO 0 and 1 are the UART's
  Register(kGpio1Control) = 2;
}

void ServeUart() {
  while ((Register(kUartFlags) & kReceiveEmpty) == 0) {
    const uint32_t data = Register(kUartData);
    // A byte for which there is no room is lost, as one is on the line.
    if ((data & kReceiveError) == 0) received.Push(static_cast<uint8_t>(data));
  }
  while (!to_send.empty() && (Register(kUartFlags) & kSendFull) == 0) {
    Register(kUartData) = static_cast<uint32_t>(to_send.Pop());
  }
}

// 4.6: counts microseconds. An alarm goes off when the lower 32 bits are equal to it, once.
constexpr uint32_t kTimerAlarm0 = 0x40054010, kTimerLowRaw = 0x40054028,
                   kTimerInterrupt = 0x40054034, kTimerInterruptEnable = 0x40054038;

uint32_t alarm = 0;

// Sets the alarm for the next tick. If that is over, or too near to be set in time, ticks are left
// out: an alarm in the past would go off after 71 minutes.
void SetAlarm() {
  constexpr int32_t kLeast = 20;  // microseconds
  Register(kTimerInterrupt) = Bit(0);
  alarm += kTickMicroseconds;
  const uint32_t now = Microseconds();
  if (static_cast<int32_t>(alarm - now) < kLeast) alarm = now + kTickMicroseconds;
  Register(kTimerAlarm0) = alarm;
}

}  // namespace

void Interrupt() {
  SetAlarm();
  ServeUart();
  CountTick();
}

void SendNow(char byte) {
  while ((Register(kUartFlags) & kSendFull) != 0) {
  }
  Register(kUartData) = static_cast<uint8_t>(byte);
}

void Start() {
  StartClocks();
  Release(kTimer);
  StartUart();
  alarm = Microseconds();
  Register(kTimerInterruptEnable) = Bit(0);
  EnableInterrupt(0);
  SetAlarm();
}

uint32_t Microseconds() { return Register(kTimerLowRaw); }

}  // namespace board

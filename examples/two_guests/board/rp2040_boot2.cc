// The first 256 bytes of flash. The RP2040's boot ROM copies them to RAM, checks the checksum in
// the last four, and runs them with interrupts off (datasheet, 2.8.1). They must make the flash
// readable at 0x10000000 ("execute in place") and start the program there.
//
// The boot ROM has just read the flash, so pins and the flash itself are awake. What is left is to
// have the serial interface turn each read of a word into the command 03h, which all flashes know,
// with 24 bits of address and no wait cycles, at a quarter of the processor's clock. That is slow:
// the 16 KB of cache in front of it misses at 64 clocks of the interface, or 2 µs, for each word. A
// product would use the four-bit commands of its flash.
//
// The code is written as numbers, because the checksum can then be computed by the compiler. The
// few instructions it needs are encoded by functions with the names of the instructions.
#include <stddef.h>
#include <stdint.h>

namespace {

// Thumb instructions (ARMv6-M Architecture Reference Manual, A6.7) on registers 0 to 7.
constexpr uint16_t Movs(unsigned d, unsigned value) { return 0x2000 | d << 8 | value; }
constexpr uint16_t Str(unsigned t, unsigned n, unsigned offset) {
  return 0x6000 | offset / 4 << 6 | n << 3 | t;
}
constexpr uint16_t Ldr(unsigned t, unsigned n, unsigned offset) {
  return 0x6800 | offset / 4 << 6 | n << 3 | t;
}
constexpr uint16_t Bx(unsigned m) { return 0x4700 | m << 3; }
constexpr uint16_t kMsrMspR0[] = {0xf380, 0x8808};  // msr msp, r0

constexpr uint32_t kConstants[] = {
    0x18000000,  // 0: the serial interface's registers (4.10)
    0x001f0300,  // 1: CTRLR0: frames of 32 bits; send a command, then receive
    0x03000218,  // 2: SPI_CTRLR0: command 03h of 8 bits, an address of 24, both on one line
    0x180000f4,  // 3: where SPI_CTRLR0 is
    0x10000100,  // 4: the program's vector table
    0xe000ed08,  // 5: VTOR, the processor's address of its vector table
};
constexpr size_t kCodeHalves = 24;

// ldr rT, [pc, #…] of a constant, by an instruction that is the `at`-th halfword. The constants are
// behind the code. The processor counts from the word in which the second next halfword is.
constexpr uint16_t LdrConstant(unsigned t, size_t at, size_t constant) {
  const size_t words = kCodeHalves / 2 + constant - (at + 2) / 2;
  return static_cast<uint16_t>(0x4800 | t << 8 | words);
}

constexpr uint16_t kCode[kCodeHalves] = {
    LdrConstant(3, 0, 0),  // r3: the serial interface
    Movs(1, 0),
    Str(1, 3, 0x08),  // SSIENR: off while it is changed
    Movs(1, 4),
    Str(1, 3, 0x14),  // BAUDR: the clock's divisor
    LdrConstant(1, 5, 1),
    Str(1, 3, 0x00),  // CTRLR0
    LdrConstant(1, 7, 2),
    LdrConstant(0, 8, 3),
    Str(1, 0, 0),  // SPI_CTRLR0
    Movs(1, 0),
    Str(1, 3, 0x04),  // CTRLR1: one word at a time
    Movs(1, 1),
    Str(1, 3, 0x08),  // SSIENR: on
    LdrConstant(2, 14, 4),
    LdrConstant(1, 15, 5),
    Str(2, 1, 0),  // VTOR
    Ldr(0, 2, 0),
    kMsrMspR0[0],  // the stack pointer is the table's first word,
    kMsrMspR0[1],
    Ldr(1, 2, 4),
    Bx(1),   // and the second is where the program starts
    0xbf00,  // nop: the constants begin at a whole word
    0xbf00,
};

struct Boot2 {
  uint8_t bytes[256];
};

// CRC-32 with the polynomial 0x04c11db7, not reflected, from all ones, not inverted at the end.
constexpr uint32_t Checksum(const uint8_t* bytes, size_t size) {
  uint32_t sum = 0xffffffff;
  for (size_t i = 0; i < size; ++i) {
    sum ^= static_cast<uint32_t>(bytes[i]) << 24;
    for (int bit = 0; bit < 8; ++bit) sum = sum << 1 ^ (sum >> 31 ? 0x04c11db7u : 0);
  }
  return sum;
}

constexpr void PutWord(uint8_t* to, uint32_t word) {
  for (int i = 0; i < 4; ++i) to[i] = static_cast<uint8_t>(word >> (8 * i));
}

constexpr Boot2 MakeBoot2() {
  Boot2 boot2 = {};
  size_t at = 0;
  for (const uint16_t half : kCode) {
    boot2.bytes[at++] = half & 0xff;
    boot2.bytes[at++] = half >> 8;
  }
  for (const uint32_t constant : kConstants) {
    PutWord(&boot2.bytes[at], constant);
    at += 4;
  }
  PutWord(&boot2.bytes[252], Checksum(boot2.bytes, 252));
  return boot2;
}

[[gnu::section(".boot2"), gnu::used]] constexpr Boot2 kBoot2 = MakeBoot2();

}  // namespace

// Bits: CRC-32 by table and by shifts, population counts and a Morton code.
#include "kernel.h"

static u32 table[256];
static u8 data[4096];

static u32 crc32(const u8* p, u32 size, u32 crc) {
  crc = ~crc;
  while (size--) crc = table[(crc ^ *p++) & 255] ^ crc >> 8;
  return ~crc;
}

static u32 bitwise(u32 crc, u8 byte) {
  crc ^= byte;
  for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (0xedb88320u & -(crc & 1));
  return crc;
}

static u64 spread(u64 x) {
  x = (x | x << 16) & 0x0000ffff0000ffffull;
  x = (x | x << 8) & 0x00ff00ff00ff00ffull;
  x = (x | x << 4) & 0x0f0f0f0f0f0f0f0full;
  x = (x | x << 2) & 0x3333333333333333ull;
  return (x | x << 1) & 0x5555555555555555ull;
}

KERNEL_RUN {
  for (u32 i = 0; i < 256; i++) table[i] = bitwise(0, i);
  for (u32 i = 0; i < sizeof data; i++) data[i] = i * 131 >> 3;
  u32 sum = 0;
  for (u32 r = 0; r < n * 4; r++) {
    u32 crc = crc32(data, sizeof data, r);
    for (u32 i = 0; i < 64; i++) crc = bitwise(crc, data[i]);
    u64 code = 0;
    for (u32 i = 0; i < 256; i++) {
      code += spread(data[i] ^ crc) | spread(i + r) << 1;
      sum += __builtin_popcountll(code) + __builtin_ctz(code | 1u << 31) + __builtin_clzll(code | 1);
    }
    data[r & 4095] = crc;
    if (crc == 0x01234567u) sum += rare(crc);
    sum ^= crc;
  }
  return sum;
}

// Calls through a table of functions, one of which may suspend.
#include "kernel.h"

typedef u32 (*op)(u32, u32);
static u32 add(u32 a, u32 b) { return a + b; }
static u32 mix(u32 a, u32 b) { return (a ^ b) * 2654435761u; }
static u32 sub(u32 a, u32 b) { return a - b; }
static u32 turn(u32 a, u32 b) { return a << (b & 31) | a >> (-b & 31); }
static u32 maybe(u32 a, u32 b) { return a == 0x12345678u ? rare(b) : a + 1; }
static op ops[8] = {add, mix, sub, turn, maybe, mix, add, turn};

KERNEL_RUN {
  u32 a = 1;
  for (u32 i = 0; i < n * 10000; i++) a = ops[(a >> 7 ^ i) & 7](a, i);
  return a;
}

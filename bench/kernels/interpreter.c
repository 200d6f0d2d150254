// A register machine in a switch loop, running a small program (sieve of Eratosthenes).
#include "kernel.h"

enum { LOADI, ADD, LT, JNZ, JMP, LD, ST, INC, HOST, HALT };
struct insn { u8 op, a, b, c; int imm; };
static u8 heap[8192];

static const struct insn program[] = {
    {LOADI, 0, 0, 0, 2},            // 0: i = 2
    {LOADI, 1, 0, 0, 8192},         // 1: limit
    {LOADI, 5, 0, 0, 0},            // 2: count
    {LOADI, 6, 0, 0, 1},            // 3: one
    {LD, 2, 0, 0, 0},               // 4: composite?
    {JNZ, 2, 0, 0, 12},             // 5
    {INC, 5, 0, 0, 0},              // 6: a prime
    {ADD, 3, 0, 0, 0},              // 7: j = i + i
    {LT, 4, 3, 1, 0},               // 8
    {JNZ, 4, 0, 0, 14},             // 9
    {JMP, 0, 0, 0, 12},             // 10
    {HOST, 5, 5, 0, 0},             // 11
    {INC, 0, 0, 0, 0},              // 12: next i
    {JMP, 0, 0, 0, 17},             // 13
    {ST, 6, 3, 0, 0},               // 14: mark j
    {ADD, 3, 3, 0, 0},              // 15: j += i
    {JMP, 0, 0, 0, 8},              // 16
    {LT, 4, 0, 1, 0},               // 17
    {JNZ, 4, 0, 0, 4},              // 18
    {HALT, 5, 0, 0, 0}};

static u32 interpret(const struct insn* code) {
  u32 r[8] = {0};
  for (u32 pc = 0;; pc++) {
    const struct insn* i = &code[pc];
    switch (i->op) {
      case LOADI: r[i->a] = i->imm; break;
      case ADD: r[i->a] = r[i->b] + r[i->c]; break;
      case LT: r[i->a] = r[i->b] < r[i->c]; break;
      case JNZ: if (r[i->a]) pc = i->imm - 1; break;
      case JMP: pc = i->imm - 1; break;
      case LD: r[i->a] = heap[r[i->b] & 8191]; break;
      case ST: heap[r[i->b] & 8191] = r[i->a]; break;
      case INC: r[i->a]++; break;
      case HOST: r[i->a] = rare(r[i->b]); break;
      case HALT: return r[i->a];
    }
  }
}

KERNEL_RUN {
  u32 sum = 0;
  for (u32 i = 0; i < n; i++) {
    for (u32 j = 0; j < sizeof heap; j++) heap[j] = 0;
    sum += interpret(program) + i;
  }
  return sum;
}

// Backtracking: sudokus solved with sets of candidates, recursion and undoing.
#include "kernel.h"

static const char puzzles[3][82] = {
    "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79",
    "..............3.85..1.2.......5.7.....4...1...9.......5......73..2.1........4...9",
    "8..........36......7..9.2...5...7.......457.....1...3...1....68..85...1..9....4.."};
static u16 rows[9], columns[9], boxes[9];
static u8 grid[81];
static u32 tries;

static void toggle(u32 cell, u16 bit) {
  rows[cell / 9] ^= bit;
  columns[cell % 9] ^= bit;
  boxes[cell / 27 * 3 + cell % 9 / 3] ^= bit;
}
static u16 candidates(u32 cell) {
  return ~(rows[cell / 9] | columns[cell % 9] | boxes[cell / 27 * 3 + cell % 9 / 3]) & 511;
}
static int solve(u32 limit) {
  u32 best = 81, fewest = 10;
  for (u32 cell = 0; cell < 81; cell++) {
    if (grid[cell]) continue;
    u32 count = __builtin_popcount(candidates(cell));
    if (count < fewest) fewest = count, best = cell;
    if (count < 2) break;
  }
  if (best == 81) return 1;
  if (++tries > limit) return rare(tries) == 0 ? -1 : 0;
  for (u16 left = candidates(best); left; left &= left - 1) {
    u16 bit = left & -left;
    grid[best] = __builtin_ctz(bit) + 1;
    toggle(best, bit);
    int found = solve(limit);
    if (found) return found;
    toggle(best, bit);
    grid[best] = 0;
  }
  return 0;
}

KERNEL_RUN {
  u32 sum = 0;
  for (u32 r = 0; r < n; r++) {
    for (int i = 0; i < 9; i++) rows[i] = columns[i] = boxes[i] = 0;
    const char* puzzle = puzzles[r & 1 ? 2 : 0];
    for (u32 i = 0; i < 81; i++) {
      grid[i] = puzzle[i] == '.' ? 0 : puzzle[i] - '0';
      if (grid[i]) toggle(i, 1 << (grid[i] - 1));
    }
    tries = 0;
    sum += solve(1000000) + tries;
    for (int i = 0; i < 81; i++) sum = sum * 31 + grid[i];
  }
  return sum;
}

#define IMPORT(m, n) __attribute__((import_module(m), import_name(n)))
#define EXPORT(n) __attribute__((export_name(n)))

// Returns a number below `options`: the right one. As far as the guest can tell.
IMPORT("oracle", "choose") int choose(int options);

// Eight queens on a chessboard, none of which attacks another, for a player who always guesses
// right. Returns the columns as digits; 0 if the guesses were wrong.
EXPORT("queens") int queens(void) {
  int column[8], digits = 0;
  for (int row = 0; row < 8; ++row) {
    column[row] = choose(8);
    for (int other = 0; other < row; ++other) {
      const int apart = column[row] - column[other];
      if (apart == 0 || apart == row - other || apart == other - row) return 0;
    }
    digits = digits * 10 + column[row] + 1;
  }
  return digits;
}

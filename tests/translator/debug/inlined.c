// inlined_4.wasm and inlined_5.wasm are made of this, with DWARF of version 4 and 5:
//   clang --target=wasm32 -O2 -gdwarf-5 -fdebug-compilation-dir=/src -nostdlib -Wl,--no-entry \
//     -Wl,--export=run -o inlined_5.wasm inlined.c
#include "inlined.h"
int g[64];
__attribute__((noinline)) int outer(int n) {
  int s = 0;
  for (int i = 0; i < n; ++i) s += middle(i, n);
  return s;
}
int run(int n) {
  if (n > 100) return twice(outer(n));
  return outer(n) / (n - 7);
}

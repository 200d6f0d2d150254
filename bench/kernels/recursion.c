// Recursion that may suspend at every level.
#include "kernel.h"

static u32 fib(u32 n) {
  if (n < 2) return n;
  if (n > 1000) return rare(n);
  return fib(n - 1) + fib(n - 2);
}

KERNEL_RUN {
  u32 sum = 0;
  for (u32 i = 0; i < n; i++) sum += fib(20 + (i & 1));
  return sum;
}

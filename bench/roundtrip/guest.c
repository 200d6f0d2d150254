// Recurses to a depth and suspends there for ever.
#include "../kernels/kernel.h"

__attribute__((export_name("hold"))) u32 hold(u32 depth) {
  if (depth > 1) return hold(depth - 1) * 3 + depth;  // not a loop in disguise
  u32 sum = 0;
  for (;;) {
    u32 answer = rare(sum);
    if (answer == 0) return sum;
    sum += answer;
  }
}

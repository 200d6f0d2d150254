// The Mandelbrot set in f64, with data-dependent ends of its inner loop.
#include "kernel.h"

enum { kSize = 48, kSteps = 200 };

static u32 escape(double cx, double cy) {
  double x = 0, y = 0;
  u32 i = 0;
  for (; i < kSteps; i++) {
    double xx = x * x, yy = y * y;
    if (xx + yy > 4) break;
    y = 2 * x * y + cy;
    x = xx - yy + cx;
  }
  return i;
}

KERNEL_RUN {
  u32 sum = 0;
  for (u32 r = 0; r < n; r++) {
    double shift = (double)(r & 15) / 256;
    for (int py = 0; py < kSize; py++) {
      for (int px = 0; px < kSize; px++) {
        u32 steps = escape(-2 + 3.0 * px / kSize + shift, -1.5 + 3.0 * py / kSize);
        sum = sum * 33 + steps;
      }
      if (sum == 0x01234567u) sum += rare(py);
    }
  }
  return sum;
}

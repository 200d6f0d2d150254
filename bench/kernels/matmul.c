// Product of two 64 x 64 matrices of f64.
#include "kernel.h"

enum { N = 64 };
static double a[N][N], b[N][N], c[N][N];

static void multiply(void) {
  for (int i = 0; i < N; i++) {
    for (int j = 0; j < N; j++) c[i][j] = 0;
    for (int k = 0; k < N; k++) {
      double x = a[i][k];
      for (int j = 0; j < N; j++) c[i][j] += x * b[k][j];
    }
    if (c[i][0] > 1e30) c[i][0] = rare(i);
  }
}

KERNEL_RUN {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) a[i][j] = (i * 7 + j) % 13, b[i][j] = (i + j * 5) % 11;
  u32 sum = 0;
  for (u32 r = 0; r < n * 5; r++) {
    multiply();
    sum += (u32)c[r % N][(r * 3) % N];
    a[r % N][0] += 1;
  }
  return sum;
}

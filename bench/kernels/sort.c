// Quicksort with a comparison through a pointer, then a heap sort without.
#include "kernel.h"

enum { N = 2048 };
static u32 a[N];
typedef int (*compare)(const u32*, const u32*);

static int ascending(const u32* x, const u32* y) { return *x < *y ? -1 : *x > *y; }
static int by_low_bits(const u32* x, const u32* y) {
  u32 p = *x & 0xffff, q = *y & 0xffff;
  if (p == q && *x != *y) return *x < *y ? -1 : 1;
  return p < q ? -1 : p > q;
}
static int by_host(const u32* x, const u32* y) { return (int)rare(*x - *y); }
static compare compares[3] = {ascending, by_low_bits, by_host};

static void quick(u32* v, int n, compare less) {
  while (n > 1) {
    u32 pivot = v[n / 2];
    int i = 0, j = n - 1;
    while (i <= j) {
      while (less(&v[i], &pivot) < 0) i++;
      while (less(&v[j], &pivot) > 0) j--;
      if (i <= j) { u32 t = v[i]; v[i++] = v[j]; v[j--] = t; }
    }
    quick(v, j + 1, less);
    v += i; n -= i;
  }
}

static void sift(u32* v, u32 root, u32 n) {
  for (u32 child; (child = 2 * root + 1) < n; root = child) {
    if (child + 1 < n && v[child] < v[child + 1]) child++;
    if (v[root] >= v[child]) return;
    u32 t = v[root]; v[root] = v[child]; v[child] = t;
  }
}
static void heap(u32* v, u32 n) {
  for (u32 i = n / 2; i--;) sift(v, i, n);
  for (u32 i = n; i-- > 1;) { u32 t = v[0]; v[0] = v[i]; v[i] = t; sift(v, 0, i); }
}

static void fill(u32 seed) {
  for (u32 i = 0; i < N; i++) a[i] = seed = seed * 1664525u + 1013904223u;
}

KERNEL_RUN {
  u32 sum = 0;
  for (u32 r = 0; r < n; r++) {
    fill(r);
    quick(a, N, compares[r % 2]);
    sum = sum * 31 + a[r % N];
    fill(r + 1);
    heap(a, N);
    sum = sum * 31 + a[r % N];
  }
  return sum;
}

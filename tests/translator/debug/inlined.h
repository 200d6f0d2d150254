extern int g[64];
static inline int twice(int x) { return x * 2 + g[x & 63]; }
static inline int middle(int i, int n) {
  int t = twice(i);
  if (t > n) g[i & 63] = t;
  return t ^ n;
}

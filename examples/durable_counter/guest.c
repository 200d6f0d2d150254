#define IMPORT(m, n) __attribute__((import_module(m), import_name(n)))
#define EXPORT(n) __attribute__((export_name(n)))

IMPORT("world", "tick") int tick(int count, int sum);  // blocks, as far as the guest can tell

// A loop that never ends, with its state in local variables and memory, like any program that does
// not expect to be stopped.
static int seen[1000];

EXPORT("count") int count(void) {
  int n = 0, sum = 0;
  for (;;) {
    const int value = tick(n, sum);
    if (value < 0) return sum;
    seen[n % 1000] = value;
    sum = sum + seen[n % 1000];
    ++n;
  }
}

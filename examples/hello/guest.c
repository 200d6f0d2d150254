#define IMPORT(m, n) __attribute__((import_module(m), import_name(n)))
#define EXPORT(n) __attribute__((export_name(n)))

IMPORT("user", "number") int number(int which);  // blocks, as far as the guest can tell

EXPORT("sum") int sum(int count) {
  int total = 0;
  for (int i = 0; i < count; ++i) total += number(i);
  return total;
}

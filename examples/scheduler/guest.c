// A busy guest: a long computation that calls no import.
#define EXPORT(n) __attribute__((export_name(n)))

EXPORT("work") unsigned work(unsigned seed, unsigned rounds) {
  unsigned x = seed, sum = 0;
  for (unsigned i = 0; i < rounds; i++) {
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    sum += x;
  }
  return sum;
}

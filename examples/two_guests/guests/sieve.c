// Counts primes with a sieve that moves over the numbers in windows, so it needs little memory. It
// calls no import at all: the main loop gets control back because it interrupts this guest.
#include "guest.h"

enum { kWindow = 512, kDivisors = 68 };  // the 68 odd primes below 347, whose square is 120,409

static unsigned char composite[kWindow];  // of the odd numbers from the window's first
static unsigned short divisors[kDivisors];
static unsigned count_of_divisors;

static void find_divisors(void) {
  count_of_divisors = 0;
  for (unsigned n = 3; count_of_divisors < kDivisors; n += 2) {
    unsigned i = 0;
    while (i < count_of_divisors && n % divisors[i] != 0) ++i;
    if (i == count_of_divisors) divisors[count_of_divisors++] = (unsigned short)n;
  }
}

// How many odd primes there are from `first`, which is odd, in a window below `limit`.
static int count_window(unsigned first, unsigned limit) {
  for (unsigned i = 0; i < kWindow; ++i) composite[i] = 0;
  for (unsigned d = 0; d < count_of_divisors; ++d) {
    const unsigned p = divisors[d];
    unsigned multiple = p * p;
    if (multiple < first) multiple = (first + p - 1) / p * p;
    if (multiple % 2 == 0) multiple += p;
    for (unsigned i = (multiple - first) / 2; i < kWindow; i += p) composite[i] = 1;
  }
  int primes = 0;
  for (unsigned i = 0; i < kWindow && first + 2 * i < limit; ++i) primes += !composite[i];
  return primes;
}

// How many primes there are below `limit`, which is at most 120,000; -1 if it is more.
EXPORT("count_primes") int count_primes(unsigned limit) {
  if (limit > 120000) return -1;
  find_divisors();
  int primes = limit > 2;
  for (unsigned first = 3; first < limit; first += 2 * kWindow)
    primes += count_window(first, limit);
  return primes;
}

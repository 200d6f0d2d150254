// What the mains of all engines do: for each argument n, call run(n) and print its result and the
// nanoseconds of processor time it took.
#ifndef FERMATA_BENCH_MAIN_H_
#define FERMATA_BENCH_MAIN_H_

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

// The engine's part: calls the kernel.
unsigned kernel_run(unsigned n);

// What callgrind counts (--toggle-collect), so it must be a function of its own.
__attribute__((noinline)) unsigned bench_run(unsigned n) {
  unsigned sum = kernel_run(n);
  __asm__ volatile("" : "+r"(sum));  // not a tail call
  return sum;
}

#ifdef __cplusplus
}
#endif

static long long processor_time(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void run_all(int count, char** n) {
  for (int i = 0; i < count; i++) {
    const long long start = processor_time();
    const unsigned sum = bench_run((unsigned)strtoul(n[i], 0, 10));
    printf("%u %lld\n", sum, processor_time() - start);
  }
}

#endif

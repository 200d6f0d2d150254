// A kernel exports run(n), does work in proportion to n and returns a checksum; on a path that is
// hardly ever taken it calls the import `rare`, which suspends when translated by Fermata.
//
// With HELD defined, run(n) first calls `rare`, which answers 0. If that call suspends, all the
// work is done by code that was resumed (`resumed` in the tables); if it is answered at once, the
// same code does it without having been suspended (`fresh`). The first call is in the function that
// holds the hot loop, or calls what does.
#ifndef FERMATA_BENCH_KERNEL_H_
#define FERMATA_BENCH_KERNEL_H_

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#if defined(__wasm__)
__attribute__((import_module("env"), import_name("rare"))) u32 rare(u32);
#define EXPORT __attribute__((export_name("run")))
#else
u32 rare(u32);
#define EXPORT
#endif

#if defined(HELD)
#define KERNEL_RUN        \
  static u32 work(u32 n); \
  EXPORT u32 run(u32 n) { \
    n += rare(n);         \
    return work(n);       \
  }                       \
  static inline __attribute__((always_inline)) u32 work(u32 n)
#else
#define KERNEL_RUN EXPORT u32 run(u32 n)
#endif

#endif

// A kernel exports run(n), does work in proportion to n and returns a checksum; on a path that is
// hardly ever taken it calls the import `rare`, which suspends when translated by Fermata.
#ifndef FERMATA_BENCH_KERNEL_H_
#define FERMATA_BENCH_KERNEL_H_

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#if defined(__wasm__)
__attribute__((import_module("env"), import_name("rare"))) u32 rare(u32);
#define EXPORT __attribute__((export_name("run")))
#else
u32 rare(u32);
#define EXPORT
#endif

#endif

// The kernels (bench/kernels): each C file compiled to wasm once, then through every engine and
// compiler, and run side by side.
//
//   fermata   the import suspends
//   plain     the import is immediate: nothing can suspend
//   checked   as fermata, with --memory=checked
//   resumed   the kernel suspends once, then does all its work in the code that was resumed
//   fresh     the same program, with that suspension answered at once
//   wasm2c, asyncify (wasm-opt --asyncify, then wasm2c), native
#ifndef FERMATA_BENCH_REPORT_KERNELS_H_
#define FERMATA_BENCH_REPORT_KERNELS_H_

#include <string>
#include <vector>

#include "bench/report/toolchain.h"

namespace bench {

struct KernelFigure {
  std::string kernel, engine, compiler;
  double instructions = 0;  // callgrind's, of a run of some size; 0: none
  double seconds = 0;       // processor time of a longer run, least of several; 0: none
};

struct KernelOptions {
  bool quick = false;
  std::string only;  // one kernel by name; empty: all
};

std::vector<KernelFigure> MeasureKernels(const Tools& tools, const KernelOptions& options);

}  // namespace bench

#endif  // FERMATA_BENCH_REPORT_KERNELS_H_

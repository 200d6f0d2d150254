// Real programs (FERMATA_SHARED_DIR/guests): what translating and compiling them takes, and how
// much machine code comes of it, against wasm2c on the same wasm. All imports may suspend.
#ifndef FERMATA_BENCH_REPORT_GUESTS_H_
#define FERMATA_BENCH_REPORT_GUESTS_H_

#include <string>

#include "bench/report/toolchain.h"
#include "llvm/Support/JSON.h"

namespace bench {

struct GuestOptions {
  std::string folder;  // holds NAME/module.wasm
  std::string only;    // one guest by name; empty: all
  bool quick = false;  // compiles the smallest with one compiler, translates the others
  bool full = false;   // also compiles those that take many minutes
};

// An object a guest: name, module_bytes, and for "fermata" and "wasm2c" translate_seconds,
// translate_peak_bytes, output_bytes, and by compiler text_<c>, compile_seconds_<c> (processor
// time), compile_peak_bytes_<c> and slowest_file_seconds_<c>. What failed is not there.
llvm::json::Array MeasureGuests(const Tools& tools, const GuestOptions& options);

}  // namespace bench

#endif  // FERMATA_BENCH_REPORT_GUESTS_H_

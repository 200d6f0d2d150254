// What suspending costs (bench/suspension): runs suspension_bench, density and jspi.mjs.
#ifndef FERMATA_BENCH_REPORT_SUSPENSION_H_
#define FERMATA_BENCH_REPORT_SUSPENSION_H_

#include "bench/report/toolchain.h"
#include "llvm/Support/JSON.h"

namespace bench {

// An object of figures by name: roundtrip_ns_depth_<n>, also with the prefixes typed_, dynamic_,
// fibers_, asyncify_ and jspi_; what density found; and what the summary takes from them. Empty if
// the programs are not there.
llvm::json::Object MeasureSuspension(const Tools& tools, bool quick);

}  // namespace bench

#endif  // FERMATA_BENCH_REPORT_SUSPENSION_H_

// The figures that the project is measured by, from the sections of the report.
#ifndef FERMATA_BENCH_REPORT_SUMMARY_H_
#define FERMATA_BENCH_REPORT_SUMMARY_H_

#include "llvm/Support/JSON.h"

namespace bench {

// Sets root["summary"], where a figure that couldn't be had is null, and root["notes"], which says
// why.
void Summarize(llvm::json::Object& root);

}  // namespace bench

#endif  // FERMATA_BENCH_REPORT_SUMMARY_H_

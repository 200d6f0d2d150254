// The report for people: docs/numbers.md, its charts, and the block in README.md.
#ifndef FERMATA_BENCH_REPORT_PUBLISH_H_
#define FERMATA_BENCH_REPORT_PUBLISH_H_

#include <string>

#include "absl/status/status.h"
#include "bench/report/toolchain.h"
#include "llvm/Support/JSON.h"

namespace bench {

// The summary as text for a terminal.
std::string SummaryTable(const llvm::json::Object& root);

// Writes docs/numbers.md and the README's block in `dir`, and has docs/charts/*.svg drawn from
// bench/charts.json in the build folder, which it writes, too. `root` has its summary. Without
// matplotlib the charts stay as they are, with a message.
absl::Status Publish(const Tools& tools, const llvm::json::Object& root, const std::string& dir);

}  // namespace bench

#endif  // FERMATA_BENCH_REPORT_PUBLISH_H_

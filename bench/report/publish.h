// The report for people: docs/numbers.md, its charts, and the block in README.md.
#ifndef FERMATA_BENCH_REPORT_PUBLISH_H_
#define FERMATA_BENCH_REPORT_PUBLISH_H_

#include <string>

#include "llvm/Support/JSON.h"

namespace bench {

// The summary as text for a terminal.
std::string SummaryTable(const llvm::json::Object& root);

// Writes docs/numbers.md, docs/charts/*.svg and the README's block in `dir`. `root` has its
// summary.
void Publish(const llvm::json::Object& root, const std::string& dir);

}  // namespace bench

#endif  // FERMATA_BENCH_REPORT_PUBLISH_H_

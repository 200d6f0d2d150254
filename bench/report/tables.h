// The tables and charts of docs/numbers.md, one function a section; "" if nothing was measured.
#ifndef FERMATA_BENCH_REPORT_TABLES_H_
#define FERMATA_BENCH_REPORT_TABLES_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bench/report/charts.h"
#include "bench/report/figures.h"

namespace bench {

// "1.23", or "–" if there is none.
std::string Cell(Figure figure, int decimals = 2);
// A row or the head of a table.
std::string TableRow(const std::vector<std::string>& cells);
std::string TableHead(const std::vector<std::string>& cells);

std::string KernelSection(const llvm::json::Object& root, Charts& charts);
std::string SuspensionSection(const llvm::json::Object& root, Charts& charts);
std::string HostSection(const llvm::json::Object& root, Charts& charts);
std::string GuestSection(const llvm::json::Object& root, Charts& charts);

}  // namespace bench

#endif  // FERMATA_BENCH_REPORT_TABLES_H_

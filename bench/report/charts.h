// Bar charts: what they show is said here, charts.py draws them.
#ifndef FERMATA_BENCH_REPORT_CHARTS_H_
#define FERMATA_BENCH_REPORT_CHARTS_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "llvm/Support/JSON.h"

namespace bench {

// Plain horizontal bars in groups.
struct BarChart {
  struct Group {
    std::string label;
    std::vector<std::optional<double>> values;  // one a series; none: no bar
  };
  std::string title;
  std::vector<std::string> series;
  std::vector<Group> groups;
  std::optional<double> line;  // a vertical line at this value, as 1 in a chart of ratios
  bool logarithmic = false;
};

using Charts = std::map<std::string, BarChart>;  // by file name, without ".svg"

// As charts.py reads them.
llvm::json::Value ToJson(const Charts& charts);

}  // namespace bench

#endif  // FERMATA_BENCH_REPORT_CHARTS_H_

// Bar charts as SVG: plain horizontal bars in groups, in colours that can be read on a light and on
// a dark background (the background is transparent, as GitHub shows either).
#ifndef FERMATA_BENCH_REPORT_SVG_H_
#define FERMATA_BENCH_REPORT_SVG_H_

#include <optional>
#include <string>
#include <vector>

namespace bench {

struct BarChart {
  struct Group {
    std::string label;
    std::vector<std::optional<double>> values;  // one a series; none: no bar
  };
  std::string title;
  std::vector<std::string> series;
  std::vector<Group> groups;
  std::optional<double> line;  // a vertical line at this value, as 1 in a chart of ratios
  std::string unit;            // after each number
  bool logarithmic = false;
};

std::string Svg(const BarChart& chart);

}  // namespace bench

#endif  // FERMATA_BENCH_REPORT_SVG_H_

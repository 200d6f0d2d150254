#include "bench/report/svg.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace bench {
namespace {

constexpr int kWidth = 760, kLabelWidth = 130, kValueWidth = 70;
constexpr int kBar = 11, kGap = 10, kTop = 58;
// Mid-tones, each with a contrast of at least 3 to white and to GitHub's dark background; text 4.
constexpr const char* kText = "#737a83";
constexpr const char* kColours[] = {"#2f81c9", "#c9722b", "#3d9a5f", "#8f6fc0", "#8a8f98"};

std::string Escape(const std::string& text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
}

std::string Number(double value) {
  return value >= 1000  ? absl::StrFormat("%.0f", value)
         : value >= 100 ? absl::StrFormat("%.0f", value)
         : value >= 10  ? absl::StrFormat("%.1f", value)
                        : absl::StrFormat("%.2f", value);
}

// From values to pixels. A logarithmic axis begins a decade below the least value, so that its bar
// is seen.
class Axis {
 public:
  explicit Axis(const BarChart& chart) : logarithmic_(chart.logarithmic) {
    double least = 1e300;
    most_ = chart.line.value_or(0);
    for (const BarChart::Group& group : chart.groups) {
      for (const std::optional<double>& value : group.values) {
        if (!value || *value <= 0) continue;
        most_ = std::max(most_, *value);
        least = std::min(least, *value);
      }
    }
    if (logarithmic_) origin_ = std::floor(std::log10(least)) - (least < 1e300 ? 0.5 : 0);
  }
  double Pixels(double value) const {
    const double width = kWidth - kLabelWidth - kValueWidth;
    if (value <= 0 || most_ <= 0) return 0;
    if (!logarithmic_) return value / most_ * width;
    const double span = std::max(1e-9, std::log10(most_) - origin_);
    return std::max(0.0, (std::log10(value) - origin_) / span * width);
  }

 private:
  bool logarithmic_;
  double most_ = 0, origin_ = 0;
};

std::string Legend(const BarChart& chart) {
  std::string text;
  int x = kLabelWidth;
  for (size_t i = 0; i < chart.series.size(); ++i) {
    absl::StrAppendFormat(&text,
                          "<rect x=\"%d\" y=\"36\" width=\"10\" height=\"10\" fill=\"%s\"/>"
                          "<text x=\"%d\" y=\"45\">%s</text>\n",
                          x, kColours[i % std::size(kColours)], x + 14, Escape(chart.series[i]));
    x += 34 + 7 * static_cast<int>(chart.series[i].size());
  }
  return text;
}

std::string Bars(const BarChart& chart, const BarChart::Group& group, const Axis& axis, int y) {
  std::string text;
  for (size_t i = 0; i < group.values.size(); ++i, y += kBar + 1) {
    if (!group.values[i]) {
      absl::StrAppendFormat(&text, "<text x=\"%d\" y=\"%d\" font-size=\"10\">–</text>\n",
                            kLabelWidth + 4, y + kBar - 2);
      continue;
    }
    const double width = axis.Pixels(*group.values[i]);
    absl::StrAppendFormat(&text,
                          "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>"
                          "<text x=\"%.1f\" y=\"%d\" font-size=\"10\">%s</text>\n",
                          kLabelWidth, y, width, kBar, kColours[i % std::size(kColours)],
                          kLabelWidth + width + 4, y + kBar - 2,
                          Number(*group.values[i]) + Escape(chart.unit));
  }
  return text;
}

}  // namespace

std::string Svg(const BarChart& chart) {
  const int group_height = static_cast<int>(chart.series.size()) * (kBar + 1) + kGap;
  const int bottom = kTop + group_height * static_cast<int>(chart.groups.size());
  std::string text = absl::StrFormat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
      "viewBox=\"0 0 %d %d\" role=\"img\" font-family=\"sans-serif\" font-size=\"12\" "
      "fill=\"%s\">\n<title>%s</title>\n"
      "<text x=\"4\" y=\"20\" font-size=\"14\" font-weight=\"bold\">%s</text>\n",
      kWidth, bottom + 8, kWidth, bottom + 8, kText, Escape(chart.title), Escape(chart.title));
  const Axis axis(chart);
  text += Legend(chart);
  if (chart.line) {
    const double x = kLabelWidth + axis.Pixels(*chart.line);
    absl::StrAppendFormat(&text,
                          "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"%s\" "
                          "stroke-dasharray=\"3 3\"/>\n",
                          x, kTop - 4, x, bottom, kText);
  }
  int y = kTop;
  for (const BarChart::Group& group : chart.groups) {
    absl::StrAppendFormat(&text, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n",
                          kLabelWidth - 8, y + (group_height - kGap) / 2 + 4, Escape(group.label));
    text += Bars(chart, group, axis, y);
    y += group_height;
  }
  return text + "</svg>\n";
}

}  // namespace bench

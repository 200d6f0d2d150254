#include "bench/report/charts.h"

namespace bench {

namespace json = llvm::json;

json::Value ToJson(const Charts& charts) {
  json::Object all;
  for (const auto& [name, chart] : charts) {
    json::Array groups;
    for (const BarChart::Group& group : chart.groups) {
      json::Array values;
      for (const std::optional<double>& value : group.values) {
        values.push_back(value ? json::Value(*value) : json::Value(nullptr));
      }
      groups.push_back(json::Object{{"label", group.label}, {"values", std::move(values)}});
    }
    json::Object object{{"title", chart.title},
                        {"series", json::Array(chart.series)},
                        {"groups", std::move(groups)},
                        {"logarithmic", chart.logarithmic}};
    if (chart.line) object["line"] = *chart.line;
    all[name] = std::move(object);
  }
  return all;
}

}  // namespace bench

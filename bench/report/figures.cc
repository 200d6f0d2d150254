#include "bench/report/figures.h"

#include <algorithm>
#include <cmath>

namespace bench {
namespace {

void AddOnce(std::vector<std::string>& list, const std::string& item) {
  if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
}

}  // namespace

Figure Ratio(Figure a, Figure b) {
  if (!a || !b || *a <= 0 || *b <= 0) return {};
  return *a / *b;
}

Figure GeometricMean(const std::vector<Figure>& figures) {
  double sum = 0;
  int count = 0;
  for (const Figure& figure : figures) {
    if (!figure || *figure <= 0) continue;
    sum += std::log(*figure);
    ++count;
  }
  if (count == 0) return {};
  return std::exp(sum / count);
}

Figure Greatest(const std::vector<Figure>& figures) {
  Figure greatest;
  for (const Figure& figure : figures) {
    if (figure && (!greatest || *figure > *greatest)) greatest = figure;
  }
  return greatest;
}

Figure Number(const llvm::json::Object* object, const std::string& key) {
  if (object == nullptr) return {};
  const llvm::json::Value* value = object->get(key);
  if (value == nullptr) return {};
  const auto number = value->getAsNumber();
  if (!number) return {};
  return *number;
}

std::string Text(const llvm::json::Object* object, const std::string& key) {
  if (object == nullptr) return "";
  const auto text = object->getString(key);
  return text ? text->str() : "";
}

KernelTable::KernelTable(const llvm::json::Object& root) {
  const llvm::json::Array* rows = root.getArray("kernels");
  if (rows == nullptr) return;
  for (const llvm::json::Value& value : *rows) {
    const llvm::json::Object* row = value.getAsObject();
    const std::string kernel = Text(row, "kernel"), compiler = Text(row, "compiler");
    AddOnce(kernels_, kernel);
    AddOnce(compilers_, compiler);
    for (const char* quantity : {"instructions", "seconds"}) {
      const Figure figure = Number(row, quantity);
      if (figure && *figure > 0) {
        values_[{kernel, Text(row, "engine"), compiler, quantity}] = *figure;
      }
    }
  }
}

Figure KernelTable::Value(const std::string& kernel, const std::string& engine,
                          const std::string& compiler, const std::string& quantity) const {
  const auto it = values_.find({kernel, engine, compiler, quantity});
  if (it == values_.end()) return {};
  return it->second;
}

Figure KernelTable::RatioOf(const std::string& kernel, const std::string& a, const std::string& b,
                            const std::string& compiler, const std::string& quantity) const {
  return Ratio(Value(kernel, a, compiler, quantity), Value(kernel, b, compiler, quantity));
}

std::vector<Figure> KernelTable::Ratios(const std::string& a, const std::string& b,
                                        const std::string& compiler,
                                        const std::string& quantity) const {
  std::vector<Figure> ratios;
  for (const std::string& kernel : kernels_) {
    for (const std::string& c : compilers_) {
      if (compiler.empty() || compiler == c) ratios.push_back(RatioOf(kernel, a, b, c, quantity));
    }
  }
  return ratios;
}

llvm::json::Array ToJson(const std::vector<KernelFigure>& figures) {
  llvm::json::Array rows;
  for (const KernelFigure& f : figures) {
    llvm::json::Object row{{"kernel", f.kernel}, {"engine", f.engine}, {"compiler", f.compiler}};
    if (f.instructions > 0) row["instructions"] = f.instructions;
    if (f.seconds > 0) row["seconds"] = f.seconds;
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace bench

// Reading what was measured: the sections of build-bench/report/bench.json.
#ifndef FERMATA_BENCH_REPORT_FIGURES_H_
#define FERMATA_BENCH_REPORT_FIGURES_H_

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "bench/report/kernels.h"
#include "llvm/Support/JSON.h"

namespace bench {

using Figure = std::optional<double>;

// Bytes of wasm; the goals for translation are for modules of at least that.
inline constexpr double kBigModule = 1e6;

// a / b, if both are there and positive.
Figure Ratio(Figure a, Figure b);
// Of those that are there; none if there are none.
Figure GeometricMean(const std::vector<Figure>& figures);
Figure Greatest(const std::vector<Figure>& figures);

Figure Number(const llvm::json::Object* object, const std::string& key);
std::string Text(const llvm::json::Object* object, const std::string& key);

// The kernels' figures, by name.
class KernelTable {
 public:
  explicit KernelTable(const llvm::json::Object& root);

  const std::vector<std::string>& kernels() const { return kernels_; }
  const std::vector<std::string>& compilers() const { return compilers_; }
  // `quantity` is "instructions" or "seconds".
  Figure Value(const std::string& kernel, const std::string& engine, const std::string& compiler,
               const std::string& quantity) const;
  Figure RatioOf(const std::string& kernel, const std::string& a, const std::string& b,
                 const std::string& compiler, const std::string& quantity) const;
  // Over all kernels with this compiler, or with all of them if it is "".
  std::vector<Figure> Ratios(const std::string& a, const std::string& b,
                             const std::string& compiler, const std::string& quantity) const;

 private:
  std::vector<std::string> kernels_, compilers_;
  std::map<std::tuple<std::string, std::string, std::string, std::string>, double> values_;
};

llvm::json::Array ToJson(const std::vector<KernelFigure>& figures);

}  // namespace bench

#endif  // FERMATA_BENCH_REPORT_FIGURES_H_

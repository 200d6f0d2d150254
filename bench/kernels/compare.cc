// Runs the kernel executables side by side and writes the comparison.
//
//   fermata-compare --bin DIR --json FILE --markdown FILE [--quick]
//
// DIR holds kernel_<name>_<engine>_<compiler>. Instructions are callgrind's for run(n) less those
// for run(0); time is the least of several interleaved runs, less the least for run(0). All engines
// must print the same checksum.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

namespace {

namespace cl = llvm::cl;
cl::opt<std::string> bin("bin", cl::Required, cl::desc("Folder of the kernel executables"));
cl::opt<std::string> json_path("json", cl::desc("Report to write"));
cl::opt<std::string> markdown_path("markdown", cl::desc("Table to write"));
cl::opt<bool> quick("quick", cl::desc("Fewer rounds"));

const char* const kKernels[] = {"hash",        "nbody",  "recursion", "indirect",
                                "interpreter", "matmul", "parser"};
const char* const kEngines[] = {"fermata", "plain", "wasm2c", "native"};
const char* const kCompilers[] = {"gcc", "clang"};

struct Output {
  std::string out, error;
  double seconds;
};

// Runs a program; nullopt if it fails.
std::optional<Output> Run(const std::vector<std::string>& command) {
  llvm::SmallString<128> out, error;
  if (llvm::sys::fs::createTemporaryFile("bench", "out", out) ||
      llvm::sys::fs::createTemporaryFile("bench", "err", error)) {
    return std::nullopt;
  }
  llvm::FileRemover remove_out(out), remove_error(error);
  std::vector<llvm::StringRef> args(command.begin(), command.end());
  const auto begin = std::chrono::steady_clock::now();
  const int code = llvm::sys::ExecuteAndWait(command[0], args, llvm::None,
                                             {llvm::StringRef(""), out.str(), error.str()});
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (code != 0) return std::nullopt;
  auto out_text = llvm::MemoryBuffer::getFile(out), error_text = llvm::MemoryBuffer::getFile(error);
  if (!out_text || !error_text) return std::nullopt;
  return Output{(*out_text)->getBuffer().str(), (*error_text)->getBuffer().str(), seconds};
}

std::optional<double> Instructions(const std::string& valgrind, const std::string& program, int n) {
  auto output = Run(
      {valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", program, absl::StrCat(n)});
  if (!output) return std::nullopt;
  const size_t at = output->error.find("Collected : ");
  double count;
  if (at == std::string::npos ||
      !absl::SimpleAtod(output->error.substr(at + 12, output->error.find('\n', at) - at - 12),
                        &count)) {
    return std::nullopt;
  }
  return count;
}

struct Figures {
  std::string checksum;
  double instructions = 0;
  double seconds = 1e9;
  double start_seconds = 1e9;  // of run(0): loading, instantiation
};
using Key = std::pair<std::string, std::string>;  // engine, compiler

std::string Program(const std::string& kernel, const Key& key) {
  return absl::StrCat(std::string(bin), "/kernel_", kernel, "_", key.first, "_", key.second);
}

std::map<Key, Figures> Measure(const std::string& kernel, const std::string& valgrind,
                               bool& failed) {
  std::map<Key, Figures> figures;
  for (const char* compiler : kCompilers) {
    for (const char* engine : kEngines) {
      const Key key{engine, compiler};
      if (llvm::sys::fs::exists(Program(kernel, key))) figures[key];
    }
  }
  for (auto& [key, f] : figures) {
    const auto some = Instructions(valgrind, Program(kernel, key), 2);
    const auto none = Instructions(valgrind, Program(kernel, key), 0);
    if (some && none) f.instructions = *some - *none;
  }
  for (int round = 0; round < (quick ? 3 : 7); ++round) {
    for (auto& [key, f] : figures) {
      auto output = Run({Program(kernel, key), quick ? "1000" : "3000"});
      auto start = Run({Program(kernel, key), "0"});
      if (!output || !start) {
        std::fprintf(stderr, "%s failed\n", Program(kernel, key).c_str());
        failed = true;
        continue;
      }
      f.checksum = output->out;
      f.seconds = std::min(f.seconds, output->seconds);
      f.start_seconds = std::min(f.start_seconds, start->seconds);
    }
  }
  for (auto& [key, f] : figures) {
    f.seconds -= f.start_seconds;
    if (f.checksum == figures.begin()->second.checksum) continue;
    std::fprintf(stderr, "%s: another checksum: %s", Program(kernel, key).c_str(),
                 f.checksum.c_str());
    failed = true;
  }
  return figures;
}

// Geometric means of ratios to a peer, by (engine, compiler, peer, quantity).
class Means {
 public:
  double Add(const std::string& name, double a, double b) {
    if (a <= 0 || b <= 0) return 0;
    auto& [sum, count] = sums_[name];
    sum += std::log(a / b);
    ++count;
    return a / b;
  }
  const std::map<std::string, std::pair<double, int>>& all() const { return sums_; }

 private:
  std::map<std::string, std::pair<double, int>> sums_;
};

struct Row {
  std::string kernel, compiler;
  double instructions_wasm2c, time_wasm2c, instructions_native, time_native, suspending_vs_plain;
};

void Write(const std::string& path, const std::string& text) {
  if (path.empty()) return;
  std::error_code error;
  llvm::raw_fd_ostream out(path, error);
  if (error) {
    std::fprintf(stderr, "%s: %s\n", path.c_str(), error.message().c_str());
    std::exit(1);
  }
  out << text;
}

std::string Markdown(const std::vector<Row>& rows, const Means& means) {
  std::string text =
      "| kernel | compiler | instructions vs wasm2c | time vs wasm2c | instructions vs native | "
      "time vs "
      "native | suspending vs plain |\n|---|---|---|---|---|---|---|\n";
  for (const Row& r : rows) {
    absl::StrAppendFormat(&text, "| %s | %s | %.2f | %.2f | %.2f | %.2f | %.3f |\n", r.kernel,
                          r.compiler, r.instructions_wasm2c, r.time_wasm2c, r.instructions_native,
                          r.time_native, r.suspending_vs_plain);
  }
  for (const char* compiler : kCompilers) {
    const auto mean = [&](const char* name) {
      auto it = means.all().find(absl::StrCat(name, "_", compiler));
      return it == means.all().end() ? 0 : std::exp(it->second.first / it->second.second);
    };
    absl::StrAppendFormat(
        &text,
        "| **geometric mean** | %s | **%.2f** | **%.2f** | **%.2f** | **%.2f** | **%.3f** |\n",
        compiler, mean("instructions_vs_wasm2c"), mean("time_vs_wasm2c"),
        mean("instructions_vs_native"), mean("time_vs_native"), mean("resumable_vs_plain"));
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  cl::ParseCommandLineOptions(argc, argv, "Compares Fermata's kernels with wasm2c and native C\n");
  auto valgrind = llvm::sys::findProgramByName("valgrind");
  if (!valgrind) {
    std::fprintf(stderr, "fermata-compare: valgrind is not there\n");
    return 1;
  }
  bool failed = false;
  std::vector<Row> rows;
  Means means;
  llvm::json::Array details;
  for (const char* kernel : kKernels) {
    std::map<Key, Figures> figures = Measure(kernel, *valgrind, failed);
    for (const char* compiler : kCompilers) {
      if (!figures.count({"fermata", compiler})) continue;
      const Figures f = figures[{"fermata", compiler}], w = figures[{"wasm2c", compiler}],
                    n = figures[{"native", compiler}], p = figures[{"plain", compiler}];
      const auto name = [&](const char* quantity) { return absl::StrCat(quantity, "_", compiler); };
      rows.push_back({kernel, compiler,
                      means.Add(name("instructions_vs_wasm2c"), f.instructions, w.instructions),
                      means.Add(name("time_vs_wasm2c"), f.seconds, w.seconds),
                      means.Add(name("instructions_vs_native"), f.instructions, n.instructions),
                      means.Add(name("time_vs_native"), f.seconds, n.seconds),
                      means.Add(name("resumable_vs_plain"), f.instructions, p.instructions)});
      std::fprintf(stderr, "%-12s %-6s instructions/wasm2c %.2f time/wasm2c %.2f\n", kernel,
                   compiler, rows.back().instructions_wasm2c, rows.back().time_wasm2c);
    }
    for (auto& [key, f] : figures) {
      details.push_back(llvm::json::Object{{"kernel", kernel},
                                           {"engine", key.first},
                                           {"compiler", key.second},
                                           {"instructions", f.instructions},
                                           {"seconds", f.seconds}});
    }
  }
  llvm::json::Object summary;
  for (const auto& [name, mean] : means.all()) summary[name] = std::exp(mean.first / mean.second);
  std::string json;
  llvm::raw_string_ostream stream(json);
  stream << llvm::formatv("{0:2}\n",
                          llvm::json::Value(llvm::json::Object{{"summary", std::move(summary)},
                                                               {"kernels", std::move(details)}}));
  stream.flush();
  const std::string table = Markdown(rows, means);
  Write(json_path, json);
  Write(markdown_path, table);
  std::printf("%s", table.c_str());
  return failed ? 1 : 0;
}

#include "bench/report/kernels.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "translator/thread_pool.h"

namespace bench {
namespace {

namespace fs = llvm::sys::fs;

// What is measured: a program, and how it is run.
struct Engine {
  const char* name;
  const char* program;
  const char* argument;
};
constexpr Engine kEngines[] = {{"fermata", "fermata", nullptr}, {"plain", "plain", nullptr},
                               {"checked", "checked", nullptr}, {"preempt", "preempt", nullptr},
                               {"resumed", "held", nullptr},    {"fresh", "held", "--answer"},
                               {"wasm2c", "wasm2c", nullptr},   {"asyncify", "asyncify", nullptr},
                               {"native", "native", nullptr}};

std::vector<std::string> FindKernels(const Tools& tools, const std::string& only) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(tools.source_dir + "/bench/kernels", error), end;
       it != end && !error; it.increment(error)) {
    if (llvm::sys::path::extension(it->path()) != ".c") continue;
    const std::string name = llvm::sys::path::stem(it->path()).str();
    if (only.empty() || only == name) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

// The programs of the kernels, made by the targets of bench/kernels/CMakeLists.txt.
class Programs {
 public:
  Programs(const Tools& tools, const std::string& only) : tools_(tools) {
    std::string errors;
    complete_ = Build(tools, only.empty() ? "bench_kernels" : "kernel_" + only, errors);
    if (!complete_) std::fprintf(stderr, "kernels: not all could be made:\n%s", errors.c_str());
  }

  // The path of one; empty if there is none, or none that is up to date.
  std::string Find(const std::string& kernel, const std::string& program,
                   const std::string& compiler) const {
    const std::string name = absl::StrCat("bench/kernels/", kernel, "/", program, "-", compiler);
    const std::string path = absl::StrCat(tools_.build_dir, "/", name);
    std::string errors;  // have been told
    return fs::exists(path) && (complete_ || Build(tools_, name, errors)) ? path : "";
  }

 private:
  const Tools& tools_;
  bool complete_;
};

// ---- Measuring -----------------------------------------------------------------------------------

struct Subject {
  Command command;  // without n
  KernelFigure* figure;
  std::string checksum;
};

Command With(Command command, std::initializer_list<long> sizes) {
  for (const long n : sizes) command.push_back(absl::StrCat(n));
  return command;
}

// What a run printed: the result, and seconds of processor time.
bool Parse(const Ran& ran, std::string& checksum, double& seconds) {
  const std::vector<std::string> words =
      absl::StrSplit(ran.output, absl::ByAnyChar(" \n"), absl::SkipEmpty());
  double ns;
  if (!ran.ok() || words.size() != 2 || !absl::SimpleAtod(words[1], &ns)) return false;
  checksum = words[0];
  seconds = ns * 1e-9;
  return true;
}

// The n with which `command` runs for about `seconds`.
long SizeFor(const Command& command, double seconds) {
  std::string checksum;
  for (long n = 1;; n *= 2) {
    double took;
    if (!Parse(Run(With(command, {n})), checksum, took)) return 0;
    if (took > seconds / 8) return std::max(1l, std::lround(n * seconds / took));
    if (n > 1 << 28) return n;
  }
}

// The number that callgrind wrote after the call of bench_run whose number is `call`.
double Dumped(const std::string& file, int call) {
  const auto dump = llvm::MemoryBuffer::getFile(absl::StrCat(file, ".", call));
  const std::string text = dump ? (*dump)->getBuffer().str() : "";
  const size_t at = text.find("\nsummary: ");
  double count = 0;
  if (at == std::string::npos ||
      !absl::SimpleAtod(text.substr(at + 10, text.find('\n', at + 1) - at - 10), &count)) {
    return 0;
  }
  return count;
}

// Instructions of run(3n) less those of run(n), so that what each call does once cancels.
double Instructions(const Tools& tools, const Command& program, long n) {
  llvm::SmallString<128> file;
  if (fs::createTemporaryFile("callgrind", "out", file)) return 0;
  const std::string path = file.str().str();
  Command command = {tools.valgrind, "--tool=callgrind", "--callgrind-out-file=" + path,
                     "--toggle-collect=bench_run", "--dump-after=bench_run"};
  command.insert(command.end(), program.begin(), program.end());
  const Ran ran = Run(With(command, {n, 3 * n}));
  const double less = Dumped(path, 1), more = Dumped(path, 2);
  for (const char* end : {"", ".1", ".2", ".3"}) (void)fs::remove(path + end);
  if (!ran.ok() || less <= 0 || more <= less) {
    std::fprintf(stderr, "callgrind of %s failed: %s\n", program[0].c_str(),
                 Tail(ran.errors, 10).c_str());
    return 0;
  }
  return more - less;
}

void Time(std::vector<Subject>& subjects, long n, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    for (Subject& subject : subjects) {
      std::string checksum;
      double seconds;
      const Ran ran = Run(With(subject.command, {n}));
      if (!Parse(ran, checksum, seconds)) {
        if (round == 0)
          std::fprintf(stderr, "%s failed: %s\n", subject.command[0].c_str(),
                       Tail(ran.errors, 10).c_str());
        continue;
      }
      double& least = subject.figure->seconds;
      least = round == 0 ? seconds : std::min(least, seconds);
      subject.checksum = checksum;
    }
  }
  // A wrong result is no result.
  const auto native = std::find_if(subjects.begin(), subjects.end(), [](const Subject& s) {
    return s.figure->engine == "native" && !s.checksum.empty();
  });
  for (Subject& subject : subjects) {
    if (native == subjects.end() || subject.checksum == native->checksum) continue;
    std::fprintf(stderr, "%s: result %s instead of %s\n", subject.command[0].c_str(),
                 subject.checksum.c_str(), native->checksum.c_str());
    subject.figure->seconds = subject.figure->instructions = 0;
  }
}

std::vector<KernelFigure> Measure(const Tools& tools, const Programs& programs,
                                  const std::string& kernel, bool quick) {
  std::vector<KernelFigure> figures;
  std::vector<Command> commands;
  for (const Compiler& compiler : tools.compilers) {
    for (const Engine& engine : kEngines) {
      const std::string program = programs.Find(kernel, engine.program, compiler.name);
      if (program.empty()) continue;
      figures.push_back({kernel, engine.name, compiler.name});
      commands.push_back({program});
      if (engine.argument != nullptr) commands.back().push_back(engine.argument);
    }
  }
  if (figures.empty()) return figures;
  std::vector<Subject> subjects;
  for (size_t i = 0; i < figures.size(); ++i) subjects.push_back({commands[i], &figures[i], ""});
  if (!tools.valgrind.empty()) {
    const long n = SizeFor(commands.back(), quick ? 0.0003 : 0.001);
    fermata::ThreadPool pool(llvm::hardware_concurrency());
    for (size_t i = 0; i < subjects.size(); ++i) {
      pool.async([&, i] { figures[i].instructions = Instructions(tools, commands[i], n); });
    }
    pool.wait();
  }
  Time(subjects, SizeFor(commands.back(), quick ? 0.02 : 0.06), quick ? 3 : 11);
  return figures;
}

}  // namespace

std::vector<KernelFigure> MeasureKernels(const Tools& tools, const KernelOptions& options) {
  std::vector<KernelFigure> all;
  if (tools.wasm_clang.empty()) return all;
  std::fprintf(stderr, "kernels: building\n");
  const Programs programs(tools, options.only);
  for (const std::string& kernel : FindKernels(tools, options.only)) {
    std::fprintf(stderr, "kernels: %s\n", kernel.c_str());
    const std::vector<KernelFigure> figures = Measure(tools, programs, kernel, options.quick);
    all.insert(all.end(), figures.begin(), figures.end());
  }
  return all;
}

}  // namespace bench

#include "bench/report/kernels.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bench/report/builder.h"
#include "bench/report/text_file.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "translator/cli/native/compiler.h"

namespace bench {
namespace {

namespace fs = llvm::sys::fs;

// What Fermata's translator makes of a kernel: which wasm, with which flags.
struct Variant {
  const char* program;
  bool held;
  const char* flag;
};
constexpr Variant kVariants[] = {{"fermata", false, nullptr},
                                 {"plain", false, "--immediate=env.rare"},
                                 {"checked", false, "--memory=checked"},
                                 {"preempt", false, "--preempt"},
                                 {"held", true, nullptr}};

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

class Kernel {
 public:
  Kernel(const Tools& tools, std::string name)
      : tools_(tools), name_(std::move(name)), dir_(tools.build_dir + "/bench/kernels/" + name_) {}

  const std::string& name() const { return name_; }
  std::string Program(const std::string& program, const std::string& compiler) const {
    return absl::StrCat(dir_, "/", program, "-", compiler);
  }

  // The steps of making all programs; those of a step are independent of each other.
  void AddWasm(std::vector<Rule>& rules) const {
    for (const bool held : {false, true}) {
      Rule rule{Wasm(held), {Source(), Sources() + "/kernel.h"}, {}};
      rule.command = WasmCommand(tools_, Source(), Wasm(held), {});
      // Inlined as far as possible, so that the hot loops are in the function that is resumed.
      if (held) Append(rule.command, {"-DHELD", "-mllvm", "-inline-threshold=100000"});
      rules.push_back(rule);
    }
  }
  void AddAsyncify(std::vector<Rule>& rules) const {
    if (tools_.wasm_opt.empty()) return;
    const std::string output = dir_ + "/asyncify.wasm";
    rules.push_back({output, {Wasm(false)}, AsyncifyCommand(tools_, Wasm(false), output)});
  }
  void AddTranslations(std::vector<Rule>& rules) const {
    for (const Variant& variant : kVariants) {
      const std::string out = absl::StrCat(dir_, "/", variant.program);
      Rule rule{out + "/kernel_0.cc", {Wasm(variant.held), tools_.fermata}, {}};
      rule.command = {tools_.fermata,   "translate",         Wasm(variant.held), "-o", out,
                      "--class=Kernel", "--namespace=bench", "--name=kernel"};
      if (variant.flag != nullptr) rule.command.push_back(variant.flag);
      rules.push_back(rule);
    }
    if (tools_.wasm2c.empty()) return;
    const auto add = [&](const std::string& wasm, const std::string& folder) {
      const std::string output = absl::StrCat(dir_, "/", folder, "/kernel_wasm2c.c");
      rules.push_back({output, {wasm}, {tools_.wasm2c, wasm, "-n", "kernel", "-o", output}});
    };
    add(Wasm(false), "wasm2c");
    if (!tools_.wasm_opt.empty()) add(dir_ + "/asyncify.wasm", "asyncify");
  }
  void AddPrograms(std::vector<Rule>& rules) const {
    for (const Compiler& compiler : tools_.compilers) {
      for (const Variant& variant : kVariants) AddFermata(variant.program, compiler, rules);
      AddWasm2c("wasm2c", compiler, rules);
      if (!tools_.wasm_opt.empty()) AddWasm2c("asyncify", compiler, rules);
      Rule native{
          Program("native", compiler.name), {Source(), Main("native.c"), Main("main.h")}, {}};
      native.command = {compiler.cc};
      Append(native.command, compiler.native);
      Append(native.command, {Source(), Main("native.c"), "-o", native.output, "-lm"});
      rules.push_back(native);
    }
  }

 private:
  static void Append(Command& command, const Command& more) {
    command.insert(command.end(), more.begin(), more.end());
  }
  std::string Sources() const { return tools_.source_dir + "/bench/kernels"; }
  std::string Source() const { return absl::StrCat(Sources(), "/", name_, ".c"); }
  std::string Main(const char* name) const { return absl::StrCat(Sources(), "/main/", name); }
  std::string Wasm(bool held) const { return dir_ + (held ? "/held.wasm" : "/kernel.wasm"); }

  void AddFermata(const std::string& program, const Compiler& compiler,
                  std::vector<Rule>& rules) const {
    const std::string dir = absl::StrCat(dir_, "/", program);
    Rule rule{Program(program, compiler.name), {}, {compiler.cxx}};
    Append(rule.command, compiler.fermata);
    Append(rule.command, {"-I", tools_.Include()});
    for (const char* part : {"/kernel_0.cc", "/kernel_module.cc", "/kernel_data.cc"}) {
      rule.inputs.push_back(dir + part);
      rule.command.push_back(dir + part);
    }
    const std::string main = tools_.build_dir + "/lib/libfermata_kernel_main.a";
    rule.inputs.push_back(main);
    const std::vector<std::string> headers = fermata::driver::CoreHeaderFiles(tools_.Include());
    rule.inputs.insert(rule.inputs.end(), headers.begin(), headers.end());
    Append(rule.command, {main, "-o", rule.output});
    Append(rule.command, tools_.RuntimeLibraries());
    rules.push_back(rule);
  }
  void AddWasm2c(const std::string& program, const Compiler& compiler,
                 std::vector<Rule>& rules) const {
    if (tools_.wasm2c.empty()) return;
    const std::string dir = absl::StrCat(dir_, "/", program);
    const std::string code = dir + "/kernel_wasm2c.c";
    Rule rule{Program(program, compiler.name), {code, Main("wasm2c.c"), Main("main.h")}, {}};
    rule.command = {compiler.cc};
    Append(rule.command, compiler.wasm2c);
    Append(rule.command, {"-I", dir, "-I", tools_.wasm_rt, Main("wasm2c.c"), code,
                          tools_.wasm_rt + "/wasm-rt-impl.c", "-o", rule.output, "-lm"});
    rules.push_back(rule);
  }

  const Tools& tools_;
  std::string name_;
  std::string dir_;
};

std::vector<Kernel> FindKernels(const Tools& tools, const std::string& only) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(tools.source_dir + "/bench/kernels", error), end;
       it != end && !error; it.increment(error)) {
    if (llvm::sys::path::extension(it->path()) != ".c") continue;
    const std::string name = llvm::sys::path::stem(it->path()).str();
    if (only.empty() || only == name) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  std::vector<Kernel> kernels;
  for (const std::string& name : names) kernels.emplace_back(tools, name);
  return kernels;
}

void BuildKernels(const std::vector<Kernel>& kernels) {
  for (const auto step :
       {&Kernel::AddWasm, &Kernel::AddAsyncify, &Kernel::AddTranslations, &Kernel::AddPrograms}) {
    std::vector<Rule> rules;
    for (const Kernel& kernel : kernels) (kernel.*step)(rules);
    Build(rules);
  }
}

// ---- Measuring
// -----------------------------------------------------------------------------------

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
      absl::StrSplit(ran.out, absl::ByAnyChar(" \n"), absl::SkipEmpty());
  double ns;
  if (!ran.ok || words.size() != 2 || !absl::SimpleAtod(words[1], &ns)) return false;
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
  const std::string text = ReadText(absl::StrCat(file, ".", call));
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
  if (!ran.ok || less <= 0 || more <= less) {
    std::fprintf(stderr, "callgrind of %s failed: %s\n", program[0].c_str(),
                 Tail(ran.error, 500).c_str());
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
                       Tail(ran.error, 500).c_str());
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

std::vector<KernelFigure> Measure(const Tools& tools, const Kernel& kernel, bool quick) {
  std::vector<KernelFigure> figures;
  std::vector<Command> commands;
  for (const Compiler& compiler : tools.compilers) {
    for (const Engine& engine : kEngines) {
      const std::string program = kernel.Program(engine.program, compiler.name);
      if (!Exists(program)) continue;
      figures.push_back({kernel.name(), engine.name, compiler.name});
      commands.push_back({program});
      if (engine.argument != nullptr) commands.back().push_back(engine.argument);
    }
  }
  if (figures.empty()) return figures;
  std::vector<Subject> subjects;
  for (size_t i = 0; i < figures.size(); ++i) subjects.push_back({commands[i], &figures[i], ""});
  if (!tools.valgrind.empty()) {
    const long n = SizeFor(commands.back(), quick ? 0.0003 : 0.001);
    ForAll(subjects.size(),
           [&](size_t i) { figures[i].instructions = Instructions(tools, commands[i], n); });
  }
  Time(subjects, SizeFor(commands.back(), quick ? 0.02 : 0.06), quick ? 3 : 11);
  return figures;
}

}  // namespace

std::vector<KernelFigure> MeasureKernels(const Tools& tools, const KernelOptions& options) {
  std::vector<KernelFigure> all;
  if (tools.wasm_clang.empty()) return all;
  const std::vector<Kernel> kernels = FindKernels(tools, options.only);
  std::fprintf(stderr, "kernels: building\n");
  BuildKernels(kernels);
  for (const Kernel& kernel : kernels) {
    std::fprintf(stderr, "kernels: %s\n", kernel.name().c_str());
    const std::vector<KernelFigure> figures = Measure(tools, kernel, options.quick);
    all.insert(all.end(), figures.begin(), figures.end());
  }
  return all;
}

}  // namespace bench

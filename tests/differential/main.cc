// fermata-differential: random modules, in every configuration and against V8. docs/fuzzing.md.
//
// Exit status: 0, 1 if there was a difference or an error, 77 if a program that was asked for is
// not there.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"
#include "tests/differential/campaign.h"
#include "tests/differential/reduce.h"
#include "tests/differential/shapes.h"
#include "tests/differential/sources.h"
#include "tests/support/files.h"
#include "translator/cli/process/interruptible.h"
#include "translator/cli/process/process.h"

namespace {

namespace cl = llvm::cl;
namespace fs = std::filesystem;
using namespace fermata;                // NOLINT: a program
using namespace fermata::differential;  // NOLINT

constexpr int kSkipped = 77;

cl::OptionCategory category("Differential test");
cl::list<std::string> inputs(cl::Positional, cl::value_desc("module.wasm"),
                             cl::desc("[module.wasm...]"), cl::cat(category));
cl::opt<std::string> output(
    "output", cl::init(FERMATA_DIFFERENTIAL_DIR), cl::value_desc("folder"),
    cl::desc("Where files go, and differences (default: " FERMATA_DIFFERENTIAL_DIR ")"),
    cl::cat(category));
cl::opt<unsigned> modules("modules", cl::init(100), cl::value_desc("n"),
                          cl::desc("Stop after this many (default: 100)"), cl::cat(category));
cl::opt<unsigned> seconds("seconds", cl::init(0), cl::value_desc("n"),
                          cl::desc("Stop after this time"), cl::cat(category));
cl::opt<uint64_t> seed("seed", cl::init(1), cl::value_desc("n"),
                       cl::desc("Of the first module; the next has the next (default: 1)"),
                       cl::cat(category));
cl::opt<unsigned> batch_size("batch", cl::init(24), cl::value_desc("n"),
                             cl::desc("Modules in a library (default: 24)"), cl::cat(category));
cl::opt<std::string> source_kind("from", cl::init("both"), cl::value_desc("shapes|binaryen|both"),
                                 cl::desc("Which generator makes the modules (default: both)"),
                                 cl::cat(category));
cl::opt<std::string> wasm_opt("wasm-opt", cl::init("wasm-opt"), cl::value_desc("program"),
                              cl::desc("binaryen's (default: wasm-opt in PATH)"),
                              cl::cat(category));
cl::opt<std::string> node("node", cl::init("node"), cl::value_desc("program"),
                          cl::desc("Node.js, whose V8 is the peer (default: node in PATH; empty: "
                                   "compare the configurations with each other)"),
                          cl::cat(category));
cl::list<std::string> compilers("compilers", cl::value_desc("command"), cl::CommaSeparated,
                                cl::desc("C++ compilers (default: g++,clang++)"),
                                cl::cat(category));
cl::opt<std::string> optimization(
    "opt", cl::init("auto"), cl::value_desc("-On"),
    cl::desc("Optimization flag (default: by turns, -O2 each eighth)"), cl::cat(category));
cl::list<std::string> memories("memory", cl::value_desc("reserved|checked"), cl::CommaSeparated,
                               cl::desc("Memory policies (default: both)"), cl::cat(category));
cl::list<std::string> modes("modes", cl::value_desc("mode"), cl::CommaSeparated,
                            cl::desc("plain, ops, ops-snapshotted, suspended, snapshotted, paused, "
                                     "stressed (default: all)"),
                            cl::cat(category));
cl::opt<std::string> shape("shape", cl::init("rotate"), cl::value_desc("auto|split|tails|shared"),
                           cl::desc("Shape of functions (default: by turns)"), cl::cat(category));
cl::opt<int> piece_size("piece-size", cl::init(-1), cl::value_desc("n"),
                        cl::desc("Emit functions in pieces of about n operations; 0: as usual "
                                 "(default: each eighth library in pieces)"),
                        cl::cat(category));
cl::opt<unsigned> most_calls("most-calls", cl::init(40), cl::value_desc("n"),
                             cl::desc("Calls of a module (default: 40)"), cl::cat(category));
cl::list<size_t> only_calls("only-calls", cl::value_desc("number"), cl::CommaSeparated,
                            cl::desc("Only these calls"), cl::cat(category));
cl::opt<unsigned> jobs("jobs", cl::init(0), cl::value_desc("n"),
                       cl::desc("Libraries at a time (default: one per processor)"),
                       cl::cat(category));
cl::opt<unsigned> timeout("timeout", cl::init(60), cl::value_desc("seconds"),
                          cl::desc("Processor time for a library's calls (default: 60)"),
                          cl::cat(category));
cl::opt<unsigned> reductions("reduce", cl::init(60), cl::value_desc("n"),
                             cl::desc("Most runs to make a module with a difference small "
                                      "(default: 60; 0: leave it)"),
                             cl::cat(category));

// For child processes.
cl::opt<std::string> child("child", cl::Hidden);
cl::opt<std::string> names("names", cl::Hidden);
cl::opt<std::string> library("library", cl::Hidden);
cl::opt<std::string> tag("tag", cl::Hidden);
cl::opt<std::string> source("source", cl::Hidden);

int Fail(const std::string& message) {
  llvm::errs() << "fermata-differential: " << message << "\n";
  return 1;
}

PlanOptions PlanFlags() {
  PlanOptions plan;
  plan.seed = seed;
  plan.most_calls = most_calls;
  plan.only.assign(only_calls.begin(), only_calls.end());
  return plan;
}

emit::ShapeChoice ShapeOf(const std::string& name) {
  return name == "split"    ? emit::ShapeChoice::kSplit
         : name == "tails"  ? emit::ShapeChoice::kTails
         : name == "shared" ? emit::ShapeChoice::kShared
                            : emit::ShapeChoice::kAuto;
}

// Those of library number `n`, all of the same text but for what the modes and policies need.
absl::StatusOr<std::vector<Configuration>> Configurations(uint64_t n) {
  constexpr emit::ShapeChoice kTurns[] = {emit::ShapeChoice::kAuto, emit::ShapeChoice::kSplit,
                                          emit::ShapeChoice::kTails, emit::ShapeChoice::kShared};
  Configuration base;
  constexpr const char* kLevels[] = {"-O0", "-O1", "-O0", "-O1", "-O0", "-O1", "-O0", "-O2"};
  base.optimization =
      optimization != "auto" ? optimization.getValue() : kLevels[(n / 2 + n % 2 * 3) % 8];
  base.shape = shape == "rotate" ? kTurns[n % 4] : ShapeOf(shape);
  base.piece_size = piece_size >= 0 ? static_cast<unsigned>(piece_size) : n % 8 == 5 ? 30 : 0;
  std::vector<std::string> modes_left(modes.begin(), modes.end());
  std::vector<Configuration> all;
  // Checked memory first: where there is no peer, it is what the others are compared with.
  for (const bool checked : {true, false}) {
    const std::string policy = checked ? "checked" : "reserved";
    if (!memories.empty() && !llvm::is_contained(memories, policy)) continue;
    for (const Mode mode : kModes) {
      if (!modes.empty() && !llvm::is_contained(modes, Name(mode))) continue;
      modes_left.erase(std::remove(modes_left.begin(), modes_left.end(), Name(mode)),
                       modes_left.end());
      for (const std::string& compiler :
           compilers.empty() ? std::vector<std::string>{"g++", "clang++"}
                             : std::vector<std::string>(compilers.begin(), compilers.end())) {
        base.compiler = compiler;
        base.checked = checked;
        base.mode = mode;
        all.push_back(base);
      }
    }
  }
  if (!modes_left.empty()) return absl::NotFoundError(modes_left[0] + ": there is no such mode");
  if (all.empty()) return absl::NotFoundError("no configuration is left");
  return all;
}

int RunChild() {
  const rlimit limit = {timeout, timeout + 1}, no_core = {0, 0};
  setrlimit(RLIMIT_CPU, &limit);
  setrlimit(RLIMIT_CORE, &no_core);
  ChildOptions options;
  const auto configurations = Configurations(0);
  if (!configurations.ok()) return Fail(configurations.status().ToString());
  options.configuration = (*configurations)[0];
  options.folder = output;
  options.names = absl::StrSplit(names.getValue(), ',', absl::SkipEmpty());
  options.library = library;
  options.tag = tag;
  options.output = source;
  options.plan = PlanFlags();
  const absl::Status status =
      child == "translate" ? TranslateInChild(options) : PlayInChild(options);
  if (status.ok()) return 0;
  llvm::errs() << std::string(status.message()) << "\n";
  return 1;
}

class Program {
 public:
  Program(const Settings& settings, absl::StatusOr<Binaryen> binaryen)
      : settings_(settings), campaign_(settings), binaryen_(std::move(binaryen)) {}

  int Run() {
    const auto start = std::chrono::steady_clock::now();
    for (uint64_t n = 0; campaign_.counts().modules < modules; ++n) {
      const double passed =
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      if (seconds != 0 && passed > seconds) break;
      const absl::Status status = RunBatch(n);
      if (!status.ok()) return Fail(std::string(status.message()));
    }
    std::printf("%s\n", Totals().c_str());
    return found_ == 0 ? 0 : 1;
  }

  // The given files, as they are.
  int RunFiles() {
    std::map<std::string, testing_support::Bytes> made;
    for (const std::string& path : inputs) {
      const absl::StatusOr<std::string> file = testing_support::LoadFile(path);
      if (!file.ok()) return Fail(std::string(file.status().message()));
      made[fs::path(path).stem()].assign(file->begin(), file->end());
    }
    const absl::Status status = Compare(0, "given", made);
    if (!status.ok()) return Fail(std::string(status.message()));
    std::printf("%s\n", Totals().c_str());
    return found_ == 0 ? 0 : 1;
  }

 private:
  absl::Status RunBatch(uint64_t n) {
    const std::string batch = absl::StrCat("batch-", seed + n * batch_size);
    const uint64_t first = seed + n * batch_size;
    std::map<std::string, testing_support::Bytes> made;
    const bool from_binaryen = source_kind == "binaryen" || (source_kind == "both" && n % 2 == 1);
    if (from_binaryen) {
      made = binaryen_->Make(absl::StrCat(settings_.folder, "/", batch), first, batch_size,
                             settings_.jobs);
    } else {
      for (uint64_t i = 0; i < batch_size; ++i) {
        made[absl::StrCat("shapes", first + i)] = RandomModule(first + i);
      }
    }
    return Compare(n, batch, made);
  }

  absl::Status Compare(uint64_t n, const std::string& batch,
                       const std::map<std::string, testing_support::Bytes>& made) {
    const auto configurations = Configurations(n);
    if (!configurations.ok()) return configurations.status();
    std::map<std::string, std::string> left_out;
    const std::vector<std::string> prepared = campaign_.Prepare(batch, made, left_out);
    left_out_ += left_out.size();
    for (const auto& [name, why] : left_out) {
      std::printf("left out: %s: %s\n", name.c_str(), why.c_str());
    }
    std::map<std::string, Difference> first;
    for (Difference& difference : campaign_.Run(batch, prepared, *configurations)) {
      ++found_;
      std::printf("%s %s (%s%s%s): %s\n",
                  first.count(difference.module) == 0 ? "DIFFERENCE" : "  and",
                  difference.module.c_str(), Describe(difference.configuration).c_str(),
                  difference.against.empty() ? "" : " against ", difference.against.c_str(),
                  difference.what.c_str());
      first.emplace(difference.module, std::move(difference));
    }
    for (const auto& [name, difference] : first) Keep(difference);
    std::error_code ignored;
    fs::remove_all(fs::path(settings_.folder) / batch, ignored);
    testing_support::WriteFile(settings_.folder + "/progress.txt", Totals() + "\n");
    std::fflush(stdout);
    return absl::OkStatus();
  }

  // Puts the module, made small, into a folder of its own with what is to be known of it.
  void Keep(const Difference& difference) {
    const fs::path folder = fs::path(settings_.folder) / "differences" / difference.module;
    fs::create_directories(folder);
    const testing_support::Bytes module =
        testing_support::ReadBytes(campaign_.FileOf(difference.batch, difference.module));
    testing_support::WriteFile(folder / "module.wasm", module);
    const auto command = [&](const char* file, const PlanOptions& plan) {
      return absl::StrCat("fermata-differential ", (folder / file).string(), " --seed=", plan.seed,
                          " --most-calls=", plan.most_calls,
                          plan.only.empty() ? "" : " --only-calls=" + absl::StrJoin(plan.only, ","),
                          " ", Flags(difference.configuration),
                          difference.against == "V8" ? "" : " --memory=checked", "\n");
    };
    std::string text = absl::StrCat(Describe(difference.configuration), ": ", difference.what, "\n",
                                    command("module.wasm", settings_.plan));
    if (reductions != 0) {
      Settings small = settings_;
      small.timeout = std::min(small.timeout, 20u);
      const Reduced reduced = Reduce(small, difference, module, reductions);
      testing_support::WriteFile(folder / "reduced.wasm", reduced.module);
      absl::StrAppend(&text, "\nreduced: ", reduced.difference.what, "\n",
                      command("reduced.wasm", reduced.plan));
    }
    testing_support::WriteFile(folder / "difference.txt", text);
    std::printf("kept in %s\n", folder.c_str());
  }

  std::string Totals() const {
    const Counts& c = campaign_.counts();
    return absl::StrFormat(
        "%d modules (%d left out, %d refused by the peer), %d functions; %d calls compared, %d "
        "suspensions, %d restored from snapshots; %d differences",
        c.modules, left_out_, c.refused_by_peer, c.functions, c.calls, c.suspensions, c.restores,
        found_);
  }

  const Settings settings_;
  Campaign campaign_;
  absl::StatusOr<Binaryen> binaryen_;
  uint64_t found_ = 0, left_out_ = 0;
};

int Run(const std::string& program) {
  // Its children have a time limit, and so groups of their own.
  const process::Interruptible children_end_with_it(process::Interruptible::kEnd);
  Settings settings;
  settings.program = program;
  settings.folder = fs::absolute(output.getValue());
  settings.include_dir = FERMATA_INCLUDE_DIR;
  settings.flags = absl::StrSplit(FERMATA_SPEC_FLAGS, ' ', absl::SkipEmpty());
  settings.node = node;
  settings.script = FERMATA_DIFFERENTIAL_SCRIPT;
  settings.jobs = jobs;
  settings.timeout = timeout;
  settings.plan = PlanFlags();
  if (!settings.node.empty()) {
    const auto run = process::Run(
        {settings.node, "--input-type=module", "-e", "import { crc32 } from 'node:zlib'"});
    if (!run.ok() || run->exit_code != 0) {
      Fail(absl::StrCat(settings.node,
                        ": no Node.js of version 22 or later (see --node, which may be empty)"));
      return kSkipped;
    }
  }
  absl::StatusOr<Binaryen> binaryen = absl::UnavailableError("not asked for");
  if (inputs.empty() && source_kind != "shapes") {
    binaryen = Binaryen::Find(wasm_opt);
    if (!binaryen.ok()) {
      Fail(absl::StrCat("no wasm-opt (see --wasm-opt and --from=shapes): ",
                        binaryen.status().message()));
      return kSkipped;
    }
  }
  Program differential(settings, std::move(binaryen));
  return inputs.empty() ? differential.Run() : differential.RunFiles();
}

}  // namespace

int main(int argc, char** argv) {
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(
      argc, argv,
      "Makes random modules, or takes the given ones, runs them in all configurations and "
      "compares\n"
      "what they do with V8 or with each other. Exit status 1 if anything differs.\n");
  if (!child.empty()) return RunChild();
  return Run(llvm::sys::fs::getMainExecutable(argv[0], reinterpret_cast<void*>(&main)));
}

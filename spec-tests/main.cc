// fermata-spec: the official test suite, translated, compiled and played, plainly and with every
// call suspended. docs/conformance.md says what is counted.
//
// Exit status: 0, 1 if anything failed (or passed that was expected to fail), 77 if the suite is
// not there.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"
#include "spec-tests/library.h"
#include "spec-tests/report.h"
#include "spec-tests/runner.h"
#include "spec-tests/suite.h"
#include "spec-tests/umbrella.h"
#include "tests/support/files.h"
#include "translator/cli/process/interruptible.h"

namespace {

namespace cl = llvm::cl;
namespace fs = std::filesystem;
namespace spec = fermata::spec;

constexpr int kSkipped = 77;

cl::OptionCategory category("Official test suite");
cl::list<std::string> groups("group", cl::value_desc("name"), cl::CommaSeparated,
                             cl::desc("Only this group (repeatable)"), cl::cat(category));
cl::list<std::string> files("file", cl::value_desc("name"), cl::CommaSeparated,
                            cl::desc("Only this file, such as i32 or i32.wast (repeatable)"),
                            cl::cat(category));
cl::opt<std::string> mode("mode", cl::value_desc("plain|suspended|snapshotted|paused|stressed"),
                          cl::desc("Only this mode (default: plain and suspended)"),
                          cl::cat(category));
cl::opt<std::string> report_path(
    "report", cl::init(FERMATA_SPEC_REPORT), cl::value_desc("file"),
    cl::desc("Where the JSON report goes (default: " FERMATA_SPEC_REPORT ")"), cl::cat(category));
cl::opt<std::string> markdown("markdown", cl::value_desc("file"),
                              cl::desc("Write the documentation's table"), cl::cat(category));
cl::opt<std::string> suite("suite", cl::init(FERMATA_SHARED_DIR "/spec/spec-json.tar.xz"),
                           cl::value_desc("path"),
                           cl::desc("The suite: a folder of groups, or an archive of it"),
                           cl::cat(category));
cl::opt<std::string> expected_dir("expected", cl::init(FERMATA_SPEC_DIR "/expected"),
                                  cl::value_desc("folder"),
                                  cl::desc("Lists of expected failures, GROUP.txt"),
                                  cl::cat(category));
cl::opt<std::string> cache(
    "cache", cl::init(FERMATA_SPEC_CACHE), cl::value_desc("folder"),
    cl::desc("Where generated and compiled files are kept (default: " FERMATA_SPEC_CACHE ")"),
    cl::cat(category));
cl::opt<unsigned> jobs("jobs", cl::init(0), cl::value_desc("n"),
                       cl::desc("Files at a time (default: one per processor)"), cl::cat(category));
cl::opt<std::string> compiler("compiler", cl::init(FERMATA_CXX), cl::value_desc("command"),
                              cl::desc("C++ compiler (default: " FERMATA_CXX ")"),
                              cl::cat(category));
cl::opt<std::string> optimization(
    "opt", cl::init(FERMATA_SPEC_OPT), cl::value_desc("-On"),
    cl::desc("The compiler's optimization flag (default: " FERMATA_SPEC_OPT ")"),
    cl::cat(category));
cl::list<std::string> compiler_flags("cxxflag", cl::value_desc("flag"),
                                     cl::desc("A further compiler flag (repeatable)"),
                                     cl::cat(category));
cl::opt<std::string> include_dir("include", cl::init(FERMATA_INCLUDE_DIR), cl::value_desc("folder"),
                                 cl::desc("Fermata's headers (default: " FERMATA_INCLUDE_DIR ")"),
                                 cl::cat(category));
cl::list<std::string> link_flags("linkflag", cl::value_desc("flag"),
                                 cl::desc("A further flag of the linker (repeatable)"),
                                 cl::cat(category));
cl::opt<std::string> player(
    "player", cl::value_desc("file"),
    cl::desc(
        "A fermata-spec-player of another machine, for which --compiler compiles. What must be "
        "refused is not run then: refusing is this machine's part"),
    cl::cat(category));
cl::opt<std::string> emulator("emulator", cl::value_desc("command"),
                              cl::desc("What runs the player, such as \"qemu-aarch64 -L FOLDER\""),
                              cl::cat(category));
cl::opt<std::string> memory("memory", cl::init("reserved"),
                            cl::value_desc("reserved|checked|fixed"),
                            cl::desc("How memory accesses are bounded"), cl::cat(category));
cl::opt<unsigned> piece_size("piece-size", cl::init(0), cl::value_desc("n"),
                             cl::desc("Emit every function as giant ones are, in pieces of about "
                                      "this many operations"),
                             cl::cat(category));
cl::opt<unsigned> timeout("timeout", cl::init(300), cl::value_desc("seconds"),
                          cl::desc("Longest time to play one file (default: 300; 0: no end)"),
                          cl::cat(category));
cl::opt<bool> verbose("verbose", cl::desc("Print a line for each file, and all failures"),
                      cl::cat(category));
cl::opt<unsigned> shown_failures("failures", cl::init(40), cl::value_desc("n"),
                                 cl::desc("Failures to print (default: 40; 0: all)"),
                                 cl::cat(category));

cl::opt<bool> list_modules("list-modules",
                           cl::desc("Only print the group and path of each module that the scripts "
                                    "instantiate"),
                           cl::cat(category));

// For child processes.
cl::opt<std::string> child("child", cl::Hidden);
cl::opt<std::string> script("script", cl::Hidden);
cl::opt<std::string> child_group("child-group", cl::Hidden);
cl::opt<std::string> untranslated("untranslated", cl::Hidden);
cl::opt<std::string> child_output("child-output", cl::Hidden);
cl::opt<bool> no_refusals("no-refusals", cl::Hidden);

int Fail(const std::string& message) {
  llvm::errs() << "fermata-spec: " << message << "\n";
  return 1;
}
int Fail(const absl::Status& status) { return Fail(std::string(status.message())); }

bool WriteText(const std::string& path, const std::string& text) {
  std::error_code ignored;
  if (fs::path(path).has_parent_path())
    fs::create_directories(fs::path(path).parent_path(), ignored);
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  return static_cast<bool>(out);
}

int RunChild() {
  spec::TranslateTask task;
  task.script = script;
  task.group = child_group;
  for (const spec::Mode m : spec::kModes) {
    if (mode == spec::Name(m)) task.mode = m;
  }
  task.memory = memory;
  task.piece_size = piece_size;
  task.refusals = !no_refusals;
  task.untranslated = untranslated;
  task.output = child_output;
  const absl::Status status = spec::TranslateInChild(task);
  return status.ok() ? 0 : Fail(status);
}

int ListModules(const std::vector<spec::SuiteFile>& list) {
  for (const spec::SuiteFile& file : list) {
    absl::StatusOr<spec::Script> parsed = spec::ReadScript(file.script);
    if (!parsed.ok()) return Fail(parsed.status());
    for (const std::string& module : spec::ModulesOf(*parsed)) {
      std::printf("%s %s\n", file.group.c_str(),
                  (fs::path(file.script).parent_path() / module).c_str());
    }
  }
  return 0;
}

void PrintFailures(const spec::Report& report) {
  const size_t count = report.failures().size();
  const size_t shown =
      verbose || shown_failures == 0 ? count : std::min<size_t>(count, shown_failures);
  for (size_t i = 0; i < shown; ++i) {
    std::printf("FAIL %s\n", spec::Describe(report.failures()[i]).c_str());
  }
  if (shown < count) {
    std::printf("… and %zu more: see %s, or --failures=0\n", count - shown, report_path.c_str());
  }
}

std::vector<spec::RunTask> Tasks(const std::vector<spec::SuiteFile>& list) {
  std::vector<spec::RunTask> tasks;
  for (const spec::SuiteFile& file : list) {
    for (const spec::Mode m : spec::kModes) {
      const bool usual = m == spec::Mode::kPlain || m == spec::Mode::kSuspended;
      if (mode.empty() ? usual : mode == spec::Name(m)) tasks.push_back({file, m});
    }
  }
  return tasks;
}

// What the tasks came to, added up.
class Progress {
 public:
  Progress(size_t count, spec::Report& report, std::map<std::string, spec::Expected> expected)
      : count_(count), report_(report), expected_(std::move(expected)) {}

  void Add(spec::FileResult result) {
    ++done_;
    translate_ += result.translate_seconds;
    compile_ += result.compile_seconds;
    play_ += result.play_seconds;
    compiled_ += !result.cached;
    if (verbose) {
      std::printf("%s/%s (%s): translated %.2f s, compiled %.2f s, played %.2f s\n",
                  result.group.c_str(), result.file.c_str(), spec::Name(result.mode),
                  result.translate_seconds, result.compile_seconds, result.play_seconds);
    } else if (isatty(STDERR_FILENO)) {
      llvm::errs() << "\r\x1b[K" << done_ << " of " << count_ << ": " << result.group << "/"
                   << result.file << (done_ == count_ ? "\r\x1b[K" : "");
    }
    const spec::Expected& expected = expected_[result.group];
    report_.Add(std::move(result), expected);
  }
  std::string Times() const {
    return absl::StrFormat(
        "%d scripts, %d compiled; processor time of translating %.0f s, compiling %.0f s, playing "
        "%.0f s",
        done_, compiled_, translate_, compile_, play_);
  }

 private:
  const size_t count_;
  spec::Report& report_;
  std::map<std::string, spec::Expected> expected_;
  size_t done_ = 0, compiled_ = 0;
  double translate_ = 0, compile_ = 0, play_ = 0;
};

absl::StatusOr<std::map<std::string, spec::Expected>> ReadExpected(
    const std::vector<spec::SuiteFile>& list) {
  std::map<std::string, spec::Expected> expected;
  for (const spec::SuiteFile& file : list) {
    if (expected.contains(file.group)) continue;
    const std::string path = absl::StrCat(expected_dir, "/", file.group, ".txt");
    absl::StatusOr<spec::Expected> one =
        spec::Expected::Parse(fermata::testing_support::ReadFile(path));
    if (!one.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": ", one.status().message()));
    }
    expected[file.group] = *std::move(one);
  }
  return expected;
}

absl::StatusOr<spec::LibraryBuilder> MakeBuilder() {
  spec::LibraryBuilder::Options options;
  options.compiler = compiler;
  options.optimization = optimization;
  // How this build is instrumented is of no concern to another machine's.
  if (player.empty()) options.flags = absl::StrSplit(FERMATA_SPEC_FLAGS, ' ', absl::SkipEmpty());
  options.flags.insert(options.flags.end(), compiler_flags.begin(), compiler_flags.end());
  options.link_flags = {link_flags.begin(), link_flags.end()};
  options.include_dir = include_dir;
  options.cache_dir = cache;
  return spec::LibraryBuilder::Make(options);
}

int Run(const std::string& program) {
  // Crashes are reported; what they leave behind is of no use.
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  const fermata::process::Interruptible interruptible(fermata::process::Interruptible::kEnd);
  const auto start = std::chrono::steady_clock::now();
  absl::StatusOr<std::string> folder = spec::OpenSuite(suite, cache);
  if (absl::IsNotFound(folder.status())) {
    Fail(absl::StrCat("no test suite: ", folder.status().message(), " (see --suite)"));
    return kSkipped;
  }
  if (!folder.ok()) return Fail(folder.status());
  absl::StatusOr<std::vector<spec::SuiteFile>> list =
      spec::ListSuite(*folder, {groups.begin(), groups.end()}, {files.begin(), files.end()});
  if (!list.ok()) return Fail(list.status());
  if (list->empty()) return Fail(absl::StrCat(suite, ": no such scripts in it"));
  if (list_modules) return ListModules(*list);
  auto expected = ReadExpected(*list);
  if (!expected.ok()) return Fail(expected.status());
  absl::StatusOr<spec::LibraryBuilder> builder = MakeBuilder();
  if (!builder.ok()) return Fail(builder.status());

  const std::vector<spec::RunTask> tasks = Tasks(*list);
  spec::RunOptions options;
  options.program = program;
  options.player = player.empty()
                       ? fs::path(program).replace_filename("fermata-spec-player").string()
                       : fs::absolute(player.getValue()).string();
  options.emulator = absl::StrSplit(emulator.getValue(), ' ', absl::SkipEmpty());
  options.refusals = player.empty();
  options.cache_dir = cache;
  options.memory = memory;
  options.piece_size = piece_size;
  options.jobs = jobs;
  options.timeout = timeout;
  spec::Report report;
  Progress progress(tasks.size(), report, *std::move(expected));
  spec::RunTasks(tasks, options, *builder,
                 [&](spec::FileResult result) { progress.Add(std::move(result)); });

  PrintFailures(report);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%s%s; %.0f s in all\n", report.Table().c_str(), progress.Times().c_str(), seconds);
  if (report.ProvesNothing(spec::Mode::kPaused)) return Fail("nothing was paused");
  if (!WriteText(report_path, report.Json())) return Fail(report_path + ": cannot write");
  if (!markdown.empty()) {
    absl::StatusOr<std::string> table =
        report.Markdown(fermata::testing_support::ReadFile(FERMATA_SPEC_DIR "/wasm2c.json"));
    if (!table.ok()) return Fail(table.status());
    if (!WriteText(markdown, *table)) return Fail(markdown + ": cannot write");
  }
  return report.failed() ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(
      argc, argv,
      "Translates, compiles and plays the official WebAssembly test suite, plainly and with every\n"
      "call, loop and growth suspended. Exit status 1 if anything failed, 77 if there is no "
      "suite.\n");
  if (!child.empty()) return RunChild();
  const auto is_mode = [](spec::Mode m) { return mode == spec::Name(m); };
  if (!mode.empty() && std::none_of(std::begin(spec::kModes), std::end(spec::kModes), is_mode)) {
    return Fail("--mode is plain, suspended, snapshotted, paused or stressed");
  }
  if (memory != "reserved" && memory != "checked" && memory != "fixed") {
    return Fail("--memory is reserved, checked or fixed");
  }
  return Run(llvm::sys::fs::getMainExecutable(argv[0], reinterpret_cast<void*>(&main)));
}

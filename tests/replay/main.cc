// fermata-replay: replays recorded traces of real programs against their translations.
//
//   fermata-replay DIR…
//
// Each DIR holds module.wasm and trace.jsonl.gz. The module is translated, compiled to a shared
// library (cached by content) and loaded; then the trace is played with every import suspended, or
// with `--plain` answered at once, and each argument, result and the final memory are compared. One
// line a guest; exit status 1 if any failed.
//
// Each guest is played in a process of its own, so that one that crashes is a failure of that guest
// only, and its memory is gone afterwards.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include "tests/replay/player.h"
#include "tests/replay/report.h"
#include "tests/replay/trace.h"
#include "translator/cli/native/native_build.h"
#include "translator/cli/process/interruptible.h"
#include "translator/cli/process/process.h"

namespace {

namespace cl = llvm::cl;
using fermata::driver::NativeBuildOptions;
using fermata::driver::NativeModule;
using fermata::replay::GuestResult;

cl::OptionCategory category("Replay");
cl::list<std::string> folders(cl::Positional, cl::OneOrMore, cl::desc("<guest folder>..."),
                              cl::cat(category));
cl::opt<bool> plain("plain", cl::desc("Answer imports at once, without suspending"),
                    cl::cat(category));
cl::opt<unsigned> restore_every(
    "restore-every", cl::init(0), cl::value_desc("n"),
    cl::desc("Save, destroy and restore at every nth suspension and at each of the first 100"),
    cl::cat(category));
cl::opt<unsigned> stress(
    "stress", cl::init(0), cl::value_desc("bytes"),
    cl::desc("Move all objects at every suspension and whenever so many bytes were allocated"),
    cl::cat(category));
cl::opt<std::string> report("report", cl::value_desc("file"),
                            cl::desc("Write the results as a JSON array"), cl::cat(category));
cl::opt<unsigned> jobs("jobs", cl::init(0), cl::value_desc("n"),
                       cl::desc("Compilations at a time (default: one per processor)"),
                       cl::cat(category));
cl::opt<std::string> cache("cache", cl::value_desc("folder"),
                           cl::desc("Where compiled modules are kept (default: the user's cache)"),
                           cl::cat(category));
cl::opt<std::string> compiler("compiler", cl::value_desc("command"),
                              cl::desc("C++ compiler (default: $CXX, or c++)"), cl::cat(category));
cl::opt<std::string> optimization("opt", cl::init("-O2"), cl::value_desc("-On"),
                                  cl::desc("The compiler's optimization flag (default: -O2)"),
                                  cl::cat(category));
cl::list<std::string> compiler_flags("cxxflag", cl::value_desc("flag"),
                                     cl::desc("A further compiler flag (repeatable)"),
                                     cl::cat(category));
cl::opt<std::string> shape("shape", cl::value_desc("auto|split|shared"),
                           cl::desc("How functions that may suspend are emitted"),
                           cl::cat(category));
cl::opt<std::string> memory("memory", cl::value_desc("reserved|checked"),
                            cl::desc("How memory accesses are bounded"), cl::cat(category));
cl::opt<unsigned> timeout("timeout", cl::init(600), cl::value_desc("seconds"),
                          cl::desc("Longest replay of one guest (default: 600; 0: no end)"),
                          cl::cat(category));
cl::opt<std::string> translator("translator", cl::value_desc("path"),
                                cl::desc("The `fermata` to use (default: the one beside this)"),
                                cl::cat(category));
cl::opt<std::string> play("play", cl::Hidden, cl::value_desc("library"),
                          cl::desc("Play the trace in this process, and print the result"),
                          cl::cat(category));
cl::opt<std::string> include_dir("include", cl::init(FERMATA_INCLUDE_DIR), cl::value_desc("folder"),
                                 cl::desc("The folder that holds fermata/core/abi.h"),
                                 cl::cat(category));

void Progress(const std::string& text) {
  if (isatty(STDERR_FILENO)) llvm::errs() << "\r\x1b[K" << text;
}

NativeBuildOptions BuildOptions(const std::string& module, const std::string& program) {
  NativeBuildOptions options;
  options.module_path = module;
  options.translator = translator;
  if (options.translator.empty()) {
    llvm::SmallString<128> path(program);
    llvm::sys::path::remove_filename(path);
    llvm::sys::path::append(path, "fermata");
    options.translator = path.str().str();
  }
  if (!shape.empty()) options.translator_flags.push_back("--shape=" + shape);
  if (!memory.empty()) options.translator_flags.push_back("--memory=" + memory);
  options.compiler = compiler;
  options.optimization = optimization;
  options.compiler_flags.assign(compiler_flags.begin(), compiler_flags.end());
  options.include_dir = include_dir;
  options.cache_dir = cache;
  options.jobs = jobs;
  return options;
}

// Plays the trace in this process.
void Play(const std::string& library, const std::string& trace_path, GuestResult& result) {
  const auto start = std::chrono::steady_clock::now();
  absl::Status status;
  absl::StatusOr<fermata::replay::TraceReader> trace =
      fermata::replay::TraceReader::Open(trace_path);
  absl::StatusOr<const fermata::ModuleInfo*> module = fermata::LoadModule(library);
  if (!trace.ok()) {
    status = trace.status();
  } else if (!module.ok()) {
    status = module.status();
  } else {
    fermata::Limits limits;
    limits.heap_stress = stress;
    fermata::replay::Player player(*trace, plain, limits, restore_every);
    status = player.Play(**module);
    const fermata::replay::PlayStats& stats = player.stats();
    result.imports = stats.imports;
    result.calls = stats.calls;
    result.suspensions = stats.suspensions;
    result.restores = stats.restores;
    result.snapshot_bytes = stats.snapshot_bytes;
    result.nesting = stats.nesting;
    result.frame_bytes = stats.frame_bytes;
    result.depth = stats.depth;
    result.memory_bytes = stats.memory_bytes;
    result.memory_checked = stats.hash_checked;
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.status = status.ok() ? "ok" : "FAIL";
  result.reason = std::string(status.message());
}

// Plays the trace in a process of its own: this program, with `--play`, which prints its result.
void PlayInChild(const std::string& program, const std::string& folder, const std::string& library,
                 GuestResult& result) {
  const auto fail = [&](const std::string& reason) {
    result.status = "FAIL";
    result.reason = reason;
  };
  fermata::process::Command command = {program, "--play=" + library,
                                       absl::StrCat("--restore-every=", restore_every.getValue()),
                                       absl::StrCat("--stress=", stress.getValue())};
  if (plain) command.arguments.push_back("--plain");
  command.arguments.insert(command.arguments.end(), {"--", folder});
  command.errors_apart = true;
  if (timeout != 0) command.time_limit = std::chrono::seconds(timeout);
  const fermata::process::Interruptible ends_with_this(fermata::process::Interruptible::kEnd);
  const absl::StatusOr<fermata::process::Result> run = fermata::process::Run(command);
  if (!run.ok()) return fail(std::string(run.status().message()));
  if (run->timed_out) return fail(absl::StrCat("took more than ", timeout.getValue(), " s"));
  if (run->signal != 0) return fail(absl::StrCat("crashed: ", strsignal(run->signal)));
  absl::StatusOr<GuestResult> received = fermata::replay::FromJson(run->output);
  if (!received.ok()) {
    return fail(absl::StrCat("the replaying process ended early (exit ", run->exit_code,
                             "): ", fermata::process::Tail(run->errors)));
  }
  result = *std::move(received);
}

std::string TraceOf(const std::string& folder) { return folder + "/trace.jsonl.gz"; }

GuestResult Replay(const std::string& folder, const std::string& program) {
  GuestResult result;
  const llvm::StringRef trimmed = llvm::StringRef(folder).rtrim('/');
  const std::string name = llvm::sys::path::filename(trimmed.empty() ? folder : trimmed).str();
  result.name = name;
  const std::string wasm = folder + "/module.wasm";
  if (!llvm::sys::fs::exists(wasm)) {
    result.status = "FAIL";
    result.reason = absl::StrCat("no ", wasm);
    return result;
  }
  if (!llvm::sys::fs::exists(TraceOf(folder))) {
    result.status = "skipped";
    result.reason = "no trace";
    return result;
  }
  Progress(absl::StrCat(result.name, ": translating and compiling"));
  absl::StatusOr<NativeModule> module =
      fermata::driver::BuildSharedModule(BuildOptions(wasm, program));
  if (!module.ok()) {
    const std::string message(module.status().message());
    const bool blocked = module.status().code() == absl::StatusCode::kUnimplemented;
    result.status = blocked ? "blocked" : "FAIL";
    result.reason = blocked ? fermata::driver::MissingProposal(message) : message;
    return result;
  }
  Progress(absl::StrCat(name, ": replaying"));
  PlayInChild(program, folder, module->path, result);
  result.name = name;
  result.cached = module->cached;
  result.translate_seconds = module->translate_seconds;
  result.compile_seconds = module->compile_seconds;
  result.compile_peak_bytes = module->compile_peak_bytes;
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(
      argc, argv,
      "Replays recorded traces of WebAssembly programs against their translations\n\n"
      "Each folder holds module.wasm and trace.jsonl.gz. Prints a line for each: ok, FAIL, "
      "blocked\n"
      "(by a proposal that is not supported yet) or skipped. Exit status 1 if any failed.\n");
  const std::string program = llvm::sys::fs::getMainExecutable(
      argv[0], reinterpret_cast<void*>(reinterpret_cast<intptr_t>(&Replay)));
  if (!play.empty()) {
    GuestResult result;
    Play(play, TraceOf(folders[0]), result);
    std::printf("%s\n", ToJson(result).c_str());
    return 0;
  }
  std::vector<GuestResult> results;
  bool failed = false;
  for (const std::string& folder : folders) {
    results.push_back(Replay(folder, program));
    Progress("");
    failed |= results.back().status == "FAIL";
    std::printf("%s\n", ToLine(results.back()).c_str());
    std::fflush(stdout);
  }
  if (!report.empty()) {
    const absl::Status status = fermata::replay::WriteReport(report, results);
    if (!status.ok()) {
      llvm::errs() << "fermata-replay: " << std::string(status.message()) << "\n";
      return 1;
    }
  }
  return failed ? 1 : 0;
}

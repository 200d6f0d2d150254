#include "translator/cli/commands/run.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fermata/wasi/command.h"
#include "fermata/wasi/snapshot.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Path.h"
#include "translator/cli/commands/build_flags.h"
#include "translator/cli/commands/common.h"
#include "translator/cli/commands/values.h"
#include "translator/cli/native/native_build.h"

namespace fermata::commands::run {
namespace {

namespace cl = llvm::cl;

cl::opt<std::string> input(cl::Positional, cl::Required, cl::desc("<module.wasm>"),
                           cl::sub(run_command), cl::cat(build_category));
cl::list<std::string> arguments(cl::Positional, cl::ZeroOrMore, cl::desc("[-- arguments...]"),
                                cl::sub(run_command), cl::cat(build_category));
cl::opt<std::string> argv0("argv0", cl::value_desc("name"),
                           cl::desc("The program's name (default: the module's file name)"),
                           cl::sub(run_command), cl::cat(build_category));
cl::opt<std::string> invoke("invoke", cl::value_desc("export"),
                            cl::desc("Call this export, with arguments of its types, and print its "
                                     "results"),
                            cl::sub(run_command), cl::cat(build_category));
cl::opt<bool> no_initialize("no-initialize",
                            cl::desc("Do not run a library's \"_initialize\" before anything "
                                     "else"),
                            cl::sub(run_command), cl::cat(build_category));
cl::list<std::string> listen("listen", cl::value_desc("HOST:PORT"),
                             cl::desc("A listening TCP socket, which the guest has after its "
                                      "directories (repeatable)"),
                             cl::sub(run_command), cl::cat(build_category));
cl::opt<unsigned long long> fuel(
    "fuel", cl::value_desc("n"),
    cl::desc("End the program (exit status 124) when its loops and recursions have used this many "
             "units"),
    cl::sub(run_command), cl::cat(build_category));
cl::opt<double> timeout("timeout", cl::value_desc("seconds"),
                        cl::desc("End the program (exit status 124) when it has run for this long, "
                                 "waiting included"),
                        cl::sub(run_command), cl::cat(build_category));
cl::opt<bool> deterministic("deterministic",
                            cl::desc("Clocks and random numbers that are the same each time; "
                                     "sleeps take no time"),
                            cl::sub(run_command), cl::cat(build_category));
cl::opt<bool> suspend_all("suspend-all", cl::Hidden,
                          cl::desc("For tests: each WASI call suspends, even if it need not"),
                          cl::sub(run_command), cl::cat(build_category));

cl::opt<bool> restore_all("restore-all", cl::Hidden,
                          cl::desc("For tests: --suspend-all, and at each suspension the program "
                                   "is saved, destroyed and restored"),
                          cl::sub(run_command), cl::cat(build_category));

absl::StatusOr<wasi::Process::Options> ProcessOptions() {
  wasi::Process::Options options;
  wasi::Config& config = options.config;
  config.inherit_stdio = true;
  config.args.push_back(argv0.empty() ? llvm::sys::path::filename(input).str() : argv0);
  if (invoke.empty()) config.args.insert(config.args.end(), arguments.begin(), arguments.end());
  config.env = wasi::ParseEnvironment(EnvFlags());
  for (const std::string& dir : DirFlags()) {
    absl::StatusOr<wasi::Mount> mount = wasi::ParseMount(dir);
    if (!mount.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("--dir ", mount.status().message()));
    }
    config.mounts.push_back(*std::move(mount));
  }
  const absl::Status allowed = wasi::AllowNetwork(AllowNetFlags(), config.network);
  if (!allowed.ok()) return allowed;
  for (const std::string& address : listen) {
    absl::StatusOr<std::shared_ptr<wasi::Stream>> socket = wasi::Listen(address);
    if (!socket.ok()) return socket.status();
    config.sockets.push_back(*std::move(socket));
  }
  if (deterministic) {
    config.clock = wasi::DeterministicClock();
    // Restored programs go on with the same numbers.
    const auto random =
        std::make_shared<std::function<bool(absl::Span<uint8_t>)>>(wasi::DeterministicRandom(1));
    config.random = [random](absl::Span<uint8_t> bytes) { return (*random)(bytes); };
  }
  options.always_suspend = suspend_all || restore_all;
  options.initialize = !no_initialize;
  options.limits.fuel = fuel;
  return options;
}

bool Limited() { return fuel.getNumOccurrences() != 0 || timeout.getNumOccurrences() != 0; }

// What the guest may use, and whether it can be told.
absl::Status CheckLimits() {
  if (fuel.getNumOccurrences() != 0 && fuel == 0) {
    return absl::InvalidArgumentError("--fuel: not a positive number");
  }
  constexpr double kMost = 1e9;  // the nanoseconds of which an int64_t holds
  if (timeout.getNumOccurrences() != 0 && !(timeout > 0 && timeout <= kMost)) {
    return absl::InvalidArgumentError("--timeout: not a number of seconds from 0 to 1e9");
  }
  if (Limited() && restore_all) {
    return absl::InvalidArgumentError("--restore-all can't be combined with --fuel or --timeout");
  }
  return absl::OkStatus();
}

std::chrono::nanoseconds Timeout() {
  return std::chrono::ceil<std::chrono::nanoseconds>(std::chrono::duration<double>(timeout));
}

int Invoke(const ModuleInfo& info, wasi::Process::Options options) {
  const absl::StatusOr<std::vector<Value>> values =
      ParseArguments(info, invoke, std::vector<std::string>(arguments.begin(), arguments.end()));
  if (!values.ok()) return Fail(values.status().message());
  const wasi::CommandResult result =
      wasi::RunCommand(info, std::move(options), invoke.getValue(), *values, Timeout());
  PrintValues(result.results);
  return result.exit_code;
}

int RunAndRestore(const ModuleInfo& info, wasi::Process::Options options) {
  wasi::RestoreOptions again;
  again.process = options;
  absl::StatusOr<std::unique_ptr<wasi::Process>> process =
      wasi::Process::Create(info, std::move(options));
  if (!process.ok()) {
    return wasi::ComplainOfCreation(process.status(), again.process.config.args[0]);
  }
  const absl::StatusOr<wasi::Process::State> state = wasi::RunRestoring(*process, info, again);
  if (!state.ok()) return Fail(state.status().message());
  if (*state == wasi::Process::State::kTrapped)
    wasi::ComplainOfTrap(**process, again.process.config.args[0]);
  return (*process)->exit_code();
}

bool Exports(const ModuleInfo& info, absl::string_view name) {
  for (uint32_t i = 0; i < info.export_count; ++i) {
    const core::Text& text = info.exports[i].name;
    if (absl::string_view(text.data, text.size) == name) return true;
  }
  return false;
}

}  // namespace

void Prepare() { cl::HideUnrelatedOptions(build_category, run_command); }
bool Selected() { return static_cast<bool>(run_command); }

int Run() {
  // What is wrong with the flags is said before minutes of compiling.
  absl::StatusOr<wasi::Process::Options> options = ProcessOptions();
  if (!options.ok()) return Fail(options.status().message());
  absl::Status status = CheckLimits();
  if (!status.ok()) return Fail(status.message());
  driver::NativeBuildOptions build;
  status = ToBuildOptions(input, suspend_all || restore_all, build);
  if (!status.ok()) return Fail(status.message());
  if (Limited()) {
    build.translator_flags.push_back(fuel != 0 ? "--preempt=fuel" : "--preempt=interrupt");
  }
  build.before_build = [] { return CheckImports(input); };
  Progress progress;
  build.progress = [&](absl::string_view what) { progress.Show(what); };
  const absl::StatusOr<driver::NativeModule> module = driver::BuildSharedModule(build);
  progress.Clear();
  if (!module.ok()) return Fail(module.status().message());
  const absl::StatusOr<const ModuleInfo*> info = LoadModule(module->path);
  if (!info.ok()) return Fail(info.status().message());
  if (!invoke.empty()) return Invoke(**info, *std::move(options));
  if (!Exports(**info, "_start") && (*info)->start == core::kNoFunction) {
    return Fail(absl::StrCat(std::string(input),
                             ": not a WASI command: no export \"_start\"; --invoke NAME calls "
                             "another export"));
  }
  if (restore_all) return RunAndRestore(**info, *std::move(options));
  return wasi::RunCommand(**info, *std::move(options), "_start", {}, Timeout()).exit_code;
}

}  // namespace fermata::commands::run

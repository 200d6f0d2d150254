#include "spec-tests/runner.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <map>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "llvm/Support/ThreadPool.h"
#include "spec-tests/player.h"
#include "spec-tests/umbrella.h"
#include "spec-tests/wire.h"
#include "tests/support/files.h"
#include "translator/cli/process/process.h"

namespace fermata::spec {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class FileRun {
 public:
  FileRun(const RunTask& task, const RunOptions& options, const LibraryBuilder& builder)
      : task_(task), options_(options), builder_(builder) {
    const std::string folder =
        absl::StrCat(options.cache_dir, "/", Name(task.mode), "/", task.file.group);
    std::error_code ignored;
    fs::create_directories(folder, ignored);
    stem_ = absl::StrCat(folder, "/", fs::path(task.file.file).stem().string(),
                         options.memory == "reserved" ? "" : "-" + options.memory,
                         options.piece_size != 0 ? "-pieces" : "");
  }

  FileResult Run() {
    result_.group = task_.file.group;
    result_.file = task_.file.file;
    result_.mode = task_.mode;
    absl::StatusOr<Script> script = ReadScript(task_.file.script);
    if (!script.ok()) {
      result_.outcomes.push_back(
          {0, CommandType::kModule, Verdict::kFailed, std::string(script.status().message())});
      return std::move(result_);
    }
    if (!Translate(*script)) return std::move(result_);
    Play(*script, Compile());
    return std::move(result_);
  }

 private:
  std::vector<std::string> ChildCommand(const char* what) const {
    std::vector<std::string> command = {options_.program, absl::StrCat("--child=", what),
                                        "--script",       task_.file.script,
                                        "--child-group",  task_.file.group,
                                        "--maps",         stem_ + ".json"};
    command.push_back(absl::StrCat("--mode=", Name(task_.mode)));
    command.push_back("--memory=" + options_.memory);
    if (options_.piece_size != 0) {
      command.push_back(absl::StrCat("--piece-size=", options_.piece_size));
    }
    return command;
  }

  bool Translate(const Script& script) {
    const Clock::time_point start = Clock::now();
    std::vector<std::string> command = ChildCommand("translate");
    command.insert(command.end(), {"--child-output", stem_ + ".cc"});
    absl::StatusOr<process::Result> run = process::Run(command);
    result_.translate_seconds = SecondsSince(start);
    if (run.ok() && run->exit_code == 0) return true;
    result_.outcomes =
        Complete(script, {},
                 run.ok() ? absl::StrCat("the translator failed (exit ", run->exit_code,
                                         "): ", process::Tail(run->output))
                          : std::string(run.status().message()));
    return false;
  }

  absl::StatusOr<Library> Compile() {
    std::string output;
    absl::StatusOr<Library> library = builder_.Build(stem_ + ".cc", output);
    // Modules that the compiler refuses are the failures, not their neighbours.
    for (int round = 0; !library.ok() && round < 8 && LeaveOut(output); ++round) {
      library = builder_.Build(stem_ + ".cc", output);
    }
    if (library.ok()) {
      result_.cached = library->cached;
      result_.compile_seconds = library->seconds;
    }
    return library;
  }

  // Takes the modules that the compiler complains of out of the umbrella. Returns whether there are
  // any.
  bool LeaveOut(const std::string& compiler_output) {
    const std::string text = testing_support::ReadFile(stem_ + ".cc");
    const auto errors = ModulesInError(text, compiler_output);
    std::map<std::string, std::string> blocked, broken;
    if (errors.empty() || !ReadMaps(stem_ + ".json", blocked, broken).ok()) return false;
    broken.insert(errors.begin(), errors.end());
    testing_support::WriteFile(stem_ + ".cc", WithoutModules(text, errors));
    return WriteMaps(stem_ + ".json", blocked, broken).ok();
  }

  void Play(const Script& script, const absl::StatusOr<Library>& library) {
    const Clock::time_point start = Clock::now();
    std::vector<std::string> command = ChildCommand("play");
    command.insert(command.end(), {"--timeout", absl::StrCat(options_.timeout)});
    if (library.ok()) {
      command.insert(command.end(), {"--library", library->path});
    } else {
      command.insert(command.end(), {"--compiler-error", std::string(library.status().message())});
    }
    absl::StatusOr<process::Result> run = process::Run(command);
    result_.play_seconds = SecondsSince(start);
    std::string reason;
    Told told;
    if (run.ok()) {
      told = ParseLines(run->output);
      reason = run->exit_code == 128 + SIGALRM
                   ? absl::StrCat("timed out after ", options_.timeout, " s")
                   : absl::StrCat("the process ended (exit ", run->exit_code,
                                  "): ", process::Tail(told.noise, 30));
    } else {
      reason = std::string(run.status().message());
    }
    if (told.stats) result_.stats = *told.stats;
    result_.outcomes = Complete(script, std::move(told.outcomes), reason);
    if (told.stats && run.ok() && run->exit_code != 0) {  // at its very end, such as a leak
      result_.outcomes.push_back({0, CommandType::kModule, Verdict::kFailed, reason});
    }
    // Every function of a module suspends when it is entered.
    if (SuspendsEverywhere(task_.mode) && result_.stats.calls != 0 && result_.stats.pauses == 0) {
      result_.outcomes.push_back({0, CommandType::kModule, Verdict::kFailed,
                                  "nothing suspended: the suspended mode proves nothing"});
    }
    std::map<std::string, std::string> broken;
    ReadMaps(stem_ + ".json", result_.blocked, broken).IgnoreError();
  }

  const RunTask& task_;
  const RunOptions& options_;
  const LibraryBuilder& builder_;
  std::string stem_;
  FileResult result_;
};

}  // namespace

std::vector<CommandResult> Complete(const Script& script, std::vector<CommandResult> outcomes,
                                    const std::string& reason) {
  std::map<std::pair<unsigned, CommandType>, unsigned> have;
  for (const CommandResult& outcome : outcomes) ++have[{outcome.line, outcome.type}];
  bool first = true;
  ForEach(script.commands, [&](const Command& command) {
    unsigned& count = have[{command.line, command.type}];
    if (count > 0) {
      --count;
    } else if (command.text) {
      outcomes.push_back({command.line, command.type, Verdict::kNotApplicable, "text format"});
    } else {
      outcomes.push_back({command.line, command.type, Verdict::kFailed,
                          first ? absl::StrCat("not played: ", reason)
                                : std::string("not played: see the first such failure")});
      first = false;
    }
  });
  return outcomes;
}

void RunTasks(std::vector<RunTask> tasks, const RunOptions& options, const LibraryBuilder& builder,
              const std::function<void(FileResult)>& done) {
  std::stable_sort(tasks.begin(), tasks.end(),
                   [](const RunTask& a, const RunTask& b) { return a.file.size > b.file.size; });
  std::mutex mutex;
  llvm::ThreadPool pool(llvm::hardware_concurrency(options.jobs));
  for (const RunTask& task : tasks) {
    pool.async([&] {
      FileResult result = FileRun(task, options, builder).Run();
      std::lock_guard<std::mutex> lock(mutex);
      done(std::move(result));
    });
  }
  pool.wait();
}

absl::Status TranslateInChild(const ChildOptions& options) {
  absl::StatusOr<Script> script = ReadScript(options.script);
  if (!script.ok()) return script.status();
  UmbrellaOptions umbrella;
  umbrella.group = options.group;
  umbrella.folder = fs::path(options.script).parent_path();
  umbrella.output = options.output;
  umbrella.suspended = SuspendsEverywhere(options.mode);
  umbrella.paused = options.mode == Mode::kPaused;
  umbrella.memory = options.memory == "checked" ? emit::MemoryPolicy::kChecked
                    : options.memory == "fixed" ? emit::MemoryPolicy::kFixed
                                                : emit::MemoryPolicy::kReserved;
  umbrella.piece_size = options.piece_size;
  absl::StatusOr<Translated> translated = WriteUmbrella(*script, umbrella);
  if (!translated.ok()) return translated.status();
  return WriteMaps(options.maps, translated->blocked, translated->broken);
}

absl::Status PlayInChild(const ChildOptions& options) {
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  alarm(options.timeout);
  absl::StatusOr<Script> script = ReadScript(options.script);
  if (!script.ok()) return script.status();
  PlayOptions play;
  play.group = options.group;
  play.folder = fs::path(options.script).parent_path();
  play.suspended = SuspendsEverywhere(options.mode);
  play.snapshotted = options.mode == Mode::kSnapshotted;
  play.paused = options.mode == Mode::kPaused;
  absl::Status status = ReadMaps(options.maps, play.blocked, play.broken);
  if (!status.ok()) return status;
  std::string error = options.compiler_error;
  if (error.empty()) {
    auto modules = LoadUmbrella(options.library);
    if (modules.ok()) {
      play.modules = *std::move(modules);
    } else {
      error = std::string(modules.status().message());
    }
  }
  if (!error.empty()) {
    for (const std::string& module : ModulesOf(*script)) play.broken.emplace(module, error);
  }
  std::mutex mutex;
  const auto tell = [&](const CommandResult& outcome) {
    std::lock_guard<std::mutex> lock(mutex);
    const std::string line = ToLine(outcome);
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fflush(stdout);  // a crash must not lose it
  };
  Player player(play, tell);
  player.Play(script->commands);
  const std::string line = ToLine(player.stats());
  std::fwrite(line.data(), 1, line.size(), stdout);
  return absl::OkStatus();
}

}  // namespace fermata::spec

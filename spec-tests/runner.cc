#include "spec-tests/runner.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "spec-tests/negative.h"
#include "spec-tests/umbrella.h"
#include "spec-tests/wire.h"
#include "tests/support/files.h"
#include "translator/cli/process/process.h"
#include "translator/thread_pool.h"

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
  bool Translate(const Script& script) {
    const Clock::time_point start = Clock::now();
    std::vector<std::string> command = {
        options_.program, "--child=translate", "--script",      task_.file.script, "--child-group",
        task_.file.group, "--untranslated",    stem_ + ".json", "--child-output",  stem_ + ".cc"};
    command.push_back(absl::StrCat("--mode=", Name(task_.mode)));
    command.push_back("--memory=" + options_.memory);
    if (options_.piece_size != 0) {
      command.push_back(absl::StrCat("--piece-size=", options_.piece_size));
    }
    if (!options_.refusals) command.push_back("--no-refusals");
    absl::StatusOr<process::Result> run = process::Run(command);
    result_.translate_seconds = SecondsSince(start);
    Told told;
    if (run.ok()) told = ParseLines(run->output);
    if (told.stats) result_.stats.other_phrases = told.stats->other_phrases;
    result_.outcomes = std::move(told.outcomes);
    if (run.ok() && run->exit_code == 0) return true;
    result_.outcomes =
        Complete(script, std::move(result_.outcomes),
                 run.ok() ? absl::StrCat("the translator failed (exit ", run->exit_code,
                                         "): ", process::Tail(told.noise))
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
    if (errors.empty()) return false;
    absl::StatusOr<Untranslated> modules = ReadUntranslated(stem_ + ".json");
    if (!modules.ok()) return false;
    modules->broken.insert(errors.begin(), errors.end());
    testing_support::WriteFile(stem_ + ".cc", WithoutModules(text, errors));
    return Write(stem_ + ".json", *modules).ok();
  }

  absl::StatusOr<process::Result> RunPlayer(const absl::StatusOr<Library>& library) {
    PlayTask play;
    play.script = task_.file.script;
    play.mode = task_.mode;
    play.memory = options_.memory;
    if (library.ok()) {
      play.library = library->path;
    } else {
      play.error = std::string(library.status().message());
    }
    absl::StatusOr<Untranslated> modules = ReadUntranslated(stem_ + ".json");
    if (!modules.ok()) return modules.status();
    result_.blocked = modules->blocked;
    play.untranslated = *std::move(modules);
    absl::Status status = Write(stem_ + ".task.json", play);
    if (!status.ok()) return status;
    process::Command command;
    command.arguments = options_.emulator;
    command.arguments.insert(command.arguments.end(), {options_.player, stem_ + ".task.json"});
    if (options_.timeout != 0) command.time_limit = std::chrono::seconds(options_.timeout);
    return process::Run(command);
  }

  void Play(const Script& script, const absl::StatusOr<Library>& library) {
    const Clock::time_point start = Clock::now();
    const absl::StatusOr<process::Result> run = RunPlayer(library);
    result_.play_seconds = SecondsSince(start);
    std::string reason;
    Told told;
    if (run.ok()) {
      told = ParseLines(run->output);
      reason = run->timed_out ? absl::StrCat("timed out after ", options_.timeout, " s")
                              : absl::StrCat("the process ended (exit ", run->exit_code,
                                             "): ", process::Tail(told.noise, 30));
    } else {
      reason = std::string(run.status().message());
    }
    if (told.stats) {
      const uint64_t other_phrases = result_.stats.other_phrases;
      result_.stats = *told.stats;
      result_.stats.other_phrases = other_phrases;
    }
    for (CommandResult& outcome : told.outcomes) result_.outcomes.push_back(std::move(outcome));
    result_.outcomes = Complete(script, std::move(result_.outcomes), reason);
    if (told.stats && run.ok() && run->exit_code != 0) {  // at its very end, such as a leak
      result_.outcomes.push_back({0, CommandType::kModule, Verdict::kFailed, reason});
    }
    // Every function of a module suspends when it is entered.
    if (SuspendsEverywhere(task_.mode) && result_.stats.calls != 0 && result_.stats.pauses == 0) {
      result_.outcomes.push_back({0, CommandType::kModule, Verdict::kFailed,
                                  "nothing suspended: the suspended mode proves nothing"});
    }
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
  ThreadPool pool(llvm::hardware_concurrency(options.jobs));
  for (const RunTask& task : tasks) {
    pool.async([&] {
      FileResult result = FileRun(task, options, builder).Run();
      std::lock_guard<std::mutex> lock(mutex);
      done(std::move(result));
    });
  }
  pool.wait();
}

namespace {

// Prints what became of the modules that must be refused.
void CheckRefusals(const Script& script, const TranslateTask& task, const fs::path& folder) {
  PlayStats stats;
  ForEach(script.commands, [&](const Command& command) {
    if (command.text || !IsNegative(command.type)) return;
    CommandResult outcome{command.line, command.type, Verdict::kNotRun, ""};
    if (task.refusals) {
      bool other_phrase = false;
      outcome = CheckRefused(command, folder / command.filename, task.group, other_phrase);
      stats.other_phrases += other_phrase;
    }
    const std::string line = ToLine(outcome);
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fflush(stdout);  // a crash must not lose it
  });
  const std::string line = ToLine(stats);
  std::fwrite(line.data(), 1, line.size(), stdout);
}

}  // namespace

absl::Status TranslateInChild(const TranslateTask& task) {
  absl::StatusOr<Script> script = ReadScript(task.script);
  if (!script.ok()) return script.status();
  UmbrellaOptions umbrella;
  umbrella.group = task.group;
  umbrella.folder = fs::path(task.script).parent_path();
  umbrella.output = task.output;
  umbrella.suspended = SuspendsEverywhere(task.mode);
  umbrella.paused = task.mode == Mode::kPaused;
  umbrella.memory = task.memory == "checked" ? emit::MemoryPolicy::kChecked
                    : task.memory == "fixed" ? emit::MemoryPolicy::kFixed
                                             : emit::MemoryPolicy::kReserved;
  umbrella.piece_size = task.piece_size;
  CheckRefusals(*script, task, umbrella.folder);
  absl::StatusOr<Untranslated> untranslated = WriteUmbrella(*script, umbrella);
  if (!untranslated.ok()) return untranslated.status();
  return Write(task.untranslated, *untranslated);
}

}  // namespace fermata::spec

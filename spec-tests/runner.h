// Runs files of the suite: translate, compile, play, each script in child processes, so that a
// crash of the translator or of generated code is a failure of that file alone.
#ifndef FERMATA_SPEC_TESTS_RUNNER_H_
#define FERMATA_SPEC_TESTS_RUNNER_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "spec-tests/library.h"
#include "spec-tests/report.h"
#include "spec-tests/suite.h"

namespace fermata::spec {

struct RunOptions {
  std::string program;  // this executable, for the children that translate
  std::string player;   // fermata-spec-player: of the machine that the builder compiles for
  // What runs the player, with its arguments; empty: this machine does.
  std::vector<std::string> emulator;
  // Whether modules that must be refused are tested: that is the translator's part, so a run for
  // another machine would tell nothing of it.
  bool refusals = true;
  std::string cache_dir;            // generated files are kept there, too
  std::string memory = "reserved";  // or "checked", "fixed"
  unsigned piece_size = 0;          // of every function; 0: as usual
  unsigned jobs = 1;                // files at a time; 0: as many as there are processors
  unsigned timeout = 300;           // seconds to play one script; 0: no end
};

struct RunTask {
  SuiteFile file;
  Mode mode = Mode::kPlain;
};

// Runs the tasks, those with most code first, and calls `done` for each, one at a time.
void RunTasks(std::vector<RunTask> tasks, const RunOptions& options, const LibraryBuilder& builder,
              const std::function<void(FileResult)>& done);

// What the children that translate do: print what became of the modules that must be refused
// (wire.h), and write the umbrella of the others.
struct TranslateTask {
  std::string script, group;
  Mode mode = Mode::kPlain;
  std::string memory = "reserved";  // or "checked", "fixed"
  unsigned piece_size = 0;          // of every function; 0: as usual
  bool refusals = true;
  std::string untranslated;  // file for the modules that are blocked or broken
  std::string output;        // the C++ file
};
absl::Status TranslateInChild(const TranslateTask& task);

// `outcomes`, and a failure for each command of the script that has none.
std::vector<CommandResult> Complete(const Script& script, std::vector<CommandResult> outcomes,
                                    const std::string& reason);

}  // namespace fermata::spec

#endif  // FERMATA_SPEC_TESTS_RUNNER_H_

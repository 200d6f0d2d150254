// Runs other programs, without a shell: arguments are passed as they are.
//
// LLVM's sys::ExecuteAndWait would be the library for it, and does not suffice: it takes output only
// into files, has no working folder, replaces the environment as a whole, and keeps its time limit
// by SIGALRM, of which a process has one, and by which it ends the program but not what that has
// started. What LLVM does well is used: finding programs, and the pool of threads of RunAll.
//
// All functions may be called from any thread, several at a time.
#ifndef FERMATA_TRANSLATOR_CLI_PROCESS_PROCESS_H_
#define FERMATA_TRANSLATOR_CLI_PROCESS_PROCESS_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace fermata::process {

// A program, and how it is run.
struct Command {
  Command() = default;
  // A list of words is a command by itself.
  // NOLINTBEGIN(google-explicit-constructor)
  Command(std::vector<std::string> words) : arguments(std::move(words)) {}
  Command(std::initializer_list<std::string> words) : arguments(words) {}
  // NOLINTEND(google-explicit-constructor)

  // The program, which is looked up in this process's PATH unless there is a slash in it, and its
  // arguments.
  std::vector<std::string> arguments;
  // Variables that it gets beside those of this process, or in place of those of the same name.
  std::vector<std::pair<std::string, std::string>> environment;
  // Where it runs. Empty: where this process does.
  std::string folder;

  // Files in place of the standard streams, by paths of this process, not of `folder`. Where the
  // path is empty, standard input is at its end at once, and output and errors are captured. Files
  // that are written are made, or emptied before.
  std::string input_file, output_file, error_file;
  // Whether what it writes as errors is captured apart, or with its output, in the order in which
  // both came. Without effect if there is an `error_file`.
  bool errors_apart = false;

  // How long it may run. When that is over, it is killed with all that it has started, unless that
  // has left its process group. A program with a limit is not in this process's group, so a
  // terminal's Ctrl-C does not reach it: see Interruptible.
  std::optional<std::chrono::milliseconds> time_limit;
};

struct Result {
  int exit_code = 0;       // what it returned; 128 + `signal` if a signal ended it, as in a shell
  int signal = 0;          // the signal that ended it, or 0
  bool timed_out = false;  // it was ended because its time was over
  std::string output;      // what was captured
  std::string errors;      // with `errors_apart`

  double wall_seconds = 0;
  double user_seconds = 0, system_seconds = 0;  // of it and of the programs it waited for
  // Most memory it, or a program it waited for, had resident. Never less than this process has, by
  // the way Linux counts.
  uint64_t peak_bytes = 0;

  bool ok() const { return exit_code == 0; }
};

// Runs `command` to its end; a program that fails is no error. Errors: NotFound if the program
// cannot be started, or a file for it cannot be opened; Cancelled if a signal that an Interruptible
// waits for has come.
absl::StatusOr<Result> Run(const Command& command);

// Runs commands, at most `jobs` at a time (0: as many as there are processors), until one fails: an
// error with its name and the end of its output. Commands under way are waited for. `finished` is
// called, by one thread at a time, with the result of each that succeeded; it may be null.
absl::Status RunAll(const std::vector<Command>& commands, unsigned jobs,
                    const std::function<void(const Result&)>& finished);

// The last lines of a program's output, for error messages.
std::string Tail(const std::string& output, size_t lines = 20);

}  // namespace fermata::process

#endif  // FERMATA_TRANSLATOR_CLI_PROCESS_PROCESS_H_

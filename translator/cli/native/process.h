// Runs other programs, without a shell: arguments are passed as they are.
#ifndef FERMATA_TRANSLATOR_CLI_NATIVE_PROCESS_H_
#define FERMATA_TRANSLATOR_CLI_NATIVE_PROCESS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace fermata::driver {

struct ProcessResult {
  int exit_code = 0;        // 128 + the signal's number if one ended it
  std::string output;       // standard output and error, as they came
  uint64_t peak_bytes = 0;  // most memory it (or a program it ran) had resident
};

// Runs `command` (a program, looked up in PATH, and its arguments) to its end, with no standard
// input. Its temporary files go to the folder `temporary` ($TMPDIR), if that is not empty. Error:
// it can't be started.
absl::StatusOr<ProcessResult> RunProcess(const std::vector<std::string>& command,
                                         const std::string& temporary = "");

// Runs commands, at most `jobs` at a time, until one fails: an error with the command's name and
// the end of its output. Commands under way are waited for. `finished` is called, by one thread at
// a time, with the result of each that succeeded; it may be null. `temporary` as above.
absl::Status RunAll(const std::vector<std::vector<std::string>>& commands, unsigned jobs,
                    const std::function<void(const ProcessResult&)>& finished,
                    const std::string& temporary = "");

// While it exists, SIGINT, SIGTERM and SIGHUP to this process (those that would end it) end the
// programs that run and keep others from being started, and so RunProcess and RunAll return; the
// process is ended by the signal when the object is destroyed. So what was made for the programs
// can be removed before. One at a time.
class InterruptibleProcesses {
 public:
  InterruptibleProcesses();
  ~InterruptibleProcesses();
  InterruptibleProcesses(const InterruptibleProcesses&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The last lines of a program's output, for error messages.
std::string Tail(const std::string& output, size_t lines = 20);

}  // namespace fermata::driver

#endif  // FERMATA_TRANSLATOR_CLI_NATIVE_PROCESS_H_

#include "translator/driver/process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

extern char** environ;

namespace fermata::driver {
namespace {

// Standard input from /dev/null, output and error to `output`.
class FileActions {
 public:
  explicit FileActions(int output) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, output, STDERR_FILENO);
  }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

std::string ReadAll(int fd) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t n = read(fd, buffer, sizeof buffer);
    if (n > 0) {
      text.append(buffer, static_cast<size_t>(n));
    } else if (n == 0 || errno != EINTR) {
      return text;
    }
  }
}

absl::Status Wait(pid_t pid, ProcessResult& result) {
  int status = 0;
  rusage usage = {};
  while (wait4(pid, &status, 0, &usage) < 0) {
    if (errno != EINTR) return absl::InternalError(absl::StrCat("wait4: ", strerror(errno)));
  }
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.peak_bytes = static_cast<uint64_t>(usage.ru_maxrss) * 1024;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ProcessResult> RunProcess(const std::vector<std::string>& command) {
  if (command.empty()) return absl::InvalidArgumentError("no command");
  int pipe_fds[2];
  // Close-on-exec: a program started at the same time must not keep our pipe open.
  if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
    return absl::InternalError(absl::StrCat("pipe: ", strerror(errno)));
  }
  std::vector<char*> argv;
  for (const std::string& argument : command) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);

  pid_t pid = 0;
  int error;
  {
    FileActions actions(pipe_fds[1]);
    error = posix_spawnp(&pid, argv[0], actions.get(), nullptr, argv.data(), environ);
  }
  close(pipe_fds[1]);
  if (error != 0) {
    close(pipe_fds[0]);
    return absl::NotFoundError(absl::StrCat("cannot run ", command[0], ": ", strerror(error)));
  }
  ProcessResult result;
  result.output = ReadAll(pipe_fds[0]);
  close(pipe_fds[0]);
  const absl::Status ended = Wait(pid, result);
  if (!ended.ok()) return ended;
  return result;
}

absl::Status RunAll(const std::vector<std::vector<std::string>>& commands, unsigned jobs,
                    const std::function<void(const ProcessResult&)>& finished) {
  std::atomic<size_t> next{0};
  std::mutex mutex;
  absl::Status first_error;
  const auto work = [&] {
    for (size_t i = next++; i < commands.size(); i = next++) {
      absl::StatusOr<ProcessResult> result = RunProcess(commands[i]);
      absl::Status status = result.status();
      if (result.ok() && result->exit_code != 0) {
        status = absl::InternalError(absl::StrCat(commands[i][0], " failed (exit ",
                                                  result->exit_code, "):\n", Tail(result->output)));
      }
      std::lock_guard<std::mutex> lock(mutex);
      if (status.ok()) {
        if (finished != nullptr) finished(*result);
        continue;
      }
      next = commands.size();  // start no more
      if (first_error.ok()) first_error = status;
    }
  };
  std::vector<std::thread> threads;
  const size_t count = std::min<size_t>(std::max(jobs, 1u), commands.size());
  for (size_t i = 1; i < count; ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  return first_error;
}

std::string Tail(const std::string& output, size_t lines) {
  size_t end = output.size();
  while (end > 0 && output[end - 1] == '\n') --end;
  size_t begin = end;
  while (begin > 0) {
    if (output[begin - 1] == '\n' && --lines == 0) break;
    --begin;
  }
  return output.substr(begin, end - begin);
}

}  // namespace fermata::driver

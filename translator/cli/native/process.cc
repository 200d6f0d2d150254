#include "translator/cli/native/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <set>
#include <thread>

#include "absl/strings/match.h"
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

// The programs that run, for a signal to end.
struct Running {
  std::mutex mutex;
  int interruptible = 0;  // InterruptibleProcesses there are: programs get groups of their own then
  int signal = 0;         // that has come
  std::set<pid_t> programs;
};
Running& TheRunning() {
  static auto* running = new Running;
  return *running;
}

// How programs are started: with the signals that the process has been started with, not with those
// held back that InterruptibleProcesses waits for; and in a group, so that a compiler's own
// programs end with it.
class Attributes {
 public:
  explicit Attributes(bool interruptible) {
    posix_spawnattr_init(&attributes_);
    if (!interruptible) return;
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  }
  ~Attributes() { posix_spawnattr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

// This process's environment, with another folder for temporary files.
class Environment {
 public:
  explicit Environment(const std::string& temporary) : variable_("TMPDIR=" + temporary) {
    if (temporary.empty()) return;
    for (char** v = environ; *v != nullptr; ++v) {
      if (!absl::StartsWith(*v, "TMPDIR=")) variables_.push_back(*v);
    }
    variables_.push_back(variable_.data());
    variables_.push_back(nullptr);
  }
  Environment(const Environment&) = delete;
  char** get() { return variables_.empty() ? environ : variables_.data(); }

 private:
  std::string variable_;
  std::vector<char*> variables_;  // empty: as it is
};

// Starts a program, unless a signal has come. An errno, or 0.
int Start(std::vector<char*>& argv, int output, Environment& environment, pid_t& pid) {
  FileActions actions(output);
  Running& running = TheRunning();
  std::lock_guard<std::mutex> lock(running.mutex);
  if (running.signal != 0) return EINTR;
  const Attributes attributes(running.interruptible != 0);
  const int error =
      posix_spawnp(&pid, argv[0], actions.get(), attributes.get(), argv.data(), environment.get());
  if (error == 0 && running.interruptible != 0) running.programs.insert(pid);
  return error;
}

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
  // Not reaped before it is off the list: its number could then be another's.
  siginfo_t info;
  while (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
  }
  {
    std::lock_guard<std::mutex> lock(TheRunning().mutex);
    TheRunning().programs.erase(pid);
  }
  while (wait4(pid, &status, 0, &usage) < 0) {
    if (errno != EINTR) return absl::InternalError(absl::StrCat("wait4: ", strerror(errno)));
  }
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.peak_bytes = static_cast<uint64_t>(usage.ru_maxrss) * 1024;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ProcessResult> RunProcess(const std::vector<std::string>& command,
                                         const std::string& temporary) {
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
  Environment environment(temporary);
  const int error = Start(argv, pipe_fds[1], environment, pid);
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
                    const std::function<void(const ProcessResult&)>& finished,
                    const std::string& temporary) {
  std::atomic<size_t> next{0};
  std::mutex mutex;
  absl::Status first_error;
  const auto work = [&] {
    for (size_t i = next++; i < commands.size(); i = next++) {
      absl::StatusOr<ProcessResult> result = RunProcess(commands[i], temporary);
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

// A thread waits for the signals, which all others hold back. SIGUSR2, sent to it alone, ends it.
struct InterruptibleProcesses::State {
  sigset_t awaited;
  sigset_t before;
  std::thread thread;

  void Wait() {
    for (;;) {
      int signal = 0;
      if (sigwait(&awaited, &signal) != 0) continue;
      if (signal == SIGUSR2) return;
      Running& running = TheRunning();
      std::lock_guard<std::mutex> lock(running.mutex);
      running.signal = signal;
      for (pid_t program : running.programs) kill(-program, SIGKILL);
    }
  }
};

InterruptibleProcesses::InterruptibleProcesses() : state_(std::make_unique<State>()) {
  sigemptyset(&state_->awaited);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action;
    // One that is ignored, as of a background process, or handled has its own effect.
    if (sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_DFL) {
      sigaddset(&state_->awaited, signal);
    }
  }
  sigaddset(&state_->awaited, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &state_->awaited, &state_->before);
  {
    std::lock_guard<std::mutex> lock(TheRunning().mutex);
    ++TheRunning().interruptible;
  }
  state_->thread = std::thread([state = state_.get()] { state->Wait(); });
}

InterruptibleProcesses::~InterruptibleProcesses() {
  pthread_kill(state_->thread.native_handle(), SIGUSR2);
  state_->thread.join();
  int signal = 0;
  {
    Running& running = TheRunning();
    std::lock_guard<std::mutex> lock(running.mutex);
    signal = running.signal;
    if (--running.interruptible == 0) running.signal = 0;
  }
  if (signal != 0) raise(signal);  // held back until the mask is as it was
  pthread_sigmask(SIG_SETMASK, &state_->before, nullptr);
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

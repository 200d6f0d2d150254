#include "translator/cli/process/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "translator/cli/process/running.h"
#include "translator/thread_pool.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves it to programs

namespace fermata::process {
namespace {

// One of the program's standard streams, in this process.
class Stream {
 public:
  explicit Stream(int fd) : fd_(fd), error_(fd < 0 ? errno : 0) {}
  ~Stream() {
    if (fd_ >= 0) close(fd_);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  static int Reading(const std::string& path) { return open(path.c_str(), O_RDONLY | O_CLOEXEC); }
  // A file in memory unless there is a path. Unlike a pipe it needs nobody to read it meanwhile, and
  // it does not keep Run waiting for what the program has left behind.
  static int Writing(const std::string& path) {
    if (path.empty()) return memfd_create("output", MFD_CLOEXEC);
    return open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  }

  int fd() const { return fd_; }  // negative: it could not be opened
  int error() const { return error_; }
  // What has been written.
  std::string Text() const {
    std::string text;
    char buffer[16384];
    lseek(fd_, 0, SEEK_SET);
    for (;;) {
      const ssize_t n = read(fd_, buffer, sizeof buffer);
      if (n > 0) {
        text.append(buffer, static_cast<size_t>(n));
      } else if (n == 0 || errno != EINTR) {
        return text;
      }
    }
  }

 private:
  const int fd_;
  const int error_;
};

// What is done in the new process before the program begins.
class FileActions {
 public:
  FileActions() { posix_spawn_file_actions_init(&actions_); }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;

  void Folder(const std::string& folder) {
    posix_spawn_file_actions_addchdir_np(&actions_, folder.c_str());
  }
  void Duplicate(int from, int to) { posix_spawn_file_actions_adddup2(&actions_, from, to); }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

class Attributes {
 public:
  Attributes() { posix_spawnattr_init(&attributes_); }
  ~Attributes() { posix_spawnattr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;

  // Of its own, so that the programs that it starts end with it.
  void Group() {
    posix_spawnattr_setpgroup(&attributes_, 0);
    Add(POSIX_SPAWN_SETPGROUP);
  }
  // None held back, as this process was started, and not those that Interruptible waits for.
  void AllSignals() {
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes_, &none);
    Add(POSIX_SPAWN_SETSIGMASK);
  }
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  void Add(short flag) {
    flags_ = static_cast<short>(flags_ | flag);
    posix_spawnattr_setflags(&attributes_, flags_);
  }
  posix_spawnattr_t attributes_;
  short flags_ = 0;
};

// This process's environment with some variables changed.
class Environment {
 public:
  explicit Environment(const std::vector<std::pair<std::string, std::string>>& changes) {
    if (changes.empty()) return;
    for (const auto& [name, value] : changes) texts_.push_back(absl::StrCat(name, "=", value));
    for (char** v = environ; *v != nullptr; ++v) {
      if (!IsChanged(*v)) variables_.push_back(*v);
    }
    for (std::string& text : texts_) variables_.push_back(text.data());
    variables_.push_back(nullptr);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  char** get() { return variables_.empty() ? environ : variables_.data(); }

 private:
  bool IsChanged(const char* variable) const {
    for (const std::string& text : texts_) {
      if (std::strncmp(variable, text.c_str(), text.find('=') + 1) == 0) return true;
    }
    return false;
  }
  std::vector<std::string> texts_;
  std::vector<char*> variables_;  // empty: as it is
};

// Kills a group when its time is over.
class Watchdog {
 public:
  Watchdog(pid_t group, std::optional<std::chrono::milliseconds> limit) {
    if (!limit) return;
    thread_ = std::thread([this, group, limit = *limit] {
      std::unique_lock<std::mutex> lock(mutex_);
      if (changed_.wait_for(lock, limit, [&] { return ended_; })) return;
      timed_out_ = true;
      kill(-group, SIGKILL);
    });
  }
  ~Watchdog() { Stop(); }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // To be called before the group's number can be another's. Returns whether it has been killed.
  bool Stop() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      ended_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
    return timed_out_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false, timed_out_ = false;
  std::thread thread_;
};

// One run of a program.
class Process {
 public:
  explicit Process(const Command& command)
      : command_(command),
        input_(Stream::Reading(command.input_file.empty() ? "/dev/null" : command.input_file)),
        output_(Stream::Writing(command.output_file)),
        errors_(Stream::Writing(command.error_file)) {}

  absl::StatusOr<Result> Run() {
    const auto start = std::chrono::steady_clock::now();
    absl::Status status = CheckStreams();
    if (status.ok()) status = Start();
    if (status.ok()) status = Wait();
    if (!status.ok()) return status;
    result_.wall_seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (command_.output_file.empty()) result_.output = output_.Text();
    if (command_.error_file.empty()) result_.errors = errors_.Text();
    return std::move(result_);
  }

 private:
  absl::Status CheckStreams() const {
    struct {
      const Stream& stream;
      const std::string& path;
    } streams[] = {{input_, command_.input_file},
                   {output_, command_.output_file},
                   {errors_, command_.error_file}};
    for (const auto& [stream, path] : streams) {
      if (stream.fd() >= 0) continue;
      return absl::NotFoundError(absl::StrCat("cannot run ", Name(), ": ",
                                              path.empty() ? "a standard stream" : path, ": ",
                                              strerror(stream.error())));
    }
    return absl::OkStatus();
  }

  std::string Name() const {
    const std::string& program = command_.arguments[0];
    return command_.folder.empty() ? program : absl::StrCat(program, " in ", command_.folder);
  }

  absl::Status Start() {
    std::vector<char*> argv;
    for (const std::string& word : command_.arguments) {
      argv.push_back(const_cast<char*>(word.c_str()));
    }
    argv.push_back(nullptr);
    Environment environment(command_.environment);
    const bool errors_apart = command_.errors_apart || !command_.error_file.empty();
    FileActions actions;
    actions.Duplicate(input_.fd(), STDIN_FILENO);
    actions.Duplicate(output_.fd(), STDOUT_FILENO);
    actions.Duplicate(errors_apart ? errors_.fd() : STDOUT_FILENO, STDERR_FILENO);
    if (!command_.folder.empty()) actions.Folder(command_.folder);

    Running& running = TheRunning();
    std::lock_guard<std::mutex> lock(running.mutex);
    if (running.signal != 0) {
      return absl::CancelledError(
          absl::StrCat("cannot run ", Name(), ": ", strsignal(running.signal)));
    }
    const bool interruptible = running.interruptible != 0;
    Attributes attributes;
    if (interruptible) attributes.AllSignals();
    if (interruptible || command_.time_limit) attributes.Group();
    const int error = posix_spawnp(&pid_, argv[0], actions.get(), attributes.get(), argv.data(),
                                   environment.get());
    if (error != 0) {
      return absl::NotFoundError(absl::StrCat("cannot run ", Name(), ": ", strerror(error)));
    }
    if (interruptible) running.programs.insert(pid_);
    return absl::OkStatus();
  }

  absl::Status Wait() {
    Watchdog watchdog(pid_, command_.time_limit);
    // Not reaped before nobody would send it signals: its number could then be another's.
    siginfo_t info;
    while (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
    }
    result_.timed_out = watchdog.Stop();
    {
      std::lock_guard<std::mutex> lock(TheRunning().mutex);
      TheRunning().programs.erase(pid_);
    }
    int status = 0;
    rusage usage = {};
    while (wait4(pid_, &status, 0, &usage) < 0) {
      if (errno != EINTR) return absl::InternalError(absl::StrCat("wait4: ", strerror(errno)));
    }
    if (WIFSIGNALED(status)) result_.signal = WTERMSIG(status);
    result_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + result_.signal;
    const auto seconds = [](const timeval& t) {
      return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    result_.user_seconds = seconds(usage.ru_utime);
    result_.system_seconds = seconds(usage.ru_stime);
    result_.peak_bytes = static_cast<uint64_t>(usage.ru_maxrss) * 1024;
    return absl::OkStatus();
  }

  const Command& command_;
  const Stream input_, output_, errors_;
  pid_t pid_ = 0;
  Result result_;
};

}  // namespace

absl::StatusOr<Result> Run(const Command& command) {
  if (command.arguments.empty()) return absl::InvalidArgumentError("no command");
  return Process(command).Run();
}

absl::Status RunAll(const std::vector<Command>& commands, unsigned jobs,
                    const std::function<void(const Result&)>& finished) {
  std::mutex mutex;
  absl::Status first_error;  // once there is one, no more are started
  const auto run = [&](const Command& command) {
    {
      std::lock_guard<std::mutex> lock(mutex);
      if (!first_error.ok()) return;
    }
    const absl::StatusOr<Result> result = Run(command);
    absl::Status status = result.status();
    if (result.ok() && !result->ok()) {
      status = absl::InternalError(absl::StrCat(command.arguments[0], " failed (exit ",
                                                result->exit_code, "):\n", Tail(result->output)));
    }
    std::lock_guard<std::mutex> lock(mutex);
    if (!status.ok()) {
      if (first_error.ok()) first_error = status;
    } else if (finished != nullptr) {
      finished(*result);
    }
  };
  ThreadPool pool(llvm::hardware_concurrency(jobs));
  for (const Command& command : commands) pool.async([&run, &command] { run(command); });
  pool.wait();
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

}  // namespace fermata::process

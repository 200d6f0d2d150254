#include "bench/report/process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>

#include "llvm/Support/Program.h"

extern char** environ;

namespace bench {
namespace {

// A file in memory that takes a program's output: unlike a pipe it needs no reader meanwhile.
class Capture {
 public:
  Capture() : fd_(memfd_create("output", MFD_CLOEXEC)) {}
  ~Capture() { close(fd_); }
  Capture(const Capture&) = delete;
  int fd() const { return fd_; }
  std::string text() const {
    std::string text;
    char buffer[16384];
    lseek(fd_, 0, SEEK_SET);
    for (ssize_t n; (n = read(fd_, buffer, sizeof buffer)) > 0;) text.append(buffer, n);
    return text;
  }

 private:
  int fd_;
};

double Seconds(const timeval& t) { return t.tv_sec + t.tv_usec * 1e-6; }

}  // namespace

Ran Run(const Command& command) {
  Ran ran;
  const Capture out, error;
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.fd(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, error.fd(), STDERR_FILENO);
  pid_t pid = 0;
  const auto start = std::chrono::steady_clock::now();
  const int failed = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    ran.error = command[0] + ": cannot be run";
    return ran;
  }
  int status = 0;
  rusage usage = {};
  while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  ran.wall_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  ran.ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  ran.user_seconds = Seconds(usage.ru_utime);
  ran.cpu_seconds = ran.user_seconds + Seconds(usage.ru_stime);
  ran.peak_bytes = static_cast<uint64_t>(usage.ru_maxrss) * 1024;
  ran.out = out.text();
  ran.error = error.text();
  return ran;
}

void ForAll(size_t count, const std::function<void(size_t)>& work) {
  std::atomic<size_t> next{0};
  const auto run = [&] {
    for (size_t i = next++; i < count; i = next++) work(i);
  };
  std::vector<std::thread> threads;
  const size_t wanted = std::min<size_t>(std::max(1u, std::thread::hardware_concurrency()), count);
  for (size_t i = 1; i < wanted; ++i) threads.emplace_back(run);
  run();
  for (std::thread& thread : threads) thread.join();
}

std::string FindProgram(const std::string& name) {
  auto path = llvm::sys::findProgramByName(name);
  return path ? *path : "";
}

std::string Tail(const std::string& text, size_t bytes) {
  return text.size() <= bytes ? text : "…" + text.substr(text.size() - bytes);
}

}  // namespace bench

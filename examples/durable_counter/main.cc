// A program that survives kill -9 at any moment: it continues from its last snapshot.
//
//   durable_counter FILE          counts; run it again after it was killed
//   durable_counter --test FILE   runs itself, kills it 20 times, and checks what it says
//
// A snapshot is written beside the old one and renamed over it, so that there is always a complete
// one. The program prints a number only after the snapshot is written, so it never forgets what it
// has printed.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "durable_guest.h"
#include "fermata/snapshot.h"

namespace {

using Step = fermata::Step<int32_t, guest::DurableGuest>;

int Fail(const std::string& what) {
  std::fprintf(stderr, "durable_counter: FAILED: %s\n", what.c_str());
  return 1;
}

bool Write(const std::string& path, const std::string& bytes) {
  const std::string fresh = path + ".new";
  const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return false;
  const bool written =
      write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) && fsync(fd) == 0;
  return close(fd) == 0 && written && rename(fresh.c_str(), path.c_str()) == 0;
}

std::string Read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

int Count(const std::string& path) {
  // The guest as it was, or a new one.
  fermata::RestoredStore store;
  absl::StatusOr<Step> step = absl::NotFoundError("");
  if (const std::string bytes = Read(path); !bytes.empty()) {
    fermata::RestoreHost host;
    host.modules = {&guest::DurableGuestModuleInfo()};
    auto restored = fermata::Restore(bytes, host);
    if (!restored.ok()) return Fail(restored.status().ToString());
    store = *std::move(restored);
    step = fermata::TypedStep<int32_t, guest::DurableGuest>(std::move(store.steps[0]));
  } else {
    store.store = std::make_unique<fermata::StoreHandle>();
    auto guest = guest::DurableGuest::Create(*store.store, {});
    if (!guest.ok()) return Fail(guest.status().ToString());
    step = (*guest)->count();
  }
  if (!step.ok()) return Fail(step.status().ToString());

  while (step->suspended()) {
    const auto [count, sum] = std::get<guest::DurableGuest::world_tick>(step->op());
    auto bytes = fermata::Save(*store.store, {&step->dynamic()});
    if (!bytes.ok() || !Write(path, *bytes)) return Fail("cannot write " + path);
    std::printf("%d %d\n", count, sum);
    std::fflush(stdout);
    if (!step->Resume<guest::DurableGuest::world_tick>(count * 3 + 1).ok()) return 1;
  }
  return Fail(step->message());
}

// Runs this program and kills it after `microseconds`. Returns the last number that it printed, -1
// if there was none, or -2 if one was wrong.
int RunAndKill(const std::string& path, unsigned microseconds, int before) {
  int fds[2];
  if (pipe(fds) != 0) return -2;
  const pid_t child = fork();
  if (child == 0) {
    dup2(fds[1], STDOUT_FILENO);
    close(fds[0]);
    execl("/proc/self/exe", "durable_counter", path.c_str(), nullptr);
    _exit(127);
  }
  close(fds[1]);
  usleep(microseconds);
  kill(child, SIGKILL);
  int last = -1;
  std::FILE* out = fdopen(fds[0], "r");
  int count = 0, sum = 0;
  for (char line[64]; std::fgets(line, sizeof line, out) != nullptr;) {
    if (std::sscanf(line, "%d %d\n", &count, &sum) != 2 || line[strlen(line) - 1] != '\n') continue;
    // The first number may be printed again, or may have been saved but not printed.
    const bool fits = last >= 0 ? count == last + 1 : count >= before && count <= before + 2;
    const unsigned n = static_cast<unsigned>(count);
    if (!fits || static_cast<unsigned>(sum) != n * (n - 1) / 2 * 3 + n) last = -2;
    if (last == -2) break;
    last = count;
  }
  std::fclose(out);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? last : -2;
}

int Test(const std::string& path) {
  unlink(path.c_str());
  int last = 0;
  for (unsigned round = 0; round < 20; ++round) {
    const int said = RunAndKill(path, 10000 + round * 7919 % 40000, last);
    if (said == -2) return Fail("it counted wrong");
    if (said >= 0) last = said;
  }
  std::printf("killed 20 times; counted to %d without a gap\n", last);
  return last > 0 ? 0 : Fail("it did not count");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--test") == 0) return Test(argv[2]);
  if (argc == 2) return Count(argv[1]);
  std::fprintf(stderr, "usage: durable_counter [--test] FILE\n");
  return 2;
}

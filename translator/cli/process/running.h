// The programs that run and can be interrupted: what process.cc and interruptible.cc share.
#ifndef FERMATA_TRANSLATOR_CLI_PROCESS_RUNNING_H_
#define FERMATA_TRANSLATOR_CLI_PROCESS_RUNNING_H_

#include <sys/types.h>

#include <mutex>
#include <set>

namespace fermata::process {

struct Running {
  std::mutex mutex;
  int interruptible = 0;  // objects of that class; programs get groups of their own while there are
  int signal = 0;         // that has come, or 0
  std::set<pid_t> programs;  // each the leader of its group
};

inline Running& TheRunning() {
  static auto* running = new Running;
  return *running;
}

}  // namespace fermata::process

#endif  // FERMATA_TRANSLATOR_CLI_PROCESS_RUNNING_H_

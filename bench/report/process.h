// Runs programs and tells what they took.
#ifndef FERMATA_BENCH_REPORT_PROCESS_H_
#define FERMATA_BENCH_REPORT_PROCESS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace bench {

using Command = std::vector<std::string>;

struct Ran {
  bool ok = false;  // it was started and returned 0
  std::string out, error;
  double wall_seconds = 0;
  double user_seconds = 0;  // of it and of the programs it waited for
  double cpu_seconds = 0;   // the same with the kernel's time
  // Most memory it, or a program it waited for, had resident. Never less than this process has, by
  // the way Linux counts: keep this process small.
  uint64_t peak_bytes = 0;
};

// Runs a program, which is looked up in PATH, with nothing as its standard input.
Ran Run(const Command& command);

// Calls `work(i)` for each i below `count`, on as many threads as there are processors.
void ForAll(size_t count, const std::function<void(size_t)>& work);

// The path of a program, or "".
std::string FindProgram(const std::string& name);

// The end of a text, for messages.
std::string Tail(const std::string& text, size_t bytes = 2000);

}  // namespace bench

#endif  // FERMATA_BENCH_REPORT_PROCESS_H_

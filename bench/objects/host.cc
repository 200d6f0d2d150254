// Runs one of the guests of gc-bench and prints the processor time of its first call; or measures
// what collections take beside held calls and deep stacks (pauses), and what small heaps take
// (stores). `run` compiles it with each guest.
//
//   host run N      result, seconds, resident MB
//   host stores N   N stores, in each of which the guest has been called: resident bytes of each
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "guest.h"

namespace {

double Seconds(clock_t from) { return static_cast<double>(clock() - from) / CLOCKS_PER_SEC; }

long ResidentBytes() {
  std::ifstream in("/proc/self/statm");
  long pages = 0;
  in >> pages >> pages;
  return pages * 4096;
}

int Run(int n) {
  fermata::Limits limits;
  limits.call_depth = 4000000;
  limits.frame_bytes = 1u << 30;
  auto guest = guest::Guest::Create(limits);
  if (!guest.ok()) return std::fprintf(stderr, "%s\n", guest.status().ToString().c_str()), 1;
  const clock_t start = clock();
  auto step = (*guest)->run(n);
  const double seconds = Seconds(start);
  if (!step.finished()) return std::fprintf(stderr, "%s\n", step.message().c_str()), 1;
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  std::printf("%d %.4f %ld\n", step.value(), seconds, usage.ru_maxrss / 1024);
  return 0;
}

int Stores(int count, int n) {
  std::vector<std::unique_ptr<guest::Guest>> stores;
  const long before = ResidentBytes();
  for (int i = 0; i < count; ++i) {
    auto guest = guest::Guest::Create();
    if (!guest.ok()) return std::fprintf(stderr, "%s\n", guest.status().ToString().c_str()), 1;
    if (!(*guest)->run(n).finished()) return 1;
    stores.push_back(*std::move(guest));
  }
  std::printf("%ld\n", (ResidentBytes() - before) / count);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "run") == 0) return Run(std::atoi(argv[2]));
  if (argc == 4 && std::strcmp(argv[1], "stores") == 0) {
    return Stores(std::atoi(argv[2]), std::atoi(argv[3]));
  }
  return std::fprintf(stderr, "usage: host run N | host stores COUNT N\n"), 2;
}

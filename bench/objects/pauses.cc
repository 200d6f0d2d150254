// What a minor collection takes: beside held calls, and with frames below. The guest makes garbage of
// 8 bytes an object, so that a nursery of 1 MiB is collected every 131,072 objects, and all that a
// collection looks at are roots.
//
//   pauses HELD DEPTH   microseconds of a minor collection, the allocations before it included
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "guest.h"

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: pauses HELD DEPTH\n"), 2;
  const int held = std::atoi(argv[1]), depth = std::atoi(argv[2]);
  auto guest = guest::Guest::Create();
  if (!guest.ok()) return std::fprintf(stderr, "%s\n", guest.status().ToString().c_str()), 1;
  using Step = decltype((*guest)->hold());
  std::vector<Step> steps;
  for (int i = 0; i < held; ++i) steps.push_back((*guest)->hold());
  constexpr int kEach = (1 << 20) / 8, kCollections = 300;
  if (!(*guest)->at(depth, 4 * kEach).finished()) return 1;
  const clock_t start = clock();
  if (!(*guest)->at(depth, kCollections * kEach).finished()) return 1;
  std::printf("%.1f\n", 1e6 * static_cast<double>(clock() - start) / CLOCKS_PER_SEC / kCollections);
}

// Tries everything that a guest could do. At each point where it has a choice, the guest is forked
// with its memory and its call, and every fork is told another choice.
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "fermata/snapshot.h"
#include "rollback_guest.h"

namespace {

using Guest = guest::RollbackGuest;
using Step = fermata::Step<int32_t, Guest>;

struct Search {
  std::vector<int> solutions;
  long forks = 0;
  std::string error;

  // Explores all ways in which `step`, a call in `store`, can continue.
  void From(fermata::StoreHandle& store, Step step) {
    if (!step.suspended()) {
      if (!step.finished()) error = step.message();
      if (step.finished() && step.value() != 0) solutions.push_back(step.value());
      return;
    }
    const auto [options] = std::get<Guest::oracle_choose>(step.op());
    for (int choice = 0; choice < options && error.empty(); ++choice) {
      absl::StatusOr<fermata::RestoredStore> fork = fermata::Fork(store, {&step.dynamic()});
      if (!fork.ok()) {
        error = fork.status().ToString();
        return;
      }
      ++forks;
      auto again = fermata::TypedStep<int32_t, Guest>(std::move(fork->steps[0]));
      if (!again.ok() || !again->Resume<Guest::oracle_choose>(choice).ok()) {
        error = "the fork can't be told its choice";
        return;
      }
      From(*fork->store, *std::move(again));
    }
  }
};

}  // namespace

int main() {
  auto guest = Guest::Create();
  if (!guest.ok()) return std::fprintf(stderr, "%s\n", guest.status().ToString().c_str()), 1;
  Search search;
  const auto start = std::chrono::steady_clock::now();
  search.From(*(*guest)->store(), (*guest)->queens());
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (!search.error.empty()) return std::fprintf(stderr, "%s\n", search.error.c_str()), 1;
  std::printf("%zu solutions, the first %d; %ld forks, %.1f us each\n", search.solutions.size(),
              search.solutions.empty() ? 0 : search.solutions[0], search.forks,
              seconds / static_cast<double>(search.forks) * 1e6);
  return search.solutions.size() == 92 ? 0 : 1;
}

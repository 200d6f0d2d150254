// What a program that loads plugins calls: a guest is run, and saved while it is suspended.
#include <cstdio>

#include "fermata/snapshot.h"
#include "two-questions.h"

namespace {

struct Host : guest::TwoQuestionsHost {
  void env_log(int32_t) override {}
};

}  // namespace

extern "C" __attribute__((visibility("default"))) int run() {
  Host host;
  auto guest = guest::TwoQuestions::Create(host);
  if (!guest.ok()) return 1;
  auto step = (*guest)->ask_twice(20);
  const auto bytes = fermata::Save(*(*guest)->store(), {&step.dynamic()});
  const auto square = (*guest)->square(9);
  if (!bytes.ok() || !square.finished()) return 1;
  std::printf("%d and %zu bytes\n", square.value(), bytes->size());
  return 0;
}

// Prints "ask_twice(20) = … square(9) = … logged …", by way of two suspensions.
#include <cstdio>
#include <ctime>
#include <string>
#include <utility>
#include <variant>

#include "fermata/activations.h"
#include "fermata/coroutine.h"
#include "fermata/ring.h"
#include "other.h"
#include "time.h"
#include "two-questions.h"

template <class Guest, class HostInterface, class Ask>
int Use() {
  struct Host : HostInterface {
    int32_t logged = 0;
    void env_log(int32_t value) override { logged = value; }
  } host;
  auto guest = Guest::Create(host);
  if (!guest.ok()) return std::fprintf(stderr, "%s\n", guest.status().ToString().c_str()), 1;
  const auto text = (*guest)->memory().Span(8, 7);
  auto step = (*guest)->ask_twice(20);
  while (step.suspended()) {
    const auto [value] = std::get<Ask>(step.op());
    if (!step.template Resume<Ask>(value * 2).ok()) return 1;
  }
  const auto square = (*guest)->square(9);
  if (!step.finished() || !square.finished()) return 1;
  // The same by way of a coroutine, with the answers in a queue.
  auto calls =
      fermata::Activations<Guest>::Create(**guest, {.stack = fermata::ActivationOptions::kNone});
  if (!calls.ok()) return 1;
  fermata::SpscRing<int32_t> answers(2);
  const auto answer = [&](Ask op) -> fermata::Task<int32_t> {
    const auto [value] = op;
    answers.TryPush(value * 2);
    co_return *answers.TryPop();
  };
  const absl::StatusOr<int32_t> driven = fermata::SyncWait(
      fermata::Drive((*calls)->Export(&Guest::ask_twice)(20), fermata::Match{answer}));
  if (!driven.ok() || *driven != step.value()) return 1;
  std::printf("%s: ask_twice(20) = %d square(9) = %d logged %d\n",
              std::string(text.begin(), text.end()).c_str(), step.value(), square.value(),
              host.logged);
  return 0;
}

int main() {
  using outside::guests::TwoQuestions;
  // A guest's and the C library's.
  if (std::time(nullptr) < 0 || &guest::ClockModuleInfo() == &guest::OtherModuleInfo()) return 1;
  const int first = Use<TwoQuestions, outside::guests::TwoQuestionsHost, TwoQuestions::env_ask>();
  return first != 0 ? first : Use<guest::Other, guest::OtherHost, guest::Other::env_ask>();
}

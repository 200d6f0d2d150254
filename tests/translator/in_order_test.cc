// Work on several threads: results are taken in order, whichever is ready first, and of several
// errors the first is reported.
#include "translator/in_order.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace fermata {
namespace {

using Numbers = InOrder<uint32_t>;

// Even numbers take longer than those behind them.
uint32_t Slowly(uint32_t i) {
  if (i % 2 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
  return i * i;
}

TEST(InOrder, ResultsAreTakenInOrder) {
  for (const unsigned threads : {1, 2, 7}) {
    std::vector<uint32_t> taken;
    const absl::Status status = Numbers::Run(
        200, threads, [](uint32_t i) -> absl::StatusOr<uint32_t> { return Slowly(i); },
        [&](uint32_t i, uint32_t result) {
          EXPECT_EQ(i, taken.size());
          taken.push_back(result);
          return absl::OkStatus();
        });
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_EQ(taken.size(), 200u);
    for (uint32_t i = 0; i < 200; ++i) EXPECT_EQ(taken[i], i * i);
  }
}

TEST(InOrder, TheFirstErrorIsReportedAndNothingBehindItTaken) {
  for (const unsigned threads : {1, 2, 7}) {
    uint32_t taken = 0;
    const absl::Status status = Numbers::Run(
        100, threads,
        [](uint32_t i) -> absl::StatusOr<uint32_t> {
          if (i >= 30 && i % 3 != 1) return absl::InternalError(std::to_string(i));
          return Slowly(i);
        },
        [&](uint32_t, uint32_t) {
          ++taken;
          return absl::OkStatus();
        });
    EXPECT_EQ(status.message(), "30") << threads;
    EXPECT_EQ(taken, 30u);
  }
}

TEST(InOrder, AnErrorOfTakingEndsTheWork) {
  std::atomic<uint32_t> made{0};
  const absl::Status status = Numbers::Run(
      10000, 4,
      [&](uint32_t i) -> absl::StatusOr<uint32_t> {
        ++made;
        return i;
      },
      [](uint32_t i, uint32_t) {
        return i == 50 ? absl::ResourceExhaustedError("full") : absl::OkStatus();
      });
  EXPECT_EQ(status.message(), "full");
  EXPECT_LT(made, 200u);  // threads do not run far ahead
}

TEST(InOrder, NothingToDo) {
  EXPECT_TRUE(Numbers::Run(
                  0, 4, [](uint32_t i) -> absl::StatusOr<uint32_t> { return i; },
                  [](uint32_t, uint32_t) { return absl::OkStatus(); })
                  .ok());
}

}  // namespace
}  // namespace fermata

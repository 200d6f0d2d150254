// The parking lot behind memory.atomic.wait and notify.
#include "runtime/storage/parking.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include "fermata/core/frame.h"

namespace fermata::internal {
namespace {

constexpr uint32_t kWoken = 0, kNotEqual = 1, kTimedOut = 2;
constexpr int64_t kMillisecond = 1000000;

alignas(8) uint64_t cell[4];

// Wakes until `count` have been woken: the others are on their way to wait.
void WakeAll(const void* address, uint32_t count) {
  while (count != 0) {
    count -= Unpark(address, count);
    std::this_thread::yield();
  }
}

TEST(Parking, DoesNotWaitForAValueThatIsNotThere) {
  cell[0] = core::little(uint64_t{0x500000007});
  EXPECT_EQ(Park(cell, 8, 4, -1), kNotEqual);
  EXPECT_EQ(Park(cell, 7, 8, -1), kNotEqual);
  // What is compared: as many bytes as the instruction says.
  EXPECT_EQ(Park(cell, 7, 4, 0), kTimedOut);
  EXPECT_EQ(Park(cell, 0x500000007, 8, 0), kTimedOut);
}

TEST(Parking, TimesOut) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(Park(cell, core::little(cell[0]), 8, 20 * kMillisecond), kTimedOut);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(20));
  EXPECT_EQ(Unpark(cell, 10), 0u);  // who timed out waits no longer
}

TEST(Parking, WakesAsManyAsAskedAndAtThatAddressOnly) {
  std::atomic<uint32_t> woken{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      EXPECT_EQ(Park(&cell[1], 0, 8, -1), kWoken);
      ++woken;
    });
  }
  threads.emplace_back([&] { EXPECT_EQ(Park(&cell[2], 0, 4, INT64_MAX), kWoken); });
  EXPECT_EQ(Unpark(&cell[1], 0), 0u);
  WakeAll(&cell[1], 1);
  while (woken != 1) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(woken, 1u);
  WakeAll(&cell[1], 3);
  for (int i = 0; i < 4; ++i) threads[i].join();
  EXPECT_EQ(Unpark(&cell[1], ~0u), 0u);
  WakeAll(&cell[2], 1);
  threads[4].join();
}

TEST(Parking, FirstComeFirstWoken) {
  std::mutex mutex;
  std::vector<int> order;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    std::atomic<bool> about{false};
    threads.emplace_back([&, i] {
      about = true;
      EXPECT_EQ(Park(&cell[3], 0, 8, -1), kWoken);
      std::lock_guard<std::mutex> lock(mutex);
      order.push_back(i);
    });
    while (!about) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // it is in line now
  }
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(Unpark(&cell[3], 1), 1u);
    while (true) {
      std::lock_guard<std::mutex> lock(mutex);
      if (order.size() == i + 1) break;
    }
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
}

// No wake-up is lost between the comparison and the waiting: two threads pass a number back and
// forth, and neither ever waits for a value that is gone.
TEST(Parking, ComparisonAndWaitingAreOneStep) {
  alignas(8) static uint32_t turn[2] = {0, 0};
  constexpr uint32_t kRounds = 5000;
  const auto player = [](uint32_t me) {
    for (uint32_t round = 0; round < kRounds; ++round) {
      const uint32_t mine = 2 * round + me;
      while (true) {
        const uint32_t now = __atomic_load_n(turn, __ATOMIC_SEQ_CST);
        if (now == mine) break;
        ASSERT_NE(Park(turn, now, 4, 10000 * kMillisecond), kTimedOut);
      }
      __atomic_store_n(turn, mine + 1, __ATOMIC_SEQ_CST);
      Unpark(turn, 1);
    }
  };
  std::thread other(player, 1);
  player(0);
  other.join();
  EXPECT_EQ(turn[0], 2 * kRounds);
}

}  // namespace
}  // namespace fermata::internal

#include "runtime/os/thread_end.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "runtime/os/hosted_context.h"

namespace fermata::internal {
namespace {

TEST(ThreadEnd, EndsTheObjectOfEachThreadOnce) {
  std::atomic<int> ended[8] = {};
  std::vector<std::thread> threads;
  for (std::atomic<int>& object : ended) {
    threads.emplace_back([&object] {
      const auto end = [](void* o) { ++*static_cast<std::atomic<int>*>(o); };
      EXPECT_TRUE(AtThreadEnd(end, &object));
      EXPECT_EQ(object, 0);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::atomic<int>& object : ended) EXPECT_EQ(object, 1);
}

// What they leave behind would be 64 MB of address space each, and a crash where it is freed twice.
TEST(ThreadEnd, ContextsComeAndGoWithTheirThreads) {
  core::Context* const own = ThreadContext(1);
  EXPECT_EQ(ExistingThreadContext(), own);
  for (int round = 0; round < 20; ++round) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([] {
        EXPECT_EQ(ExistingThreadContext(), nullptr);
        core::Context* const context = ThreadContext(3000);
        ASSERT_NE(context, nullptr);
        EXPECT_EQ(ThreadContext(1), context);
        EXPECT_EQ(ExistingThreadContext(), context);
        context->results[2999] = 1;
        context->scratch_end[-1] = 1;
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
}

}  // namespace
}  // namespace fermata::internal

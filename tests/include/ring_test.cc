// fermata/ring.h: order, capacity, waiting, closing, and that nothing is lost between threads.
#include "fermata/ring.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace fermata {
namespace {

template <class Ring>
class AnyRing : public testing::Test {};
using Rings = testing::Types<SpscRing<std::unique_ptr<int>>, MpscRing<std::unique_ptr<int>>>;
TYPED_TEST_SUITE(AnyRing, Rings);

std::unique_ptr<int> Make(int value) { return std::make_unique<int>(value); }

TYPED_TEST(AnyRing, HoldsAsManyAsItSays) {
  EXPECT_EQ(TypeParam(0).capacity(), 2u);
  EXPECT_EQ(TypeParam(5).capacity(), 8u);
  TypeParam ring(4);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 4; ++i) EXPECT_EQ(ring.TryPush(Make(i)), PushResult::kPushed);
    EXPECT_EQ(ring.size(), 4u);
    auto refused = Make(9);
    EXPECT_EQ(ring.TryPush(std::move(refused)), PushResult::kFull);
    ASSERT_NE(refused, nullptr) << "what is refused stays with the caller";
    for (int i = 0; i < 4; ++i) EXPECT_EQ(**ring.TryPop(), i);
    EXPECT_FALSE(ring.TryPop().has_value());
  }
}

TYPED_TEST(AnyRing, AClosedRingIsDrained) {
  TypeParam ring(4);
  EXPECT_EQ(ring.TryPush(Make(1)), PushResult::kPushed);
  EXPECT_EQ(ring.TryPush(Make(2)), PushResult::kPushed);
  EXPECT_FALSE(ring.closed());
  ring.Close();
  ring.Close();
  EXPECT_TRUE(ring.closed());
  EXPECT_FALSE(ring.finished());
  auto refused = Make(3);
  EXPECT_EQ(ring.TryPush(std::move(refused)), PushResult::kClosed);
  EXPECT_NE(refused, nullptr);
  int sum = 0;
  EXPECT_EQ(ring.Drain([&](std::unique_ptr<int> value) { sum += *value; }), 2u);
  EXPECT_EQ(sum, 3);
  EXPECT_TRUE(ring.finished());
}

template <class Ring>
void DestroyWhatIsLeft() {
  auto shared = std::make_shared<int>(0);
  {
    Ring ring(4);
    for (int i = 0; i < 4; ++i) ring.TryPush(shared);
    ring.TryPop();
    EXPECT_EQ(shared.use_count(), 4);
    EXPECT_TRUE(ring.OnSpace([shared] {}));
  }
  EXPECT_EQ(shared.use_count(), 1);
}
TEST(Ring, SpscDestroysWhatIsLeft) { DestroyWhatIsLeft<SpscRing<std::shared_ptr<int>>>(); }
TEST(Ring, MpscDestroysWhatIsLeft) { DestroyWhatIsLeft<MpscRing<std::shared_ptr<int>>>(); }

TYPED_TEST(AnyRing, TheConsumerIsWokenOnce) {
  TypeParam ring(4);
  int woken = 0;
  EXPECT_TRUE(ring.OnReady([&] { ++woken; }));
  EXPECT_EQ(woken, 0);
  ring.TryPush(Make(1));
  EXPECT_EQ(woken, 1);
  ring.TryPush(Make(2));
  EXPECT_EQ(woken, 1);
  EXPECT_FALSE(ring.OnReady([&] { ++woken; })) << "there are messages";
  ring.TryPop();
  ring.TryPop();
  EXPECT_TRUE(ring.OnReady([&] { ++woken; }));
  EXPECT_TRUE(ring.ForgetReady());
  EXPECT_FALSE(ring.ForgetReady());
  ring.TryPush(Make(3));
  ring.TryPop();
  EXPECT_EQ(woken, 1);
  EXPECT_TRUE(ring.OnReady([&] { ++woken; }));
  ring.Close();
  EXPECT_EQ(woken, 2);
  EXPECT_FALSE(ring.OnReady([&] { ++woken; })) << "it is finished";
}

TYPED_TEST(AnyRing, ProducersAreToldOfSpaceAtHalf) {
  TypeParam ring(4);
  int woken = 0;
  EXPECT_FALSE(ring.OnSpace([&] { ++woken; }));
  for (int i = 0; i < 4; ++i) ring.TryPush(Make(i));
  EXPECT_TRUE(ring.OnSpace([&] { ++woken; }));
  ring.TryPop();
  EXPECT_EQ(woken, 0);
  ring.TryPop();
  EXPECT_EQ(woken, 1);
  ring.TryPush(Make(4));
  EXPECT_TRUE(ring.OnSpace([&] { ++woken; }));
  ring.Close();
  EXPECT_EQ(woken, 2);
  EXPECT_FALSE(ring.OnSpace([&] { ++woken; })) << "closed: there is nothing to wait for";
}

TYPED_TEST(AnyRing, AWakerMayUseTheRing) {
  TypeParam ring(2);
  std::vector<int> got;
  std::function<void()> pump = [&] {
    do {
      while (auto value = ring.TryPop()) got.push_back(**value);
    } while (!ring.finished() && !ring.OnReady(pump));
  };
  pump();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ring.TryPush(Make(i)), PushResult::kPushed);
  ring.Close();
  EXPECT_EQ(got, (std::vector<int>{0, 1, 2, 3, 4}));
}

// std::counting_semaphore of libstdc++ 12 loses releases where the system has no futexes.
class Semaphore {
 public:
  void release() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++count_;
    changed_.notify_one();
  }
  void acquire() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return count_ > 0; });
    --count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

struct Message {
  int producer;
  int number;
};

// Sends numbers from each producer, who waits for space when told that it's full; checks that each
// arrives, once, in order. Who waits, sleeps: a wake-up that were lost would hang the test.
template <class Ring>
void Converse(int producers, int count, size_t capacity) {
  Ring ring(capacity);
  std::vector<std::thread> threads;
  std::atomic<int> sending{producers};
  for (int p = 0; p < producers; ++p) {
    threads.emplace_back([&, p] {
      Semaphore space;
      for (int i = 0; i < count;) {
        const PushResult result = ring.TryPush(Message{p, i});
        ASSERT_NE(result, PushResult::kClosed);
        if (result == PushResult::kPushed) {
          ++i;
        } else if (ring.OnSpace([&] { space.release(); })) {
          space.acquire();
        }
      }
      if (--sending == 0) ring.Close();
    });
  }
  std::vector<int> next(producers, 0);
  Semaphore ready;
  while (!ring.finished()) {
    while (auto message = ring.TryPop()) EXPECT_EQ(message->number, next[message->producer]++);
    if (ring.OnReady([&] { ready.release(); })) ready.acquire();
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(next, std::vector<int>(producers, count));
}

TEST(Ring, OneProducerInATightRing) { Converse<SpscRing<Message>>(1, 100'000, 2); }
TEST(Ring, OneProducerInAWideRing) { Converse<SpscRing<Message>>(1, 300'000, 1024); }
TEST(Ring, FourProducersInATightRing) { Converse<MpscRing<Message>>(4, 25'000, 2); }
TEST(Ring, FourProducersInAWideRing) { Converse<MpscRing<Message>>(4, 75'000, 1024); }

// Each push either counts, and is popped before the ring is finished, or is refused.
template <class Ring>
void CloseDuringLoad(int producers) {
  for (int round = 0; round < 200; ++round) {
    Ring ring(8);
    std::atomic<int> pushed{0};
    std::vector<std::thread> threads;
    for (int p = 0; p < producers; ++p) {
      threads.emplace_back([&, p] {
        while (true) {
          auto message = std::make_shared<int>(p);
          const PushResult result = ring.TryPush(std::move(message));
          if (result == PushResult::kPushed) ++pushed;
          EXPECT_EQ(message == nullptr, result == PushResult::kPushed);
          if (result == PushResult::kClosed) return;
          if (result == PushResult::kFull) std::this_thread::yield();
        }
      });
    }
    int popped = 0;
    Semaphore ready;
    while (!ring.finished()) {
      while (ring.TryPop()) {
        if (++popped == 20 + round) ring.Close();
      }
      if (ring.OnReady([&] { ready.release(); })) ready.acquire();
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(popped, pushed);
    EXPECT_FALSE(ring.TryPop().has_value());
  }
}

TEST(Ring, SpscClosedByItsConsumer) { CloseDuringLoad<SpscRing<std::shared_ptr<int>>>(1); }
TEST(Ring, MpscClosedByItsConsumer) { CloseDuringLoad<MpscRing<std::shared_ptr<int>>>(4); }

TEST(Ring, DroppedDuringLoadFreesEverything) {
  auto shared = std::make_shared<int>(0);
  {
    MpscRing<std::shared_ptr<int>> ring(64);
    std::vector<std::thread> threads;
    for (int p = 0; p < 3; ++p) {
      threads.emplace_back([&] {
        while (ring.TryPush(shared) != PushResult::kClosed) std::this_thread::yield();
      });
    }
    for (int i = 0; i < 1000;) i += ring.TryPop().has_value();
    ring.Close();
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(shared.use_count(), 1);
}

}  // namespace
}  // namespace fermata

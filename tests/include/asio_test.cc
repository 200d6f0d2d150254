// fermata/asio.h: completion tokens, executors, cancellation, many guests on a pool.
#include "fermata/asio.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_future.hpp>
#include <asio/version.hpp>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
#if ASIO_VERSION < 102600
#include <asio/experimental/deferred.hpp>
#else
#include <asio/deferred.hpp>
#endif

#include "async_guest.h"
#include "fermata/ring.h"

namespace fermata {
namespace {

using async_tests::AsyncGuest;
using recv = AsyncGuest::net_recv;
using nap = AsyncGuest::timer_sleep;
using divmod = AsyncGuest::calc_divmod;
using std::chrono::milliseconds;

std::unique_ptr<AsyncGuest> MakeGuest() {
  auto guest = AsyncGuest::Create();
  EXPECT_TRUE(guest.ok()) << guest.status();
  return *std::move(guest);
}

asio::awaitable<int32_t> After(milliseconds time, int32_t value) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
  co_return value;
}

// Handlers for all ops; recv is what the tests are about.
template <class H>
auto With(H recv_handler) {
  return Match{recv_handler, [](nap) {}, [](divmod op) { return std::tuple(op.a0 / op.a1, 1); }};
}
const auto kSoon = With([](recv op) { return After(milliseconds(1), op.fd); });

class AsioTest : public testing::Test {
 protected:
  auto Serve(int n) {
    return [this, n] { return guest_->serve(n); };
  }
  std::unique_ptr<AsyncGuest> guest_ = MakeGuest();
  asio::io_context io_;
};

TEST_F(AsioTest, AFunctionAsToken) {
  std::optional<absl::StatusOr<int32_t>> result;
  async_call(io_, Serve(3), kSoon, [&](absl::StatusOr<int32_t> r) { result = std::move(r); });
  EXPECT_FALSE(result.has_value());
  io_.run();
  EXPECT_EQ(**result, 6);
}

TEST_F(AsioTest, UseAwaitable) {
  int32_t sum = 0;
  asio::co_spawn(
      io_,
      [&]() -> asio::awaitable<void> {
        for (int i = 0; i < 3; ++i) {
          sum += *co_await async_call(io_, Serve(3), kSoon, asio::use_awaitable);
        }
      },
      asio::detached);
  io_.run();
  EXPECT_EQ(sum, 18);
}

TEST_F(AsioTest, UseFuture) {
  auto future = async_call(io_, Serve(4), kSoon, asio::use_future);
  io_.run();
  EXPECT_EQ(*future.get(), 10);
}

TEST_F(AsioTest, Deferred) {
#if ASIO_VERSION < 102600
  using asio::experimental::deferred;
#else
  using asio::deferred;
#endif
  auto operation = async_call(io_, Serve(4), kSoon, deferred);
  EXPECT_EQ(io_.run(), 0u) << "it has not been started";
  std::optional<absl::StatusOr<int32_t>> result;
  std::move(operation)([&](absl::StatusOr<int32_t> r) { result = std::move(r); });
  io_.restart();
  io_.run();
  EXPECT_EQ(**result, 10);
}

TEST_F(AsioTest, CallsWithoutAValue) {
  int64_t slept = 0;
  const auto sleep = [&](nap op) -> asio::awaitable<void> {
    slept = op.ns;
    co_await After(milliseconds(1), 0);
  };
  auto future = async_call(
      io_, [&] { return guest_->nap(7); },
      Match{[](recv) { return 5; }, sleep, [](divmod) { return std::tuple(0, 0); }},
      asio::use_future);
  io_.run();
  EXPECT_EQ(future.get(), absl::OkStatus());
  EXPECT_EQ(slept, 5);
}

TEST_F(AsioTest, PlainAnswersAndOtherAwaitables) {
  std::optional<Reply<int32_t>> kept;
  const auto read = [&](recv op) -> Task<int32_t> {
    co_return op.fd + co_await FromCallback<int32_t>([&](Reply<int32_t> r) { kept = r; });
  };
  auto future = async_call(io_, Serve(1), With(read), asio::use_future);
  io_.run_for(milliseconds(5));
  ASSERT_TRUE(kept.has_value());
  std::thread other([&] { (*kept)(10); });
  io_.restart();
  io_.run();
  other.join();
  EXPECT_EQ(*future.get(), 11);

  auto plain = async_call(io_, Serve(5), With([](recv) { return 1; }), asio::use_future);
  io_.restart();
  io_.run();
  EXPECT_EQ(*plain.get(), 5);
}

TEST_F(AsioTest, ErrorsOfHandlers) {
  const auto run = [&](auto handler) {
    auto future = async_call(io_, Serve(2), With(handler), asio::use_future);
    io_.restart();
    io_.run();
    return future.get().status();
  };
  EXPECT_EQ(run([](recv) -> asio::awaitable<int32_t> {
              co_await After(milliseconds(1), 0);
              throw std::runtime_error("no route");
            }),
            absl::InternalError("net.recv: no route"));
  EXPECT_EQ(run([](recv) -> asio::awaitable<absl::StatusOr<int32_t>> {
              co_await After(milliseconds(1), 0);
              co_return absl::NotFoundError("nobody");
            }),
            absl::NotFoundError("net.recv: nobody"));
  EXPECT_EQ(run([](recv) -> int32_t { throw std::runtime_error("at once"); }),
            absl::InternalError("net.recv: at once"));
}

TEST_F(AsioTest, AStartThatThrows) {
  auto start = [&]() -> Step<int32_t, AsyncGuest> { throw std::runtime_error("no guest"); };
  auto future = async_call(io_, start, kSoon, asio::use_future);
  io_.run();
  EXPECT_EQ(future.get().status(), absl::InternalError("no guest"));
}

TEST_F(AsioTest, TrapsAreAborted) {
  auto future = async_call(
      io_, [&] { return guest_->crash_after_recv(1); }, kSoon, asio::use_future);
  io_.run();
  EXPECT_EQ(future.get().code(), absl::StatusCode::kAborted);
}

TEST_F(AsioTest, CancellationReachesWhatIsWaitedFor) {
  asio::cancellation_signal signal;
  std::optional<absl::StatusOr<int32_t>> result;
  const auto started = std::chrono::steady_clock::now();
  const auto forever = With([](recv) { return After(std::chrono::hours(1), 0); });
  async_call(io_, Serve(3), forever,
             asio::bind_cancellation_slot(
                 signal.slot(), [&](absl::StatusOr<int32_t> r) { result = std::move(r); }));
  asio::steady_timer timer(io_, milliseconds(5));
  timer.async_wait([&](asio::error_code) { signal.emit(asio::cancellation_type::partial); });
  io_.run();
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->status().code(), absl::StatusCode::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::minutes(1));
}

TEST_F(AsioTest, CancelledBeforeItBegins) {
  asio::cancellation_signal signal;
  std::optional<absl::StatusOr<int32_t>> result;
  int starts = 0;
  async_call(
      io_, [&] { return ++starts, guest_->serve(1); }, kSoon,
      asio::bind_cancellation_slot(signal.slot(),
                                   [&](absl::StatusOr<int32_t> r) { result = std::move(r); }));
  signal.emit(asio::cancellation_type::terminal);
  io_.run();
  EXPECT_EQ(result->status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(starts, 0);
}

TEST_F(AsioTest, TheHandlersExecutorIsUsed) {
  asio::io_context other;
  bool completed = false;
  async_call(io_, Serve(2), kSoon,
             asio::bind_executor(other, [&](absl::StatusOr<int32_t>) { completed = true; }));
  io_.run();
  EXPECT_FALSE(completed);
  other.run();
  EXPECT_TRUE(completed);
}

TEST_F(AsioTest, AContextTakesItsCallsAlong) {
  auto alive = std::make_shared<int>(0);
  {
    asio::io_context io;
    async_call(io, Serve(1), With([alive](recv) { return After(std::chrono::hours(1), *alive); }),
               [alive](absl::StatusOr<int32_t>) {});
    io.run_for(milliseconds(2));
    EXPECT_GT(alive.use_count(), 1);
  }
  EXPECT_EQ(alive.use_count(), 1);
}

TEST_F(AsioTest, AContextTakesAlongWhatWaitsForOthers) {
  auto alive = std::make_shared<int>(0);
  std::optional<Reply<int32_t>> kept;
  {
    asio::io_context io;
    const auto never = [alive, &kept](recv) {
      return FromCallback<int32_t>([&kept](Reply<int32_t> reply) { kept = reply; });
    };
    async_call(io, Serve(1), With(never), [alive](absl::StatusOr<int32_t>) {});
    io.run_for(milliseconds(2));
    EXPECT_GT(alive.use_count(), 1);
  }
  EXPECT_EQ(alive.use_count(), 1);
  (*kept)(1);  // too late
}

TEST_F(AsioTest, WhatIsNotAsiosGoesOnToItsEnd) {
  asio::cancellation_signal signal;
  std::optional<absl::StatusOr<int32_t>> result;
  std::optional<Reply<int32_t>> kept;
  const auto read = [&](recv) {
    return FromCallback<int32_t>([&](Reply<int32_t> reply) { kept = reply; });
  };
  async_call(io_, Serve(2), With(read),
             asio::bind_cancellation_slot(
                 signal.slot(), [&](absl::StatusOr<int32_t> r) { result = std::move(r); }));
  io_.run_for(milliseconds(2));
  signal.emit(asio::cancellation_type::terminal);
  io_.run_for(milliseconds(2));
  EXPECT_FALSE(result.has_value());
  (*kept)(1);
  io_.run_for(milliseconds(20));
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->status().code(), absl::StatusCode::kCancelled);
}

// Messages of a native thread, which wait in a ring; the guest's thread is free meanwhile.
TEST_F(AsioTest, ARingFeedsAGuest) {
  constexpr int kMessages = 20'000;
  SpscRing<int32_t> ring(64);
  const auto read = [&](recv) -> Task<absl::StatusOr<int32_t>> {
    while (true) {
      if (const auto message = ring.TryPop()) co_return *message;
      if (ring.finished()) co_return absl::OutOfRangeError("closed");
      co_await FromCallback([&](Reply<> reply) {
        if (!ring.OnReady([this, reply] { asio::post(io_, reply); })) reply();
      });
    }
  };
  std::thread producer([&] {
    for (int32_t i = 0; i < kMessages;) {
      if (ring.TryPush(1) == PushResult::kPushed) {
        ++i;
      } else {
        std::this_thread::yield();
      }
    }
    ring.Close();
  });
  auto all = async_call(io_, Serve(kMessages), With(read), asio::use_future);
  io_.run();
  EXPECT_EQ(*all.get(), kMessages);
  producer.join();
  auto late = async_call(io_, Serve(1), With(read), asio::use_future);
  io_.restart();
  io_.run();
  EXPECT_EQ(late.get().status(), absl::OutOfRangeError("net.recv: closed"));
}

// Two stores, each on a strand; each has many calls, and none runs on two threads at once.
TEST(AsioPool, ManyCallsOfManyGuests) {
  constexpr int kGuests = 4, kCalls = 200;
  asio::thread_pool pool(4);
  std::vector<std::unique_ptr<AsyncGuest>> guests;
  std::atomic<int> right{0}, overlaps{0};
  std::vector<std::unique_ptr<std::atomic<int>>> inside;
  for (int g = 0; g < kGuests; ++g) {
    guests.push_back(MakeGuest());
    inside.push_back(std::make_unique<std::atomic<int>>(0));
    const auto strand = asio::make_strand(pool);
    const auto read = [&overlaps, in = inside.back().get()](recv op) -> asio::awaitable<int32_t> {
      if (++*in != 1) ++overlaps;
      --*in;
      if (op.fd % 3 == 0) co_return op.fd;
      if (op.fd % 3 == 1) co_await asio::post(asio::use_awaitable);
      if (op.fd % 3 == 2) co_await After(milliseconds(1), 0);
      if (++*in != 1) ++overlaps;
      --*in;
      co_return op.fd;
    };
    for (int c = 0; c < kCalls; ++c) {
      async_call(
          strand, [guest = guests.back().get()] { return guest->serve(10); }, With(read),
          [&right](absl::StatusOr<int32_t> result) { right += result.ok() && *result == 55; });
    }
  }
  pool.join();
  EXPECT_EQ(right, kGuests * kCalls);
  EXPECT_EQ(overlaps, 0);
}

}  // namespace
}  // namespace fermata

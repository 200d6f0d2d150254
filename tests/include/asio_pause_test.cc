// fermata/asio.h and calls that are paused: turns, what a handler of Pause decides, cancellation.
#include <gtest/gtest.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_future.hpp>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "fermata/asio.h"
#include "turns_guest.h"

namespace fermata {
namespace {

using async_tests::TurnsGuest;
using note = TurnsGuest::host_note;
using std::chrono::milliseconds;

std::unique_ptr<TurnsGuest> MakeGuest() {
  auto guest = TurnsGuest::Create();
  EXPECT_TRUE(guest.ok()) << guest.status();
  return *std::move(guest);
}

asio::awaitable<void> Sleep(std::chrono::steady_clock::duration time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

class AsioPauseTest : public testing::Test {
 protected:
  StoreHandle& store() { return *guest_->store(); }

  // What a call of 100 rounds comes to that begins with fuel for five.
  template <class H>
  absl::StatusOr<int32_t> Starving(H handlers) {
    store().SetFuel(5);
    auto future = async_call(
        io_, [&] { return guest_->rounds(100); }, handlers, asio::use_future);
    io_.restart();
    io_.run();
    return future.get();
  }

  // Two calls, each of which is interrupted in each of its three rounds: whose rounds come when.
  template <class... OnPause>
  std::string Turns(OnPause... on_pause) {
    std::string order;
    const Interrupter interrupter = store().interrupter();
    for (const char name : {'a', 'b'}) {
      const auto noted = [&order, name, interrupter](note) {
        order += name;
        interrupter.Interrupt();
      };
      async_call(
          io_, [&] { return guest_->rounds(3); }, Match{noted, on_pause...},
          [&order](absl::StatusOr<int32_t> result) { order += std::to_string(*result); });
    }
    io_.run();
    return order;
  }

  std::unique_ptr<TurnsGuest> guest_ = MakeGuest();
  asio::io_context io_;
};

TEST_F(AsioPauseTest, InterruptedCallsTakeTurns) { EXPECT_EQ(Turns(), "ababab33"); }

TEST_F(AsioPauseTest, TakeTurnsWhateverTheHandlerReturns) {
  EXPECT_EQ(Turns([](Pause) { return Proceed{}; }), "ababab33");
}

TEST_F(AsioPauseTest, TakeTurnsWhileHandlersWait) {
  EXPECT_EQ(Turns([](Pause pause) -> asio::awaitable<Proceed> {
              EXPECT_EQ(pause.kind, Pause::kInterrupted);
              co_await asio::post(asio::use_awaitable);
              co_return Proceed{};
            }),
            "ababab33");
}

TEST_F(AsioPauseTest, OutOfFuelIsTheEnd) {
  int notes = 0;
  EXPECT_EQ(Starving(Match{[&](note) { ++notes; }}).status(),
            absl::ResourceExhaustedError("out of fuel"));
  EXPECT_EQ(notes, 6);
}

TEST_F(AsioPauseTest, HandlersMayRefuel) {
  int pauses = 0;
  const auto after_a_while = [&](Pause pause) -> asio::awaitable<absl::StatusOr<Proceed>> {
    EXPECT_EQ(pause.kind, Pause::kOutOfFuel);
    ++pauses;
    co_await Sleep(milliseconds(1));
    co_return Proceed{.fuel = 50};
  };
  EXPECT_EQ(*Starving(Match{[](note) {}, after_a_while}), 100);
  EXPECT_EQ(pauses, 2);

  const auto not_of_asio = [](Pause) -> Task<Proceed> { co_return Proceed{.fuel = 1000}; };
  EXPECT_EQ(*Starving(Match{[](note) {}, not_of_asio}), 100);
  EXPECT_EQ(*Starving(Match{[](note) {}, [](Pause) { return Proceed{.fuel = 1000}; }}), 100);
}

TEST_F(AsioPauseTest, ErrorsOfTheHandlerEndTheCall) {
  EXPECT_EQ(Starving(Match{[](note) {},
                           [](Pause) -> asio::awaitable<absl::StatusOr<Proceed>> {
                             co_await Sleep(milliseconds(1));
                             co_return absl::PermissionDeniedError("the account is empty");
                           }})
                .status(),
            absl::PermissionDeniedError("paused: the account is empty"));
  EXPECT_EQ(
      Starving(Match{[](note) {}, [](Pause) -> Proceed { throw std::runtime_error("no account"); }})
          .status(),
      absl::InternalError("paused: no account"));
}

TEST_F(AsioPauseTest, CancelledWhileTheHandlerWaits) {
  asio::cancellation_signal signal;
  std::optional<absl::StatusOr<int32_t>> result;
  store().SetFuel(5);
  int notes = 0;
  const auto forever = [](Pause) -> asio::awaitable<Proceed> {
    co_await Sleep(std::chrono::hours(1));
    co_return Proceed{.fuel = 1000};
  };
  async_call(
      io_, [&] { return guest_->rounds(100); }, Match{[&](note) { ++notes; }, forever},
      asio::bind_cancellation_slot(signal.slot(),
                                   [&](absl::StatusOr<int32_t> r) { result = std::move(r); }));
  asio::steady_timer timer(io_, milliseconds(5));
  timer.async_wait([&](asio::error_code) { signal.emit(asio::cancellation_type::partial); });
  io_.run();
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(notes, 6) << "the guest ran on";
}

TEST_F(AsioPauseTest, InterruptsLetCancellationReachAGuestThatRuns) {
  asio::cancellation_signal signal;
  std::optional<absl::Status> result;
  async_call(
      io_, [&] { return guest_->forever(); }, Match{[](note) {}},
      asio::bind_cancellation_slot(signal.slot(), [&](absl::Status r) { result = std::move(r); }));
  asio::steady_timer timer(io_, milliseconds(5));
  timer.async_wait([&](asio::error_code) { signal.emit(asio::cancellation_type::terminal); });
  std::atomic<bool> ended{false};
  std::thread clock([&ended, interrupter = store().interrupter()] {
    while (!ended) {
      std::this_thread::sleep_for(milliseconds(1));
      interrupter.Interrupt();
    }
  });
  io_.run();
  ended = true;
  clock.join();
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->code(), absl::StatusCode::kCancelled);
}

TEST_F(AsioPauseTest, AContextTakesPausedCallsAlong) {
  const auto alive = std::make_shared<int>(0);
  store().SetFuel(5);
  {
    asio::io_context io;
    const auto forever = [alive](Pause) -> asio::awaitable<Proceed> {
      co_await Sleep(std::chrono::hours(1));
      co_return Proceed{.fuel = 1000};
    };
    async_call(
        io, [&] { return guest_->count(100); }, Match{[](note) {}, forever},
        [alive](absl::StatusOr<int32_t>) {});
    io.run_for(milliseconds(2));
    EXPECT_GT(alive.use_count(), 1);
  }
  EXPECT_EQ(alive.use_count(), 1);
}

// Guests on strands of a pool of fewer threads, out of fuel again and again.
TEST(AsioPausePool, ManyGuestsShareThreads) {
  constexpr int kGuests = 8, kCalls = 20, kRounds = 1000;
  asio::thread_pool pool(2);
  std::vector<std::unique_ptr<TurnsGuest>> guests;
  std::atomic<int> right{0}, pauses{0};
  for (int g = 0; g < kGuests; ++g) {
    guests.push_back(MakeGuest());
    guests.back()->store()->SetFuel(100);
    const auto strand = asio::make_strand(pool);
    const auto refuel = [&pauses](Pause) {
      ++pauses;
      return Proceed{.fuel = 100};
    };
    for (int c = 0; c < kCalls; ++c) {
      async_call(
          strand, [guest = guests.back().get()] { return guest->count(kRounds); },
          Match{[](note) {}, refuel},
          [&right](absl::StatusOr<int32_t> result) { right += result.ok() && *result == kRounds; });
    }
  }
  pool.join();
  EXPECT_EQ(right, kGuests * kCalls);
  EXPECT_GE(pauses, kGuests * kCalls * (kRounds / 100 - 1));
}

}  // namespace
}  // namespace fermata

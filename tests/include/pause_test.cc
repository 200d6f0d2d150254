// Drive (fermata/coroutine.h) and calls that are paused: what happens by itself, and what a handler
// of Pause decides.
#include <gtest/gtest.h>

#include <coroutine>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fermata/activations.h"
#include "fermata/coroutine.h"
#include "turns_guest.h"

namespace fermata {
namespace {

using async_tests::TurnsGuest;
using note = TurnsGuest::host_note;

class PauseTest : public testing::Test {
 protected:
  void SetUp() override {
    auto guest = TurnsGuest::Create();
    ASSERT_TRUE(guest.ok()) << guest.status();
    guest_ = *std::move(guest);
  }
  StoreHandle& store() { return *guest_->store(); }

  // An awaitable that is resumed by RunWaiting().
  auto Later() {
    struct Awaiter {
      PauseTest& test;
      bool await_ready() const { return false; }
      void await_suspend(std::coroutine_handle<> waiting) { test.waiting_.push_back(waiting); }
      void await_resume() const {}
    };
    return Awaiter{*this};
  }
  void RunWaiting() {
    while (!waiting_.empty()) {
      const std::coroutine_handle<> next = waiting_.front();
      waiting_.pop_front();
      next.resume();
    }
  }

  std::unique_ptr<TurnsGuest> guest_;
  std::deque<std::coroutine_handle<>> waiting_;
};

TEST_F(PauseTest, InterruptedCallsRunOn) {
  const Interrupter interrupter = store().interrupter();
  int notes = 0;
  const auto interrupt = [&](note) {
    ++notes;
    interrupter.Interrupt();
  };
  EXPECT_EQ(*SyncWait(Drive(guest_->rounds(5), Match{interrupt})), 5);
  EXPECT_EQ(notes, 5);
  EXPECT_FALSE(interrupter.pending()) << "nothing was paused";
}

TEST_F(PauseTest, OutOfFuelIsTheEnd) {
  store().SetFuel(10);
  int notes = 0;
  const auto result = SyncWait(Drive(guest_->rounds(100), Match{[&](note) { ++notes; }}));
  EXPECT_EQ(result.status(), absl::ResourceExhaustedError("out of fuel"));
  EXPECT_EQ(notes, 11) << "the eleventh check is one too many";
  store().SetFuel(1000);
  EXPECT_EQ(*SyncWait(Drive(guest_->count(100), Match{[](note) {}})), 100);
}

TEST_F(PauseTest, AHandlerMayRefuel) {
  store().SetFuel(10);
  int notes = 0, pauses = 0;
  const auto refuel = [&](Pause pause) {
    EXPECT_EQ(pause.kind, Pause::kOutOfFuel);
    ++pauses;
    return Proceed{.fuel = 10};
  };
  EXPECT_EQ(*SyncWait(Drive(guest_->rounds(100), Match{refuel, [&](note) { ++notes; }})), 100);
  EXPECT_EQ(notes, 100);
  EXPECT_EQ(pauses, 9);

  // Without fuel each check is a pause.
  store().SetFuel(1);
  pauses = 0;
  const auto next_check = [&](Pause) { return ++pauses, Proceed{}; };
  EXPECT_EQ(*SyncWait(Drive(guest_->count(50), Match{next_check, [](note) {}})), 50);
  EXPECT_EQ(pauses, 49);
}

TEST_F(PauseTest, CallsTakeTurnsWhileHandlersWait) {
  const Interrupter interrupter = store().interrupter();
  std::string order;
  const auto call = [&](char name) {
    const auto noted = [&order, name, interrupter](note) {
      order += name;
      interrupter.Interrupt();
    };
    const auto slice_over = [this](Pause pause) -> Task<Proceed> {
      EXPECT_EQ(pause.kind, Pause::kInterrupted);
      co_await Later();
      co_return Proceed{};
    };
    return Drive(guest_->rounds(3), Match{noted, slice_over});
  };
  auto first = call('a'), second = call('b');
  first.Start();
  second.Start();
  RunWaiting();
  EXPECT_EQ(*first.Get() + *second.Get(), 6);
  EXPECT_EQ(order, "ababab");
}

TEST_F(PauseTest, ErrorsOfTheHandlerEndTheCall) {
  const auto run = [&](auto handler) {
    store().SetFuel(5);
    return SyncWait(Drive(guest_->count(100), Match{handler, [](note) {}})).status();
  };
  EXPECT_EQ(run([](Pause) -> absl::StatusOr<Proceed> {
              return absl::PermissionDeniedError("the account is empty");
            }),
            absl::PermissionDeniedError("paused: the account is empty"));
  EXPECT_EQ(run([](Pause) -> Task<Proceed> {
              throw std::runtime_error("no account");
              co_return Proceed{};
            }),
            absl::InternalError("paused: no account"));
  EXPECT_EQ(run([](Pause) -> Proceed { throw std::runtime_error("at once"); }),
            absl::InternalError("paused: at once"));
}

TEST_F(PauseTest, DroppedWhilePaused) {
  const auto alive = std::make_shared<int>(0);
  store().SetFuel(5);
  int notes = 0;
  {
    const auto wait = [this, alive](Pause) -> Task<Proceed> {
      const std::shared_ptr<int> held = alive;
      co_await Later();
      co_return Proceed{.fuel = 100};
    };
    auto call = Drive(guest_->rounds(50), Match{wait, [&](note) { ++notes; }});
    call.Start();
    EXPECT_FALSE(call.done());
    EXPECT_EQ(waiting_.size(), 1u);
    EXPECT_GT(alive.use_count(), 1);
  }
  EXPECT_EQ(alive.use_count(), 1);
  EXPECT_EQ(notes, 6) << "guest code ran after the call was dropped";
}

TEST_F(PauseTest, AStopTokenEndsAPausedCall) {
  std::stop_source stop;
  store().SetFuel(5);
  int notes = 0;
  const auto wait = [this](Pause) -> Task<Proceed> {
    co_await Later();
    co_return Proceed{.fuel = 100};
  };
  auto call = Drive(guest_->rounds(50), Match{wait, [&](note) { ++notes; }}, stop.get_token());
  call.Start();
  stop.request_stop();
  EXPECT_EQ(notes, 6);
  RunWaiting();
  EXPECT_EQ(call.Get().status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(notes, 6) << "the guest ran on";
}

TEST_F(PauseTest, ARunningCallIsStoppedFromAnotherThread) {
  std::stop_source stop;
  std::thread watchdog([stop, interrupter = store().interrupter()]() mutable {
    stop.request_stop();
    interrupter.Interrupt();
  });
  const absl::Status status =
      SyncWait(Drive(guest_->forever(), Match{[](note) {}}, stop.get_token()));
  watchdog.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
}

TEST_F(PauseTest, DynamicSteps) {
  const Value hundred[] = {Value::I32(100)};
  const auto none = [](const DynamicStep&) { return std::vector<Value>(); };
  const auto begin = [&](uint64_t fuel) {
    store().SetFuel(fuel);
    return *guest_->instance()->Call("count", hundred);
  };
  EXPECT_EQ(SyncWait(Drive(begin(5), none)).status(), absl::ResourceExhaustedError("out of fuel"));

  int pauses = 0;
  const auto refuel = [&](Pause) -> Task<Proceed> {
    ++pauses;
    co_return Proceed{.fuel = 50};
  };
  const auto results = SyncWait(Drive(begin(5), Match{none, refuel}));
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ((*results)[0].i32(), 100u);
  EXPECT_EQ(pauses, 2);

  store().SetFuel(~uint64_t{0});
  store().interrupter().Interrupt();
  EXPECT_TRUE(SyncWait(Drive(*guest_->instance()->Call("count", hundred), none)).ok());
  EXPECT_FALSE(store().interrupter().pending());
}

TEST_F(PauseTest, ActivationsThatQueue) {
  auto calls = Activations<TurnsGuest>::Create(*guest_, {.stack = ActivationOptions::kNone});
  ASSERT_TRUE(calls.ok()) << calls.status();
  auto rounds = (*calls)->Export(&TurnsGuest::rounds, Reentry::kQueue);
  const Interrupter interrupter = store().interrupter();
  std::string order;
  const auto call = [&](char name) {
    const auto noted = [&order, name, interrupter](note) {
      order += name;
      interrupter.Interrupt();
    };
    const auto slice_over = [this](Pause) -> Task<Proceed> {
      co_await Later();
      co_return Proceed{};
    };
    return Drive(rounds(3), Match{noted, slice_over});
  };
  auto first = call('a'), second = call('b');
  first.Start();
  second.Start();
  RunWaiting();
  EXPECT_EQ(*first.Get() + *second.Get(), 6);
  EXPECT_EQ(order, "aaabbb") << "a paused call keeps its turn";
  EXPECT_EQ((*calls)->in_progress(), 0u);
}

}  // namespace
}  // namespace fermata

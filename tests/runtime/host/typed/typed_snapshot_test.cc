// The typed API over instances that were restored or forked: Guest::Bind_, Guest::Of_, TypedStep.
// The guests are those of typed_api_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "fermata/answering.h"
#include "fermata/snapshot.h"
#include "starting_guest.h"
#include "typed_guest.h"

namespace {

using fermata::DynamicStep;
using fermata::RestoredStore;
using fermata::RestoreHost;
using fermata::Step;
using fermata::TypedStep;
using fermata::V128;
using testing::HasSubstr;
using typed::guests::Echo;
using typed::guests::EchoHost;
using typed::guests::Starting;

class TestHost : public EchoHost {
 public:
  explicit TestHost(int64_t now = 1000) : time(now) {}
  int64_t env_clock() override { return time += 100; }
  void env_log(int32_t, float, double) override { ++logged; }
  V128 env_shuffle(V128 a0, int32_t) override { return a0; }
  std::tuple<int64_t, V128> env_halves(V128 a0) override { return {0, a0}; }
  std::tuple<int32_t, double> env_pair(int64_t) override { return {0, 0}; }

  int64_t time;
  int logged = 0;
};

class TypedSnapshot : public testing::Test {
 protected:
  void SetUp() override {
    auto made = Echo::Create(host_);
    ASSERT_TRUE(made.ok()) << made.status();
    echo_ = *std::move(made);
  }
  template <class R>
  std::string Save(Step<R, Echo>& step) {
    const DynamicStep* steps[] = {&step.dynamic()};
    absl::StatusOr<std::string> bytes = fermata::Save(*echo_->store(), steps);
    EXPECT_TRUE(bytes.ok()) << bytes.status();
    return bytes.ok() ? *std::move(bytes) : "";
  }
  // What restores guests for `host`.
  static RestoreHost HostOf(EchoHost& host) {
    RestoreHost result;
    result.modules = {&typed::guests::EchoModuleInfo(), &typed::guests::StartingModuleInfo()};
    result.imports.emplace_back();
    Echo::Bind_(host, result.imports[0]);
    return result;
  }

  TestHost host_{1000};
  std::unique_ptr<Echo> echo_;
};

TEST_F(TypedSnapshot, GoesOnWithAnotherHost) {
  ASSERT_TRUE(echo_->count().finished());
  std::memcpy(echo_->memory().Span(64, 5).data(), "bytes", 5);
  Step<int64_t, Echo> before = echo_->timed_recv();
  ASSERT_TRUE(before.suspended());
  const std::string bytes = Save(before);
  before.Cancel();
  echo_ = nullptr;

  TestHost other(5000);
  absl::StatusOr<RestoredStore> restored = fermata::Restore(bytes, HostOf(other));
  ASSERT_TRUE(restored.ok()) << restored.status();
  const std::unique_ptr<Echo> echo = Echo::Of_(*restored->instances[0]);
  ASSERT_NE(echo, nullptr);
  EXPECT_EQ(echo->counter().Get(), 6);
  EXPECT_EQ(std::memcmp(echo->memory().Span(64, 5).data(), "bytes", 5), 0);

  auto step = TypedStep<int64_t, Echo>(std::move(restored->steps[0]));
  ASSERT_TRUE(step.ok()) << step.status();
  ASSERT_NE(step->op_if<Echo::net_recv>(), nullptr);
  EXPECT_EQ(step->op_if<Echo::net_recv>()->fd, 9);
  ASSERT_TRUE(step->Resume<Echo::net_recv>(1).ok());
  ASSERT_TRUE(step->finished()) << step->message();
  EXPECT_EQ(step->value(), 5100 - 1100)
      << "the clock before is the first host's, after the other's";
  ASSERT_TRUE(echo->report(1).finished());
  EXPECT_EQ(other.logged, 1);
  EXPECT_EQ(host_.logged, 0);
}

TEST_F(TypedSnapshot, BindLeavesWhatIsBound) {
  struct Clock {
    std::optional<int64_t> Now() { return 7; }
  } clock;
  auto step = echo_->timed_recv();
  const std::string bytes = Save(step);
  TestHost other(5000);
  RestoreHost host;
  host.modules = {&typed::guests::EchoModuleInfo()};
  host.imports.emplace_back();
  fermata::AddAnswering<&Clock::Now>(host.imports[0], "env", "clock", clock);
  Echo::Bind_(other, host.imports[0]);
  absl::StatusOr<RestoredStore> restored = fermata::Restore(bytes, host);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(Echo::Of_(*restored->instances[0])->now().value(), 7);
  EXPECT_EQ(other.time, 5000) << "the host's own clock was asked";
}

TEST_F(TypedSnapshot, WithoutBindImmediateImportsAreMissing) {
  auto step = echo_->timed_recv();
  const std::string bytes = Save(step);
  RestoreHost host;
  host.modules = {&typed::guests::EchoModuleInfo()};
  const absl::Status status = fermata::Restore(bytes, host).status();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("env"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("clock"));
}

TEST_F(TypedSnapshot, OfAnotherModuleIsNull) {
  fermata::StoreHandle store;
  fermata::Imports imports;
  imports.Add("env", "step", *store.MakeGlobal(fermata::Value::I32(2), false));
  auto starting = Starting::Create(store, std::move(imports));
  ASSERT_TRUE(starting.ok()) << starting.status();
  EXPECT_EQ(Echo::Of_(*(*starting)->instance()), nullptr);
  EXPECT_NE(Starting::Of_(*(*starting)->instance()), nullptr);
  EXPECT_EQ(Starting::Of_(*echo_->instance()), nullptr);
}

TEST_F(TypedSnapshot, TypedStepsHaveTheirResults) {
  auto step = echo_->timed_recv();
  const std::string bytes = Save(step);
  const auto restore = [&] {
    absl::StatusOr<RestoredStore> restored = fermata::Restore(bytes, HostOf(host_));
    EXPECT_TRUE(restored.ok()) << restored.status();
    return *std::move(restored);
  };
  const auto expect_refused = [&](auto typed_step) {
    RestoredStore restored = restore();
    EXPECT_EQ(typed_step(std::move(restored.steps[0])).status().code(),
              absl::StatusCode::kInvalidArgument);
  };
  expect_refused([](DynamicStep s) { return TypedStep<int32_t, Echo>(std::move(s)); });
  expect_refused([](DynamicStep s) { return TypedStep<void, Echo>(std::move(s)); });
  expect_refused(
      [](DynamicStep s) { return TypedStep<std::tuple<int64_t, int64_t>, Echo>(std::move(s)); });
  expect_refused([](DynamicStep) { return TypedStep<int64_t, Echo>(DynamicStep()); });
  RestoredStore right = restore();
  EXPECT_TRUE((TypedStep<int64_t, Echo>(std::move(right.steps[0])).ok()));
}

// A step taken for that of another guest has no op of it, so it can't be answered as one.
TEST_F(TypedSnapshot, AStepOfAnotherGuestIsForeign) {
  auto step = echo_->timed_recv();
  absl::StatusOr<RestoredStore> restored = fermata::Restore(Save(step), HostOf(host_));
  ASSERT_TRUE(restored.ok()) << restored.status();
  auto wrong = TypedStep<int64_t, Starting>(std::move(restored->steps[0]));
  ASSERT_TRUE(wrong.ok()) << wrong.status();
  EXPECT_TRUE(wrong->suspended());
  EXPECT_TRUE(wrong->foreign());
}

TEST_F(TypedSnapshot, ForksGoTheirOwnWays) {
  auto step = echo_->serve(1);
  const DynamicStep* steps[] = {&step.dynamic()};
  absl::StatusOr<RestoredStore> fork = fermata::Fork(*echo_->store(), steps);
  ASSERT_TRUE(fork.ok()) << fork.status();
  const std::unique_ptr<Echo> other = Echo::Of_(*fork->instances[0]);
  ASSERT_NE(other, nullptr);
  ASSERT_TRUE(other->count().finished());
  EXPECT_EQ(other->counter().Get(), 6);
  EXPECT_EQ(echo_->counter().Get(), 5);
  auto forked = TypedStep<int32_t, Echo>(std::move(fork->steps[0]));
  ASSERT_TRUE(forked.ok()) << forked.status();
  ASSERT_TRUE(forked->Resume<Echo::net_recv>(20).ok());
  ASSERT_TRUE(step.Resume<Echo::net_recv>(10).ok());
  EXPECT_EQ(forked->value(), 20);
  EXPECT_EQ(step.value(), 10);
  EXPECT_EQ(other->now().value(), 1100) << "forks share the host";
  EXPECT_EQ(echo_->now().value(), 1200);
}

}  // namespace

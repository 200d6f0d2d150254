// Calls that are held when their store is destroyed: each says so, and nothing of the store is
// touched.
#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "fermata/step.h"
#include "starting_guest.h"
#include "typed_guest.h"

namespace fermata {
namespace {

using ::typed::guests::Echo;
using ::typed::guests::EchoHost;
using ::typed::guests::Starting;

constexpr char kOutlived[] = "the call has outlived its store";

struct Host : EchoHost {
  int64_t env_clock() override { return 0; }
  void env_log(int32_t, float, double) override {}
  V128 env_shuffle(V128 v, int32_t) override { return v; }
  std::tuple<int64_t, V128> env_halves(V128 v) override { return {0, v}; }
  std::tuple<int32_t, double> env_pair(int64_t) override { return {0, 0}; }
};

class StepLifetime : public testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<Echo>> made = Echo::Create(host_);
    ASSERT_TRUE(made.ok()) << made.status();
    echo_ = *std::move(made);
  }
  DynamicStep Serve() {
    absl::StatusOr<DynamicStep> step = echo_->instance()->Call("serve", {{Value::I32(3)}});
    EXPECT_TRUE(step.ok() && step->suspended()) << step.status();
    return *std::move(step);
  }

  Host host_;
  std::unique_ptr<Echo> echo_;
};

TEST_F(StepLifetime, ADynamicStepHasTrapped) {
  DynamicStep step = Serve();
  echo_.reset();
  EXPECT_FALSE(step.suspended());
  EXPECT_TRUE(step.trapped());
  EXPECT_EQ(step.trap(), Trap::kHost);
  EXPECT_EQ(step.message(), kOutlived);
  EXPECT_EQ(step.exception(), nullptr);
  EXPECT_EQ(step.frame_bytes(), 0u);
  EXPECT_EQ(step.depth(), 0u);
  EXPECT_EQ(step.op_instance(), nullptr);
  EXPECT_TRUE(step.op_arguments().empty());
  EXPECT_EQ(step.op_module(), "");
  EXPECT_EQ(step.raw_activation(), nullptr);
  EXPECT_TRUE(step.backtrace().frames.empty());
}

TEST_F(StepLifetime, GoingOnWithADynamicStepIsAnError) {
  std::vector<DynamicStep> steps;
  for (int i = 0; i < 6; ++i) steps.push_back(Serve());
  absl::StatusOr<DynamicStep> clone = steps[0].Clone();
  ASSERT_TRUE(clone.ok()) << clone.status();
  echo_.reset();
  const Value answer = Value::I32(1);
  for (const absl::Status& status :
       {steps[0].Resume({&answer, 1}), steps[1].Continue(), steps[2].Refuel(5),
        steps[3].Throw("late"), steps[4].Clone().status(), clone->Resume({&answer, 1})}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(status.message(), kOutlived);
  }
  steps[5].Cancel();
  EXPECT_EQ(steps[5].trap(), Trap::kCancelled);
}

TEST_F(StepLifetime, ATypedStepFindsOutWhenItGoesOn) {
  Step<int32_t, Echo> resumed = echo_->serve(3), thrown = echo_->serve(3);
  Step<int32_t, Echo> cancelled = echo_->serve(3), answered = echo_->serve(3);
  echo_.reset();
  EXPECT_EQ(resumed.Resume<Echo::net_recv>(1).message(), kOutlived);
  EXPECT_EQ(thrown.Throw("late").message(), kOutlived);
  for (const Step<int32_t, Echo>* step : {&resumed, &thrown}) {
    EXPECT_TRUE(step->trapped());
    EXPECT_EQ(step->trap(), Trap::kHost);
    EXPECT_EQ(step->message(), kOutlived);
  }
  cancelled.Cancel();
  EXPECT_EQ(cancelled.trap(), Trap::kCancelled);
  int asked = 0;
  while (answered.suspended()) {  // it comes to an end
    EXPECT_FALSE(answered.Answer([&](const auto& op) {
      ++asked;
      return typename std::decay_t<decltype(op)>::Result();
    }));
  }
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(answered.message(), kOutlived);
}

TEST_F(StepLifetime, WhatHasEndedStaysAsItWas) {
  Step<int32_t, Echo> sum = echo_->serve(0);
  absl::StatusOr<DynamicStep> finished =
      echo_->instance()->Call("add", {{Value::I32(40), Value::I32(2)}});
  absl::StatusOr<DynamicStep> crashed = echo_->instance()->Call("crash", {});
  ASSERT_TRUE(finished.ok() && crashed.ok());
  echo_.reset();
  EXPECT_EQ(sum.value(), 0);
  ASSERT_TRUE(finished->finished());
  EXPECT_EQ(finished->results()[0].i32(), 42u);
  EXPECT_EQ(finished->signature().params.size(), 2u);
  EXPECT_EQ(crashed->trap(), Trap::kUnreachable);
  EXPECT_TRUE(crashed->backtrace().frames.empty());
}

TEST_F(StepLifetime, AStartFunctionMayOutliveItsStore) {
  auto store = std::make_unique<StoreHandle>();
  absl::StatusOr<Extern> global = store->MakeGlobal(Value::I32(3), false);
  ASSERT_TRUE(global.ok()) << global.status();
  Imports imports;
  imports.Add("env", "step", *global);
  absl::StatusOr<std::unique_ptr<Starting>> made = Starting::Create(*store, imports);
  ASSERT_TRUE(made.ok()) << made.status();
  absl::StatusOr<DynamicStep> cancelled = (*made)->instance()->Start();
  ASSERT_TRUE(cancelled.ok() && cancelled->suspended()) << cancelled.status();
  store.reset();
  cancelled->Cancel();
  EXPECT_EQ(cancelled->trap(), Trap::kCancelled);
}

TEST_F(StepLifetime, StepsEndOnAnyThreadBeforeAndAfterTheirStore) {
  std::vector<DynamicStep> here, there;
  for (int i = 0; i < 1000; ++i) {
    here.push_back(Serve());
    there.push_back(Serve());
  }
  std::thread other([&] { there.clear(); });
  echo_.reset();
  here.clear();
  other.join();
}

}  // namespace
}  // namespace fermata

// fermata/activations.h: stacks of their own, turns, threads. And activations that are driven.
#include "fermata/activations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "fermata/coroutine.h"
#include "stack_guest.h"

namespace fermata {
namespace {

using async_tests::StackGuest;
using pause = StackGuest::host_pause;
using fill = StackGuest::host_fill;
using Call = Activation<Step<int32_t, StackGuest>>;
using testing::HasSubstr;

const ActivationOptions kSeparate{.stack = ActivationOptions::kSeparate, .stack_bytes = 4096};

class ActivationsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto guest = StackGuest::Create();
    ASSERT_TRUE(guest.ok()) << guest.status();
    guest_ = *std::move(guest);
  }
  std::unique_ptr<Activations<StackGuest>> Make(const ActivationOptions& options) {
    auto calls = Activations<StackGuest>::Create(*guest_, options);
    EXPECT_TRUE(calls.ok()) << calls.status();
    return *std::move(calls);
  }
  // Where the guest's stack pointer is now.
  int32_t Where() {
    auto step = guest_->where();
    EXPECT_TRUE(step.Resume<pause>(0).ok());
    return step.value();
  }
  std::unique_ptr<StackGuest> guest_;
};

// Starts calls of keep(), resumes them in an order that is no stack's, and sums up what they found
// changed.
template <class Export>
int Interleave(const Export& keep) {
  constexpr int kCalls = 20, kRounds = 5;
  std::vector<Call> calls;
  for (int i = 0; i < kCalls; ++i) calls.push_back(*keep(i, kRounds));
  for (int r = 0; r < kRounds; ++r) {
    for (int i = 0; i < kCalls; ++i) {
      EXPECT_TRUE(calls[(i * 7 + r) % kCalls].template Resume<pause>(0).ok());
    }
  }
  int wrong = 0;
  for (Call& call : calls) {
    EXPECT_TRUE(call.finished()) << call.status();
    wrong += call.value();
  }
  return wrong;
}

TEST_F(ActivationsTest, SeparateStacksKeepWhatIsOnThem) {
  auto calls = Make(kSeparate);
  const int32_t before = Where();
  const auto keep = calls->Export(&StackGuest::keep);
  EXPECT_EQ(Interleave(keep), 0);
  EXPECT_EQ(calls->stacks_made(), 20u);
  EXPECT_EQ(Interleave(keep), 0);
  EXPECT_EQ(calls->stacks_made(), 20u) << "they are used again";
  EXPECT_EQ(calls->in_progress(), 0u);
  EXPECT_EQ(Where(), before);
}

TEST_F(ActivationsTest, SavedPointersDoNotDrift) {
  const int32_t before = Where();
  auto calls = Make({});
  EXPECT_NE(Interleave(calls->Export(&StackGuest::keep)), 0) << "all use the same memory";
  EXPECT_EQ(Where(), before);
}

TEST_F(ActivationsTest, ATrapRestoresThePointer) {
  const int32_t before = Where();
  for (const ActivationOptions& options : {ActivationOptions(), kSeparate}) {
    auto calls = Make(options);
    auto call = *calls->Export(&StackGuest::crash)();
    ASSERT_TRUE(call.Resume<pause>(0).ok());
    EXPECT_TRUE(call.trapped());
    EXPECT_EQ(call.trap(), Trap::kUnreachable);
    EXPECT_EQ(calls->in_progress(), 0u);
    EXPECT_EQ(Where(), before);
  }
}

TEST_F(ActivationsTest, CallsThatCannotSuspend) {
  const int32_t before = Where();
  auto calls = Make(kSeparate);
  const auto crash_now = calls->Export(&StackGuest::crash_now);
  auto waiting = *calls->Export(&StackGuest::keep)(1, 1);
  EXPECT_EQ(crash_now(0).value(), 0);
  EXPECT_EQ(crash_now(1).trap(), Trap::kUnreachable);
  EXPECT_EQ(Where(), before);
  ASSERT_TRUE(waiting.Resume<pause>(0).ok());
  EXPECT_EQ(waiting.value(), 0);
}

TEST_F(ActivationsTest, CancelledAndDestroyedCallsGiveUpTheirStacks) {
  auto calls = Make(kSeparate);
  const auto keep = calls->Export(&StackGuest::keep);
  for (int i = 0; i < 10; ++i) {
    auto cancelled = *keep(1, 1);
    auto destroyed = *keep(2, 1);
    EXPECT_EQ(calls->in_progress(), 2u);
    cancelled.Cancel();
    EXPECT_EQ(cancelled.trap(), Trap::kCancelled);
    EXPECT_EQ(calls->in_progress(), 1u);
    Call moved = std::move(destroyed);
    EXPECT_TRUE(moved.suspended());
  }
  EXPECT_EQ(calls->in_progress(), 0u);
  EXPECT_EQ(calls->stacks_made(), 2u);
}

TEST_F(ActivationsTest, AStackThatIsTooSmallIsFoundOut) {
  auto calls = Make(kSeparate);
  const auto descend = calls->Export(&StackGuest::descend);
  auto fits = *descend(6);
  EXPECT_TRUE(fits.suspended());
  auto overflows = *descend(12);
  EXPECT_FALSE(overflows.suspended());
  EXPECT_TRUE(overflows.trapped());
  EXPECT_EQ(overflows.trap(), Trap::kHost);
  EXPECT_THAT(overflows.message(), HasSubstr("more stack than its region has"));
  EXPECT_EQ(overflows.status().code(), absl::StatusCode::kAborted);
  EXPECT_FALSE(overflows.Resume<pause>(0).ok());
}

TEST_F(ActivationsTest, NoMoreStacksThanAllowed) {
  ActivationOptions options = kSeparate;
  options.max_stacks = 2;
  auto calls = Make(options);
  const auto keep = calls->Export(&StackGuest::keep);
  auto first = *keep(1, 1);
  auto second = *keep(1, 1);
  EXPECT_EQ(keep(1, 1).status().code(), absl::StatusCode::kResourceExhausted);
  second.Cancel();
  EXPECT_TRUE(keep(1, 1).ok());

  auto limited = StackGuest::Create(Limits{.memory_pages = 3});
  ASSERT_TRUE(limited.ok());
  auto few = *Activations<StackGuest>::Create(
      **limited, {.stack = ActivationOptions::kSeparate, .stack_bytes = 64 * 1024});
  const auto keep_few = few->Export(&StackGuest::keep);
  auto only = *keep_few(1, 1);
  EXPECT_EQ(keep_few(1, 1).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(ActivationsTest, StacksFromTheGuest) {
  ActivationOptions options = kSeparate;
  uint64_t next = 1024;
  options.allocate_stack = [&](uint64_t bytes) -> absl::StatusOr<uint64_t> {
    EXPECT_EQ(bytes, 4096u);
    return std::exchange(next, next + bytes);
  };
  auto calls = Make(options);
  auto call = *calls->Export(&StackGuest::where)();
  const auto [where] = std::get<pause>(call.op());
  EXPECT_GT(where, 1024);
  EXPECT_LE(where, 1024 + 4096);

  options.allocate_stack = [](uint64_t) -> absl::StatusOr<uint64_t> { return 8; };
  EXPECT_EQ(Make(options)->Export(&StackGuest::where)().status().code(),
            absl::StatusCode::kInvalidArgument);
  options.allocate_stack = [](uint64_t) { return absl::UnavailableError("full"); };
  EXPECT_EQ(Make(options)->Export(&StackGuest::where)().status().code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(ActivationsTest, StacksFromTheGuestsAllocator) {
  ActivationOptions options = kSeparate;
  options.stack_allocator = "allocate";
  auto calls = Make(options);
  const auto keep = calls->Export(&StackGuest::keep);
  auto first = *keep(1, 1);
  auto second = *keep(2, 1);
  EXPECT_EQ(keep(3, 1).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(first.Resume<pause>(0).ok() && second.Resume<pause>(0).ok());
  EXPECT_EQ(first.value() + second.value(), 0);

  options.stack_allocator = "nothing";
  EXPECT_EQ(Make(options)->Export(&StackGuest::keep)(1, 1).status().code(),
            absl::StatusCode::kNotFound);
  options.stack_allocator = "allocate_and_wait";
  EXPECT_EQ(Make(options)->Export(&StackGuest::keep)(1, 1).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(ActivationsTest, WhatIsNoStackPointer) {
  const auto create = [&](const ActivationOptions& options) {
    return Activations<StackGuest>::Create(*guest_, options).status().code();
  };
  EXPECT_EQ(create({.stack_pointer = 0}), absl::StatusCode::kOk);
  EXPECT_EQ(create({.stack_pointer = 1}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(create({.stack = ActivationOptions::kSeparate, .stack_bytes = 100}),
            absl::StatusCode::kInvalidArgument);
  auto step = guest_->where();  // the pointer is not where it was, but still one
  EXPECT_EQ(create({}), absl::StatusCode::kOk);
}

TEST_F(ActivationsTest, ForbiddenReentry) {
  auto calls = Make(kSeparate);
  const auto keep = calls->Export(&StackGuest::keep, Reentry::kForbid);
  const auto receive = calls->Export(&StackGuest::receive, keep);
  const auto where = calls->Export(&StackGuest::where);
  auto first = *keep(1, 1);
  EXPECT_EQ(keep(2, 1).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(receive(2).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(where().ok()) << "another export";
  ASSERT_TRUE(first.Resume<pause>(0).ok());
  EXPECT_TRUE(first.finished());
  EXPECT_TRUE(receive(3).ok());
  EXPECT_TRUE(keep(3, 1).ok());
}

TEST_F(ActivationsTest, QueuedReentry) {
  auto calls = Make(kSeparate);
  const auto keep = calls->Export(&StackGuest::keep, Reentry::kQueue);
  auto first = *keep(1, 1);
  auto second = *keep(2, 1);
  auto third = *keep(3, 1);
  auto fourth = *keep(4, 1);
  EXPECT_TRUE(first.suspended());
  EXPECT_TRUE(second.queued() && third.queued() && fourth.queued());
  EXPECT_FALSE(second.suspended() || second.finished() || second.trapped());
  EXPECT_EQ(calls->in_progress(), 1u);
  EXPECT_EQ(second.Begin().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(second.Resume<pause>(0).code(), absl::StatusCode::kFailedPrecondition);

  std::vector<int> turns;
  second.OnTurn([&] { turns.push_back(2); });
  third.OnTurn([&] { turns.push_back(3); });
  fourth.OnTurn([&] {
    turns.push_back(4);
    EXPECT_TRUE(fourth.Begin().ok());
  });
  ASSERT_TRUE(first.Resume<pause>(0).ok());
  EXPECT_EQ(turns, (std::vector<int>{2}));
  EXPECT_TRUE(second.ready());
  EXPECT_FALSE(third.ready());
  third.Cancel();  // leaves the queue
  EXPECT_FALSE(third.queued());
  ASSERT_TRUE(second.Begin().ok());
  EXPECT_EQ(second.Begin().code(), absl::StatusCode::kFailedPrecondition);
  second.Cancel();
  EXPECT_EQ(turns, (std::vector<int>{2, 4}));
  EXPECT_TRUE(fourth.suspended());
  ASSERT_TRUE(fourth.Resume<pause>(0).ok());
  EXPECT_EQ(fourth.value(), 0);
}

const auto kFillNow = [](StackGuest& guest) {
  return [&guest](fill op) {
    const auto to = guest.memory().Span(static_cast<uint32_t>(op.a0), op.a1);
    std::memset(to.data(), op.a2, to.size());
  };
};

TEST_F(ActivationsTest, QueuedCallsAreDriven) {
  auto calls = Make(kSeparate);
  const auto keep = calls->Export(&StackGuest::keep, Reentry::kQueue);
  std::vector<Reply<int32_t>> waiting;
  const auto later = [&](pause) {
    return FromCallback<int32_t>([&](Reply<int32_t> reply) { waiting.push_back(reply); });
  };
  std::vector<Task<absl::StatusOr<int32_t>>> tasks;
  for (int i = 0; i < 5; ++i) {
    tasks.push_back(Drive(keep(i, 2), Match{later, kFillNow(*guest_)}));
    tasks.back().Start();
  }
  tasks[2] = {};  // a queued one is dropped
  int answered = 0;
  for (; !waiting.empty(); ++answered) {
    EXPECT_EQ(waiting.size(), 1u) << "one at a time";
    std::exchange(waiting, {})[0](0);
  }
  EXPECT_EQ(answered, 8);
  for (int i : {0, 1, 3, 4}) EXPECT_EQ(*tasks[i].Get(), 0);
}

TEST_F(ActivationsTest, AThousandQueuedCallsThatEndAtOnce) {
  auto calls = Make(kSeparate);
  const auto keep = calls->Export(&StackGuest::keep, Reentry::kQueue);
  auto first = *keep(1, 1);
  std::vector<Task<absl::StatusOr<int32_t>>> tasks;
  for (int i = 0; i < 1000; ++i) {
    tasks.push_back(Drive(keep(i, 1), Match{[](pause) { return 0; }, kFillNow(*guest_)}));
    tasks.back().Start();
    EXPECT_FALSE(tasks.back().done());
  }
  ASSERT_TRUE(first.Resume<pause>(0).ok());
  for (auto& task : tasks) EXPECT_EQ(*task.Get(), 0);
  EXPECT_EQ(calls->stacks_made(), 1u);
}

TEST_F(ActivationsTest, TheHostWritesIntoAStack) {
  auto calls = Make(kSeparate);
  const auto receive = calls->Export(&StackGuest::receive);
  std::vector<Call> many;
  for (int i = 0; i < 50; ++i) many.push_back(*receive(i));
  for (int i = 49; i >= 0; --i) {
    const fill op = std::get<fill>(many[i].op());
    kFillNow (*guest_)(op);
    ASSERT_TRUE(many[i].Resume<fill>().ok());
    EXPECT_EQ(many[i].value(), 100 * i);
  }
}

TEST_F(ActivationsTest, MovedToOtherThreads) {
  auto calls = Make(kSeparate);
  const auto keep = calls->Export(&StackGuest::keep);
  std::vector<Call> many;
  for (int i = 0; i < 8; ++i) many.push_back(*keep(i, 4));
  for (int r = 0; r < 4; ++r) {
    std::thread([&] {
      for (Call& call : many) {
        Call here = std::move(call);
        ASSERT_TRUE(here.Resume<pause>(0).ok());
        call = std::move(here);
      }
    }).join();
  }
  for (Call& call : many) EXPECT_EQ(call.value(), 0);
}

TEST_F(ActivationsTest, Dynamic) {
  auto calls = DynamicActivations::Create(*guest_->instance(), kSeparate);
  ASSERT_TRUE(calls.ok()) << calls.status();
  EXPECT_EQ((*calls)->Export("nothing").status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE((*calls)->Export("memory").ok());
  const auto keep = *(*calls)->Export("keep", Reentry::kForbid);
  EXPECT_EQ(keep({}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ((*calls)->in_progress(), 0u);
  auto call = keep({Value::I32(5), Value::I32(1)});
  ASSERT_TRUE(call.ok()) << call.status();
  EXPECT_EQ(call->step().op_name(), "pause");
  EXPECT_EQ(keep({Value::I32(5), Value::I32(1)}).status().code(),
            absl::StatusCode::kFailedPrecondition);
  const Value zero[] = {Value::I32(0)};
  ASSERT_TRUE(call->Resume(zero).ok());
  EXPECT_EQ(call->results()[0].i32(), 0u);
  EXPECT_EQ((*calls)->in_progress(), 0u);
}

}  // namespace
}  // namespace fermata

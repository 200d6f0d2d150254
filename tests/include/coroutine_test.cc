// fermata/coroutine.h and task.h. The guest is that of typed_api_test.cc (tests/runtime/host/typed).
#include "fermata/coroutine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "async_guest.h"

namespace fermata {
namespace {

using async_tests::AsyncGuest;
using recv = AsyncGuest::net_recv;
using nap = AsyncGuest::timer_sleep;
using divmod = AsyncGuest::calc_divmod;
using testing::HasSubstr;

// Resumes what waits for it, one after the other.
class Loop {
 public:
  struct Turn {
    Loop& loop;
    int value;
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiting) { loop.ready_.push_back(waiting); }
    int32_t await_resume() const { return value; }
  };
  Turn Give(int value) { return {*this, value}; }
  bool RunOne() {
    if (ready_.empty()) return false;
    const std::coroutine_handle<> next = ready_.front();
    ready_.pop_front();
    next.resume();
    return true;
  }
  void Run() {
    while (RunOne()) {
    }
  }
  size_t waiting() const { return ready_.size(); }
  void Forget() { ready_.clear(); }

 private:
  std::deque<std::coroutine_handle<>> ready_;
};

class CoroutineTest : public testing::Test {
 protected:
  void SetUp() override {
    auto guest = AsyncGuest::Create();
    ASSERT_TRUE(guest.ok()) << guest.status();
    guest_ = *std::move(guest);
  }
  // Handlers for all ops; those that a test is not about.
  template <class... Cases>
  static auto With(Cases... cases) {
    return Match{std::move(cases)..., [](divmod op) { return std::tuple(op.a0 / op.a1, 1); }};
  }

  std::unique_ptr<AsyncGuest> guest_;
  Loop loop_;
};

TEST_F(CoroutineTest, AwaitablesAndPlainAnswers) {
  Task<absl::StatusOr<int32_t>> call =
      Drive(guest_->serve(3), With([&](recv op) { return loop_.Give(op.fd * 10); }, [](nap) {}));
  call.Start();
  EXPECT_FALSE(call.done());
  EXPECT_EQ(loop_.waiting(), 1u);
  loop_.Run();
  ASSERT_TRUE(call.done());
  EXPECT_EQ(*call.Get(), 60);

  Task<absl::StatusOr<int32_t>> plain =
      Drive(guest_->serve(3), With([](recv) { return 7; }, [](nap) {}));
  plain.Start();
  EXPECT_EQ(*plain.Get(), 21) << "nothing to wait for: done at once";
}

TEST_F(CoroutineTest, HandlersThatAreCoroutines) {
  std::vector<int64_t> naps;
  const auto read = [&](recv op) -> Task<int32_t> {
    const int first = co_await loop_.Give(op.fd);
    const int second = co_await loop_.Give(100);
    co_return first + second;
  };
  const auto sleep = [&](const nap& op) -> Task<> {
    co_await loop_.Give(0);
    naps.push_back(op.ns);  // the op is there as long as the handler
  };
  Task<absl::Status> call = Drive(guest_->nap(5), With(read, sleep));
  call.Start();
  loop_.Run();
  EXPECT_TRUE(call.Get().ok());
  EXPECT_EQ(naps, (std::vector<int64_t>{105}));
}

TEST_F(CoroutineTest, SeveralResults) {
  const auto slowly = [&](divmod op) -> Task<absl::StatusOr<std::tuple<int32_t, int32_t>>> {
    co_await loop_.Give(0);
    co_return std::tuple(op.a0 / op.a1, op.a0 % op.a1);
  };
  auto call = Drive(guest_->divide(17, 5), Match{slowly, [](recv) { return 0; }, [](nap) {}});
  call.Start();
  loop_.Run();
  EXPECT_EQ(*call.Get(), std::tuple(3, 2));
}

TEST_F(CoroutineTest, ManyCallsInterleave) {
  std::vector<Task<absl::StatusOr<int32_t>>> calls;
  for (int i = 0; i < 50; ++i) {
    calls.push_back(
        Drive(guest_->serve(20), With([&, i](recv) { return loop_.Give(i); }, [](nap) {})));
    calls.back().Start();
  }
  EXPECT_EQ(loop_.waiting(), 50u);
  loop_.Run();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(*calls[i].Get(), 20 * i);
}

TEST_F(CoroutineTest, ACallWithinACoroutine) {
  const auto both = [&]() -> Task<int> {
    const auto handlers = With([&](recv op) { return loop_.Give(op.fd); }, [](nap) {});
    absl::StatusOr<int32_t> first = co_await Drive(guest_->serve(4), handlers);
    absl::StatusOr<int32_t> second = co_await Drive(guest_->serve(*first), handlers);
    co_return *second;
  };
  Task<int> task = both();
  task.Start();
  loop_.Run();
  EXPECT_EQ(task.Get(), 55);
}

TEST_F(CoroutineTest, ExceptionsAreErrors) {
  const auto run = [&](auto handler) {
    auto call = Drive(guest_->serve(1), With(handler, [](nap) {}));
    call.Start();
    loop_.Run();
    return call.Get().status();
  };
  const auto later = [&](recv) -> Task<int32_t> {
    co_await loop_.Give(0);
    throw std::runtime_error("no route");
  };
  EXPECT_EQ(run(later), absl::InternalError("net.recv: no route"));
  const auto at_once = [](recv) -> int32_t { throw std::bad_alloc(); };
  EXPECT_EQ(run(at_once).code(), absl::StatusCode::kResourceExhausted);
  const auto unknown = [](recv) -> Task<int32_t> {
    throw 1;
    co_return 0;
  };
  EXPECT_EQ(run(unknown).code(), absl::StatusCode::kInternal);
  struct Refuses {
    bool await_ready() { throw std::runtime_error("not ready"); }
    void await_suspend(std::coroutine_handle<>) {}
    int32_t await_resume() { return 0; }
  };
  EXPECT_EQ(run([](recv) { return Refuses(); }), absl::InternalError("net.recv: not ready"));
}

TEST_F(CoroutineTest, StatusesKeepTheirCode) {
  const auto unavailable = [&](recv) -> Task<absl::StatusOr<int32_t>> {
    co_await loop_.Give(0);
    co_return absl::UnavailableError("try later");
  };
  auto call = Drive(guest_->serve(1), With(unavailable, [](nap) {}));
  call.Start();
  loop_.Run();
  EXPECT_EQ(call.Get().status(), absl::UnavailableError("net.recv: try later"));

  auto plain = Drive(guest_->nap(1),
                     With([](recv) { return 1; }, [](nap) { return absl::DataLossError("gone"); }));
  plain.Start();
  EXPECT_EQ(plain.Get(), absl::DataLossError("timer.sleep: gone"));
}

TEST_F(CoroutineTest, TrapsAreAborted) {
  auto call = Drive(guest_->crash_after_recv(1), With([](recv) { return 1; }, [](nap) {}));
  call.Start();
  const absl::Status status = call.Get();
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_THAT(status.message(), HasSubstr("unreachable"));
}

// Counts how many are alive.
struct Witness {
  explicit Witness(int& count) : alive(&count) { ++count; }
  Witness(const Witness& other) : alive(other.alive) { ++*alive; }
  ~Witness() { --*alive; }
  int* alive;
};

TEST_F(CoroutineTest, DestroyingATaskCancelsTheCall) {
  int alive = 0, resumed = 0;
  {
    const Witness captured(alive);
    const auto read = [&, captured](recv) -> Task<int32_t> {
      const Witness local(alive);
      co_await loop_.Give(0);
      ++resumed;
      co_return 0;
    };
    auto call = Drive(guest_->serve(2), With(read, [](nap) {}));
    call.Start();
    EXPECT_GT(alive, 2);
    loop_.Forget();
  }
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(resumed, 0);
  EXPECT_EQ(*SyncWait(Drive(guest_->serve(2), With([](recv) { return 4; }, [](nap) {}))), 8);
}

TEST_F(CoroutineTest, AStopTokenEndsTheCallBeforeItRunsOn) {
  std::stop_source stop;
  int asked = 0;
  const auto read = [&](recv) {
    ++asked;
    return loop_.Give(1);
  };
  auto call = Drive(guest_->serve(5), With(read, [](nap) {}), stop.get_token());
  call.Start();
  loop_.RunOne();
  stop.request_stop();
  loop_.Run();
  EXPECT_EQ(call.Get().status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(asked, 2);
}

TEST_F(CoroutineTest, ACancelledStepIsCancelled) {
  auto step = guest_->serve(1);
  step.Cancel();
  EXPECT_EQ(
      SyncWait(Drive(std::move(step), With([](recv) { return 4; }, [](nap) {}))).status().code(),
      absl::StatusCode::kCancelled);
}

TEST_F(CoroutineTest, Callbacks) {
  std::optional<Reply<int32_t>> kept;
  const auto read = [&](recv) {
    return FromCallback<int32_t>([&](Reply<int32_t> reply) { kept = reply; });
  };
  auto call = Drive(guest_->serve(2), With(read, [](nap) {}));
  call.Start();
  (*kept)(5);
  const Reply<int32_t> second = *kept;
  second(6);
  second(7);  // no more than once
  EXPECT_EQ(*call.Get(), 11);

  const auto at_once = [&](recv) {
    return FromCallback<int32_t>([](Reply<int32_t> reply) { reply(3); });
  };
  EXPECT_EQ(*SyncWait(Drive(guest_->serve(2), With(at_once, [](nap) {}))), 6);

  {
    auto dropped = Drive(guest_->serve(1), With(read, [](nap) {}));
    dropped.Start();
  }
  (*kept)(1);  // too late: nothing happens
}

// What is ready takes no stack, however often.
TEST_F(CoroutineTest, AMillionAnswersThatAreReady) {
  const auto read = [](recv) -> Task<int32_t> { co_return 1; };
  EXPECT_EQ(*SyncWait(Drive(guest_->serve(1'000'000), With(read, [](nap) {}))), 1'000'000);
}

TEST_F(CoroutineTest, ResumedOnOtherThreads) {
  std::vector<std::thread> threads;
  const auto read = [&](recv op) {
    return FromCallback<int32_t>(
        [&, op](Reply<int32_t> reply) { threads.emplace_back([reply, op] { reply(op.fd); }); });
  };
  EXPECT_EQ(*SyncWait(Drive(guest_->serve(100), With(read, [](nap) {}))), 5050);
  for (std::thread& thread : threads) thread.join();
}

TEST_F(CoroutineTest, DynamicSteps) {
  const auto answer = [&](const DynamicStep& step) -> Task<std::vector<Value>> {
    const int value = co_await loop_.Give(static_cast<int>(step.op_arguments()[0].i32()));
    co_return std::vector<Value>{Value::I32(static_cast<uint32_t>(value))};
  };
  const Value three[] = {Value::I32(3)};
  auto call = Drive(*guest_->instance()->Call("serve", three), answer);
  call.Start();
  loop_.Run();
  const absl::StatusOr<std::vector<Value>> results = call.Get();
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ((*results)[0].i32(), 6u);

  const auto wrong = [](const DynamicStep&) { return std::vector<Value>(); };
  EXPECT_EQ(SyncWait(Drive(*guest_->instance()->Call("serve", three), wrong)).status().code(),
            absl::StatusCode::kInvalidArgument);
  const auto fails = [](const DynamicStep&) -> Task<std::vector<Value>> {
    throw std::runtime_error("no");
    co_return std::vector<Value>();
  };
  EXPECT_EQ(SyncWait(Drive(*guest_->instance()->Call("serve", three), fails)).status(),
            absl::InternalError("net.recv: no"));
}

// A handler is missing: no overload of Drive for it.
template <class H>
concept CanDrive = requires(Step<int32_t, AsyncGuest> step, H handler) {
  Drive(std::move(step), handler);
};
[[maybe_unused]] const auto recv_case = [](recv) -> Task<int32_t> { co_return 1; };
[[maybe_unused]] const auto nap_case = [](nap) {};
[[maybe_unused]] const auto divmod_case = [](divmod) { return std::tuple(1, 1); };
[[maybe_unused]] const auto wrong_case = [](recv) -> Task<std::string> { co_return ""; };
static_assert(CanDrive<decltype(Match{recv_case, nap_case, divmod_case})>);
static_assert(!CanDrive<decltype(Match{recv_case, divmod_case})>);
static_assert(!CanDrive<decltype(Match{wrong_case, nap_case, divmod_case})>);
static_assert(Awaitable<Task<int>> && Awaitable<std::suspend_always> && !Awaitable<int>);

TEST(Task, ExceptionsReachWhoAwaits) {
  const auto fails = []() -> Task<int> {
    throw std::runtime_error("oops");
    co_return 1;
  };
  const auto outer = [&]() -> Task<std::string> {
    try {
      co_return std::to_string(co_await fails());
    } catch (const std::exception& error) {
      co_return error.what();
    }
  };
  EXPECT_EQ(SyncWait(outer()), "oops");
  EXPECT_THROW(SyncWait(fails()), std::runtime_error);
}

TEST(Task, MayBeDestroyedWhenItHasEnded) {
  std::optional<Task<int>> task;
  const auto body = []() -> Task<int> { co_return 5; };
  int got = 0;
  task.emplace(body());
  task->Start([&] {
    got = task->Get();
    task.reset();
  });
  EXPECT_EQ(got, 5);
}

}  // namespace
}  // namespace fermata

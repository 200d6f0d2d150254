// The typed API over guests translated at build time (tests/runtime/host/typed/).
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "fermata/answering.h"
#include "fermata/step.h"
#include "starting_guest.h"
#include "typed_guest.h"

namespace {

using fermata::ExternRef;
using fermata::FuncRef;
using fermata::Match;
using fermata::Outcome;
using fermata::Step;
using fermata::Trap;
using fermata::V128;
using typed::guests::Echo;
using typed::guests::EchoHost;
using typed::guests::Starting;

class TestHost : public EchoHost {
 public:
  int64_t env_clock() override { return time += 100; }
  void env_log(int32_t level, float a1, double a2) override { logged.emplace_back(level, a1, a2); }
  V128 env_shuffle(V128 a0, int32_t by) override { return {a0.high + by, a0.low + by}; }
  std::tuple<int64_t, V128> env_halves(V128 a0) override {
    return {static_cast<int64_t>(a0.low), {a0.high, a0.low}};
  }
  std::tuple<int32_t, double> env_pair(int64_t a0) override {
    return {static_cast<int32_t>(a0 >> 32), static_cast<double>(a0 & 0xffffffff)};
  }

  int64_t time = 1000;
  std::vector<std::tuple<int32_t, float, double>> logged;
};

class TypedApi : public testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<Echo>> made = Echo::Create(host);
    ASSERT_TRUE(made.ok()) << made.status();
    echo = *std::move(made);
  }

  TestHost host;
  std::unique_ptr<Echo> echo;
};

TEST_F(TypedApi, SuspendsWithArgumentsAndResumesWithResults) {
  Step<int32_t, Echo> step = echo->serve(3);
  for (int32_t n : {3, 2, 1}) {
    ASSERT_TRUE(step.suspended());
    EXPECT_FALSE(step.finished());
    EXPECT_EQ(step.status().code(), absl::StatusCode::kFailedPrecondition);
    const Echo::net_recv* op = step.op_if<Echo::net_recv>();
    ASSERT_NE(op, nullptr);
    EXPECT_EQ(step.op_if<Echo::timer_sleep>(), nullptr);
    EXPECT_EQ(op->fd, n);
    EXPECT_EQ(op->ptr, 64);
    EXPECT_EQ(op->len, 16);
    EXPECT_GT(step.frame_bytes(), 0u);
    EXPECT_GE(step.depth(), 1u);
    ASSERT_TRUE(step.Resume<Echo::net_recv>(n * 10).ok());
  }
  ASSERT_TRUE(step.finished());
  EXPECT_EQ(step.value(), 60);
  EXPECT_EQ(step.trap(), Trap::kNone);
  EXPECT_EQ(step.frame_bytes(), 0u);
}

TEST_F(TypedApi, AnswerPicksTheCaseOfTheOp) {
  std::vector<int64_t> slept;
  Step<void, Echo> step = echo->nap(7);
  while (step.suspended()) {
    step.Answer(Match{[](Echo::net_recv op) { return op.fd * 3; },
                      [&](Echo::timer_sleep op) { slept.push_back(op.ns); },
                      [](const auto& other) -> typename std::decay_t<decltype(other)>::Result {
                        ADD_FAILURE() << other.kImport;
                        return {};
                      }});
  }
  EXPECT_TRUE(step.finished());
  EXPECT_EQ(slept, std::vector<int64_t>{21});
}

TEST_F(TypedApi, VectorsPassEachWay) {
  Step<V128, Echo> step = echo->vector(V128{10, 200});
  const Echo::host_turn* op = step.op_if<Echo::host_turn>();
  ASSERT_NE(op, nullptr);
  EXPECT_EQ(op->a0, (V128{10, 200}));
  ASSERT_TRUE(step.Resume<Echo::host_turn>(V128{200, 10}).ok());
  ASSERT_TRUE(step.finished());
  // shuffle: {13, 203}; halves: 13, {203, 13}
  EXPECT_EQ(step.value(), (V128{216, 26}));
}

// A Match that handles all ops of Echo, built from one for net_recv.
template <class Recv>
auto Handlers(Recv recv) {
  return Match{recv,
               [](Echo::timer_sleep) {},
               [](Echo::calc_divmod op) {
                 return std::tuple<int32_t, int32_t>(op.a0 / op.a1, op.a0 % op.a1);
               },
               [](Echo::host_swap op) { return op.a0; },
               [](Echo::host_mix op) { return op.a1; },
               [](Echo::host_turn op) { return op.a0; }};
}

template <class S, class H>
concept CanAnswer = requires(S step, H handler) {
  step.Answer(handler);
};

TEST_F(TypedApi, AnswerNeedsEveryCaseWithTheRightResult) {
  const auto all = Handlers([](Echo::net_recv) { return 1; });
  const auto partial = Match{[](Echo::net_recv) { return 1; }, [](Echo::timer_sleep) {}};
  const auto wrong_result = Handlers([](Echo::net_recv) { return std::string(); });
  const auto no_result = Handlers([](Echo::net_recv) {});
  const auto status = Handlers([](Echo::net_recv) -> absl::StatusOr<int32_t> { return 1; });
  using S = Step<int32_t, Echo>;
  static_assert(CanAnswer<S, decltype(all)>);
  static_assert(CanAnswer<S, decltype(status)>);
  static_assert(!CanAnswer<S, decltype(partial)>);
  static_assert(!CanAnswer<S, decltype(wrong_result)>);
  static_assert(!CanAnswer<S, decltype(no_result)>);
  S step = echo->serve(1);
  EXPECT_TRUE(step.Answer(all));
  EXPECT_FALSE(step.Answer(all)) << "finished";
  EXPECT_EQ(step.value(), 1);
}

TEST_F(TypedApi, AHandlersErrorIsThrownIntoTheGuest) {
  Step<int32_t, Echo> step = echo->serve(2);
  const auto refuse = Handlers([](Echo::net_recv) -> absl::StatusOr<int32_t> {
    return absl::NotFoundError("no such socket");
  });
  EXPECT_FALSE(step.Answer(refuse));
  ASSERT_TRUE(step.trapped());
  EXPECT_EQ(step.trap(), Trap::kHost);
  EXPECT_NE(step.message().find("no such socket"), std::string::npos) << step.message();
  EXPECT_EQ(step.status().code(), absl::StatusCode::kAborted);
}

TEST_F(TypedApi, WrongUseOfAStepIsAnErrorAndChangesNothing) {
  Step<void, Echo> step = echo->nap(1);
  EXPECT_EQ(step.Resume<Echo::timer_sleep>().code(), absl::StatusCode::kInvalidArgument);
  ASSERT_TRUE(step.suspended());
  ASSERT_TRUE(step.Resume<Echo::net_recv>(1).ok());
  EXPECT_EQ(step.Resume<Echo::net_recv>(1).code(), absl::StatusCode::kInvalidArgument);
  ASSERT_TRUE(step.Resume<Echo::timer_sleep>().ok());
  ASSERT_TRUE(step.finished());
  EXPECT_EQ(step.Resume<Echo::timer_sleep>().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(step.Throw("late").code(), absl::StatusCode::kFailedPrecondition);
  step.Cancel();
  EXPECT_TRUE(step.finished());
  EXPECT_EQ((Step<void, Echo>().trap()), Trap::kCancelled);
}

TEST_F(TypedApi, ReadingWhatIsNotThereEndsTheProcessWithAMessage) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH((void)echo->serve(1).value(), "value.. of a step that has not finished");
  EXPECT_DEATH((void)echo->serve(0).op(), "op.. of a step that is not suspended");
  EXPECT_DEATH(echo->crash().value(), "value.. of a call that trapped");
}

TEST_F(TypedApi, ThrowAndCancelEndACall) {
  Step<int32_t, Echo> thrown = echo->serve(1);
  ASSERT_TRUE(thrown.Throw("broken pipe").ok());
  EXPECT_TRUE(thrown.trapped());
  EXPECT_EQ(thrown.trap(), Trap::kHost);
  EXPECT_NE(thrown.message().find("broken pipe"), std::string::npos) << thrown.message();

  Step<int32_t, Echo> cancelled = echo->serve(1);
  cancelled.Cancel();
  EXPECT_TRUE(cancelled.trapped());
  EXPECT_EQ(cancelled.trap(), Trap::kCancelled);
  EXPECT_EQ(cancelled.frame_bytes(), 0u);
  EXPECT_FALSE(cancelled.Resume<Echo::net_recv>(1).ok());
}

TEST_F(TypedApi, StepsAreValuesThatMoveAndInterleave) {
  std::map<int, Step<int32_t, Echo>> parked;
  for (int n = 1; n <= 20; ++n) parked[n] = echo->serve(n);
  while (!parked.empty()) {
    for (auto it = parked.begin(); it != parked.end();) {
      Step<int32_t, Echo> step = std::move(it->second);
      EXPECT_TRUE(it->second.trapped()) << "moved from";
      if (step.suspended()) {
        ASSERT_TRUE(step.Resume<Echo::net_recv>(1).ok());
      }
      if (step.finished()) {
        EXPECT_EQ(step.value(), it->first);
        it = parked.erase(it);
      } else {
        it->second = std::move(step);
        ++it;
      }
    }
  }
}

TEST_F(TypedApi, AStepResumesOnAnotherThread) {
  Step<int32_t, Echo> step = echo->serve(2);
  std::thread other([&] { ASSERT_TRUE(step.Resume<Echo::net_recv>(5).ok()); });
  other.join();
  ASSERT_TRUE(step.suspended());
  ASSERT_TRUE(step.Resume<Echo::net_recv>(6).ok());
  EXPECT_EQ(step.value(), 11);
}

TEST_F(TypedApi, EveryTypeOfArgumentAndResult) {
  Step<float, Echo> mix = echo->mix(-5000000000, 1.25f, -0.5);
  const Echo::host_mix* op = mix.op_if<Echo::host_mix>();
  ASSERT_NE(op, nullptr);
  EXPECT_EQ(op->a0, -5000000000);
  EXPECT_EQ(op->a1, 1.25f);
  EXPECT_EQ(op->a2, -0.5);
  ASSERT_TRUE(mix.Resume<Echo::host_mix>(2.5f).ok());
  EXPECT_EQ(mix.value(), 2.5f);

  Step<std::tuple<int32_t, int32_t>, Echo> divide = echo->divide(-17, 5);
  EXPECT_TRUE(divide.Answer(Handlers([](Echo::net_recv) { return 0; })));
  EXPECT_EQ(divide.value(), std::make_tuple(-3, -2));

  Step<ExternRef, Echo> swap = echo->swap(ExternRef{77});
  ASSERT_NE(swap.op_if<Echo::host_swap>(), nullptr);
  EXPECT_EQ(swap.op_if<Echo::host_swap>()->a0, ExternRef{77});
  ASSERT_TRUE(swap.Resume<Echo::host_swap>(ExternRef{88}).ok());
  EXPECT_EQ(swap.value(), ExternRef{88});

  const Outcome<std::tuple<double, int64_t, float>> shuffled = echo->shuffle(1ll << 40, 0.5f, -1.5);
  EXPECT_EQ(shuffled.value(), std::make_tuple(-1.5, int64_t{1} << 40, 0.5f));
}

TEST_F(TypedApi, CallsThatCannotSuspendGiveOutcomes) {
  static_assert(std::is_same_v<decltype(echo->add(1, 2)), Outcome<int32_t>>);
  EXPECT_EQ(echo->add(2, 40).value(), 42);
  const Outcome<void> crash = echo->crash();
  EXPECT_TRUE(crash.trapped());
  EXPECT_EQ(crash.trap(), Trap::kUnreachable);
  EXPECT_EQ(crash.message(), "unreachable");
  EXPECT_FALSE(crash.status().ok());
  Step<void, Echo> later = echo->crash_after_recv(1);
  ASSERT_TRUE(later.Resume<Echo::net_recv>(0).ok());
  EXPECT_EQ(later.trap(), Trap::kUnreachable);
}

TEST_F(TypedApi, ImmediateImportsAreMethodsOfTheHost) {
  EXPECT_EQ(echo->now().value(), 1100);
  EXPECT_TRUE(echo->report(3).finished());
  ASSERT_EQ(host.logged.size(), 1u);
  EXPECT_EQ(host.logged[0], std::make_tuple(3, 1.5f, -2.0));
  EXPECT_EQ(echo->pair((int64_t{7} << 32) | 9).value(), std::make_tuple(7, 9.0));

  Step<int64_t, Echo> step = echo->timed_recv();
  ASSERT_TRUE(step.suspended());
  host.time += 5000;
  ASSERT_TRUE(step.Resume<Echo::net_recv>(0).ok());
  EXPECT_EQ(step.value(), 5100);
}

TEST_F(TypedApi, MemoryGlobalsAndTablesAreReachableWhileSuspended) {
  Step<int32_t, Echo> step = echo->serve(1);
  const Echo::net_recv& op = std::get<Echo::net_recv>(step.op());
  absl::Span<uint8_t> buffer = echo->memory().Span(op.ptr, op.len);
  ASSERT_EQ(buffer.size(), 16u);
  buffer[0] = 0xab;
  EXPECT_EQ(echo->memory().data()[64], 0xab);
  EXPECT_EQ(echo->memory().Span(65536, 1).data(), nullptr);

  EXPECT_EQ(echo->counter().Get(), 5);
  EXPECT_TRUE(echo->count().finished());
  EXPECT_EQ(echo->counter().Get(), 6);
  echo->counter().Set(-1);
  EXPECT_TRUE(echo->count().finished());
  EXPECT_EQ(echo->counter().Get(), 0);
  EXPECT_EQ(echo->limit().Get(), 42);

  EXPECT_EQ(echo->table().size(), 4u);
  EXPECT_FALSE(echo->element(0).value());
  const FuncRef add = echo->element(1).value();
  ASSERT_TRUE(add);
  absl::StatusOr<fermata::Value> same = echo->table().Get(1);
  ASSERT_TRUE(same.ok());
  EXPECT_EQ(same->ref(), add.handle);
  ASSERT_TRUE(step.Resume<Echo::net_recv>(1).ok());
}

TEST_F(TypedApi, AHostFunctionInATableIsAForeignOp) {
  absl::StatusOr<fermata::Extern> function = echo->store()->MakeFunction(
      "later", {{fermata::ValType::kI32, fermata::ValType::kI32}, {fermata::ValType::kI32}},
      nullptr);
  ASSERT_TRUE(function.ok());
  ASSERT_TRUE(echo->table().Set(2, fermata::Value::FuncRef(function->function.handle)).ok());
  EXPECT_EQ(echo->call_element(1).value(), 42);

  Step<int32_t, Echo> step = echo->call_element(2);
  ASSERT_TRUE(step.suspended());
  EXPECT_TRUE(step.foreign());
  EXPECT_FALSE(step.Resume<Echo::net_recv>(1).ok());
  const fermata::Value answer[] = {fermata::Value::I32(99)};
  ASSERT_TRUE(step.dynamic().Resume(answer).ok());
  step.Refresh();
  EXPECT_EQ(step.value(), 99);

  Step<int32_t, Echo> unanswered = echo->call_element(2);
  while (unanswered.suspended()) unanswered.Answer(Handlers([](Echo::net_recv) { return 1; }));
  EXPECT_EQ(unanswered.trap(), Trap::kHost);
}

TEST_F(TypedApi, AwkwardNamesBecomeOtherNames) {
  EXPECT_EQ(echo->class_2().value(), 1);
  EXPECT_EQ(echo->operator_new().value(), 2);
  EXPECT_EQ(echo->Create_2().value(), 3);
  EXPECT_EQ(echo->n9().value(), 4);
}

// By the names that the module has for them, whatever macros there are.
TEST_F(TypedApi, NamesOfTheModuleAsStrings) {
  EXPECT_EQ(echo->Export_<"class">().value(), 1);
  EXPECT_EQ(echo->Export_<"limit">().Get(), 42);
#define serve 3
#define net_recv not an op
  Step<int32_t, Echo> step = echo->Export_<"serve">(2);
  static_assert(std::is_same_v<Echo::Import_<"timer", "sleep">, Echo::timer_sleep>);
  ASSERT_TRUE((std::holds_alternative<Echo::Import_<"net", "recv">>(step.op())));
  EXPECT_TRUE((step.Resume<Echo::Import_<"net", "recv">>(20).ok()));
  EXPECT_TRUE((step.Resume<Echo::Import_<"net", "recv">>(30).ok()));
#undef net_recv
#undef serve
  EXPECT_EQ(step.value(), 50);
}

TEST_F(TypedApi, InstancesHaveTheirOwnState) {
  TestHost other_host;
  absl::StatusOr<std::unique_ptr<Echo>> other = Echo::Create(other_host);
  ASSERT_TRUE(other.ok());
  EXPECT_TRUE(echo->count().finished());
  EXPECT_EQ(echo->counter().Get(), 6);
  EXPECT_EQ((*other)->counter().Get(), 5);
  EXPECT_EQ((*other)->now().value(), 1100);
  EXPECT_EQ(host.time, 1000);
}

// A module with a suspending start function and an imported global: linked through a store.
TEST(TypedStart, StartIsToBeFinishedBeforeAnythingElse) {
  fermata::StoreHandle store;
  absl::StatusOr<fermata::Extern> step_global = store.MakeGlobal(fermata::Value::I32(3), false);
  ASSERT_TRUE(step_global.ok());
  fermata::Imports imports;
  imports.Add("env", "step", *step_global);
  absl::StatusOr<std::unique_ptr<Starting>> made = Starting::Create(store, imports);
  ASSERT_TRUE(made.ok()) << made.status();
  Starting& guest = **made;

  const Outcome<int32_t> early = guest.value();
  EXPECT_TRUE(early.trapped());
  EXPECT_EQ(early.trap(), Trap::kHost);
  EXPECT_FALSE(early.message().empty());

  Step<void, Starting> start = guest.Start();
  ASSERT_TRUE(start.suspended());
  EXPECT_TRUE(guest.value().trapped());
  EXPECT_TRUE(start.Answer(Match{[](Starting::env_ask) { return 14; }}));
  ASSERT_TRUE(start.finished());
  EXPECT_EQ(guest.value().value(), 42);
}

TEST(TypedStart, AMissingImportIsAnErrorThatNamesIt) {
  fermata::StoreHandle store;
  const absl::Status status = Starting::Create(store, fermata::Imports()).status();
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find("step"), std::string::npos) << status;
}

// ---- Imports answered at once ----

struct Prompt {
  std::optional<int32_t> Recv(int32_t fd, int32_t, int32_t) {
    return ready ? std::optional<int32_t>(fd * 10) : std::nullopt;
  }
  bool Sleep(int64_t ns) {
    slept += ns;
    return ready;
  }
  std::optional<std::tuple<int32_t, int32_t>> Divmod(int32_t a, int32_t b) {
    if (!ready) return std::nullopt;
    return std::tuple(a / b, a % b);
  }
  std::optional<ExternRef> Swap(ExternRef r) { return ExternRef{r.handle + 1}; }
  std::optional<int64_t> Clock() { return ready ? std::optional<int64_t>(7) : std::nullopt; }

  bool ready = true;
  int64_t slept = 0;
};

class Answering : public testing::Test {
 protected:
  void SetUp() override {
    fermata::Imports imports;
    fermata::AddAnswering<&Prompt::Recv>(imports, "net", "recv", prompt);
    fermata::AddAnswering<&Prompt::Sleep>(imports, "timer", "sleep", prompt);
    fermata::AddAnswering<&Prompt::Divmod>(imports, "calc", "divmod", prompt);
    fermata::AddAnswering<&Prompt::Swap>(imports, "host", "swap", prompt);
    fermata::AddAnswering<&Prompt::Clock>(imports, "env", "clock", prompt);
    absl::StatusOr<std::unique_ptr<Echo>> made = Echo::Create(host, store, std::move(imports));
    ASSERT_TRUE(made.ok()) << made.status();
    echo = *std::move(made);
  }

  TestHost host;
  Prompt prompt;
  fermata::StoreHandle store;
  std::unique_ptr<Echo> echo;
};

TEST_F(Answering, CallsWithAnAnswerDoNotSuspend) {
  Step<int32_t, Echo> served = echo->serve(3);
  ASSERT_TRUE(served.finished());
  EXPECT_EQ(served.value(), 60);
  ASSERT_TRUE(echo->nap(4).finished());
  EXPECT_EQ(prompt.slept, 40);
  Step<std::tuple<int32_t, int32_t>, Echo> divided = echo->divide(17, 5);
  ASSERT_TRUE(divided.finished());
  EXPECT_EQ(divided.value(), std::tuple(3, 2));
  Step<ExternRef, Echo> swapped = echo->swap(ExternRef{8});
  ASSERT_TRUE(swapped.finished());
  EXPECT_EQ(swapped.value().handle, 9u);
}

TEST_F(Answering, CallsWithoutOneAreOps) {
  prompt.ready = false;
  Step<int32_t, Echo> served = echo->serve(2);
  ASSERT_TRUE(served.suspended());
  ASSERT_NE(served.op_if<Echo::net_recv>(), nullptr);
  EXPECT_EQ(served.op().index(), Echo::Op(Echo::net_recv{}).index());
  EXPECT_EQ(served.op_if<Echo::net_recv>()->fd, 2);
  EXPECT_EQ(served.op_if<Echo::net_recv>()->len, 16);
  prompt.ready = true;  // the next is answered at once
  ASSERT_TRUE(served.Resume<Echo::net_recv>(5).ok());
  ASSERT_TRUE(served.finished());
  EXPECT_EQ(served.value(), 15);
  prompt.ready = false;
  Step<std::tuple<int32_t, int32_t>, Echo> divided = echo->divide(17, 5);
  ASSERT_TRUE(divided.suspended());
  ASSERT_TRUE(divided.Resume<Echo::calc_divmod>(std::tuple(-1, -2)).ok());
  EXPECT_EQ(divided.value(), std::tuple(-1, -2));
  Step<void, Echo> nap = echo->nap(4);
  ASSERT_TRUE(nap.Resume<Echo::net_recv>(9).ok());
  ASSERT_NE(nap.op_if<Echo::timer_sleep>(), nullptr);
  EXPECT_EQ(prompt.slept, 9);
  ASSERT_TRUE(nap.Resume<Echo::timer_sleep>().ok());
  EXPECT_TRUE(nap.finished());
}

TEST_F(Answering, ImmediateImportsMustBeAnswered) {
  Outcome<int64_t> now = echo->now();
  ASSERT_TRUE(now.finished()) << now.message();
  EXPECT_EQ(now.value(), 7);
  prompt.ready = false;
  now = echo->now();
  EXPECT_EQ(now.trap(), Trap::kHost);
  prompt.ready = true;
  EXPECT_EQ(echo->now().value(), 7);
}

TEST_F(Answering, TypesAreChecked) {
  struct Wrong {
    std::optional<int64_t> Recv(int32_t, int32_t, int32_t) { return 0; }
  } wrong;
  fermata::StoreHandle other;
  fermata::Imports imports;
  fermata::AddAnswering<&Wrong::Recv>(imports, "net", "recv", wrong);
  absl::StatusOr<std::unique_ptr<Echo>> made = Echo::Create(host, other, std::move(imports));
  EXPECT_EQ(made.status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace

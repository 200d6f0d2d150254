// Pre-emption: which loops are given checks, and what interrupting, running out of fuel and going
// on are like for a host. That code computes the same when it is paused at every check is
// generated_code_test's part.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/time.h>

#include <chrono>
#include <memory>
#include <thread>

#include "absl/strings/str_cat.h"
#include "fermata/core/generated.h"
#include "fermata/deadline.h"
#include "tests/support/code_fixture.h"
#include "tests/support/commands.h"
#include "translator/analysis/counted_loops.h"
#include "translator/input_file.h"
#include "translator/ir/builder.h"
#include "translator/wasm/reader.h"

namespace fermata {
namespace {

using namespace std::chrono_literals;

// ---- Which loops need no check
// -------------------------------------------------------------------

// How many loops of a function with this body, parameters $n and $p, and locals, are long.
size_t LongLoops(const std::string& body, uint64_t most_statements = analysis::kMostStatements) {
  const std::string& path = Assemble(absl::StrCat(
      "(module (memory 1) (func $callee) (func (param $n i32) (param $p i32) (local $i i32) ",
      "(local $j i32) (local $k i64) ", body, "))"));
  EXPECT_FALSE(path.empty()) << body;
  auto file = ReadInput(path);
  auto module = wasm::ReadModule(path, BytesOf(**file), wasm::Supported());
  auto graph = analysis::BuildCallGraph(*module);
  EXPECT_TRUE(graph.ok()) << graph.status();
  const auto suspension =
      analysis::AnalyzeSuspension(*module, *graph, {}, std::vector<bool>(2, false));
  auto function = ir::Build(*module, 1, suspension);
  EXPECT_TRUE(function.ok()) << function.status();
  return analysis::FindLongLoops(**function, most_statements).size();
}

// loop { body; i += step; br_if (test) }
std::string Loop(const std::string& step, const std::string& test, const std::string& body = "") {
  return absl::StrCat("(loop $l ", body, "(local.set $i (i32.add (local.get $i) (i32.const ", step,
                      "))) (br_if $l ", test, "))");
}

class CountedLoops : public testing::Test {
 protected:
  void SetUp() override { FERMATA_SKIP_WITHOUT_WAT2WASM(); }
};

TEST_F(CountedLoops, FromAConstantToAConstantAreShort) {
  EXPECT_EQ(LongLoops(Loop("1", "(i32.ne (local.get $i) (i32.const 1000))")), 0u);
  EXPECT_EQ(LongLoops(Loop("4", "(i32.ne (local.get $i) (i32.const 4000))")), 0u);
  EXPECT_EQ(LongLoops(Loop("1", "(i32.lt_u (local.get $i) (i32.const 1000))")), 0u);
  EXPECT_EQ(LongLoops(Loop("3", "(i32.le_s (local.get $i) (i32.const 1000))")), 0u);
  EXPECT_EQ(LongLoops(Loop("1", "(i32.gt_s (i32.const 1000) (local.get $i))")), 0u);
  EXPECT_EQ(LongLoops(Loop("1", "(i32.eqz (i32.eq (local.get $i) (i32.const 1000)))")), 0u);
  EXPECT_EQ(LongLoops("(local.set $i (i32.const 100))" + Loop("-1", "(local.get $i)")), 0u);
  EXPECT_EQ(LongLoops("(local.set $i (i32.const 100))" +
                      Loop("-2", "(i32.ge_s (local.get $i) (i32.const 0))")),
            0u);
  // Either start will do; another way out does not matter.
  EXPECT_EQ(LongLoops("(if (local.get $n) (then (local.set $i (i32.const 50))))" +
                      Loop("1", "(i32.lt_s (local.get $i) (i32.const 100))")),
            0u);
  EXPECT_EQ(LongLoops("(block $out" +
                      Loop("1", "(i32.ne (local.get $i) (i32.const 100))",
                           "(br_if $out (i32.load (local.get $p)))") +
                      ")"),
            0u);
  // Left at the top.
  EXPECT_EQ(LongLoops("(block $out (loop $l (br_if $out (i32.ge_u (local.get $i) (i32.const 9)))"
                      "(local.set $i (i32.add (local.get $i) (i32.const 1))) (br $l)))"),
            0u);
  EXPECT_EQ(LongLoops("(loop $l (local.set $k (i64.add (local.get $k) (i64.const 1)))"
                      "(br_if $l (i64.ne (local.get $k) (i64.const 1000))))"),
            0u);
}

TEST_F(CountedLoops, WhatMayTakeLongIsLong) {
  const std::string to_1000 = "(i32.ne (local.get $i) (i32.const 1000))";
  // Too many rounds; a bound or a start that is not known; a bound that is stepped over.
  EXPECT_EQ(LongLoops(Loop("1", "(i32.ne (local.get $i) (i32.const 1000000))")), 1u);
  EXPECT_EQ(LongLoops(Loop("1", "(i32.ne (local.get $i) (local.get $n))")), 1u);
  EXPECT_EQ(LongLoops("(local.set $i (local.get $n))" + Loop("1", to_1000)), 1u);
  EXPECT_EQ(LongLoops(Loop("3", to_1000)), 1u);
  EXPECT_EQ(LongLoops(Loop("-1", to_1000)), 1u);
  EXPECT_EQ(LongLoops(Loop("0", to_1000)), 1u);
  EXPECT_EQ(LongLoops(Loop("1", "(i32.ge_u (local.get $i) (i32.const 0))")), 1u);
  EXPECT_EQ(LongLoops(Loop("1", "(i32.le_u (local.get $i) (i32.const -1))")), 1u);
  EXPECT_EQ(LongLoops(Loop("16", "(i32.lt_u (local.get $i) (i32.const -8))")), 1u);
  EXPECT_EQ(LongLoops(Loop("1", "(i32.eq (local.get $i) (i32.const 1))")), 1u);
  EXPECT_EQ(LongLoops("(loop $l (br $l))"), 1u);
  // The count is not one: set elsewhere too, or not in each round.
  EXPECT_EQ(LongLoops(Loop("1", to_1000, "(local.set $i (local.get $p))")), 1u);
  EXPECT_EQ(LongLoops("(loop $l (if (local.get $n) (then "
                      "(local.set $i (i32.add (local.get $i) (i32.const 1)))))"
                      "(br_if $l (i32.ne (local.get $i) (i32.const 9))))"),
            1u);
  EXPECT_EQ(LongLoops("(loop $l (local.set $i (i32.add (local.get $i) (i32.const 1)))"
                      "(br_if $l (i32.load (local.get $p)))"
                      "(br_if $l (i32.ne (local.get $i) (i32.const 9))))"),
            1u);
  EXPECT_EQ(LongLoops(Loop("1", to_1000, "(call $callee)")), 1u);
  EXPECT_EQ(
      LongLoops(Loop("1", to_1000, "(memory.fill (i32.const 0) (i32.const 0) (local.get $n))")),
      1u);
}

// The loop around ends within the other one, which goes on where the count says that it is over.
TEST_F(CountedLoops, LoopsThatEndWithinOthersAreLong) {
  EXPECT_EQ(LongLoops("(loop $o (loop $l (local.set $i (i32.add (local.get $i) (i32.const 1)))"
                      "(br_if $o (i32.ne (local.get $i) (i32.const 10)))"
                      "(local.set $j (i32.add (local.get $j) (i32.const 1)))"
                      "(br_if $l (i32.ne (local.get $j) (i32.const 10)))))"),
            1u);
}

TEST_F(CountedLoops, NestedOnesMultiply) {
  const auto nested = [](int inner, int outer) {
    return absl::StrCat("(loop $o (local.set $i (i32.const 0))",
                        Loop("1", absl::StrCat("(i32.ne (local.get $i) (i32.const ", inner, "))")),
                        "(local.set $j (i32.add (local.get $j) (i32.const 1)))",
                        "(br_if $o (i32.ne (local.get $j) (i32.const ", outer, "))))");
  };
  EXPECT_EQ(LongLoops(nested(50, 50)), 0u);
  EXPECT_EQ(LongLoops(nested(1000, 1000)), 1u);  // the outer one
  EXPECT_EQ(LongLoops(nested(1000000, 1000000)), 2u);
  // A microcontroller is slower.
  EXPECT_EQ(LongLoops(nested(50, 50), analysis::kMostStatementsFreestanding), 1u);
  EXPECT_EQ(LongLoops(nested(10, 10), analysis::kMostStatementsFreestanding), 0u);
  EXPECT_EQ(LongLoops(nested(1000, 10), analysis::kMostStatementsFreestanding),
            1u);  // the inner one
}

// ---- Pausing
// -------------------------------------------------------------------------------------

constexpr char kGuest[] = R"((module
  (import "env" "op_i32" (func $op (param i32) (result i32)))
  (memory (export "memory") 1)
  (global $rounds (export "rounds") (mut i32) (i32.const 0))
  (func (export "for_ever") (loop $l
    (global.set $rounds (i32.add (global.get $rounds) (i32.const 1))) (br $l)))
  (func $count (export "count") (param $n i32) (result i32) (local $i i32)
    (loop $l (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get $i) (local.get $n))))
    (local.get $i))
  (func (export "count_after_op") (param $n i32) (result i32)
    (call $count (call $op (local.get $n))))
  (func $fib (export "fib") (param $n i32) (result i32)
    (if (result i32) (i32.lt_u (local.get $n) (i32.const 2)) (then (local.get $n))
      (else (i32.add (call $fib (i32.sub (local.get $n) (i32.const 1)))
                     (call $fib (i32.sub (local.get $n) (i32.const 2)))))))
  (global $calls (mut i32) (i32.const 0))
  ;; An effect, so that compilers leave the calls in.
  (func $d0 (global.set $calls (i32.add (global.get $calls) (i32.const 1))))
  (func $d1 (call $d0) (call $d0) (call $d0) (call $d0) (call $d0) (call $d0))
  $TREE
  (func (export "tree") (call $d40))
  (func (export "plain") (param $n i32) (result i32) (i32.add (local.get $n) (i32.const 1)))
))";

std::string GuestText() {
  std::string tree;
  for (int i = 2; i <= 40; ++i) {
    absl::StrAppend(&tree, "(func $d", i, " (call $d", i - 1, ") (call $d", i - 1, "))\n");
  }
  std::string text = kGuest;
  return text.replace(text.find("$TREE"), 5, tree);
}

std::vector<Variant> Variants() {
  std::vector<Variant> variants;
  for (const char* shape : {"split", "shared"}) {
    variants.push_back({FERMATA_GXX, shape, "reserved", false, 1, false, 0, "interrupt"});
    variants.push_back({FERMATA_CLANGXX, shape, "reserved", false, 1, false, 0, "interrupt"});
    variants.push_back({FERMATA_GXX, shape, "reserved", false, 1, false, 0, "fuel"});
  }
  std::erase_if(variants, [](const Variant& v) { return *v.compiler == '\0'; });
  return variants;
}

class Preempt : public CodeFixture {
 protected:
  std::string Text() const override { return GuestText(); }
  void SetUp() override {
    CodeFixture::SetUp();
    interrupter_ = store_.interrupter();
  }
  DynamicStep Call(const std::string& name, std::vector<Value> arguments = {}) {
    absl::StatusOr<DynamicStep> step = instance_->Call(name, arguments);
    EXPECT_TRUE(step.ok()) << step.status();
    return step.ok() ? *std::move(step) : DynamicStep();
  }
  Interrupter interrupter_;
};

TEST_P(Preempt, AnotherThreadPausesARunawayGuest) {
  DynamicStep step;
  for (int round = 0; round < 20; ++round) {
    std::thread other([&] {
      std::this_thread::sleep_for(1ms);
      interrupter_.Interrupt();
    });
    if (round == 0) {
      step = Call("for_ever");
    } else {
      ASSERT_TRUE(step.Continue().ok());
    }
    other.join();
    ASSERT_TRUE(step.interrupted());
    EXPECT_TRUE(step.paused());
    EXPECT_FALSE(step.suspended() || step.finished() || step.trapped() || step.out_of_fuel());
    EXPECT_FALSE(interrupter_.pending());
    EXPECT_EQ(step.depth(), 2u);
    EXPECT_FALSE(step.Resume({}).ok());
  }
  EXPECT_GT(instance_->FindGlobal("rounds")->Get().i32(), 20u);
  step.Cancel();
  EXPECT_EQ(step.trap(), Trap::kCancelled);
  EXPECT_FALSE(step.Continue().ok());
}

TEST_P(Preempt, AnInterruptWaitsForTheNextRun) {
  interrupter_.Interrupt();
  EXPECT_TRUE(Call("plain", {Value::I32(1)}).finished());  // no check
  EXPECT_TRUE(interrupter_.pending());
  DynamicStep step = Call("count", {Value::I32(1000)});
  ASSERT_TRUE(step.interrupted());
  ASSERT_TRUE(step.Continue().ok());
  ASSERT_TRUE(step.finished());
  EXPECT_EQ(step.results()[0].i32(), 1000u);
  interrupter_.Interrupt();
  interrupter_.Clear();
  EXPECT_TRUE(Call("count", {Value::I32(1000)}).finished());
}

TEST_P(Preempt, PausedAndSuspendedCallsInterleaveAndMove) {
  DynamicStep waits = Call("count_after_op", {Value::I32(5)});
  ASSERT_TRUE(waits.suspended());
  interrupter_.Interrupt();
  DynamicStep paused = Call("count", {Value::I32(100000)});
  ASSERT_TRUE(paused.interrupted());
  interrupter_.Interrupt();
  ASSERT_TRUE(waits.Resume({Value::I32(70000)}).ok());
  ASSERT_TRUE(waits.interrupted());
  std::thread([&] {
    ASSERT_TRUE(waits.Continue().ok());
    ASSERT_TRUE(paused.Continue().ok());
  }).join();
  EXPECT_EQ(waits.results()[0].i32(), 70000u);
  EXPECT_EQ(paused.results()[0].i32(), 100000u);
}

TEST_P(Preempt, RecursionAndTreesOfCallsArePausedToo) {
  // Some 10^13 calls.
  for (const char* name : {"fib", "tree"}) {
    std::thread other([&] {
      std::this_thread::sleep_for(2ms);
      interrupter_.Interrupt();
    });
    DynamicStep step =
        Call(name, *name == 'f' ? std::vector<Value>{Value::I32(60)} : std::vector<Value>{});
    other.join();
    EXPECT_TRUE(step.interrupted()) << name;
  }
}

TEST_P(Preempt, SignalHandlersMayInterrupt) {
#if defined(FERMATA_TSAN)
  GTEST_SKIP() << "ThreadSanitizer keeps signals back until the thread calls the C library";
#endif
  static Interrupter* of_handler;
  of_handler = &interrupter_;
  struct sigaction action = {}, old;
  action.sa_handler = [](int) { of_handler->Interrupt(); };
  ASSERT_EQ(sigaction(SIGALRM, &action, &old), 0);
  itimerval timer = {};
  timer.it_value.tv_usec = 2000;
  ASSERT_EQ(setitimer(ITIMER_REAL, &timer, nullptr), 0);
  DynamicStep step = Call("for_ever");
  EXPECT_TRUE(step.interrupted());
  sigaction(SIGALRM, &old, nullptr);
}

TEST_P(Preempt, Deadlines) {
  DeadlineTimer timer;
  const auto begin = DeadlineTimer::Clock::now();
  DynamicStep step;
  {
    const auto late = timer.InterruptAfter(interrupter_, 1h);
    const auto deadline = timer.InterruptAfter(interrupter_, 5ms);
    step = Call("for_ever");
  }
  EXPECT_TRUE(step.interrupted());
  EXPECT_GE(DeadlineTimer::Clock::now() - begin, 5ms);
  // One that was taken back never comes.
  auto deadline = timer.InterruptAfter(interrupter_, 20ms);
  deadline = DeadlineTimer::Deadline();
  std::this_thread::sleep_for(40ms);
  EXPECT_FALSE(interrupter_.pending());
  deadline = timer.InterruptAt(interrupter_, DeadlineTimer::Clock::now());
  while (!interrupter_.pending()) std::this_thread::yield();
}

TEST_P(Preempt, InterruptersMayOutliveTheStore) {
  Interrupter nobody, late;
  nobody.Interrupt();
  EXPECT_FALSE(nobody.pending());
  {
    StoreHandle store;
    late = store.interrupter();
  }
  late.Interrupt();
}

TEST_P(Preempt, FuelIsCountedInChecks) {
  if (*GetParam().preempt != 'f') return;
  store_.SetFuel(10);
  DynamicStep step = Call("count", {Value::I32(1000)});
  ASSERT_TRUE(step.out_of_fuel());
  EXPECT_EQ(store_.fuel(), 0u);
  int pauses = 1;
  for (; step.out_of_fuel(); ++pauses) ASSERT_TRUE(step.Refuel(100).ok());
  ASSERT_TRUE(step.finished());
  // 999 checks: 10, then 1 + 100 for each refuelling, as the check that paused is not made again.
  EXPECT_EQ(pauses, 11);
  EXPECT_EQ(store_.fuel(), 10u + 1000 - (999 - 10));
  // Interrupts work too, and take precedence.
  store_.SetFuel(0);
  interrupter_.Interrupt();
  step = Call("count", {Value::I32(3)});
  EXPECT_TRUE(step.interrupted());
  ASSERT_TRUE(step.Continue().ok());
  EXPECT_TRUE(step.out_of_fuel());
  ASSERT_TRUE(step.Refuel(~uint64_t{0}).ok());
  EXPECT_TRUE(step.finished());
}

TEST_P(Preempt, FuelOfTheLimits) {
  if (*GetParam().preempt != 'f') return;
  Limits limits;
  limits.fuel = 5;
  StoreHandle store(limits);
  absl::StatusOr<DynamicInstance*> instance = store.Instantiate(*module_, {});
  ASSERT_TRUE(instance.ok()) << instance.status();
  const Value n = Value::I32(1000);
  absl::StatusOr<DynamicStep> step = (*instance)->Call("count", {&n, 1});
  EXPECT_TRUE(step.ok() && step->out_of_fuel());
}

INSTANTIATE_TEST_SUITE_P(Shapes, Preempt, testing::ValuesIn(Variants()), NameOfVariant);

}  // namespace
}  // namespace fermata

// Back traces of suspended, paused and trapped calls.
#include "fermata/backtrace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/code_fixture.h"

namespace fermata {
namespace {

using testing::HasSubstr;
using Kind = BacktraceFrame::Kind;

constexpr char kGuest[] = R"((module
  (import "env" "op_i32" (func $op (param i32) (result i32)))
  (func $inner (param $a i32) (param $b i64) (result i32)
    (i32.add (call $op (i32.const 7)) (i32.wrap_i64 (local.get $b))))
  (func $outer (export "outer") (param $x f64) (result i32)
    (local $n i32)
    (local.set $n (i32.const -3))
    (i32.div_s
      (i32.add (local.get $n) (call $inner (i32.const 1) (i64.const 99)))
      (i32.trunc_f64_s (local.get $x))))
  (func $after (export "after") (param $d i32) (result i32)
    (call $divide (call $op (i32.const 1)) (local.get $d)))
  (func $caller (export "caller") (param $d i32) (result i32)
    (i32.add (call $after (local.get $d)) (i32.const 1)))
  (func $divide (export "divide") (param i32 i32) (result i32)
    (i32.div_s (local.get 0) (local.get 1)))
  (func $deep (export "deep") (param $n i32) (result i32)
    (if (result i32) (local.get $n)
      (then (i32.add (call $deep (i32.sub (local.get $n) (i32.const 1))) (i32.const 1)))
      (else (call $op (i32.const 0)))))
  (func $spin (export "spin") (param $n i32)
    (loop $l (local.set $n (i32.add (local.get $n) (i32.const 1))) (br $l)))
))";

std::vector<Variant> Variants() {
  std::vector<Variant> variants;
  for (const char* shape : {"split", "tails", "shared"}) {
    variants.push_back({FERMATA_CXX, shape, "reserved", false, 1, false, 0, "interrupt"});
  }
  variants.push_back({FERMATA_CXX, "auto", "reserved", false, 1, false, 12, "interrupt"});
  return variants;
}

class Backtraces : public CodeFixture {
 protected:
  std::string Text() const override { return kGuest; }
  DynamicStep Call(const std::string& name, std::vector<Value> arguments) {
    absl::StatusOr<DynamicStep> step = instance_->Call(name, arguments);
    EXPECT_TRUE(step.ok()) << step.status();
    return step.ok() ? *std::move(step) : DynamicStep();
  }
};

TEST_P(Backtraces, OfASuspendedCall) {
  DynamicStep step = Call("outer", {Value::F64(0.5)});
  ASSERT_TRUE(step.suspended());
  const Backtrace trace = step.backtrace();
  ASSERT_EQ(trace.frames.size(), 3u);
  const BacktraceFrame &op = trace.frames[0], &inner = trace.frames[1], &outer = trace.frames[2];
  EXPECT_EQ(op.kind, Kind::kImport);
  EXPECT_EQ(op.name, "env.op_i32");
  EXPECT_EQ(op.instance, instance_);
  ASSERT_EQ(op.values.size(), 1u);
  EXPECT_EQ(op.values[0].i32(), 7u);
  EXPECT_EQ(inner.kind, Kind::kHeld);
  EXPECT_EQ(inner.name, "inner");
  EXPECT_EQ(inner.function, 1u);
  EXPECT_GT(inner.offset, 0u);
  ASSERT_EQ(inner.values.size(), 1u) << "$a is not needed any more";
  EXPECT_EQ(inner.values[0].type, ValType::kI64);
  EXPECT_EQ(inner.values[0].i64(), 99u);
  EXPECT_EQ(outer.name, "outer");
  EXPECT_GT(outer.offset, inner.offset);
  ASSERT_EQ(outer.values.size(), 2u);
  EXPECT_EQ(outer.values[0].f64(), 0.5);
  EXPECT_EQ(static_cast<int32_t>(outer.values[1].i32()), -3);

  const std::string text = trace.ToString();
  EXPECT_THAT(text, HasSubstr("#0  env.op_i32 (i32 7)\n"));
  EXPECT_THAT(text, HasSubstr("#1  f1 inner +0x"));
  EXPECT_THAT(text, HasSubstr(": f64 0.5, i32 -3\n"));

  // The host makes it fail: the same frames.
  ASSERT_TRUE(step.Throw("no").ok());
  EXPECT_EQ(step.backtrace().ToString(), text);
  EXPECT_TRUE(DynamicStep().backtrace().frames.empty());
}

TEST_P(Backtraces, OfATrapInResumedCode) {
  DynamicStep step = Call("caller", {Value::I32(0)});
  ASSERT_TRUE(step.Resume({Value::I32(1)}).ok());
  ASSERT_EQ(step.trap(), Trap::kIntegerDivideByZero);
  const Backtrace trace = step.backtrace();
  ASSERT_EQ(trace.frames.size(), 2u) << trace.ToString();
  EXPECT_EQ(trace.frames[0].kind, Kind::kRunning);
  EXPECT_EQ(trace.frames[0].name, "after");
  EXPECT_EQ(trace.frames[1].kind, Kind::kHeld);
  EXPECT_EQ(trace.frames[1].name, "caller");
  EXPECT_THAT(trace.ToString(), HasSubstr(" and on, or called by it\n"));

  // The outermost frame itself: all below it have returned.
  step = Call("outer", {Value::F64(0.5)});
  ASSERT_TRUE(step.Resume({Value::I32(1)}).ok());
  ASSERT_EQ(step.trap(), Trap::kIntegerDivideByZero);
  const Backtrace outermost = step.backtrace();
  ASSERT_EQ(outermost.frames.size(), 1u) << outermost.ToString();
  EXPECT_EQ(outermost.frames[0].name, "outer");
}

TEST_P(Backtraces, OfATrapInACallThatWasNeverSuspended) {
  DynamicStep step = Call("divide", {Value::I32(1), Value::I32(0)});
  ASSERT_TRUE(step.trapped());
  const Backtrace trace = step.backtrace();
  ASSERT_EQ(trace.frames.size(), 1u);
  EXPECT_EQ(trace.frames[0].kind, Kind::kRunning);
  EXPECT_EQ(trace.frames[0].name, "divide");
  EXPECT_EQ(trace.ToString(), "#0  f5 divide, or called by it\n");
}

TEST_P(Backtraces, OfAPausedLoop) {
  store_.interrupter().Interrupt();
  DynamicStep step = Call("spin", {Value::I32(41)});
  ASSERT_TRUE(step.interrupted());
  const Backtrace trace = step.backtrace();
  ASSERT_EQ(trace.frames.size(), 1u);
  EXPECT_EQ(trace.frames[0].name, "spin");
  ASSERT_EQ(trace.frames[0].values.size(), 1u);
  EXPECT_EQ(trace.frames[0].values[0].i32(), 42u);
}

TEST_P(Backtraces, LongOnesAreCutInTheMiddle) {
  DynamicStep step = Call("deep", {Value::I32(1000)});
  const Backtrace trace = step.backtrace();
  EXPECT_EQ(trace.frames.size(), 1002u);
  EXPECT_THAT(trace.ToString(10), HasSubstr("… 992 more …\n#997 "));
}

INSTANTIATE_TEST_SUITE_P(Shapes, Backtraces, testing::ValuesIn(Variants()), NameOfVariant);

}  // namespace
}  // namespace fermata

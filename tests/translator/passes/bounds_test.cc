// Which accesses are known to be in bounds.
#include "translator/passes/bounds.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/support/commands.h"
#include "tests/support/function_of_text.h"
#include "translator/emit/memory_view.h"

namespace fermata::passes {
namespace {

void NoteLoads(const ir::Expr* e, std::string& marks) {
  if (e == nullptr) return;
  for (const ir::Expr* x : {e->a, e->b, e->c}) NoteLoads(x, marks);
  if (e->kind == ir::ExprKind::kLoad || e->kind == ir::ExprKind::kLoadLane) {
    marks += e->in_bounds ? 'y' : 'n';
  }
}

// A letter for each access of the function with this body (see tests/support/function_of_text.h):
// y if it is in bounds. They are in order, those of an address before the one at it. Behind a check
// of several there is its size: "[12]yy".
std::string Marks(const std::string& body, bool trusts_frames = true, int pages = 1,
                  bool merges_checks = false) {
  const testing_support::FunctionOfText f(body, pages);
  if (!f.ok()) return "no function";
  emit::Options options;
  options.memory = emit::MemoryPolicy::kChecked;
  const auto least = [&](uint32_t m) {
    return emit::LeastBytes(options, f.module().memories[m].type);
  };
  FindAccessesInBounds(*f, {least, trusts_frames, merges_checks});
  std::string marks;
  for (const ir::Stmt& s : f->stmts) {
    for (const ir::BoundsCheck& check : s.checks) absl::StrAppend(&marks, "[", check.size, "]");
    for (const ir::Expr* e : s.args) NoteLoads(e, marks);
    if (s.kind == ir::StmtKind::kStore || s.kind == ir::StmtKind::kStoreLane) {
      marks += s.in_bounds ? 'y' : 'n';
    }
  }
  return marks;
}
std::string Load(const std::string& address, int64_t offset = 0,
                 const std::string& op = "i32.load") {
  return absl::StrCat("(drop (", op, " offset=", offset, " ", address, "))");
}
std::string Store(const std::string& address, int64_t offset = 0) {
  return absl::StrCat("(i32.store offset=", offset, " ", address, " (local.get $p))");
}
std::string Const(int64_t value) { return absl::StrCat("(i32.const ", value, ")"); }
// Between 0 and `most`, which is one less than a power of 2.
std::string Masked(int64_t most) {
  return absl::StrCat("(i32.and (local.get $n) ", Const(most), ")");
}
std::string Plus(const std::string& variable, int64_t plus) {
  return absl::StrCat("(i32.add (local.get ", variable, ") ", Const(plus), ")");
}

constexpr char kN[] = "(local.get $n)";
constexpr char kSuspends[] = "(drop (call $op (i32.const 0)))";

class Bounds : public testing::Test {
 protected:
  void SetUp() override { FERMATA_SKIP_WITHOUT_WAT2WASM(); }
};

TEST_F(Bounds, ConstantAddresses) {
  EXPECT_EQ(Marks(Store(Const(0)) + Load(Const(65532))), "yy");
  EXPECT_EQ(Marks(Store(Const(65533)) + Load(Const(65536)) + Load(Const(-4))), "nnn");
  EXPECT_EQ(Marks(Store(Const(65532), 1) + Load(Const(4), 65528)), "ny");
  // Each of its own size.
  EXPECT_EQ(Marks(Load(Const(65535), 0, "i32.load8_u") + Load(Const(65535), 0, "i32.load16_u")),
            "yn");
  EXPECT_EQ(Marks(Load(Const(65528), 0, "i64.load") + Load(Const(65529), 0, "i64.load")), "yn");
  EXPECT_EQ(Marks(Load(Const(65520), 0, "v128.load") + Load(Const(65521), 0, "v128.load")), "yn");
  EXPECT_EQ(Marks("(v128.store64_lane 1 (i32.const 65528) (v128.const i64x2 1 2))"
                  "(v128.store64_lane 1 (i32.const 65529) (v128.const i64x2 1 2))"),
            "yn");
  EXPECT_EQ(Marks("(drop (v128.load8_lane 1 (i32.const 65535) (v128.const i64x2 1 2)))"), "y");
}

TEST_F(Bounds, OffsetsDoNotWrap) {
  EXPECT_EQ(Marks(Load(Const(0), 0xffffffff) + Load(Const(0), 0xfffffffc)), "nn");
  EXPECT_EQ(Marks(Load(Const(8), 0xfffffff8) + Load(Const(-8), 16)), "nn");
}

TEST_F(Bounds, AddressesOfAKnownRange) {
  EXPECT_EQ(Marks(Store(Masked(0xfffc), 0)), "y");
  EXPECT_EQ(Marks(Store(Masked(0xffff), 0)), "n");
  EXPECT_EQ(Marks(Store(Masked(0xff), 65536 - 259) + Store(Masked(0xff), 65536 - 258)), "yn");
  EXPECT_EQ(Marks(Load("(i32.load8_u (local.get $n))")), "ny");
  EXPECT_EQ(Marks(Load("(i32.load (local.get $n))")), "nn");
  EXPECT_EQ(Marks(Load(kN)), "n");
}

TEST_F(Bounds, MemoriesOfSeveralSizes) {
  EXPECT_EQ(Marks(Store(Const(0)), true, 0), "n");
  EXPECT_EQ(Marks(Store(Const(131068)) + Store(Const(131069)), true, 2), "yn");
  // All that 32 bits reach, but for the last bytes.
  EXPECT_EQ(Marks(Load(kN, 0, "i32.load8_u") + Load(kN, 0, "i32.load16_u"), true, 65536), "yn");
  EXPECT_EQ(Marks(Load(kN, 1, "i32.load8_u"), true, 65536), "n");
  // Growing makes a memory larger, but nobody knows by how much.
  EXPECT_EQ(Marks("(drop (memory.grow (i32.const 1)))" + Store(Const(65536)) + Store(Const(0))),
            "ny");
}

TEST_F(Bounds, OtherMemories) {
  EXPECT_EQ(Marks("(i32.store $shared (i32.const 0) (i32.const 1))"
                  "(i32.store $large (i64.const 0) (i32.const 1))"),
            "nn");
  // What was touched of one memory says nothing of another.
  EXPECT_EQ(Marks("(i32.store $shared (local.get $n) (i32.const 1))" + Store(kN) +
                  "(i32.store $shared (local.get $n) (i32.const 1))" + Store(kN)),
            "nnny");
}

TEST_F(Bounds, InLoops) {
  const auto loop = [](const std::string& body, int step, int bound) {
    return absl::StrCat("(loop $l ", body, "(local.set $i ", Plus("$i", step),
                        ") (br_if $l (i32.ne (local.get $i) ", Const(bound), ")))");
  };
  EXPECT_EQ(Marks(loop(Store("(local.get $i)"), 4, 65536)), "y");
  EXPECT_EQ(Marks(loop(Store("(local.get $i)", 1), 4, 65536)), "n");
  EXPECT_EQ(Marks(loop(Store("(local.get $i)"), 4, 65540)), "n");
  EXPECT_EQ(Marks(loop(Store("(local.get $i)"), 3, 65536)), "n");
  // Behind the increment.
  EXPECT_EQ(
      Marks("(loop $l (local.set $i (i32.add (local.get $i) (i32.const 4)))" +
            Store("(local.get $i)") + "(br_if $l (i32.ne (local.get $i) (i32.const 65536))))"),
      "n");
  EXPECT_EQ(Marks(loop(Store("(i32.shl (local.get $i) (i32.const 2))"), 1, 16384)), "y");
  EXPECT_EQ(Marks(loop(Store("(i32.shl (local.get $i) (i32.const 2))"), 1, 16385)), "n");
}

TEST_F(Bounds, BehindAnAccessThatReachedAsFar) {
  EXPECT_EQ(Marks(Load(kN) + Load(kN)), "ny");
  EXPECT_EQ(Marks(Load(kN, 8) + Store(kN, 4) + Load(kN, 8) + Load(kN, 9)), "nyyn");
  EXPECT_EQ(Marks(Store(kN) + Load(kN, 0, "i64.load") + Load(kN, 4)), "nny");
  EXPECT_EQ(Marks(Load(Plus("$n", -8)) + Load(Plus("$n", -8)) + Load(kN) + Load(Plus("$n", -4))),
            "nynn");
  // Of one statement no part covers another.
  EXPECT_EQ(Marks("(global.set $g (i32.sub (i32.load (local.get $n)) (i32.load (local.get $n))))"),
            "nn");
  EXPECT_EQ(Marks("(i32.store (local.get $n) (i32.load (local.get $n)))" + Load(kN)), "nny");
}

TEST_F(Bounds, AnotherValueIsAnotherPlace) {
  EXPECT_EQ(Marks(Load(kN) + "(local.set $n (local.get $p))" + Load(kN)), "nn");
  EXPECT_EQ(Marks("(local.set $n (i32.load (local.get $n)))" + Load(kN)), "nn");
  EXPECT_EQ(Marks(Load(kN) + "(local.set $n (call $op (local.get $n)))" + Load(kN)), "nn");
  EXPECT_EQ(Marks(Load(kN) + Load("(local.get $p)")), "nn");
}

TEST_F(Bounds, AcrossLabelsNothingIsKnown) {
  EXPECT_EQ(Marks("(block $b (br_if $b (local.get $p))" + Load(kN) + ")" + Load(kN)), "nn");
  EXPECT_EQ(Marks(Load(kN) + "(loop $l " + Load(kN) + "(br_if $l (local.get $p)))"), "nn");
  // A jump away leaves the rest as it is.
  EXPECT_EQ(Marks("(block $b " + Load(kN) + "(br_if $b (local.get $p))" + Load(kN) + ")"), "ny");
}

TEST_F(Bounds, GrowthAndCallsKeepWhatWasTouched) {
  EXPECT_EQ(Marks(Load(kN) + "(drop (memory.grow (local.get $p)))" + Load(kN)), "ny");
  EXPECT_EQ(Marks(Load(kN) + "(drop (call $throws (i32.const 0)))" + Load(kN), false), "ny");
}

TEST_F(Bounds, FramesThatSomebodyMadeUp) {
  const std::string masked = "(local.set $n " + Masked(0xff) + ")";
  for (const bool trusted : {true, false}) {
    const char* kept = trusted ? "y" : "n";
    EXPECT_EQ(Marks(Load(kN) + kSuspends + Load(kN), trusted), absl::StrCat("n", kept));
    EXPECT_EQ(Marks(masked + Load(kN) + kSuspends + Load(kN), trusted), absl::StrCat("y", kept));
    EXPECT_EQ(Marks(masked + kSuspends + Load(kN), trusted), kept);
    EXPECT_EQ(
        Marks(masked + "(loop $l " + Load(kN) + kSuspends + "(br_if $l (local.get $p)))", trusted),
        kept);
    // What does not depend on the frame, and what is found out behind it.
    EXPECT_EQ(Marks(kSuspends + Load(Const(16)) + Load(Masked(0xff)), trusted), "yy");
    EXPECT_EQ(Marks(kSuspends + masked + Load(kN) + Load(kN, 65536 - 259), trusted), "yy");
    // The rounds depend on it.
    EXPECT_EQ(
        Marks(absl::StrCat("(local.set $i (i32.const 90))", kSuspends,
                           "(local.set $j (i32.const 0)) (loop $l", Store("(local.get $j)"),
                           "(local.set $j ", Plus("$j", 4000), ") (local.set $i ", Plus("$i", 1),
                           ")", "(br_if $l (i32.ne (local.get $i) (i32.const 100))))"),
              trusted),
        kept);
  }
}

// Those with pages of a byte may have all of 4 GiB without a guard behind them, under both policies.
TEST_F(Bounds, MemoriesThatAreChecked) {
  emit::Options options;
  wasm::MemoryType bytes, pages, shared, large;
  bytes.limits.min = 1000;
  bytes.page_log2 = 0;
  pages.limits.min = shared.limits.min = large.limits.min = 2;
  shared.limits.shared = true;
  large.limits.is64 = true;
  options.memory = emit::MemoryPolicy::kReserved;
  EXPECT_EQ(emit::LeastBytes(options, bytes), 0u);
  EXPECT_EQ(emit::LeastBytes(options, pages), 131072u);
  options.memory = emit::MemoryPolicy::kChecked;
  EXPECT_EQ(emit::LeastBytes(options, bytes), 0u);
  EXPECT_EQ(emit::LeastBytes(options, pages), 131072u);
  EXPECT_EQ(emit::LeastBytes(options, shared), 0u);
  EXPECT_EQ(emit::LeastBytes(options, large), 0u);
  options.memory = emit::MemoryPolicy::kFixed;
  EXPECT_EQ(emit::LeastBytes(options, pages), 0u);
}

// ---- Several accesses with one check -------------------------------------------------------------

std::string Merged(const std::string& body) { return Marks(body, false, 1, true); }

TEST_F(Bounds, LoadsFromOneValueAreCheckedAtOnce) {
  EXPECT_EQ(Merged(Load(kN) + Load(kN, 8) + Load(kN, 4)), "[12]yyy");
  EXPECT_EQ(Merged(Load(Plus("$n", 4)) + Load(Plus("$n", -8))), "[16]yy");
  // One alone is checked where it is.
  EXPECT_EQ(Merged(Load(kN)), "n");
  EXPECT_EQ(Merged(Load(kN) + Load("(local.get $p)")), "nn");
  // Not those that are far apart.
  EXPECT_EQ(Merged(Load(kN) + Load(kN, 4088) + Load(kN, 5000)), "[4092]yyn");
  EXPECT_EQ(Merged(Load(kN) + Load(kN, 0xfffffff0)), "nn");
  // Through another variable.
  EXPECT_EQ(Merged("(local.set $i " + Plus("$n", 8) + ")" + Load("(local.get $i)") + Load(kN)),
            "[12]yy");
  // The variable is another value.
  EXPECT_EQ(Merged(Load(kN) + "(local.set $n (local.get $p))" + Load(kN, 4)), "nn");
  EXPECT_EQ(Merged(Load(kN) + "(local.set $n " + Plus("$n", 4) + ")" + Load(kN)), "[8]yy");
}

TEST_F(Bounds, NothingThatAHostCanSeeComesBetween) {
  // What is read for a store, and where it goes, is before it; the next is behind it.
  EXPECT_EQ(Merged("(i32.store (local.get $n) (i32.load offset=4 (local.get $n)))"), "[8]yy");
  EXPECT_EQ(Merged(Store(kN) + Store(kN, 4)), "nn");
  EXPECT_EQ(Merged(Load(kN) + Store(kN, 4) + Load(kN, 8)), "[8]yyn");
  EXPECT_EQ(Merged(Load(kN) + kSuspends + Load(kN, 4)), "nn");
  EXPECT_EQ(Merged(Load(kN) + "(if (local.get $p) (then (return)))" + Load(kN, 4)), "nn");
  // Another trap.
  EXPECT_EQ(Merged(Load(kN) + "(drop (i32.div_u (i32.const 1) (local.get $p)))" + Load(kN, 4)),
            "nn");
  // A loop may come back with another value.
  EXPECT_EQ(Merged("(loop $l " + Load(kN) + "(local.set $n (local.get $p)) (br_if $l " +
                   Load(kN, 4).substr(6, Load(kN, 4).size() - 7) + "))"),
            "nn");
}

TEST_F(Bounds, WhatIsKnownNeedsNoCheck) {
  EXPECT_EQ(Merged(Load(Masked(0xff)) + Load(Masked(0xff), 4)), "yy");
  EXPECT_EQ(Merged(Load(kN, 8) + "(local.set $p (i32.const 0))" + Store(kN) + Load(kN, 4)),
            "[12]yyy");
}

}  // namespace
}  // namespace fermata::passes

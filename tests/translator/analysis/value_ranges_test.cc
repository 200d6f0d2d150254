// Between which bounds values lie: of expressions, behind comparisons, and in loops that count; and
// where nothing must be concluded.
#include "translator/analysis/value_ranges.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/support/commands.h"
#include "tests/support/function_of_text.h"

namespace fermata::analysis {
namespace {

constexpr Range kAny;

}  // namespace

void PrintTo(const Range& range, std::ostream* out) {
  *out << '[' << range.least << ", " << range.most << ']';
}

namespace {

// Of what the function with this body gives to its one `global.set`. The variables are those of
// tests/support/function_of_text.h.
Range RangeIn(const std::string& body, bool trusts_frames = true) {
  const testing_support::FunctionOfText f(body);
  if (!f.ok()) return {1, 0};
  ValueRanges ranges(*f, trusts_frames);
  for (uint32_t i = 0; i < f->stmts.size(); ++i) {
    ranges.Enter(i);
    const ir::Stmt& s = f->stmts[i];
    if (s.kind == ir::StmtKind::kGlobalSet) return ranges.Of(s.args[0]);
  }
  ADD_FAILURE() << "no global.set in " << body;
  return {1, 0};
}
Range Of(const std::string& expression) {
  return RangeIn(absl::StrCat("(global.set $g ", expression, ")"));
}
std::string Get(const std::string& variable) { return absl::StrCat("(local.get ", variable, ")"); }
std::string Note(const std::string& variable) {
  return absl::StrCat("(global.set $g ", Get(variable), ")");
}
std::string Set(const std::string& variable, const std::string& value) {
  return absl::StrCat("(local.set ", variable, " ", value, ")");
}
std::string Const(int64_t value) { return absl::StrCat("(i32.const ", value, ")"); }
std::string Add(const std::string& variable, int64_t by) {
  return Set(variable, absl::StrCat("(i32.add ", Get(variable), Const(by), ")"));
}
// An i32 operation of two operands.
std::string Op(const std::string& op, const std::string& a, const std::string& b) {
  return absl::StrCat("(i32.", op, " ", a, " ", b, ")");
}
// Something between 0 and 2^n - 1.
std::string Masked(uint32_t bits, const std::string& variable = "$n") {
  return Op("and", Get(variable), Const((int64_t{1} << bits) - 1));
}

class ValueRangesTest : public testing::Test {
 protected:
  void SetUp() override { FERMATA_SKIP_WITHOUT_WAT2WASM(); }
};

// ---- Expressions ---------------------------------------------------------------------------------

TEST_F(ValueRangesTest, OfConstantsVariablesAndLoads) {
  EXPECT_EQ(Of("(i32.const 7)"), (Range{7, 7}));
  EXPECT_EQ(Of("(i32.const -1)"), (Range{0xffffffff, 0xffffffff}));
  EXPECT_EQ(Of("(local.get $n)"), kAny);
  EXPECT_EQ(Of("(local.get $i)"), (Range{0, 0}));
  EXPECT_EQ(Of("(i32.load8_u (local.get $n))"), (Range{0, 0xff}));
  EXPECT_EQ(Of("(i32.load16_u (local.get $n))"), (Range{0, 0xffff}));
  EXPECT_EQ(Of("(i32.load8_s (local.get $n))"), kAny);
  EXPECT_EQ(Of("(i32.load16_s (local.get $n))"), kAny);
  EXPECT_EQ(Of("(i32.load (local.get $n))"), kAny);
  EXPECT_EQ(Of("(global.get $g)"), kAny);
  EXPECT_EQ(Of("(memory.size)"), kAny);
  EXPECT_EQ(Of(absl::StrCat("(select (i32.const 9) ", Masked(2), "(local.get $p))")),
            (Range{0, 9}));
}

TEST_F(ValueRangesTest, OfComparisonsAndCounts) {
  for (const char* e :
       {"(i32.lt_s (local.get $n) (local.get $p))", "(i32.eqz (local.get $n))",
        "(i64.eqz (local.get $w))", "(i64.ge_u (local.get $w) (i64.const 3))",
        "(f64.ne (local.get $x) (local.get $y))", "(i32.eq (local.get $n) (i32.const 0))"}) {
    EXPECT_EQ(Of(e), (Range{0, 1})) << e;
  }
  for (const char* op : {"clz", "ctz", "popcnt"}) {
    EXPECT_EQ(Of(absl::StrCat("(i32.", op, "(local.get $n))")), (Range{0, 32})) << op;
  }
}

TEST_F(ValueRangesTest, OfSums) {
  EXPECT_EQ(Of(Op("add", Masked(4), Const(100))), (Range{100, 115}));
  EXPECT_EQ(Of(Op("add", Masked(4), Masked(4, "$p"))), (Range{0, 30}));
  // Some of the sums are beyond 2^32, or all.
  EXPECT_EQ(Of(Op("add", Masked(4), Const(-8))), kAny);
  EXPECT_EQ(Of(Op("add", Op("or", Masked(2), Const(16)), Const(-8))), (Range{8, 23}));
  EXPECT_EQ(Of(Op("sub", Const(100), Masked(4))), (Range{85, 100}));
  EXPECT_EQ(Of(Op("sub", Masked(4), Const(1))), kAny);
  EXPECT_EQ(Of(Op("sub", Const(3), Const(4))), (Range{0xffffffff, 0xffffffff}));
  EXPECT_EQ(Of(Op("add", Get("$n"), Const(1))), kAny);
}

TEST_F(ValueRangesTest, OfProductsAndQuotients) {
  EXPECT_EQ(Of(Op("mul", Masked(8), Const(12))), (Range{0, 255 * 12}));
  EXPECT_EQ(Of(Op("mul", Masked(16), Masked(16, "$p"))), (Range{0, 65535u * 65535u}));
  EXPECT_EQ(Of(Op("mul", Masked(17), Masked(16, "$p"))), kAny);
  EXPECT_EQ(Of(Op("mul", Const(-1), Const(-1))), (Range{1, 1}));
  EXPECT_EQ(Of(Op("div_u", Get("$n"), Const(1 << 20))), (Range{0, 4095}));
  EXPECT_EQ(Of(Op("div_u", Masked(8), Get("$p"))), (Range{0, 255}));
  EXPECT_EQ(Of(Op("div_u", Const(100), Op("add", Masked(2), Const(2)))), (Range{20, 50}));
  EXPECT_EQ(Of(Op("rem_u", Get("$n"), Const(10))), (Range{0, 9}));
  EXPECT_EQ(Of(Op("rem_u", Masked(3), Const(10))), (Range{0, 7}));
  EXPECT_EQ(Of(Op("rem_u", Get("$n"), Get("$p"))), (Range{0, 0xfffffffe}));
  // Those of signed numbers may be negative.
  EXPECT_EQ(Of(Op("rem_s", Get("$n"), Const(10))), kAny);
  EXPECT_EQ(Of(Op("div_s", Get("$n"), Const(10))), kAny);
}

TEST_F(ValueRangesTest, OfBits) {
  EXPECT_EQ(Of(Op("and", Get("$n"), Const(0xfff0))), (Range{0, 0xfff0}));
  EXPECT_EQ(Of(Op("and", Const(0x7f), Get("$n"))), (Range{0, 0x7f}));
  EXPECT_EQ(Of(Op("and", Get("$n"), Const(-16))), (Range{0, 0xfffffff0}));
  EXPECT_EQ(Of(Op("or", Masked(4), Const(0x20))), (Range{0x20, 0x3f}));
  EXPECT_EQ(Of(Op("xor", Masked(4), Const(0x20))), (Range{0, 0x3f}));
  EXPECT_EQ(Of(Op("xor", Const(0), Get("$i"))), (Range{0, 0}));
  EXPECT_EQ(Of(Op("xor", Masked(4), Get("$p"))), kAny);
  EXPECT_EQ(Of(Op("rotl", Masked(4), Const(1))), kAny);
}

TEST_F(ValueRangesTest, OfShifts) {
  EXPECT_EQ(Of(Op("shl", Masked(8), Const(2))), (Range{0, 1020}));
  EXPECT_EQ(Of(Op("shl", Masked(8), Const(24))), (Range{0, 0xff000000}));
  EXPECT_EQ(Of(Op("shl", Masked(8), Const(25))), kAny);
  EXPECT_EQ(Of(Op("shl", Masked(8), Get("$p"))), kAny);
  EXPECT_EQ(Of(Op("shr_u", Get("$n"), Const(24))), (Range{0, 255}));
  EXPECT_EQ(Of(Op("shr_u", Masked(8), Get("$p"))), (Range{0, 255}));
  EXPECT_EQ(Of(Op("shr_s", Masked(8), Const(4))), (Range{0, 15}));
  EXPECT_EQ(Of(Op("shr_s", Get("$n"), Const(24))), kAny);
  // Of the distance five bits count.
  EXPECT_EQ(Of(Op("shl", Masked(8), Const(34))), (Range{0, 1020}));
  EXPECT_EQ(Of(Op("shr_u", Get("$n"), Const(32))), kAny);
  EXPECT_EQ(Of(Op("shr_u", Get("$n"), Const(56))), (Range{0, 255}));
}

TEST_F(ValueRangesTest, OfWhatIsNotKnown) {
  EXPECT_EQ(Of("(i32.wrap_i64 (i64.and (local.get $w) (i64.const 7)))"), kAny);
  EXPECT_EQ(Of("(i32.extend8_s (i32.const 1))"), kAny);
  EXPECT_EQ(Of("(i32.trunc_f64_u (local.get $x))"), kAny);
  EXPECT_EQ(Of("(i32.reinterpret_f32 (f32.const 0))"), kAny);
  EXPECT_EQ(Of("(i32x4.extract_lane 0 (v128.const i32x4 1 2 3 4))"), kAny);
}

// ---- Variables and comparisons -------------------------------------------------------------------

TEST_F(ValueRangesTest, OfVariablesThatAreSet) {
  EXPECT_EQ(RangeIn(Set("$n", Masked(4)) + Note("$n")), (Range{0, 15}));
  EXPECT_EQ(RangeIn(Set("$n", Masked(4)) + Set("$n", Get("$p")) + Note("$n")), kAny);
  EXPECT_EQ(RangeIn(Set("$i", "(call $throws (i32.const 1))") + Note("$i")), kAny);
  EXPECT_EQ(RangeIn("(local.set $i (memory.grow (i32.const 0)))" + Note("$i")), kAny);
  // Of two ways the values of both.
  EXPECT_EQ(RangeIn("(if (local.get $p) (then (local.set $i (i32.const 20)))"
                    " (else (local.set $i (i32.const 30))))" +
                    Note("$i")),
            (Range{20, 30}));
  EXPECT_EQ(RangeIn("(block $a (block $b (br_table $a $b $a (local.get $p)))"
                    " (local.set $i (i32.const 5)))" +
                    Note("$i")),
            (Range{0, 5}));
}

// Of $n where `condition` is true, and where it is false.
void ExpectBehind(const std::string& condition, Range when_true, Range when_false) {
  const std::string begin = absl::StrCat("(if ", condition);
  EXPECT_EQ(RangeIn(absl::StrCat(begin, "(then ", Note("$n"), "))")), when_true) << condition;
  EXPECT_EQ(RangeIn(absl::StrCat(begin, "(then) (else ", Note("$n"), "))")), when_false)
      << condition;
  // The same by a jump over it.
  EXPECT_EQ(RangeIn(absl::StrCat("(block $b (br_if $b ", condition, ")", Note("$n"), ")")),
            when_false)
      << condition;
}

TEST_F(ValueRangesTest, BehindUnsignedComparisons) {
  const std::string n = Get("$n");
  ExpectBehind(n, {1, 0xffffffff}, {0, 0});
  ExpectBehind("(i32.eqz (local.get $n))", {0, 0}, {1, 0xffffffff});
  ExpectBehind(Op("lt_u", n, Const(100)), {0, 99}, {100, 0xffffffff});
  ExpectBehind(Op("le_u", n, Const(100)), {0, 100}, {101, 0xffffffff});
  ExpectBehind(Op("gt_u", n, Const(100)), {101, 0xffffffff}, {0, 100});
  ExpectBehind(Op("ge_u", n, Const(100)), {100, 0xffffffff}, {0, 99});
  ExpectBehind(Op("gt_u", Const(100), n), {0, 99}, {100, 0xffffffff});
  ExpectBehind(Op("eq", n, Const(5)), {5, 5}, kAny);
  ExpectBehind(Op("ne", Const(5), n), kAny, {5, 5});
  ExpectBehind(Op("lt_u", n, Masked(4, "$p")), {0, 14}, kAny);
  ExpectBehind("(i32.eqz " + Op("lt_u", n, Const(100)) + ")", {100, 0xffffffff}, {0, 99});
  // What is never true says nothing.
  ExpectBehind(Op("lt_u", n, Const(0)), kAny, kAny);
  ExpectBehind(Op("gt_u", n, Const(-1)), kAny, kAny);
}

TEST_F(ValueRangesTest, BehindSignedComparisons) {
  const std::string n = Get("$n");
  // Below a bound there may be negative numbers, which are large ones.
  ExpectBehind(Op("lt_s", n, Const(100)), kAny, {100, 0x7fffffff});
  ExpectBehind(Op("le_s", n, Const(100)), kAny, {101, 0x7fffffff});
  ExpectBehind(Op("gt_s", n, Const(-1)), kAny, kAny);
  ExpectBehind(Op("ge_s", n, Const(0)), {0, 0x7fffffff}, kAny);
  ExpectBehind(Op("ge_s", n, Const(-5)), kAny, kAny);
  ExpectBehind(Op("lt_s", Const(100), n), {101, 0x7fffffff}, kAny);
  ExpectBehind(Op("gt_s", n, Const(0x7fffffff)), kAny, kAny);
  // Unless the number is known not to be one.
  const std::string masked = Set("$n", Masked(12));
  EXPECT_EQ(
      RangeIn(absl::StrCat(masked, "(if ", Op("lt_s", n, Const(100)), "(then ", Note("$n"), "))")),
      (Range{0, 99}));
  EXPECT_EQ(
      RangeIn(absl::StrCat(masked, "(if ", Op("lt_s", n, Const(-100)), "(then ", Note("$n"), "))")),
      (Range{0, 0xfff}));
}

TEST_F(ValueRangesTest, AComparisonHoldsUntilTheVariableIsSet) {
  const std::string below = Op("lt_u", Get("$n"), Const(100));
  EXPECT_EQ(RangeIn(absl::StrCat("(if ", below, "(then ", Set("$n", Get("$p")), Note("$n"), "))")),
            kAny);
  EXPECT_EQ(RangeIn(absl::StrCat("(if ", below, "(then ", Add("$n", 1), Note("$n"), "))")),
            (Range{1, 100}));
  // Where the ways meet again it does not.
  EXPECT_EQ(RangeIn(absl::StrCat("(if ", below, "(then (global.get $g) (drop)))", Note("$n"))),
            kAny);
  // The test was of another value.
  EXPECT_EQ(RangeIn(absl::StrCat(Set("$i", below), Set("$n", Get("$p")), "(if ", Get("$i"),
                                 "(then ", Note("$n"), "))")),
            kAny);
}

// ---- Loops ---------------------------------------------------------------------------------------

// loop { note; i += by; br_if (relation i, bound) }, of the value of `noted` at its beginning.
Range InLoop(int64_t start, int64_t by, const std::string& relation, int64_t bound,
             const std::string& noted = "$i", const std::string& body = "") {
  return RangeIn(absl::StrCat(Set("$i", Const(start)), "(loop $l ", Note(noted), body,
                              Add("$i", by), "(br_if $l ", Op(relation, Get("$i"), Const(bound)),
                              "))"));
}

TEST_F(ValueRangesTest, OfCounters) {
  EXPECT_EQ(InLoop(0, 1, "ne", 1000), (Range{0, 999}));
  EXPECT_EQ(InLoop(8, 4, "ne", 4000), (Range{8, 3996}));
  EXPECT_EQ(InLoop(0, 3, "lt_u", 1000), (Range{0, 999}));
  EXPECT_EQ(InLoop(0, 3, "le_u", 999), (Range{0, 999}));
  EXPECT_EQ(InLoop(0, 7, "lt_s", 1000), (Range{0, 994}));
  EXPECT_EQ(InLoop(100, -1, "ne", 0), (Range{1, 100}));
  EXPECT_EQ(InLoop(100, -3, "gt_s", 0), (Range{1, 100}));
  EXPECT_EQ(InLoop(100, -3, "ge_s", 0), (Range{1, 100}));
  EXPECT_EQ(InLoop(0xfffffff0, 1, "ne", 0xfffffffe), (Range{0xfffffff0, 0xfffffffd}));
  // One round, as the test fails at once.
  EXPECT_EQ(InLoop(50, 1, "lt_u", 10), (Range{50, 50}));
}

TEST_F(ValueRangesTest, OfCountersThatWrap) {
  EXPECT_EQ(InLoop(0, 3, "ne", 1000), kAny);               // stepped over
  EXPECT_EQ(InLoop(10, -1, "ne", -10), kAny);              // through 0
  EXPECT_EQ(InLoop(-4, 1, "ne", 4), kAny);                 // the same, upwards
  EXPECT_EQ(InLoop(0, 16, "lt_u", 0xfffffff8).least, 0u);  // wraps before it reaches the bound
  EXPECT_EQ(InLoop(0, 16, "lt_u", 0xfffffff8).most, 0xfffffff7u);
  EXPECT_EQ(InLoop(100, -3, "gt_u", 1), (Range{2, 0xffffffff}));
  EXPECT_EQ(InLoop(0, 1, "ge_u", 0), kAny);
  EXPECT_EQ(InLoop(-100, 1, "lt_s", 100), kAny);
  EXPECT_EQ(InLoop(0, 1, "gt_s", -1), kAny);
}

TEST_F(ValueRangesTest, OfWhatChangesWithTheCounter) {
  const std::string by_8 = Add("$j", 8);
  EXPECT_EQ(InLoop(0, 1, "ne", 100, "$j", by_8), (Range{0, 792}));
  EXPECT_EQ(InLoop(0, 1, "ne", 100, "$j", Add("$j", -1)), kAny);
  EXPECT_EQ(InLoop(0, 1, "ne", 100, "$j", Add("$j", 0x4000000)), kAny);
  // From where it is when the loop is entered.
  EXPECT_EQ(RangeIn(Set("$j", Masked(4)) + Set("$i", Const(0)) + "(loop $l " + Note("$j") + by_8 +
                    Add("$i", 1) + "(br_if $l " + Op("ne", Get("$i"), Const(10)) + "))"),
            (Range{0, 15 + 72}));
  // Not by the same in each round, or more than once.
  EXPECT_EQ(InLoop(0, 1, "ne", 100, "$j", "(if (local.get $p) (then " + by_8 + "))"), kAny);
  EXPECT_EQ(InLoop(0, 1, "ne", 100, "$j", by_8 + by_8), kAny);
  EXPECT_EQ(InLoop(0, 1, "ne", 100, "$j", Set("$j", Op("shl", Get("$j"), Const(1)))),
            (Range{0, 0}));
  EXPECT_EQ(
      InLoop(0, 1, "ne", 100, "$j", Set("$j", Op("mul", Op("add", Get("$j"), Const(1)), Const(3)))),
      kAny);
  // In a loop within the loop.
  EXPECT_EQ(InLoop(0, 1, "ne", 100, "$j", "(loop $in " + by_8 + "(br_if $in (local.get $p)))"),
            kAny);
  // By another variable, which changes by the same.
  EXPECT_EQ(
      InLoop(0, 1, "ne", 100, "$j", Set("$j", Op("add", Get("$k"), Const(4))) + Add("$k", 4)).least,
      0u);
}

TEST_F(ValueRangesTest, LoopsWithSeveralWaysOut) {
  const std::string tail = Add("$i", 1) + "(br_if $l " + Op("ne", Get("$i"), Const(100)) + ")";
  const std::string begin = "(block $out (loop $l ";
  EXPECT_EQ(RangeIn(begin + "(br_if $out (i32.load (local.get $p)))" + Note("$i") + tail + "))"),
            (Range{0, 99}));
  // The earliest one counts if each round passes it.
  const std::string early = "(br_if $out " + Op("eq", Get("$i"), Const(10)) + ")";
  EXPECT_EQ(RangeIn(begin + Note("$i") + early + tail + "))"), (Range{0, 10}));
  EXPECT_EQ(RangeIn(begin + Note("$i") + "(if (local.get $p) (then " + early + "))" + tail + "))"),
            (Range{0, 99}));
  // The test at the beginning.
  EXPECT_EQ(RangeIn(begin + "(br_if $out " + Op("ge_u", Get("$i"), Const(9)) + ")" + Note("$i") +
                    Add("$i", 1) + "(br $l)))"),
            (Range{0, 8}));
  // Another way back.
  EXPECT_EQ(RangeIn(begin + Note("$i") + Add("$i", 1) + "(br_if $l (local.get $p))" + "(br_if $l " +
                    Op("ne", Get("$i"), Const(100)) + ")))"),
            kAny);
  EXPECT_EQ(RangeIn(begin + Note("$i") + Add("$i", 1) + "(br_table $l $out $l (local.get $p))))"),
            kAny);
}

TEST_F(ValueRangesTest, NestedLoops) {
  const auto nested = [](const std::string& reset, const std::string& noted) {
    return RangeIn("(loop $o " + reset + "(loop $l " + Note(noted) + Add("$i", 1) + Add("$k", 1) +
                   "(br_if $l " + Op("ne", Get("$i"), Const(50)) + "))" + Add("$j", 1) +
                   "(br_if $o " + Op("ne", Get("$j"), Const(20)) + "))");
  };
  const std::string reset = Set("$i", Const(0));
  EXPECT_EQ(nested(reset, "$i"), (Range{0, 49}));
  EXPECT_EQ(nested(reset, "$j"), (Range{0, 19}));
  EXPECT_EQ(nested(reset, "$k"), kAny);
  // From 50 on, the second time.
  EXPECT_EQ(nested("", "$i"), kAny);
}

// loop $o (loop $l … (br_if $o …) … (br_if $l …)): the loop around ends within the other one.
TEST_F(ValueRangesTest, LoopsThatEndWithinOthers) {
  const auto overlapping = [](const std::string& noted) {
    return RangeIn("(loop $o (loop $l " + Add("$k", 1) + Note(noted) + Add("$j", 4) + "(br_if $o " +
                   Op("ne", Get("$k"), Const(10)) + ")" + Set("$k", Const(0)) +
                   "(br_if $l (local.get $p))))");
  };
  EXPECT_EQ(overlapping("$j"), kAny);
  EXPECT_EQ(overlapping("$k").most, 0xffffffffu);
}

TEST_F(ValueRangesTest, LoopsThatAreEnteredByAnException) {
  // Where it is caught, $i may have any value that it had since `try`.
  const std::string loop = "(loop $l " + Note("$j") + Add("$j", 4) + Add("$i", 1) + "(br_if $l " +
                           Op("ne", Get("$i"), Const(100)) + "))";
  const auto caught = [&](const std::string& before_throw, const std::string& behind) {
    return RangeIn("(try (do " + before_throw + "(drop (call $throws (local.get $p)))" + behind +
                   ") (catch $e " + Set("$j", Const(0)) + loop + "))");
  };
  EXPECT_EQ(caught(Set("$i", Const(5)), Set("$i", Const(90))), kAny);
  EXPECT_EQ(caught("", Set("$i", Const(90))), kAny);
  EXPECT_EQ(RangeIn("(try (do (drop (call $throws (local.get $p)))) (catch $e))" +
                    Set("$i", Const(90)) + Set("$j", Const(0)) + loop),
            (Range{0, 36}));
}

TEST_F(ValueRangesTest, TheFirstStatementMayBeALoop) {
  EXPECT_EQ(RangeIn("(loop $l " + Note("$i") + Add("$i", 2) + "(br_if $l " +
                    Op("lt_u", Get("$i"), Const(100)) + "))"),
            (Range{0, 98}));
  // Of parameters nothing is known.
  EXPECT_EQ(RangeIn("(loop $l " + Note("$n") + Add("$n", 2) + "(br_if $l " +
                    Op("ne", Get("$n"), Const(100)) + "))"),
            kAny);
}

// ---- Frames that somebody made up ----------------------------------------------------------------

// With frames that are trusted, and with others.
void ExpectOnlyTrusted(const std::string& body, Range trusted) {
  EXPECT_EQ(RangeIn(body, true), trusted) << body;
  EXPECT_EQ(RangeIn(body, false), kAny) << body;
}

TEST_F(ValueRangesTest, NothingIsKnownBehindAResumePointOfAnotherFrame) {
  const std::string suspends = "(drop (call $op (i32.const 0)))";
  const std::string loop = "(loop $l " + Note("$j") + Add("$j", 4) + Add("$i", 1) + "(br_if $l " +
                           Op("ne", Get("$i"), Const(100)) + "))";
  ExpectOnlyTrusted(suspends + Note("$i"), {0, 0});
  ExpectOnlyTrusted(Set("$n", Masked(4)) + suspends + Note("$n"), {0, 15});
  ExpectOnlyTrusted(
      "(if " + Op("lt_u", Get("$n"), Const(9)) + "(then " + suspends + Note("$n") + "))", {0, 8});
  // In a loop, before it, and before it where only the rounds depend on it.
  ExpectOnlyTrusted("(loop $l " + Note("$i") + suspends + Add("$i", 1) + "(br_if $l " +
                        Op("ne", Get("$i"), Const(100)) + "))",
                    {0, 99});
  ExpectOnlyTrusted(suspends + loop, {0, 396});
  ExpectOnlyTrusted(suspends + Set("$j", Const(0)) + loop, {0, 396});
  ExpectOnlyTrusted(Set("$i", Const(90)) + suspends + Set("$j", Const(0)) + loop, {0, 36});
  // What is set behind it is known.
  EXPECT_EQ(RangeIn(suspends + Set("$i", Const(90)) + Set("$j", Const(0)) + loop, false),
            (Range{0, 36}));
  EXPECT_EQ(RangeIn(suspends + Set("$n", Masked(4)) + Note("$n"), false), (Range{0, 15}));
}

}  // namespace
}  // namespace fermata::analysis

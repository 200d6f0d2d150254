// Where barriers keep stores that are in bounds before what may fault, and which loads are forced
// next to such stores.
#include "translator/passes/order_stores.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/support/commands.h"
#include "tests/support/function_of_text.h"
#include "translator/passes/bounds.h"
#include "translator/passes/force_loads.h"

namespace fermata::passes {
namespace {

class OrderStoresTest : public testing::Test {
 protected:
  void SetUp() override { FERMATA_SKIP_WITHOUT_WAT2WASM(); }
};

void Prepare(const testing_support::FunctionOfText& f) {
  // That $shared and $large are left alone is what makes them able to fault.
  const auto least = [](uint32_t memory) { return memory == 0 ? uint64_t{65536} : 0; };
  FindAccessesInBounds(*f, {least, /*trusts_frames=*/true, /*merges_checks=*/false});
  OrderStores(*f);
}

// A letter for each statement that is no label, or a capital where what was stored before must have
// been: s(tore), l(oad, or whatever else is assigned or evaluated), g(lobal.set), j(ump), r(eturn),
// c(all), - for others.
std::string Order(const std::string& body) {
  const testing_support::FunctionOfText f(body);
  if (!f.ok()) return "no function";
  Prepare(f);
  std::string order;
  for (const ir::Stmt& s : f->stmts) {
    char letter = '-';
    switch (s.kind) {
      case ir::StmtKind::kLabel:
        EXPECT_FALSE(s.in_order);
        continue;
      case ir::StmtKind::kStore:
      case ir::StmtKind::kStoreLane:
        letter = 's';
        break;
      case ir::StmtKind::kSet:
      case ir::StmtKind::kEval:
        letter = 'l';
        break;
      case ir::StmtKind::kGlobalSet:
        letter = 'g';
        break;
      case ir::StmtKind::kJump:
      case ir::StmtKind::kJumpIf:
      case ir::StmtKind::kJumpTable:
        letter = 'j';
        break;
      case ir::StmtKind::kCall:
        letter = 'c';
        break;
      case ir::StmtKind::kReturn:
        letter = 'r';
        break;
      default:
        break;
    }
    order += s.in_order ? (letter == '-' ? '+' : static_cast<char>(letter - 'a' + 'A')) : letter;
  }
  return order;
}

#define INSIDE "(i32.store (i32.const 8) (i32.const 1))"
#define LOAD "(drop (i32.load (local.get $n)))"
#define STORE "(i32.store (local.get $n) (i32.const 1))"
#define LOADED "(i32.load (local.get $n))"

TEST_F(OrderStoresTest, WithoutStoresInBounds) {
  EXPECT_EQ(Order(LOAD), "lr");
  EXPECT_EQ(Order(STORE LOAD), "slr");
}

TEST_F(OrderStoresTest, BeforeAccessesThatMayFault) {
  EXPECT_EQ(Order(INSIDE LOAD), "sLr");
  EXPECT_EQ(Order(INSIDE STORE), "sSr");
  EXPECT_EQ(Order(INSIDE INSIDE LOAD LOAD), "ssLlr");
  EXPECT_EQ(Order(LOAD INSIDE), "lsR");
  EXPECT_EQ(Order(INSIDE LOAD INSIDE STORE), "sLssR");  // the load reached as far
  EXPECT_EQ(Order(INSIDE "(drop (i32.load offset=4 (local.get $p)))" INSIDE STORE), "sLsSr");
}

TEST_F(OrderStoresTest, BeforeWhatHoldsThem) {
  EXPECT_EQ(Order(INSIDE "(global.set $g " LOADED ")"), "sGR");
  EXPECT_EQ(Order(INSIDE "(i32.store (i32.const 0) (i32.add (i32.const 1) " LOADED "))"), "sSR");
  EXPECT_EQ(Order(INSIDE "(i32.store8 (i32.load8_u (local.get $n)) (i32.const 1))"), "sSR");
  EXPECT_EQ(Order(INSIDE "(if " LOADED " (then (global.set $g (i32.const 1))))"), "sJgR");
  EXPECT_EQ(Order(INSIDE "(block $a (block $b (br_table $a $b " LOADED "))"
                         "(global.set $g (i32.const 1)))"),
            "sJgR");
}

TEST_F(OrderStoresTest, GlobalsAreStoredTo) {
  EXPECT_EQ(Order("(global.set $g (i32.const 1))" LOAD), "gLr");
  EXPECT_EQ(Order("(global.set $g (i32.const 1)) (global.set $g (i32.const 2))"), "ggR");
}

TEST_F(OrderStoresTest, NotBeforeWhatDoesNotFault) {
  EXPECT_EQ(Order(INSIDE "(global.set $g (i32.load (i32.const 0)))" INSIDE), "sgsR");
  EXPECT_EQ(Order(INSIDE "(drop (i32.load (i32.const 0)))" INSIDE), "slsR");
  EXPECT_EQ(Order(INSIDE "(local.set $i (i32.div_u (local.get $n) (local.get $p)))"
                         "(global.set $g (local.get $i))"),
            "slgR");
}

TEST_F(OrderStoresTest, BeforeWhatOthersDo) {
  EXPECT_EQ(Order(INSIDE), "sR");
  EXPECT_EQ(Order(INSIDE "(drop (call $throws (i32.const 0)))" LOAD), "sClr");
  EXPECT_EQ(Order(INSIDE "(drop (memory.grow (i32.const 0)))"), "s+r");
  EXPECT_EQ(Order(INSIDE "(memory.fill (i32.const 0) (i32.const 0) (local.get $n))"), "s+r");
  EXPECT_EQ(Order(INSIDE "(table.set $t (local.get $n) (ref.null func))"), "s+r");
  EXPECT_EQ(Order(INSIDE "(drop (i32.atomic.load 1 (i32.const 0)))"), "s+r");
  EXPECT_EQ(Order(INSIDE "(throw $e)"), "s+");
  EXPECT_EQ(Order(INSIDE "(unreachable)"), "s+");
}

TEST_F(OrderStoresTest, OtherMemories) {
  EXPECT_EQ(Order(INSIDE "(i32.store $shared (i32.const 0) (i32.const 1))"), "sSr");
  EXPECT_EQ(Order(INSIDE "(drop (i32.load $large (i64.const 0)))"), "sLr");
}

TEST_F(OrderStoresTest, OnSomeWayThereIsEnough) {
  EXPECT_EQ(Order("(if (local.get $p) (then " INSIDE "))" LOAD), "jsLr");
  EXPECT_EQ(Order("(if (local.get $p) (then " INSIDE ") (else " STORE "))" LOAD), "jsjsLr");
  EXPECT_EQ(Order("(if (local.get $p) (then " INSIDE LOAD ") (else " STORE "))"), "jsLjsr");
}

TEST_F(OrderStoresTest, InLoops) {
  // Of a loop of such stores there is none within.
  EXPECT_EQ(Order("(loop $l " INSIDE "(br_if $l (local.get $p)))"), "sjR");
  // The last round's stores come before this round's load.
  EXPECT_EQ(Order("(loop $l " LOAD INSIDE "(br_if $l (local.get $p)))"), "LsjR");
  EXPECT_EQ(Order(INSIDE "(loop $l (local.set $i (i32.add (local.get $i) (i32.const 1)))"
                         "(br_if $l (local.get $i)))" LOAD),
            "sljLr");
}

TEST_F(OrderStoresTest, WhereExceptionsAreCaught) {
  // Calls do not end blocks, so the call may throw behind the store, for all that is known.
  EXPECT_EQ(
      Order("(try (do (drop (call $throws (local.get $p)))" INSIDE ") (catch $e " LOAD "))" LOAD),
      "csj+-lj-Lr");
}

// ---- What is forced next to them -----------------------------------------------------------------

// How many loads the function has forced.
int Forced(const std::string& body) {
  const testing_support::FunctionOfText f(body);
  if (!f.ok()) return -1;
  Prepare(f);
  return ForceLoads(*f, f.module());
}

TEST_F(OrderStoresTest, TheAddressOfAStoreInBoundsIsNoUse) {
  EXPECT_EQ(Forced("(i32.store8 (i32.load (local.get $n)) (i32.const 1))"), 0);
  EXPECT_EQ(Forced("(i32.store8 (i32.load8_u (local.get $n)) (i32.const 1))"), 1);
}

TEST_F(OrderStoresTest, AStoreInBoundsMayBeKnownToBeANaN) {
  const std::string product =
      "(local.set $y (f64.load (i32.const 0)))"
      "(f64.store (i32.const 8) (f64.mul (f64.load (local.get $n)) (local.get $y)))";
  EXPECT_EQ(Forced("(f64.store (local.get $p) (local.get $x))"
                   "(local.set $y (f64.load (local.get $p)))" +
                   product.substr(product.find("(f64.store"))),
            1);
  const testing_support::FunctionOfText f(
      "(f64.store (i32.const 0) (f64.div (local.get $x) (f64.const 0)))" + product);
  ASSERT_TRUE(f.ok());
  Prepare(f);
  ForceLoads(*f, f.module());
  bool forced = false;
  for (const ir::Stmt& s : f->stmts) {
    if (s.kind != ir::StmtKind::kStore || s.args[1]->op != ir::Opcode::kF64Mul) continue;
    forced = s.args[1]->a->force;
  }
  EXPECT_TRUE(forced);
}

}  // namespace
}  // namespace fermata::passes

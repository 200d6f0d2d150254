// Stores that are known to be in bounds, next to accesses that trap. What was stored before a trap is
// there afterwards, and what comes after it is not, though C++ compilers may move such stores. And
// loops that leave the memory trap, whatever their counters seem to say.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "fermata/dynamic.h"
#include "tests/support/code_fixture.h"

namespace fermata {
namespace {

constexpr uint32_t kEnd = 65536;

// A function (param i32) of locals $i i32, $j i32, $k i32, $m i32 and $x f64, without results.
struct Shape {
  const char* name;
  const char* body;
};

#define P "(local.get 0)"
#define LOAD "(i32.load " P ")"
#define STORE(address, value) "(i32.store (i32.const " address ") (i32.const " value "))"
// What must have happened when the access at the parameter traps, and what must not.
#define BEFORE STORE("1000", "1")
#define AFTER STORE("1000", "2") STORE("1004", "2")
#define ADD(variable, by) \
  "(local.set " variable " (i32.add (local.get " variable ") (i32.const " by ")))"
// As long as it is not the number.
#define AGAIN(label, variable, number) \
  "(br_if " label " (i32.ne (local.get " variable ") (i32.const " number ")))"

constexpr Shape kOrders[] = {
    {"load", BEFORE "(drop " LOAD ")" AFTER},
    {"used_load", BEFORE "(local.set $i " LOAD ")" AFTER "(global.set $i32 (local.get $i))"},
    {"store", BEFORE "(i32.store " P " (i32.const 7))" AFTER},
    {"wide_store", BEFORE "(i64.store " P " (i64.const 0x123456789abcdef))" AFTER},
    {"lane", BEFORE "(v128.store32_lane 1 " P " (v128.const i32x4 1 2 3 4))" AFTER},
    {"vector", BEFORE "(drop (v128.load " P "))" AFTER},
    {"copied", BEFORE "(i32.store (i32.const 2000) " LOAD ")" AFTER},
    {"global", BEFORE "(global.set $i32 " LOAD ")" AFTER},
    {"condition", BEFORE "(if " LOAD " (then (global.set $i32 (i32.const 1))))" AFTER},
    {"switch", BEFORE "(block $a (block $b (br_table $a $b " LOAD ")))" AFTER},
    {"argument", BEFORE "(call $ignores " LOAD ")" AFTER},
    {"in_callee", BEFORE "(drop (call $loads " P "))" AFTER},
    {"before_in_callee", "(call $before) (drop " LOAD ")" AFTER},
    {"after_in_callee", BEFORE "(drop " LOAD ") (call $after)"},
    {"address_of_store",
     BEFORE "(i32.store8 offset=2000 (i32.load8_u offset=3 " P ") (i32.const 1))" AFTER},
    {"address_of_two_stores",
     BEFORE "(i32.store8 offset=2000 (i32.load8_u offset=3 " P ") (i32.const 1))"
            "(i32.store8 offset=2000 (i32.load8_u offset=3 " P ") (i32.const 2))" AFTER},
    {"address_of_load", BEFORE "(drop (i32.load (i32.load8_u offset=3 " P ")))" AFTER},
    {"masked", "(i32.store offset=1000 (i32.and " P " (i32.const 0)) (i32.const 1))"
               "(drop " LOAD ")" AFTER},
    {"many", BEFORE STORE("1004", "1") STORE("1004", "0") "(drop " LOAD ")" AFTER},
    {"one_way",
     BEFORE "(if (i32.lt_u " P " (i32.const 9)) (then " STORE("2000", "1") "))"
                                                                           "(drop " LOAD ")" AFTER},
    {"one_way_only", "(if (i32.ne " P " (i32.const 9)) (then " BEFORE "))(drop " LOAD ")" AFTER},
    {"twice", "(local.set $i " P ") (local.set $j (i32.const 1000))"
              "(i32.store (local.get $j) (i32.const 1)) (i32.store (local.get $i) (i32.const 5))"
              "(i32.store (local.get $j) (i32.const 2)) (i32.store offset=4 (local.get $j)"
              " (i32.const 2)) (i32.store (local.get $i) (i32.const 6))"},
    {"behind_a_loop",
     "(loop $l (i32.store offset=960 (i32.shl (local.get $i) (i32.const 2))"
     " (i32.const 1))" ADD("$i", "1") AGAIN("$l", "$i", "11") ")"
                                                              "(drop " LOAD ")" AFTER},
    {"before_a_loop", BEFORE "(drop " LOAD ") (loop $l (i32.store offset=1000 (local.get $i)"
                             " (i32.const 2))" ADD("$i", "4") AGAIN("$l", "$i", "40") ")"},
    {"in_a_loop",
     "(loop $l (i32.store (i32.const 1000) (i32.add (local.get $i) (i32.const 1)))"
     "(drop " LOAD ")" ADD("$i", "1") AGAIN("$l", "$i", "2") ")" STORE("1004", "2")},
    // Compilers know what was stored, and that a product with it is the same whatever is read.
    {"nan_in_memory", BEFORE "(f64.store (i32.const 2000) (f64.div (local.get $x) (f64.const 0)))"
                             "(local.set $x (f64.load (i32.const 2000)))"
                             "(global.set $f64 (f64.mul (f64.load " P ") (local.get $x)))" AFTER},
    {"zero_in_memory",
     BEFORE STORE("2000", "0") "(local.set $i (i32.load (i32.const 2000)))"
                               "(global.set $i32 (i32.mul " LOAD " (local.get $i)))" AFTER},
};

// They trap whatever the parameter is, after BEFORE.
constexpr Shape kConstants[] = {
    {"constant_load", BEFORE "(drop (i32.load (i32.const 65533)))" AFTER},
    {"constant_store", BEFORE "(i32.store (i32.const 65536) (i32.const 7))" AFTER},
    {"constant_offset", BEFORE "(i32.store8 offset=4294967295 (i32.const 0) (i32.const 7))" AFTER},
    {"constant_address_of_store",
     BEFORE "(i32.store8 (i32.load8_u (i32.const 65536)) (i32.const 1))" AFTER},
    {"constant_in_a_loop", BEFORE "(loop $l (i32.store8 offset=2000 (i32.load8_u"
                                  " (i32.const 70000)) (i32.const 1))" STORE("1004", "2")
                                      ADD("$i", "1") AGAIN("$l", "$i", "40") ")"},
    {"joined", STORE("1000", "1") "(i32.store (i32.const 65534) (i32.const 7))" STORE("1000", "2")
                   STORE("1004", "2")},
};

// Loops whose stores leave the memory: not where a count of rounds would have it.
constexpr Shape kLeaving[] = {
    {"one_too_far", "(loop $l (i32.store (local.get $i) (i32.const 1))" ADD("$i", "4")
                        AGAIN("$l", "$i", "65540") ")"},
    {"stepped_over", "(loop $l (i32.store (local.get $i) (i32.const 1))" ADD("$i", "3")
                         AGAIN("$l", "$i", "1000") ")"},
    {"down_through_zero",
     "(local.set $i (i32.const 40)) (loop $l (i32.store (local.get $i)"
     " (i32.const 1))" ADD("$i", "-4") AGAIN("$l", "$i", "-8") ")"},
    {"twice_a_round",
     "(loop $l (i32.store offset=65000 (local.get $j) (i32.const 1))" ADD(
         "$j", "8") "(br_if $l (i32.load8_u (i32.const 100))) "
                    "(i32.store8 (i32.const 100) (i32.eqz (i32.and (local.get $j)"
                    " (i32.const 16))))" ADD("$i", "1") AGAIN("$l", "$i", "50") ")"},
    {"around_again",
     "(loop $o (loop $l (i32.store offset=65000 (local.get $j) (i32.const 1))" ADD("$j", "4")
         ADD("$i", "1") AGAIN("$l", "$i", "40") ")"
                                                "(local.set $i (i32.const 0))" ADD("$k", "1")
                                                    AGAIN("$o", "$k", "5") ")"},
    // The loop around ends within the other one.
    {"overlapping",
     "(loop $o (i32.store offset=29532 (local.get $j) (i32.const 1)) (loop $l" ADD("$k", "1")
         ADD("$j", "4000") AGAIN("$o", "$k", "10") ADD("$m", "1") AGAIN("$l", "$m", "2") "))"},
    // The counter begins where the exception left it.
    {"caught",
     "(try (do (local.set $i (i32.const 5)) (call $throws) (local.set $i (i32.const 99)))"
     "(catch $e (loop $l (i32.store (local.get $j) (i32.const 1))" ADD("$j", "4000") ADD("$i", "1")
         AGAIN("$l", "$i", "100") ")))"},
};

std::string Module() {
  std::string text = R"((module
    (memory (export "memory") 1 1) (tag $e)
    (global $i32 (mut i32) (i32.const 0))
    (global $f64 (mut f64) (f64.const 0))
    (func $ignores (param i32))
    (func $loads (param i32) (result i32) (i32.load (local.get 0)))
    (func $throws (throw $e))
    (func (export "peek") (param i32) (result i32) (i32.load (local.get 0)))
    (func (export "clear") (memory.fill (i32.const 0) (i32.const 0) (i32.const 65536)))
  )";
  absl::StrAppend(&text, "(func $before " BEFORE ") (func $after " AFTER ")\n");
  const auto add = [&](const Shape& shape) {
    absl::StrAppend(&text, "(func (export \"", shape.name,
                    "\") (param i32) (local $i i32) (local $j i32) (local $k i32) (local $m i32)"
                    " (local $x f64) ",
                    shape.body, ")\n");
  };
  for (const Shape& shape : kOrders) add(shape);
  for (const Shape& shape : kConstants) add(shape);
  for (const Shape& shape : kLeaving) add(shape);
  return text + ")";
}

std::vector<Variant> Variants() {
  std::vector<Variant> variants = AccessVariants();
  for (const char* compiler : Compilers()) {
    variants.push_back({compiler, "auto", "checked", false, 1, true});
  }
  return variants;
}

class StoreInBounds : public CodeFixture {
 protected:
  std::string Text() const override { return Module(); }
  uint32_t Peek(uint32_t address) {
    const DynamicStep step = Run("peek", {Value::I32(address)});
    EXPECT_TRUE(step.finished()) << step.message();
    return step.finished() ? step.results()[0].i32() : 0;
  }
  void ExpectTrapInOrder(const Shape& shape, uint32_t address) {
    Run("clear", {});
    ExpectTrap(shape.name, {Value::I32(address)}, Trap::kMemoryOutOfBounds);
    EXPECT_EQ(Peek(1000), 1u);
    EXPECT_EQ(Peek(1004), 0u);
  }
};

TEST_P(StoreInBounds, IsDoneBeforeATrapAndNotAfterIt) {
  for (const Shape& shape : kOrders) {
    SCOPED_TRACE(shape.name);
    for (const uint32_t address : {kEnd - 3, kEnd, 70000u, 0x7ffffff0u, ~0u}) {
      ExpectTrapInOrder(shape, address);
    }
    Run("clear", {});
    const DynamicStep step = Run(shape.name, {Value::I32(256)});
    EXPECT_TRUE(step.finished()) << step.message();
    EXPECT_EQ(Peek(1000), 2u);
    EXPECT_EQ(Peek(1004), 2u);
  }
}

TEST_P(StoreInBounds, AroundAccessesThatAlwaysTrap) {
  for (const Shape& shape : kConstants) {
    SCOPED_TRACE(shape.name);
    ExpectTrapInOrder(shape, 0);
  }
}

TEST_P(StoreInBounds, NotInLoopsThatLeaveTheMemory) {
  for (const Shape& shape : kLeaving) {
    SCOPED_TRACE(shape.name);
    Run("clear", {});
    ExpectTrap(shape.name, {Value::I32(0)}, Trap::kMemoryOutOfBounds);
  }
}

INSTANTIATE_TEST_SUITE_P(, StoreInBounds, testing::ValuesIn(Variants()), NameOfVariant);

}  // namespace
}  // namespace fermata

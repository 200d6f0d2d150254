// What generated code does with the later proposals, in every shape: exceptions (the legacy
// instructions; the official suite covers try_table), tail calls, SIMD, several memories, 64-bit
// and shared ones, each with suspensions in between.
#include <gtest/gtest.h>

#include "tests/support/code_fixture.h"

namespace fermata {
namespace {

constexpr char kText[] = R"(
(module
  (import "env" "op_i32" (func $op (param i32) (result i32)))
  (import "env" "op_v128" (func $opv (param v128) (result v128)))
  (memory 1)
  (memory $second 1 4)
  (memory $big i64 1 4)
  (table $t 8 funcref)
  (type $unary (func (param i32) (result i32)))
  (type $binary (func (param i32 i32) (result i32)))
  (tag $odd (param i32))
  (tag $wide (param v128 i64))
  (tag $none)

  ;; Suspends, then throws $odd(op(x)) if x is odd, $wide if it is 100, $none if 200.
  (func $risky (type $unary)
    (local $r i32)
    (local.set $r (call $op (local.get 0)))
    (if (i32.eq (local.get 0) (i32.const 100))
      (then (throw $wide (v128.const i64x2 7 8) (i64.const 9))))
    (if (i32.eq (local.get 0) (i32.const 200)) (then (throw $none)))
    (if (i32.and (local.get 0) (i32.const 1)) (then (throw $odd (local.get $r))))
    (local.get $r))
  (func $throws_plainly (type $unary) (throw $odd (local.get 0)))
  (elem (table $t) (i32.const 0) func $risky $throws_plainly $count_down)

  ;; In the thrower's caller, with a local and an operand live across the region.
  (func (export "catch") (type $unary)
    (local $k i32)
    (local.set $k (i32.const 1000))
    (i32.add (call $op (local.get 0))
      (try (result i32)
        (do (local.set $k (i32.add (local.get $k) (i32.const 1)))
            (i32.add (local.get $k) (call $risky (local.get 0))))
        (catch $odd (i32.sub (local.get $k)))
        (catch $wide (local.set $k (i32.wrap_i64)) (i32x4.extract_lane 0) (i32.add (local.get $k)))
        (catch_all (call $op (local.get $k))))))
  ;; Through a function without a region, and an indirect call.
  (func $between (type $binary)
    (i32.add (call_indirect (type $unary) (local.get 0) (local.get 1)) (i32.const 5)))
  (func (export "through") (type $binary)
    (try (result i32)
      (do (call $between (local.get 0) (local.get 1)))
      (catch $odd (i32.add (i32.const 10000)))))
  ;; Suspended inside a catch part, then rethrown to an outer region.
  (func (export "rethrow") (type $unary)
    (try (result i32)
      (do (try (result i32)
            (do (call $risky (local.get 0)))
            (catch $odd (drop) (drop (call $op (i32.const 1))) (rethrow 0))))
      (catch $odd (i32.add (i32.const 20000)))))
  (func (export "delegate") (type $unary)
    (try $outer (result i32)
      (do (try (result i32)
            (do (try (result i32)
                  (do (call $risky (local.get 0)))
                  (delegate $outer)))
            (catch_all (i32.const -1))))
      (catch $odd (i32.add (i32.const 30000)))))
  (func (export "uncaught") (type $unary) (call $between (local.get 0) (i32.const 0)))
  ;; In a loop: many exceptions, each suspended.
  (func (export "loop_catch") (param $n i32) (result i32)
    (local $sum i32)
    (loop $again
      (local.set $sum (i32.add (local.get $sum)
        (try (result i32)
          (do (call $risky (local.get $n)))
          (catch $odd (i32.mul (i32.const 2))))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))

  ;; Tail calls.
  (func $count_down (export "self_tail") (param $n i32) (result i32)
    (if (i32.eqz (local.get $n)) (then (return (call $op (i32.const 41)))))
    (return_call $count_down (i32.sub (local.get $n) (i32.const 1))))
  (func $even (export "even") (param $n i32) (result i32)
    (if (i32.eqz (local.get $n)) (then (return (i32.const 44))))
    (return_call $odd_ (i32.sub (local.get $n) (i32.const 1))))
  (func $odd_ (param $n i32) (result i32)
    (if (i32.eqz (local.get $n)) (then (return (i32.const 99))))
    (return_call $even (i32.sub (local.get $n) (i32.const 1))))
  (func $ping (export "ping") (param $n i32) (param $acc i32) (result i32)
    (if (i32.eqz (local.get $n)) (then (return (local.get $acc))))
    (return_call $pong (local.get $n) (call $op (local.get $acc))))
  (func $pong (param $n i32) (param $acc i32) (result i32)
    (return_call $ping (i32.sub (local.get $n) (i32.const 1)) (i32.xor (local.get $acc) (local.get $n))))
  (func (export "calls_ping") (param $n i32) (result i32)
    (i32.add (call $ping (local.get $n) (i32.const 3)) (local.get $n)))
  (func (export "indirect_tail") (param $x i32) (param $which i32) (result i32)
    (return_call_indirect (type $unary) (local.get $x) (local.get $which)))
  (func (export "import_tail") (param $x i32) (result i32) (return_call $op (local.get $x)))
  (func $throwing_tail (param $x i32) (result i32) (return_call $risky (local.get $x)))
  (func (export "catch_tail") (param $x i32) (result i32)
    (try (result i32) (do (call $throwing_tail (local.get $x))) (catch $odd)))

  ;; SIMD values live across suspensions, in memory, globals and results.
  (global $gv (mut v128) (v128.const i32x4 1 2 3 4))
  (func $leaf_v (param v128) (result v128) (call $opv (local.get 0)))
  (func (export "vector") (param v128 v128) (result v128)
    (global.set $gv (local.get 1))
    (i32x4.add (i32x4.add (call $leaf_v (local.get 0)) (local.get 1)) (global.get $gv)))
  (func (export "vector_pair") (param v128) (result v128 i32 v128)
    (call $leaf_v (local.get 0)) (i32.const 5) (local.get 0))
  (func (export "vector_loop") (param $n i32) (param $x v128) (result v128)
    (local $sum v128)
    (loop $again
      (local.set $sum (i64x2.add (local.get $sum) (call $leaf_v (local.get $x))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func (export "vector_memory") (param i32 v128) (result i32)
    (v128.store offset=16 (local.get 0) (local.get 1))
    (drop (call $op (i32.const 0)))
    (i32x4.extract_lane 2 (v128.load offset=16 (local.get 0))))
  (func (export "dropped_vector_load") (param i32) (drop (v128.load (local.get 0))))

  ;; Two memories.
  (func (export "two_memories") (param i32 i32) (result i32)
    (i32.store (local.get 0) (i32.const 11))
    (i32.store $second (local.get 0) (local.get 1))
    (drop (memory.grow $second (call $op (i32.const 0))))
    (i32.add (i32.mul (i32.load (local.get 0)) (i32.const 1000))
             (i32.add (i32.load $second (local.get 0)) (memory.size $second))))

  ;; 64-bit addresses.
  (func (export "big") (param i64 i64) (result i64)
    (i64.store $big offset=8 (local.get 0) (local.get 1))
    (drop (call $op (i32.const 0)))
    (i64.add (i64.load $big offset=8 (local.get 0)) (memory.size $big)))
)
)";

constexpr char kAtomicsText[] = R"(
(module
  (import "env" "op_i32" (func $op (param i32) (result i32)))
  (memory 1 2 shared)
  (func (export "atomic") (param i32 i32) (result i32)
    (drop (i32.atomic.rmw.add offset=4 (local.get 0) (local.get 1)))
    (drop (call $op (i32.const 0)))
    (i32.add (i32.atomic.rmw.cmpxchg offset=4 (local.get 0) (local.get 1) (i32.const 70))
             (i32.atomic.load offset=4 (local.get 0))))
  (func (export "wait") (param i32) (result i32)
    (i32.add (memory.atomic.wait32 (local.get 0) (i32.const 1) (i64.const -1))
             (memory.atomic.notify (local.get 0) (i32.const 1))))
)
)";

class ProposalCode : public CodeFixture {
 protected:
  std::string Text() const override { return kText; }
};

class AtomicsCode : public CodeFixture {
 protected:
  std::string Text() const override { return kAtomicsText; }
};

Value I(uint32_t v) { return Value::I32(v); }
Value V(uint64_t low, uint64_t high) { return Value::V128(low, high); }

TEST_P(ProposalCode, ExceptionsCaughtInTheCallersFrame) {
  Expect("catch", {I(4)}, {I(1027)}, 2);
  Expect("catch", {I(5)}, {I(static_cast<uint32_t>(-969))}, 2);
  Expect("catch", {I(100)}, {I(317)}, 2);
  Expect("catch", {I(200)}, {I(3605)}, 3);
}

TEST_P(ProposalCode, ExceptionsPassFunctionsWithoutARegion) {
  Expect("through", {I(4), I(0)}, {I(18)}, 1);
  Expect("through", {I(5), I(0)}, {I(10016)}, 1);
  Expect("through", {I(6), I(1)}, {I(10006)}, 0);
  Expect("through", {I(3), I(2)}, {I(129)}, 1);
}

TEST_P(ProposalCode, RethrownAfterASuspensionInTheCatch) {
  Expect("rethrow", {I(5)}, {I(20016)}, 2);
  Expect("rethrow", {I(4)}, {I(13)}, 1);
}

TEST_P(ProposalCode, DelegatedToAnOuterRegion) {
  Expect("delegate", {I(5)}, {I(30016)}, 1);
  Expect("delegate", {I(4)}, {I(13)}, 1);
}

TEST_P(ProposalCode, UncaughtExceptionsAreTraps) {
  ExpectTrap("uncaught", {I(5)}, Trap::kUncaughtException);
  ExpectTrap("indirect_tail", {I(5), I(1)}, Trap::kUncaughtException);
  Expect("catch", {I(4)}, {I(1027)}, 2);
}

TEST_P(ProposalCode, ExceptionsInALoop) { Expect("loop_catch", {I(4)}, {I(48)}, 4); }

TEST_P(ProposalCode, TailCallsTakeNoStack) {
  Expect("self_tail", {I(1000000)}, {I(124)}, 1);
  Expect("even", {I(1000000)}, {I(44)}, 0);
  Expect("even", {I(1000001)}, {I(99)}, 0);
}

TEST_P(ProposalCode, TailCallsBetweenSuspensions) {
  uint32_t acc = 3;
  for (uint32_t n = 1000; n > 0; --n) acc = (acc * 3 + 1) ^ n;
  Expect("ping", {I(1000), I(3)}, {I(acc)}, 1000);
  Expect("calls_ping", {I(1000)}, {I(acc + 1000)}, 1000);
  Expect("import_tail", {I(5)}, {I(16)}, 1);
}

TEST_P(ProposalCode, IndirectTailCalls) {
  Expect("indirect_tail", {I(4), I(0)}, {I(13)}, 1);
  Expect("indirect_tail", {I(3), I(2)}, {I(124)}, 1);
  ExpectTrap("indirect_tail", {I(3), I(3)}, Trap::kUninitializedElement);
  ExpectTrap("indirect_tail", {I(3), I(8)}, Trap::kUndefinedElement);
}

TEST_P(ProposalCode, ExceptionsThroughTailCalls) {
  Expect("catch_tail", {I(5)}, {I(16)}, 1);
  Expect("catch_tail", {I(4)}, {I(13)}, 1);
}

TEST_P(ProposalCode, VectorsLiveAcrossSuspensions) {
  Expect("vector", {V(1, 2), V(10, 20)}, {V(24, 47)}, 1);
  Expect("vector_pair", {V(1, 2)}, {V(4, 7), I(5), V(1, 2)}, 1);
  Expect("vector_loop", {I(3), V(1, 1)}, {V(12, 18)}, 3);
  Expect("vector_memory", {I(64), V(1, 9)}, {I(9)}, 1);
  Expect("dropped_vector_load", {I(65520)}, {}, 0);
  ExpectTrap("dropped_vector_load", {I(65521)}, Trap::kMemoryOutOfBounds);
}

TEST_P(ProposalCode, SeveralMemories) {
  Expect("two_memories", {I(8), I(7)}, {I(11009)}, 1);
  Expect("big", {Value::I64(16), Value::I64(7)}, {Value::I64(8)}, 1);
  ExpectTrap("big", {Value::I64(0xfffffffffffffff8u), Value::I64(7)}, Trap::kMemoryOutOfBounds);
  ExpectTrap("big", {Value::I64(uint64_t{1} << 32), Value::I64(7)}, Trap::kMemoryOutOfBounds);
}

TEST_P(AtomicsCode, Atomics) {
  Expect("atomic", {I(8), I(7)}, {I(77)}, 1);
  ExpectTrap("atomic", {I(9), I(7)}, Trap::kUnalignedAtomic);
  ExpectTrap("atomic", {I(65536), I(7)}, Trap::kMemoryOutOfBounds);
  Expect("wait", {I(64)}, {I(1)}, 0);
}

INSTANTIATE_TEST_SUITE_P(Shapes, ProposalCode, testing::ValuesIn(AllVariants()), NameOfVariant);
INSTANTIATE_TEST_SUITE_P(Shapes, AtomicsCode, testing::ValuesIn(AllVariants()), NameOfVariant);

}  // namespace
}  // namespace fermata

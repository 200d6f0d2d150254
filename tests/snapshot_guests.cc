#include "tests/snapshot_guests.h"

#include "tests/code_fixture.h"

namespace fermata {

const char kMixText[] = R"(
(module
  (import "env" "op_i32" (func $op (param i32) (result i32)))
  (import "env" "op_i64" (func $op64 (param i64) (result i64)))
  (import "env" "op_f32" (func $opf (param f32) (result f32)))
  (import "env" "op_f64" (func $opd (param f64) (result f64)))
  (import "env" "op_v128" (func $opv (param v128) (result v128)))
  (import "env" "op_extern" (func $opx (param externref) (result externref)))
  (import "env" "op_func" (func $opr (param funcref) (result funcref)))
  (type $unary (func (param i32) (result i32)))
  (memory $m (export "memory") 1 40)
  (memory $big i64 1 4)
  (table $t (export "table") 4 20 funcref)
  (table $x (export "refs") 2 10 externref)
  (global $a (export "a") (mut i32) (i32.const 5))
  (global $b (mut i64) (i64.const 6))
  (global $c (mut f32) (f32.const 1.5))
  (global $d (mut f64) (f64.const 2.5))
  (global $v (mut v128) (v128.const i32x4 1 2 3 4))
  (global $f (mut funcref) (ref.null func))
  (global $g (mut externref) (ref.null extern))
  (data $bytes "the quick brown fox")
  (data (i32.const 16) "active")
  (elem $functions func $double $next)
  (elem (table $t) (i32.const 0) func $next)
  (func $double (export "double") (type $unary) (i32.mul (local.get 0) (i32.const 2)))
  (func $next (type $unary) (call $op (i32.add (local.get 0) (i32.const 1))))

  ;; Values of every type live across each suspension.
  (func $round (param $n i32) (param $x externref) (result i32)
    (local $i i32) (local $l i64) (local $s f32) (local $e f64) (local $w v128) (local $r funcref)
    (local.set $i (call $op (local.get $n)))
    (local.set $l (call $op64 (i64.extend_i32_s (local.get $i))))
    (local.set $s (call $opf (f32.convert_i32_s (local.get $n))))
    (local.set $e (call $opd (f64.convert_i32_s (local.get $n))))
    (local.set $w (call $opv (i32x4.splat (local.get $i))))
    (local.set $r (call $opr (table.get $t (i32.const 0))))
    (table.set $t (i32.const 1) (local.get $r))
    (table.set $x (i32.const 1) (call $opx (local.get $x)))
    (global.set $a (i32.add (global.get $a) (local.get $i)))
    (global.set $b (i64.add (global.get $b) (local.get $l)))
    (global.set $c (f32.add (global.get $c) (local.get $s)))
    (global.set $d (f64.add (global.get $d) (local.get $e)))
    (global.set $v (i32x4.add (global.get $v) (local.get $w)))
    (global.set $f (local.get $r))
    (global.set $g (local.get $x))
    (i64.store $big (i64.extend_i32_u (local.get $n)) (local.get $l))
    (i32.store $m (i32.mul (local.get $n) (i32.const 5000)) (local.get $i))
    (i32.add (i32.add (local.get $i) (i32.wrap_i64 (local.get $l)))
      (i32.add (i32.trunc_f32_s (local.get $s))
        (i32.add (i32.trunc_f64_s (local.get $e))
          (i32.add (i32x4.extract_lane 2 (local.get $w))
            (call_indirect $t (type $unary) (local.get $n) (i32.const 1)))))))
  (func (export "mix") (param $rounds i32) (param $x externref) (result i32)
    (local $sum i32) (local $n i32)
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (call $round (local.get $n) (local.get $x))))
      (if (i32.eq (local.get $n) (i32.const 1))
        (then
          (drop (memory.grow $m (i32.const 3)))
          (memory.init $bytes (i32.const 100) (i32.const 4) (i32.const 5))
          (table.init $t $functions (i32.const 2) (i32.const 0) (i32.const 2))
          (drop (table.grow $x (local.get $x) (i32.const 2)))))
      (if (i32.eq (local.get $n) (i32.const 2)) (then (data.drop $bytes) (elem.drop $functions)))
      (br_if $again (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1)))
                              (local.get $rounds))))
    (i32.add (local.get $sum)
      (i32.add (i32.load $m (i32.const 100))
        (i32.add (call_indirect $t (type $unary) (i32.const 3) (i32.const 2))
          (i32.add (memory.size $m) (table.size $x))))))
  ;; Traps once they are dropped.
  (func (export "init") (memory.init $bytes (i32.const 0) (i32.const 0) (i32.const 1)))
  (func (export "elements") (table.init $t $functions (i32.const 0) (i32.const 0) (i32.const 1)))
  (func $deep (export "deep") (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0))
      (then (call $op (i32.const 7)))
      (else (i32.add (local.get 0) (call $deep (i32.sub (local.get 0) (i32.const 1)))))))
  (func (export "forever") (loop $again (drop (call $op (i32.const 0))) (br $again)))
)
)";

const char kLinkedText[] = R"(
(module
  (import "env" "op_i32" (func $op (param i32) (result i32)))
  (import "mix" "memory" (memory 1 40))
  (import "mix" "table" (table $t 4 20 funcref))
  (import "mix" "a" (global $a (mut i32)))
  (import "mix" "double" (func $double (param i32) (result i32)))
  (import "host" "global" (global $h (mut i64)))
  (import "host" "memory" (memory $hm 1 4))
  (import "host" "table" (table $ht 1 4 externref))
  (import "host" "ask" (func $ask (param i32) (result i32)))
  (import "host" "add" (func $add (param i32 i32) (result i32)))
  (import "host" "tag" (tag $tag (param i32)))
  (type $unary (func (param i32) (result i32)))
  (func $own (type $unary) (i32.add (call $op (local.get 0)) (i32.const 1)))
  (elem (table $t) (i32.const 3) func $own)
  (func $throws (param i32) (drop (call $op (local.get 0))) (throw $tag (local.get 0)))
  (func (export "go") (param $n i32) (result i32)
    (local $k i32)
    (local.set $k (call $ask (call $double (local.get $n))))
    (global.set $a (i32.add (global.get $a) (local.get $k)))
    (global.set $h (i64.add (global.get $h) (i64.const 1)))
    (i32.store 0 (i32.const 8) (local.get $k))
    (i32.store $hm (i32.const 8) (call $own (local.get $k)))
    (i32.add (try (result i32) (do (call $throws (local.get $k)) (i32.const 0)) (catch $tag))
      (call $add (i32.load 0 (i32.const 8))
        (i32.add (i32.load $hm (i32.const 8))
          (call_indirect $t (type $unary) (local.get $n) (i32.const 3))))))
)
)";

absl::Status RunToEnd(DynamicStep& step, const std::function<absl::Status(DynamicStep&)>& between) {
  while (step.suspended() || step.out_of_fuel()) {
    absl::Status status = between(step);
    if (status.ok() && step.out_of_fuel()) {
      status = step.Refuel(0);
    } else if (status.ok()) {
      status = step.Resume({Op(step.op_arguments()[0])});
    }
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Again(std::unique_ptr<StoreHandle>& store, DynamicStep& step, const RestoreHost& host,
                   const SaveOptions& options) {
  absl::StatusOr<std::string> bytes = Save(*store, {&step}, options);
  if (!bytes.ok()) return bytes.status();
  step = DynamicStep();
  store = nullptr;
  absl::StatusOr<RestoredStore> restored = Restore(*bytes, host);
  if (!restored.ok()) return restored.status();
  store = std::move(restored->store);
  step = std::move(restored->steps[0]);
  return absl::OkStatus();
}

}  // namespace fermata

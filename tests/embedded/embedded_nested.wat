;; Suspends again and again, at three depths, with values of all sizes in the frames.
;;   wat2wasm --enable-all --debug-names embedded_nested.wat -o embedded_nested.wasm
(module
  (import "p" "read" (func $read (param i64 i64) (result i64)))
  (import "p" "nop" (func $nop))
  (func $leaf (param $a i64) (param $n i32) (result i64) (local $t i64)
    (loop $l
      (local.set $t (i64.add (local.get $t) (call $read (local.get $a) (local.get $t))))
      (call $nop)
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i64.add (local.get $t) (local.get $a)))
  (func $mid (param $a i64) (param $b f64) (param $n i32) (result i64) (local $t i64)
    (loop $l
      (call $nop)
      (local.set $t (i64.add (local.get $t) (i64.add (call $leaf (local.get $a) (local.get $n)) (i64.trunc_f64_s (local.get $b)))))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $t))
  (func (export "top") (param $n i32) (result i64) (local $t i64) (local $k i32)
    (local.set $k (local.get $n))
    (loop $l
      (local.set $t (i64.add (local.get $t) (call $mid (i64.extend_i32_u (local.get $n)) (f64.convert_i32_u (local.get $k)) (local.get $k))))
      (call $nop)
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $t)))

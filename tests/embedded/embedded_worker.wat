;; Computes, and calls no import: it can be paused if it is translated so.
;;   wat2wasm --enable-all --debug-names embedded_worker.wat -o embedded_worker.wasm
(module
  (memory 1)
  (func $step (param $x i32) (result i32)
    (i32.add (i32.mul (local.get $x) (i32.const 1664525)) (i32.const 1013904223)))
  (func (export "run") (param $n i32) (result i32) (local $x i32)
    (loop $next
      (local.set $x (call $step (local.get $x)))
      (i32.store (i32.and (local.get $x) (i32.const 1020)) (local.get $x))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $x)))

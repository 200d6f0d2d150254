;; A giant function is cut into pieces; this one is small, and cut all the same.
(module
  (import "user" "wait" (func $wait))
  (func $two (export "two") (param $x i32) (result i32)
    (if (local.get $x) (then (call $wait)))
    (i32.mul (local.get $x) (i32.const 3))))

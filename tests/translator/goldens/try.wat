;; A call in a try region: what it throws is caught, and its frame is resumed at the handler.
(module
  (import "user" "risky" (func $risky (param i32) (result i32)))
  (tag $error (param i32))
  (func $safe (export "safe") (param $x i32) (result i32)
    (try (result i32)
      (do (call $risky (local.get $x)))
      (catch $error))))

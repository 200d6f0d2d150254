;; A body that asks for a tail call, and the wrapper that makes it.
(module
  (func $even (export "even") (param $n i32) (result i32)
    (if (result i32) (local.get $n)
      (then (return_call $odd (i32.sub (local.get $n) (i32.const 1))))
      (else (i32.const 1))))
  (func $odd (param $n i32) (result i32)
    (i32.ne (local.get $n) (i32.const 0))))

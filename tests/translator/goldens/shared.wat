;; The same as in split.wat, in one body for calls and for resuming.
(module
  (import "user" "number" (func $number (param i32) (result i32)))
  (func $sum (export "sum") (param $count i32) (result i32)
    (local $total i32)
    (loop $next
      (local.set $total (i32.add (local.get $total) (call $number (local.get $count))))
      (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
    (local.get $total)))

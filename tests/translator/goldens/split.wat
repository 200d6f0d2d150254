;; A function in two clones: it calls an import, and loops.
(module
  (import "user" "number" (func $number (param i32) (result i32)))
  (func $sum (export "sum") (param $count i32) (result i32)
    (local $total i32)
    (loop $next
      (local.set $total (i32.add (local.get $total) (call $number (local.get $count))))
      (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
    (local.get $total)))

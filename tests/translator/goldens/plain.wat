;; A function that can't suspend: loads and stores, constants, a loop.
(module
  (memory 1)
  (func $sum (export "sum") (param $from i32) (param $count i32) (result i32)
    (local $total i32)
    (loop $next
      (if (local.get $count)
        (then
          (local.set $total
            (i32.add (local.get $total) (i32.load offset=8 (local.get $from))))
          (local.set $from (i32.add (local.get $from) (i32.const 4)))
          (local.set $count (i32.sub (local.get $count) (i32.const 1)))
          (br $next))))
    (i32.store (i32.const 0) (i32.and (local.get $total) (i32.const -8)))
    (local.get $total)))

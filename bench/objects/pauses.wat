;; Assembled by binaryen: wasm-as --all-features pauses.wat -o pauses.wasm
(module
  (type $node (struct (field (ref null $node))))
  (import "host" "wait" (func $wait))
  ;; A list of 100 nodes is held meanwhile.
  (func (export "hold") (result i32)
    (local $list (ref null $node)) (local $i i32)
    (loop $next
      (local.set $list (struct.new $node (local.get $list)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 100))))
    (call $wait)
    (i32.eqz (ref.is_null (local.get $list))))
  (func $litter (param $n i32)
    (loop $next
      (drop (struct.new $node (ref.null $node)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $next (local.get $n))))
  ;; Garbage at a depth.
  (func $at (export "at") (param $depth i32) (param $n i32) (result i32)
    (local $mine (ref null $node))
    (if (i32.eqz (local.get $depth)) (then (call $litter (local.get $n)) (return (i32.const 1))))
    (local.set $mine (struct.new $node (ref.null $node)))
    (drop (call $at (i32.sub (local.get $depth) (i32.const 1)) (local.get $n)))
    (i32.eqz (ref.is_null (local.get $mine))))
)

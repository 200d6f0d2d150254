;; The guest of pause_test.cc and asio_pause_test.cc; translated so that it can be paused.
;;   wat2wasm --debug-names turns_guest.wat -o turns_guest.wasm
(module
  (import "host" "note" (func $note (param $round i32)))

  ;; Notes 1, 2, … n; then n. A check in each round.
  (func (export "rounds") (param $n i32) (result i32)
    (local $i i32)
    (block $done
      (loop $again
        (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (call $note (local.get $i))
        (br $again)))
    (local.get $i))

  ;; The same, but notes nothing.
  (func (export "count") (param $n i32) (result i32)
    (local $i i32)
    (block $done
      (loop $again
        (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $again)))
    (local.get $i))

  (func (export "forever") (loop $again (br $again)))
)

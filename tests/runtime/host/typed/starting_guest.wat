;; A guest whose start function suspends: it asks for a number that `value` then gives.
;;   wat2wasm starting_guest.wat -o starting_guest.wasm
(module
  (import "env" "ask" (func $ask (result i32)))
  (import "env" "step" (global $step i32))
  (global $value (mut i32) (i32.const 0))
  (func $start (global.set $value (i32.mul (call $ask) (global.get $step))))
  (func (export "value") (result i32) (global.get $value))
  (start $start))

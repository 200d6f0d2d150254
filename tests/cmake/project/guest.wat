;; guest.wasm is this, assembled: wat2wasm guest.wat. changed.wasm is the same with 101 for 100.
(module
  (import "env" "ask" (func $ask (param i32) (result i32)))
  (import "env" "log" (func $log (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "outside")
  ;; 100 + ask(n) + ask(n + 1)
  (func $ask_twice (export "ask_twice") (param $n i32) (result i32)
    (call $log (local.get $n))
    (i32.add
      (i32.add (i32.const 100) (call $ask (local.get $n)))
      (call $ask (i32.add (local.get $n) (i32.const 1)))))
  (func (export "square") (param $n i32) (result i32)
    (i32.mul (local.get $n) (local.get $n))))

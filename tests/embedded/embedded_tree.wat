;; Suspends in a recursion; starts with a function that suspends; makes tail calls.
;;   wat2wasm --enable-all --debug-names embedded_tree.wat -o embedded_tree.wasm
(module
  (import "port" "read" (func $read (param i32) (result i32)))
  (global $begin (mut i32) (i32.const 0))
  (func $start (global.set $begin (call $read (i32.const -1))))
  (start $start)
  (func $visit (export "visit") (param $depth i32) (result i32)
    (if (result i32) (i32.eqz (local.get $depth))
      (then (call $read (global.get $begin)))
      (else (i32.add (call $visit (i32.sub (local.get $depth) (i32.const 1))) (i32.const 1)))))
  ;; Endless as far as the native stack goes, and never suspends.
  (func $plain (export "plain") (param $depth i32) (result i32)
    (if (result i32) (i32.eqz (local.get $depth))
      (then (i32.const 0))
      (else (i32.add (call $plain (i32.sub (local.get $depth) (i32.const 1))) (i32.const 1)))))
  (func $even (export "even") (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0))
      (then (call $read (i32.const 5)))
      (else (return_call $odd (i32.sub (local.get 0) (i32.const 1))))))
  (func $odd (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0))
      (then (i32.const 0))
      (else (return_call $even (i32.sub (local.get 0) (i32.const 1)))))))

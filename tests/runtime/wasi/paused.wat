;; A program with checks wherever code may be: in its start function, in _initialize, between reads.
;;   wat2wasm --debug-names paused.wat -o paused.wasm
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\01\00\00\00")  ;; an iovec: one byte at 16
  (global $rounds (mut i32) (i32.const 10))
  (global $started (mut i32) (i32.const 0))
  (global $initialized (mut i32) (i32.const 0))
  (start $begin)

  (func $loop (result i32)
    (local $i i32)
    (loop $again
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (global.get $rounds))))
    (local.get $i))
  (func $begin (global.set $started (call $loop)))
  (func (export "_initialize") (global.set $initialized (call $loop)))
  (func (export "ready") (result i32) (i32.add (global.get $started) (global.get $initialized)))

  ;; Reads n bytes: their sum.
  (func (export "sum") (param $n i32) (result i32)
    (local $sum i32)
    (block $done
      (loop $again
        (br_if $done (i32.eqz (local.get $n)))
        (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        (local.set $sum (i32.add (local.get $sum) (i32.load8_u (i32.const 16))))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $again)))
    (local.get $sum))
)

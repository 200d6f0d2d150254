;; What an instance starts with: a start function, and "_initialize". What they do is chosen by the
;; number of the program's arguments: nothing with none;
;;   1, 5  proc_exit from deep calls
;;   2, 6  proc_exit through a table
;;   3, 7  a trap
;;   4, 8  a byte of standard input is read, which may wait
;; up to 4 in the start function, from 5 in "_initialize".
;;   wat2wasm --debug-names starting.wat -o starting.wasm
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_recv"
    (func $receive (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "env" "ask" (func $ask (param i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\01\00\00\00")  ;; an iovec: one byte at 16
  (table 1 funcref)
  (elem (i32.const 0) $exit)
  (type $code (func (param i32)))
  (global $log (mut i32) (i32.const 0))  ;; a decimal digit for each thing that was done

  (func $note (param i32)
    (global.set $log (i32.add (i32.mul (global.get $log) (i32.const 10)) (local.get 0))))
  (func $deep (param $depth i32) (param $code i32)
    (if (local.get $depth)
      (then (call $deep (i32.sub (local.get $depth) (i32.const 1)) (local.get $code)))
      (else (call $exit (local.get $code))))
    (call $note (i32.const 9)))
  (func $do (param $which i32)
    (if (i32.eq (local.get $which) (i32.const 1)) (then (call $deep (i32.const 20) (i32.const 71))))
    (if (i32.eq (local.get $which) (i32.const 2))
      (then (call_indirect (type $code) (i32.const 72) (i32.const 0))))
    (if (i32.eq (local.get $which) (i32.const 3)) (then unreachable))
    (if (i32.eq (local.get $which) (i32.const 4))
      (then
        (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        (call $note (i32.load8_u (i32.const 16))))))
  (func $arguments (result i32)
    (drop (call $sizes (i32.const 24) (i32.const 28)))
    (i32.load (i32.const 24)))
  (func $begin
    (call $note (i32.const 1))
    (call $do (call $arguments)))
  (start $begin)
  (func $initialize (export "_initialize")
    (call $note (i32.const 2))
    (call $do (i32.sub (call $arguments) (i32.const 4))))
  (func (export "log") (result i32) (global.get $log))
  (func (export "leave") (param i32) (call $exit (local.get 0)))
  (func (export "ask") (param i32) (result i32) (call $ask (local.get 0)))
  (func (export "receive") (result i32)
    (call $receive (i32.const 70000) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 8)
                   (i32.const 12)))
)

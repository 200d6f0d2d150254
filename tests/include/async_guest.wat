;; The guest of coroutine_test.cc and asio_test.cc.
;;   wat2wasm --debug-names async_guest.wat -o async_guest.wasm
(module
  (import "net" "recv" (func $recv (param $fd i32) (result i32)))
  (import "timer" "sleep" (func $sleep (param $ns i64)))
  (import "calc" "divmod" (func $divmod (param i32 i32) (result i32 i32)))
  (memory (export "memory") 1 4)

  ;; Receives n times: from n, n - 1, … 1. The sum of what recv gave.
  (func (export "serve") (param $n i32) (result i32)
    (local $sum i32)
    (block $done
      (loop $again
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $sum (i32.add (local.get $sum) (call $recv (local.get $n))))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $again)))
    (local.get $sum))

  ;; Sleeps for as long as recv says.
  (func (export "nap") (param $fd i32)
    (call $sleep (i64.extend_i32_s (call $recv (local.get $fd)))))
  (func (export "divide") (param i32 i32) (result i32 i32)
    (call $divmod (local.get 0) (local.get 1)))
  (func (export "crash_after_recv") (param $fd i32)
    (drop (call $recv (local.get $fd))) unreachable)
)

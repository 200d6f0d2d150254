;; The guest of typed_api_test.cc: one export for each thing that the typed API must carry.
;;   wat2wasm --debug-names typed_guest.wat -o typed_guest.wasm
(module
  (import "net" "recv" (func $recv (param $fd i32) (param $ptr i32) (param $len i32) (result i32)))
  (import "timer" "sleep" (func $sleep (param $ns i64)))
  (import "calc" "divmod" (func $divmod (param i32 i32) (result i32 i32)))
  (import "host" "swap" (func $swap (param externref) (result externref)))
  (import "host" "mix" (func $mix (param i64 f32 f64) (result f32)))
  ;; immediate
  (import "env" "clock" (func $clock (result i64)))
  (import "env" "log" (func $log (param $level i32) (param f32 f64)))
  (import "env" "pair" (func $pair (param i64) (result i32 f64)))

  (import "host" "turn" (func $turn (param v128) (result v128)))
  (import "env" "shuffle" (func $shuffle (param v128 i32) (result v128)))
  (import "env" "halves" (func $halves (param v128) (result i64 v128)))

  (memory (export "memory") 1 4)
  (table (export "table") 4 funcref)
  (global $counter (export "counter") (mut i64) (i64.const 5))
  (global (export "limit") i32 (i32.const 42))
  (elem (i32.const 1) $add)

  ;; Receives n times into address 64; the sum of what recv gave.
  (func (export "serve") (param $n i32) (result i32)
    (local $sum i32)
    (block $done
      (loop $again
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $sum
          (i32.add (local.get $sum)
                   (call $recv (local.get $n) (i32.const 64) (i32.const 16))))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $again)))
    (local.get $sum))

  ;; Alternates two ops: recv, then sleep for as long as recv said.
  (func (export "nap") (param $fd i32)
    (call $sleep (i64.extend_i32_s (call $recv (local.get $fd) (i32.const 0) (i32.const 0)))))

  (func (export "divide") (param i32 i32) (result i32 i32)
    (call $divmod (local.get 0) (local.get 1)))
  (func (export "swap") (param externref) (result externref) (call $swap (local.get 0)))
  (func (export "mix") (param i64 f32 f64) (result f32)
    (call $mix (local.get 0) (local.get 1) (local.get 2)))

  (func $add (export "add") (param $left i32) (param $right i32) (result i32)
    (i32.add (local.get $left) (local.get $right)))
  (func (export "shuffle") (param i64 f32 f64) (result f64 i64 f32)
    (local.get 2) (local.get 0) (local.get 1))
  (func (export "crash") unreachable)
  (func (export "crash_after_recv") (param $fd i32)
    (drop (call $recv (local.get $fd) (i32.const 0) (i32.const 0))) unreachable)
  (func (export "count") (global.set $counter (i64.add (global.get $counter) (i64.const 1))))
  (func (export "element") (param i32) (result funcref) (table.get 0 (local.get 0)))

  (func (export "now") (result i64) (call $clock))
  (func (export "report") (param i32) (call $log (local.get 0) (f32.const 1.5) (f64.const -2)))
  (func (export "pair") (param i64) (result i32 f64) (call $pair (local.get 0)))
  ;; Immediate and suspending imports in one call.
  (func (export "timed_recv") (result i64)
    (local $start i64)
    (local.set $start (call $clock))
    (drop (call $recv (i32.const 9) (i32.const 0) (i32.const 0)))
    (i64.sub (call $clock) (local.get $start)))
  ;; Through the table, which the host may have changed.
  (func (export "call_element") (param $index i32) (result i32)
    (call_indirect (param i32 i32) (result i32) (i32.const 20) (i32.const 22) (local.get $index)))

  ;; Names that C++ has other plans for.
  (func (export "class") (result i32) (i32.const 1))
  (func (export "operator new") (result i32) (i32.const 2))
  (func (export "Create") (result i32) (i32.const 3))
  (func (export "9") (result i32) (i32.const 4))
  ;; A vector through each of the ways between host and guest.
  (func (export "vector") (param v128) (result v128)
    (local $low i64)
    (call $halves (call $shuffle (call $turn (local.get 0)) (i32.const 3)))
    (local.set 0)
    (local.set $low)
    (i64x2.add (local.get 0) (i64x2.splat (local.get $low))))
)

;; What a WASI program may do that takes time. Memory: 0 an iovec, 8 a count, 64 subscriptions,
;; 192 events, 1024 data.
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "env" "ask" (func $ask (param i32) (result i32)))
  (memory (export "memory") 2)

  ;; Reads or writes at most `size` bytes at 1024: how many.
  (func $transfer (param $fd i32) (param $size i32) (param $write i32) (result i32)
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (local.get $size))
    (if (result i32) (local.get $write)
      (then (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)))
      (else (call $fd_read (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
    (if (then unreachable))
    (i32.load (i32.const 8)))

  ;; Copies standard input to standard output: how many bytes.
  (func (export "cat") (result i32)
    (local $n i32) (local $total i32)
    (loop $more
      (local.set $n (call $transfer (i32.const 0) (i32.const 64) (i32.const 0)))
      (local.set $total (i32.add (local.get $total) (local.get $n)))
      (if (local.get $n)
        (then
          (drop (call $transfer (i32.const 1) (local.get $n) (i32.const 1)))
          (br $more))))
    (local.get $total))

  ;; Writes `count` bytes of zero to standard output.
  (func (export "flood") (param $count i32)
    (local $some i32)
    (loop $more
      (local.set $some
        (select (local.get $count) (i32.const 65536)
                (i32.lt_u (local.get $count) (i32.const 65536))))
      (local.set $count
        (i32.sub (local.get $count)
                 (call $transfer (i32.const 1) (local.get $some) (i32.const 1))))
      (br_if $more (local.get $count))))

  ;; Waits for standard input (userdata 7), unless `timeout` is over first (userdata 9).
  (func (export "read_within") (param $timeout i64) (result i64)
    (call $clock (i32.const 64) (local.get $timeout))
    (i64.store (i32.const 112) (i64.const 7))
    (i32.store8 (i32.const 120) (i32.const 1))
    (i32.store (i32.const 128) (i32.const 0))
    (call $wait (i32.const 2)))

  (func (export "sleep") (param $time i64) (result i64)
    (call $clock (i32.const 64) (local.get $time))
    (call $wait (i32.const 1)))

  ;; A subscription: `time` ns of the monotonic clock from now.
  (func $clock (param $at i32) (param $time i64)
    (i64.store (local.get $at) (i64.const 9))
    (i32.store8 offset=8 (local.get $at) (i32.const 0))
    (i32.store offset=16 (local.get $at) (i32.const 1))
    (i64.store offset=24 (local.get $at) (local.get $time))
    (i32.store16 offset=40 (local.get $at) (i32.const 0)))
  (func $wait (param $count i32) (result i64)
    (if (call $poll (i32.const 64) (i32.const 192) (local.get $count) (i32.const 8))
      (then unreachable))
    (i64.load (i32.const 192)))

  ;; Says `letter` `count` times, and lets others have their turn each time.
  (func (export "chant") (param $letter i32) (param $count i32)
    (i32.store8 (i32.const 1024) (local.get $letter))
    (loop $more
      (drop (call $transfer (i32.const 1) (i32.const 1) (i32.const 1)))
      (drop (call $yield))
      (br_if $more (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  ;; Closes descriptor 3, and waits.
  (func (export "close_and_sleep") (param $time i64) (result i64)
    (drop (call $fd_close (i32.const 3)))
    (call $clock (i32.const 64) (local.get $time))
    (call $wait (i32.const 1)))

  (func (export "ask_twice") (param $value i32) (result i32)
    (call $ask (call $ask (local.get $value))))

  (func (export "leave") (call $exit (i32.const 3)))
)

;; A program whose start function leaves it through another instance. Its "_start" is never reached.
;;   wat2wasm --debug-names leaving.wat -o leaving.wasm
(module
  (import "lib" "leave" (func $leave (param i32)))
  (import "lib" "log" (func $log (result i32)))
  (memory (export "memory") 1)
  (func $begin (call $leave (call $log)))
  (start $begin)
  (func (export "_initialize") unreachable)  ;; not a reactor's: this is a command
  (func (export "_start") unreachable)
)

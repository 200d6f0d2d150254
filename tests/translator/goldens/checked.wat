;; Accesses that are checked one by one, and a growth between them.
(module
  (memory 1 4)
  (func $grow (export "grow") (param $at i32) (result i64)
    (i64.store (local.get $at) (i64.const -1))
    (drop (memory.grow (i32.const 1)))
    (i64.load32_s offset=4 (local.get $at))))

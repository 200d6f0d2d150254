;; A jump table, and a call through a table of functions.
(module
  (type $op (func (param i32) (result i32)))
  (table 2 2 funcref)
  (elem (i32.const 0) $twice $half)
  (func $twice (type $op) (i32.shl (local.get 0) (i32.const 1)))
  (func $half (type $op) (i32.shr_s (local.get 0) (i32.const 1)))
  (func $apply (export "apply") (param $which i32) (param $x i32) (result i32)
    (block $none (block $both (block $one
      (br_table $one $both $none (local.get $which)))
      (return (call_indirect (type $op) (local.get $x) (i32.const 0))))
      (return (i32.div_s (local.get $x) (local.get $which))))
    (i32.const 0)))

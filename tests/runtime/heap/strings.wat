;; Strings by the builtins of wasm:js-string. Assembled by binaryen: wasm-as --all-features.
(module
  (type $units (array (mut i16)))
  (type $box (struct (field (mut externref))))
  (import "wasm:js-string" "cast" (func $cast (param externref) (result (ref extern))))
  (import "wasm:js-string" "test" (func $test (param externref) (result i32)))
  (import "wasm:js-string" "fromCharCodeArray"
    (func $from_array (param (ref null $units) i32 i32) (result (ref extern))))
  (import "wasm:js-string" "intoCharCodeArray"
    (func $into_array (param externref (ref null $units) i32) (result i32)))
  (import "wasm:js-string" "fromCharCode" (func $from_code (param i32) (result (ref extern))))
  (import "wasm:js-string" "fromCodePoint" (func $from_point (param i32) (result (ref extern))))
  (import "wasm:js-string" "charCodeAt" (func $code_at (param externref i32) (result i32)))
  (import "wasm:js-string" "codePointAt" (func $point_at (param externref i32) (result i32)))
  (import "wasm:js-string" "length" (func $length (param externref) (result i32)))
  (import "wasm:js-string" "concat"
    (func $concat (param externref externref) (result (ref extern))))
  (import "wasm:js-string" "substring"
    (func $substring (param externref i32 i32) (result (ref extern))))
  (import "wasm:js-string" "equals" (func $equals (param externref externref) (result i32)))
  (import "wasm:js-string" "compare" (func $compare (param externref externref) (result i32)))
  (import "'" "héllo ✓" (global $hello (ref extern)))
  (import "'" "" (global $empty (ref extern)))
  (import "host" "pause" (func $pause))

  ;; The builtins themselves.
  (func (export "cast") (param externref) (result externref) (call $cast (local.get 0)))
  (func (export "test") (param externref) (result i32) (call $test (local.get 0)))
  (func (export "from_code") (param i32) (result externref) (call $from_code (local.get 0)))
  (func (export "from_point") (param i32) (result externref) (call $from_point (local.get 0)))
  (func (export "code_at") (param externref i32) (result i32)
    (call $code_at (local.get 0) (local.get 1)))
  (func (export "point_at") (param externref i32) (result i32)
    (call $point_at (local.get 0) (local.get 1)))
  (func (export "length") (param externref) (result i32) (call $length (local.get 0)))
  (func (export "concat") (param externref externref) (result externref)
    (call $concat (local.get 0) (local.get 1)))
  (func (export "substring") (param externref i32 i32) (result externref)
    (call $substring (local.get 0) (local.get 1) (local.get 2)))
  (func (export "equals") (param externref externref) (result i32)
    (call $equals (local.get 0) (local.get 1)))
  (func (export "compare") (param externref externref) (result i32)
    (call $compare (local.get 0) (local.get 1)))
  (func (export "hello") (result externref) (global.get $hello))
  (func (export "empty") (result externref) (global.get $empty))
  ;; Through an array of n units: the string of the last n - 1 of them.
  (func (export "through_array") (param $s externref) (param $n i32) (result externref)
    (local $units (ref null $units))
    (local.set $units (array.new_default $units (local.get $n)))
    (drop (call $into_array (local.get $s) (local.get $units) (i32.const 0)))
    (call $from_array (local.get $units) (i32.const 1) (local.get $n)))
  (func (export "into_null") (param externref) (result i32)
    (call $into_array (local.get 0) (ref.null $units) (i32.const 0)))
  (func (export "from_null") (result externref)
    (call $from_array (ref.null $units) (i32.const 0) (i32.const 0)))

  ;; What a string is to a guest: bits of test any, eq, struct, array, i31.
  (func (export "kinds") (param externref) (result i32)
    (local $a anyref)
    (local.set $a (any.convert_extern (local.get 0)))
    (i32.or
      (i32.or (ref.test (ref any) (local.get $a))
              (i32.shl (ref.test (ref eq) (local.get $a)) (i32.const 1)))
      (i32.or
        (i32.or (i32.shl (ref.test (ref struct) (local.get $a)) (i32.const 2))
                (i32.shl (ref.test (ref array) (local.get $a)) (i32.const 3)))
        (i32.or (i32.shl (ref.test (ref i31) (local.get $a)) (i32.const 4))
                (i32.shl (ref.test (ref $units) (local.get $a)) (i32.const 5))))))
  (func (export "units") (result externref)
    (extern.convert_any (array.new_default $units (i32.const 3))))

  ;; n letters one by one, with a pause after every 100th; a hash of them all.
  (func (export "build") (param $n i32) (result i32)
    (local $s externref) (local $i i32) (local $hash i32) (local $box (ref null $box))
    (local.set $s (global.get $empty))
    (local.set $box (struct.new $box (global.get $hello)))
    (loop $next
      (if (i32.lt_u (local.get $i) (local.get $n))
        (then
          (local.set $s (call $concat (local.get $s)
            (call $from_code (i32.add (i32.const 65) (i32.rem_u (local.get $i) (i32.const 500))))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (if (i32.eqz (i32.rem_u (local.get $i) (i32.const 100))) (then (call $pause)))
          (br $next))))
    (struct.set $box 0 (local.get $box) (local.get $s))
    (local.set $i (i32.const 0))
    (loop $next
      (if (i32.lt_u (local.get $i) (call $length (local.get $s)))
        (then
          (local.set $hash (i32.add (i32.mul (local.get $hash) (i32.const 31))
            (call $code_at (struct.get $box 0 (local.get $box)) (local.get $i))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next))))
    (local.get $hash))

  ;; Makes garbage only.
  (func (export "churn") (param $n i32) (result i32)
    (local $s externref)
    (loop $next
      (local.set $s (call $concat (global.get $hello) (call $from_code (local.get $n))))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $next (i32.gt_s (local.get $n) (i32.const 0))))
    (call $length (local.get $s)))
)

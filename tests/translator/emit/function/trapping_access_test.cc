// Accesses past the end of a memory trap, whatever becomes of the value, and nothing that comes
// after them in the program happens first. Each function below reads or writes at its parameter in
// a way that leaves a C++ compiler something to drop, to narrow or to move: it must trap with an
// address of which only the last byte is out of bounds, and end with one byte less. The memory
// policy `checked` is the oracle for `reserved`.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "fermata/dynamic.h"
#include "tests/support/code_fixture.h"

namespace fermata {
namespace {

constexpr uint32_t kEnd = 65536;

// A function (param i32) of locals $i i32, $j i32, $w i64, $x f64, $y f32, $v v128 whose access of
// `bytes` bytes is at its parameter. It has no results.
struct Shape {
  const char* name;
  uint32_t bytes;
  const char* body;
};

// `drop` of a value goes through a global, so that the shapes are about what is before it.
#define OUT32(e) "(global.set $i32 " e ")"
#define OUT64(e) "(global.set $i64 " e ")"
#define P "(local.get 0)"
// With an offset of `n`: the first multiple of `n` from the parameter on.
#define ALIGNED(n) "(i32.and (i32.sub " P " (i32.const 1)) (i32.const -" n "))"

constexpr Shape kShapes[] = {
    // Only a part of the value is used.
    {"wrapped", 8, OUT32("(i32.wrap_i64 (i64.load " P "))")},
    {"low_byte", 4, OUT32("(i32.and (i32.load " P ") (i32.const 255))")},
    {"low_half", 8, OUT64("(i64.and (i64.load " P ") (i64.const 0xffff))")},
    {"middle", 8,
     OUT64("(i64.and (i64.shr_u (i64.load " P ") (i64.const 16)) (i64.const 0xffff))")},
    {"sign_of_byte", 4, OUT32("(i32.extend8_s (i32.load " P "))")},
    {"sign_of_half", 8, OUT64("(i64.extend16_s (i64.load " P "))")},
    {"masked_by_or", 4, OUT32("(i32.or (i32.load " P ") (i32.const 0xffffff00))")},
    {"shifted_out", 4, OUT32("(i32.shl (i32.load " P ") (i32.const 24))")},
    {"shifted_out_64", 8, OUT64("(i64.shl (i64.load " P ") (i64.const 48))")},
    {"multiplied_out", 4, OUT32("(i32.mul (i32.load " P ") (i32.const 0x1000000))")},
    {"rotated", 8, OUT64("(i64.and (i64.rotl (i64.load " P ") (i64.const 8)) (i64.const 0xff00))")},
    {"stored_byte", 4, "(i32.store8 (i32.const 0) (i32.load " P "))"},
    {"stored_half", 8, "(i64.store16 (i32.const 0) (i64.load " P "))"},
    {"stored_word", 8, "(i64.store32 (i32.const 0) (i64.load " P "))"},
    {"through_local", 4,
     "(local.set $i (i32.load " P ")) (local.set $j (i32.add (local.get $i) (i32.const 1)))"
     "(i32.store8 (i32.const 0) (local.get $j))"},
    {"low_of_float", 8, OUT32("(i32.wrap_i64 (i64.reinterpret_f64 (f64.load " P ")))")},
    {"lane", 16, OUT32("(i32x4.extract_lane 0 (v128.load " P "))")},
    {"low_lane_of_sum", 16,
     OUT32("(i8x16.extract_lane_u 3 (i8x16.add (v128.load " P ") (v128.const i32x4 1 2 3 4)))")},
    {"stored_lane", 16, "(v128.store64_lane 0 (i32.const 0) (v128.load " P "))"},
    {"shuffled_away", 16,
     OUT32("(i32x4.extract_lane 1 (i8x16.shuffle 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31"
           " (v128.load " P ") (v128.const i32x4 1 2 3 4)))")},
    {"replaced_lane", 16,
     OUT32("(i32x4.extract_lane 2 (i32x4.replace_lane 2 (v128.load " P ") (i32.const 9)))")},
    {"other_lane_loaded", 8,
     OUT32("(i32x4.extract_lane 0 (v128.load64_lane 1 " P " (v128.const i32x4 1 2 3 4)))")},
    {"zero_lane", 8, OUT32("(i32x4.extract_lane 3 (v128.load64_zero " P "))")},
    {"widened_lane", 8, OUT32("(i16x8.extract_lane_u 1 (v128.load8x8_u " P "))")},
    {"splat", 4, OUT32("(i8x16.extract_lane_u 4 (v128.load32_splat " P "))")},
    // The value does not matter in the end.
    {"dropped", 4, "(drop (i32.load " P "))"},
    {"dropped_vector", 16, "(drop (v128.load " P "))"},
    {"dropped_sum", 8, "(drop (i64.add (i64.load " P ") (i64.const 7)))"},
    {"address_of_dropped", 4, "(drop (i32.load (i32.and (i32.load " P ") (i32.const 0xff))))"},
    {"local_overwritten", 4,
     "(local.set $i (i32.load " P ")) (local.set $i (i32.const 1))" OUT32("(local.get $i)")},
    {"global_overwritten", 4, OUT32("(i32.load " P ")") OUT32("(i32.const 1)")},
    {"memory_overwritten", 4,
     "(i32.store (i32.const 0) (i32.load " P "))"
     "(i32.store (i32.const 0) (i32.const 1))"},
    {"stored_back", 4,
     "(i32.store (i32.const 8) (i32.load " P "))"
     "(i32.store (i32.const 8) (i32.load (i32.const 8)))"},
    {"times_zero", 4, OUT32("(i32.mul (i32.load " P ") (i32.const 0))")},
    {"and_zero", 8, OUT64("(i64.and (i64.load " P ") (i64.const 0))")},
    {"or_all", 4, OUT32("(i32.or (i32.load " P ") (i32.const -1))")},
    {"minus_itself", 4,
     "(local.set $i (i32.load " P "))" OUT32("(i32.sub (local.get $i) (local.get $i))")},
    {"minus_again", 4, OUT32("(i32.sub (i32.load " P ") (i32.load " P "))")},
    {"xor_again", 8,
     OUT64("(i64.xor (i64.add (i64.load " P ") (i64.const 3))"
           " (i64.add (i64.load " P ") (i64.const 3)))")},
    {"and_complement", 4,
     "(local.set $i (i32.load " P
     "))" OUT32("(i32.and (local.get $i) (i32.xor (local.get $i) (i32.const -1)))")},
    {"equal_to_itself", 4,
     "(local.set $i (i32.load " P "))" OUT32("(i32.eq (local.get $i) (local.get $i))")},
    {"byte_over_256", 1, OUT32("(i32.div_u (i32.load8_u " P ") (i32.const 256))")},
    {"byte_shifted_by_9", 1, OUT32("(i32.shr_u (i32.load8_u " P ") (i32.const 9))")},
    {"byte_below_256", 1, OUT32("(i32.lt_u (i32.load8_u " P ") (i32.const 256))")},
    {"half_above_all", 2,
     "(if (i32.gt_u (i32.load16_u " P ") (i32.const 0xffff)) (then (unreachable)))"},
    {"not_below_zero", 4, OUT32("(i32.ge_u (i32.load " P ") (i32.const 0))")},
    {"modulo_one", 4, OUT32("(i32.rem_u (i32.load " P ") (i32.const 1))")},
    {"high_of_extended", 4, OUT64("(i64.shr_u (i64.load32_u " P ") (i64.const 32))")},
    {"unordered_or_not", 8,
     "(local.set $x (f64.load " P "))" OUT32(
         "(i32.or (f64.eq (local.get $x) (local.get $x)) (f64.ne (local.get $x) (local.get $x)))")},
    {"added_to_nan", 8, OUT64("(i64.reinterpret_f64 (f64.add (f64.load " P ") (f64.const nan)))")},
    {"added_to_made_nan", 4,
     "(local.set $y (f32.div (f32.const 0) (f32.const 0)))" OUT32(
         "(i32.reinterpret_f32 (f32.mul (f32.load " P ") (local.get $y)))")},
    {"times_masked_nan", 8,
     "(global.set $f64 (f64.mul (f64.load " P ") (f64.reinterpret_i64"
     " (i64.or (i64.extend_i32_u " P ") (i64.const -1)))))"},
    {"plus_difference_of_infinities", 4,
     "(global.set $f32 (f32.add (f32.load " P ") (f32.mul (f32.sub (f32.const inf)"
     " (f32.const inf)) (f32.convert_i32_s " P "))))"},
    {"local_over_zero", 8,
     "(global.set $f64 (f64.add (f64.load " P ") (f64.div (local.get $x) (f64.const 0))))"},
    {"variable_becomes_nan", 8,
     "(local.set $x (f64.load (i32.const 0))) (local.set $x (f64.sqrt (f64.const -1)))"
     "(global.set $f64 (f64.mul (f64.load " P ") (f64.add (local.get $x) (f64.const 1))))"},
    {"variable_is_not_itself", 8,
     "(local.set $x (f64.load (i32.const 0)))"
     "(if (f64.ne (local.get $x) (local.get $x)) (then"
     " (global.set $f64 (f64.mul (f64.load " P ") (local.get $x))))"
     " (else (drop (f64.load " P "))))"},
    {"argument_is_nan", 8, "(global.set $f64 (call $times (call $nan) " P "))"},
    {"global_is_nan", 8,
     "(global.set $f64 (f64.div (f64.const 0) (f64.const 0)))"
     "(global.set $f64 (f64.sub (f64.load " P ") (global.get $f64)))"},
    {"only_the_sign", 8, "(global.set $f64 (f64.copysign (f64.const 1) (f64.load " P ")))"},
    {"only_the_magnitude", 4, "(global.set $f32 (f32.abs (f32.load " P ")))"},
    {"no_sign_at_all", 4, OUT32("(f32.lt (f32.abs (f32.load " P ")) (f32.const 0))")},
    // Branches that make no difference.
    {"equal_arms", 4,
     OUT32("(if (result i32) (i32.load " P ") (then (i32.const 4))"
           " (else (i32.const 4)))")},
    {"equal_selection", 4, OUT32("(select (i32.const 4) (i32.const 4) (i32.load " P "))")},
    {"selected_away", 4, OUT32("(select (i32.load " P ") (i32.const 4) (i32.const 0))")},
    {"selected_by_parameter", 4, OUT32("(select (i32.const 4) (i32.load " P ") " P ")")},
    {"branch_to_next", 1, "(block $b (br_if $b (i32.load8_u " P ")))"},
    {"switch_to_one_place", 4, "(block $b (br_table $b $b $b (i32.load " P ")))"},
    {"arms_that_load", 4,
     "(if (i32.load " P
     ") (then " OUT32("(i32.load (i32.const 4))") ")"
                                                  " (else " OUT32("(i32.load (i32.const 4))") "))"},
    {"path_not_taken", 4,
     "(local.set $i (i32.load " P "))"
     "(if (i32.ne " P " " P ") (then " OUT32("(local.get $i)") "))"},
    {"path_rarely_taken", 4,
     "(local.set $i (i32.load " P "))"
     "(if (i32.eq " P " (i32.const 77)) (then " OUT32("(local.get $i)") "))"},
    // Atomic accesses that change nothing, or whose result does not matter.
    {"atomic_load", 4, "(drop (i32.atomic.load offset=4 " ALIGNED("4") "))"},
    {"atomic_add_zero", 4, "(drop (i32.atomic.rmw.add offset=4 " ALIGNED("4") " (i32.const 0)))"},
    {"atomic_and_all", 8, "(drop (i64.atomic.rmw.and offset=8 " ALIGNED("8") " (i64.const -1)))"},
    {"atomic_or_nothing_of_a_byte", 1, "(drop (i32.atomic.rmw8.or_u " P " (i32.const 256)))"},
    {"atomic_xor_masked", 2,
     OUT32("(i32.and (i32.atomic.rmw16.xor_u offset=2 " ALIGNED("2") " (i32.const 0))"
                                                                     " (i32.const 0))")},
    {"atomic_exchange_unused", 4,
     "(drop (i32.atomic.rmw.xchg offset=4 " ALIGNED("4") " (i32.const 0)))"},
    // Callees that do nothing with it.
    {"ignored_argument", 4, OUT32("(call $ignores (i32.load " P "))")},
    {"ignored_result", 4, "(drop (call $loads " P "))"},
    {"ignored_result_of_many", 4, "(drop (call $sums " P "))"},
    {"masked_result", 4, OUT32("(i32.and (call $loads " P ") (i32.const 1))")},
    // Sums of loops. The parameter is where the last round reads.
    {"unused_sum", 4,
     "(local.set $j (i32.sub " P " (i32.const 400)))"
     "(loop $l (local.set $i (i32.add (local.get $i) (i32.load (local.get $j))))"
     " (br_if $l (i32.le_u (local.tee $j (i32.add (local.get $j) (i32.const 4))) " P ")))"},
    {"sums_of_each_other", 4,
     "(local.set $j (i32.sub " P " (i32.const 400)))"
     "(loop $l (local.set $i (i32.add (i32.wrap_i64 (local.get $w)) (i32.load (local.get $j))))"
     " (local.set $w (i64.extend_i32_u (i32.xor (local.get $i) (i32.const 5))))"
     " (br_if $l (i32.le_u (local.tee $j (i32.add (local.get $j) (i32.const 4))) " P ")))"},
    {"sum_times_zero", 4,
     "(local.set $j (i32.sub " P " (i32.const 400)))"
     "(loop $l (local.set $i (i32.add (local.get $i) (i32.load (local.get $j))))"
     " (br_if $l (i32.le_u (local.tee $j (i32.add (local.get $j) (i32.const 4))) " P
     ")))" OUT32("(i32.and (i32.mul (local.get $i) (i32.const 8)) (i32.const 7))")},
    {"last_value_of_loop", 4,
     "(local.set $j " P ")"
     "(loop $l (local.set $i (i32.load (local.get $j)))"
     " (br_if $l (i32.gt_s (local.tee $j (i32.sub (local.get $j) (i32.const 4))) (i32.const "
     "64))))" OUT32("(local.get $i)")},
    {"first_value_of_loop", 8,
     "(local.set $j (i32.const 8))"
     "(loop $l (local.set $w (i64.load " P "))"
     " (br_if $l (local.tee $j (i32.sub (local.get $j) (i32.const 1)))))" OUT64(
         "(i64.shr_u (local.get $w) (i64.const 63))")},
    // Loads that others before them seem to cover.
    {"next_field", 4,
     "(local.set $i (i32.sub " P " (i32.const 8))) (drop (i32.load (local.get $i)))"
     "(drop (i32.load offset=8 (local.get $i)))"},
    {"wider_field", 8, "(drop (i32.load8_u " P ")) (drop (i64.load " P "))"},
    {"other_sum", 4,
     "(local.set $i (i32.sub " P " (i32.const 8)))"
     "(drop (i32.load (i32.add (local.get $i) (i32.const 4))))"
     "(drop (i32.load (i32.add (local.get $i) (i32.const 8))))"},
    {"another_address", 4,
     "(local.set $i (i32.const 0)) (drop (i32.load (local.get $i)))"
     "(local.set $i " P ") (drop (i32.load (local.get $i)))"},
    {"on_one_path_only", 4,
     "(block $b (br_if $b " P ") (drop (i32.load " P "))) (drop (i32.load " P "))"},
    {"in_the_value_of_a_store", 4,
     "(i32.store (i32.const 0) (i32.and (i32.load " P ") (i32.const 0)))"},
    {"bounded_behind_the_end", 4, "(drop (i32.load (i32.and " P " (i32.const 0x1ffff))))"},
    {"address_of_a_safe_load", 4, "(drop (i32.load (i32.and (i32.load " P ") (i32.const 0xff0))))"},
    // Stores.
    {"store", 4, "(i32.store " P " (i32.const 1))"},
    {"store_of_a_load", 4, "(i32.store " P " (i32.load " P "))"},
    {"stored_twice", 8, "(i64.store " P " (i64.const 1)) (i32.store " P " (i32.const 2))"},
    {"stored_in_halves", 8,
     "(local.set $w (i64.load " P ")) (i32.store " P " (i32.wrap_i64 (local.get $w)))"
     "(i32.store offset=4 " P " (i32.wrap_i64 (i64.shr_u (local.get $w) (i64.const 32))))"},
    {"store_of_a_vector", 16, "(v128.store " P " (v128.load " P "))"},
    {"store_of_a_lane", 8, "(v128.store64_lane 1 " P " (v128.const i64x2 1 2))"},
    {"store_of_a_wide_lane", 8,
     "(v128.store64_lane 1 " P " (v128.const i64x2 1 0x123456789abcdef))"},
    {"store_of_a_constant_vector", 16, "(v128.store " P " (v128.const i64x2 1 2))"},
    {"store_of_a_selected_vector", 16,
     "(v128.store " P " (select (v128.const i64x2 1 2) (v128.const i64x2 3 4) " P "))"},
    {"store_of_two_words", 16,
     "(v128.store " P " (i64x2.replace_lane 1 (i64x2.splat (i64.extend_i32_u " P "))"
     " (i64.const 5)))"},
    {"store_of_a_wide_constant", 8, "(i64.store " P " (i64.const 0x123456789abcdef))"},
    {"store_of_a_float_constant", 8, "(f64.store " P " (f64.const 1.1))"},
    {"store_of_joined_halves", 8,
     "(i64.store " P " (i64.or (i64.extend_i32_u (i32.reinterpret_f32 (f32.mul"
     " (f32.convert_i32_u " P ") (f32.const 3)))) (i64.shl (i64.extend_i32_u " P ")"
     " (i64.const 32))))"},
    {"store_of_joined_words", 8,
     "(i64.store " P " (i64.or (i64.extend_i32_u " P ") (i64.shl (i64.extend_i32_u"
     " (i32.mul " P " (i32.const 3))) (i64.const 32))))"},
    {"store_of_joined_bytes", 4,
     "(i32.store " P " (i32.or (i32.and " P " (i32.const 255)) (i32.shl " P " (i32.const 8))))"},
};

std::string Module() {
  std::string text = R"((module
    (memory (export "memory") 1 1)
    (global $i32 (export "i32") (mut i32) (i32.const 0))
    (global $i64 (mut i64) (i64.const 0))
    (global $f32 (mut f32) (f32.const 0))
    (global $f64 (mut f64) (f64.const 0))
    (func $ignores (param i32) (result i32) (i32.const 6))
    (func $loads (param i32) (result i32) (i32.load (local.get 0)))
    (func $nan (result f64) (f64.div (f64.const 0) (f64.const 0)))
    (func $times (param f64 i32) (result f64)
      (f64.mul (f64.load (local.get 1)) (local.get 0)))
    (func $sums (param i32) (result i32)
      (i32.add (i32.load (local.get 0)) (i32.load (i32.const 16))))
    (func (export "global") (result i32) (global.get $i32))
    (func (export "peek") (param i32) (result i32) (i32.load (local.get 0)))
    (func (export "clear") (i32.store (i32.const 0) (i32.const 0)) (global.set $i32 (i32.const 0))
      (memory.fill (i32.const 65520) (i32.const 0) (i32.const 16)))
  )";
  for (const Shape& shape : kShapes) {
    absl::StrAppend(&text, "(func (export \"", shape.name,
                    "\") (param i32) (local $i i32) (local $j i32) (local $w i64) (local $x f64)"
                    " (local $y f32) (local $v v128) ",
                    shape.body, ")\n");
  }
  // Loops that nothing ends but a trap.
  absl::StrAppend(&text, R"(
    (func (export "endless_sum") (local i32 i32) (loop $l
      (local.set 0 (i32.add (local.get 0) (i32.load (local.get 1))))
      (local.set 1 (i32.add (local.get 1) (i32.const 4))) (br $l)))
    (func (export "endless_load") (param i32) (loop $l (drop (i32.load (local.get 0))) (br $l)))
    (func (export "endless_store") (param i32) (loop $l
      (i32.store (local.get 0) (i32.const 1)) (br $l)))
    (func (export "endless_counter") (local i32) (loop $l
      (i32.store (i32.const 70000) (local.get 0))
      (local.set 0 (i32.add (local.get 0) (i32.const 1))) (br $l)))
    (func (export "waits_for_zero") (param i32) (loop $l
      (i32.store (local.get 0) (i32.const 1)) (br_if $l (i32.eqz (i32.load (i32.const 0))))))
    (func (export "before_endless") (param i32) (i32.store (local.get 0) (i32.const 1))
      (loop $l (br $l)))
    (func (export "endless_fill") (param i32) (loop $l
      (i32.store (local.get 0) (i32.const 1))
      (local.set 0 (i32.add (local.get 0) (i32.const 4))) (br $l)))
    (func (export "endless_copy") (param i32) (loop $l
      (f64.store (local.get 0) (f64.load offset=8 (local.get 0)))
      (local.set 0 (i32.sub (local.get 0) (i32.const 8))) (br $l)))

    ;; What was done before the trap is done, what comes after it is not.
    (func (export "around_load") (param i32)
      (i32.store (i32.const 0) (i32.const 1)) (global.set $i32 (i32.const 1))
      (drop (i32.load (local.get 0)))
      (i32.store (i32.const 0) (i32.const 2)) (global.set $i32 (i32.const 2)))
    (func (export "around_used_load") (param i32) (result i32) (local i32)
      (i32.store (i32.const 0) (i32.const 1)) (global.set $i32 (i32.const 1))
      (local.set 1 (i32.load (local.get 0)))
      (i32.store (i32.const 0) (i32.const 2)) (global.set $i32 (i32.const 2))
      (local.get 1))
    (func (export "around_store") (param i32)
      (i32.store (i32.const 0) (i32.const 1)) (global.set $i32 (i32.const 1))
      (i32.store (local.get 0) (i32.const 7))
      (i32.store (i32.const 0) (i32.const 2)) (global.set $i32 (i32.const 2))
      (i32.store (local.get 0) (i32.const 8)))
    (func (export "around_constant") (param i32)
      (i32.store (i32.const 0) (i32.const 1)) (global.set $i32 (i32.const 1))
      (i32.store (i32.const 70000) (i32.const 7))
      (i32.store (i32.const 0) (i32.const 2)) (global.set $i32 (i32.const 2)))
    (func (export "around_loop") (param i32) (local $i i32)
      (local.set $i (i32.const 10))
      (loop $l
        (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
        (global.set $i32 (i32.add (global.get $i32) (i32.const 1)))
        (i32.store (local.get 0) (local.get $i))
        (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1))))))
  ))");
  return text;
}

std::vector<Variant> Variants() {
  std::vector<Variant> variants = AccessVariants();
  for (const char* compiler : Compilers()) {
    variants.push_back({compiler, "auto", "fixed", false, 1});
    variants.back().flag = "-DFERMATA_STRICT_ALIGNMENT";
    variants.push_back({compiler, "auto", "fixed", false, 1});
  }
  return variants;
}

class TrappingAccess : public CodeFixture {
 protected:
  std::string Text() const override { return Module(); }

  void ExpectTrapAt(const std::string& name, std::vector<Value> arguments) {
    ExpectTrap(name, std::move(arguments), Trap::kMemoryOutOfBounds);
  }
  uint32_t Get(const std::string& name, std::vector<Value> arguments) {
    const DynamicStep step = Run(name, std::move(arguments));
    EXPECT_TRUE(step.finished()) << name << ": " << step.message();
    return step.finished() ? step.results()[0].i32() : 0;
  }
};

TEST_P(TrappingAccess, WhateverBecomesOfTheValue) {
  for (const Shape& shape : kShapes) {
    SCOPED_TRACE(shape.name);
    const DynamicStep step = Run(shape.name, {Value::I32(kEnd - shape.bytes)});
    EXPECT_TRUE(step.finished()) << step.message();
    for (const uint32_t address : {kEnd - shape.bytes + 1, kEnd, 70000u, 0x7ffffff0u, ~0u}) {
      // Loops read from 400 bytes before the address on, or down from it.
      ExpectTrapAt(shape.name, {Value::I32(address)});
    }
  }
}

// A store that reaches past the end writes none of its bytes.
TEST_P(TrappingAccess, StoresAsAWholeOrNotAtAll) {
  for (const Shape& shape : kShapes) {
    if (!absl::StartsWith(shape.name, "store_")) continue;
    SCOPED_TRACE(shape.name);
    Run("clear", {});
    for (uint32_t past = 1; past < shape.bytes; ++past) {
      ExpectTrapAt(shape.name, {Value::I32(kEnd - shape.bytes + past)});
    }
    for (uint32_t at = kEnd - 16; at < kEnd; at += 4) {
      EXPECT_EQ(Get("peek", {Value::I32(at)}), 0u) << at;
    }
  }
}

TEST_P(TrappingAccess, InLoopsThatNothingElseEnds) {
  ExpectTrapAt("endless_sum", {});
  ExpectTrapAt("endless_counter", {});
  ExpectTrapAt("endless_fill", {Value::I32(60000)});
  ExpectTrapAt("endless_copy", {Value::I32(800)});
  for (const char* name : {"endless_load", "endless_store", "waits_for_zero", "before_endless"}) {
    ExpectTrapAt(name, {Value::I32(kEnd - 3)});
  }
}

TEST_P(TrappingAccess, InTheOrderOfTheProgram) {
  for (const char* name :
       {"around_load", "around_used_load", "around_store", "around_constant", "around_loop"}) {
    SCOPED_TRACE(name);
    Run("clear", {});
    ExpectTrapAt(name, {Value::I32(kEnd - 1)});
    EXPECT_EQ(Get("global", {}), 1u);
    EXPECT_EQ(Get("peek", {Value::I32(0)}), 1u);
  }
}

INSTANTIATE_TEST_SUITE_P(, TrappingAccess, testing::ValuesIn(Variants()), NameOfVariant);

}  // namespace
}  // namespace fermata

// Calls through tables that nobody can change (translator/emit/typed_elements.h): the function that
// is called, also if it is an import that suspends, and the traps. The same through a table that is
// exported, which is called in the usual way.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_replace.h"
#include "fermata/dynamic.h"
#include "tests/support/code_fixture.h"

namespace fermata {
namespace {

// Elements 3 to 5 are null, and so is 9; 6 and 7 are of other types, 7 of an equal one.
constexpr char kText[] = R"((module
  (type $i32 (func (param i32) (result i32)))
  (type $same (func (param i32) (result i32)))
  (type $i64 (func (param i64) (result i64)))
  (import "env" "op_i32" (func $op_i32 (type $i32)))
  (import "env" "op_i64" (func $op_i64 (type $i64)))
  (memory 1)
  (table $t EXPORT 10 funcref)
  (table $empty 0 funcref)
  (table $one 1 1 funcref)
  (elem (table $t) (i32.const 0) func $op_i32 $twice $through)
  (elem (table $t) (i32.const 6) func $op_i64 $next $op_i32)
  (elem (table $t) (i32.const 0) func $op_i32 $next)
  (elem (table $one) (i32.const 0) func $twice)
  (func $twice (type $i32) (i32.mul (local.get 0) (i32.const 2)))
  (func $next (type $same) (i32.add (local.get 0) (i32.const 1)))
  ;; Calls element 0 in turn, and adds 100.
  (func $through (type $i32)
    (i32.add (i32.const 100) (call_indirect $t (type $same) (local.get 0) (i32.const 0))))
  (func (export "call") (param $element i32) (param $value i32) (result i32)
    (i32.sub (call_indirect $t (type $i32) (local.get $value) (local.get $element)) (i32.const 1)))
  (func (export "wide") (param $element i32) (param $value i64) (result i64)
    (call_indirect $t (type $i64) (local.get $value) (local.get $element)))
  (func (export "of_none") (param i32) (result i32)
    (call_indirect $empty (type $i32) (local.get 0) (local.get 0)))
  (func (export "of_one") (param i32) (result i32)
    (call_indirect $one (type $i32) (local.get 0) (i32.const 0)))
  (func (export "size") (result i32) (table.size $t))
  ;; The trap of an argument comes first, the change of the memory before that of the element.
  (func (export "argument_first") (result i32)
    (call_indirect $t (type $i32) (i32.load (i32.const 70000)) (i32.const 9999)))
  (func (export "write_first") (result i32)
    (i32.store (i32.const 8) (i32.const 5))
    (call_indirect $t (type $i32) (i32.const 0) (i32.const 9999)))
  (func (export "read") (result i32) (i32.load (i32.const 8)))
))";

class ConstantTable : public CodeFixture {
 protected:
  std::string Text() const override {
    return absl::StrReplaceAll(kText, {{"EXPORT", exported_ ? "(export \"t\")" : ""}});
  }
  void TestCalls() {
    Expect("call", {Value::I32(0), Value::I32(5)}, {Value::I32(5 * 3 + 1 - 1)}, 1);
    Expect("call", {Value::I32(1), Value::I32(5)}, {Value::I32(5)}, 0);
    Expect("call", {Value::I32(2), Value::I32(5)}, {Value::I32(115)}, 1);
    Expect("call", {Value::I32(7), Value::I32(5)}, {Value::I32(5)}, 0);
    Expect("call", {Value::I32(8), Value::I32(5)}, {Value::I32(15)}, 1);
    Expect("wide", {Value::I32(6), Value::I64(2)}, {Value::I64(10 + (uint64_t{1} << 40))}, 1);
    Expect("of_one", {Value::I32(4)}, {Value::I32(8)}, 0);
    Expect("size", {}, {Value::I32(10)}, 0);
  }
  void TestTraps() {
    for (const uint32_t null : {3u, 4u, 5u, 9u}) {
      ExpectTrap("call", {Value::I32(null), Value::I32(5)}, Trap::kUninitializedElement);
      ExpectTrap("wide", {Value::I32(null), Value::I64(5)}, Trap::kUninitializedElement);
    }
    ExpectTrap("call", {Value::I32(6), Value::I32(5)}, Trap::kIndirectCallTypeMismatch);
    ExpectTrap("wide", {Value::I32(0), Value::I64(5)}, Trap::kIndirectCallTypeMismatch);
    ExpectTrap("wide", {Value::I32(7), Value::I64(5)}, Trap::kIndirectCallTypeMismatch);
    for (const uint32_t past : {10u, 11u, 0x7fffffffu, 0x80000000u, ~0u}) {
      ExpectTrap("call", {Value::I32(past), Value::I32(5)}, Trap::kUndefinedElement);
    }
    ExpectTrap("of_none", {Value::I32(0)}, Trap::kUndefinedElement);
    ExpectTrap("argument_first", {}, Trap::kMemoryOutOfBounds);
    ExpectTrap("write_first", {}, Trap::kUndefinedElement);
    Expect("read", {}, {Value::I32(5)}, 0);
    TestCalls();
  }
  bool exported_ = false;
};
class ExportedTable : public ConstantTable {
 protected:
  ExportedTable() { exported_ = true; }
};

TEST_P(ConstantTable, Calls) { TestCalls(); }
TEST_P(ConstantTable, Traps) { TestTraps(); }
TEST_P(ExportedTable, Calls) { TestCalls(); }
TEST_P(ExportedTable, Traps) { TestTraps(); }

INSTANTIATE_TEST_SUITE_P(, ConstantTable, testing::ValuesIn(AllVariants()), NameOfVariant);
INSTANTIATE_TEST_SUITE_P(, ExportedTable, testing::ValuesIn(AllVariants()), NameOfVariant);

}  // namespace
}  // namespace fermata

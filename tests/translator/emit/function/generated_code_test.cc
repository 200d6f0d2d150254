// What generated code does, at each function shape and each value type: calls, indirect calls,
// several results, loops with a suspension inside, a suspension in every argument position, deep
// recursion. Every case is run with the import suspended each time, and again answered at once.
//
// The modules are written as text below, assembled by wat2wasm and compiled when the test runs,
// with each of the compilers the build found.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "fermata/dynamic.h"
#include "tests/support/code_fixture.h"

namespace fermata {
namespace {

constexpr char kNumeric[] = R"(
  (import "env" "op_$T" (func $op_$T (param $T) (result $T)))
  (type $unary_$T (func (param $T) (result $T)))
  (func $leaf_$T (type $unary_$T) (call $op_$T (local.get 0)))
  (func $plain_$T (type $unary_$T) ($T.add (local.get 0) (local.get 0)))
  (func $three_$T (param $T $T $T) (result $T)
    ($T.sub (local.get 0) ($T.sub ($T.add (local.get 1) (local.get 1)) (local.get 2))))
  (elem (i32.const $SLOT) $leaf_$T $plain_$T $op_$T)

  ;; op(a) + b, with b and a live across the call
  (func (export "call_$T") (param $T $T) (result $T)
    ($T.sub ($T.add (call $leaf_$T (local.get 0)) (local.get 1)) (local.get 0)))

  (func (export "indirect_$T") (param i32 $T $T) (result $T)
    ($T.add (call_indirect (type $unary_$T) (local.get 1)
              (i32.add (local.get 0) (i32.const $SLOT)))
            (local.get 2)))

  ;; a suspension in every argument position, and operands pending on the stack below
  (func (export "arguments_$T") (param $T $T $T) (result $T)
    ($T.add (local.get 2)
      (call $three_$T (call $op_$T (local.get 0)) (call $leaf_$T (local.get 1))
                      (call $op_$T (local.get 2)))))

  (func $pair_$T (param $T $T) (result $T i32 $T)
    (call $op_$T (local.get 0)) (i32.const 7) (call $leaf_$T (local.get 1)))
  (func (export "multi_$T") (param $T $T) (result $T i32 $T)
    (local $k i32)
    (call $pair_$T (local.get 1) (local.get 0))
    (local.set 0)
    (local.set $k)
    (local.set 1)
    (local.get 0) (i32.add (local.get $k) (i32.const 1)) (local.get 1))

  ;; sum of op(x) over n rounds, with the accumulator live
  (func (export "loop_$T") (param $n i32) (param $x $T) (result $T)
    (local $sum $T)
    (block $done
      (loop $again
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $sum ($T.add (local.get $sum) (call $leaf_$T (local.get $x))))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $again)))
    (local.get $sum))

  ;; the same with the values as block parameters and results
  (func (export "params_$T") (param $n i32) (param $x $T) (result $T)
    (local $sum $T)
    (local.get $sum) (local.get $n)
    (loop $again (param $T i32) (result $T)
      (local.set $n)
      (call $op_$T (local.get $x))
      ($T.add)
      (i32.sub (local.get $n) (i32.const 1))
      (br_if $again (i32.gt_s (i32.sub (local.get $n) (i32.const 1)) (i32.const 0)))
      (drop)))

  (func $down_$T (export "recurse_$T") (param $n i32) (param $x $T) (result $T)
    (if (result $T) (local.get $n)
      (then ($T.add (call $down_$T (i32.sub (local.get $n) (i32.const 1)) (local.get $x))
                    (local.get $x)))
      (else (call $op_$T (local.get $x)))))

  ;; written to memory before and read after the suspension
  (func (export "memory_$T") (param i32 $T) (result $T)
    ($T.store offset=8 (local.get 0) (local.get 1))
    ($T.add (call $op_$T ($T.load offset=8 (local.get 0))) ($T.load offset=8 (local.get 0))))

  (global $g_$T (mut $T) ($T.const 0))
  (func (export "global_$T") (param $T) (result $T)
    (global.set $g_$T (local.get 0))
    ($T.add (global.get $g_$T) (call $leaf_$T (global.get $g_$T))))
)";

constexpr char kReference[] = R"(
  (import "env" "op_$T" (func $op_$T (param $T) (result $T)))
  (type $unary_$T (func (param $T) (result $T)))
  (func $leaf_$T (type $unary_$T) (call $op_$T (local.get 0)))
  (elem (i32.const $SLOT) $leaf_$T $leaf_$T $op_$T)
  (table $refs_$T 4 $T)
  (func (export "call_$T") (param $T $T i32) (result $T)
    (table.set $refs_$T (i32.const 1) (local.get 1))
    (select (result $T) (call $leaf_$T (local.get 0)) (table.get $refs_$T (i32.const 1))
            (local.get 2)))
  (func (export "indirect_$T") (param i32 $T) (result $T)
    (call_indirect (type $unary_$T) (local.get 1) (i32.add (local.get 0) (i32.const $SLOT))))
  (func (export "multi_$T") (param $T $T) (result $T i32 $T)
    (call $op_$T (local.get 1)) (i32.const 7) (call $leaf_$T (local.get 0)))
  (func $down_$T (export "recurse_$T") (param $n i32) (param $x $T) (result $T)
    (if (result $T) (local.get $n)
      (then (call $down_$T (i32.sub (local.get $n) (i32.const 1)) (local.get $x)))
      (else (call $op_$T (local.get $x)))))
  (func (export "keeps_$T") (param $T $T) (result $T)
    (drop (call $op_$T (local.get 0)))
    (local.get 1))
)";

// Control flow around suspensions that is the same for all types.
constexpr char kControl[] = R"(
  (func (export "table_switch") (param $i i32) (result i32)
    (block $c (block $b (block $a
      (br_table $a $b $c (call $op_i32 (local.get $i))))
      (return (i32.add (call $op_i32 (i32.const 100)) (local.get $i))))
      (return (i32.const 200)))
    (i32.const 300))
  (func (export "table_values") (param $i i32) (result i32)
    (i32.add (i32.const 1000)
      (block $outer (result i32)
        (i32.add (i32.const 10)
          (block $inner (result i32)
            (br_table $inner $outer (call $op_i32 (i32.const 5)) (local.get $i)))))))
  (func (export "branch_values") (param $i i32) (result i32)
    (block $out (result i32)
      (i32.add (i32.const 1)
        (br_if $out (call $op_i32 (i32.const 3)) (local.get $i)))))
  (func (export "if_else") (param $i i32) (result i32)
    (i32.mul (local.get $i)
      (if (result i32) (call $op_i32 (local.get $i))
        (then (call $op_i32 (i32.const 1)))
        (else (i32.const 77)))))
  (func (export "locals_in_order") (param $a i32) (result i32)
    (local.get $a)
    (local.set $a (call $op_i32 (local.get $a)))
    (i32.mul (i32.const 1000))
    (i32.add (local.get $a)))
  (func (export "spin") (param $n i32) (result i32)
    (loop $l
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $l (local.get $n)))
    (local.get $n))
  (func (export "unreachable_after") (param i32) (result i32)
    (drop (call $op_i32 (local.get 0)))
    (unreachable))
  (func (export "divide") (param i32 i32) (result i32)
    (i32.div_s (call $op_i32 (local.get 0)) (local.get 1)))
  (func (export "dropped_load") (param i32)
    (drop (i32.load (local.get 0))))
  (func (export "dropped_load_result") (param i32)
    (drop (call $loads (local.get 0))))
  (func $loads (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "half_used_load") (param $p i32) (param $c i32) (result i32)
    (local $v i32)
    (local.set $v (i32.load (local.get $p)))
    (if (local.get $c) (then (return (local.get $v))))
    (i32.const 5))
  (func (export "argument_traps_first") (param i32) (result i32)
    (call_indirect (type $unary_i32) (i32.load (local.get 0)) (i32.const 9999)))
  (func (export "grow") (param i32) (result i32)
    (i32.add (memory.grow (local.get 0)) (i32.mul (i32.const 100) (memory.size))))
  (func $deep (export "runaway") (param i32) (result i32)
    (i32.add (call $deep (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))
)";

std::string ModuleText() {
  std::string text = "(module (memory (export \"memory\") 1 4) (table 64 funcref)\n";
  std::vector<std::string> parts;
  int slot = 0;
  for (const char* type : {"i32", "i64", "f32", "f64", "funcref", "externref"}) {
    const bool reference = std::string(type).find("ref") != std::string::npos;
    parts.push_back(absl::StrReplaceAll(reference ? kReference : kNumeric,
                                        {{"$T", type}, {"$SLOT", absl::StrCat(slot)}}));
    slot += 4;
  }
  // Imports come first in the text format.
  std::string body;
  for (std::string& part : parts) {
    const size_t end = part.find('\n', 1);
    absl::StrAppend(&text, part.substr(0, end));
    absl::StrAppend(
        &body, absl::StrReplaceAll(part.substr(end), {{"(elem (i32", "(elem (table 0) (i32"}}));
  }
  return absl::StrCat(
      absl::StrReplaceAll(text, {{" (memory (export \"memory\") 1 4) (table 64 funcref)", ""}}),
      "\n(memory (export \"memory\") 1 4) (table 64 funcref)\n", body, kControl, ")\n");
}

Value Number(ValType type, double n) {
  switch (type) {
    case ValType::kI32:
      return Value::I32(static_cast<uint32_t>(static_cast<int64_t>(n)));
    case ValType::kI64:
      return Value::I64(static_cast<uint64_t>(static_cast<int64_t>(n)));
    case ValType::kF32:
      return Value::F32(static_cast<float>(n));
    default:
      return Value::F64(n);
  }
}
Value Add(Value a, Value b) {
  switch (a.type) {
    case ValType::kI32:
      return Value::I32(a.i32() + b.i32());
    case ValType::kI64:
      return Value::I64(a.i64() + b.i64());
    case ValType::kF32:
      return Value::F32(a.f32() + b.f32());
    default:
      return Value::F64(a.f64() + b.f64());
  }
}
Value Sub(Value a, Value b) {
  switch (a.type) {
    case ValType::kI32:
      return Value::I32(a.i32() - b.i32());
    case ValType::kI64:
      return Value::I64(a.i64() - b.i64());
    case ValType::kF32:
      return Value::F32(a.f32() - b.f32());
    default:
      return Value::F64(a.f64() - b.f64());
  }
}

class GeneratedCode : public CodeFixture {
 protected:
  std::string Text() const override { return ModuleText(); }
};

const std::pair<const char*, ValType> kNumbers[] = {
    {"i32", ValType::kI32}, {"i64", ValType::kI64}, {"f32", ValType::kF32}, {"f64", ValType::kF64}};
const std::pair<const char*, ValType> kReferences[] = {{"funcref", ValType::kFuncRef},
                                                       {"externref", ValType::kExternRef}};

TEST_P(GeneratedCode, CallsWithLiveValues) {
  for (const auto& [name, type] : kNumbers) {
    const Value a = Number(type, -7), b = Number(type, 1000);
    Expect(absl::StrCat("call_", name), {a, b}, {Sub(Add(Op(a), b), a)}, 1);
    Expect(absl::StrCat("memory_", name), {Value::I32(64), a}, {Add(Op(a), a)}, 1);
    Expect(absl::StrCat("global_", name), {b}, {Add(b, Op(b))}, 1);
  }
}

TEST_P(GeneratedCode, IndirectCallsReachPlainResumableAndImportedFunctions) {
  for (const auto& [name, type] : kNumbers) {
    const Value a = Number(type, 21), b = Number(type, 4);
    const std::string function = absl::StrCat("indirect_", name);
    Expect(function, {Value::I32(0), a, b}, {Add(Op(a), b)}, 1);
    Expect(function, {Value::I32(1), a, b}, {Add(Add(a, a), b)}, 0);
    Expect(function, {Value::I32(2), a, b}, {Add(Op(a), b)}, 1);
    ExpectTrap(function, {Value::I32(3), a, b}, Trap::kUninitializedElement);
    ExpectTrap(function, {Value::I32(1000), a, b}, Trap::kUndefinedElement);
  }
  ExpectTrap("indirect_i32", {Value::I32(4), Value::I32(1), Value::I32(1)},
             Trap::kIndirectCallTypeMismatch);
}

TEST_P(GeneratedCode, SuspensionInEveryArgumentPosition) {
  for (const auto& [name, type] : kNumbers) {
    const Value a = Number(type, 5), b = Number(type, -9), c = Number(type, 100);
    const Value three = Sub(Op(a), Sub(Add(Op(b), Op(b)), Op(c)));
    Expect(absl::StrCat("arguments_", name), {a, b, c}, {Add(c, three)}, 3);
  }
}

TEST_P(GeneratedCode, SeveralResults) {
  for (const auto& [name, type] : kNumbers) {
    const Value a = Number(type, 3), b = Number(type, 8);
    Expect(absl::StrCat("multi_", name), {a, b}, {Op(a), Value::I32(8), Op(b)}, 2);
  }
  for (const auto& [name, type] : kReferences) {
    const Value a{type, type == ValType::kExternRef ? 11u : 1u}, b{type, 0};
    Expect(absl::StrCat("multi_", name), {a, b}, {b, Value::I32(7), a}, 2);
  }
}

TEST_P(GeneratedCode, LoopsWithASuspensionInside) {
  for (const auto& [name, type] : kNumbers) {
    const Value x = Number(type, 6);
    Value sum = Number(type, 0);
    for (int n = 0; n <= 5; ++n) {
      Expect(absl::StrCat("loop_", name), {Value::I32(n), x}, {sum}, n);
      if (n > 0) Expect(absl::StrCat("params_", name), {Value::I32(n), x}, {sum}, n);
      sum = Add(sum, Op(x));
    }
  }
}

TEST_P(GeneratedCode, RecursionSuspendedAtTheBottom) {
  for (const auto& [name, type] : kNumbers) {
    const Value x = Number(type, 2);
    Value sum = Op(x);
    for (int i = 0; i < 10000; ++i) sum = Add(sum, x);
    deepest_ = 0;
    Expect(absl::StrCat("recurse_", name), {Value::I32(10000), x}, {sum}, 1);
    EXPECT_GE(deepest_, GetParam().plain_functions ? 0u : 10000u);
  }
  for (const auto& [name, type] : kReferences) {
    const Value x{type, type == ValType::kExternRef ? 5u : 1u};
    Expect(absl::StrCat("recurse_", name), {Value::I32(10000), x}, {x}, 1);
  }
}

TEST_P(GeneratedCode, References) {
  for (const auto& [name, type] : kReferences) {
    const Value a{type, type == ValType::kExternRef ? 77u : 1u}, null{type, 0};
    Expect(absl::StrCat("call_", name), {a, null, Value::I32(1)}, {a}, 1);
    Expect(absl::StrCat("call_", name), {a, null, Value::I32(0)}, {null}, 1);
    Expect(absl::StrCat("keeps_", name), {null, a}, {a}, 1);
    Expect(absl::StrCat("indirect_", name), {Value::I32(0), a}, {a}, 1);
    Expect(absl::StrCat("indirect_", name), {Value::I32(2), a}, {a}, 1);
  }
}

TEST_P(GeneratedCode, ControlFlow) {
  const auto i = [](uint32_t v) { return Value::I32(v); };
  Expect("table_switch", {i(0)}, {i(200)}, 1);                          // op(0) = 1
  Expect("table_switch", {i(0xffffffffu)}, {i(300)}, 1);                // op(-1) = -2
  Expect("table_switch", {i(0x55555555u)}, {i(301 + 0x55555555u)}, 2);  // op = 0
  Expect("table_values", {i(0)}, {i(1026)}, 1);
  Expect("table_values", {i(1)}, {i(1016)}, 1);
  Expect("branch_values", {i(0)}, {i(11)}, 1);
  Expect("branch_values", {i(1)}, {i(10)}, 1);
  Expect("if_else", {i(2)}, {i(8)}, 2);
  Expect("if_else", {i(0x55555555u)}, {i(0x55555555u * 77)}, 1);
  Expect("locals_in_order", {i(4)}, {i(4013)}, 1);
  Expect("spin", {i(100000)}, {i(0)}, 0);
  if (GetParam().preempt != nullptr) {
    EXPECT_EQ(pauses_, 99999);
  }
}

TEST_P(GeneratedCode, Traps) {
  const auto i = [](uint32_t v) { return Value::I32(v); };
  ExpectTrap("unreachable_after", {i(1)}, Trap::kUnreachable);
  ExpectTrap("divide", {i(1), i(0)}, Trap::kIntegerDivideByZero);
  Expect("divide", {i(1), i(2)}, {i(2)}, 1);
  Expect("dropped_load", {i(0)}, {}, 0);
  ExpectTrap("dropped_load", {i(65533)}, Trap::kMemoryOutOfBounds);
  ExpectTrap("dropped_load", {i(0xffffffffu)}, Trap::kMemoryOutOfBounds);
  ExpectTrap("dropped_load_result", {i(65533)}, Trap::kMemoryOutOfBounds);
  ExpectTrap("half_used_load", {i(65533), i(0)}, Trap::kMemoryOutOfBounds);
  Expect("half_used_load", {i(0), i(0)}, {i(5)}, 0);
  ExpectTrap("argument_traps_first", {i(65536)}, Trap::kMemoryOutOfBounds);
  ExpectTrap("argument_traps_first", {i(0)}, Trap::kUndefinedElement);
  ExpectTrap("runaway", {i(0)}, Trap::kCallStackExhausted);
  // The instance is as good as before.
  Expect("divide", {i(1), i(2)}, {i(2)}, 1);
}

TEST_P(GeneratedCode, NativeStackIsLimited) {
  if (GetParam().everywhere || GetParam().preempt != nullptr) return;  // no call is deep
  if (GetParam().plain_functions) return;                              // nobody binds the imports
  Limits limits;
  limits.stack_bytes = 128 * 1024;
  StoreHandle small(limits);
  absl::StatusOr<DynamicInstance*> instance = small.Instantiate(*module_, {});
  ASSERT_TRUE(instance.ok()) << instance.status();
  for (const uint32_t depth : {100u, 20000u}) {
    absl::StatusOr<DynamicStep> step =
        (*instance)->Call("recurse_i32", {Value::I32(depth), Value::I32(1)});
    ASSERT_TRUE(step.ok()) << step.status();
    EXPECT_EQ(step->suspended(), depth == 100);
    EXPECT_EQ(step->trap(), depth == 100 ? Trap::kNone : Trap::kCallStackExhausted);
  }
}

TEST_P(GeneratedCode, MemoryGrows) {
  const auto i = [](uint32_t v) { return Value::I32(v); };
  if (GetParam().memory == std::string("fixed")) {
    return Expect("grow", {i(1)}, {i(99)}, 0);  // -1, and one page
  }
  Expect("grow", {i(1)}, {i(201)}, 0);
  Expect("dropped_load", {i(65536 + 100)}, {}, 0);
  Expect("grow", {i(2)}, {i(402)}, 0);
  Expect("grow", {i(1)}, {i(399)}, 0);  // past the maximum: -1
}

TEST_P(GeneratedCode, InterleavedActivations) {
  if (GetParam().plain_functions || GetParam().everywhere || GetParam().preempt != nullptr) {
    return;  // suspended elsewhere
  }
  std::vector<DynamicStep> steps;
  for (uint32_t n = 0; n < 50; ++n) {
    absl::StatusOr<DynamicStep> step =
        instance_->Call("recurse_i64", {Value::I32(n), Value::I64(n)});
    ASSERT_TRUE(step.ok());
    ASSERT_TRUE(step->suspended());
    steps.push_back(*std::move(step));
  }
  for (uint32_t n = 50; n-- > 0;) {
    ASSERT_TRUE(steps[n].Resume({Value::I64(1000)}).ok());
    ASSERT_TRUE(steps[n].finished());
    EXPECT_EQ(steps[n].results()[0].i64(), 1000 + uint64_t{n} * n);
  }
}

// And with a memory that never grows.
std::vector<Variant> Variants() {
  std::vector<Variant> variants = AllVariants();
  for (const char* compiler : {FERMATA_GXX, FERMATA_CLANGXX}) {
    if (*compiler == '\0') continue;
    variants.push_back({compiler, "split", "fixed", false, 1});
    variants.push_back({compiler, "shared", "fixed", false, 3});
    variants.push_back({compiler, "auto", "fixed", true, 1, true, 12});
  }
  return variants;
}
INSTANTIATE_TEST_SUITE_P(Shapes, GeneratedCode, testing::ValuesIn(Variants()), NameOfVariant);

}  // namespace
}  // namespace fermata

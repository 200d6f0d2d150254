// The rules of validation, each with what it allows and what it refuses; and the contract of the
// sink: which events a listener is told.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/support/wasm_builder.h"
#include "translator/validate/null_sink.h"
#include "translator/validate/sink.h"

namespace fermata::validate {
namespace {

using testing_support::Bytes;
using testing_support::Check;
using testing_support::Code;
using testing_support::Concat;
using testing_support::Repeat;
using testing_support::Types;
using testing_support::WasmBuilder;
using testing_support::Words;
using Op = Opcode;

// A module with some of everything, into which the cases put a function of their own.
//   types      0: [] -> []   1: [i32] -> [i32]   2: [] -> [i32 i64]   3: [i32 i64] -> [i64 i32]
//   functions  0: imported, type 1   1: type 2   2: type 0, not declared
//   tables     0: funcref   1: externref   2: funcref     memory 0
//   globals    0: i32, immutable   1: i32   2: externref
//   elements   0: funcref, passive   1: externref, passive     data 0: passive
WasmBuilder Environment() {
  WasmBuilder b;
  b.Type("", "");
  b.Type("i", "i");
  b.Type("", "iI");
  b.Type("iI", "Ii");
  b.ImportFunction(1);
  b.Function(2, "", Code(Op::kI32Const, 1, Op::kI64Const, 2));
  b.Function(0, "", {});
  b.Table('r', 10);
  b.Table('e', 10);
  b.Table('r', 10);
  b.Memory(1);
  b.Global('i', false, Code(Op::kI32Const, 1));
  b.Global('i', true, Code(Op::kI32Const, 1));
  b.Global('e', true, Code(Op::kRefNull, 'e'));
  b.Export("f", 0, 1);
  b.Element({1, 0, 2, 0, 1});
  b.Element(Concat({{5, 0x6f, 1}, Code(Op::kRefNull, 'e', Op::kEnd)}));
  b.DataCount(1);
  b.Data({1, 1, 'x'});
  return b;
}

// A function with locals 0: i32, 1: i64, 2: f32, 3: f64, 4: funcref, 5: externref.
absl::Status CheckBody(absl::string_view results, const Bytes& code,
                       InstructionSink* sink = nullptr) {
  WasmBuilder b = Environment();
  b.Function(b.Type("", results), "iIfFre", code);
  return Check(b.Build(), sink);
}

void ExpectValid(absl::string_view results, const Bytes& code) {
  const absl::Status status = CheckBody(results, code);
  EXPECT_TRUE(status.ok()) << status;
}
void ExpectInvalid(const std::string& words, absl::string_view results, const Bytes& code) {
  const absl::Status status = CheckBody(results, code);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << words << ": " << status;
  EXPECT_TRUE(absl::StartsWith(Words(status), words)) << words << "\n" << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "(function 3): ")) << status;
}

// ---- Operands ----

TEST(Body, ResultsAreJustWhatTheTypeSays) {
  ExpectValid("", {});
  ExpectValid("i", Code(Op::kI32Const, 1));
  ExpectValid("iF", Code(Op::kI32Const, 1, Op::kLocalGet, 3));
  ExpectInvalid("type mismatch: expected i32, found nothing", "i", {});
  ExpectInvalid("type mismatch: expected i32, found i64", "i", Code(Op::kI64Const, 1));
  ExpectInvalid("type mismatch: expected i32, found f64", "iF",
                Code(Op::kLocalGet, 3, Op::kLocalGet, 3));
  ExpectInvalid("type mismatch: 1 more values", "", Code(Op::kI32Const, 1));
}

TEST(Body, OperandsOfNumericInstructions) {
  ExpectValid("i", Code(Op::kI32Const, 1, Op::kI32Const, 2, Op::kI32Add));
  ExpectInvalid("type mismatch: expected i32, found i64", "i",
                Code(Op::kI32Const, 1, Op::kI64Const, 2, Op::kI32Add));
  ExpectInvalid("type mismatch: expected i32, found nothing", "i",
                Code(Op::kI32Const, 1, Op::kI32Add));
}

TEST(Body, OperandsBelowABlockAreOutOfReach) {
  ExpectValid("i", Code(Op::kI32Const, 1, Op::kBlock, '_', Op::kEnd));
  ExpectInvalid("type mismatch", "i", Code(Op::kI32Const, 1, Op::kBlock, '_', Op::kDrop, Op::kEnd));
  ExpectInvalid("type mismatch", "", Code(Op::kI32Const, 1, Op::kLoop, 'i', Op::kEnd, Op::kDrop));
}

TEST(Body, Drop) {
  ExpectValid("", Code(Op::kLocalGet, 5, Op::kDrop));
  ExpectInvalid("type mismatch: expected a value, found nothing", "", Code(Op::kDrop));
}

TEST(Body, Select) {
  const Bytes condition = Code(Op::kI32Const, 1);
  ExpectValid("F", Code(Op::kLocalGet, 3, Op::kLocalGet, 3, condition, Op::kSelect));
  ExpectInvalid("type mismatch: select of i32 and f64", "F",
                Code(Op::kLocalGet, 0, Op::kLocalGet, 3, condition, Op::kSelect));
  ExpectInvalid("type mismatch: select without a type takes numbers, found externref", "e",
                Code(Op::kLocalGet, 5, Op::kLocalGet, 5, condition, Op::kSelect));
  ExpectInvalid("type mismatch: expected i32, found i64", "i",
                Code(Op::kLocalGet, 0, Op::kLocalGet, 0, Op::kLocalGet, 1, Op::kSelect));
  // Unknown operands leave the type open.
  ExpectValid("i", Code(Op::kUnreachable, Op::kSelect));
  ExpectValid("i", Code(Op::kUnreachable, Op::kI32Const, 1, Op::kI32Const, 1, Op::kSelect));
  ExpectInvalid("type mismatch: expected i64, found i32", "I",
                Code(Op::kUnreachable, Op::kI32Const, 1, Op::kI32Const, 1, Op::kSelect));

  const auto typed = [&](int a, int b, const Bytes& types) {
    return Code(Op::kLocalGet, a, Op::kLocalGet, b, condition, Op::kSelectT, types);
  };
  ExpectValid("e", typed(5, 5, {1, 0x6f}));
  ExpectValid("i", typed(0, 0, {1, 0x7f}));
  ExpectInvalid("type mismatch: expected externref, found funcref", "e", typed(5, 4, {1, 0x6f}));
  ExpectInvalid("invalid result arity", "i", typed(0, 0, {0}));
  ExpectInvalid("invalid result arity", "i", typed(0, 0, {2, 0x7f, 0x7f}));
}

// ---- Variables ----

TEST(Body, Locals) {
  ExpectValid("I", Code(Op::kI64Const, 1, Op::kLocalTee, 1));
  ExpectValid("", Code(Op::kI64Const, 1, Op::kLocalSet, 1));
  ExpectInvalid("unknown local 6", "", Code(Op::kLocalGet, 6, Op::kDrop));
  ExpectInvalid("unknown local 6", "", Code(Op::kI32Const, 0, Op::kLocalSet, 6));
  ExpectInvalid("type mismatch: expected i64, found i32", "",
                Code(Op::kI32Const, 1, Op::kLocalSet, 1));
  ExpectInvalid("type mismatch: expected i64, found nothing", "I", Code(Op::kLocalTee, 1));
  ExpectInvalid("type mismatch: expected i32, found i64", "i", Code(Op::kLocalGet, 1));
}

TEST(Body, LocalDeclarations) {
  const auto check = [](const Bytes& body) {
    WasmBuilder b;
    b.RawBody(b.Type("i", ""), body);
    return Words(Check(b.Build()));
  };
  EXPECT_EQ(check({0, 0x0b}), "");
  EXPECT_EQ(check({2, 0, 0x7f, 3, 0x7e, 0x20, 3, 0x1a, 0x0b}), "");
  EXPECT_EQ(check(Concat({{1}, testing_support::Unsigned(49999), {0x7f, 0x0b}})), "");
  EXPECT_EQ(check(Concat({{1}, testing_support::Unsigned(50000), {0x7f, 0x0b}})),
            "too many locals: 50001 (the limit is 50000)");
  EXPECT_EQ(check({2, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x7f, 2, 0x7e, 0x0b}),
            "too many locals: 4294967296 (the limit is 50000)");
  EXPECT_EQ(check({1, 1, 0x40, 0x0b}), "malformed value type 0x40");
  EXPECT_EQ(check({1, 1}), "unexpected end of section or function");
}

TEST(Body, Globals) {
  ExpectValid("i", Code(Op::kGlobalGet, 0));
  ExpectValid("", Code(Op::kI32Const, 1, Op::kGlobalSet, 1));
  ExpectInvalid("unknown global 3", "i", Code(Op::kGlobalGet, 3));
  ExpectInvalid("unknown global 3", "", Code(Op::kI32Const, 1, Op::kGlobalSet, 3));
  ExpectInvalid("immutable global 0", "", Code(Op::kI32Const, 1, Op::kGlobalSet, 0));
  ExpectInvalid("type mismatch: expected externref, found i32", "",
                Code(Op::kI32Const, 1, Op::kGlobalSet, 2));
}

// ---- Blocks ----

TEST(Body, BlockTypes) {
  ExpectValid("i", Code(Op::kBlock, 'i', Op::kI32Const, 1, Op::kEnd));
  ExpectValid("Ii", Code(Op::kI32Const, 1, Op::kI64Const, 2, Op::kBlock, 3, Op::kDrop, Op::kDrop,
                         Op::kI64Const, 1, Op::kI32Const, 2, Op::kEnd));
  ExpectValid("i", Code(Op::kI32Const, 1, Op::kLoop, 1, Op::kEnd));
  ExpectInvalid("type mismatch: expected i32, found nothing", "i", Code(Op::kBlock, 'i', Op::kEnd));
  ExpectInvalid("type mismatch: expected i64, found i32", "Ii",
                Code(Op::kI32Const, 1, Op::kI32Const, 2, Op::kBlock, 3, Op::kEnd));
  ExpectInvalid("type mismatch: 1 more values than the 0 results at the end of the block", "",
                Code(Op::kBlock, '_', Op::kI32Const, 1, Op::kEnd));
  ExpectInvalid("unknown type 63", "", Code(Op::kBlock, 63, Op::kEnd));
  ExpectInvalid("malformed block type", "", Code(Op::kBlock, Bytes{0xff, 0x7f}, Op::kEnd));
}

TEST(Body, If) {
  const Bytes yes = Code(Op::kI32Const, 1);
  ExpectValid("", Code(yes, Op::kIf, '_', Op::kEnd));
  ExpectValid("i", Code(yes, Op::kIf, 'i', yes, Op::kElse, yes, Op::kEnd));
  ExpectValid("i", Code(yes, yes, Op::kIf, 1, Op::kEnd));  // [i32] -> [i32] needs no else
  ExpectInvalid("type mismatch: an if without else", "i", Code(yes, Op::kIf, 'i', yes, Op::kEnd));
  ExpectInvalid("type mismatch: expected i32, found nothing", "", Code(Op::kIf, '_', Op::kEnd));
  ExpectInvalid("type mismatch: expected i32, found nothing", "i",
                Code(yes, Op::kIf, 'i', yes, Op::kElse, Op::kEnd));
  ExpectInvalid("type mismatch: 1 more values", "",
                Code(yes, Op::kIf, '_', yes, Op::kElse, Op::kEnd));
  ExpectInvalid("END opcode expected", "", Code(Op::kBlock, '_', Op::kElse, Op::kEnd));
  ExpectInvalid("END opcode expected", "", Code(yes, Op::kIf, '_', Op::kElse, Op::kElse, Op::kEnd));
  ExpectInvalid("END opcode expected", "", Code(Op::kElse));
}

TEST(Body, Ends) {
  const auto check = [](const Bytes& body, const Bytes& next) {
    WasmBuilder b;
    const uint32_t type = b.Type("", "");
    b.RawBody(type, body);
    if (!next.empty()) b.RawBody(type, next);
    return Words(Check(b.Build()));
  };
  EXPECT_EQ(check({0, 0x0b}, {0, 0x0b}), "");
  EXPECT_TRUE(absl::StartsWith(check({0, 0x0b, 0x01}, {}), "section size mismatch"));
  EXPECT_TRUE(absl::StartsWith(check({0, 0x0b, 0x0b}, {}), "section size mismatch"));
  EXPECT_TRUE(absl::StartsWith(check({0, 0x01}, {}), "unexpected end"));
  EXPECT_TRUE(absl::StartsWith(check({0, 0x01}, {0, 0x0b}), "END opcode expected"));
  EXPECT_TRUE(absl::StartsWith(check({0, 0x02, 0x40, 0x0b}, {0, 0x0b}), "END opcode expected"));
  EXPECT_TRUE(absl::StartsWith(check({0, 0x41}, {0, 0x0b}), "unexpected end"));
  EXPECT_TRUE(absl::StartsWith(check({}, {0, 0x0b}), "unexpected end"));
}

TEST(Body, Branches) {
  const Bytes one = Code(Op::kI32Const, 1);
  ExpectValid("i", Code(Op::kBlock, 'i', one, Op::kBr, 0, Op::kEnd));
  ExpectValid("i", Code(one, Op::kBr, 0));  // the function's own label
  ExpectValid("i", Code(Op::kBlock, 'i', one, one, Op::kBrIf, 0, Op::kEnd));
  ExpectInvalid("unknown label 1", "", Code(Op::kBr, 1));
  ExpectInvalid("unknown label 2", "", Code(Op::kBlock, '_', one, Op::kBrIf, 2, Op::kEnd));
  ExpectInvalid("type mismatch: expected i32, found nothing", "i",
                Code(Op::kBlock, 'i', Op::kBr, 0, Op::kEnd));
  ExpectInvalid("type mismatch: expected i32, found nothing", "i",
                Code(Op::kBlock, 'i', one, Op::kBrIf, 0, Op::kEnd));
  // A loop's label takes its parameters, not its results.
  ExpectValid("i", Code(Op::kLoop, 'i', Op::kBr, 0, Op::kEnd));
  ExpectValid("i", Code(one, Op::kLoop, 1, Op::kBr, 0, Op::kEnd));
  ExpectInvalid("type mismatch: expected i32, found nothing", "i",
                Code(one, Op::kLoop, 1, Op::kDrop, Op::kBr, 0, Op::kEnd));
}

TEST(Body, BrTable) {
  const Bytes one = Code(Op::kI32Const, 1);
  const auto table = [](std::vector<uint8_t> depths) {
    return Concat({Code(Op::kBrTable), {static_cast<uint8_t>(depths.size() - 1)}, depths});
  };
  ExpectValid("", Code(Op::kBlock, '_', one, table({0, 1, 0}), Op::kEnd));
  ExpectValid("", Code(one, table({0})));
  ExpectValid("i", Code(Op::kBlock, 'i', one, one, table({0, 1, 0}), Op::kEnd));
  ExpectInvalid("unknown label 2", "", Code(Op::kBlock, '_', one, table({2, 0}), Op::kEnd));
  ExpectInvalid("unknown label 2", "", Code(Op::kBlock, '_', one, table({0, 2}), Op::kEnd));
  ExpectInvalid("type mismatch: br_table to labels that take 1 and 0 values", "i",
                Code(Op::kBlock, '_', one, one, table({0, 1}), Op::kEnd, one));
  ExpectInvalid("type mismatch: expected i64, found i32", "i",
                Code(Op::kBlock, 'I', one, one, table({0, 1}), Op::kEnd, Op::kDrop, one));
  ExpectInvalid("type mismatch: expected i32, found nothing", "", Code(table({0})));
  // Labels of unlike types are fine if no value has to be both.
  ExpectValid("i",
              Code(Op::kBlock, 'I', Op::kUnreachable, table({0, 1}), Op::kEnd, Op::kDrop, one));
  ExpectInvalid("type mismatch: br_table", "i",
                Code(Op::kBlock, '_', Op::kUnreachable, table({0, 1}), Op::kEnd, one));
}

TEST(Body, UnreachableCodeIsStillChecked) {
  ExpectValid("i", Code(Op::kUnreachable));
  ExpectValid("i", Code(Op::kUnreachable, Op::kI32Add));
  ExpectValid("i", Code(Op::kUnreachable, Op::kI32Const, 1, Op::kI32Add));
  ExpectInvalid("type mismatch: expected i32, found i64", "i",
                Code(Op::kUnreachable, Op::kI64Const, 1, Op::kI32Add));
  ExpectInvalid("type mismatch: 1 more values", "", Code(Op::kUnreachable, Op::kI32Const, 1));
  ExpectInvalid("unknown local 9", "", Code(Op::kUnreachable, Op::kLocalGet, 9, Op::kDrop));
  // A block inside has a stack of its own, which is not polymorphic.
  ExpectInvalid("type mismatch: expected i32, found nothing", "",
                Code(Op::kUnreachable, Op::kBlock, 'i', Op::kEnd, Op::kDrop));
  ExpectValid("", Code(Op::kUnreachable, Op::kBlock, 1, Op::kEnd, Op::kDrop));
  // What br_if leaves has its label's types.
  ExpectInvalid("type mismatch: expected i64, found i32", "i",
                Code(Op::kUnreachable, Op::kBrIf, 0, Op::kI64Eqz));
  // After `end` and in the else-part the code is checked as before.
  ExpectInvalid("type mismatch: expected i32, found nothing", "",
                Code(Op::kBlock, '_', Op::kUnreachable, Op::kEnd, Op::kI32Eqz, Op::kDrop));
  ExpectInvalid("type mismatch: expected i32, found nothing", "",
                Code(Op::kI32Const, 1, Op::kIf, '_', Op::kUnreachable, Op::kElse, Op::kI32Eqz,
                     Op::kDrop, Op::kEnd));
}

TEST(Body, Return) {
  ExpectValid("i", Code(Op::kF32Const, Bytes(4), Op::kI32Const, 1, Op::kReturn));
  ExpectInvalid("type mismatch: expected i32, found nothing", "i", Code(Op::kReturn));
  ExpectInvalid("type mismatch: expected i32, found nothing", "i",
                Code(Op::kI32Const, 1, Op::kBlock, '_', Op::kReturn, Op::kEnd));
}

// ---- Calls ----

TEST(Body, Call) {
  ExpectValid("i", Code(Op::kI32Const, 1, Op::kCall, 0));
  ExpectValid("iI", Code(Op::kCall, 1));
  ExpectInvalid("unknown function 4", "", Code(Op::kCall, 4));
  ExpectInvalid("type mismatch: expected i32, found nothing", "i", Code(Op::kCall, 0));
  ExpectInvalid("type mismatch: expected i32, found i64", "i", Code(Op::kCall, 1));
}

TEST(Body, CallIndirect) {
  const Bytes index = Code(Op::kI32Const, 1);
  ExpectValid("i", Code(index, index, Op::kCallIndirect, 1, 0));
  ExpectValid("iI", Code(index, Op::kCallIndirect, 2, 2));
  ExpectInvalid("unknown type 63", "", Code(index, Op::kCallIndirect, 63, 0));
  ExpectInvalid("unknown table 3", "", Code(index, Op::kCallIndirect, 0, 3));
  ExpectInvalid("type mismatch: call_indirect in a table of externref", "",
                Code(index, Op::kCallIndirect, 0, 1));
  ExpectInvalid("type mismatch: expected i32, found i64", "",
                Code(Op::kI64Const, 1, Op::kCallIndirect, 0, 0));
  ExpectInvalid("type mismatch: expected i32, found nothing", "i",
                Code(index, Op::kCallIndirect, 1, 0));
}

// ---- Memory ----

TEST(Body, LoadsAndStores) {
  const Bytes address = Code(Op::kI32Const, 1);
  ExpectValid("I", Code(address, Op::kI64Load, 3, 8));
  ExpectValid("", Code(address, Op::kLocalGet, 3, Op::kF64Store, 0, 0));
  ExpectValid("i", Code(address, Op::kI32Load8S, 0, Bytes{0xff, 0xff, 0xff, 0xff, 0x0f}));
  ExpectInvalid("offset out of range", "i",
                Code(address, Op::kI32Load8S, 0, Bytes{0x80, 0x80, 0x80, 0x80, 0x10}));
  ExpectInvalid("alignment must not be larger than natural", "i",
                Code(address, Op::kI32Load8S, 1, 0));
  ExpectInvalid("alignment must not be larger than natural", "i",
                Code(address, Op::kI32Load16U, 2, 0));
  ExpectInvalid("alignment must not be larger than natural", "i",
                Code(address, Op::kI32Load, 3, 0));
  ExpectInvalid("alignment must not be larger than natural", "I",
                Code(address, Op::kI64Load, 4, 0));
  ExpectInvalid("malformed memop flags", "i", Code(address, Op::kI32Load, Bytes{0x80, 0x01, 0}));
  ExpectInvalid("type mismatch: expected i32, found i64", "i",
                Code(Op::kI64Const, 1, Op::kI32Load, 0, 0));
  ExpectInvalid("type mismatch: expected f64, found i32", "",
                Code(address, address, Op::kF64Store, 0, 0));
}

TEST(Body, WithoutAMemory) {
  const Bytes n = Code(Op::kI32Const, 1);
  const std::vector<Bytes> codes = {
      Code(n, Op::kI32Load, 0, 0, Op::kDrop), Code(n, n, Op::kI32Store, 0, 0),
      Code(Op::kMemorySize, 0, Op::kDrop),    Code(n, Op::kMemoryGrow, 0, Op::kDrop),
      Code(n, n, n, Op::kMemoryCopy, 0, 0),   Code(n, n, n, Op::kMemoryFill, 0),
      Code(n, n, n, Op::kMemoryInit, 0, 0)};
  for (const Bytes& code : codes) {
    WasmBuilder b;
    b.DataCount(1);
    b.Data({1, 0});
    b.Function(b.Type("", ""), "", code);
    EXPECT_EQ(Words(Check(b.Build())), "unknown memory 0");
    b.Memory(1);
    EXPECT_TRUE(Check(b.Build()).ok()) << Check(b.Build());
  }
}

TEST(Body, BulkMemory) {
  const Bytes n = Code(Op::kI32Const, 1);
  const Bytes wide = Code(Op::kI64Const, 1);
  ExpectValid("", Code(n, n, n, Op::kMemoryInit, 0, 0, Op::kDataDrop, 0));
  ExpectInvalid("unknown data segment 1", "", Code(n, n, n, Op::kMemoryInit, 1, 0));
  ExpectInvalid("unknown memory 1", "", Code(n, n, n, Op::kMemoryInit, 0, 1));
  ExpectInvalid("unknown data segment 1", "", Code(Op::kDataDrop, 1));
  ExpectInvalid("unknown memory 1", "", Code(n, n, n, Op::kMemoryCopy, 1, 0));
  ExpectInvalid("unknown memory 1", "", Code(n, n, n, Op::kMemoryCopy, 0, 1));
  for (Op op : {Op::kMemoryCopy, Op::kMemoryInit}) {
    ExpectValid("", Code(n, n, n, op, 0, 0));
    ExpectInvalid("type mismatch: expected i32, found i64", "", Code(wide, n, n, op, 0, 0));
    ExpectInvalid("type mismatch: expected i32, found i64", "", Code(n, wide, n, op, 0, 0));
    ExpectInvalid("type mismatch: expected i32, found i64", "", Code(n, n, wide, op, 0, 0));
  }
  ExpectInvalid("type mismatch: expected i32, found nothing", "", Code(n, n, Op::kMemoryFill, 0));
}

TEST(Body, DataSegmentsNeedTheDataCount) {
  for (const Bytes& code :
       {Code(Op::kI32Const, 0, Op::kI32Const, 0, Op::kI32Const, 0, Op::kMemoryInit, 0, 0),
        Code(Op::kDataDrop, 0)}) {
    WasmBuilder b;
    b.Memory(1);
    b.Data({1, 0});
    b.Function(b.Type("", ""), "", code);
    EXPECT_EQ(Words(Check(b.Build())), "data count section required");
    b.DataCount(1);
    EXPECT_TRUE(Check(b.Build()).ok());
  }
}

// ---- Tables and references ----

TEST(Body, TableInstructions) {
  const Bytes n = Code(Op::kI32Const, 1);
  const Bytes ref = Code(Op::kLocalGet, 4);
  const Bytes other = Code(Op::kLocalGet, 5);
  ExpectValid("r", Code(n, Op::kTableGet, 0));
  ExpectValid("e", Code(n, Op::kTableGet, 1));
  ExpectValid("", Code(n, other, Op::kTableSet, 1));
  ExpectValid("i", Code(ref, n, Op::kTableGrow, 0));
  ExpectValid("i", Code(Op::kTableSize, 1));
  ExpectValid("", Code(n, ref, n, Op::kTableFill, 0));
  ExpectValid("", Code(n, n, n, Op::kTableCopy, 2, 0));
  ExpectValid("", Code(n, n, n, Op::kTableInit, 1, 1, Op::kElemDrop, 0));
  ExpectInvalid("type mismatch: expected funcref, found externref", "",
                Code(n, other, Op::kTableSet, 0));
  ExpectInvalid("type mismatch: expected funcref, found externref", "i",
                Code(other, n, Op::kTableGrow, 0));
  ExpectInvalid("type mismatch: expected externref, found funcref", "",
                Code(n, ref, n, Op::kTableFill, 1));
  ExpectInvalid("type mismatch: elements of type externref for a table of funcref", "",
                Code(n, n, n, Op::kTableCopy, 0, 1));
  ExpectInvalid("type mismatch: elements of type funcref for a table of externref", "",
                Code(n, n, n, Op::kTableInit, 0, 1));
  ExpectInvalid("unknown elem segment 2", "", Code(n, n, n, Op::kTableInit, 2, 0));
  ExpectInvalid("unknown elem segment 2", "", Code(Op::kElemDrop, 2));
  for (Op op : {Op::kTableGet, Op::kTableSet, Op::kTableGrow, Op::kTableSize, Op::kTableFill}) {
    ExpectInvalid("unknown table 3", "", Code(op, 3));
  }
  ExpectInvalid("unknown table 3", "", Code(n, n, n, Op::kTableCopy, 3, 0));
  ExpectInvalid("unknown table 3", "", Code(n, n, n, Op::kTableCopy, 0, 3));
  ExpectInvalid("unknown table 3", "", Code(n, n, n, Op::kTableInit, 0, 3));
}

TEST(Body, References) {
  ExpectValid("r", Code(Op::kRefNull, 'r'));
  ExpectValid("e", Code(Op::kRefNull, 'e'));
  ExpectValid("i", Code(Op::kLocalGet, 5, Op::kRefIsNull));
  ExpectValid("i", Code(Op::kUnreachable, Op::kRefIsNull));
  ExpectValid("r", Code(Op::kRefFunc, 1));
  ExpectInvalid("malformed heap type", "", Code(Op::kRefNull, 'i', Op::kDrop));
  ExpectInvalid("type mismatch: expected a reference, found i32", "i",
                Code(Op::kLocalGet, 0, Op::kRefIsNull));
  ExpectInvalid("undeclared function reference 2", "r", Code(Op::kRefFunc, 2));
  ExpectInvalid("unknown function 4", "r", Code(Op::kRefFunc, 4));
}

// ---- The module around the bodies ----

void ExpectModule(const std::string& words, const WasmBuilder& b) {
  const absl::Status status = Check(b.Build());
  EXPECT_TRUE(words.empty() ? status.ok() : absl::StartsWith(Words(status), words)) << words << "\n"
                                                                                    << status;
}

TEST(Module, TypesOfFunctions) {
  for (uint32_t type : {0u, 1u}) {
    const std::string words = type == 0 ? "" : "unknown type 1";
    WasmBuilder imported;
    imported.Type("", "");
    imported.ImportFunction(type);
    ExpectModule(words, imported);
    WasmBuilder defined;
    defined.Type("", "");
    defined.Function(type, "", {});
    ExpectModule(words, defined);
  }
}

TEST(Module, LimitsOfMemoriesAndTables) {
  const auto memory = [](const Bytes& limits) {
    WasmBuilder b;
    b.Section(5, Concat({{1}, limits}));
    return Words(Check(b.Build()));
  };
  EXPECT_EQ(memory({0, 0x80, 0x80, 4}), "");  // 65536
  EXPECT_EQ(memory({1, 1, 1}), "");
  EXPECT_EQ(memory({0, 0x81, 0x80, 4}), "memory size must be at most 65536 pages (4GiB)");
  EXPECT_EQ(memory({1, 0, 0x81, 0x80, 4}), "memory size must be at most 65536 pages (4GiB)");
  EXPECT_EQ(memory({1, 2, 1}), "size minimum must not be greater than maximum: 2, 1");
  const auto table = [](const Bytes& limits) {
    WasmBuilder b;
    b.Section(4, Concat({{1, 0x70}, limits}));
    return Words(Check(b.Build()));
  };
  EXPECT_EQ(table({0, 0xff, 0xff, 0xff, 0xff, 0x0f}), "");
  EXPECT_EQ(table({0, 0x80, 0x80, 0x80, 0x80, 0x10}), "table size must be at most 2^32-1");
  EXPECT_EQ(table({1, 2, 1}), "size minimum must not be greater than maximum: 2, 1");
}

TEST(Module, SeveralMemories) {
  WasmBuilder b;
  b.Memory(1);
  b.Memory(1);
  ExpectModule("", b);
}

TEST(Module, ConstantExpressions) {
  const auto global = [](char type, const Bytes& init) {
    WasmBuilder b;
    b.ImportGlobal('i', false);
    b.ImportGlobal('i', true);
    b.Function(b.Type("", ""), "", {});
    b.Global('i', false, Code(Op::kI32Const, 1));
    b.Global(type, false, init);
    return Words(Check(b.Build()));
  };
  EXPECT_EQ(global('i', Code(Op::kI32Const, 1)), "");
  EXPECT_EQ(global('f', Code(Op::kF32Const, Bytes(4))), "");
  EXPECT_EQ(global('F', Code(Op::kF64Const, Bytes(8))), "");
  EXPECT_EQ(global('i', Code(Op::kGlobalGet, 0)), "");  // imported
  EXPECT_EQ(global('i', Code(Op::kGlobalGet, 2)), "");  // defined before
  EXPECT_EQ(global('r', Code(Op::kRefFunc, 0)), "");
  EXPECT_EQ(global('r', Code(Op::kRefNull, 'r')), "");
  EXPECT_EQ(global('I', Code(Op::kI64Const, 2, Op::kI64Const, 3, Op::kI64Mul, Op::kI64Const, 1,
                             Op::kI64Sub, Op::kI64Const, 1, Op::kI64Add)),
            "");
  EXPECT_EQ(global('i', Code(Op::kGlobalGet, 0, Op::kI32Const, 1, Op::kI32Add)), "");
  EXPECT_EQ(global('i', {}), "type mismatch: expected i32, found nothing");
  EXPECT_EQ(global('i', Code(Op::kI64Const, 1)), "type mismatch: expected i32, found i64");
  EXPECT_EQ(global('i', Code(Op::kI32Const, 1, Op::kI32Const, 1)),
            "type mismatch: expected one value, found 2");
  EXPECT_EQ(global('i', Code(Op::kI32Const, 1, Op::kI32Add)),
            "type mismatch: expected i32, found nothing");
  EXPECT_EQ(global('i', Code(Op::kI32Const, 1, Op::kI64Const, 1, Op::kI32Add)),
            "type mismatch: expected i32, found i64");
  EXPECT_EQ(global('r', Code(Op::kRefNull, 'e')),
            "type mismatch: expected funcref, found externref");
  EXPECT_EQ(global('r', Code(Op::kRefFunc, 1)), "unknown function 1");
  EXPECT_EQ(global('i', Code(Op::kGlobalGet, 3)), "unknown global 3");  // itself
  EXPECT_TRUE(
      absl::StartsWith(global('i', Code(Op::kGlobalGet, 1)), "constant expression required"));
  EXPECT_TRUE(absl::StartsWith(global('i', Code(Op::kNop, Op::kI32Const, 1)),
                               "constant expression required"));
  EXPECT_TRUE(absl::StartsWith(global('i', Code(Op::kI32Const, 1, Op::kI32Eqz)),
                               "constant expression required"));
}

TEST(Module, Exports) {
  for (uint8_t kind : {0, 1, 2, 3}) {
    WasmBuilder b;
    b.Function(b.Type("", ""), "", {});
    b.Table('r', 1);
    b.Memory(1);
    b.Global('i', false, Code(Op::kI32Const, 1));
    b.Export("a", kind, 0);
    b.Export("", kind, 0);
    ExpectModule("", b);
    WasmBuilder missing = b;
    missing.Export("b", kind, 1);
    const std::vector<std::string> words = {"unknown function 1", "unknown table 1",
                                            "unknown memory 1", "unknown global 1"};
    ExpectModule(words[kind], missing);
    b.Export("a", 0, 0);
    ExpectModule("duplicate export name \"a\"", b);
  }
}

TEST(Module, Start) {
  WasmBuilder b;
  b.Function(b.Type("", ""), "", {});
  b.Function(b.Type("i", ""), "", {});
  b.Function(b.Type("", "i"), "", Code(Op::kI32Const, 1));
  b.Start(0);
  ExpectModule("", b);
  b.Start(1);
  ExpectModule("start function must have type [] -> [], not [i32] -> []", b);
  b.Start(2);
  ExpectModule("start function", b);
  b.Start(3);
  ExpectModule("unknown function 3", b);
}

TEST(Module, ElementSegments) {
  const auto check = [](const Bytes& segment) {
    WasmBuilder b = Environment();
    b.Element(segment);
    return Words(Check(b.Build()));
  };
  const Bytes zero = Code(Op::kI32Const, 0, Op::kEnd);
  const Bytes null = Code(Op::kRefNull, 'r', Op::kEnd);
  const Bytes func = Code(Op::kRefFunc, 1, Op::kEnd);
  // The eight forms.
  EXPECT_EQ(check(Concat({{0}, zero, {1, 0}})), "");
  EXPECT_EQ(check({1, 0, 1, 0}), "");
  EXPECT_EQ(check(Concat({{2, 2}, zero, {0, 1, 0}})), "");
  EXPECT_EQ(check({3, 0, 1, 0}), "");
  EXPECT_EQ(check(Concat({{4}, zero, {2}, null, func})), "");
  EXPECT_EQ(check(Concat({{5, 0x70, 1}, func})), "");
  EXPECT_EQ(check(Concat({{6, 2}, zero, {0x70, 1}, func})), "");
  EXPECT_EQ(check(Concat({{7, 0x70, 1}, func})), "");
  EXPECT_EQ(check({1, 0, 1, 3}), "unknown function 3");
  EXPECT_EQ(check(Concat({{2, 3}, zero, {0, 0}})), "unknown table 3");
  EXPECT_EQ(check(Concat({{2, 1}, zero, {0, 0}})),
            "type mismatch: elements of type funcref for a table of externref");
  EXPECT_EQ(check(Concat({{0}, Code(Op::kI64Const, 0, Op::kEnd), {0}})),
            "type mismatch: expected i32, found i64");
  EXPECT_EQ(check(Concat({{5, 0x6f, 1}, null})),
            "type mismatch: expected externref, found funcref");
  WasmBuilder without;
  without.Element(Concat({{0}, zero, {0}}));
  ExpectModule("unknown table 0", without);
}

TEST(Module, DataSegments) {
  const auto check = [](const Bytes& segment, bool memory) {
    WasmBuilder b;
    if (memory) b.Memory(1);
    b.Data(segment);
    return Words(Check(b.Build()));
  };
  const Bytes zero = Code(Op::kI32Const, 0, Op::kEnd);
  EXPECT_EQ(check(Concat({{0}, zero, {1, 'x'}}), true), "");
  EXPECT_EQ(check(Concat({{2, 0}, zero, {1, 'x'}}), true), "");
  EXPECT_EQ(check({1, 1, 'x'}, false), "");
  EXPECT_EQ(check(Concat({{0}, zero, {0}}), false), "unknown memory 0");
  EXPECT_EQ(check(Concat({{2, 1}, zero, {0}}), true), "unknown memory 1");
  EXPECT_EQ(check(Concat({{0}, Code(Op::kI64Const, 0, Op::kEnd), {0}}), true),
            "type mismatch: expected i32, found i64");
}

// ---- What the sink is told ----

// Writes down the control events, and the constants by their value.
class Recorder : public NullSink {
 public:
  void Begin(uint32_t, const FuncType&, absl::Span<const ValType> locals) override {
    events.clear();
    Add("begin", locals.size());
  }
  void Finish(bool reachable) override { Add("finish", reachable); }
  void Unreachable() override { Add("unreachable"); }
  void Block(const BlockType& type) override { Add("block", type.results.size()); }
  void Loop(const BlockType& type) override { Add("loop", type.params.size()); }
  void If(const BlockType&) override { Add("if"); }
  void Else(bool reachable) override { Add("else", reachable); }
  void End(bool reachable) override { Add("end", reachable); }
  void Br(uint32_t depth) override { Add("br", depth); }
  void BrIf(uint32_t depth) override { Add("br_if", depth); }
  void BrTable(absl::Span<const uint32_t> depths, uint32_t fallback) override {
    events.push_back(absl::StrCat("br_table ", absl::StrJoin(depths, ","), "|", fallback));
  }
  void Return() override { Add("return"); }
  void Call(uint32_t function) override { Add("call", function); }
  void Drop() override { Add("drop"); }
  void Const(ValType, uint64_t bits) override { Add("const", bits); }
  void Select(ValType type) override { events.push_back(absl::StrCat("select ", Name(type))); }

  std::string Text() const { return absl::StrJoin(events, "; "); }

  std::vector<std::string> events;

 private:
  void Add(const char* what) { events.push_back(what); }
  void Add(const char* what, uint64_t detail) { events.push_back(absl::StrCat(what, " ", detail)); }
};

std::string Events(absl::string_view results, const Bytes& code) {
  Recorder recorder;
  const absl::Status status = CheckBody(results, code, &recorder);
  return status.ok() ? recorder.Text() : status.ToString();
}

TEST(Events, StraightCode) {
  EXPECT_EQ(Events("i", Code(Op::kI32Const, 1, Op::kCall, 0)),
            "begin 6; const 1; call 0; finish 1");
  EXPECT_EQ(Events("", {}), "begin 6; finish 1");
  EXPECT_EQ(Events("", Code(Op::kNop)), "begin 6; finish 1");
}

TEST(Events, NothingAfterAnUnconditionalBranch) {
  const Bytes dead = Code(Op::kI32Const, 7, Op::kDrop, Op::kBlock, '_', Op::kI32Const, 8, Op::kIf,
                          '_', Op::kElse, Op::kEnd, Op::kUnreachable, Op::kEnd, Op::kReturn);
  EXPECT_EQ(Events("", Code(Op::kUnreachable, dead)), "begin 6; unreachable; finish 0");
  EXPECT_EQ(Events("", Code(Op::kReturn, dead)), "begin 6; return; finish 0");
  EXPECT_EQ(Events("", Code(Op::kBr, 0, dead)), "begin 6; br 0; finish 0");
  EXPECT_EQ(Events("", Code(Op::kI32Const, 1, Op::kBrTable, 0, 0, dead)),
            "begin 6; const 1; br_table |0; finish 0");
}

TEST(Events, CodeAfterABlockIsReachableIfItsOpeningWas) {
  EXPECT_EQ(Events("", Code(Op::kBlock, '_', Op::kUnreachable, Op::kI32Const, 1, Op::kDrop,
                            Op::kEnd, Op::kI32Const, 2, Op::kDrop)),
            "begin 6; block 0; unreachable; end 0; const 2; drop; finish 1");
  EXPECT_EQ(Events("", Code(Op::kLoop, '_', Op::kBr, 0, Op::kEnd, Op::kI32Const, 2, Op::kDrop)),
            "begin 6; loop 0; br 0; end 0; const 2; drop; finish 1");
  // Nested: the inner block's end makes the rest of the outer one reachable.
  EXPECT_EQ(Events("", Code(Op::kBlock, '_', Op::kBlock, '_', Op::kBr, 1, Op::kEnd, Op::kI32Const,
                            2, Op::kDrop, Op::kEnd)),
            "begin 6; block 0; block 0; br 1; end 0; const 2; drop; end 1; finish 1");
  // A block opened in dead code changes nothing.
  EXPECT_EQ(
      Events("", Code(Op::kUnreachable, Op::kBlock, '_', Op::kEnd, Op::kI32Const, 2, Op::kDrop)),
      "begin 6; unreachable; finish 0");
}

TEST(Events, IfAndElse) {
  const Bytes one = Code(Op::kI32Const, 1);
  EXPECT_EQ(Events("", Code(one, Op::kIf, '_', Op::kEnd)), "begin 6; const 1; if; end 1; finish 1");
  EXPECT_EQ(Events("i", Code(one, Op::kIf, 'i', one, Op::kElse, Op::kUnreachable, Op::kEnd)),
            "begin 6; const 1; if; const 1; else 1; unreachable; end 0; finish 1");
  EXPECT_EQ(Events("i", Code(one, Op::kIf, 'i', Op::kUnreachable, Op::kElse, one, Op::kEnd)),
            "begin 6; const 1; if; unreachable; else 0; const 1; end 1; finish 1");
}

TEST(Events, ConditionalBranchesKeepGoing) {
  const Bytes one = Code(Op::kI32Const, 1);
  EXPECT_EQ(Events("", Code(one, Op::kBrIf, 0, one, Op::kDrop)),
            "begin 6; const 1; br_if 0; const 1; drop; finish 1");
  EXPECT_EQ(Events("i", Code(one, one, one, Op::kSelect)),
            "begin 6; const 1; const 1; const 1; select i32; finish 1");
}

TEST(Events, NoneForAnInvalidInstruction) {
  Recorder recorder;
  EXPECT_FALSE(
      CheckBody("", Code(Op::kI32Const, 1, Op::kI64Const, 1, Op::kCall, 0, Op::kDrop), &recorder)
          .ok());
  EXPECT_EQ(recorder.Text(), "begin 6; const 1; const 1");
  // Nor is a function finished that goes on after its end.
  WasmBuilder b;
  b.RawBody(b.Type("", ""), {0, 0x0b, 0x01});
  EXPECT_FALSE(Check(b.Build(), &recorder).ok());
  EXPECT_EQ(recorder.Text(), "begin 0");
}

TEST(Events, OffsetsAreThoseOfTheInstructions) {
  class Offsets : public NullSink {
   public:
    void At(uint32_t offset) override { offsets.push_back(offset); }
    std::vector<uint32_t> offsets;
  };
  WasmBuilder b;
  b.RawBody(b.Type("", ""), {0, 0x01, 0x41, 0x80, 0x01, 0x1a, 0x0b});
  const Bytes module = b.Build();
  Offsets sink;
  ASSERT_TRUE(Check(module, &sink).ok());
  std::vector<uint8_t> opcodes;
  for (uint32_t offset : sink.offsets) opcodes.push_back(module[offset]);
  EXPECT_EQ(opcodes, (std::vector<uint8_t>{0x41, 0x1a, 0x0b}));  // nop is not an event
}

}  // namespace
}  // namespace fermata::validate

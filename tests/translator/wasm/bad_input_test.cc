// Hostile and broken input: every outcome is a module or an error value with a position, in little
// time and memory. Run under AddressSanitizer and UndefinedBehaviorSanitizer this also shows that
// no byte outside of the module is read.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "tests/support/mutations.h"
#include "tests/support/wasm_builder.h"

namespace fermata {
namespace {

using testing_support::Bytes;
using testing_support::Check;
using testing_support::Code;
using testing_support::Concat;
using testing_support::Module;
using testing_support::Repeat;
using testing_support::Sized;
using testing_support::Unsigned;
using testing_support::WasmBuilder;
using testing_support::Words;
using Op = wasm::Opcode;

// Small, but with every section and every kind of immediate.
Bytes SmallModule() {
  WasmBuilder b;
  const uint32_t none = b.Type("", "");
  const uint32_t unary = b.Type("i", "i");
  b.ImportFunction(unary);
  b.ImportGlobal('I', false);
  const Bytes n = Code(Op::kI32Const, 1);
  b.Function(
      none, "iIfFre",
      Code(Op::kBlock, 'i', Op::kLoop, '_', n, Op::kBrIf, 0, Op::kEnd, n, n, Op::kBrTable, 1, 0, 0,
           Op::kEnd, Op::kIf, '_', Op::kReturn, Op::kElse, Op::kUnreachable, Op::kEnd));
  b.Function(unary, "e",
             Code(Op::kLocalGet, 0, Op::kCall, 0, Op::kLocalGet, 0, Op::kCallIndirect, 1, 0,
                  Op::kLocalTee, 0, Op::kI32Load, 2, 4, Op::kGlobalGet, 1, n, Op::kSelect));
  b.Function(none, "",
             Code(n, Op::kF64Const, Bytes(8), Op::kF64Store, 3, 0, Op::kF32Const, Bytes(4),
                  Op::kI32TruncSatF32S, Op::kMemoryGrow, 0, Op::kDrop, n, n, n, Op::kMemoryInit, 0,
                  0, Op::kDataDrop, 0, n, n, n, Op::kTableCopy, 0, 0, n, n, n, Op::kTableInit, 1, 0,
                  Op::kElemDrop, 0, Op::kRefFunc, 1, Op::kRefIsNull, Op::kGlobalSet, 1,
                  Op::kRefNull, 'e', Op::kRefNull, 'e', n, Op::kSelectT, 1, 'e', Op::kDrop));
  b.Table('r', 3);
  b.Memory(1);
  b.Global('i', true, Code(Op::kI32Const, 7, Op::kI32Const, 8, Op::kI32Add));
  b.Export("run", 0, 1);
  b.Start(1);
  b.Element(Concat({{0}, Code(Op::kI32Const, 0, Op::kEnd), {2, 0, 1}}));
  b.Element(Concat({{5, 0x70, 1}, Code(Op::kRefFunc, 2, Op::kEnd)}));
  b.DataCount(2);
  b.Data({1, 2, 'a', 'b'});
  b.Data(Concat({{0}, Code(Op::kI32Const, 0, Op::kEnd), {1, 'x'}}));
  b.Custom("name", {0, 2, 1, 'm', 1, 4, 1, 0, 1, 'f'});
  return b.Build();
}

// Checks bytes in a heap block of just that size, so that a sanitizer sees any byte read beyond.
absl::Status CheckExact(const Bytes& bytes) {
  const std::unique_ptr<Bytes> copy = std::make_unique<Bytes>(bytes.begin(), bytes.end());
  copy->shrink_to_fit();
  return Check(*copy);
}

void ExpectCleanError(const absl::Status& status) {
  EXPECT_TRUE(status.code() == absl::StatusCode::kInvalidArgument ||
              status.code() == absl::StatusCode::kUnimplemented)
      << status;
  EXPECT_TRUE(absl::StartsWith(status.message(), "m.wasm: 0x")) << status;
  EXPECT_FALSE(Words(status).empty()) << status;
}

TEST(BadInput, TheModuleIsGoodBeforeItIsBroken) {
  EXPECT_TRUE(Check(SmallModule()).ok()) << Check(SmallModule());
}

TEST(BadInput, TruncationAtEveryByte) {
  const Bytes module = SmallModule();
  int whole = 0;
  testing_support::ForEachTruncation(module, [&](const Bytes& begin) {
    const absl::Status status = CheckExact(begin);
    if (status.ok()) {
      ++whole;
    } else {
      ExpectCleanError(status);
    }
  });
  // Whole are the empty module, one that ends before the custom section, and those that end after a
  // section that nothing else depends on.
  EXPECT_GE(whole, 2);
  EXPECT_LE(whole, 6);
}

TEST(BadInput, EverySingleBitFlip) {
  const Bytes module = SmallModule();
  int refused = 0;
  testing_support::ForEachBitFlip(module, [&](const Bytes& flipped) {
    const absl::Status status = CheckExact(flipped);
    if (status.ok()) return;
    ++refused;
    ExpectCleanError(status);
  });
  EXPECT_GT(refused, static_cast<int>(module.size()) * 8 / 2);
}

TEST(BadInput, EveryByteReplaced) {
  const Bytes module = SmallModule();
  for (size_t i = 0; i < module.size(); ++i) {
    for (int value : {0x00, 0x0b, 0x40, 0x7f, 0x80, 0xfc, 0xff}) {
      Bytes changed = module;
      changed[i] = value;
      const absl::Status status = CheckExact(changed);
      if (!status.ok()) ExpectCleanError(status);
    }
  }
}

TEST(BadInput, OversizedCounts) {
  const Bytes huge = {0xff, 0xff, 0xff, 0xff, 0x0f};
  for (uint8_t id : {1, 2, 3, 4, 5, 6, 7, 9, 10, 11}) {
    const absl::Status status = CheckExact(Module({{id, huge}}));
    ExpectCleanError(status);
    EXPECT_TRUE(absl::StartsWith(Words(status), "unexpected end")) << status;
  }
  ExpectCleanError(CheckExact(Module({{12, huge}})));
  ExpectCleanError(CheckExact(Module({{0, huge}})));
  // Within a type, an import, a segment, a body.
  ExpectCleanError(CheckExact(Module({{1, Concat({{1, 0x60}, huge})}})));
  ExpectCleanError(CheckExact(Module({{1, Concat({{1, 0x60, 0}, huge})}})));
  ExpectCleanError(CheckExact(Module({{2, Concat({{1}, huge})}})));
  ExpectCleanError(CheckExact(Module({{9, Concat({{1, 1, 0}, huge})}})));
  ExpectCleanError(CheckExact(Module({{9, Concat({{1, 5, 0x70}, huge})}})));
  ExpectCleanError(CheckExact(Module({{11, Concat({{1, 1}, huge})}})));
  for (const Bytes& body : {huge, Concat({{1}, huge, {0x7f}}), Concat({{0, 0x41, 0, 0x0e}, huge}),
                            Concat({{0, 0x41, 0, 0x1c}, huge})}) {
    WasmBuilder b;
    b.RawBody(b.Type("", ""), body);
    ExpectCleanError(CheckExact(b.Build()));
  }
}

TEST(BadInput, SizesBeyondTheFile) {
  const Bytes huge = {0xff, 0xff, 0xff, 0xff, 0x0f};
  for (uint8_t id = 0; id <= 13; ++id) {
    const absl::Status status = CheckExact(Concat({Module({}), {id}, huge, {0, 0, 0}}));
    ExpectCleanError(status);
    EXPECT_EQ(Words(status), "length out of bounds");
  }
}

// ---- Depth and size ----

absl::Status CheckCode(const Bytes& code) {
  WasmBuilder b;
  b.Function(b.Type("", ""), "", code);
  return Check(b.Build());
}

TEST(BadInput, DeepNesting) {
  for (Op op : {Op::kBlock, Op::kLoop}) {
    const auto nested = [&](size_t depth) {
      return Concat({Repeat(Code(op, '_'), depth), Repeat(Code(Op::kEnd), depth)});
    };
    EXPECT_TRUE(CheckCode(nested(100'000)).ok());
    const absl::Status status = CheckCode(nested(300'000));
    ExpectCleanError(status);
    EXPECT_EQ(Words(status), "blocks nested too deep (the limit is 200000)");
  }
  const Bytes one = Code(Op::kI32Const, 1);
  EXPECT_TRUE(CheckCode(Concat({Repeat(Code(one, Op::kIf, '_'), 100'000),
                                Repeat(Code(Op::kElse, Op::kEnd), 100'000)}))
                  .ok());
  // In unreachable code, and without their ends.
  EXPECT_TRUE(CheckCode(Concat({Code(Op::kUnreachable), Repeat(Code(Op::kBlock, '_'), 100'000),
                                Repeat(Code(Op::kEnd), 100'000)}))
                  .ok());
  ExpectCleanError(CheckCode(Repeat(Code(Op::kBlock, '_'), 100'000)));
}

TEST(BadInput, FunctionsOfAMegabyte) {
  const size_t count = 350'000;
  const Bytes one = Code(Op::kI32Const, 1);
  EXPECT_TRUE(CheckCode(Repeat(Code(one, Op::kDrop), count)).ok());
  // All values at once on the operand stack.
  EXPECT_TRUE(CheckCode(Concat({Repeat(one, count), Repeat(Code(Op::kDrop), count)})).ok());
  EXPECT_TRUE(
      CheckCode(Concat({Code(Op::kUnreachable), Repeat(Code(Op::kI32Add), count), Code(Op::kDrop)}))
          .ok());
  EXPECT_TRUE(CheckCode(Repeat(Code(Op::kBlock, '_', Op::kEnd), count)).ok());
  // One br_table of a million targets.
  EXPECT_TRUE(
      CheckCode(Concat({one, Code(Op::kBrTable), Unsigned(1'000'000), Bytes(1'000'001, 0)})).ok());
  EXPECT_EQ(
      Words(CheckCode(Concat({one, Code(Op::kBrTable), Unsigned(1'000'001), Bytes(1'000'002, 0)}))),
      "too many branch targets: 1000001 (the limit is 1000000)");
}

TEST(BadInput, OperandsAreBounded) {
  // Two bytes of code that push a thousand values, 500,000 times, would take four gigabytes.
  WasmBuilder b;
  const uint32_t many = b.Type("", std::string(1000, 'I'));
  const uint32_t none = b.Type("", "");
  b.ImportFunction(many);
  b.Function(none, "", Repeat(Code(Op::kCall, 0), 500'000));
  const absl::Status status = Check(b.Build());
  ExpectCleanError(status);
  EXPECT_EQ(Words(status), "operand stack too deep (the limit is 2000000)");
}

TEST(BadInput, LongNamesInMessages) {
  WasmBuilder b;
  b.Function(b.Type("", ""), "", Code(Op::kDrop));
  const Bytes name = Sized(Bytes(100'000, 'n'));
  b.Custom("name", Concat({{1}, Sized(Concat({{1, 0}, name}))}));
  const absl::Status status = Check(b.Build());
  ExpectCleanError(status);
  EXPECT_LT(status.message().size(), 300u);
}

TEST(BadInput, MemoryStaysBounded) {
  const auto peak_kilobytes = [] {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  };
  const long before = peak_kilobytes();
  // A million of each of the largest things, in a megabyte or two each.
  ExpectCleanError(Check(Module({{3, Concat({Unsigned(1'000'000), Bytes(1'000'000, 0)})}})));
  ExpectCleanError(
      Check(Module({{9, Concat({{1, 3, 0}, Unsigned(9'000'000), Bytes(9'000'000, 0)})}})));
  EXPECT_TRUE(
      Check(Module({{1, Concat({Unsigned(300'000), Repeat({0x60, 0, 0}, 300'000)})}})).ok());
  // A sanitizer keeps freed memory back; even so there is a bound.
  EXPECT_LT(peak_kilobytes() - before, 1024 * 1024);
}

}  // namespace
}  // namespace fermata

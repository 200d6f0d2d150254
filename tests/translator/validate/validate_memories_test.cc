// The rules of memories, tables and vectors as the proposals have them: addresses of 64 bits,
// several memories, atomic accesses, page sizes, lanes.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "tests/support/wasm_builder.h"
#include "translator/validate/sink.h"

namespace fermata::validate {
namespace {

using testing_support::Bytes;
using testing_support::Check;
using testing_support::Code;
using testing_support::WasmBuilder;
using testing_support::Words;
using Op = Opcode;

//   memories   0: 32 bit   1: 64 bit   2: shared   tables 0: funcref   1: funcref, 64 bit
std::string CheckBody(absl::string_view results, const Bytes& code) {
  WasmBuilder b;
  b.RawMemory({0, 1});
  b.RawMemory({4, 1});
  b.RawMemory({3, 1, 2});
  b.Table('r', 1);
  b.RawTable({0x70, 4, 1});
  b.Function(b.Type("", results), "V", code);
  return Words(Check(b.Build()));
}

const Bytes kNarrow = Code(Op::kI32Const, 0);
const Bytes kWide = Code(Op::kI64Const, 0);
const Bytes kVector = Code(Op::kLocalGet, 0);
const std::string kWants32 = "type mismatch: expected i32, found i64";
const std::string kWants64 = "type mismatch: expected i64, found i32";

void ExpectInvalid(const std::string& words, absl::string_view results, const Bytes& code) {
  const std::string found = CheckBody(results, code);
  EXPECT_TRUE(!found.empty() && absl::StartsWith(found, words)) << words << "\n" << found;
}

TEST(Memories, AddressesAndSizes) {
  const auto load = [](const Bytes& address, int memory) {
    return Code(address, Op::kI32Load, Bytes{0x42, static_cast<uint8_t>(memory), 0});
  };
  EXPECT_EQ(CheckBody("i", load(kNarrow, 0)), "");
  EXPECT_EQ(CheckBody("i", load(kWide, 1)), "");
  EXPECT_EQ(CheckBody("i", load(kNarrow, 2)), "");
  EXPECT_EQ(CheckBody("i", load(kWide, 0)), kWants32);
  EXPECT_EQ(CheckBody("i", load(kNarrow, 1)), kWants64);
  EXPECT_EQ(CheckBody("i", load(kNarrow, 3)), "unknown memory 3");
  EXPECT_EQ(CheckBody("I", Code(Op::kMemorySize, 1)), "");
  EXPECT_EQ(CheckBody("I", Code(kWide, Op::kMemoryGrow, 1)), "");
  EXPECT_EQ(CheckBody("I", Code(kNarrow, Op::kMemoryGrow, 1)), kWants64);
  EXPECT_EQ(CheckBody("", Code(kWide, kNarrow, kWide, Op::kMemoryFill, 1)), "");
  EXPECT_EQ(CheckBody("", Code(kWide, kNarrow, kNarrow, Op::kMemoryFill, 1)), kWants64);
}

TEST(Memories, MixedCopies) {
  // The length is 64 bits wide if both are.
  EXPECT_EQ(CheckBody("", Code(kWide, kWide, kWide, Op::kMemoryCopy, 1, 1)), "");
  EXPECT_EQ(CheckBody("", Code(kWide, kNarrow, kNarrow, Op::kMemoryCopy, 1, 0)), "");
  EXPECT_EQ(CheckBody("", Code(kNarrow, kWide, kNarrow, Op::kMemoryCopy, 0, 1)), "");
  EXPECT_EQ(CheckBody("", Code(kNarrow, kWide, kWide, Op::kMemoryCopy, 0, 1)), kWants32);
  EXPECT_EQ(CheckBody("", Code(kWide, kWide, kNarrow, Op::kMemoryCopy, 1, 1)), kWants64);
  EXPECT_EQ(CheckBody("", Code(kWide, kNarrow, kNarrow, Op::kTableCopy, 1, 0)), "");
  EXPECT_EQ(CheckBody("", Code(kNarrow, kWide, kNarrow, Op::kTableCopy, 1, 0)), kWants32);
}

TEST(Memories, Tables64) {
  EXPECT_EQ(CheckBody("r", Code(kWide, Op::kTableGet, 1)), "");
  EXPECT_EQ(CheckBody("r", Code(kNarrow, Op::kTableGet, 1)), kWants64);
  EXPECT_EQ(CheckBody("I", Code(Op::kTableSize, 1)), "");
  EXPECT_EQ(CheckBody("I", Code(Op::kRefNull, 'r', kWide, Op::kTableGrow, 1)), "");
  EXPECT_EQ(CheckBody("", Code(kWide, Op::kCallIndirect, 0, 1)), "");
  EXPECT_EQ(CheckBody("", Code(kNarrow, Op::kCallIndirect, 0, 1)), kWants64);
}

TEST(Memories, OffsetsBeyond32Bits) {
  const Bytes offset = {0x80, 0x80, 0x80, 0x80, 0x10};  // 2^32
  EXPECT_EQ(CheckBody("i", Code(kWide, Op::kI32Load, Bytes{0x42, 1}, offset)), "");
  EXPECT_EQ(CheckBody("i", Code(kNarrow, Op::kI32Load, 2, offset)), "offset out of range");
}

TEST(Memories, Limits) {
  const auto memory = [](const Bytes& limits) {
    WasmBuilder b;
    b.RawMemory(limits);
    return Words(Check(b.Build()));
  };
  EXPECT_EQ(memory({3, 1, 2}), "");
  EXPECT_EQ(memory({2, 1}), "shared memory must have maximum");
  EXPECT_EQ(memory({4, 0x81, 0x80, 4}), "");  // more than 65536 pages
  EXPECT_EQ(memory({4, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40}),
            "memory size must be at most 2^48 pages");
  EXPECT_EQ(memory({8, 1, 0}), "");
  EXPECT_EQ(memory({8, 1, 16}), "");
  EXPECT_EQ(memory({8, 0xff, 0xff, 0xff, 0xff, 0x0f, 0}), "");
  EXPECT_TRUE(absl::StartsWith(memory({8, 1, 1}), "invalid custom page size"));
  EXPECT_TRUE(absl::StartsWith(memory({8, 1, 0xc0, 0}), "invalid custom page size"));
  EXPECT_TRUE(absl::StartsWith(memory({16, 1}), "malformed limits flags"));
}

TEST(Atomics, AlignmentIsNatural) {
  for (uint8_t memory : {0, 2}) {  // shared or not
    EXPECT_EQ(CheckBody("i", Code(kNarrow, Op::kI32AtomicLoad, Bytes{0x42, memory, 0})), "");
  }
  EXPECT_EQ(CheckBody("i", Code(kNarrow, kNarrow, kWide, Op::kMemoryAtomicWait32, 2, 0)), "");
  EXPECT_EQ(CheckBody("i", Code(kNarrow, kNarrow, Op::kMemoryAtomicNotify, 2, 0)), "");
  EXPECT_EQ(CheckBody("I", Code(kNarrow, kWide, kWide, Op::kI64AtomicRmw8CmpxchgU, 0, 0)), "");
  for (int align : {0, 1, 3}) {
    ExpectInvalid("atomic alignment must be natural", "i",
                  Code(kNarrow, Op::kI32AtomicLoad, align, 0));
  }
  EXPECT_EQ(CheckBody("", Code(Op::kAtomicFence, 0)), "");
  EXPECT_EQ(CheckBody("", Code(Op::kAtomicFence, 1)), "zero byte expected");
}

TEST(Vectors, Lanes) {
  EXPECT_EQ(CheckBody("i", Code(kVector, Op::kI8x16ExtractLaneU, 15)), "");
  ExpectInvalid("invalid lane index 16", "i", Code(kVector, Op::kI8x16ExtractLaneU, 16));
  ExpectInvalid("invalid lane index 8", "i", Code(kVector, Op::kI16x8ExtractLaneS, 8));
  ExpectInvalid("invalid lane index 4", "f", Code(kVector, Op::kF32x4ExtractLane, 4));
  ExpectInvalid("invalid lane index 2", "V", Code(kVector, kWide, Op::kI64x2ReplaceLane, 2));
  EXPECT_EQ(CheckBody("V", Code(kVector, kWide, Op::kI64x2ReplaceLane, 1)), "");
  EXPECT_EQ(CheckBody("V", Code(kVector, kNarrow, Op::kI64x2ReplaceLane, 1)), kWants64);
  EXPECT_EQ(CheckBody("V", Code(kVector, kVector, Op::kI8x16Shuffle, Bytes(16, 31))), "");
  ExpectInvalid("invalid lane index 32", "V",
                Code(kVector, kVector, Op::kI8x16Shuffle, Bytes(16, 32)));
}

TEST(Vectors, MemoryAccesses) {
  EXPECT_EQ(CheckBody("V", Code(kNarrow, Op::kV128Load, 4, 0)), "");
  ExpectInvalid("alignment must not be larger than natural", "V",
                Code(kNarrow, Op::kV128Load, 5, 0));
  EXPECT_EQ(CheckBody("V", Code(kNarrow, Op::kV128Load8x8S, 3, 0)), "");
  ExpectInvalid("alignment must not be larger than natural", "V",
                Code(kNarrow, Op::kV128Load8x8S, 4, 0));
  EXPECT_EQ(CheckBody("V", Code(kNarrow, kVector, Op::kV128Load16Lane, 1, 0, 7)), "");
  ExpectInvalid("invalid lane index 8", "V", Code(kNarrow, kVector, Op::kV128Load16Lane, 1, 0, 8));
  EXPECT_EQ(CheckBody("", Code(kNarrow, kVector, Op::kV128Store64Lane, 3, 0, 1)), "");
  ExpectInvalid("alignment must not be larger than natural", "",
                Code(kNarrow, kVector, Op::kV128Store64Lane, 4, 0, 1));
}

TEST(Vectors, SelectTakesThem) {
  EXPECT_EQ(CheckBody("V", Code(kVector, kVector, kNarrow, Op::kSelect)), "");
}

TEST(WideArithmetic, TwoResults) {
  EXPECT_EQ(CheckBody("II", Code(kWide, kWide, kWide, kWide, Op::kI64Add128)), "");
  EXPECT_EQ(CheckBody("II", Code(kWide, kWide, Op::kI64MulWideU)), "");
  ExpectInvalid("type mismatch", "II", Code(kWide, kWide, kWide, Op::kI64Sub128));
  ExpectInvalid("type mismatch", "I", Code(kWide, kWide, Op::kI64MulWideS));
}

}  // namespace
}  // namespace fermata::validate

// Broken modules that use the proposals: whatever is changed in them, the outcome is an error with
// a position, or a module that can be translated. Nothing may crash; a sanitizer sees more.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "tests/support/files.h"
#include "tests/support/mutations.h"
#include "tests/support/wasm_builder.h"
#include "translator/module_analysis/call_graph.h"
#include "translator/pipeline.h"
#include "translator/validate/module_validator.h"
#include "translator/wasm/reader.h"

namespace fermata {
namespace {

using testing_support::Bytes;
using testing_support::Check;
using testing_support::Code;
using testing_support::Concat;
using testing_support::Repeat;
using testing_support::Signed;
using testing_support::Sized;
using testing_support::Unsigned;
using testing_support::WasmBuilder;
using testing_support::Words;
using Op = wasm::Opcode;

// Types, tables, memories, tags and globals of every kind.
//   types      0: [] -> []   1: [i32] -> [i32]   2: [i64 v128] -> []   3: [(ref null 1)] -> [i32]
//              4: [exnref] -> []   5, 6: a recursive group, (sub (func -> (ref null 5))) and (sub
//              5) 7: struct   8: array   9: [] -> [i32 exnref]
//   functions  0, 1: imported, types 1 and 2
//   memories   0: 32 bit   1: 64 bit, shared   2: of pages of one byte
//   tables     0: funcref   1: (ref 1), initialized   2: externref, 64 bit   tags 0: type 1's
//   params…
WasmBuilder Environment() {
  WasmBuilder b;
  b.Type("", "");
  b.Type("i", "i");
  b.Type("IV", "");
  b.RawType({0x60, 1, 0x63, 1, 1, 0x7f});
  b.Type("n", "");
  b.RawType({0x4e, 2, 0x50, 0, 0x60, 0, 1, 0x63, 5, 0x50, 1, 5, 0x60, 0, 1, 0x63, 6});
  b.RawType({0x5f, 2, 0x78, 1, 0x64, 7, 0});
  b.RawType({0x5e, 0x6d, 1});
  b.Type("", "in");
  b.Type("i", "");
  b.ImportFunction(1);
  b.ImportFunction(2);
  b.RawMemory({1, 1, 3});
  b.RawMemory({7, 1, 3});
  b.RawMemory({9, 0, 100, 0});
  b.Table('r', 4);
  b.RawTable({0x40, 0, 0x64, 1, 0, 2, 0xd2, 0, 0x0b});
  b.RawTable({0x6f, 5, 1, 9});
  b.Tag(10);
  b.Tag(0);
  b.Tag(2);
  b.Global('V', true, Code(Op::kV128Const, Bytes(16)));
  b.Global('n', true, Code(Op::kRefNull, Bytes{0x69}));
  b.Global('r', false, Code(Op::kRefFunc, 0));
  b.Export("f", 0, 0);
  b.Export("t", 4, 0);
  b.Element(Concat({{0}, Code(Op::kI32Const, 0, Op::kEnd), {2, 0, 1}}));
  b.Element(Concat({{5, 0x63, 1, 1}, Code(Op::kRefNull, Bytes{1}, Op::kEnd)}));
  b.DataCount(1);
  b.Data(Concat({{2, 1}, Code(Op::kI64Const, 0, Op::kEnd), {1, 'x'}}));
  return b;
}

Bytes Exceptions() {
  const Bytes n = Code(Op::kI32Const, 1);
  return Concat(
      {Code(Op::kTry, 'i', n, Op::kThrow, 0, Op::kCatch, 0, Op::kCatchAll, n, Op::kBrIf, 1),
       Code(Op::kRethrow, 0, Op::kEnd, Op::kDrop),
       Code(Op::kTry, '_', Op::kTry, '_', Op::kCall, 0 + 2, Op::kDelegate, 0, Op::kCatch, 1,
            Op::kEnd),
       Code(Op::kTry, '_', Op::kThrow, 1, Op::kDelegate, 0),
       Code(Op::kBlock, 'n', Op::kBlock, 9, Op::kBlock, 'i', Op::kTryTable, '_'),
       {4, 0, 0, 0, 1, 0, 1, 2, 3, 3, 2},  // one tag, one tag and exnref, all, all and exnref
       Code(n, Op::kThrow, 0, Op::kEnd, Op::kReturn, Op::kEnd, Op::kDrop, Op::kReturn, Op::kEnd),
       Code(Op::kGlobalSet, 1, Op::kDrop, Op::kGlobalGet, 1, Op::kEnd, Op::kThrowRef)});
}

// A function for each area, so that broken modules mostly stay valid elsewhere.
Bytes ModuleOfProposals() {
  WasmBuilder b = Environment();
  const Bytes n = Code(Op::kI32Const, 1);
  const Bytes l = Code(Op::kI64Const, 1);
  const Bytes v = Code(Op::kGlobalGet, 0);
  b.Function(0, "", Code(Op::kNop));  // 2
  b.Function(0, "",
             Code(v, v, Op::kI8x16Shuffle, Bytes(16, 17), Op::kI32x4ExtractLane, 3, Op::kV128Load,
                  Bytes{4, 8}, v, Op::kI8x16Add, Op::kGlobalSet, 0, n, v, Op::kV128Store16Lane,
                  Bytes{1, 0, 7}, l, v, Op::kV128Load32Lane, Bytes{0x42, 1, 4, 3}, l,
                  Op::kI64x2ReplaceLane, 1, Op::kGlobalSet, 0, v, v, v, Op::kF32x4RelaxedMadd,
                  Op::kDrop, l, l, l, l, Op::kI64Add128, Op::kDrop, Op::kDrop));
  b.Function(0, "",
             Code(l, l, Op::kI64AtomicRmw32AddU, Bytes{0x42, 1, 0}, Op::kDrop, n, n, l,
                  Op::kMemoryAtomicWait32, Bytes{2, 0}, Op::kDrop, Op::kAtomicFence, 0, n, n, n,
                  Op::kMemoryCopy, 0, 2, l, n, n, Op::kMemoryCopy, 1, 0, l, n, l, Op::kMemoryFill,
                  1, l, Op::kMemoryGrow, 1, Op::kDrop, l, Op::kTableGet, 2, Op::kDrop,
                  Op::kTableSize, 2, Op::kDrop, l, n, n, Op::kMemoryInit, 0, 1));
  b.RawBody(1, Concat({{2, 1, 0x64, 1, 1, 0x63, 3},  // 5; locals 1: (ref 1), 2: (ref null 3)
                       Code(n, Op::kTableGet, 1, Op::kLocalTee, 1, Op::kDrop, Op::kBlock, '_',
                            Op::kLocalGet, 2, Op::kBrOnNull, 0, Op::kDrop, Op::kEnd, Op::kBlock,
                            Bytes{0x64, 1}, Op::kLocalGet, 1, Op::kBrOnNonNull, 0, Op::kLocalGet, 1,
                            Op::kEnd, Op::kRefAsNonNull, Op::kLocalGet, 2, Op::kCallRef, 3, n,
                            Op::kRefNull, Bytes{0x6d}, Op::kRefNull, Bytes{7}, Op::kRefEq,
                            Op::kDrop, Op::kLocalGet, 1, Op::kReturnCallRef, 1, Op::kEnd)}));
  b.Function(1, "", Code(n, n, Op::kReturnCallIndirect, 1, 0));
  b.Function(1, "", Code(n, Op::kReturnCall, 7));
  b.Function(0, "", Exceptions());
  return b.Build();
}

absl::Status TranslateAll(const Bytes& bytes, const emit::Options& emit_options) {
  TranslateOptions options;
  options.emit = emit_options;
  options.discard = true;
  options.threads = 1;
  return TranslateBytes("m.wasm", bytes, options);
}

// Checks bytes in a heap block of just that size; translates what is valid. Whether it is.
bool Survives(const Bytes& bytes) {
  const Bytes exact(bytes.begin(), bytes.end());
  const absl::Status status = Check(exact);
  if (status.ok()) {
    for (bool suspend : {false, true}) {
      emit::Options options;
      options.suspend_everywhere = suspend;
      for (emit::ShapeChoice shape : {emit::ShapeChoice::kSplit, emit::ShapeChoice::kShared}) {
        options.shape = shape;
        EXPECT_EQ(TranslateAll(exact, options), absl::OkStatus());
      }
      options.giant_bytes = 0;
      options.shards = 3;
      for (uint32_t size : {1, 10}) {
        options.piece_size = size;
        EXPECT_EQ(TranslateAll(exact, options), absl::OkStatus());
      }
    }
    return true;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(status) || absl::IsUnimplemented(status)) << status;
  EXPECT_TRUE(absl::StartsWith(status.message(), "m.wasm: 0x")) << status;
  EXPECT_FALSE(Words(status).empty()) << status;
  return false;
}

TEST(BadProposals, TheModuleIsGoodBeforeItIsBroken) {
  const absl::Status status = Check(ModuleOfProposals());
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(Survives(ModuleOfProposals()));
}

TEST(BadProposals, TruncationAtEveryByte) {
  const Bytes module = ModuleOfProposals();
  int whole = 0;
  testing_support::ForEachTruncation(module, [&](const Bytes& begin) { whole += Survives(begin); });
  EXPECT_GE(whole, 1);
  EXPECT_LE(whole, 8);
}

TEST(BadProposals, EverySingleBitFlip) {
  const Bytes module = ModuleOfProposals();
  int refused = 0;
  testing_support::ForEachBitFlip(module,
                                  [&](const Bytes& flipped) { refused += !Survives(flipped); });
  EXPECT_GT(refused, static_cast<int>(module.size()) * 8 / 2);
}

// Structs, arrays, casts, constant expressions that make objects.
TEST(BadProposals, EverySingleBitFlipAmongObjects) {
  const Bytes module =
      testing_support::ReadBytes(FERMATA_SOURCE_DIR "/tests/runtime/heap/objects.wasm");
  ASSERT_TRUE(Survives(module));
  int refused = 0;
  testing_support::ForEachBitFlip(module,
                                  [&](const Bytes& flipped) { refused += !Survives(flipped); });
  EXPECT_GT(refused, static_cast<int>(module.size()) * 8 / 2);
}

TEST(BadProposals, SeveralBytesAtRandom) {
  const Bytes module = ModuleOfProposals();
  std::mt19937 random(3);
  const Bytes favorites = {0x00, 0x01, 0x05, 0x0b, 0x40, 0x63, 0x64, 0x69, 0x6e, 0x7b,
                           0x7f, 0x06, 0x07, 0x08, 0x09, 0x12, 0x14, 0x18, 0x19, 0x1f,
                           0x80, 0xd0, 0xd4, 0xd5, 0xd6, 0xfb, 0xfc, 0xfd, 0xfe, 0xff};
  for (int round = 0; round < 20000; ++round) {
    Bytes changed = module;
    for (uint32_t i = 0; i <= random() % 3; ++i) {
      changed[random() % changed.size()] = favorites[random() % favorites.size()];
    }
    Survives(changed);
  }
}

TEST(BadProposals, FunctionsOfUnknownTypesInConstantExpressions) {
  // The type is looked up when the initial value is checked.
  for (uint32_t type : {1u, 1'000'000u, 0xfffffff0u}) {
    WasmBuilder table;
    table.Type("", "");
    table.Function(type, "", {});
    table.RawTable({0x40, 0, 0x70, 0, 1, 0xd2, 0, 0x0b});
    EXPECT_EQ(Words(Check(table.Build())), "unknown type " + std::to_string(type));
    WasmBuilder global;
    global.Type("", "");
    global.Function(type, "", {});
    global.Global('r', false, Code(Op::kRefFunc, 0));
    EXPECT_EQ(Words(Check(global.Build())), "unknown type " + std::to_string(type));
    WasmBuilder tag;
    tag.Type("", "");
    tag.Tag(type);
    tag.Function(0, "", Code(Op::kThrow, 0));
    EXPECT_EQ(Words(Check(tag.Build())), "unknown type " + std::to_string(type));
  }
}

TEST(BadProposals, OversizedCountsAndIndices) {
  const Bytes huge = {0xff, 0xff, 0xff, 0xff, 0x0f};
  for (const Bytes& code : {Code(Op::kTryTable, '_', huge),
                            Code(Op::kTryTable, '_', 1, Bytes{2}, huge, Op::kEnd),
                            Code(Op::kTryTable, '_', 1, Bytes{0}, huge, huge),
                            Code(Op::kThrow, huge),
                            Code(Op::kTry, '_', Op::kDelegate, huge),
                            Code(Op::kTry, '_', Op::kDelegate, 1),
                            Code(Op::kTry, '_', Op::kCatch, huge),
                            Code(Op::kRethrow, 0),
                            Code(Op::kRethrow, huge),
                            Code(Op::kCatchAll),
                            Code(Op::kDelegate, 0),
                            Code(Op::kUnreachable, Op::kDelegate, 0),
                            Code(Op::kUnreachable, Op::kRethrow, 0),
                            Code(Op::kUnreachable, Op::kCallRef, huge),
                            Code(Op::kUnreachable, Op::kBrOnNull, huge),
                            Code(Op::kUnreachable, Op::kBrOnNonNull, huge),
                            Code(Op::kUnreachable, Op::kBrOnNonNull, 0),
                            Code(Op::kRefNull, huge),
                            Code(Op::kBlock, Bytes{0x80, 0x80, 0x80, 0x80, 0x70}, Op::kEnd),
                            Code(Op::kBlock, Bytes{0x63}, huge, Op::kEnd),
                            Code(Op::kReturnCall, huge),
                            Code(Op::kUnreachable, Op::kReturnCallIndirect, huge, 0)}) {
    WasmBuilder b = Environment();
    b.Function(0, "", code);
    EXPECT_FALSE(Survives(b.Build()));
  }
  for (const Bytes& types :
       {Concat({{1, 0x4e}, huge}), Concat({{1, 0x50}, huge}), Concat({{1, 0x50, 1}, huge, {0x60}}),
        Concat({{1, 0x5f}, huge}), Bytes{1, 0x50, 1, 0, 0x60, 0, 0},
        Bytes{1, 0x4e, 1, 0x60, 1, 0x63, 1, 0}}) {
    EXPECT_FALSE(Survives(testing_support::Module({{1, types}})));
  }
  EXPECT_FALSE(Survives(testing_support::Module({{13, huge}})));
}

// Long chains of supertypes, nested keys, many types: no recursion, no quadratic time.
TEST(BadProposals, ManyTypes) {
  const uint32_t count = 50'000;
  Bytes chain = Unsigned(count);
  const auto append = [](Bytes& to, const Bytes& bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
  };
  append(chain, {0x60, 0, 0});
  for (uint32_t i = 1; i < count; ++i) {
    append(chain, Concat({{0x60, 1, 0x63}, Signed(i - 1), {0}}));
  }
  EXPECT_TRUE(Check(testing_support::Module({{1, chain}})).ok());
  Bytes group = Concat({{1, 0x4e}, Unsigned(count)});
  for (uint32_t i = 0; i < count; ++i) {
    append(group, Concat({{0x60, 1, 0x63}, Signed(count - 1 - i), {0}}));
  }
  EXPECT_TRUE(Check(testing_support::Module({{1, group}})).ok());
  // Subtyping walks chains of supertypes.
  const auto supertypes = [&](uint32_t depth) {
    Bytes types = Concat({Unsigned(depth + 1), {0x50, 0, 0x60, 0, 0}});
    for (uint32_t i = 0; i < depth; ++i) {
      append(types, Concat({{0x50, 1}, Unsigned(i), {0x60, 0, 0}}));
    }
    return Words(Check(testing_support::Module({{1, types}})));
  };
  EXPECT_EQ(supertypes(63), "");
  EXPECT_EQ(supertypes(64), "too many supertypes: 64 (the limit is 63)");
  EXPECT_EQ(supertypes(count), "too many supertypes: 64 (the limit is 63)");
  // Blocks of very many types in one function.
  Bytes code;
  for (uint32_t i = 0; i < count; ++i) {
    append(code, Concat({{0x02, 0x63}, Signed(i), {0xd0}, Signed(i), {0x0b, 0x1a}}));
  }
  const absl::Status status = Check(testing_support::Module(
      {{1, chain}, {3, {1, 0}}, {10, Concat({{1}, Sized(Concat({{0}, code, {0x0b}}))})}}));
  EXPECT_TRUE(status.ok()) << status;
}

}  // namespace
}  // namespace fermata

// Modules that use the later proposals, broken in every way that one byte can break them: they are
// refused, or they are translated; nothing crashes. Worth most under the sanitizers.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <random>
#include <string>

#include "absl/strings/match.h"
#include "tests/wasm_builder.h"
#include "translator/pipeline.h"

namespace fermata::testing_support {
namespace {

// A module of sections, given as their contents.
Bytes Sections(const std::vector<std::pair<uint8_t, Bytes>>& sections) {
  Bytes module = {0, 'a', 's', 'm', 1, 0, 0, 0};
  for (const auto& [id, contents] : sections) {
    module = Concat({module, {id}, Sized(contents)});
  }
  return module;
}

Bytes Body(const Bytes& locals, const Bytes& code) { return Sized(Concat({locals, code, {0x0b}})); }

// Types: 0 and 1 a recursive group of a structure and an array of references to it, 2 an open
// function type, 3 a subtype of it, 4 and 5 plain ones, 6 of a tag with a vector.
Bytes TypeSection() {
  return {6,                                               //
          0x4e, 2,                                         //
          0x5f, 2,    0x78, 1,    0x63, 1,    0,           // struct (i8 mut) (ref null 1)
          0x5e, 0x64, 0,    1,                             // array (mut (ref 0))
          0x50, 0,    0x60, 1,    0x7f, 1,    0x7f,        //
          0x4f, 1,    2,    0x60, 1,    0x7f, 1,    0x7f,  //
          0x60, 0,    0,                                   //
          0x60, 2,    0x63, 2,    0x7f, 1,    0x7f,        //
          0x60, 1,    0x7b, 0};
}

// Every construct of try_table, references, tables with initial values.
Bytes ReferenceModule() {
  const Bytes table = {1, 0x40, 0, 0x64, 2, 1, 2, 4, 0xd2, 0, 0x0b};
  const Bytes caught = Body({1, 1, 0x69}, {0x02, 0x69,     // block (result exnref)
                                           0x02, 0x7b,     // block (result v128)
                                           0x1f, 0x40, 2,  // try_table
                                           0,    0,    0,  // catch 0 -> v128
                                           3,    1,        // catch_all_ref -> exnref
                                           0xfd, 0x0c, 1,    2,  3,  4,  5,  6,    7, 8, 9,
                                           10,   11,   12,   13, 14, 15, 16, 0x08, 0,  // throw 0
                                           0x0b, 0x00, 0x0b,                           //
                                           0x1a, 0x0f, 0x0b,                // drop, return
                                           0x22, 0,    0x0a});              // local.tee, throw_ref
  const Bytes calls = Body({1, 1, 0x64, 2}, {0x02, 0x40,                    // block
                                             0x20, 0,    0xd5, 0,           // br_on_null 0
                                             0x21, 2,                       // local.set 2
                                             0x20, 1,    0x20, 2, 0x15, 2,  // return_call_ref 2
                                             0x0b,                          //
                                             0x20, 1,    0x20, 0, 0xd4,     // ref.as_non_null
                                             0x14, 2});                     // call_ref 2
  const Bytes doubled = Body({0}, {0x20, 0, 0x20, 0, 0x6a});
  return Sections({{1, TypeSection()},
                   {3, {3, 3, 4, 5}},
                   {4, table},
                   {13, {1, 0, 6}},
                   {7, {1, 1, 'f', 0, 2}},
                   {9, {1, 3, 0, 1, 0}},
                   {10, Concat({{3}, doubled, caught, calls})}});
}

// Legacy exceptions, tail calls, vectors, atomics, several memories, wide arithmetic.
Bytes InstructionModule() {
  const Bytes memories = {3, 0, 1, 7, 1, 2, 0x09, 1, 2, 0};  // plain, 64-bit shared, bytes
  const Bytes legacy = Body({1, 1, 0x7f}, {0x06, 0x40,       // try
                                           0x06, 0x40, 0x08, 0, 0x18, 0,  // try, throw, delegate
                                           0x07, 0,                       // catch
                                           0x02, 0x40, 0x09, 1, 0x0b,     // rethrow 1
                                           0x19, 0x12, 1, 0x0b});         // catch_all, return_call
  const Bytes vectors = Body(
      {1, 1, 0x7b},
      {0x41, 0,    0xfd, 0,  4,    0,                          // v128.load
       0x42, 0,    0x20, 0,  0xfd, 0x54, 0x40, 1,    8,    3,  // v128.load8_lane, memory 1
       0xfd, 0x0d, 0,    17, 2,    19,   4,    21,   6,    23,   8,
       25,   10,   27,   12, 29,   14,   31,   0xfd, 0x15, 3,    0x1a,  // extract_lane
       0x42, 0,    0x42, 1,  0xfe, 0x1f, 0x43, 1,    16,   0x1a,  // i64.atomic.rmw.add, memory 1
       0xfe, 3,    0,                                             // fence
       0x42, 1,    0x42, 2,  0xfc, 0x16, 0x1a, 0x1a,              // i64.mul_wide_u
       0x41, 5,    0x40, 2,  0x1a,                                // memory.grow 2
       0x41, 0,    0x42, 0,  0x41, 3,    0xfc, 0x0a, 0,    1});   // memory.copy 0 1
  return Sections({{1, {2, 0x60, 0, 0, 0x60, 1, 0x7f, 1, 0x7f}},
                   {3, {2, 0, 0}},
                   {5, memories},
                   {13, {1, 0, 0}},
                   {7, {2, 1, 'a', 0, 0, 1, 'b', 0, 1}},
                   {10, Concat({{2}, legacy, vectors})}});
}

class BadProposals : public testing::TestWithParam<Bytes (*)()> {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::path(testing::TempDir()) / ("fermata_bad_" + std::to_string(::getpid()));
  }
  void TearDown() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  // Reads and validates the bytes, in a heap block of just their size; what is accepted is also
  // translated, each time a little differently.
  absl::Status Try(const Bytes& bytes) {
    const auto copy = std::make_unique<Bytes>(bytes.begin(), bytes.end());
    copy->shrink_to_fit();
    const absl::Status status = Check(*copy);
    if (!status.ok()) {
      EXPECT_TRUE(absl::StartsWith(status.message(), "m.wasm: 0x")) << status;
      EXPECT_TRUE(status.code() == absl::StatusCode::kInvalidArgument ||
                  status.code() == absl::StatusCode::kUnimplemented)
          << status;
      return status;
    }
    TranslateOptions options;
    options.output = folder_;
    options.emit.suspend_everywhere = accepted_ % 2 == 0;
    options.emit.shape = accepted_ % 4 < 2 ? emit::Shape::kSplit : emit::Shape::kShared;
    ++accepted_;
    const absl::Status translated = TranslateBytes("m.wasm", *copy, options);
    EXPECT_TRUE(translated.ok()) << translated;
    return status;
  }

  std::filesystem::path folder_;
  int accepted_ = 0;
};

TEST_P(BadProposals, TheModuleIsGoodBeforeItIsBroken) {
  EXPECT_TRUE(Try(GetParam()()).ok()) << Check(GetParam()());
}

TEST_P(BadProposals, Truncated) {
  const Bytes module = GetParam()();
  for (size_t size = 0; size < module.size(); ++size) {
    (void)Try(Bytes(module.begin(), module.begin() + size));
  }
}

TEST_P(BadProposals, OneByteReplaced) {
  const Bytes module = GetParam()();
  int refused = 0;
  for (size_t i = 8; i < module.size(); ++i) {
    for (int value : {0x00, 0x01, 0x02, 0x06, 0x0b, 0x18, 0x1f, 0x40, 0x64, 0x69, 0x7f, 0x80, 0xd5,
                      0xfd, 0xfe, 0xff}) {
      Bytes changed = module;
      changed[i] = static_cast<uint8_t>(value);
      refused += !Try(changed).ok();
    }
  }
  EXPECT_GT(refused, static_cast<int>(module.size()) * 4);
}

TEST_P(BadProposals, SeveralBytesReplaced) {
  std::mt19937 random(7);
  const Bytes module = GetParam()();
  for (int round = 0; round < 4000; ++round) {
    Bytes changed = module;
    const int changes = 1 + random() % 4;
    for (int i = 0; i < changes; ++i) {
      changed[8 + random() % (module.size() - 8)] = static_cast<uint8_t>(random() % 256);
    }
    (void)Try(changed);
  }
}

INSTANTIATE_TEST_SUITE_P(Modules, BadProposals,
                         testing::Values(&ReferenceModule, &InstructionModule));

}  // namespace
}  // namespace fermata::testing_support

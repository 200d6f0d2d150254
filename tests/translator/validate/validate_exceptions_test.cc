// The rules of exceptions, old and new, and of tail calls; and what the sink is told of them.
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
using testing_support::WasmBuilder;
using testing_support::Words;
using Op = Opcode;

//   types      0: [] -> []   1: [i32] -> []   2: [] -> [i32]   3: [] -> [i32 exnref]   4: [i32] ->
//   [i32] functions  0: imported, type 4   tags 0: [i32]   1: []   tables 0: funcref
WasmBuilder Environment() {
  WasmBuilder b;
  b.Type("", "");
  b.Type("i", "");
  b.Type("", "i");
  b.Type("", "in");
  b.Type("i", "i");
  b.ImportFunction(4);
  b.Table('r', 1);
  b.Tag(1);
  b.Tag(0);
  return b;
}

std::string CheckBody(absl::string_view results, const Bytes& code,
                      InstructionSink* sink = nullptr) {
  WasmBuilder b = Environment();
  b.Function(b.Type("", results), "", code);
  return Words(Check(b.Build(), sink));
}

void ExpectInvalid(const std::string& words, absl::string_view results, const Bytes& code) {
  const std::string found = CheckBody(results, code);
  EXPECT_TRUE(!found.empty() && absl::StartsWith(found, words)) << words << "\n" << found;
}

const Bytes kOne = Code(Op::kI32Const, 1);

TEST(Exceptions, Tags) {
  WasmBuilder b;
  b.Tag(b.Type("i", ""));
  EXPECT_EQ(Words(Check(b.Build())), "");
  b.Tag(b.Type("", "i"));
  EXPECT_EQ(Words(Check(b.Build())), "non-empty tag result type");
  WasmBuilder unknown;
  unknown.Tag(0);
  EXPECT_EQ(Words(Check(unknown.Build())), "unknown type 0");
  WasmBuilder exported;
  exported.Export("t", 4, 0);
  EXPECT_EQ(Words(Check(exported.Build())), "unknown tag 0");
}

TEST(Exceptions, Throw) {
  EXPECT_EQ(CheckBody("", Code(kOne, Op::kThrow, 0)), "");
  EXPECT_EQ(CheckBody("i", Code(Op::kThrow, 1)), "");  // what follows is unreachable
  ExpectInvalid("unknown tag 2", "", Code(Op::kThrow, 2));
  ExpectInvalid("type mismatch: expected i32, found nothing", "", Code(Op::kThrow, 0));
  ExpectInvalid("type mismatch: expected i32, found i64", "",
                Code(Op::kI64Const, 1, Op::kThrow, 0));
}

TEST(Exceptions, ThrowRef) {
  EXPECT_EQ(CheckBody("", Code(Op::kRefNull, Bytes{0x69}, Op::kThrowRef)), "");
  ExpectInvalid("type mismatch: expected exnref", "", Code(kOne, Op::kThrowRef));
  ExpectInvalid("type mismatch: expected exnref", "", Code(Op::kRefNull, 'e', Op::kThrowRef));
  ExpectInvalid("type mismatch: expected exnref", "", Code(Op::kThrowRef));
}

TEST(Exceptions, LegacyTry) {
  EXPECT_EQ(CheckBody("i", Code(Op::kTry, 'i', kOne, Op::kCatch, 0, Op::kCatchAll, kOne, Op::kEnd)),
            "");
  EXPECT_EQ(CheckBody("", Code(Op::kTry, '_', Op::kEnd)), "");
  EXPECT_EQ(CheckBody("", Code(Op::kTry, '_', Op::kCatch, 1, Op::kCatch, 1, Op::kEnd)), "");
  ExpectInvalid("END opcode expected: catch without try", "", Code(Op::kCatch, 1));
  ExpectInvalid("END opcode expected: catch without try", "", Code(Op::kCatchAll));
  ExpectInvalid("END opcode expected: catch without try", "",
                Code(Op::kBlock, '_', Op::kCatch, 1, Op::kEnd));
  ExpectInvalid("END opcode expected: catch without try", "",
                Code(Op::kTry, '_', Op::kCatchAll, Op::kCatch, 1, Op::kEnd));
  ExpectInvalid("END opcode expected: catch without try", "",
                Code(Op::kTry, '_', Op::kCatchAll, Op::kCatchAll, Op::kEnd));
  ExpectInvalid("END opcode expected: else without if", "",
                Code(Op::kTry, '_', Op::kElse, Op::kEnd));
  ExpectInvalid("unknown tag 2", "", Code(Op::kTry, '_', Op::kCatch, 2, Op::kEnd));
  ExpectInvalid("type mismatch", "i", Code(Op::kTry, 'i', Op::kCatchAll, kOne, Op::kEnd));
  ExpectInvalid("type mismatch", "i", Code(Op::kTry, 'i', kOne, Op::kCatchAll, Op::kEnd));
  ExpectInvalid("type mismatch", "", Code(Op::kTry, '_', Op::kCatch, 0, Op::kEnd));  // the payload
}

TEST(Exceptions, Delegate) {
  EXPECT_EQ(CheckBody("", Code(Op::kTry, '_', Op::kDelegate, 0)), "");
  EXPECT_EQ(CheckBody("i", Code(Op::kTry, 'i', kOne, Op::kDelegate, 0)), "");
  EXPECT_EQ(CheckBody("", Code(Op::kBlock, '_', Op::kTry, '_', Op::kDelegate, 1, Op::kEnd)), "");
  ExpectInvalid("unknown label 1", "", Code(Op::kTry, '_', Op::kDelegate, 1));
  ExpectInvalid("END opcode expected: delegate without try", "", Code(Op::kDelegate, 0));
  ExpectInvalid("END opcode expected: delegate without try", "",
                Code(Op::kTry, '_', Op::kCatchAll, Op::kDelegate, 0));
  ExpectInvalid("type mismatch", "i", Code(Op::kTry, 'i', Op::kDelegate, 0));
}

TEST(Exceptions, Rethrow) {
  EXPECT_EQ(CheckBody("", Code(Op::kTry, '_', Op::kCatch, 1, Op::kRethrow, 0, Op::kEnd)), "");
  EXPECT_EQ(CheckBody("", Code(Op::kTry, '_', Op::kCatchAll, Op::kBlock, '_', Op::kRethrow, 1,
                               Op::kEnd, Op::kEnd)),
            "");
  ExpectInvalid("invalid rethrow label 0", "", Code(Op::kRethrow, 0));
  ExpectInvalid("invalid rethrow label 0", "", Code(Op::kTry, '_', Op::kRethrow, 0, Op::kEnd));
  ExpectInvalid("unknown label 1", "", Code(Op::kRethrow, 1));
}

TEST(Exceptions, TryTable) {
  // In a block whose label takes what the clause passes.
  const auto clause = [](char label, const Bytes& clauses) {
    return Code(Op::kBlock, Bytes{static_cast<uint8_t>(label)}, Op::kTryTable, '_', clauses,
                Op::kEnd, Op::kUnreachable, Op::kEnd, Op::kUnreachable);
  };
  const char none = 0x40, number = 0x7f, exception = 0x69;
  EXPECT_EQ(CheckBody("", clause(none, {0})), "");
  EXPECT_EQ(CheckBody("", clause(number, {1, 0, 0, 0})), "");
  EXPECT_EQ(CheckBody("", clause(none, {1, 0, 1, 0})), "");
  EXPECT_EQ(CheckBody("", clause(3, {1, 1, 0, 0})), "");
  EXPECT_EQ(CheckBody("", clause(exception, {1, 1, 1, 0})), "");
  EXPECT_EQ(CheckBody("", clause(none, {2, 2, 0, 2, 1})), "");
  EXPECT_EQ(CheckBody("", clause(exception, {1, 3, 0})), "");
  ExpectInvalid("type mismatch: a catch clause passes 1 values where 0", "",
                clause(none, {1, 0, 0, 0}));
  ExpectInvalid("type mismatch: a catch clause passes", "", clause(number, {1, 3, 0}));
  ExpectInvalid("type mismatch: a catch clause passes 0 values where 1", "",
                clause(exception, {1, 2, 0}));
  ExpectInvalid("unknown tag 2", "", clause(none, {1, 0, 2, 0}));
  ExpectInvalid("unknown label 2", "", clause(none, {1, 2, 2}));  // its own does not count
  ExpectInvalid("malformed catch clause kind 4", "", clause(none, {1, 4, 0}));
}

TEST(TailCalls, ResultsAreThoseOfTheCaller) {
  EXPECT_EQ(CheckBody("i", Code(kOne, Op::kReturnCall, 0)), "");
  EXPECT_EQ(CheckBody("i", Code(kOne, kOne, Op::kReturnCallIndirect, 4, 0)), "");
  ExpectInvalid("type mismatch: the callee returns 1 values where 0 are expected", "",
                Code(kOne, Op::kReturnCall, 0));
  ExpectInvalid("type mismatch: the callee returns i32 where i64 is expected", "I",
                Code(kOne, Op::kReturnCall, 0));
  ExpectInvalid("type mismatch: the callee returns", "",
                Code(kOne, kOne, Op::kReturnCallIndirect, 4, 0));
  ExpectInvalid("type mismatch: expected i32, found nothing", "i", Code(Op::kReturnCall, 0));
  ExpectInvalid("unknown function 2", "", Code(Op::kReturnCall, 2));
  ExpectInvalid("unknown table 1", "", Code(kOne, Op::kReturnCallIndirect, 0, 1));
}

// ---- Events ----

class Recorder : public NullSink {
 public:
  void Finish(bool reachable) override { Add("finish", reachable); }
  void Unreachable() override { Add("unreachable"); }
  void Block(const BlockType&) override { Add("block"); }
  void End(bool reachable) override { Add("end", reachable); }
  void ReturnCall(uint32_t function) override { Add("return_call", function); }
  void Throw(uint32_t tag) override { Add("throw", tag); }
  void ThrowRef() override { Add("throw_ref"); }
  void TryTable(const BlockType&, absl::Span<const CatchClause> clauses) override {
    Add("try_table");
    for (const CatchClause& c : clauses) events.back() += absl::StrCat(" ", c.kind, ">", c.depth);
  }
  void Try(const BlockType&) override { Add("try"); }
  void Catch(uint32_t tag, bool reachable) override { Add("catch", tag), Add("from", reachable); }
  void CatchAll(bool reachable) override { Add("catch_all", reachable); }
  void Delegate(uint32_t depth, bool reachable) override {
    Add("delegate", depth), Add("from", reachable);
  }
  void Rethrow(uint32_t depth) override { Add("rethrow", depth); }

  std::vector<std::string> events;

 private:
  void Add(const char* what) { events.push_back(what); }
  void Add(const char* what, uint64_t detail) { events.push_back(absl::StrCat(what, " ", detail)); }
};

std::string Events(const Bytes& code) {
  Recorder recorder;
  const std::string error = CheckBody("", code, &recorder);
  return error.empty() ? absl::StrJoin(recorder.events, "; ") : error;
}

TEST(ExceptionEvents, PartsOfALegacyTry) {
  EXPECT_EQ(Events(Code(Op::kTry, '_', Op::kThrow, 1, Op::kCatch, 1, Op::kCatchAll, Op::kRethrow, 0,
                        Op::kEnd)),
            "try; throw 1; catch 1; from 0; catch_all 1; rethrow 0; end 0; finish 1");
  EXPECT_EQ(Events(Code(Op::kTry, '_', Op::kDelegate, 0)), "try; delegate 0; from 1; finish 1");
  EXPECT_EQ(Events(Code(Op::kTry, '_', Op::kUnreachable, Op::kDelegate, 0)),
            "try; unreachable; delegate 0; from 0; finish 1");
}

TEST(ExceptionEvents, NoneInUnreachableCode) {
  const std::string none = "unreachable; finish 0";
  EXPECT_EQ(Events(Code(Op::kUnreachable, Op::kTry, '_', Op::kCatch, 1, Op::kRethrow, 0, Op::kEnd)),
            none);
  EXPECT_EQ(Events(Code(Op::kUnreachable, Op::kTry, '_', Op::kDelegate, 0)), none);
  EXPECT_EQ(Events(Code(Op::kUnreachable, Op::kTryTable, '_', 1, 2, 0, Op::kEnd, Op::kThrow, 1)),
            none);
  EXPECT_EQ(Events(Code(Op::kThrow, 1, Op::kTry, '_', Op::kCatchAll, Op::kEnd)),
            "throw 1; finish 0");
}

TEST(ExceptionEvents, TryTableAndTailCall) {
  EXPECT_EQ(Events(Code(Op::kBlock, '_', Op::kTryTable, '_', 2, 0, 1, 0, 2, 1, Op::kEnd, Op::kEnd)),
            "block; try_table 0>0 2>1; end 1; end 1; finish 1");
  EXPECT_EQ(Events(Code(Op::kReturnCall, 1, Op::kBlock, '_', Op::kEnd)), "return_call 1; finish 0");
}

}  // namespace
}  // namespace fermata::validate

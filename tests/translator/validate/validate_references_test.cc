// The rules of typed references and of the type section: subtyping, locals without default value,
// recursive groups, declared subtypes; and the keys that make types comparable between modules.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/support/wasm_builder.h"
#include "translator/validate/null_sink.h"
#include "translator/validate/sink.h"
#include "translator/wasm/reader.h"

namespace fermata::validate {
namespace {

using testing_support::Bytes;
using testing_support::Check;
using testing_support::Code;
using testing_support::Concat;
using testing_support::WasmBuilder;
using testing_support::Words;
using Op = Opcode;

//   types      0: [] -> []   1: [i32] -> [i32]   2: (sub (func))   3: (sub 2 (func))
//   functions  0, 1: imported, types 0 and 3
//   The body returns `result` (bytes; none if empty); its locals are 0: (ref null 0)   1: (ref 0)
//   2: i32 3: (ref null 1)   4: externref
std::string CheckBody(const Bytes& results, const Bytes& code, InstructionSink* sink = nullptr) {
  WasmBuilder b;
  b.Type("", "");
  b.Type("i", "i");
  b.RawType({0x50, 0, 0x60, 0, 0});
  b.RawType({0x50, 1, 2, 0x60, 0, 0});
  b.ImportFunction(0);
  b.ImportFunction(3);
  b.Element({3, 0, 2, 0, 1});
  b.RawBody(b.RawType(Concat({{0x60, 0}, results.empty() ? Bytes{0} : Concat({{1}, results})})),
            Concat({{5, 1, 0x63, 0, 1, 0x64, 0, 1, 0x7f, 1, 0x63, 1, 1, 0x6f}, code, {0x0b}}));
  return Words(Check(b.Build(), sink));
}

void ExpectInvalid(const std::string& words, const Bytes& results, const Bytes& code) {
  const std::string found = CheckBody(results, code);
  EXPECT_TRUE(!found.empty() && absl::StartsWith(found, words)) << words << "\n" << found;
}

const Bytes kFunc = {0x70};
const Bytes kNull = Code(Op::kLocalGet, 0);

TEST(TypedReferences, Subtypes) {
  EXPECT_EQ(CheckBody({0x64, 0}, Code(Op::kRefFunc, 0)), "");
  EXPECT_EQ(CheckBody({0x63, 0}, Code(Op::kRefFunc, 0)), "");
  EXPECT_EQ(CheckBody(kFunc, Code(Op::kRefFunc, 0)), "");
  EXPECT_EQ(CheckBody({0x64, 0x70}, Code(Op::kRefFunc, 0)), "");
  EXPECT_EQ(CheckBody({0x64, 2}, Code(Op::kRefFunc, 1)), "");  // declared
  ExpectInvalid("type mismatch", {0x64, 2}, Code(Op::kRefFunc, 0));
  ExpectInvalid("type mismatch", {0x64, 1}, Code(Op::kRefFunc, 0));
  ExpectInvalid("type mismatch", {0x64, 0}, kNull);
  ExpectInvalid("type mismatch", {0x6f}, kNull);
  EXPECT_EQ(CheckBody({0x63, 1}, Code(Op::kRefNull, Bytes{0x73})), "");  // nofunc
  ExpectInvalid("type mismatch", {0x63, 1}, Code(Op::kRefNull, Bytes{0x71}));
  EXPECT_EQ(CheckBody({0x6e}, Code(Op::kRefNull, Bytes{0x71})), "");  // none
  EXPECT_EQ(CheckBody({0x6d}, Code(Op::kRefNull, Bytes{0x6c})), "");  // i31 is eq
  ExpectInvalid("type mismatch", {0x6d}, Code(Op::kRefNull, Bytes{0x6e}));
  ExpectInvalid("unknown type 9", {0x70}, Code(Op::kRefNull, Bytes{9}));
}

TEST(TypedReferences, LocalsWithoutDefaultValue) {
  const Bytes get = Code(Op::kLocalGet, 1, Op::kDrop);
  const Bytes set = Code(Op::kRefFunc, 0, Op::kLocalSet, 1);
  const Bytes one = Code(Op::kI32Const, 1);
  EXPECT_EQ(CheckBody({}, Code(set, get)), "");
  EXPECT_EQ(CheckBody({}, Code(Op::kRefFunc, 0, Op::kLocalTee, 1, Op::kDrop, get)), "");
  EXPECT_EQ(CheckBody({}, Code(set, Op::kBlock, '_', get, Op::kEnd, get)), "");
  EXPECT_EQ(CheckBody({}, Code(Op::kBlock, '_', set, get, Op::kEnd)), "");
  ExpectInvalid("uninitialized local 1", {}, get);
  ExpectInvalid("uninitialized local 1", {}, Code(Op::kBlock, '_', set, Op::kEnd, get));
  ExpectInvalid("uninitialized local 1", {},
                Code(one, Op::kIf, '_', set, Op::kElse, get, Op::kEnd));
  ExpectInvalid("uninitialized local 1", {},
                Code(one, Op::kIf, '_', set, Op::kElse, set, Op::kEnd, get));
  ExpectInvalid("uninitialized local 1", {},
                Code(Op::kTry, '_', set, Op::kCatchAll, get, Op::kEnd));
  ExpectInvalid("uninitialized local 1", {}, Code(Op::kTry, '_', set, Op::kDelegate, 0, get));
}

TEST(TypedReferences, Branches) {
  // br_on_null leaves the reference, not null; br_on_non_null takes it along.
  EXPECT_EQ(CheckBody({}, Code(Op::kBlock, Bytes{0x64, 0}, kNull, Op::kBrOnNonNull, 0,
                               Op::kUnreachable, Op::kEnd, Op::kDrop)),
            "");
  EXPECT_EQ(CheckBody({}, Code(Op::kBlock, '_', kNull, Op::kBrOnNull, 0, Op::kLocalSet, 1,
                               Op::kLocalGet, 1, Op::kDrop, Op::kEnd)),
            "");
  ExpectInvalid("type mismatch: the label does not take the reference", {},
                Code(Op::kBlock, '_', kNull, Op::kBrOnNonNull, 0, Op::kEnd));
  ExpectInvalid("type mismatch: the label does not take the reference", {},
                Code(Op::kBlock, Bytes{0x64, 1}, kNull, Op::kBrOnNonNull, 0, Op::kUnreachable,
                     Op::kEnd, Op::kDrop));
  ExpectInvalid("type mismatch: expected a reference, found i32", {},
                Code(Op::kLocalGet, 2, Op::kBrOnNull, 0, Op::kDrop));
  ExpectInvalid("unknown label 1", {}, Code(kNull, Op::kBrOnNull, 1));
  EXPECT_EQ(CheckBody({}, Code(Op::kUnreachable, Op::kBrOnNull, 0, Op::kDrop)), "");
}

TEST(TypedReferences, CallsAndTests) {
  EXPECT_EQ(CheckBody({}, Code(kNull, Op::kCallRef, 0)), "");
  EXPECT_EQ(CheckBody({}, Code(kNull, Op::kReturnCallRef, 0)), "");
  EXPECT_EQ(CheckBody({}, Code(Op::kRefFunc, 1, Op::kCallRef, 2)), "");
  ExpectInvalid("type mismatch", {0x7f}, Code(Op::kLocalGet, 2, kNull, Op::kCallRef, 1));
  ExpectInvalid("type mismatch", {},
                Code(Op::kLocalGet, 2, Op::kLocalGet, 3, Op::kReturnCallRef, 1));
  ExpectInvalid("type mismatch", {}, Code(Op::kRefNull, 'r', Op::kCallRef, 0));
  ExpectInvalid("unknown type 9", {}, Code(kNull, Op::kCallRef, 9));
  EXPECT_EQ(CheckBody({0x64, 0}, Code(kNull, Op::kRefAsNonNull)), "");
  EXPECT_EQ(CheckBody({0x64, 0}, Code(Op::kUnreachable, Op::kRefAsNonNull)), "");
  ExpectInvalid("type mismatch: expected a reference", {},
                Code(Op::kLocalGet, 2, Op::kRefAsNonNull, Op::kDrop));
  const Bytes eq = Code(Op::kRefNull, Bytes{0x6d});
  EXPECT_EQ(CheckBody({0x7f}, Code(eq, eq, Op::kRefEq)), "");
  ExpectInvalid("type mismatch: expected eqref", {0x7f}, Code(kNull, kNull, Op::kRefEq));
}

TEST(TypedReferences, TablesWithInitialValues) {
  const auto table = [](const Bytes& bytes) {
    WasmBuilder b;
    b.Type("", "");
    b.Function(0, "", {});
    b.RawTable(bytes);
    return Words(Check(b.Build()));
  };
  EXPECT_EQ(table({0x40, 0, 0x64, 0, 0, 1, 0xd2, 0, 0x0b}), "");
  EXPECT_EQ(table({0x40, 0, 0x70, 0, 1, 0xd0, 0x70, 0x0b}), "");
  EXPECT_TRUE(absl::StartsWith(table({0x64, 0, 0, 1}), "type mismatch: a table of"));
  EXPECT_TRUE(absl::StartsWith(table({0x40, 0, 0x64, 0, 0, 1, 0xd0, 0, 0x0b}), "type mismatch"));
  EXPECT_TRUE(absl::StartsWith(table({0x40, 0, 0x70, 0, 1, 0x0b}), "type mismatch"));
}

TEST(TypedReferences, EventsInReachableCodeOnly) {
  class Recorder : public NullSink {
   public:
    void CallRef(uint32_t type) override { text += absl::StrCat("call_ref ", type, "; "); }
    void ReturnCallRef(uint32_t type) override { text += absl::StrCat("return ", type, "; "); }
    void BrOnNull(uint32_t depth) override { text += absl::StrCat("null ", depth, "; "); }
    void BrOnNonNull(uint32_t depth) override { text += absl::StrCat("non-null ", depth, "; "); }
    void RefAsNonNull() override { text += "as_non_null; "; }
    std::string text;
  };
  Recorder recorder;
  const Bytes code = Code(kNull, Op::kRefAsNonNull, Op::kBrOnNull, 0, Op::kCallRef, 0, kNull,
                          Op::kReturnCallRef, 0);
  EXPECT_EQ(CheckBody({}, Code(code, code), &recorder), "");
  EXPECT_EQ(recorder.text, "as_non_null; null 0; call_ref 0; return 0; ");
}

// ---- The type section ----

std::string Types(const Bytes& section) {
  return Words(Check(testing_support::Module({{1, section}})));
}

TEST(TypeSection, DeclaredSubtypes) {
  const std::string wrong = "sub type 1 does not match super type 0";
  EXPECT_EQ(Types({2, 0x50, 0, 0x60, 0, 0, 0x4f, 1, 0, 0x60, 0, 0}), "");
  EXPECT_EQ(Types({2, 0x4f, 0, 0x60, 0, 0, 0x50, 1, 0, 0x60, 0, 0}), wrong);  // final
  EXPECT_EQ(Types({2, 0x60, 0, 0, 0x50, 1, 0, 0x60, 0, 0}), wrong);           // final
  EXPECT_EQ(Types({2, 0x50, 0, 0x60, 0, 0, 0x50, 1, 0, 0x60, 1, 0x7f, 0}), wrong);
  EXPECT_EQ(Types({2, 0x50, 0, 0x60, 0, 0, 0x50, 1, 0, 0x5f, 0}), wrong);
  // More results' and fewer parameters' subtypes; a structure may have more fields.
  EXPECT_EQ(Types({2, 0x50, 0, 0x60, 0, 1, 0x6e, 0x50, 1, 0, 0x60, 0, 1, 0x6d}), "");
  EXPECT_EQ(Types({2, 0x50, 0, 0x60, 0, 1, 0x6d, 0x50, 1, 0, 0x60, 0, 1, 0x6e}), wrong);
  EXPECT_EQ(Types({2, 0x50, 0, 0x60, 1, 0x6d, 0, 0x50, 1, 0, 0x60, 1, 0x6e, 0}), "");
  EXPECT_EQ(Types({2, 0x50, 0, 0x5f, 1, 0x7f, 0, 0x50, 1, 0, 0x5f, 2, 0x7f, 0, 0x78, 1}), "");
  EXPECT_EQ(Types({2, 0x50, 0, 0x5f, 1, 0x7f, 0, 0x50, 1, 0, 0x5f, 1, 0x7f, 1}), wrong);
  EXPECT_EQ(Types({2, 0x50, 0, 0x5e, 0x6e, 1, 0x50, 1, 0, 0x5e, 0x6d, 1}), wrong);  // mutable
  EXPECT_EQ(Types({2, 0x50, 0, 0x5e, 0x6e, 0, 0x50, 1, 0, 0x5e, 0x6d, 0}), "");
  EXPECT_EQ(Types({1, 0x50, 1, 0, 0x60, 0, 0}), "unknown type 0");  // itself
}

TEST(TypeSection, ReferencesWithinAGroupOnly) {
  EXPECT_EQ(Types({1, 0x4e, 2, 0x60, 1, 0x63, 1, 0, 0x60, 1, 0x63, 0, 0}), "");
  EXPECT_EQ(Types({1, 0x60, 1, 0x63, 0, 0}), "");  // itself
  EXPECT_EQ(Types({2, 0x60, 1, 0x63, 1, 0, 0x60, 0, 0}), "unknown type 1");
}

wasm::Module Read(const Bytes& bytes) {
  absl::StatusOr<wasm::Module> module = wasm::ReadModule("m.wasm", bytes);
  EXPECT_TRUE(module.ok()) << module.status();
  return module.ok() ? *std::move(module) : wasm::Module();
}

TEST(TypeKeys, AreReadableForPlainTypes) {
  WasmBuilder b;
  b.Type("iIfFVrena", "Vi");
  b.Type("", "");
  b.Type("", "");
  const Bytes bytes = b.Build();
  const wasm::Module m = Read(bytes);
  EXPECT_EQ(m.type_keys, (std::vector<std::string>{"iIfFVrxea:Vi", ":", ":"}));
  EXPECT_EQ(m.canonical_types, (std::vector<uint32_t>{0, 1, 1}));
}

TEST(TypeKeys, AreEqualForEqualTypesOnly) {
  const Bytes pair = {0x4e, 2, 0x60, 1, 0x63, 1, 0, 0x60, 1, 0x63, 0, 0};
  const Bytes moved = {0x4e, 2, 0x60, 1, 0x63, 2, 0, 0x60, 1, 0x63, 1, 0};
  const Bytes one = testing_support::Module({{1, Concat({{1}, pair})}});
  const Bytes two = testing_support::Module({{1, Concat({{2, 0x60, 0, 0}, moved})}});
  const wasm::Module a = Read(one);
  const wasm::Module b = Read(two);
  ASSERT_EQ(a.type_keys.size(), 2u);
  ASSERT_EQ(b.type_keys.size(), 3u);
  EXPECT_EQ(a.type_keys[0], b.type_keys[1]);
  EXPECT_EQ(a.type_keys[1], b.type_keys[2]);
  EXPECT_NE(a.type_keys[0], a.type_keys[1]);  // by their place in the group
  EXPECT_EQ(a.canonical_types, (std::vector<uint32_t>{0, 1}));

  // All of these differ: alone or in a group, final or not, with a supertype, nullable or not.
  const Bytes different = testing_support::Module(
      {{1, {8,    0x60, 0,    0,    0x50, 0,    0x60, 0,    0,    0x50, 1,    1,    0x60, 0,
            0,    0x4e, 2,    0x60, 0,    0,    0x60, 0,    0,    0x60, 1,    0x63, 0,    0,
            0x60, 1,    0x64, 0,    0,    0x60, 1,    0x64, 0x70, 0,    0x5f, 0}}});
  const wasm::Module c = Read(different);
  ASSERT_EQ(c.type_keys.size(), 9u);
  for (uint32_t i = 0; i < 9; ++i) EXPECT_EQ(c.canonical_types[i], i);
}

}  // namespace
}  // namespace fermata::validate

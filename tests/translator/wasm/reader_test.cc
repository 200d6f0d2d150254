// The binary format: what a well-formed module decodes to, and which bytes are not one.
#include "translator/wasm/reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "tests/support/wasm_builder.h"
#include "translator/validate/function_validator.h"
#include "translator/validate/module_validator.h"
#include "translator/validate/null_sink.h"
#include "translator/wasm/decoder.h"
#include "translator/wasm/names.h"

namespace fermata::wasm {
namespace {

using testing_support::Bytes;
using testing_support::Check;
using testing_support::Code;
using testing_support::Concat;
using testing_support::Repeat;
using testing_support::Sized;
using testing_support::Types;
using testing_support::Unsigned;
using testing_support::WasmBuilder;
using testing_support::Words;

Bytes NameBytes(absl::string_view name) { return testing_support::Name(name); }
Bytes Sections(const std::vector<std::pair<uint8_t, Bytes>>& sections) {
  return testing_support::Module(sections);
}

// ---- What is decoded ----

TEST(Reader, EmptyModule) {
  const Bytes bytes = Sections({});
  const absl::StatusOr<Module> module = ReadModule("m.wasm", bytes);
  ASSERT_TRUE(module.ok()) << module.status();
  EXPECT_EQ(module->path, "m.wasm");
  EXPECT_EQ(module->bytes.data(), bytes.data());
  EXPECT_TRUE(module->functions.empty());
  EXPECT_FALSE(module->has_start);
}

Bytes FullModule() {
  WasmBuilder b;
  const uint32_t none = b.Type("", "");
  const uint32_t type = b.Type("iI", "fF");
  b.ImportFunction(type);
  b.ImportGlobal('i', false);
  b.Function(none, "", {});
  b.Function(none, "iIe", Code(Opcode::kNop));
  b.Table('r', 3);
  b.Memory(2);
  b.Global('I', true, Code(Opcode::kI64Const, -5));
  b.Global('r', false, Code(Opcode::kRefFunc, 2));
  b.Export("run", 0, 1);
  b.Export("mem", 2, 0);
  b.Start(1);
  b.Element(Concat({{0}, Code(Opcode::kI32Const, 1, Opcode::kEnd), {2, 0, 1}}));
  b.Element(Concat({{5, 0x6f, 2},
                    Code(Opcode::kRefNull, 'e', Opcode::kEnd),
                    Code(Opcode::kRefNull, 'e', Opcode::kEnd)}));
  b.Element({3, 0, 1, 0});
  b.DataCount(2);
  b.Data({1, 3, 'a', 'b', 'c'});
  b.Data(Concat({{0}, Code(Opcode::kGlobalGet, 0, Opcode::kEnd), {1, 'x'}}));
  b.Custom("producers", {1, 2, 3});
  return b.Build();
}

TEST(Reader, EverySection) {
  const Bytes bytes = FullModule();
  ASSERT_TRUE(Check(bytes).ok()) << Check(bytes);
  const absl::StatusOr<Module> read = ReadModule("m.wasm", bytes);
  ASSERT_TRUE(read.ok());
  const Module& m = *read;

  ASSERT_EQ(m.types.size(), 2u);
  EXPECT_EQ(ToString(m.types[1]), "[i32 i64] -> [f32 f64]");
  ASSERT_EQ(m.imports.size(), 2u);
  EXPECT_EQ(m.imports[0].module, "env");
  EXPECT_EQ(m.imports[0].kind, ExternKind::kFunction);
  EXPECT_EQ(m.imports[1].kind, ExternKind::kGlobal);
  EXPECT_EQ(m.imports[1].index, 0u);

  ASSERT_EQ(m.functions.size(), 3u);
  EXPECT_EQ(m.imported_functions, 1u);
  EXPECT_TRUE(m.functions[0].imported);
  EXPECT_EQ(m.functions[0].import, 0u);
  EXPECT_EQ(m.functions[0].type, 1u);
  EXPECT_FALSE(m.functions[2].imported);
  EXPECT_EQ(m.functions[1].body.size(), 2u);  // no locals, end
  EXPECT_EQ(m.functions[1].body.data(), bytes.data() + m.functions[1].body_offset);

  ASSERT_EQ(m.tables.size(), 1u);
  EXPECT_EQ(m.tables[0].type.element, ValType(ValType::kFuncRef));
  EXPECT_EQ(m.tables[0].type.limits.min, 3u);
  EXPECT_FALSE(m.tables[0].type.limits.has_max);
  ASSERT_EQ(m.memories.size(), 1u);
  EXPECT_EQ(m.memories[0].type.limits.min, 2u);

  ASSERT_EQ(m.globals.size(), 3u);
  EXPECT_EQ(m.imported_globals, 1u);
  EXPECT_TRUE(m.globals[0].imported);
  EXPECT_TRUE(m.globals[1].type.mut);
  ASSERT_EQ(m.globals[1].init.size(), 1u);
  EXPECT_EQ(m.globals[1].init[0].kind, ConstInstr::kI64Const);
  EXPECT_EQ(m.globals[1].init[0].bits, static_cast<uint64_t>(-5));

  ASSERT_EQ(m.exports.size(), 2u);
  EXPECT_EQ(m.exports[1].name, "mem");
  EXPECT_EQ(m.exports[1].kind, ExternKind::kMemory);
  EXPECT_TRUE(m.has_start);
  EXPECT_EQ(m.start, 1u);

  ASSERT_EQ(m.elements.size(), 3u);
  EXPECT_EQ(m.elements[0].mode, SegmentMode::kActive);
  EXPECT_EQ(m.elements[0].functions, (std::vector<uint32_t>{0, 1}));
  EXPECT_EQ(m.elements[0].offset[0].bits, 1u);
  EXPECT_EQ(m.elements[1].mode, SegmentMode::kPassive);
  EXPECT_EQ(m.elements[1].type, ValType(ValType::kExternRef));
  EXPECT_EQ(m.elements[1].size(), 2u);
  EXPECT_EQ(m.elements[2].mode, SegmentMode::kDeclarative);

  ASSERT_EQ(m.datas.size(), 2u);
  EXPECT_EQ(m.datas[0].mode, SegmentMode::kPassive);
  EXPECT_EQ(m.datas[0].bytes.size(), 3u);
  EXPECT_EQ(m.datas[1].mode, SegmentMode::kActive);
  EXPECT_EQ(m.datas[1].offset[0].kind, ConstInstr::kGlobalGet);
}

TEST(Reader, DeclaredFunctions) {
  // Exports, element segments of any kind and initial values of globals declare; start does not.
  WasmBuilder b;
  const uint32_t type = b.Type("", "");
  for (int i = 0; i < 7; ++i) b.Function(type, "", {});
  b.Global('r', false, Code(Opcode::kRefFunc, 1));
  b.Export("f", 0, 2);
  b.Start(3);
  b.Element({3, 0, 1, 4});
  b.Element(Concat({{5, 0x70, 1}, Code(Opcode::kRefFunc, 5, Opcode::kEnd)}));
  const Bytes bytes = b.Build();
  const absl::StatusOr<Module> module = ReadModule("m.wasm", bytes);
  ASSERT_TRUE(module.ok()) << module.status();
  EXPECT_EQ(module->declared_functions,
            (std::vector<bool>{false, true, true, false, true, true, false}));
}

TEST(Reader, ExtendedConstantExpressions) {
  WasmBuilder b;
  b.Global('i', false,
           Code(Opcode::kI32Const, 7, Opcode::kI32Const, 3, Opcode::kI32Sub, Opcode::kI32Const, 2,
                Opcode::kI32Mul));
  const Bytes bytes = b.Build();
  const absl::StatusOr<Module> module = ReadModule("m.wasm", bytes);
  ASSERT_TRUE(module.ok());
  std::vector<ConstInstr::Kind> kinds;
  for (const ConstInstr& i : module->globals[0].init) kinds.push_back(i.kind);
  EXPECT_EQ(kinds, (std::vector<ConstInstr::Kind>{ConstInstr::kI32Const, ConstInstr::kI32Const,
                                                  ConstInstr::kI32Sub, ConstInstr::kI32Const,
                                                  ConstInstr::kI32Mul}));
}

// ---- Header and sections ----

struct Malformed {
  const char* words;
  Bytes bytes;
};

void ExpectAll(const std::vector<Malformed>& cases) {
  for (const Malformed& c : cases) {
    const absl::Status status = Check(c.bytes);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.words << ": " << status;
    EXPECT_TRUE(absl::StartsWith(Words(status), c.words)) << c.words << "\n" << status;
    EXPECT_TRUE(absl::StartsWith(status.message(), "m.wasm: 0x")) << status;
  }
}

TEST(Reader, Header) {
  ExpectAll({{"unexpected end", {}},
             {"unexpected end", {0, 'a', 's'}},
             {"magic header not detected", {'w', 'a', 's', 'm', 1, 0, 0, 0}},
             {"unexpected end", {0, 'a', 's', 'm', 1, 0, 0}},
             {"unknown binary version 0x2", {0, 'a', 's', 'm', 2, 0, 0, 0}},
             {"unknown binary version: this is a component", {0, 'a', 's', 'm', 13, 0, 1, 0}}});
}

TEST(Reader, SectionsComeInOrderAndOnce) {
  EXPECT_TRUE(Check(Sections({{1, {0}},
                              {2, {0}},
                              {3, {0}},
                              {4, {0}},
                              {5, {0}},
                              {6, {0}},
                              {7, {0}},
                              {9, {0}},
                              {12, {0}},
                              {10, {0}},
                              {11, {0}}}))
                  .ok());
  const std::string words = "unexpected content after last section";
  const std::vector<uint8_t> order = {1, 2, 3, 4, 5, 6, 7, 9, 12, 10, 11};
  for (size_t i = 0; i < order.size(); ++i) {
    for (size_t j = 0; j <= i; ++j) {
      const absl::Status status = Check(Sections({{order[i], {0}}, {order[j], {0}}}));
      EXPECT_TRUE(absl::StartsWith(Words(status), words)) << status;
    }
  }
  EXPECT_TRUE(
      absl::StartsWith(Words(Check(Sections({{7, {0}}, {0, NameBytes("a")}, {7, {0}}}))), words));
}

TEST(Reader, SectionSizes) {
  ExpectAll({{"malformed section id 14", Sections({{14, {}}})},
             {"malformed section id 129", Sections({{0x81, {}}})},
             {"unexpected end", Concat({Sections({}), {1}})},
             {"length out of bounds", Concat({Sections({}), {1, 2, 0}})},
             {"section size mismatch", Sections({{1, {0, 0}}})},
             {"section size mismatch", Concat({Sections({{1, {1}}}), {0x60, 0, 0}})},
             {"unexpected end", Sections({{1, {1}}})},
             {"unexpected end", Sections({{3, Concat({Unsigned(2), {0}})}})}});
}

TEST(Reader, CustomSectionsAreSkipped) {
  const Bytes custom = NameBytes("anything");
  EXPECT_TRUE(Check(Sections({{0, custom}, {1, {0}}, {0, custom}, {0, custom}})).ok());
  EXPECT_TRUE(Check(Sections({{0, Concat({NameBytes("x"), {0xff, 0xff}})}})).ok());
  ExpectAll({{"unexpected end", Sections({{0, {}}})},
             {"length out of bounds", Sections({{0, {2, 'a'}}})},
             {"malformed UTF-8 encoding", Sections({{0, {1, 0xff}}})}});
}

TEST(Reader, FunctionsAndBodies) {
  const Bytes type = Concat({{1, 0x60}, {0, 0}});
  const Bytes body = Concat({{1}, Sized({0, 0x0b})});
  const std::string words = "function and code section have inconsistent lengths";
  EXPECT_TRUE(Check(Sections({{1, type}, {3, {1, 0}}, {10, body}})).ok());
  EXPECT_TRUE(Check(Sections({{3, {0}}})).ok());
  EXPECT_TRUE(Check(Sections({{10, {0}}})).ok());
  ExpectAll({{words.c_str(), Sections({{1, type}, {3, {1, 0}}})},
             {words.c_str(), Sections({{1, type}, {10, body}})},
             {words.c_str(), Sections({{1, type}, {3, {2, 0, 0}}, {10, body}})},
             {words.c_str(), Sections({{1, type}, {3, {1, 0}}, {10, {2, 2, 0, 0x0b, 2, 0, 0x0b}}})},
             {"unexpected end", Sections({{1, type}, {3, {1, 0}}, {10, {1, 9, 0, 0x0b}}})}});
}

TEST(Reader, DataCount) {
  const Bytes one = {1, 1, 0};  // one passive segment, empty
  const std::string words = "data count and data section have inconsistent lengths";
  EXPECT_TRUE(Check(Sections({{12, {1}}, {11, one}})).ok());
  EXPECT_TRUE(Check(Sections({{12, {0}}})).ok());
  EXPECT_TRUE(Check(Sections({{11, one}})).ok());
  ExpectAll({{words.c_str(), Sections({{12, {2}}, {11, one}})},
             {words.c_str(), Sections({{12, {0}}, {11, one}})},
             {words.c_str(), Sections({{12, {1}}})}});
}

TEST(Reader, MalformedItems) {
  const auto import = [](const Bytes& what) {
    return Sections({{2, Concat({{1}, NameBytes("m"), NameBytes("n"), what})}});
  };
  ExpectAll({{"malformed definition type", Sections({{1, {1, 0x40, 0, 0}}})},
             {"integer representation too long", Sections({{1, {1, 0xe0, 0x7f, 0, 0}}})},
             {"malformed value type", Sections({{1, {1, 0x60, 1, 0x40, 0}}})},
             {"malformed import kind", import({5})},
             {"malformed import kind", import({0x80, 0})},
             {"malformed reference type", Sections({{4, {1, 0x7f, 0, 0}}})},
             {"malformed limits flags", Sections({{4, {1, 0x70, 2, 0}}})},
             {"malformed limits flags", Sections({{4, {1, 0x70, 8, 0}}})},
             {"malformed limits flags", Sections({{5, {1, 0x10, 0}}})},
             {"malformed limits flags", Sections({{5, {1, 0x81, 0}}})},
             {"malformed mutability", Sections({{6, {1, 0x7f, 2, 0x41, 0, 0x0b}}})},
             {"malformed export kind", Sections({{7, {1, 0, 5, 0}}})},
             {"malformed elements segment kind", Sections({{9, {1, 8, 0}}})},
             {"malformed element kind", Sections({{9, {1, 1, 1, 0}}})},
             {"malformed data segment kind", Sections({{11, {1, 3, 0}}})},
             {"illegal opcode ff", Sections({{6, {1, 0x7f, 0, 0xff, 0x0b}}})},
             {"illegal opcode fc", Sections({{6, {1, 0x7f, 0, 0xfc, 0x80, 0x80, 0x04, 0x0b}}})},
             {"constant expression required", Sections({{6, {1, 0x7f, 0, 0x01, 0x0b}}})},
             {"unexpected end", Sections({{6, {1, 0x7f, 0, 0x41, 0}}})}});
}

TEST(Reader, Limits) {
  const auto types = [](uint32_t params, uint32_t results) {
    return Sections(
        {{1, Concat({{1, 0x60}, Sized(Bytes(params, 0x7f)), Sized(Bytes(results, 0x7f))})}});
  };
  EXPECT_TRUE(Check(types(1000, 1000)).ok());
  ExpectAll(
      {{"too many parameters: 1001", types(1001, 0)},
       {"too many results: 1001", types(0, 1001)},
       {"too many types: 1000001", Sections({{1, Concat({Unsigned(1000001), Bytes(1000001, 0)})}})},
       {"too many functions", Sections({{3, Concat({Unsigned(1000001), Bytes(1000001, 0)})}})}});
}

// ---- Numbers and names ----

TEST(Decoder, Unsigned32) {
  const auto read = [](const Bytes& bytes) {
    Decoder in(bytes);
    const uint32_t value = in.ReadU32();
    return in.ok() ? std::to_string(value) : in.error().message.substr(0, 17);
  };
  EXPECT_EQ(read({0}), "0");
  EXPECT_EQ(read({0x7f}), "127");
  EXPECT_EQ(read({0x80, 0x00}), "0");  // longer than needed is allowed
  EXPECT_EQ(read({0xe5, 0x8e, 0x26}), "624485");
  EXPECT_EQ(read({0xff, 0xff, 0xff, 0xff, 0x0f}), "4294967295");
  EXPECT_EQ(read({0xff, 0xff, 0xff, 0xff, 0x1f}), "integer too large");
  EXPECT_EQ(read({0x80, 0x80, 0x80, 0x80, 0x10}), "integer too large");
  EXPECT_EQ(read({0x80, 0x80, 0x80, 0x80, 0x80, 0x00}), "integer represent");
  EXPECT_EQ(read({0x80, 0x80}), "unexpected end of");
  EXPECT_EQ(read({}), "unexpected end of");
}

TEST(Decoder, Signed) {
  const auto read32 = [](const Bytes& bytes) {
    Decoder in(bytes);
    const int32_t value = in.ReadS32();
    return in.ok() ? std::to_string(value) : in.error().message.substr(0, 17);
  };
  EXPECT_EQ(read32({0x3f}), "63");
  EXPECT_EQ(read32({0x40}), "-64");
  EXPECT_EQ(read32({0x7f}), "-1");
  EXPECT_EQ(read32({0xff, 0x7f}), "-1");
  EXPECT_EQ(read32({0x80, 0x80, 0x80, 0x80, 0x78}), "-2147483648");
  EXPECT_EQ(read32({0xff, 0xff, 0xff, 0xff, 0x07}), "2147483647");
  EXPECT_EQ(read32({0xff, 0xff, 0xff, 0xff, 0x0f}), "integer too large");
  EXPECT_EQ(read32({0x80, 0x80, 0x80, 0x80, 0x70}), "integer too large");
  EXPECT_EQ(read32({0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}), "integer represent");

  const auto read64 = [](const Bytes& bytes) {
    Decoder in(bytes);
    const int64_t value = in.ReadS64();
    return in.ok() ? std::to_string(value) : in.error().message.substr(0, 17);
  };
  EXPECT_EQ(read64(Concat({Bytes(9, 0x80), {0x7f}})), "-9223372036854775808");
  EXPECT_EQ(read64(Concat({Bytes(9, 0xff), {0x00}})), "9223372036854775807");
  EXPECT_EQ(read64(Concat({Bytes(9, 0xff), {0x01}})), "integer too large");
  EXPECT_EQ(read64(Concat({Bytes(9, 0x80), {0x7e}})), "integer too large");
  EXPECT_EQ(read64(Concat({Bytes(10, 0x80), {0x00}})), "integer represent");

  const auto read33 = [](const Bytes& bytes) {
    Decoder in(bytes);
    const int64_t value = in.ReadS33();
    return in.ok() ? std::to_string(value) : in.error().message.substr(0, 17);
  };
  EXPECT_EQ(read33({0xff, 0xff, 0xff, 0xff, 0x0f}), "4294967295");
  EXPECT_EQ(read33({0x80, 0x80, 0x80, 0x80, 0x70}), "-4294967296");
  EXPECT_EQ(read33({0xff, 0xff, 0xff, 0xff, 0x1f}), "integer too large");
}

TEST(Decoder, TheFirstErrorSticks) {
  const Bytes bytes = {1, 0x80, 7};
  Decoder in(absl::MakeConstSpan(bytes), 100);
  EXPECT_EQ(in.ReadByte(), 1);
  in.Fail(in.offset(), "first");
  in.Fail(0, "second");
  EXPECT_EQ(in.error().message, "first");
  EXPECT_EQ(in.error().offset, 101u);
  EXPECT_EQ(in.ReadU32(), 0u);
  EXPECT_EQ(in.ReadFixed64(), 0u);
  EXPECT_TRUE(in.ReadBytes(1).empty());
  EXPECT_TRUE(in.at_end());
}

TEST(Decoder, Utf8) {
  const auto valid = [](const Bytes& bytes) {
    const Bytes name = Sized(bytes);
    Decoder in(name);
    const size_t size = in.ReadName().size();
    EXPECT_EQ(size, in.ok() ? bytes.size() : 0);
    EXPECT_EQ(in.error().message, in.ok() ? "" : "malformed UTF-8 encoding");
    return in.ok();
  };
  EXPECT_TRUE(valid({}));
  EXPECT_TRUE(valid({'a', 0, 'b'}));
  EXPECT_TRUE(valid({0xc2, 0x80, 0xe2, 0x82, 0xac, 0xf4, 0x8f, 0xbf, 0xbf}));
  EXPECT_FALSE(valid({0x80}));                    // continuation alone
  EXPECT_FALSE(valid({0xc2}));                    // cut short
  EXPECT_FALSE(valid({0xc0, 0x80}));              // overlong
  EXPECT_FALSE(valid({0xe0, 0x9f, 0xbf}));        // overlong
  EXPECT_FALSE(valid({0xed, 0xa0, 0x80}));        // surrogate
  EXPECT_FALSE(valid({0xf4, 0x90, 0x80, 0x80}));  // above U+10FFFF
  EXPECT_FALSE(valid({0xff}));
}

// ---- Proposals that are not supported yet ----

TEST(Reader, UnsupportedProposalsAreNamed) {
  const auto body = [](const Bytes& code) {
    WasmBuilder b;
    b.Function(b.Type("", ""), "", code);
    return b.Build();
  };
  const auto type = [](uint8_t form) { return Sections({{1, {1, form, 0, 0}}}); };
  const auto param = [](const Bytes& value) {
    return Sections({{1, Concat({{1, 0x60, 1}, value, {0}})}});
  };
  const std::vector<std::pair<std::string, Bytes>> cases = {
      {"stack-switching", type(0x5d)},
      {"stack-switching", param({0x68})},
      {"stack-switching", param({0x63, 0x75})},
      {"stack-switching", body({0xe0, 0})},
      {"memory-control", body({0xfc, 0x12, 0})},
      {"half-precision", body({0xfc, 0x30, 1, 0})},
      {"half-precision", body({0xfd, 0xa0, 0x02})},
      {"shared-everything-threads", type(0x65)},
      {"shared-everything-threads", param({0x65, 0x6e})},
      {"shared-everything-threads", param({0x63, 0x65, 0x6e})},
      {"shared-everything-threads", body({0xfe, 0x04})},
      {"shared-everything-threads", body({0xfe, 0x4f, 0, 0})},
  };
  for (const auto& [proposal, bytes] : cases) {
    const absl::Status status = Check(bytes);
    EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented) << proposal << ": " << status;
    EXPECT_TRUE(absl::EndsWith(
        status.message(),
        "needs the \"" + proposal + "\" proposal, which Fermata does not support yet"))
        << proposal << ": " << status;
  }
}

// Modules, each with a proposal that it needs.
std::vector<std::pair<Feature, Bytes>> ModulesByFeature() {
  const auto body = [](const Bytes& code) {
    WasmBuilder b;
    b.Memory(1);
    b.Table('r', 1);
    b.Tag(b.Type("", ""));
    b.Function(0, "", code);
    return b.Build();
  };
  const auto param = [](uint8_t value) { return Sections({{1, {1, 0x60, 1, value, 0}}}); };
  const auto push = [&](Opcode op) { return body(Code(Opcode::kUnreachable, op, Opcode::kDrop)); };
  return {
      {Feature::kMutableGlobals,
       Sections({{6, {1, 0x7f, 1, 0x41, 0, 0x0b}}, {7, {1, 1, 'g', 3, 0}}})},
      {Feature::kMutableGlobals, Sections({{2, {1, 1, 'm', 1, 'g', 3, 0x7f, 1}}})},
      {Feature::kSignExtension, push(Opcode::kI32Extend8S)},
      {Feature::kSaturatingFloat, push(Opcode::kI32TruncSatF32S)},
      {Feature::kMultiValue, Sections({{1, {1, 0x60, 0, 2, 0x7f, 0x7f}}})},
      {Feature::kMultiValue, body(Code(Opcode::kBlock, 0, Opcode::kEnd))},
      {Feature::kBulkMemory, Sections({{12, {0}}})},
      {Feature::kBulkMemory, Sections({{11, {1, 1, 0}}})},
      {Feature::kBulkMemory, Sections({{9, {1, 1, 0, 0}}})},
      {Feature::kBulkMemory, body(Code(Opcode::kUnreachable, Opcode::kMemoryFill, 0))},
      {Feature::kReferenceTypes, param(0x6f)},
      {Feature::kReferenceTypes, param(0x70)},
      {Feature::kReferenceTypes, Sections({{4, {2, 0x70, 0, 1, 0x70, 0, 1}}})},
      {Feature::kReferenceTypes, Sections({{9, {1, 3, 0, 0}}})},
      {Feature::kReferenceTypes, body(Code(Opcode::kRefNull, 'r', Opcode::kDrop))},
      {Feature::kExtendedConst, Sections({{6, {1, 0x7f, 0, 0x41, 1, 0x41, 1, 0x6a, 0x0b}}})},
      {Feature::kSimd, body(Code(Opcode::kV128Const, Bytes(16), Opcode::kDrop))},
      {Feature::kSimd, param(0x7b)},
      {Feature::kRelaxedSimd,
       body(Code(Opcode::kUnreachable, Opcode::kI8x16RelaxedSwizzle, Opcode::kDrop))},
      {Feature::kThreads, body(Code(Opcode::kAtomicFence, 0))},
      {Feature::kThreads, Sections({{5, {1, 3, 1, 1}}})},
      {Feature::kTailCall, body(Code(Opcode::kReturnCall, 0))},
      {Feature::kTailCall, body(Code(Opcode::kI32Const, 0, Opcode::kReturnCallIndirect, 0, 0))},
      {Feature::kExceptions, body(Code(Opcode::kThrow, 0))},
      {Feature::kExceptions, body(Code(Opcode::kTryTable, '_', 0, Opcode::kEnd))},
      {Feature::kExceptions, param(0x69)},
      {Feature::kExceptions, Sections({{13, {0}}})},
      {Feature::kLegacyExceptions, body(Code(Opcode::kTry, '_', Opcode::kEnd))},
      {Feature::kMemory64, Sections({{5, {1, 4, 1}}})},
      {Feature::kMemory64, Sections({{4, {1, 0x70, 4, 1}}})},
      {Feature::kMultiMemory, Sections({{5, {2, 0, 1, 0, 1}}})},
      {Feature::kMultiMemory,
       body(Code(Opcode::kI32Const, 0, Bytes{0x28, 0x42, 0, 0}, Opcode::kDrop))},
      {Feature::kCustomPageSizes, Sections({{5, {1, 8, 1, 0}}})},
      {Feature::kFunctionReferences, Sections({{1, {1, 0x60, 1, 0x63, 0x70, 0}}})},
      {Feature::kFunctionReferences, body(Code(Opcode::kUnreachable, Opcode::kCallRef, 0))},
      {Feature::kFunctionReferences, body({0xd0, 0, 0x1a})},
      {Feature::kGc, Sections({{1, {1, 0x5f, 0}}})},
      {Feature::kGc, Sections({{1, {1, 0x4e, 0}}})},
      {Feature::kGc, param(0x6e)},
      {Feature::kGc, Sections({{6, {2, 0x7f, 0, 0x41, 1, 0x0b, 0x7f, 0, 0x23, 0, 0x0b}}})},
      {Feature::kGc, body(Code(Opcode::kI32Const, 0, Opcode::kRefI31, Opcode::kDrop))},
      {Feature::kWideArithmetic,
       body(Code(Opcode::kUnreachable, Opcode::kI64MulWideS, Opcode::kDrop, Opcode::kDrop))},
      {Feature::kCompactImports, Sections({{2, {1, 1, 'm', 0, 0x7f, 0}}})},
      {Feature::kCompactImports, Sections({{2, {1, 1, 'm', 0, 0x7e, 2, 0, 1, 1, 1, 'a'}}})},
      {Feature::kMultiMemory, Sections({{2, {1, 1, 'm', 0, 0x7e, 2, 0, 1, 2, 1, 'a', 1, 'b'}}})},
      {Feature::kReferenceTypes,
       Sections({{2, {1, 1, 'm', 0, 0x7e, 1, 0x70, 0, 1, 2, 1, 'a', 1, 'b'}}})},
  };
}

struct UseSink : validate::NullSink {
  void Uses(const FeatureUses& more) override { uses.AddAll(more); }
  FeatureUses uses;
};

// Notes which proposals the module uses, too.
absl::Status ReadAndValidate(const Bytes& bytes, const FeatureSet& features, FeatureUses* uses) {
  absl::StatusOr<wasm::Module> module = ReadModule("m.wasm", bytes, features);
  if (!module.ok()) return module.status();
  absl::Status status = validate::ValidateModule(*module);
  UseSink sink;
  for (uint32_t f = 0; status.ok() && f < module->functions.size(); ++f) {
    status = validate::ValidateFunction(*module, f, sink);
  }
  uses->AddAll(module->uses);
  uses->AddAll(sink.uses);
  return status;
}

// Each module is read with all that are supported, which notes what was used, and refused without
// the one it needs.
TEST(Reader, FeaturesThatAreOffRefuse) {
  const std::vector<std::pair<Feature, Bytes>> cases = ModulesByFeature();
  for (size_t i = 0; i < cases.size(); ++i) {
    const auto& [feature, bytes] = cases[i];
    FeatureUses uses;
    const absl::Status with = ReadAndValidate(bytes, Supported(), &uses);
    EXPECT_TRUE(with.ok()) << i << " " << Name(feature) << ": " << with;
    EXPECT_TRUE(uses.Has(feature)) << i << " " << Name(feature);
    EXPECT_LT(uses.offset(feature), bytes.size());
    FeatureSet less = Supported();
    less.Remove(feature);
    const absl::Status without = ReadAndValidate(bytes, less, &uses);
    EXPECT_EQ(without.code(), absl::StatusCode::kInvalidArgument)
        << i << " " << Name(feature) << ": " << without;
  }
}

// ---- The compact import section ----

// Imports as lines: module, name, kind, index, and what can be told of the type.
std::string ImportsOf(const Bytes& section) {
  const Bytes bytes = Sections({{1, {2, 0x60, 0, 0, 0x60, 1, 0x7f, 0}}, {2, section}});
  const absl::StatusOr<wasm::Module> module = ReadModule("m.wasm", bytes, Supported());
  if (!module.ok()) return std::string(module.status().message());
  std::string text;
  for (const wasm::Import& i : module->imports) {
    absl::StrAppend(&text, i.module, ".", i.name, " ", static_cast<int>(i.kind), " ", i.index);
    if (i.kind == wasm::ExternKind::kFunction) {
      const wasm::Function& f = module->functions[i.index];
      EXPECT_TRUE(f.imported);
      EXPECT_EQ(&module->imports[f.import], &i);
      absl::StrAppend(&text, " type ", f.type);
    }
    if (i.kind == wasm::ExternKind::kMemory) {
      EXPECT_TRUE(module->memories[i.index].imported);
      absl::StrAppend(&text, " min ", module->memories[i.index].type.limits.min);
    }
    text += "\n";
  }
  EXPECT_EQ(module->imported_functions, module->functions.size());
  EXPECT_EQ(module->imported_memories, module->memories.size());
  EXPECT_EQ(module->imported_globals, module->globals.size());
  return text;
}

TEST(CompactImports, GroupsWithATypeForEachName) {
  EXPECT_EQ(ImportsOf({3,                                 //
                       1, 'x', 1, 'y',  0, 1,             // one, as ever
                       1, 'h', 0, 0x7f, 3, 1, 'a', 0, 0,  // a function
                       0, 2,   0, 7,                      // a memory with an empty name
                       1, 'c', 3, 0x7f, 0,                // a global
                       1, 'z', 0, 0,    0}),              // one whose name is empty
            "x.y 0 0 type 1\nh.a 0 1 type 0\nh. 2 0 min 7\nh.c 3 0\nz. 0 2 type 0\n");
}

TEST(CompactImports, GroupsWithOneType) {
  EXPECT_EQ(ImportsOf({3, 1,   'h',  0,    0x7e, 0,    1, 3, 1,   'a', 1, 'b', 1, 'a',  //
                       0, 0,   0x7e, 2,    0,    5,    2, 1, 'm', 0,                    //
                       1, 'e', 0,    0x7e, 3,    0x7f, 0, 0}),
            "h.a 0 0 type 1\nh.b 0 1 type 1\nh.a 0 2 type 1\n.m 2 0 min 5\n. 2 1 min 5\n");
  EXPECT_EQ(ImportsOf({1, 1, 'h', 0, 0x7e, 4, 0, 1, 2, 1, 'a', 1, 'b'}), "h.a 4 0\nh.b 4 1\n");
}

TEST(CompactImports, MalformedOnesAreRefusedWithTheirOffset) {
  // The section's contents begin at 0x14.
  const std::vector<std::pair<std::string, Bytes>> cases = {
      // A name before the marker.
      {"m.wasm: 0x19: malformed import kind 0x7f", {1, 1, 'h', 1, 'n', 0x7f, 1, 1, 'a', 0, 0}},
      {"m.wasm: 0x19: malformed import kind 0x7e", {1, 1, 'h', 1, 'n', 0x7e, 0, 0, 1, 1, 'a'}},
      // Groups in groups.
      {"m.wasm: 0x1b: malformed import kind 0x7f",
       {1, 1, 'h', 0, 0x7f, 1, 0, 0x7f, 1, 1, 'a', 0, 0}},
      {"m.wasm: 0x19: malformed import kind 0x7e", {1, 1, 'h', 0, 0x7e, 0x7e, 0, 0, 1, 1, 'a'}},
      {"m.wasm: 0x18: malformed import kind 0x7d", {1, 1, 'h', 0, 0x7d, 0}},
  };
  for (const auto& [message, section] : cases) EXPECT_EQ(ImportsOf(section), message);
  // Too little of everything, and counts that promise what is not there.
  const Bytes whole[] = {{1, 1, 'h', 0, 0x7f, 2, 1, 'a', 0, 0, 1, 'b', 0, 0},
                         {1, 1, 'h', 0, 0x7e, 0, 0, 2, 1, 'a', 1, 'b'}};
  for (const Bytes& section : whole) {
    for (size_t size = 1; size < section.size(); ++size) {
      const std::string text = ImportsOf(Bytes(section.begin(), section.begin() + size));
      EXPECT_TRUE(absl::StartsWith(text, "m.wasm: 0x")) << text;
    }
  }
  for (const Bytes& count : {Bytes{0xff, 0xff, 0xff, 0xff, 0x0f}, Bytes{0xc0, 0x84, 0x3d}}) {
    for (const Bytes& group :
         {Concat({{1, 1, 'h', 0, 0x7f}, count}), Concat({{1, 1, 'h', 0, 0x7e, 0, 0}, count})}) {
      EXPECT_TRUE(absl::StrContains(ImportsOf(group), "unexpected end")) << ImportsOf(group);
    }
  }
}

// Each group may be large, all together may not.
TEST(CompactImports, TheNumberOfImportsIsLimited) {
  Bytes group = Concat({{1, 'h', 0, 0x7e, 0, 0}, Unsigned(600'000), Repeat({0}, 600'000)});
  EXPECT_TRUE(absl::StrContains(ImportsOf(Concat({{2}, group, group})), "too many imports"));
}

TEST(Features, ChangeFeaturesReadsLists) {
  FeatureSet set = Wasm3();
  EXPECT_FALSE(set.Has(Feature::kThreads));
  ASSERT_TRUE(set.Has(Feature::kMultiMemory));
  EXPECT_TRUE(ChangeFeatures("threads,-multi-memory", set).ok());
  EXPECT_TRUE(set.Has(Feature::kThreads));
  EXPECT_FALSE(set.Has(Feature::kMultiMemory));
  EXPECT_TRUE(set.Has(Feature::kSimd));
  for (const char* wrong : {"thread", "-thread", "stack-switching", "simd,nonsense"}) {
    FeatureSet changed = Supported();
    EXPECT_FALSE(ChangeFeatures(wrong, changed).ok()) << wrong;
  }
}

// ---- The name section ----

Bytes Map(const std::vector<std::pair<uint32_t, std::string>>& names) {
  Bytes bytes = Unsigned(names.size());
  for (const auto& [index, name] : names) bytes = Concat({bytes, Unsigned(index), NameBytes(name)});
  return bytes;
}
Bytes Subsection(uint8_t id, const Bytes& contents) { return Concat({{id}, Sized(contents)}); }

TEST(NameSection, ModuleFunctionsAndLocals) {
  const Bytes section =
      Concat({Subsection(0, NameBytes("guest")), Subsection(1, Map({{0, "main"}, {2, "äöü"}})),
              Subsection(2, Concat({{1, 2}, Map({{0, "x"}, {3, "y"}})})), Subsection(9, {9, 9})});
  const Names names = ReadNames(section, 3);
  EXPECT_EQ(names.module, "guest");
  EXPECT_EQ(names.functions, (std::vector<std::string>{"main", "", "äöü"}));
  ASSERT_EQ(names.locals.size(), 3u);
  EXPECT_EQ(names.locals[2], (std::vector<std::string>{"x", "", "", "y"}));
}

TEST(NameSection, TypesAndFields) {
  const Bytes section = Concat({Subsection(4, Map({{1, "point"}, {7, "none"}})),
                                Subsection(10, Concat({{1, 1}, Map({{0, "x"}, {2, "z"}})}))});
  const Names names = ReadNames(section, 1, 2);
  EXPECT_EQ(names.types, (std::vector<std::string>{"", "point"}));
  ASSERT_EQ(names.fields.size(), 2u);
  EXPECT_EQ(names.fields[1], (std::vector<std::string>{"x", "", "z"}));
}

TEST(NameSection, IsReadFromTheModuleAndUsedInMessages) {
  WasmBuilder b;
  b.Function(b.Type("", ""), "", Code(Opcode::kI32Const, 1));
  b.Custom("name", Subsection(1, Map({{0, "pa\"rse"}})));
  EXPECT_EQ(Check(b.Build()).message(),
            "m.wasm: 0x19 (function 0 \"pa\\\"rse\"): type mismatch: 1 more values than the 0 "
            "results at the end of the function");
}

TEST(NameSection, NothingInItIsAnError) {
  const Bytes good = Subsection(1, Map({{0, "f"}}));
  // Cut anywhere, with the module's names in any state.
  const Bytes section =
      Concat({Subsection(0, NameBytes("m")), good, Subsection(2, Map({{0, "x"}}))});
  for (size_t size = 0; size <= section.size(); ++size) {
    WasmBuilder b;
    b.Function(b.Type("", ""), "", {});
    b.Custom("name", Bytes(section.begin(), section.begin() + size));
    EXPECT_TRUE(Check(b.Build()).ok()) << size;
  }
  // Bad UTF-8 and unknown indices.
  EXPECT_EQ(ReadNames(Subsection(0, {1, 0xff}), 1).module, "");
  EXPECT_EQ(ReadNames(Concat({Subsection(0, {1, 0xff}), good}), 1).functions[0], "f");
  EXPECT_EQ(ReadNames(Subsection(1, Map({{7, "g"}, {0, "f"}})), 1).functions,
            (std::vector<std::string>{"f"}));
}

TEST(NameSection, HighIndicesDoNotTakeMemory) {
  // One name for local 49,999 in each of 10,000 functions would be 500 million slots.
  Bytes locals = Unsigned(10000);
  for (uint32_t f = 0; f < 10000; ++f) {
    const Bytes one = Concat({Unsigned(f), Map({{49999, "x"}})});
    locals.insert(locals.end(), one.begin(), one.end());
  }
  const Bytes section = Subsection(2, locals);
  const Names names = ReadNames(section, 10000);
  size_t slots = 0;
  for (const auto& function : names.locals) slots += function.size();
  EXPECT_LE(slots, section.size());
}

}  // namespace
}  // namespace fermata::wasm

// The one table of instructions: that it is consistent with itself, and with the names that the
// specification gives (which say most of an instruction's signature).
#include "translator/wasm/opcodes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <map>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/support/commands.h"
#include "tests/support/files.h"
#include "tests/support/wasm_builder.h"
#include "translator/wasm/reader.h"

namespace fermata::wasm {
namespace {

using testing_support::Bytes;
using testing_support::Check;
using testing_support::Code;
using testing_support::WasmBuilder;

struct Row {
  std::string enumerator;
  Opcode opcode;
  std::string name;
  uint32_t code;
  Feature feature;
  Immediate immediate;
  std::string signature;
};

const std::vector<Row>& Rows() {
  static const std::vector<Row> rows = {
#define FERMATA_OPCODE(enumerator, name, code, feature, immediate, signature) \
  {#enumerator, Opcode::enumerator, name, code, Feature::feature, Immediate::immediate, signature},
#include "translator/wasm/opcodes.def"
  };
  return rows;
}

TEST(Opcodes, AreFoundByTheirCodes) {
  for (const Row& row : Rows()) {
    const OpcodeInfo* info = Find(row.code);
    ASSERT_NE(info, nullptr) << row.name;
    EXPECT_EQ(info->opcode, row.opcode) << row.name;
    EXPECT_EQ(info->name, row.name);
    EXPECT_EQ(&Info(row.opcode), info);
    EXPECT_EQ(info->feature, row.feature);
    EXPECT_EQ(info->immediate, row.immediate);
    const std::string signature = std::string(info->params) + ":" + std::string(info->results);
    EXPECT_EQ(signature, row.signature.empty() ? ":" : row.signature) << row.name;
    EXPECT_TRUE(Supported().Has(row.feature)) << row.name;
  }
}

TEST(Opcodes, OthersAreNotFound) {
  std::set<uint32_t> known;
  for (const Row& row : Rows()) EXPECT_TRUE(known.insert(row.code).second) << row.name;
  for (uint32_t code = 0; code <= 0xff; ++code) {
    EXPECT_EQ(Find(code) != nullptr, known.count(code) != 0) << code;
  }
  for (uint32_t prefix : {0xfb, 0xfc, 0xfd, 0xfe}) {
    for (uint32_t sub = 0; sub < 0x300; ++sub) {
      const uint32_t code = prefix << 16 | sub;
      EXPECT_EQ(Find(code) != nullptr, known.count(code) != 0) << std::hex << code;
    }
  }
  EXPECT_EQ(Find(0xffffffff), nullptr);
}

TEST(Opcodes, EnumeratorsFollowFromNames) {
  for (const Row& row : Rows()) {
    std::string expected = "k";
    for (absl::string_view word : absl::StrSplit(row.name, absl::ByAnyChar("._"))) {
      expected += static_cast<char>(std::toupper(word[0]));
      expected += std::string(word.substr(1));
    }
    if (row.opcode == Opcode::kSelectT) expected += "T";
    if (row.opcode == Opcode::kRefTestNull || row.opcode == Opcode::kRefCastNull ||
        row.opcode == Opcode::kRefCastDescEqNull) {
      expected += "Null";
    }
    EXPECT_EQ(row.enumerator, expected);
  }
}

// What the name of an instruction on vectors says of its signature.
std::string VectorSignatureByName(const std::string& name) {
  static const std::map<std::string, std::string> scalars = {{"i8x16", "i"}, {"i16x8", "i"},
                                                             {"i32x4", "i"}, {"i64x2", "I"},
                                                             {"f32x4", "f"}, {"f64x2", "F"}};
  static const std::set<std::string> unary = {"abs",    "neg",    "not",     "ceil",   "floor",
                                              "trunc",  "sqrt",   "nearest", "popcnt", "extadd",
                                              "extend", "demote", "promote", "convert"};
  static const std::set<std::string> ternary = {"bitselect", "relaxed_laneselect", "relaxed_madd",
                                                "relaxed_nmadd", "relaxed_dot_i8x16_i7x16_add_s"};
  const std::vector<std::string> parts = absl::StrSplit(name, '.');
  const std::string first = std::vector<std::string>(absl::StrSplit(parts[1], '_'))[0];
  if (first == "splat") return scalars.at(parts[0]) + ":V";
  if (first == "shl" || first == "shr") return "Vi:V";
  if (parts[1] == "all_true" || parts[1] == "any_true" || first == "bitmask") return "V:i";
  if (ternary.count(parts[1]) != 0) return "VVV:V";
  const bool truncates = absl::StartsWith(parts[1], "relaxed_trunc");
  return unary.count(first) != 0 || truncates ? "V:V" : "VV:V";
}

bool IsVector(const std::string& name) {
  return absl::StartsWith(name, "v128.") || name.find('x') < name.find('.');
}

// What a numeric instruction's name says of its signature: "i64.extend_i32_s" takes i32, gives i64;
// "f32.add" takes two f32; comparisons give i32.
std::string SignatureByName(const std::string& name) {
  if (IsVector(name)) return VectorSignatureByName(name);
  if (absl::EndsWith(name, "128")) return "IIII:II";
  if (absl::StartsWith(name, "i64.mul_wide")) return "II:II";
  static const std::map<std::string, std::string> letters = {
      {"i32", "i"}, {"i64", "I"}, {"f32", "f"}, {"f64", "F"}};
  static const std::set<std::string> unary = {"clz",   "ctz",   "popcnt",  "abs",  "neg", "ceil",
                                              "floor", "trunc", "nearest", "sqrt", "eqz"};
  static const std::set<std::string> comparisons = {"eqz", "eq", "ne", "lt", "gt", "le", "ge"};
  const std::string type = letters.at(name.substr(0, 3));
  const std::vector<std::string> words = absl::StrSplit(name.substr(4), '_');
  for (size_t i = 1; i < words.size(); ++i) {
    if (letters.count(words[i]) != 0) return letters.at(words[i]) + ":" + type;
  }
  if (absl::StartsWith(words[0], "extend")) return type + ":" + type;
  const std::string result = comparisons.count(words[0]) != 0 ? "i" : type;
  return (unary.count(words[0]) != 0 ? type : type + type) + ":" + result;
}

TEST(Opcodes, NumericSignaturesAreWhatTheNamesSay) {
  std::map<Feature, int> count;
  for (const Row& row : Rows()) {
    if (row.immediate != Immediate::kNone || row.signature.empty()) continue;
    ++count[row.feature];
    EXPECT_EQ(row.signature, SignatureByName(row.name)) << row.name;
  }
  EXPECT_EQ(count[Feature::kMvp], 123);
  EXPECT_EQ(count[Feature::kSignExtension], 5);
  EXPECT_EQ(count[Feature::kSaturatingFloat], 8);
  EXPECT_EQ(count[Feature::kSimd], 236 - 38);  // without memory accesses, lanes, const, shuffle
  EXPECT_EQ(count[Feature::kRelaxedSimd], 20);
  EXPECT_EQ(count[Feature::kWideArithmetic], 4);
}

// "i" of "i32.load"; "memory.atomic.wait32" has none.
std::string LetterOf(const std::string& name) {
  static const std::map<std::string, std::string> letters = {
      {"i32", "i"}, {"i64", "I"}, {"f32", "f"}, {"f64", "F"}, {"v12", "V"}};
  const auto it = letters.find(name.substr(0, 3));
  return it == letters.end() ? "" : it->second;
}

// The width in bits that the last words of a name give: "load8_s", "load16x4_u" (64), "rmw32.add";
// `natural` if none.
int WidthByName(absl::string_view words, int natural) {
  const size_t digits = words.find_first_of("0123456789");
  if (digits == absl::string_view::npos) return natural;
  const size_t end = words.find_first_not_of("0123456789", digits);
  if (end != absl::string_view::npos && words[end] == 'x') return 64;
  return std::atoi(std::string(words.substr(digits)).c_str());
}

int NaturalWidth(const std::string& name) {
  const std::string letter = LetterOf(name);
  return letter == "V" ? 128 : letter == "I" || letter == "F" ? 64 : 32;
}

TEST(Opcodes, MemoryAccessesAreWhatTheNamesSay) {
  static const std::map<int, Immediate> plain = {{8, Immediate::kMemArg8},
                                                 {16, Immediate::kMemArg16},
                                                 {32, Immediate::kMemArg32},
                                                 {64, Immediate::kMemArg64},
                                                 {128, Immediate::kMemArg128}};
  static const std::map<int, Immediate> lanes = {{8, Immediate::kMemLane8},
                                                 {16, Immediate::kMemLane16},
                                                 {32, Immediate::kMemLane32},
                                                 {64, Immediate::kMemLane64}};
  int count = 0;
  for (const Row& row : Rows()) {
    const bool load = absl::StrContains(row.name, ".load");
    const bool store = absl::StrContains(row.name, ".store");
    if ((!load && !store) || absl::StrContains(row.name, ".atomic.")) continue;
    ++count;
    const bool lane = absl::EndsWith(row.name, "_lane");
    const std::string type = LetterOf(row.name);
    const std::string params = lane || store ? "i" + type : "i";
    EXPECT_EQ(row.signature, params + ":" + (load ? type : "")) << row.name;
    const int width = WidthByName(row.name.substr(5), NaturalWidth(row.name));
    EXPECT_EQ(row.immediate, (lane ? lanes : plain).at(width)) << row.name;
  }
  EXPECT_EQ(count, 23 + 12 + 10);
}

TEST(Opcodes, AtomicsAreWhatTheNamesSay) {
  static const std::map<int, Immediate> immediates = {{8, Immediate::kAtomic8},
                                                      {16, Immediate::kAtomic16},
                                                      {32, Immediate::kAtomic32},
                                                      {64, Immediate::kAtomic64}};
  int count = 0;
  for (const Row& row : Rows()) {
    EXPECT_EQ(row.feature == Feature::kThreads, absl::StrContains(row.name, "atomic.")) << row.name;
    if (row.feature != Feature::kThreads || row.opcode == Opcode::kAtomicFence) continue;
    ++count;
    const std::string words = row.name.substr(row.name.find("atomic.") + 7);
    const std::string type = LetterOf(row.name);
    const std::string expected = words == "wait32"                  ? "iiI:i"
                                 : words == "wait64"                ? "iII:i"
                                 : words == "notify"                ? "ii:i"
                                 : absl::StartsWith(words, "load")  ? "i:" + type
                                 : absl::StartsWith(words, "store") ? "i" + type + ":"
                                 : absl::StrContains(words, "cmpxchg")
                                     ? "i" + type + type + ":" + type
                                     : "i" + type + ":" + type;
    EXPECT_EQ(row.signature, expected) << row.name;
    EXPECT_EQ(row.immediate, immediates.at(WidthByName(words, NaturalWidth(row.name)))) << row.name;
  }
  EXPECT_EQ(count, 66);
}

TEST(Opcodes, NumericInstructionsThatTrap) {
  for (const Row& row : Rows()) {
    if (row.immediate != Immediate::kNone || row.signature.empty()) continue;
    const bool integer = row.name[0] == 'i';
    const bool divides =
        integer && (absl::StrContains(row.name, ".div") || absl::StrContains(row.name, ".rem"));
    const bool truncates =
        integer && absl::StrContains(row.name, ".trunc_f");  // not trunc_sat_f32_s
    EXPECT_EQ(Info(row.opcode).traps, divides || truncates) << row.name;
  }
}

Bytes ConstOf(char letter) {
  switch (letter) {
    case 'i':
      return Code(Opcode::kI32Const, 0);
    case 'I':
      return Code(Opcode::kI64Const, 0);
    case 'f':
      return Code(Opcode::kF32Const, Bytes(4));
    case 'V':
      return Code(Opcode::kV128Const, Bytes(16));
    default:
      return Code(Opcode::kF64Const, Bytes(8));
  }
}

// Every instruction of fixed signature without immediates, with right and with wrong operands.
TEST(Opcodes, ValidationFollowsTheSignatures) {
  for (const Row& row : Rows()) {
    if (row.immediate != Immediate::kNone || row.signature.empty()) continue;
    const OpcodeInfo& info = Info(row.opcode);
    const auto check = [&](const std::string& operands, const std::string& result) {
      Bytes code;
      for (char letter : operands) code = Code(code, ConstOf(letter));
      WasmBuilder b;
      b.Function(b.Type("", result), "", Code(code, row.opcode));
      return Check(b.Build());
    };
    const std::string params(info.params);
    const std::string results(info.results);
    EXPECT_TRUE(check(params, results).ok()) << row.name;
    EXPECT_FALSE(check(params, results == "i" ? "I" : "i").ok()) << row.name;
    EXPECT_FALSE(check(params.substr(1), results).ok()) << row.name;
    for (size_t i = 0; i < params.size(); ++i) {
      std::string wrong = params;
      wrong[i] = wrong[i] == 'f' ? 'F' : 'f';
      EXPECT_FALSE(check(wrong, results).ok()) << row.name;
    }
  }
}

TEST(Opcodes, ProposalsOfOthers) {
  const std::map<uint32_t, Feature> expected = {{0xe0, Feature::kStackSwitching},
                                                {0xe6, Feature::kStackSwitching},
                                                {0xfc0012, Feature::kMemoryControl},
                                                {0xfc0030, Feature::kHalfPrecision},
                                                {0xfd0120, Feature::kHalfPrecision},
                                                {0xfd014f, Feature::kHalfPrecision},
                                                {0xfe0004, Feature::kSharedEverythingThreads},
                                                {0xfe004f, Feature::kSharedEverythingThreads}};
  for (const auto& [code, feature] : expected) {
    EXPECT_EQ(ProposalOf(code), feature) << std::hex << code;
    EXPECT_EQ(Find(code), nullptr);
  }
  for (uint32_t code :
       {0x16u, 0x17u, 0x27u, 0xc5u, 0xdfu, 0xe7u, 0xffu, 0xfb001fu, 0xfb0027u, 0xfc0017u, 0xfc0032u,
        0xfd009au, 0xfd0114u, 0xfd0150u, 0xfe0005u, 0xfe00ffu}) {
    EXPECT_EQ(ProposalOf(code), std::nullopt) << std::hex << code;
    EXPECT_EQ(Find(code), nullptr) << std::hex << code;
  }
}

// ---- Codes, as another tool knows them ----

// Immediates in the text format; nullptr for instructions that do not stand alone, and those whose
// text differs between tools.
const char* ImmediatesText(const Row& row) {
  switch (row.immediate) {
    case Immediate::kNone:
      return row.opcode == Opcode::kElse || row.opcode == Opcode::kEnd ||
                     row.opcode == Opcode::kCatchAll || row.opcode == Opcode::kThrowRef ||
                     absl::StrContains(row.name, "relaxed_dot") ||
                     row.feature == Feature::kWideArithmetic ||
                     row.feature == Feature::kFunctionReferences || row.feature == Feature::kGc
                 ? nullptr
                 : "";
    case Immediate::kFunction:
    case Immediate::kLocal:
    case Immediate::kGlobal:
    case Immediate::kTable:
    case Immediate::kData:
    case Immediate::kElement:
    case Immediate::kElementTable:
    case Immediate::kI32:
    case Immediate::kI64:
    case Immediate::kF32:
    case Immediate::kF64:
      return "0";
    case Immediate::kLabel:
      return row.feature == Feature::kMvp ? "0" : nullptr;
    case Immediate::kTag:
      return row.opcode == Opcode::kThrow ? "0" : nullptr;
    case Immediate::kBrTable:
    case Immediate::kTableTable:
      return "0 0";
    case Immediate::kV128:
      return "i32x4 0 0 0 0";
    case Immediate::kShuffle:
      return "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0";
    case Immediate::kLane2:
    case Immediate::kLane4:
    case Immediate::kLane8:
    case Immediate::kLane16:
    case Immediate::kMemLane8:
    case Immediate::kMemLane16:
    case Immediate::kMemLane32:
    case Immediate::kMemLane64:
    case Immediate::kDataMemory:
      return "0";
    case Immediate::kCallIndirect:
      return "(type 0)";
    case Immediate::kSelectTypes:
      return "(result i32)";
    case Immediate::kHeapType:
      return "func";
    case Immediate::kBlock:
    case Immediate::kTryTable:
    case Immediate::kType:
    case Immediate::kStruct:
    case Immediate::kStructField:
    case Immediate::kArray:
    case Immediate::kArrayCount:
    case Immediate::kArrayData:
    case Immediate::kArrayElement:
    case Immediate::kArrayArray:
    case Immediate::kCastType:
    case Immediate::kCastBranch:
      return nullptr;
    default:
      return "";
  }
}

TEST(Opcodes, CodesAreThoseOfWabt) {
  FERMATA_SKIP_WITHOUT_WAT2WASM();
  std::vector<const Row*> rows;
  std::string wat =
      "(module (type (func)) (memory 1) (table 1 funcref) (global (mut i32) (i32.const 0))\n"
      "(tag) (data \"x\") (elem func 0)\n";
  for (const Row& row : Rows()) {
    const char* immediates = ImmediatesText(row);
    if (immediates == nullptr) continue;
    rows.push_back(&row);
    absl::StrAppend(&wat, "(func (local i32) ", row.name, " ", immediates, ")\n");
  }
  const testing_support::Folder folder;
  ASSERT_TRUE(
      testing_support::Assemble(wat + ")\n", folder / "m.wasm", {"--enable-all", "--no-check"}));
  const Bytes bytes = testing_support::ReadBytes(folder / "m.wasm");
  const absl::StatusOr<Module> module = ReadModule("m.wasm", bytes);
  ASSERT_TRUE(module.ok()) << module.status();
  ASSERT_EQ(module->functions.size(), rows.size());
  EXPECT_GT(rows.size(), 480u);
  for (size_t i = 0; i < rows.size(); ++i) {
    const Bytes code = testing_support::Encode(rows[i]->opcode);
    const absl::Span<const uint8_t> body = module->functions[i].body;  // 1 group of locals: 3 bytes
    ASSERT_GE(body.size(), 3 + code.size());
    EXPECT_EQ(Bytes(body.begin() + 3, body.begin() + 3 + code.size()), code) << rows[i]->name;
  }
}

TEST(Features, NamesAreDistinctAndSupportIsStated) {
  std::set<std::string> names;
  int supported = 0;
#define FERMATA_CHECK_FEATURE(enumerator, name, on)            \
  EXPECT_STREQ(Name(Feature::enumerator), name);               \
  EXPECT_TRUE(names.insert(name).second);                      \
  EXPECT_EQ(Supported().Has(Feature::enumerator), on) << name; \
  supported += on;
  FERMATA_FEATURES(FERMATA_CHECK_FEATURE)
#undef FERMATA_CHECK_FEATURE
  EXPECT_EQ(supported, 22);
  EXPECT_EQ(NeedsProposal(Feature::kStackSwitching),
            "needs the \"stack-switching\" proposal, which Fermata does not support yet");
}

// The list of cmake/FermataAddGuest.cmake, which checks the argument FEATURES before there is a
// translator to ask.
TEST(Features, CMakeKnowsThoseThatAreSupported) {
  std::string text = testing_support::ReadFile(FERMATA_SOURCE_DIR "/cmake/FermataAddGuest.cmake");
  const std::string begin = "set(_FERMATA_FEATURES ";
  const size_t at = text.find(begin);
  ASSERT_NE(at, std::string::npos);
  text = text.substr(at + begin.size());
  const std::vector<std::string> listed =
      absl::StrSplit(text.substr(0, text.find(')')), absl::ByAnyChar(" \n"), absl::SkipEmpty());
  std::vector<std::string> supported;
  for (Feature f : kAllFeatures) {
    if (f != Feature::kMvp && Supported().Has(f)) supported.push_back(Name(f));
  }
  EXPECT_THAT(listed, testing::UnorderedElementsAreArray(supported));
}

}  // namespace
}  // namespace fermata::wasm

// The one table of instructions: that it is consistent with itself, and with the names that the
// specification gives (which say most of an instruction's signature).
#include "translator/wasm/opcodes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <map>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "tests/wasm_builder.h"

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
#undef FERMATA_OPCODE
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
    EXPECT_EQ(row.enumerator, expected);
  }
}

// What a numeric instruction's name says of its signature: "i64.extend_i32_s" takes i32, gives i64;
// "f32.add" takes two f32; comparisons give i32.
std::string SignatureByName(const std::string& name) {
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

bool IsScalar(const Row& row) { return row.code <= 0xff || row.code >> 16 == 0xfc; }

TEST(Opcodes, NumericSignaturesAreWhatTheNamesSay) {
  int numeric = 0;
  for (const Row& row : Rows()) {
    if (row.immediate != Immediate::kNone || row.signature.empty() || !IsScalar(row)) continue;
    if (row.feature == Feature::kWideArithmetic) continue;
    ++numeric;
    EXPECT_EQ(row.signature, SignatureByName(row.name)) << row.name;
  }
  EXPECT_EQ(numeric, 123 + 5 + 8);
}

// "i8x16.add" takes two vectors and gives one; "i8x16.splat" takes what fits a lane.
std::string VectorSignatureByName(const std::string& name) {
  const std::string shape = name.substr(0, name.find('.'));
  const std::string op = name.substr(name.find('.') + 1);
  const std::string lane = shape == "i64x2"   ? "I"
                           : shape == "f32x4" ? "f"
                           : shape == "f64x2" ? "F"
                                              : "i";
  const auto starts = [&](std::initializer_list<const char*> words) {
    for (const char* word : words) {
      if (absl::StartsWith(op, word)) return true;
    }
    return false;
  };
  if (op == "splat") return lane + ":V";
  if (op == "all_true" || op == "bitmask" || op == "any_true") return "V:i";
  if (op == "shl" || op == "shr_s" || op == "shr_u") return "Vi:V";
  if (op == "bitselect" || starts({"relaxed_madd", "relaxed_nmadd", "relaxed_laneselect",
                                   "relaxed_dot_i8x16_i7x16_add"})) {
    return "VVV:V";
  }
  if (op == "abs" || op == "neg" || op == "not" ||
      starts({"popcnt", "ceil", "floor", "trunc", "nearest", "sqrt", "extend_", "extadd_",
              "convert", "demote", "promote", "relaxed_trunc"})) {
    return "V:V";
  }
  return "VV:V";
}

TEST(Opcodes, VectorSignaturesAreWhatTheNamesSay) {
  int simd = 0, relaxed = 0;
  for (const Row& row : Rows()) {
    simd += row.feature == Feature::kSimd;
    relaxed += row.feature == Feature::kRelaxedSimd;
    if (row.immediate != Immediate::kNone || row.code >> 16 != 0xfd) continue;
    EXPECT_EQ(row.signature, VectorSignatureByName(row.name)) << row.name;
  }
  EXPECT_EQ(simd, 236);
  EXPECT_EQ(relaxed, 20);
}

// "i64.atomic.rmw16.add_u": 16 bits of memory, an i64 to add, the i64 before.
TEST(Opcodes, AtomicsAreWhatTheNamesSay) {
  int atomics = 0;
  for (const Row& row : Rows()) {
    if (!absl::StrContains(row.name, ".atomic.") || absl::StartsWith(row.name, "memory")) continue;
    ++atomics;
    const std::vector<std::string> words = absl::StrSplit(row.name, '.');
    const std::string type = words[0] == "i32" ? "i" : "I";
    const std::string width =
        words[2].substr(std::min(words[2].find_first_of("0123456789_"), words[2].size()));
    const std::string bits =
        width.empty() || width[0] == '_' ? words[0].substr(1) : width.substr(0, width.find('_'));
    const std::string signature = absl::StartsWith(words[2], "load")    ? "i:" + type
                                  : absl::StartsWith(words[2], "store") ? "i" + type + ":"
                                  : absl::StartsWith(words[3], "cmpxchg")
                                      ? "i" + type + type + ":" + type
                                      : "i" + type + ":" + type;
    EXPECT_EQ(row.signature, signature) << row.name;
    const Immediate expected = bits == "8"    ? Immediate::kAtomic8
                               : bits == "16" ? Immediate::kAtomic16
                               : bits == "32" ? Immediate::kAtomic32
                                              : Immediate::kAtomic64;
    EXPECT_EQ(row.immediate, expected) << row.name;
  }
  EXPECT_EQ(atomics, 7 * 9);
}

TEST(Opcodes, MemoryAccessesAreWhatTheNamesSay) {
  for (const Row& row : Rows()) {
    if (!IsScalar(row)) continue;
    const bool load = absl::StrContains(row.name, ".load");
    const bool store = absl::StrContains(row.name, ".store");
    if (!load && !store) continue;
    const std::string type = std::map<std::string, std::string>{
        {"i32", "i"}, {"i64", "I"}, {"f32", "f"}, {"f64", "F"}}[row.name.substr(0, 3)];
    EXPECT_EQ(row.signature, load ? "i:" + type : "i" + type + ":") << row.name;
    const size_t digits = row.name.find_first_of("0123456789", row.name.find('.'));
    const std::string width = digits == std::string::npos
                                  ? row.name.substr(1, 2)
                                  : row.name.substr(digits, row.name[digits] == '8' ? 1 : 2);
    const Immediate expected = width == "8"    ? Immediate::kMemArg8
                               : width == "16" ? Immediate::kMemArg16
                               : width == "32" ? Immediate::kMemArg32
                                               : Immediate::kMemArg64;
    EXPECT_EQ(row.immediate, expected) << row.name;
  }
}

TEST(Opcodes, NumericInstructionsThatTrap) {
  for (const Row& row : Rows()) {
    if (row.immediate != Immediate::kNone || row.signature.empty()) continue;
    const bool integer = row.name[0] == 'i';
    const bool divides =
        integer && (absl::StrContains(row.name, ".div") || absl::StrContains(row.name, ".rem"));
    const bool truncates =
        integer && absl::StrContains(row.name, ".trunc_f");  // not trunc_sat_f32_s
    EXPECT_EQ(MayTrap(row.opcode), divides || truncates) << row.name;
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
                                                {0xfb0000, Feature::kGc},
                                                {0xfb001e, Feature::kGc},
                                                {0xfb0020, Feature::kCustomDescriptors}};
  for (const auto& [code, feature] : expected) {
    EXPECT_EQ(ProposalOf(code), feature) << std::hex << code;
    EXPECT_EQ(Find(code), nullptr);
  }
  for (uint32_t code : {0x17u, 0x27u, 0xc5u, 0xf0u, 0xffu, 0xfc0012u, 0xfe00ffu}) {
    EXPECT_EQ(ProposalOf(code), std::nullopt) << std::hex << code;
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
  EXPECT_GE(supported, 8);
  EXPECT_EQ(NeedsProposal(Feature::kGc),
            "needs the \"gc\" proposal, which Fermata does not support yet");
}

TEST(Features, AreChangedByAList) {
  FeatureSet set = Supported();
  EXPECT_TRUE(ChangeFeatures("-threads,-simd", set).ok());
  EXPECT_FALSE(set.Has(Feature::kThreads));
  EXPECT_FALSE(set.Has(Feature::kSimd));
  EXPECT_TRUE(set.Has(Feature::kTailCall));
  EXPECT_TRUE(ChangeFeatures("threads", set).ok());
  EXPECT_TRUE(set.Has(Feature::kThreads));
  EXPECT_TRUE(ChangeFeatures("", set).ok());
  EXPECT_EQ(ChangeFeatures("time-travel", set).message(), "no proposal \"time-travel\"");
  EXPECT_EQ(ChangeFeatures("gc", set).code(), absl::StatusCode::kUnimplemented);
  EXPECT_TRUE(ChangeFeatures("-gc", set).ok());
}

}  // namespace
}  // namespace fermata::wasm

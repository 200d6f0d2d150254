// The replay tool: reading traces, and playing them, suspended and plain, against a small guest.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"
#include "tests/replay/player.h"
#include "tests/replay/report.h"
#include "tests/replay/trace.h"
#include "tests/support/files.h"
#include "tests/support/native.h"

namespace fermata::replay {
namespace {

using testing::HasSubstr;

uint64_t Bits(double v) {
  uint64_t bits;
  memcpy(&bits, &v, sizeof bits);
  return bits;
}
uint64_t Bits(float v) {
  uint32_t bits;
  memcpy(&bits, &v, sizeof bits);
  return bits;
}

std::string TempPath(const std::string& name) {
  static const testing_support::Folder folder;
  return folder / name;
}

// The value written as `json`.
TraceValue Parsed(const std::string& json) {
  absl::StatusOr<TraceEvent> event = ParseTraceEvent("[\"ret\",[" + json + "]]");
  EXPECT_TRUE(event.ok()) << event.status();
  return event.ok() && event->values.size() == 1 ? event->values[0] : TraceValue();
}

// ---- Values ----

TEST(TraceValues, IntegersSignedOrUnsigned) {
  EXPECT_EQ(NumericBits(Parsed("-1"), ValType::kI32), 0xffffffffu);
  EXPECT_EQ(NumericBits(Parsed("4294967295"), ValType::kI32), 0xffffffffu);
  EXPECT_EQ(NumericBits(Parsed("4294967297"), ValType::kI32), 1u);
  EXPECT_EQ(NumericBits(Parsed("-2147483649"), ValType::kI32), 0x7fffffffu);
  EXPECT_EQ(NumericBits(Parsed("3.9"), ValType::kI32), 3u);
  EXPECT_EQ(NumericBits(Parsed("\"nan\""), ValType::kI32), 0u);
  EXPECT_TRUE(SameNumeric(ValType::kI32, 0x80000000u, Parsed("-2147483648")));
  EXPECT_TRUE(SameNumeric(ValType::kI32, 0x80000000u, Parsed("2147483648")));
  EXPECT_FALSE(SameNumeric(ValType::kI32, 5, Parsed("6")));
  EXPECT_FALSE(SameNumeric(ValType::kI32, 0, Parsed("null")));
}

TEST(TraceValues, BigIntegersModulo64Bits) {
  EXPECT_EQ(NumericBits(Parsed("\"9007199254740993n\""), ValType::kI64), 9007199254740993u);
  EXPECT_EQ(NumericBits(Parsed("\"-1n\""), ValType::kI64), ~uint64_t{0});
  EXPECT_EQ(NumericBits(Parsed("\"18446744073709551615n\""), ValType::kI64), ~uint64_t{0});
  EXPECT_EQ(NumericBits(Parsed("\"-9223372036854775808n\""), ValType::kI64), uint64_t{1} << 63);
  EXPECT_EQ(NumericBits(Parsed("12"), ValType::kI64), 12u);
  EXPECT_FALSE(SameNumeric(ValType::kI64, 9007199254740992u, Parsed("\"9007199254740993n\"")));
}

TEST(TraceValues, Floats) {
  EXPECT_EQ(NumericBits(Parsed("\"-0\""), ValType::kF64), Bits(-0.0));
  EXPECT_EQ(NumericBits(Parsed("\"inf\""), ValType::kF32),
            Bits(std::numeric_limits<float>::infinity()));
  EXPECT_EQ(NumericBits(Parsed("\"-inf\""), ValType::kF64),
            Bits(-std::numeric_limits<double>::infinity()));
  EXPECT_TRUE(std::isnan(Parsed("\"nan\"").number));
  EXPECT_EQ(NumericBits(Parsed("0.1"), ValType::kF64), Bits(0.1));
  // An f32 is recorded as the double that it widens to, or as the host computed it.
  EXPECT_TRUE(SameNumeric(ValType::kF32, Bits(0.1f), Parsed("0.10000000149011612")));
  EXPECT_TRUE(SameNumeric(ValType::kF32, Bits(0.1f), Parsed("0.1")));
  EXPECT_FALSE(SameNumeric(ValType::kF64, Bits(double{0.1f}), Parsed("0.1")));
  EXPECT_TRUE(SameNumeric(ValType::kF64, Bits(std::nan("1")), Parsed("\"nan\"")));
  EXPECT_TRUE(SameNumeric(ValType::kF64, Bits(-0.0), Parsed("0")));
  EXPECT_FALSE(SameNumeric(ValType::kF64, Bits(0.0), Parsed("\"nan\"")));
}

TEST(TraceValues, ReferencesKeepTheirIdentity) {
  EXPECT_EQ(Parsed("{\"r\":7}").kind, TraceValue::kRef);
  EXPECT_EQ(Parsed("{\"r\":7}").ref, 7);
  EXPECT_EQ(Parsed("null").kind, TraceValue::kNull);
  ValueMap map;
  const TraceValue a = Parsed("{\"r\":0}"), b = Parsed("{\"r\":1}"), null = Parsed("null");
  const TraceValue number = Parsed("1234567"), close = Parsed("1234568");
  const Value va = *map.ToGuest(&a, ValType::kExternRef);
  const Value vb = *map.ToGuest(&b, ValType::kExternRef);
  const Value vn = *map.ToGuest(&number, ValType::kExternRef);
  EXPECT_NE(va.ref(), 0u);
  EXPECT_NE(va.ref(), vb.ref());
  EXPECT_EQ(map.ToGuest(&a, ValType::kExternRef)->ref(), va.ref());
  EXPECT_EQ(map.ToGuest(&null, ValType::kExternRef)->ref(), 0u);
  EXPECT_TRUE(map.Same(va, a));
  EXPECT_FALSE(map.Same(va, b));
  EXPECT_FALSE(map.Same(va, null));
  EXPECT_TRUE(map.Same(Value::ExternRef(0), null));
  EXPECT_TRUE(map.Same(vn, number));
  EXPECT_FALSE(map.Same(vn, close));
  // A function is what it was when it was first seen.
  EXPECT_FALSE(map.ToGuest(&a, ValType::kFuncRef).ok());
  EXPECT_TRUE(map.Same(Value::FuncRef(5), a));
  EXPECT_FALSE(map.Same(Value::FuncRef(6), a));
  EXPECT_EQ(map.ToGuest(&a, ValType::kFuncRef)->ref(), 5u);
}

TEST(TraceValues, UndefinedIsZeroOrNaN) {
  ValueMap map;
  EXPECT_EQ(map.ToGuest(nullptr, ValType::kI32)->i32(), 0u);
  EXPECT_EQ(map.ToGuest(nullptr, ValType::kI64)->i64(), 0u);
  EXPECT_TRUE(std::isnan(map.ToGuest(nullptr, ValType::kF64)->f64()));
  const Value undefined = *map.ToGuest(nullptr, ValType::kExternRef);
  EXPECT_NE(undefined.ref(), 0u);
  EXPECT_TRUE(map.Same(undefined, Parsed("0")));
}

// ---- Events ----

TEST(TraceEvents, EachKind) {
  TraceEvent e = *ParseTraceEvent(R"(["call","f",[1,"2n"]])");
  EXPECT_EQ(e.kind, TraceEvent::kCall);
  EXPECT_EQ(e.name, "f");
  EXPECT_EQ(e.values.size(), 2u);
  e = *ParseTraceEvent(R"(["tcall",12,[]])");
  EXPECT_EQ(e.kind, TraceEvent::kTableCall);
  EXPECT_EQ(e.number, 12u);
  e = *ParseTraceEvent(R"(["imp","a b","\u00e9",[null]])");
  EXPECT_EQ(e.kind, TraceEvent::kImport);
  EXPECT_EQ(e.module, "a b");
  EXPECT_EQ(e.name, "\xc3\xa9");
  e = *ParseTraceEvent(R"(["throw","exit"])");
  EXPECT_EQ(e.kind, TraceEvent::kThrow);
  EXPECT_EQ(e.text, "exit");
  EXPECT_EQ(ParseTraceEvent(R"(["trap","unreachable"])")->kind, TraceEvent::kTrap);
  EXPECT_EQ(ParseTraceEvent(R"(["res",[]])")->kind, TraceEvent::kResult);
  e = *ParseTraceEvent(R"(["mem",1024,"AAH/"])");
  EXPECT_EQ(e.kind, TraceEvent::kWrite);
  EXPECT_EQ(e.number, 1024u);
  EXPECT_EQ(e.text, std::string("\x00\x01\xff", 3));
  EXPECT_EQ(ParseTraceEvent(R"(["grow",2])")->kind, TraceEvent::kGrow);
  EXPECT_EQ(ParseTraceEvent(R"(["tgrow",3])")->kind, TraceEvent::kTableGrow);
  EXPECT_EQ(ParseTraceEvent(R"(["tset",1,null])")->element, TraceEvent::kNull);
  EXPECT_EQ(ParseTraceEvent(R"(["tset",1,{"foreign":1}])")->element, TraceEvent::kForeign);
  e = *ParseTraceEvent(R"(["tset",1,{"export":"g"}])");
  EXPECT_EQ(e.element, TraceEvent::kExport);
  EXPECT_EQ(e.name, "g");
  e = *ParseTraceEvent(R"(["tset",1,{"host":"f0","sig":"iI:F","wrapper":""}])");
  EXPECT_EQ(e.element, TraceEvent::kHostFunction);
  EXPECT_EQ(e.text, "iI:F");
  e = *ParseTraceEvent(R"(["memhash",2,"00ff"])");
  EXPECT_EQ(e.kind, TraceEvent::kMemoryHash);
  EXPECT_EQ(e.text, "00ff");
}

TEST(TraceEvents, MalformedLinesAreErrors) {
  for (const char* line :
       {"", "{", "[]", "{}", "[1]", R"(["nonsense"])", R"(["call","f"])", R"(["call",1,[]])",
        R"(["call","f",{}])", R"(["call","f",[true]])", R"(["call","f",["1x"]])",
        R"(["call","f",["n"]])", R"(["call","f",[{"q":1}]])", R"(["mem",-1,""])",
        R"(["mem",0,"***"])", R"(["tset",0,5])", R"(["tset",0,{"host":"f"}])",
        R"(["memhash","x","y"])"}) {
    EXPECT_FALSE(ParseTraceEvent(line).ok()) << line;
  }
}

TEST(TraceHeaders, WhatTheHostProvided) {
  absl::StatusOr<TraceHeader> header = ParseTraceHeader(
      R"({"sha256":"ab","import_memory":["a","b"],"init_pages":16,"import_table":["a","t",30],)"
      R"("import_globals":[["S","x",{"r":3}],["S","y","7n"]],"truncated":true})");
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->sha256, "ab");
  EXPECT_EQ(header->init_pages, 16u);
  EXPECT_EQ(header->import_table_size, 30u);
  ASSERT_EQ(header->import_globals.size(), 2u);
  EXPECT_EQ(header->import_globals[0].value.ref, 3);
  EXPECT_EQ(header->import_globals[1].name, "y");
  EXPECT_TRUE(header->truncated);
  EXPECT_FALSE(ParseTraceHeader("[]").ok());
  EXPECT_FALSE(ParseTraceHeader(R"({"import_table":[1]})").ok());
}

TEST(TraceReaders, GivesEventsInOrderAndErrorsWithTheirPlace) {
  const std::string path = TempPath("reader.jsonl.gz");
  gzFile file = gzopen(path.c_str(), "wb");
  const std::string text =
      absl::StrCat("{}\n[\"grow\",1]\n[\"throw\",\"", std::string(100000, 'x'), "\"]\n[\"bad\"]\n");
  ASSERT_EQ(gzwrite(file, text.data(), text.size()), static_cast<int>(text.size()));
  gzclose(file);
  absl::StatusOr<TraceReader> reader = TraceReader::Open(path);
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ((*reader->Next())->kind, TraceEvent::kGrow);
  EXPECT_EQ((*reader->Next())->text.size(), 100000u);
  EXPECT_THAT(std::string(reader->Next().status().message()), HasSubstr("event 2:"));
  EXPECT_FALSE(reader->Next()->has_value()) << "the end";

  // A file that ends inside its compressed data.
  const std::string bytes = testing_support::ReadFile(path);
  testing_support::WriteFile(path, bytes.substr(0, bytes.size() / 2));
  absl::StatusOr<TraceReader> cut = TraceReader::Open(path);
  absl::Status status = cut.status();
  while (status.ok()) {
    absl::StatusOr<std::optional<TraceEvent>> event = cut->Next();
    status = event.status();
    ASSERT_FALSE(event.ok() && !event->has_value()) << "taken for complete";
  }
  EXPECT_FALSE(TraceReader::Open(path + ".missing").ok());
}

TEST(Reports, LinesAndJson) {
  GuestResult result;
  result.name = "x";
  result.status = "ok";
  result.imports = 7;
  result.seconds = 0.25;
  EXPECT_EQ(ToLine(result), "ok x imports=7 seconds=0.250");
  absl::StatusOr<GuestResult> back = FromJson(ToJson(result));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(ToLine(*back), ToLine(result));
  result.status = "FAIL";
  result.reason = "event 3: one\ntwo \xff";
  EXPECT_EQ(ToLine(result), "FAIL x event 3: one; two \xff");
  EXPECT_TRUE(FromJson(ToJson(result)).ok());
  EXPECT_FALSE(FromJson("").ok());
  EXPECT_FALSE(WriteReport(testing::TempDir() + "/no/such/folder/r.json", {result}).ok());
}

// ---- Playing ----

driver::NativeBuildOptions GuestBuild() {
  return testing_support::BuildOptions(FERMATA_SOURCE_DIR "/tests/replay/guest/module.wasm");
}

const ModuleInfo* GuestModule() {
  static const ModuleInfo* module = [] {
    driver::NativeBuildOptions options = GuestBuild();
    options.optimization = "-O1";
    options.cache_dir = testing::TempDir() + "/fermata-replay-test";
    return testing_support::BuildAndLoad(options);
  }();
  return module;
}

class Playing : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override { ASSERT_NE(GuestModule(), nullptr); }

  absl::Status Play(const std::vector<std::string>& events, const std::string& header_extra = "") {
    const std::string path = TempPath("play.jsonl");
    // zlib reads plain files as they are.
    testing_support::WriteFile(
        path, absl::StrCat(R"({"import_table":["env","table",4],"init_pages":2,)",
                           R"("import_globals":[["env","seed",11]])", header_extra, "}\n",
                           absl::StrJoin(events, "\n"), "\n"));
    absl::StatusOr<TraceReader> trace = TraceReader::Open(path);
    if (!trace.ok()) return trace.status();
    Player player(*trace, GetParam());
    const absl::Status status = player.Play(*GuestModule());
    stats = player.stats();
    return status;
  }
  // The trace plays up to a difference that `message` tells of.
  void ExpectDifference(const std::vector<std::string>& events, const std::string& message) {
    const absl::Status status = Play(events);
    EXPECT_FALSE(status.ok());
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
  }

  PlayStats stats;
};
INSTANTIATE_TEST_SUITE_P(Mode, Playing, testing::Bool(),
                         [](const auto& info) { return info.param ? "Plain" : "Suspended"; });

TEST_P(Playing, ImportsAreCheckedAndAnswered) {
  EXPECT_EQ(Play({R"(["call","twice",[5]])", R"(["imp","env","get",[5]])", R"(["ret",[30]])",
                  R"(["imp","env","get",[6]])", R"(["ret",[-2]])", R"(["res",[28]])",
                  R"(["call","seed",[]])", R"(["res",[11]])", R"(["call","both",[]])",
                  R"(["res",["-0","9007199254740993n"]])"}),
            absl::OkStatus());
  EXPECT_EQ(stats.imports, 2u);
  EXPECT_EQ(stats.calls, 3u);
  EXPECT_EQ(stats.suspensions, GetParam() ? 0u : 2u);
  EXPECT_EQ(stats.nesting, 1u);
}

TEST_P(Playing, CallsNestInsideImportCalls) {
  std::vector<std::string> events, ends;
  for (int depth = 0; depth < 30; ++depth) {
    events.push_back(R"(["call","twice",[1]])");
    events.push_back(R"(["imp","env","get",[1]])");
    for (const char* end :
         {R"(["res",[7]])", R"(["ret",[4]])", R"(["imp","env","get",[2]])", R"(["ret",[3]])"}) {
      ends.insert(ends.begin(), end);
    }
  }
  events.insert(events.end(), ends.begin(), ends.end());
  EXPECT_EQ(Play(events), absl::OkStatus());
  EXPECT_EQ(stats.nesting, 30u);
  EXPECT_EQ(stats.imports, 60u);
}

TEST_P(Playing, TheHostChangesMemoryInsideAnImportCall) {
  EXPECT_EQ(
      Play({R"(["mem",8,"KgAAAA=="])", R"(["call","load",[8]])", R"(["res",[42]])",
            R"(["call","twice",[0]])", R"(["imp","env","get",[0]])", R"(["mem",8,"BwAAAA=="])",
            R"(["call","store",[12,5]])", R"(["res",[]])", R"(["grow",1])",
            R"(["mem",131072,"AQ=="])", R"(["ret",[]])", R"(["imp","env","get",[1]])",
            R"(["ret",[1]])", R"(["res",[1]])", R"(["call","load",[8]])", R"(["res",[7]])",
            R"(["call","load",[131072]])", R"(["res",[1]])"}),
      absl::OkStatus());
  EXPECT_EQ(stats.memory_bytes, 3 * 65536u);
  ExpectDifference({R"(["mem",131072,"AQ=="])"}, "past the memory");
}

TEST_P(Playing, TheFinalMemoryIsCompared) {
  std::vector<uint8_t> memory(2 * 65536);
  memory[3] = 9;
  const std::string hash = llvm::toHex(llvm::SHA256::hash(memory), /*LowerCase=*/true);
  EXPECT_EQ(Play({R"(["mem",3,"CQ=="])", absl::StrCat("[\"memhash\",2,\"", hash, "\"]")}),
            absl::OkStatus());
  EXPECT_TRUE(stats.hash_checked);
  ExpectDifference({absl::StrCat("[\"memhash\",2,\"", hash, "\"]")}, "contents differ");
  ExpectDifference({absl::StrCat("[\"memhash\",3,\"", hash, "\"]")}, "2 pages, not 3");
}

TEST_P(Playing, AThrownExceptionEndsTheCallsThatItPasses) {
  EXPECT_EQ(
      Play({R"(["call","twice",[1]])", R"(["imp","env","get",[1]])", R"(["call","twice",[5]])",
            R"(["imp","env","get",[5]])", R"(["throw","exit"])", R"(["trap","exit"])",
            R"(["ret",[1]])", R"(["imp","env","get",[2]])", R"(["throw","again"])",
            R"(["trap","again"])", R"(["call","negate",[3]])", R"(["res",[-3]])"}),
      absl::OkStatus());
  ExpectDifference({R"(["call","twice",[1]])", R"(["imp","env","get",[1]])", R"(["throw","exit"])",
                    R"(["res",[0]])"},
                   "trapped");
}

TEST_P(Playing, TablesHoldExportsAndHostFunctions) {
  EXPECT_EQ(Play({R"(["tset",0,{"export":"negate"}])",
                  R"(["call","through",[0,8]])",
                  R"(["res",[-8]])",
                  R"(["tset",1,{"host":"f3","sig":"i:i","wrapper":""}])",
                  R"(["call","through",[1,8]])",
                  R"(["imp","#host","f3",[8]])",
                  R"(["ret",[80]])",
                  R"(["res",[80]])",
                  R"(["tcall",0,[1]])",
                  R"(["res",[-1]])",
                  R"(["tcall",1,[2]])",
                  R"(["imp","#host","f3",[2]])",
                  R"(["ret",[3]])",
                  R"(["res",[3]])",
                  R"(["tset",0,null])",
                  R"(["call","through",[0,8]])",
                  R"(["trap","null function or function signature mismatch"])",
                  R"(["tgrow",2])",
                  R"(["tset",5,{"export":"negate"}])",
                  R"(["tcall",5,[9]])",
                  R"(["res",[-9]])"}),
            absl::OkStatus());
  EXPECT_EQ(stats.imports, 2u);
}

TEST_P(Playing, ReferencesComeBackAsTheSame) {
  EXPECT_EQ(Play({R"(["call","send",["-5n",0.1,{"r":4}]])",
                  R"(["imp","env","put",["-5n",0.10000000149011612,{"r":4}]])", R"(["ret",[]])",
                  R"(["res",[]])", R"(["call","forward",[]])", R"(["imp","env","make",[]])",
                  R"(["ret",[{"r":4}]])", R"(["imp","env","put",["-1n","nan",{"r":4}]])",
                  R"(["ret",[]])", R"(["res",[]])"}),
            absl::OkStatus());
  ExpectDifference({R"(["call","send",["1n",0,{"r":4}]])",
                    R"(["imp","env","put",["1n",0,{"r":5}]])", R"(["ret",[]])", R"(["res",[]])"},
                   "ref 5");
}

TEST_P(Playing, DifferencesAreFound) {
  const char* kCall = R"(["call","twice",[5]])";
  const char* kImport = R"(["imp","env","get",[5]])";
  ExpectDifference({kCall, R"(["imp","env","get",[6]])", R"(["ret",[1]])"},
                   "event 2: the guest called env.get(i32 5), expected import env.get(6)");
  ExpectDifference({kCall, R"(["imp","env","put",[5]])", R"(["ret",[1]])"}, "env.put(5)");
  ExpectDifference({kCall, R"(["imp","env","get",[5,5]])", R"(["ret",[1]])"}, "get(5, 5)");
  ExpectDifference({kCall, R"(["res",[1]])"}, "expected result (1)");
  ExpectDifference({kCall, kImport, R"(["ret",[1]])", R"(["res",[1]])"}, "expected result (1)");
  ExpectDifference({kCall, kImport}, "trace ends");
  ExpectDifference({kCall}, "trace ends");
  ExpectDifference({R"(["call","negate",[5]])", R"(["res",[5]])"},
                   "negate returned (i32 -5), expected result (5)");
  ExpectDifference({R"(["call","negate",[5]])", R"(["trap","x"])"}, "negate returned (i32 -5)");
  ExpectDifference({R"(["call","negate",[5]])", R"(["res",[-5,0]])"}, "result (-5, 0)");
  ExpectDifference({R"(["call","load",[-4]])", R"(["res",[0]])"}, "out of bounds memory access");
  ExpectDifference({R"(["call","nothing",[]])", R"(["res",[]])"}, "nothing");
  ExpectDifference({R"(["ret",[]])"}, "no import call to answer");
  ExpectDifference({R"(["res",[]])"}, "did not expect");
  ExpectDifference({R"(["tset",0,{"foreign":1}])"}, "another module");
}

TEST_P(Playing, ATruncatedTraceMayEndAnywhere) {
  const std::string truncated = R"(,"truncated":true)";
  EXPECT_EQ(Play({R"(["call","twice",[5]])"}, truncated), absl::OkStatus());
  EXPECT_EQ(Play({R"(["call","twice",[5]])", R"(["imp","env","get",[5]])"}, truncated),
            absl::OkStatus());
  EXPECT_EQ(
      Play({R"(["call","twice",[5]])", R"(["imp","env","get",[5]])", R"(["ret",[1]])"}, truncated),
      absl::OkStatus());
  EXPECT_FALSE(Play({R"(["call","twice",[5]])", R"(["imp","env","get",[4]])"}, truncated).ok());
}

TEST_P(Playing, ATraceOfAnotherModuleIsRefused) {
  const absl::Status status = Play({}, R"(,"sha256":"00")");
  EXPECT_THAT(std::string(status.message()), HasSubstr("another module"));
  const std::string hash = llvm::toHex(
      llvm::ArrayRef(GuestModule()->hash, sizeof GuestModule()->hash), /*LowerCase=*/true);
  EXPECT_EQ(Play({}, absl::StrCat(",\"sha256\":\"", hash, "\"")), absl::OkStatus());
}

// ---- Version 2 ----

TEST(TraceValues, OfVersion2) {
  EXPECT_EQ(Parsed(R"({"s":"a\u00e9"})").text, u"a\u00e9");
  EXPECT_EQ(Parsed(R"({"s":"\ud83d\ude00"})").text, u"\U0001f600");
  EXPECT_EQ(Parsed(R"({"s":"\ud800x\udc00"})").text, (std::u16string{0xd800, 'x', 0xdc00}));
  EXPECT_EQ(Parsed(R"({"s":"\\ud800"})").text, u"\\ud800");  // a backslash
  EXPECT_EQ(Parsed(R"({"g":7})").kind, TraceValue::kObject);
  EXPECT_EQ(Parsed(R"({"f":8})").ref, 8);
  EXPECT_EQ(Parsed(R"({"x":"run"})").name, "run");
  EXPECT_EQ(Parsed(R"({"u":1})").kind, TraceValue::kUndefined);
  EXPECT_TRUE(SameNumeric(ValType::kI32, 1, Parsed(R"({"b":1})")));
  EXPECT_FALSE(SameNumeric(ValType::kI32, 0, Parsed(R"({"s":"0"})")));
}

TEST(TraceEvents, OfVersion2) {
  auto event = ParseTraceEvent(R"(["fcall",3,[1]])");
  ASSERT_TRUE(event.ok());
  EXPECT_EQ(event->kind, TraceEvent::kFunctionCall);
  EXPECT_EQ(event->number, 3u);
  event = ParseTraceEvent(R"(["gget","x",{"g":1}])");
  ASSERT_TRUE(event.ok());
  EXPECT_EQ(event->values[0].kind, TraceValue::kObject);
  const auto thrown = [](const std::string& info) {
    auto trap = ParseTraceEvent(absl::StrCat("[\"trap\",\"m\",", info, "]"));
    EXPECT_TRUE(trap.ok()) << trap.status();
    return trap.ok() ? *trap : TraceEvent();
  };
  EXPECT_EQ(thrown(R"({"trap":1})").thrown, TraceEvent::kRealTrap);
  EXPECT_EQ(thrown(R"({"same":1})").thrown, TraceEvent::kSameAsBefore);
  EXPECT_EQ(thrown(R"({"tag":"e","args":[1,2]})").values.size(), 2u);
  EXPECT_EQ(thrown(R"({"tag":null,"args":[]})").name, "");
  EXPECT_EQ(thrown(R"({"js":{"s":"x"}})").thrown, TraceEvent::kHostValue);
  for (const char* bad : {R"(["fcall","x",[]])", R"(["gget","x"])", R"(["trap","m",1])",
                          R"(["trap","m",{"js":[]}])"}) {
    EXPECT_FALSE(ParseTraceEvent(bad).ok()) << bad;
  }
  const auto header =
      ParseTraceHeader(R"({"version":2,"builtins":["js-string"],"string_constants":"'"})");
  ASSERT_TRUE(header.ok());
  EXPECT_TRUE(header->js_strings);
  EXPECT_EQ(header->string_constants, "'");
}

// ---- The native build ----

TEST(NativeBuild, ErrorsNameWhatFailed) {
  driver::NativeBuildOptions options = GuestBuild();
  options.cache_dir = testing::TempDir() + "/fermata-errors-test";
  const auto message = [&] {
    return std::string(driver::BuildSharedModule(options).status().message());
  };
  driver::NativeBuildOptions good = options;
  options.module_path = "/nonexistent.wasm";
  EXPECT_THAT(message(), HasSubstr("/nonexistent.wasm"));
  options = good;
  options.compiler = "no-such-compiler";
  EXPECT_THAT(message(), HasSubstr("no-such-compiler"));
  options = good;
  options.compiler_flags = {"-fno-such-flag"};
  EXPECT_THAT(message(), HasSubstr("-fno-such-flag"));
  options = good;
  options.translator_flags = {"--no-such-flag"};
  EXPECT_THAT(message(), HasSubstr("--no-such-flag"));
  options = good;
  options.module_path = TempPath("bad.wasm");
  testing_support::WriteFile(options.module_path, "not a module");
  EXPECT_THAT(message(), HasSubstr("magic"));
  EXPECT_EQ(driver::MissingProposal("x: needs the \"simd\" proposal, which"), "simd");
  EXPECT_EQ(driver::MissingProposal("x: unexpected end"), "");
}

TEST(NativeBuild, ASecondBuildComesFromTheCache) {
  driver::NativeBuildOptions options = GuestBuild();
  options.optimization = "-O0";
  options.cache_dir = testing::TempDir() + "/fermata-cache-test";
  ASSERT_TRUE(driver::BuildSharedModule(options).ok());
  absl::StatusOr<driver::NativeModule> again = driver::BuildSharedModule(options);
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->cached);
  options.compiler_flags = {"-DOTHER"};
  absl::StatusOr<driver::NativeModule> other = driver::BuildSharedModule(options);
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_NE(other->path, again->path);
}

}  // namespace
}  // namespace fermata::replay

// The runner's own parts, and a tiny suite in which assertions fail on purpose: a runner that can't
// fail proves nothing.
#include "spec-tests/runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "spec-tests/negative.h"
#include "spec-tests/player.h"
#include "spec-tests/report.h"
#include "spec-tests/script.h"
#include "spec-tests/suite.h"
#include "spec-tests/umbrella.h"
#include "spec-tests/values.h"
#include "spec-tests/wire.h"
#include "tests/support/commands.h"
#include "tests/support/files.h"
#include "tests/support/wasm_builder.h"

namespace fermata::spec {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing_support::Bytes;
using testing_support::Code;
using testing_support::WasmBuilder;
using wasm::Opcode;

Lane LaneOf(absl::string_view text) { return *ParseLane(text); }

TEST(Values, LanesAreComparedByBits) {
  EXPECT_TRUE(LaneMatches(LaneOf("0"), 0, 32));
  EXPECT_FALSE(LaneMatches(LaneOf("2147483648"), 0, 32)) << "-0 is not 0";
  EXPECT_TRUE(LaneMatches(LaneOf("18446744073709551615"), ~uint64_t{0}, 64));
  EXPECT_FALSE(ParseLane("nan").ok());
  EXPECT_FALSE(ParseLane("").ok());
}

TEST(Values, CanonicalNansHaveOneFraction) {
  const Lane canonical = LaneOf("nan:canonical");
  EXPECT_TRUE(LaneMatches(canonical, 0x7fc00000, 32));
  EXPECT_TRUE(LaneMatches(canonical, 0xffc00000, 32));
  EXPECT_FALSE(LaneMatches(canonical, 0x7fc00001, 32));
  EXPECT_FALSE(LaneMatches(canonical, 0x7fa00000, 32));
  EXPECT_FALSE(LaneMatches(canonical, 0x7f800000, 32)) << "infinity";
  EXPECT_TRUE(LaneMatches(canonical, 0x7ff8000000000000, 64));
  EXPECT_TRUE(LaneMatches(canonical, 0xfff8000000000000, 64));
  EXPECT_FALSE(LaneMatches(canonical, 0x7ff8000000000001, 64));
}

TEST(Values, ArithmeticNansAreQuiet) {
  const Lane arithmetic = LaneOf("nan:arithmetic");
  EXPECT_TRUE(LaneMatches(arithmetic, 0x7fc00001, 32));
  EXPECT_TRUE(LaneMatches(arithmetic, 0xffffffff, 32));
  EXPECT_FALSE(LaneMatches(arithmetic, 0x7fa00000, 32)) << "signalling";
  EXPECT_FALSE(LaneMatches(arithmetic, 0x3fc00000, 32)) << "1.5";
  EXPECT_TRUE(LaneMatches(arithmetic, 0x7ff8000000000001, 64));
  EXPECT_FALSE(LaneMatches(arithmetic, 0x7ff4000000000000, 64));
}

// A script's values: the arguments of an action.
std::vector<Pattern> Patterns(const std::string& values) {
  absl::StatusOr<Script> script = ParseScript(absl::StrCat(
      R"({"source_filename":"x","commands":[{"type":"assert_return","line":1,"action":)",
      R"({"type":"invoke","field":"f","args":[]},"expected":[)", values, "]}]}"));
  EXPECT_TRUE(script.ok()) << script.status();
  return script.ok() ? script->commands[0].expected : std::vector<Pattern>{};
}

TEST(Values, EachLaneOfAVectorIsComparedOnItsOwn) {
  const Pattern pattern = Patterns(
      R"({"type":"v128","lane_type":"f32","value":["1","nan:canonical","nan:arithmetic","4"]})")[0];
  Value value;
  value.type = ValType::kV128;
  value.low = 0xffc0000000000001;
  value.high = 0x00000004'7fc12345;
  EXPECT_TRUE(Matches(pattern, value));
  value.high = 0x00000005'7fc12345;
  EXPECT_FALSE(Matches(pattern, value));
  const Pattern bytes = Patterns(
      R"({"type":"v128","lane_type":"i8","value":["1","2","3","4","5","6","7","8","9","10","11",)"
      R"("12","13","14","15","255"]})")[0];
  absl::StatusOr<Value> argument = ToValue(bytes);
  ASSERT_TRUE(argument.ok());
  EXPECT_EQ(argument->low, 0x0807060504030201);
  EXPECT_EQ(argument->high, 0xff0f0e0d0c0b0a09);
  EXPECT_TRUE(Matches(bytes, *argument));
}

TEST(Values, References) {
  const auto matches = [](const std::string& pattern, const Value& value) {
    return Matches(Patterns(pattern)[0], value);
  };
  EXPECT_TRUE(matches(R"({"type":"externref","value":"0"})", Value::ExternRef(2)));
  EXPECT_FALSE(matches(R"({"type":"externref","value":"0"})", Value::ExternRef(0)));
  EXPECT_FALSE(matches(R"({"type":"externref","value":"1"})", Value::ExternRef(2)));
  EXPECT_TRUE(matches(R"({"type":"externref","value":"null"})", Value::ExternRef(0)));
  EXPECT_FALSE(matches(R"({"type":"funcref","value":"null"})", Value::ExternRef(0)));
  EXPECT_TRUE(matches(R"({"type":"nullfuncref","value":"null"})", Value::FuncRef(0)));
  EXPECT_TRUE(matches(R"({"type":"refnull"})", Value::FuncRef(0)));
  EXPECT_FALSE(matches(R"({"type":"refnull"})", Value::FuncRef(7)));
  EXPECT_FALSE(matches(R"({"type":"refnull"})", Value::I32(0)));
  EXPECT_TRUE(matches(R"({"type":"funcref"})", Value::FuncRef(7)));
  EXPECT_FALSE(matches(R"({"type":"funcref"})", Value::FuncRef(0)));
  EXPECT_EQ(ToValue(Patterns(R"({"type":"externref","value":"4"})")[0])->ref(), 4u << 2 | 2);
}

TEST(Values, TypesAndCountsMatter) {
  EXPECT_FALSE(Matches(Patterns(R"({"type":"i32","value":"1"})")[0], Value::I64(1)));
  EXPECT_FALSE(Matches(Patterns(R"({"type":"i32","value":"1"})"), std::vector<Value>{}));
  const Pattern either = Patterns(
      R"({"type":"either","values":[{"type":"i32","value":"0"},{"type":"i32","value":"42"}]})")[0];
  EXPECT_TRUE(Matches(either, Value::I32(42)));
  EXPECT_FALSE(Matches(either, Value::I32(41)));
}

TEST(Scripts, NamesOutsideTheFirstPlane) {
  absl::StatusOr<Script> script = ParseScript(
      R"({"source_filename":"x","commands":[{"type":"action","line":1,"action":)"
      R"({"type":"invoke","field":"\ud83f\udffe\\ud83f\u0000\ud800\udc00","args":[]}}]})");
  ASSERT_TRUE(script.ok()) << script.status();
  EXPECT_EQ(script->commands[0].action.field,
            std::string("\xf0\x9f\xbf\xbe\\ud83f\0\xf0\x90\x80\x80", 15));
}

TEST(Scripts, WhatIsNotKnownIsAnError) {
  EXPECT_FALSE(ParseScript("{").ok());
  EXPECT_FALSE(ParseScript("{}").ok());
  EXPECT_FALSE(ParseScript(R"({"commands":[{"type":"assert_nothing","line":3}]})").ok());
  EXPECT_FALSE(
      ParseScript(R"({"commands":[{"type":"assert_return","line":3,"action":{"type":"invoke"}}]})")
          .ok());
}

TEST(Traps, TextsAgreeIfOneBeginsWithTheOther) {
  EXPECT_TRUE(SameTrapText("uninitialized element 2", "uninitialized element"));
  EXPECT_TRUE(SameTrapText("null function reference", "null reference"));
  EXPECT_FALSE(SameTrapText("unreachable", "uninitialized element"));
  EXPECT_FALSE(SameTrapText("unreachable", ""));
}

TEST(Refusals, PositionsAreTakenOff) {
  EXPECT_EQ(WithoutPosition("a.wasm: 0x1f: type mismatch: x", "a.wasm"), "type mismatch: x");
  EXPECT_EQ(WithoutPosition("a.wasm: 0x1f (function 2 \"a: b\"): type mismatch", "a.wasm"),
            "type mismatch");
  EXPECT_EQ(WithoutPosition("other", "a.wasm"), "other");
}

TEST(Umbrellas, ModulesThatTheCompilerRefusesAreLeftOut) {
  const std::string umbrella =
      "// x\n//@ a.0.wasm\nint a;\n//@ a.1.wasm\nint b\n//@ \n    {\"a.0.wasm\", a},\n"
      "    {\"a.1.wasm\", b},\n";
  const auto errors =
      ModulesInError(umbrella, "/tmp/a.cc: In function:\n/tmp/a.cc:5:6: error: expected ';'\n");
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_THAT(errors.at("a.1.wasm"), HasSubstr("expected ';'"));
  const std::string rest = WithoutModules(umbrella, errors);
  EXPECT_THAT(rest, HasSubstr("int a;"));
  EXPECT_THAT(rest, testing::Not(HasSubstr("int b")));
  EXPECT_THAT(rest, testing::Not(HasSubstr("a.1.wasm")));
  EXPECT_THAT(rest, HasSubstr("{\"a.0.wasm\", a}"));
  EXPECT_TRUE(ModulesInError(umbrella, "/tmp/a.cc:7:1: error: x\n").empty());
}

TEST(Wire, NumbersOutOfRangeAreNoOutcomes) {
  EXPECT_TRUE(ParseLines(absl::StrCat(kWirePrefix, R"({"line":1,"type":99,"verdict":0})", "\n"))
                  .outcomes.empty());
  EXPECT_TRUE(ParseLines(absl::StrCat(kWirePrefix, R"({"line":1,"type":0,"verdict":77})", "\n"))
                  .outcomes.empty());
}

TEST(Wire, TasksComeBackAsTheyWere) {
  const testing_support::Folder folder;
  PlayTask task;
  task.script = "/a/b.json";
  task.mode = Mode::kSnapshotted;
  task.memory = "checked";
  task.library = "/a/b \"c\".so";
  task.untranslated.blocked = {{"b.0.wasm", "gc"}};
  task.untranslated.broken = {{"b.1.wasm", "bad\xff"}};
  ASSERT_TRUE(Write(folder / "task", task).ok());
  const absl::StatusOr<PlayTask> read = ReadPlayTask(folder / "task");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->script, task.script);
  EXPECT_EQ(read->mode, task.mode);
  EXPECT_EQ(read->memory, task.memory);
  EXPECT_EQ(read->library, task.library);
  EXPECT_EQ(read->untranslated.blocked, task.untranslated.blocked);
  EXPECT_THAT(read->untranslated.broken.at("b.1.wasm"), HasSubstr("bad"));
  folder.Write("task", "[1]");
  EXPECT_FALSE(ReadPlayTask(folder / "task").ok());
  EXPECT_FALSE(ReadPlayTask(folder / "none").ok());
}

TEST(Wire, OutcomesSurviveNoise) {
  const std::string text = absl::StrCat(
      "noise", ToLine(CommandResult{7, CommandType::kAssertTrap, Verdict::kFailed, "a \"b\"\n"}),
      "more\n", kWirePrefix, "{\"line\": 3, \"ty");
  const Told told = ParseLines(text);
  ASSERT_EQ(told.outcomes.size(), 1u);
  EXPECT_EQ(told.outcomes[0].line, 7u);
  EXPECT_EQ(told.outcomes[0].type, CommandType::kAssertTrap);
  EXPECT_EQ(told.outcomes[0].verdict, Verdict::kFailed);
  EXPECT_EQ(told.outcomes[0].detail, "a \"b\"\n");
  EXPECT_FALSE(told.stats.has_value());
  EXPECT_THAT(told.noise, HasSubstr("more"));
}

TEST(Expectations, EachLineHasAReason) {
  absl::StatusOr<Expected> expected =
      Expected::Parse("# comment\n\na.wast:3 one reason\nb.wast:4 suspended: another\n");
  ASSERT_TRUE(expected.ok());
  ASSERT_NE(expected->Find("a.wast", 3, false), nullptr);
  EXPECT_EQ(*expected->Find("a.wast", 3, true), "one reason");
  EXPECT_EQ(expected->Find("b.wast", 4, false), nullptr);
  EXPECT_EQ(*expected->Find("b.wast", 4, true), "another");
  EXPECT_FALSE(Expected::Parse("a.wast:3\n").ok());
  EXPECT_FALSE(Expected::Parse("a.wast three\n").ok());
}

FileResult ResultOf(std::vector<CommandResult> outcomes) {
  FileResult result;
  result.group = "g";
  result.file = "a.wast";
  result.outcomes = std::move(outcomes);
  return result;
}

TEST(Reports, CountAssertionsAndEveryFailure) {
  Report report;
  report.Add(ResultOf({{1, CommandType::kModule, Verdict::kPassed, ""},
                       {2, CommandType::kAssertReturn, Verdict::kPassed, ""},
                       {3, CommandType::kAssertTrap, Verdict::kBlocked, "gc"},
                       {4, CommandType::kAssertMalformed, Verdict::kNotApplicable, "text"},
                       {5, CommandType::kAssertInvalid, Verdict::kPassed, ""},
                       {6, CommandType::kModule, Verdict::kFailed, "why"}}),
             Expected());
  const Figures& f = report.groups(Mode::kPlain).at("g");
  EXPECT_EQ(f.passed, 2u);
  EXPECT_EQ(f.failed, 1u);
  EXPECT_EQ(f.blocked, 1u);
  EXPECT_EQ(f.not_applicable, 1u);
  EXPECT_EQ(f.executable, 2u);
  EXPECT_EQ(f.executable_passed, 1u);
  ASSERT_TRUE(report.failed());
  EXPECT_EQ(Describe(report.failures()[0]), "g/a.wast:6 module (plain): why");
  EXPECT_THAT(report.Json(), HasSubstr("\"not_applicable\": 1"));
  absl::StatusOr<std::string> table = report.Markdown(R"({"g":{"modules":1200,"translated":3}})");
  ASSERT_TRUE(table.ok());
  EXPECT_THAT(*table, HasSubstr("| g | 2, 1 failed, 1 blocked |  | 1 | 3 of 1,200 |"));
}

TEST(Reports, ExpectedFailuresMustFail) {
  const Expected expected = *Expected::Parse("a.wast:2 known\na.wast:3 known, too\n");
  Report report;
  report.Add(ResultOf({{2, CommandType::kAssertReturn, Verdict::kFailed, "x"},
                       {3, CommandType::kAssertReturn, Verdict::kPassed, ""}}),
             expected);
  const Figures& f = report.groups(Mode::kPlain).at("g");
  EXPECT_EQ(f.expected_failures, 1u);
  EXPECT_EQ(f.failed, 1u);
  ASSERT_EQ(report.failures().size(), 1u);
  EXPECT_EQ(report.failures()[0].outcome.line, 3u);
}

TEST(Reports, WhatIsNotRunHasNotPassed) {
  const Expected expected = *Expected::Parse("a.wast:2 known\n");
  Report report;
  report.Add(ResultOf({{2, CommandType::kAssertInvalidCustom, Verdict::kNotRun, ""},
                       {3, CommandType::kAssertReturn, Verdict::kPassed, ""}}),
             expected);
  const Figures& f = report.groups(Mode::kPlain).at("g");
  EXPECT_EQ(f.passed, 1u);
  EXPECT_EQ(f.not_run, 1u);
  EXPECT_FALSE(report.failed()) << "an expected failure that was not run is no failure";
  EXPECT_THAT(report.Table(), HasSubstr("1 refusals not run"));
  EXPECT_THAT(report.Json(), HasSubstr("\"not_run\": 1"));
}

TEST(Runner, CommandsWithoutOutcomeHaveFailed) {
  absl::StatusOr<Script> script = ParseScript(
      R"({"source_filename":"x","commands":[{"type":"module","line":1,"filename":"a.wasm"},)"
      R"({"type":"assert_invalid","line":2,"filename":"a.wat","module_type":"text","text":"x"},)"
      R"({"type":"assert_invalid","line":3,"filename":"b.wasm","text":"x"}]})");
  ASSERT_TRUE(script.ok());
  const auto all =
      Complete(*script, {{1, CommandType::kModule, Verdict::kPassed, ""}}, "it crashed");
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].verdict, Verdict::kPassed);
  EXPECT_EQ(all[1].verdict, Verdict::kNotApplicable);
  EXPECT_EQ(all[2].verdict, Verdict::kFailed);
  EXPECT_THAT(all[2].detail, HasSubstr("it crashed"));
}

// ---- The tiny suite
// ------------------------------------------------------------------------------

class TinySuite : public testing::Test {
 protected:
  void WriteText(const fs::path& path, const std::string& text) {
    folder_.MakeDirectory(path.parent_path().string());
    folder_.Write(path.string(), text);
  }
  void WriteModule(const fs::path& path, const Bytes& bytes) {
    WriteText(path, std::string(bytes.begin(), bytes.end()));
  }
  void WriteScript(const std::string& file, const std::vector<std::string>& commands) {
    std::string text = "{\"source_filename\": \"" + file + ".wast\", \"commands\": [\n";
    for (size_t i = 0; i < commands.size(); ++i) {
      absl::StrAppend(&text, i == 0 ? "" : ",\n", "{\"line\": ", i + 1, ", ", commands[i], "}");
    }
    WriteText(fs::path("suite/tiny") / file / (file + ".json"), text + "]}\n");
  }

  // Runs fermata-spec on the suite.
  process::Result Run(const std::vector<std::string>& flags) {
    std::vector<std::string> command = {FERMATA_SPEC_PROGRAM,
                                        "--suite=" + folder_ / "suite",
                                        "--report=" + folder_ / "report.json",
                                        "--cache=" + folder_ / "cache",
                                        "--expected=" + folder_ / "expected",
                                        "--failures=0",
                                        "--jobs=2"};
    command.insert(command.end(), flags.begin(), flags.end());
    return testing_support::MustRun(command);
  }
  std::string ReportText() const { return folder_.Read("report.json"); }

  testing_support::Folder folder_;
};

std::string Invoke(const std::string& field) {
  return R"("action": {"type": "invoke", "field": ")" + field + R"(", "args": []})";
}

Bytes ModuleOf(const Bytes& one) {
  WasmBuilder b;
  const uint32_t type = b.Type("", "i");
  b.Export("one", 0, b.Function(type, "", one));
  b.Export("trap", 0, b.Function(type, "", Code(Opcode::kUnreachable)));
  return b.Build();
}

TEST_F(TinySuite, FailuresAreFound) {
  WriteModule("suite/tiny/tiny/tiny.0.wasm", ModuleOf(Code(Opcode::kI32Const, 1)));
  WriteModule("suite/tiny/tiny/tiny.1.wasm", ModuleOf(Code(Opcode::kI64Const, 1)));
  WriteModule("suite/tiny/tiny/tiny.2.wasm", {'x', 'a', 's', 'm', 1, 0, 0, 0});
  WasmBuilder importing;
  importing.ImportFunction(importing.Type("", ""));
  WriteModule("suite/tiny/tiny/tiny.3.wasm", importing.Build());
  const std::string one = R"("expected": [{"type": "i32", "value": "1"}], )" + Invoke("one");
  const std::string two = R"("expected": [{"type": "i32", "value": "2"}], )" + Invoke("one");
  WriteScript(
      "tiny",
      {
          R"("type": "module", "filename": "tiny.0.wasm")",
          R"("type": "assert_return", )" + one,
          R"("type": "assert_return", )" + two,  // fails
          R"("type": "assert_trap", "text": "unreachable", )" + Invoke("trap"),
          R"("type": "assert_trap", "text": "integer overflow", )" + Invoke("trap"),  // fails
          R"("type": "assert_trap", "text": "unreachable", )" + Invoke("one"),        // fails
          R"("type": "assert_invalid", "filename": "tiny.1.wasm", "text": "type mismatch")",
          R"("type": "assert_invalid", "filename": "tiny.0.wasm", "text": "type mismatch")",  // fails
          R"("type": "assert_malformed", "filename": "tiny.1.wasm", "text": "unexpected end")",  // fails
          R"("type": "assert_malformed", "filename": "tiny.2.wasm", "text": "magic header not detected")",
          R"("type": "assert_unlinkable", "filename": "tiny.3.wasm", "text": "unknown import")",
          R"("type": "assert_unlinkable", "filename": "tiny.0.wasm", "text": "unknown import")",  // fails
          R"("type": "assert_uninstantiable", "filename": "tiny.0.wasm", "text": "unreachable")",  // fails
          R"("type": "assert_exhaustion", "text": "call stack exhausted", )" +
              Invoke("trap"),                                  // fails
          R"("type": "assert_exception", )" + Invoke("trap"),  // fails
          R"("type": "assert_malformed", "filename": "x.wat", "module_type": "text", "text": "x")",
          R"("type": "action", )" + Invoke("none"),          // fails
          R"("type": "module", "filename": "tiny.3.wasm")",  // fails
          R"("type": "assert_return", )" + one,              // fails: no instance
      });
  WriteText("expected/tiny.txt", "tiny.wast:3 on purpose\ntiny.wast:4 not so\n");
  const process::Result run = Run({});
  EXPECT_EQ(run.exit_code, 1) << run.output;
  for (int line : {4, 5, 6, 8, 9, 12, 13, 14, 15, 17, 18, 19}) {
    EXPECT_THAT(run.output, HasSubstr(absl::StrCat("FAIL tiny/tiny.wast:", line, " ")));
  }
  for (int line : {1, 2, 3, 7, 10, 11, 16}) {
    EXPECT_THAT(run.output,
                testing::Not(HasSubstr(absl::StrCat("FAIL tiny/tiny.wast:", line, " "))));
  }
  const std::string figures =
      "      \"blocked\": 0,\n      \"failed\": 12,\n      \"not_applicable\": 1,\n"
      "      \"passed\": 5\n";
  const std::string report = ReportText();
  const size_t plain = report.find("\"plain\": {"), suspended = report.find("\"suspended\": {");
  ASSERT_NE(plain, std::string::npos) << report;
  ASSERT_NE(suspended, std::string::npos) << report;
  EXPECT_EQ(report.find(figures, plain), report.find("      \"blocked\"", plain)) << report;
  EXPECT_EQ(report.find(figures, suspended), report.find("      \"blocked\"", suspended)) << report;
}

TEST_F(TinySuite, WhatHangsIsAFailureOfItsFile) {
  WasmBuilder b;
  const uint32_t type = b.Type("", "");
  b.Export("hang", 0, b.Function(type, "", Code(Opcode::kLoop, '_', Opcode::kBr, 0, Opcode::kEnd)));
  WriteModule("suite/tiny/hang/hang.0.wasm", b.Build());
  WriteModule("suite/tiny/good/good.0.wasm", ModuleOf(Code(Opcode::kI32Const, 1)));
  WriteScript("hang", {R"("type": "module", "filename": "hang.0.wasm")",
                       R"("type": "action", )" + Invoke("hang"),
                       R"("type": "assert_return", "expected": [], )" + Invoke("hang")});
  WriteScript("good", {R"("type": "module", "filename": "good.0.wasm")",
                       R"("type": "assert_return", "expected": [{"type": "i32", "value": "1"}], )" +
                           Invoke("one")});
  const process::Result run = Run({"--timeout=1"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.output, HasSubstr("FAIL tiny/hang.wast:2 action (plain): not played: timed out"));
  EXPECT_THAT(run.output, HasSubstr("FAIL tiny/hang.wast:3 assert_return (suspended)"));
  EXPECT_THAT(run.output, testing::Not(HasSubstr("FAIL tiny/good.wast")));
  EXPECT_EQ(Run({"--file=good"}).exit_code, 0);
  EXPECT_THAT(Run({"--file=good"}).output, HasSubstr("2 scripts, 0 compiled"));
}

// What another machine's run does, on this one: the player is run by a program that is given, and
// what must be refused is left out.
TEST_F(TinySuite, AnotherMachinesPlayer) {
  WriteModule("suite/tiny/good/good.0.wasm", ModuleOf(Code(Opcode::kI32Const, 1)));
  WriteScript("good", {R"("type": "module", "filename": "good.0.wasm")",
                       R"("type": "assert_return", "expected": [{"type": "i32", "value": "1"}], )" +
                           Invoke("one"),
                       R"("type": "assert_invalid", "filename": "good.0.wasm", "text": "x")"});
  const fs::path here = fs::path(FERMATA_SPEC_PROGRAM).parent_path();
  const std::string player = folder_ / "the_player";
  fs::copy_file(here / "fermata-spec-player", player);
  folder_.Write("emulator", "#!/bin/sh\necho \"$1\" >> \"$0.log\"\nexec \"$2\" \"$3\"\n");
  fs::permissions(folder_ / "emulator", fs::perms::owner_all);
  const std::string emulator = "--emulator=" + folder_ / "emulator" + " an_argument";
  const process::Result run = Run({"--player=" + player, emulator, "--mode=plain"});
  EXPECT_EQ(run.exit_code, 0) << run.output;
  EXPECT_THAT(run.output, HasSubstr("1 refusals not run"));
  EXPECT_EQ(folder_.Read("emulator.log"), "an_argument\n");
  // One that can't run is no success.
  const process::Result none = Run({"--player=" + folder_ / "none", "--mode=plain"});
  EXPECT_EQ(none.exit_code, 1) << none.output;
  EXPECT_THAT(none.output, HasSubstr("FAIL tiny/good.wast:2 assert_return"));
}

// Compiled scripts are kept apart by how they are linked.
TEST_F(TinySuite, FlagsOfTheLinker) {
  WriteModule("suite/tiny/good/good.0.wasm", ModuleOf(Code(Opcode::kI32Const, 1)));
  WriteScript("good", {R"("type": "module", "filename": "good.0.wasm")"});
  EXPECT_EQ(Run({"--mode=plain"}).exit_code, 0);
  EXPECT_THAT(Run({"--mode=plain"}).output, HasSubstr("1 scripts, 0 compiled"));
  const process::Result run = Run({"--mode=plain", "--linkflag=-no-such-flag"});
  EXPECT_EQ(run.exit_code, 1) << run.output;
}

TEST_F(TinySuite, NoSuiteIsNotAFailure) {
  const process::Result run = Run({});
  EXPECT_EQ(run.exit_code, 77);
  EXPECT_THAT(run.output, HasSubstr("no test suite"));
}

TEST_F(TinySuite, UnknownGroupsAndFilesAreErrors) {
  WriteScript("good", {R"("type": "module", "filename": "good.0.wasm")"});
  EXPECT_EQ(Run({"--file=goood"}).exit_code, 1);
  EXPECT_EQ(Run({"--group=tinny"}).exit_code, 1);
}

}  // namespace
}  // namespace fermata::spec

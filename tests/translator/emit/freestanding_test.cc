// The freestanding profile as the translator sees it: what it refuses, and what it finds that calls
// need. What its output does when it runs is in tests/embedded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/support/code_fixture.h"
#include "tests/support/commands.h"
#include "tests/support/files.h"
#include "tests/support/native.h"
#include "translator/cli/process/process.h"
#include "translator/pipeline.h"

namespace fermata {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class Freestanding : public testing::Test {
 protected:
  void SetUp() override { FERMATA_SKIP_WITHOUT_WAT2WASM(); }

  absl::Status Run(const std::string& text) {
    TranslateOptions options;
    options.output = Output();
    options.emit = emit_;
    options.emit.freestanding = true;
    options.emit.memory = emit::MemoryPolicy::kFixed;
    options.report = report_;
    told_.clear();
    options.tell = [&](absl::string_view line) { told_.emplace_back(line); };
    return Translate(Assemble(text), options);
  }
  void ExpectRefused(const std::string& text, absl::StatusCode code, const std::string& message) {
    const absl::Status status = Run(text);
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
    EXPECT_TRUE(testing_support::FilesIn(Output()).empty());
  }
  std::string Output() const { return dir_ / "out"; }
  // All generated files, and main.cc if there is one.
  void ExpectCompiles() const {
    for (const char* compiler : {FERMATA_GXX, FERMATA_CLANGXX}) {
      if (*compiler == '\0') continue;
      for (const auto& [file, text] : testing_support::FilesIn(Output())) {
        if (!absl::EndsWith(file, ".cc")) continue;
        EXPECT_EQ(testing_support::MustSucceed(
                      {compiler, "-std=c++17", "-ffreestanding", "-fno-exceptions", "-fno-rtti",
                       "-fsyntax-only", "-DFERMATA_STRICT_ALIGNMENT", "-I", FERMATA_INCLUDE_DIR,
                       "-iquote", Output(), absl::StrCat(Output(), "/", file)}),
                  "");
      }
    }
  }

  testing_support::Folder dir_;
  emit::Options emit_;
  std::string report_;
  std::vector<std::string> told_;
};

constexpr auto kUnimplemented = absl::StatusCode::kUnimplemented;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST_F(Freestanding, RefusesWhatNoHostCouldProvide) {
  ExpectRefused("(module (import \"a\" \"b\" (global i32)))", kUnimplemented,
                ".wasm: 0xb: the freestanding profile has no imports of memories, tables, globals");
  ExpectRefused("(module (import \"a\" \"b\" (table 1 funcref)))", kUnimplemented, "no imports of");
  ExpectRefused("(module (import \"a\" \"b\" (memory 1)))", kUnimplemented, "can't be imported");
  ExpectRefused("(module (import \"a\" \"b\" (func (param v128))))", kUnimplemented,
                "no imports and exports of functions with values of type v128");
  ExpectRefused("(module (func (export \"f\") (result externref) (ref.null extern)))",
                kUnimplemented, "values of type externref");
  ExpectRefused("(module (func (export \"f\") (result i32 i32) (i32.const 1) (i32.const 2)))",
                kUnimplemented, "with several results");
  // Within the module they may be anything.
  EXPECT_TRUE(Run("(module (func (result i32 v128) (i32.const 1) (v128.const i64x2 1 2)) "
                  "(func (export \"f\") (result i32) (call 0) drop))")
                  .ok());
}

TEST_F(Freestanding, RefusesWhatItHasNoCodeFor) {
  ExpectRefused("(module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))", kUnimplemented,
                "the freestanding profile has no atomic accesses");
  ExpectRefused("(module (memory 1 1 shared))", kUnimplemented, "can't be shared");
  ExpectRefused("(module (table 2000000 funcref))", kUnimplemented, "0xb: ");
}

TEST_F(Freestanding, RefusesModulesThatCouldNeverStart) {
  ExpectRefused("(module (memory 1) (data (i32.const 65534) \"123\"))", kInvalid,
                "data segment 0, 3 at 65534, does not fit into 65536");
  ExpectRefused("(module (table 2 funcref) (func) (elem (i32.const 1) func 0 0))", kInvalid,
                "element segment 0, 2 at 1, does not fit into 2");
  emit_.memory_bytes = 100;
  ExpectRefused("(module (memory 1) (data (i32.const 99) \"12\"))", kInvalid,
                "beyond the 100 bytes of --memory-bytes");
}

constexpr char kChain[] = R"((module
  (import "a" "op" (func $op (param i32 i64)))
  (type $t (func (param i32)))
  (table 2 funcref)
  (elem (i32.const 0) func $leaf $other)
  (func $leaf (param i32) (call $op (local.get 0) (i64.const 1)))
  (func $other (param $x i32) (local i64 i64)
    (local.set 1 (i64.extend_i32_u (local.get 0)))
    (call $leaf (local.get 0))
    (call $op (i32.wrap_i64 (local.get 1)) (local.get 1)))
  (func $middle (param i32) (result i32)
    (call_indirect (type $t) (local.get 0) (local.get 0)) (local.get 0))
  (func (export "top") (param i32) (result i32)
    (i32.add (call $middle (i32.const 1)) (local.get 0)))
  (func (export "plain") (param i32) (result i32) (local.get 0))))";

// The op takes 2 * 8 + 8 bytes, leaf 8, other 8 + 8, middle 4 + 8, top 4 + 8.
TEST_F(Freestanding, FramesAddUpAlongTheLongestChain) {
  ASSERT_TRUE(Run(kChain).ok());
  EXPECT_THAT(told_,
              ElementsAre(StartsWith("export \"top\": frames 72 bytes, native stack about "),
                          StartsWith("export \"plain\": frames 0 bytes, native stack about ")));
  const std::string header = testing_support::ReadFile(dir_ / "out/guest.h");
  EXPECT_THAT(header, HasSubstr("kFrameBytes = 72u"));
}

TEST_F(Freestanding, TheReportHasWhatExportsNeed) {
  report_ = dir_ / "report.json";
  ASSERT_TRUE(Run(kChain).ok());
  const std::string report = testing_support::ReadFile(report_);
  EXPECT_THAT(report,
              HasSubstr("\"name\": \"top\",\n   \"function\": 4,\n   \"frame_bytes\": 72,"));
  EXPECT_THAT(report, HasSubstr("\"stack_bytes\": "));
}

TEST_F(Freestanding, RecursionThatMaySuspendIsNamedAndNeedsASize) {
  constexpr char kRecursion[] = R"((module
    (import "a" "op" (func $op))
    (func $even (export "even") (param i32)
      (if (local.get 0) (then (call $odd (i32.sub (local.get 0) (i32.const 1))))) (call $op))
    (func $odd (param i32) (call $even (local.get 0)) (call $op))))";
  ExpectRefused(kRecursion, kInvalid,
                "export \"even\" may suspend in a recursion (function 1 \"even\" -> function 2 "
                "\"odd\" -> function 1 \"even\"): --frame-bytes says how many bytes");
  emit_.frame_bytes = 100;
  EXPECT_TRUE(Run(kRecursion).ok());
  const std::string header = testing_support::ReadFile(dir_ / "out/guest.h");
  EXPECT_THAT(header, HasSubstr("kFrameBytes = 104u"));
  EXPECT_THAT(header, HasSubstr("kFrameBytes = 4294967295u"));
  // Without a default: the host has to say where the stack ends.
  EXPECT_THAT(header, HasSubstr("Start(const void* stack_limit_) {"));
}

TEST_F(Freestanding, RecursionThatNeverSuspendsTakesNoFrames) {
  ASSERT_TRUE(Run("(module (func $f (export \"f\") (call $f)))").ok());
  EXPECT_THAT(told_, ElementsAre("export \"f\": frames 0 bytes, native stack unbounded (function 0 "
                                 "\"f\" -> function 0 \"f\")"));
}

TEST_F(Freestanding, TailCallsTakeNoFrames) {
  ASSERT_TRUE(Run(R"((module
    (import "a" "op" (func $op))
    (func $f (export "f") (param i32)
      (if (local.get 0) (then (return_call $g (local.get 0)))) (call $op))
    (func $g (param i32) (return_call $f (local.get 0)))))")
                  .ok());
  EXPECT_THAT(told_, ElementsAre(StartsWith("export \"f\": frames 16 bytes, ")));
}

TEST_F(Freestanding, TablesNobodyChangesAreConstant) {
  ASSERT_TRUE(Run(kChain).ok());
  std::string module = testing_support::ReadFile(dir_ / "out/guest_module.cc");
  EXPECT_THAT(module, HasSubstr("const ConstantFunction table0_elements[] = {"));
  EXPECT_THAT(module, testing::Not(HasSubstr("table_set")));
  ASSERT_TRUE(Run("(module (table 1 1 funcref) (elem (i32.const 0) func 0) (func) "
                  "(func (export \"f\") (table.set 0 (i32.const 0) (ref.null func))))")
                  .ok());
  module = testing_support::ReadFile(dir_ / "out/guest_module.cc");
  EXPECT_THAT(module, HasSubstr("self.table0_record"));
}

// Any names: of C++ itself, of what the class has, of macros, and such that nothing is left of.
TEST_F(Freestanding, AnyNamesMakeAClassThatCompiles) {
  ASSERT_TRUE(Run(R"((module
    (import "" "" (func (param i32)))
    (import "std" "class" (func (param i64 f32) (result f64)))
    (import "INT_MAX" "NULL" (func (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (global (export "kMemoryBytes") i32 (i32.const 1))
    (func (export "memory_") (call 0 (i32.const 1)))
    (func (export "Start") (param $machine_ i32) (call 0 (local.get 0)))
    (func (export "kFrameBytes"))
    (func (export "Host"))
    (func (export "Guest_code"))
    (func (export "int") (param $fermata i32) (param $class i64))
    (func (export "42"))
    (func (export "a_need"))
    (func (export "a") (drop (call 1 (i64.const 1) (f32.const 2))))
    (func (export "\e2\82\ac\00") (drop (call 2 (i32.const 1) (i32.const 2))))))")
                  .ok());
  testing_support::WriteFile(dir_ / "out/main.cc",
                             "#include <limits.h>\n#include \"guest.h\"\n"
                             "guest::Guest guest_object;\n"
                             "int main() { return guest_object.Start().trapped(); }\n");
  ExpectCompiles();
}

// As functions that are called through tables and references, exported, in tail position, and as the
// start function.
TEST_F(Freestanding, ImportsAreFunctionsLikeAnyOther) {
  emit_.immediate = {"log.*"};
  ASSERT_TRUE(Run(R"((module
    (import "log" "a" (func $a (param i32) (result i32)))
    (import "port" "b" (func $b (param i32) (result i32)))
    (import "log" "begin" (func $begin))
    (export "a" (func $a))
    (export "b" (func $b))
    (start $begin)
    (table $constant 2 funcref)
    (elem (table $constant) (i32.const 0) func $a $b)
    (table $other 2 funcref)
    (elem (table $other) (i32.const 0) func $b $a)
    (func (export "get") (drop (table.get $other (i32.const 1))))
    (func (export "call") (param i32) (result i32)
      (call_indirect $constant (param i32) (result i32) (i32.const 1) (local.get 0)))
    (func (export "tail_a") (result i32) (return_call $a (i32.const 1)))
    (func (export "tail_b") (result i32) (return_call $b (i32.const 1)))))")
                  .ok());
  testing_support::WriteFile(
      dir_ / "out/main.cc",
      "#include \"guest.h\"\n"
      "struct Log { int32_t log_a(int32_t v) { return v; } void log_begin() {} } host;\n"
      "guest::Guest guest_object;\n"
      "int main() { return guest_object.Start(host).trapped(); }\n");
  ExpectCompiles();
}

TEST_F(Freestanding, VectorsStayWithinTheModule) {
  ASSERT_TRUE(Run(R"((module (memory 1) (global (mut v128) (v128.const i64x2 1 2))
    (func (export "sum") (param i32) (result i32)
      (i32x4.extract_lane 1 (i32x4.add (global.get 0) (v128.load offset=3 (local.get 0)))))))")
                  .ok());
  ExpectCompiles();
}

TEST_F(Freestanding, FlagsThatDoNotGoTogether) {
  const std::string& module = Assemble("(module (memory 1) (func (export \"f\")))");
  const auto run = [&](std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"translate", module, "-o", Output()});
    return testing_support::RunFermata(flags);
  };
  EXPECT_THAT(run({"--profile=freestanding", "--memory=checked"}).output,
              HasSubstr("--profile=freestanding has --memory=fixed"));
  EXPECT_THAT(run({"--frame-bytes=10"}).output,
              HasSubstr("--frame-bytes needs --profile=freestanding"));
  const auto good = run({"--profile=freestanding", "--memory-bytes=10"});
  EXPECT_EQ(good.exit_code, 0);
  EXPECT_THAT(good.output, StartsWith("export \"f\": frames 0 bytes"));
}

}  // namespace
}  // namespace fermata

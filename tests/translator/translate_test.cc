// `fermata translate` as its users meet it: what it writes, what it refuses, and that a failure
// leaves nothing behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/commands.h"
#include "tests/support/files.h"
#include "tests/support/wasm_builder.h"
#include "translator/pipeline.h"

namespace fermata {
namespace {

namespace fs = std::filesystem;
using testing_support::RunFermata;

// (module (import "env" "op" (func (param i32) (result i32))) (memory 1)
//   (func $f (export "run") (param i32) (result i32) (i32.add (call 0 (local.get 0)) (local.get
//   0))) (data (i32.const 8) "\00?9\ff\"\\"))
const std::vector<uint8_t>& Module() {
  static const std::vector<uint8_t> bytes = {
      0,    'a',  's', 'm', 1,   0,   0,    0, 1,    6,  1, 0x60, 1,   0x7f, 1,   0x7f, 2, 10,   1,
      3,    'e',  'n', 'v', 2,   'o', 'p',  0, 0,    3,  2, 1,    0,   5,    3,   1,    0, 1,    7,
      7,    1,    3,   'r', 'u', 'n', 0,    1, 10,   11, 1, 9,    0,   0x20, 0,   0x10, 0, 0x20, 0,
      0x6a, 0x0b, 11,  12,  1,   0,   0x41, 8, 0x0b, 6,  0, '?',  '9', 0xff, '"', '\\'};
  return bytes;
}

class Translation : public testing::Test {
 protected:
  void SetUp() override {
    options_.output = dir_ / "out";
    options_.emit.class_name = "Echo";
    options_.emit.file_stem = "echo";
  }

  absl::Status Run(const std::vector<uint8_t>& bytes) {
    return TranslateBytes("echo.wasm", bytes, options_);
  }
  std::string ReadReport() const { return testing_support::ReadFile(options_.report); }
  std::map<std::string, std::string> Files() const {
    return testing_support::FilesIn(options_.output);
  }

  testing_support::Folder dir_;
  TranslateOptions options_;
};

TEST_F(Translation, WritesTheNamedFiles) {
  options_.emit.shards = 3;
  ASSERT_TRUE(Run(Module()).ok());
  std::vector<std::string> names;
  for (const auto& [name, text] : Files()) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"echo.h", "echo_0.cc", "echo_1.cc", "echo_2.cc",
                                             "echo_data.cc", "echo_module.cc", "echo_module.h"}));
}

TEST_F(Translation, IsDeterministic) {
  ASSERT_TRUE(Run(Module()).ok());
  const auto first = Files();
  fs::remove_all(options_.output);
  ASSERT_TRUE(Run(Module()).ok());
  EXPECT_EQ(first, Files());
}

TEST_F(Translation, LeavesUnchangedFilesAlone) {
  ASSERT_TRUE(Run(Module()).ok());
  const fs::path file = fs::path(options_.output) / "echo_0.cc";
  fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(5));
  const auto before = fs::last_write_time(file);
  ASSERT_TRUE(Run(Module()).ok());
  EXPECT_EQ(fs::last_write_time(file), before);
}

TEST_F(Translation, CanBeDoneWithoutWritingAnything) {
  options_.discard = true;
  options_.report = dir_ / "report.json";
  options_.ir = dir_ / "ir.txt";
  options_.depfile = dir_ / "out.d";
  const absl::Status status = Run(Module());
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_TRUE(fs::is_empty(dir_.path()));
}

TEST_F(Translation, ReportSaysWhyAFunctionMaySuspend) {
  options_.report = dir_ / "report.json";
  ASSERT_TRUE(Run(Module()).ok());
  const std::string text = ReadReport();
  EXPECT_NE(text.find("\"f1 -> import env.op\""), std::string::npos) << text;
  EXPECT_NE(text.find("\"suspension_points\": 1"), std::string::npos);
}

// What a function of (i32, i32, i64, f64) -> i32 with this body returns.
std::string Returned(const std::map<std::string, std::string>& files) {
  const std::string& text = files.at("echo_0.cc");
  const size_t at = text.find("  return ") + 9;
  return text.substr(at, text.find(";\n", at) - at);
}

TEST_F(Translation, ExpressionsHaveNoMoreParenthesesThanTheyNeed) {
  using testing_support::Bytes;
  using testing_support::Code;
  using wasm::Opcode;
  const auto spelled = [&](const Bytes& code) {
    testing_support::WasmBuilder b;
    b.Function(b.Type("iiIF", "i"), "", code);
    EXPECT_TRUE(Run(b.Build()).ok());
    return Returned(Files());
  };
  const Bytes x = Code(Opcode::kLocalGet, 0), y = Code(Opcode::kLocalGet, 1);
  const Bytes wide = Code(Opcode::kLocalGet, 2), real = Code(Opcode::kLocalGet, 3);
  const Bytes seven = Code(Opcode::kI32Const, 7), minus = Code(Opcode::kI32Const, -1);
  EXPECT_EQ(spelled(Code(x, y, Opcode::kI32Sub, x, Opcode::kI32Sub)), "l0 - l1 - l0");
  EXPECT_EQ(spelled(Code(x, y, x, Opcode::kI32Sub, Opcode::kI32Sub)), "l0 - (l1 - l0)");
  EXPECT_EQ(spelled(Code(x, y, seven, Opcode::kI32Mul, Opcode::kI32Add)), "l0 + l1 * 7");
  EXPECT_EQ(spelled(Code(x, y, Opcode::kI32Add, seven, Opcode::kI32Mul)), "(l0 + l1) * 7");
  EXPECT_EQ(spelled(Code(x, y, Opcode::kI32Add, y, Opcode::kI32And)), "(l0 + l1) & l1");
  EXPECT_EQ(spelled(Code(x, y, Opcode::kI32And, seven, Opcode::kI32And)), "l0 & l1 & 7");
  EXPECT_EQ(spelled(Code(x, y, Opcode::kI32Or, seven, Opcode::kI32And)), "(l0 | l1) & 7");
  EXPECT_EQ(spelled(Code(x, y, Opcode::kI32And, y, Opcode::kI32Eq)), "(l0 & l1) == l1");
  // Constants among themselves, in shifts and as arms keep their types.
  EXPECT_EQ(spelled(Code(seven, seven, Opcode::kI32Mul)), "7u * 7u");
  EXPECT_EQ(spelled(Code(seven, x, Opcode::kI32Shl)), "(7u << (l0 & 31))");
  EXPECT_EQ(spelled(Code(seven, minus, x, Opcode::kSelect)), "(l0) ? 7u : 0xffffffffu");
  EXPECT_EQ(spelled(Code(x, minus, Opcode::kI32Add)), "l0 - 1");
  // A comparison is a bool only where it is converted at once.
  EXPECT_EQ(spelled(Code(x, y, Opcode::kI32LtS)), "i32(l0) < i32(l1)");
  EXPECT_EQ(spelled(Code(x, seven, Opcode::kI32LtS)), "i32(l0) < 7");
  EXPECT_EQ(spelled(Code(x, minus, Opcode::kI32LtS)), "i32(l0) < -1");
  EXPECT_EQ(spelled(Code(wide, Opcode::kI64Eqz, seven, Opcode::kI32Shl)), "(u32(l2 == 0) << 7)");
  EXPECT_EQ(spelled(Code(x, x, y, Opcode::kI32LtU, Opcode::kI32Sub)), "l0 - u32(l0 < l1)");
  // Comparisons of floats have no opposite.
  EXPECT_EQ(spelled(Code(x, y, x, y, Opcode::kI32LtU, Opcode::kI32Eqz, Opcode::kSelect)),
            "(l0 >= l1) ? l0 : l1");
  EXPECT_EQ(spelled(Code(x, y, real, real, Opcode::kF64Lt, Opcode::kI32Eqz, Opcode::kSelect)),
            "(!(l3 < l3)) ? l0 : l1");
}

TEST_F(Translation, ImmediateImportsMakePlainFunctions) {
  options_.emit.immediate = {"env.*"};
  ASSERT_TRUE(Run(Module()).ok());
  EXPECT_EQ(Files()["echo_0.cc"].find("(SUSPENDED)"), std::string::npos);
}

TEST_F(Translation, AGlobThatMatchesNothingIsAnError) {
  options_.emit.immediate = {"enf.*"};
  const absl::Status status = Run(Module());
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.message(), "echo.wasm: --immediate 'enf.*' matches no imported function");
  EXPECT_FALSE(fs::exists(options_.output));
}

TEST_F(Translation, TruncationAtEveryByteLeavesNothing) {
  for (size_t size = 0; size < Module().size(); ++size) {
    // Cut after a section, some prefixes are modules of their own.
    const absl::Status status = Run({Module().begin(), Module().begin() + size});
    if (status.ok()) {
      fs::remove_all(options_.output);
      continue;
    }
    EXPECT_NE(status.message().find("echo.wasm: 0x"), std::string::npos) << size << status;
    EXPECT_FALSE(fs::exists(options_.output)) << size;
  }
}

TEST_F(Translation, EverySingleBitFlipTranslatesOrFailsCleanly) {
  int accepted = 0;
  for (size_t bit = 0; bit < 8 * Module().size(); ++bit) {
    std::vector<uint8_t> bytes = Module();
    bytes[bit / 8] ^= 1u << (bit % 8);
    const absl::Status status = Run(bytes);
    if (status.ok()) {
      ++accepted;
      fs::remove_all(options_.output);
    } else {
      EXPECT_NE(status.message().find("echo.wasm: 0x"), std::string::npos) << bit << status;
      EXPECT_FALSE(fs::exists(options_.output)) << bit;
    }
  }
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, static_cast<int>(8 * Module().size()) / 2);
}

TEST_F(Translation, ErrorsNameFileOffsetAndFunction) {
  std::vector<uint8_t> bytes = Module();
  bytes[bytes.size() - 14 - 2] = 0xa0;  // i32.add becomes f64.add
  const absl::Status status = Run(bytes);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.message().find("echo.wasm: 0x3"), std::string::npos) << status;
  EXPECT_NE(status.message().find("(function 1"), std::string::npos) << status;
  EXPECT_NE(status.message().find("type mismatch"), std::string::npos) << status;
}

TEST_F(Translation, UnwritableFolder) {
  // Not even root can make a folder below a file.
  dir_.Write("file", "x");
  options_.output = dir_ / "file/out";
  const absl::Status status = Run(Module());
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.message().find("cannot make the folder"), std::string::npos) << status;
}

TEST_F(Translation, AFailureKeepsEarlierOutput) {
  ASSERT_TRUE(Run(Module()).ok());
  const auto before = Files();
  ASSERT_FALSE(Run({1, 2, 3}).ok());
  EXPECT_EQ(Files(), before);
}

TEST_F(Translation, AHundredThousandNestedBlocksAroundACall) {
  testing_support::WasmBuilder b;
  const uint32_t type = b.Type("i", "i");
  const uint32_t op = b.ImportFunction(type);
  using testing_support::Code;
  using testing_support::Repeat;
  using wasm::Opcode;
  b.Function(type, "",
             Code(Repeat(Code(Opcode::kBlock, '_'), 100000), Opcode::kLocalGet, 0, Opcode::kCall,
                  static_cast<int>(op), Opcode::kLocalSet, 0, Repeat(Code(Opcode::kEnd), 100000),
                  Opcode::kLocalGet, 0));
  const absl::Status status = Run(b.Build());
  EXPECT_TRUE(status.ok()) << status;
}

// A function of more than `bytes` that calls the import now and then.
std::vector<uint8_t> LongFunction(size_t bytes) {
  using testing_support::Code;
  using wasm::Opcode;
  testing_support::WasmBuilder b;
  const uint32_t type = b.Type("i", "i");
  b.ImportFunction(type);
  const testing_support::Bytes piece = Code(
      testing_support::Repeat(
          Code(Opcode::kLocalGet, 0, Opcode::kI32Const, 7, Opcode::kI32Mul, Opcode::kLocalSet, 0),
          60),
      Opcode::kLocalGet, 0, Opcode::kCall, 0, Opcode::kLocalSet, 0);
  b.Function(type, "",
             Code(testing_support::Repeat(piece, bytes / piece.size() + 1), Opcode::kLocalGet, 0));
  return b.Build();
}

TEST_F(Translation, GiantFunctionsComeInPieces) {
  options_.report = dir_ / "report.json";
  ASSERT_TRUE(Run(LongFunction(256 * 1024)).ok());
  EXPECT_NE(ReadReport().find("\"shape\": \"pieces\""), std::string::npos);
  EXPECT_NE(ReadReport().find("\"pieces\": 1"), std::string::npos);
  EXPECT_NE(Files()["echo_0.cc"].find("// function 1: pieces, "), std::string::npos);

  ASSERT_TRUE(Run(LongFunction(200 * 1024)).ok());
  EXPECT_NE(ReadReport().find("\"shape\": \"shared\""), std::string::npos);
  EXPECT_NE(ReadReport().find("\"pieces\": 0"), std::string::npos);
}

TEST_F(Translation, FunctionsWithManySuspensionPointsComeInPieces) {
  using testing_support::Code;
  using wasm::Opcode;
  options_.report = dir_ / "report.json";
  for (const bool many : {false, true}) {
    testing_support::WasmBuilder b;
    const uint32_t type = b.Type("", "");
    b.ImportFunction(type);
    b.Function(type, "", testing_support::Repeat(Code(Opcode::kCall, 0), many ? 1001 : 1000));
    ASSERT_TRUE(Run(b.Build()).ok());
    EXPECT_EQ(ReadReport().find("\"shape\": \"pieces\"") != std::string::npos, many);
  }
}

TEST_F(Translation, PiecesAreSpreadOverFiles) {
  options_.emit.shards = 4;
  ASSERT_TRUE(Run(LongFunction(256 * 1024)).ok());
  std::map<std::string, std::string> files = Files();
  const size_t size = files["echo_0.cc"].size();
  for (int i = 0; i < 4; ++i) {
    const std::string& text = files[absl::StrCat("echo_", i, ".cc")];
    EXPECT_EQ(text.find("u32 fn1(Instance* base, u32 l0) {") != std::string::npos, i == 0);
    EXPECT_GT(text.size(), size / 2);
  }
}

// Every one of `locals` is live at each of `calls` suspension points.
std::vector<uint8_t> ManyLiveLocals(int locals, int calls) {
  using testing_support::Code;
  using wasm::Opcode;
  testing_support::WasmBuilder b;
  const uint32_t nothing = b.Type("", "");
  b.ImportFunction(nothing);
  testing_support::Bytes code = testing_support::Repeat(Code(Opcode::kCall, 0), calls);
  for (int i = 0; i < locals; ++i) {
    const testing_support::Bytes index = testing_support::Unsigned(i);
    for (const testing_support::Bytes& part :
         {Code(Opcode::kLocalGet), index, Code(Opcode::kDrop)}) {
      code.insert(code.end(), part.begin(), part.end());
    }
  }
  // local.get + drop reads nothing; a store makes it a use.
  b.Memory(1);
  testing_support::Bytes uses;
  for (int i = 0; i < locals; ++i) {
    for (const testing_support::Bytes& part :
         {Code(Opcode::kI32Const, 0, Opcode::kLocalGet), testing_support::Unsigned(i),
          Code(Opcode::kI64Store), testing_support::Bytes{0, 0}}) {
      uses.insert(uses.end(), part.begin(), part.end());
    }
  }
  code.insert(code.end(), uses.begin(), uses.end());
  b.Function(nothing, std::string(locals, 'I'), code);
  return b.Build();
}

TEST_F(Translation, FramesAsLargeAsTheyMayBe) {
  EXPECT_TRUE(Run(ManyLiveLocals(32000, 3)).ok());
  fs::remove_all(options_.output);
  for (const auto& [locals, points, words] :
       {std::tuple(50000, 3, "a frame of more than 256 KiB"), {50000, 20000, "more than 8"}}) {
    const absl::Status status = Run(ManyLiveLocals(locals, points));
    EXPECT_THAT(std::string(status.message()),
                testing::HasSubstr(absl::StrCat("(function 1): implementation limit: ", words)));
    EXPECT_FALSE(fs::exists(options_.output));
  }
}

class CommandLine : public Translation {
 protected:
  std::string WriteModule() {
    const std::string path = dir_ / "my-guest.wasm";
    testing_support::WriteFile(path, Module());
    return path;
  }
};

TEST_F(CommandLine, RefusesNamesOfClassesThatAreTaken) {
  const std::string module = WriteModule();
  for (const char* name : {"class", "memory", "Op", "store", "fermata", "1st"}) {
    const auto result =
        RunFermata({"translate", module, "-o", dir_ / "out", absl::StrCat("--class=", name)});
    EXPECT_EQ(result.exit_code, 1) << name;
    EXPECT_THAT(result.output, testing::HasSubstr(absl::StrCat("--class '", name, "'")));
  }
  for (const char* name : {"std", "a::fermata", "a::int", "a::"}) {
    const auto result =
        RunFermata({"translate", module, "-o", dir_ / "out", absl::StrCat("--namespace=", name)});
    EXPECT_EQ(result.exit_code, 1) << name;
    EXPECT_THAT(result.output, testing::HasSubstr(absl::StrCat("--namespace '", name, "'")));
  }
  EXPECT_FALSE(fs::exists(dir_ / "out"));
}

TEST_F(CommandLine, FullDiskLeavesNothing) {
  // A limit on the size of files stands for the full disk: writes beyond it fail.
  const auto result = testing_support::MustRun(
      {"/bin/sh", "-c", "trap '' XFSZ; ulimit -f 2; exec \"$0\" \"$@\"", FERMATA_TRANSLATOR,
       "translate", WriteModule(), "-o", dir_ / "out", "--name=big"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, testing::HasSubstr("cannot write"));
  EXPECT_FALSE(fs::exists(dir_ / "out"));
}

TEST_F(CommandLine, DefaultNamesComeFromTheFile) {
  const std::string out = dir_ / "out";
  const auto result = RunFermata({"translate", WriteModule(), "-o", out});
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(result.output, "");
  EXPECT_THAT(testing_support::ReadFile(out + "/my_guest.h"), testing::HasSubstr("class MyGuest"));
}

// What is left of the file's name may be nothing, or a word with another use.
TEST_F(CommandLine, AnyFileNameGivesAClass) {
  const std::string module = WriteModule(), out = dir_ / "out";
  const std::map<std::string, std::pair<std::string, std::string>> names = {
      {"\xc3\xa9.wasm", {"guest.h", "Guest"}},
      {"\xff\xfe", {"guest.h", "Guest"}},
      {"___.wasm", {"guest.h", "Guest"}},
      {" .wasm", {"guest.h", "Guest"}},
      {".wasm", {"guest.h", "Guest"}},
      {"1x.wasm", {"guest1x.h", "Guest1x"}},
      {"_1.wasm", {"_1.h", "Guest1"}},
      {"class.wasm", {"class.h", "Class"}},
      {"start.wasm", {"start.h", "GuestStart"}},
      {"op.wasm", {"op.h", "GuestOp"}},
      {"Create.wasm", {"Create.h", "GuestCreate"}},
      {"a\xc3\xa9-b", {"a___b.h", "AB"}},
  };
  for (const auto& [file, expected] : names) {
    fs::copy_file(module, dir_ / file, fs::copy_options::overwrite_existing);
    const auto result = RunFermata({"translate", dir_ / file, "-o", out});
    EXPECT_EQ(result.exit_code, 0) << file << ": " << result.output;
    EXPECT_THAT(testing_support::ReadFile(out + "/" + expected.first),
                testing::HasSubstr(absl::StrCat("class ", expected.second, " :")))
        << file;
    fs::remove_all(out);
  }
}

// Time and text of what a module has many of grow with it. A module of 2 MB may have any of these.
TEST_F(CommandLine, ManyOfOneKindTakeLinearTime) {
  using testing_support::Bytes;
  using testing_support::Concat;
  using testing_support::Name;
  using testing_support::Sized;
  using testing_support::Unsigned;
  constexpr uint32_t kCount = 200000, kChain = 50000;
  const auto repeated = [](uint32_t count, const Bytes& item) {
    return Concat({Unsigned(count), testing_support::Repeat(item, count)});
  };
  const Bytes no_type = {1, 0x60, 0, 0};
  // Imports of one name.
  const Bytes same = repeated(kCount, Concat({Name("h"), Name("a"), {0, 0}}));
  // A function that calls the next, and so on to an import.
  std::vector<Bytes> bodies;
  for (uint32_t i = 0; i < kChain; ++i) {
    bodies.push_back(Sized(Concat({{0, 0x10}, Unsigned(i), {0x0b}})));
  }
  // Functions of one name.
  const Bytes body = {2, 0, 0x0b};
  std::vector<Bytes> names;
  for (uint32_t i = 0; i < kCount; ++i) names.push_back(Concat({Unsigned(i), Name("same")}));
  // Variables that are loaded, and then each assigned from the next, which comes later.
  constexpr uint32_t kLocals = 49000;
  const Bytes load = {0x20, 0, 0x2b, 3, 0}, one = {0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f};
  std::vector<Bytes> code = {{1}, Unsigned(kLocals), {0x7c}};
  for (uint32_t i = 1; i <= kLocals; ++i) code.push_back(Concat({load, {0x21}, Unsigned(i)}));
  code.push_back({0x03, 0x40});
  for (uint32_t i = 1; i < kLocals; ++i) {
    code.push_back(Concat({{0x20}, Unsigned(i + 1), one, {0xa0, 0x21}, Unsigned(i)}));
  }
  code.push_back(Concat({load, {0x20, 1, 0xa2, 0x9e, 0x21}, Unsigned(kLocals)}));
  code.push_back({0x20, 0, 0x0d, 0, 0x0b, 0x20, 1, 0x0b});
  const std::map<std::string, Bytes> modules = {
      {"variables", testing_support::Module({{1, {1, 0x60, 1, 0x7f, 1, 0x7c}},
                                             {3, {1, 0}},
                                             {5, {1, 0, 1}},
                                             {10, Concat({{1}, Sized(Concat(code))})}})},
      {"imports", testing_support::Module({{1, no_type}, {2, same}})},
      {"chain", testing_support::Module({{1, no_type},
                                         {2, Concat({{1}, Name("h"), Name("a"), {0, 0}})},
                                         {3, repeated(kChain, {0})},
                                         {10, Concat({Unsigned(kChain), Concat(bodies)})}})},
      {"names",
       testing_support::Module(
           {{1, no_type},
            {3, repeated(kCount, {0})},
            {10, repeated(kCount, body)},
            {0, Concat({Name("name"), {1}, Sized(Concat({Unsigned(kCount), Concat(names)}))})}})},
  };
  for (const auto& [name, bytes] : modules) {
    const std::string path = dir_ / (name + ".wasm");
    testing_support::WriteFile(path, bytes);
    const std::string out = dir_ / name, report = dir_ / "report.json";
    process::Command command = {FERMATA_TRANSLATOR, "translate", path, "-o", out,
                                "--report",         report};
    // A second or so each; minutes if it is the square.
    command.time_limit = std::chrono::seconds(60);
    testing_support::MustSucceed(command);
    EXPECT_LT(fs::file_size(report), 500 * bytes.size());
    fs::remove_all(out);
  }
}

TEST_F(CommandLine, MisuseIsStatusOne) {
  const std::string wasm = WriteModule(), out = dir_ / "out";
  EXPECT_EQ(RunFermata({"translate", dir_ / "none.wasm", "-o", out}).exit_code, 1);
  EXPECT_EQ(RunFermata({"translate", wasm}).exit_code, 1);
  EXPECT_EQ(RunFermata({"translate", wasm, "-o", out, "--class", "9x"}).exit_code, 1);
  EXPECT_EQ(RunFermata({"translate", wasm, "-o", out, "--shards", "0"}).exit_code, 1);
  EXPECT_EQ(RunFermata({"translate", wasm, "-o", out, "--no-such-flag"}).exit_code, 1);
  EXPECT_EQ(RunFermata({}).exit_code, 1);
  EXPECT_FALSE(fs::exists(out));
}

TEST_F(CommandLine, HelpAndVersion) {
  EXPECT_EQ(RunFermata({"--version"}).exit_code, 0);
  EXPECT_NE(RunFermata({"--version"}).output.find("fermata "), std::string::npos);
  const std::string help = RunFermata({"translate", "--help"}).output;
  for (const char* flag :
       {"--immediate", "--shards", "--shape", "--memory", "--report", "--depfile"}) {
    EXPECT_NE(help.find(flag), std::string::npos) << flag;
  }
}

TEST_F(CommandLine, DependencyFile) {
  const std::string wasm = WriteModule(), out = dir_ / "out", depfile = dir_ / "x.d";
  ASSERT_EQ(
      RunFermata({"translate", wasm, "-o", out, "--name", "echo", "--depfile", depfile}).exit_code,
      0);
  EXPECT_EQ(testing_support::ReadFile(depfile), absl::StrCat(out, "/echo.h: ", wasm, "\n"));
}

}  // namespace
}  // namespace fermata

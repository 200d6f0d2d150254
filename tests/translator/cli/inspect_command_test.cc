// `fermata inspect` as its users meet it: what it prints, what it refuses, and what it writes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "llvm/Support/JSON.h"
#include "tests/support/commands.h"
#include "tests/support/files.h"
#include "tests/support/wasm_builder.h"

namespace fermata {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;
using testing_support::Bytes;
using testing_support::Code;
using testing_support::ReadFile;
using testing_support::WasmBuilder;
using Op = wasm::Opcode;

// "run" calls the import "env" "f".
Bytes Echo() {
  WasmBuilder b;
  b.Type("", "");
  b.ImportFunction(0);
  b.Function(0, "", Code(Op::kCall, 0));
  b.Export("run", 0, 1);
  return b.Build();
}

class InspectCommand : public testing::Test {
 protected:
  std::string Write(const std::string& name, const Bytes& bytes) {
    const std::string path = dir_ / name;
    testing_support::WriteFile(path, bytes);
    return path;
  }
  // A program `dot` that does this, found before all others.
  void InstallDot(const std::string& script) {
    dir_.MakeDirectory("bin");
    testing_support::WriteProgram(dir_ / "bin/dot", "#!/bin/sh\n" + script);
  }
  // Standard output and error, as they came.
  process::Result Inspect(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {FERMATA_TRANSLATOR, "inspect"});
    process::Command command = std::move(arguments);
    // A `dot` of this machine would make the tests depend on it.
    command.environment = {{"PATH", absl::StrCat(dir_ / "bin", ":/nonexistent")}};
    return testing_support::MustRun(command);
  }
  // What is in the test's folder.
  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(dir_.path()))
      names.push_back(entry.path().filename());
    return names;
  }

  testing_support::Folder dir_;
};

TEST_F(InspectCommand, PrintsTheReport) {
  const std::string wasm = Write("m.wasm", Echo());
  const auto result = Inspect({wasm});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.output, testing::StartsWith(absl::StrCat(wasm, "\n  size       ")));
  EXPECT_THAT(result.output, HasSubstr("env.f  function 0  [] -> []  suspends\n"));
  EXPECT_THAT(result.output, HasSubstr("may suspend: f1 -> import env.f\n"));
  EXPECT_THAT(result.output, Not(HasSubstr("functions (1)")));
  EXPECT_THAT(Inspect({wasm, "--functions"}).output, HasSubstr("functions (1)"));
}

TEST_F(InspectCommand, ImmediateImports) {
  const std::string wasm = Write("m.wasm", Echo());
  const auto result = Inspect({wasm, "--immediate", "env.*"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.output, HasSubstr("immediate\n"));
  EXPECT_THAT(result.output, HasSubstr("plain\n"));
  const auto wrong = Inspect({wasm, "--immediate", "enf.*"});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_EQ(wrong.output, absl::StrCat("fermata: ", wasm,
                                       ": --immediate 'enf.*' matches no imported function\n"));
}

TEST_F(InspectCommand, PrintsJson) {
  const auto result = Inspect({Write("m.wasm", Echo()), "--json", "--functions"});
  EXPECT_EQ(result.exit_code, 0);
  auto value = llvm::json::parse(result.output);
  ASSERT_TRUE(!!value) << llvm::toString(value.takeError());
  EXPECT_EQ(value->getAsObject()->getArray("functions")->size(), 1u);
}

TEST_F(InspectCommand, FeaturesThatAreOff) {
  WasmBuilder b;
  b.Type("i", "i");
  b.Function(0, "", Code(Op::kLocalGet, 0, Op::kI32Extend8S));
  const std::string wasm = Write("m.wasm", b.Build());
  EXPECT_THAT(Inspect({wasm}).output, HasSubstr("  sign-extension  0x1b  function 0\n"));
  const auto off = Inspect({wasm, "--features=-sign-extension"});
  EXPECT_EQ(off.exit_code, 1);
  EXPECT_EQ(off.output,
            absl::StrCat("fermata: ", wasm, ": 0x1b (function 0): illegal opcode c0\n"));
  EXPECT_EQ(Inspect({wasm, "--features=nonsense"}).exit_code, 1);
}

TEST_F(InspectCommand, MissingProposals) {
  WasmBuilder b;
  b.Type("", "");
  b.Function(0, "", {0xe2, 0, 0});
  const std::string wasm = Write("m.wasm", b.Build());
  const std::string error =
      "0x17 (function 0): opcode e2 needs the \"stack-switching\" proposal, which Fermata does not "
      "support yet\n";
  const auto text = Inspect({wasm});
  EXPECT_EQ(text.exit_code, 1);
  EXPECT_THAT(text.output, HasSubstr("  missing  stack-switching: " + error));
  EXPECT_THAT(text.output, HasSubstr(absl::StrCat("fermata: ", wasm, ": ", error)));
  const auto json = Inspect({wasm, "--json"});
  EXPECT_EQ(json.exit_code, 1);
  EXPECT_THAT(json.output, HasSubstr("\"name\": \"stack-switching\""));
  EXPECT_EQ(Inspect({wasm, "--graph", dir_ / "g.dot"}).exit_code, 1);
  EXPECT_FALSE(fs::exists(dir_ / "g.dot"));
}

TEST_F(InspectCommand, BadInputIsOneLineOfError) {
  const Bytes good = Echo();
  for (size_t size = 0; size < good.size(); size += 3) {
    const std::string wasm = Write("m.wasm", Bytes(good.begin(), good.begin() + size));
    const auto result = Inspect({wasm, "--json", "--graph", dir_ / "g.dot"});
    if (result.exit_code == 0) {
      fs::remove(dir_ / "g.dot");
      continue;
    }
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.output, testing::StartsWith(absl::StrCat("fermata: ", wasm, ": 0x")));
    EXPECT_EQ(result.output.find('\n'), result.output.size() - 1) << result.output;
    EXPECT_FALSE(fs::exists(dir_ / "g.dot"));
  }
  EXPECT_THAT(Inspect({dir_ / "none.wasm"}).output, HasSubstr("none.wasm: cannot read: "));
  EXPECT_THAT(Inspect({dir_.path()}).output, HasSubstr(": cannot read: "));
}

TEST_F(InspectCommand, ErrorsInBodiesNameTheFunction) {
  WasmBuilder b;
  b.Type("", "");
  b.Function(0, "", Code(Op::kI32Add));
  const std::string wasm = Write("m.wasm", b.Build());
  EXPECT_THAT(Inspect({wasm}).output,
              HasSubstr(absl::StrCat(wasm, ": 0x17 (function 0): type mismatch")));
}

TEST_F(InspectCommand, FullStandardOutput) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  process::Command command = {FERMATA_TRANSLATOR, "inspect", Write("m.wasm", Echo())};
  command.output_file = "/dev/full";
  command.errors_apart = true;
  const auto result = testing_support::MustRun(command);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("fermata: cannot write to standard output: "));
}

// ---- Graphs ----

TEST_F(InspectCommand, GraphAsDot) {
  const std::string wasm = Write("m.wasm", Echo()), dot = dir_ / "g.dot";
  const auto result = Inspect({wasm, "--graph", dot});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.output, HasSubstr("suspension\n"));
  EXPECT_THAT(ReadFile(dot), HasSubstr("  f1 -> f0;\n"));
  EXPECT_THAT(Files(), testing::UnorderedElementsAre("m.wasm", "g.dot"));
  // On standard output it stands alone.
  const auto alone = Inspect({wasm, "--graph", "-"});
  EXPECT_EQ(alone.exit_code, 0);
  EXPECT_EQ(alone.output, ReadFile(dot));
}

TEST_F(InspectCommand, GraphAsSvg) {
  // Stands for Graphviz: what it is called with, and the graph.
  InstallDot(
      "[ \"$1 $2\" = '-Tsvg -o' ] || exit 9\n"
      "echo '<svg>' > \"$3\"\nwhile read -r line; do echo \"$line\" >> \"$3\"; done < \"$4\"\n");
  const std::string wasm = Write("m.wasm", Echo()), svg = dir_ / "g.svg";
  const auto result = Inspect({wasm, "--graph", svg});
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(ReadFile(svg), testing::StartsWith("<svg>\ndigraph fermata {\n"));
  EXPECT_THAT(Files(), testing::UnorderedElementsAre("m.wasm", "g.svg", "bin"));
}

TEST_F(InspectCommand, GraphvizMissingOrFailing) {
  const std::string wasm = Write("m.wasm", Echo()), svg = dir_ / "g.svg";
  dir_.Write("g.svg", "old");
  const auto missing = Inspect({wasm, "--graph", svg});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.output,
              testing::StartsWith(absl::StrCat("fermata: --graph ", svg, ": cannot run dot: ")));
  EXPECT_THAT(missing.output, HasSubstr("is Graphviz installed?"));
  InstallDot("echo 'no memory'; exit 3\n");
  const auto failing = Inspect({wasm, "--graph", svg});
  EXPECT_EQ(failing.exit_code, 1);
  EXPECT_THAT(failing.output, HasSubstr("dot failed (exit 3):\nno memory\n"));
  EXPECT_EQ(ReadFile(svg), "old");
}

TEST_F(InspectCommand, GraphThatCanNotBeWritten) {
  const std::string wasm = Write("m.wasm", Echo());
  for (const std::string& name : {std::string("g.png"), std::string(""), std::string("dot")}) {
    const auto result = Inspect({wasm, "--graph=" + name});
    EXPECT_EQ(result.exit_code, 1) << name;
    EXPECT_THAT(result.output, HasSubstr("a name that ends in .dot or .svg, or '-'"));
  }
  EXPECT_EQ(Inspect({wasm, "--graph=-", "--json"}).exit_code, 1);
  dir_.MakeDirectory("folder.dot");
  for (const std::string& path : {dir_ / "m.wasm/g.dot", dir_ / "folder.dot"}) {
    const auto result = Inspect({wasm, "--graph", path});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.output, HasSubstr("cannot write"));
    EXPECT_THAT(result.output, Not(HasSubstr("suspension")));
  }
  EXPECT_THAT(Files(), testing::UnorderedElementsAre("m.wasm", "folder.dot"));
}

TEST_F(InspectCommand, SaysThatAGraphIsCut) {
  WasmBuilder b;
  b.Type("", "");
  b.ImportFunction(0);
  for (int i = 0; i < 2000; ++i) b.Function(0, "", Code(Op::kCall, 0));
  const auto result = Inspect({Write("m.wasm", b.Build()), "--graph", dir_ / "g.dot"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.output,
              HasSubstr("fermata: the graph has 2001 nodes; only the 2000 nearest to the "
                        "imports that suspend are drawn\n"));
}

TEST_F(InspectCommand, Help) {
  const std::string help = Inspect({"--help"}).output;
  for (const char* flag : {"--immediate", "--features", "--json", "--graph", "--functions"}) {
    EXPECT_THAT(help, HasSubstr(flag));
  }
  EXPECT_THAT(help, Not(HasSubstr("--shards")));
  EXPECT_EQ(Inspect({}).exit_code, 1);
}

// ---- Recorded guests ----

TEST_F(InspectCommand, EveryGuest) {
  const fs::path guests = fs::path(FERMATA_SHARED_DIR) / "guests";
  if (!fs::exists(guests)) {
    GTEST_SKIP() << "no guests/ in FERMATA_SHARED_DIR (" FERMATA_SHARED_DIR ")";
  }
  int inspected = 0;
  for (const auto& entry : fs::directory_iterator(guests)) {
    const std::string wasm = entry.path() / "module.wasm";
    if (!fs::exists(wasm)) continue;
    const auto text = Inspect({wasm, "--functions"});
    if (text.exit_code != 0) {
      EXPECT_THAT(text.output, HasSubstr("\n  missing  ")) << wasm;
      continue;
    }
    ++inspected;
    EXPECT_THAT(text.output, HasSubstr("\nsuspension\n")) << wasm;
    const auto result = Inspect({wasm, "--json", "--functions", "--graph", dir_ / "g.dot"});
    EXPECT_EQ(result.exit_code, 0) << wasm;
    // Behind what is said of graphs that are cut.
    auto value = llvm::json::parse(llvm::StringRef(result.output).substr(result.output.find('{')));
    ASSERT_TRUE(!!value) << wasm << ": " << llvm::toString(value.takeError());
    EXPECT_THAT(ReadFile(dir_ / "g.dot"), testing::EndsWith("}\n")) << wasm;
  }
  std::cout << "inspected: " << inspected << "\n";
  EXPECT_GT(inspected, 20);
}

}  // namespace
}  // namespace fermata

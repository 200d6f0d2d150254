// Translation on several threads: what is written does not depend on how many there are, and of
// several errors the first function's is reported.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/files.h"
#include "tests/support/wasm_builder.h"
#include "translator/pipeline.h"

namespace fermata {
namespace {

namespace fs = std::filesystem;

using testing_support::Bytes;
using testing_support::Code;
using testing_support::Concat;
using testing_support::Repeat;
using testing_support::Unsigned;
using testing_support::WasmBuilder;
using wasm::Opcode;

class ManyFunctionsTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.output = dir_ / "out";
    options_.report = dir_ / "out/report.json";
    options_.ir = dir_ / "out/ir.txt";
    options_.emit.file_stem = "guest";
    options_.emit.shards = 7;
  }

  absl::Status Run(const Bytes& module, unsigned threads) {
    fs::remove_all(options_.output);
    options_.threads = threads;
    return TranslateBytes("guest.wasm", module, options_);
  }
  std::map<std::string, std::string> Files() const {
    return testing_support::FilesIn(options_.output);
  }

  testing_support::Folder dir_;
  TranslateOptions options_;
};

// `count` functions of different sizes, calling the import and each other.
void AddFunctions(WasmBuilder& b, uint32_t type, int count) {
  for (int i = 0; i < count; ++i) {
    const Bytes step = Code(Opcode::kLocalGet, 0, Opcode::kCall, i % 3 == 0 ? 0 : 1 + i % 50,
                            Opcode::kLocalGet, 0, Opcode::kI32Mul, Opcode::kLocalSet, 0);
    b.Function(type, "", Code(Repeat(step, 1 + i * 37 % 101), Opcode::kLocalGet, 0));
  }
}

// A frame that is too large: 40,000 vectors live around a call.
void AddTooLarge(WasmBuilder& b, uint32_t type) {
  std::vector<Bytes> parts = {Code(Opcode::kLocalGet, 0, Opcode::kCall, 0, Opcode::kDrop)};
  for (int i = 1; i <= 40000; ++i) {
    parts.push_back(Code(Opcode::kI32Const, 0, Opcode::kLocalGet));
    parts.push_back(Unsigned(i));
    parts.push_back(Code(Opcode::kV128Store, 0, 0));
  }
  parts.push_back(Code(Opcode::kLocalGet, 0));
  b.Function(type, std::string(40000, 'V'), Concat(parts));
}

TEST_F(ManyFunctionsTest, TheSameForAnyNumberOfThreads) {
  WasmBuilder b;
  const uint32_t type = b.Type("i", "i");
  b.ImportFunction(type);
  AddFunctions(b, type, 600);
  const Bytes module = b.Build();
  ASSERT_TRUE(Run(module, 1).ok());
  const std::map<std::string, std::string> files = Files();
  EXPECT_EQ(files.size(), 7u + 6);
  for (const unsigned threads : {2, 3, 16, 0}) {
    ASSERT_TRUE(Run(module, threads).ok());
    EXPECT_TRUE(files == Files()) << threads;
  }
}

TEST_F(ManyFunctionsTest, NoFunctions) {
  ASSERT_TRUE(Run(WasmBuilder().Build(), 4).ok());
  EXPECT_EQ(Files().size(), 7u + 6);
}

TEST_F(ManyFunctionsTest, TheFirstErrorIsReported) {
  WasmBuilder b;
  const uint32_t type = b.Type("i", "i");
  b.ImportFunction(type);
  b.Memory(1);
  AddFunctions(b, type, 120);
  AddTooLarge(b, type);  // function 121
  AddFunctions(b, type, 20);
  AddTooLarge(b, type);
  AddTooLarge(b, type);
  AddFunctions(b, type, 200);
  const Bytes module = b.Build();
  for (const unsigned threads : {1, 2, 5, 16}) {
    const absl::Status status = Run(module, threads);
    EXPECT_NE(status.message().find("(function 121): implementation limit: a frame of more than"),
              std::string::npos)
        << status;
    EXPECT_FALSE(fs::exists(options_.output));
  }
}

}  // namespace
}  // namespace fermata

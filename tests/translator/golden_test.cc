// What generated code looks like: a change of emission shows here in review. Each x.wat, or x.wasm
// where there is one, is translated, and its functions are compared with x.golden. When a change is meant:
//
//   FERMATA_UPDATE_GOLDENS=1 build/bin/golden_test
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "translator/pipeline.h"

namespace fermata {
namespace {

namespace fs = std::filesystem;

std::string Read(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

emit::Options OptionsOf(const std::string& name) {
  emit::Options options;
  if (name == "shared") options.shape = emit::ShapeChoice::kShared;
  if (name == "checked") options.memory = emit::MemoryPolicy::kChecked;
  if (absl::StartsWith(name, "pieces")) {
    options.giant_bytes = 0;
    options.piece_size = 2;
  }
  return options;
}

// What is between the namespace's braces; of a function in pieces the pieces, or what is behind them.
std::string Functions(const std::string& source, const std::string& name) {
  constexpr char kBegin[] = "namespace Guest_code {\n";
  const size_t begin = source.find(kBegin);
  const size_t end = source.find("\n}  // namespace Guest_code");
  if (begin == std::string::npos || end == std::string::npos) return source;
  const size_t text = source.find_first_not_of('\n', begin + sizeof kBegin - 1);
  const size_t frames = source.find("static const u32 fn1_two_offsets");
  if (name == "pieces") return source.substr(text, frames - text);
  if (name == "pieces_frames") return source.substr(frames, end + 1 - frames);
  return source.substr(text, end + 1 - text);
}

void Assemble(const fs::path& wat, const fs::path& wasm) {
  EXPECT_EQ(std::system(absl::StrCat(FERMATA_WAT2WASM,
                                     " --enable-exceptions --enable-tail-call --debug-names ",
                                     wat.string(), " -o ", wasm.string())
                            .c_str()),
            0);
}

class Golden : public testing::TestWithParam<const char*> {};

TEST_P(Golden, Functions) {
  if (std::string(FERMATA_WAT2WASM).empty()) GTEST_SKIP() << "wat2wasm was not found";
  const std::string name = GetParam();
  const fs::path folder = fs::path(FERMATA_SOURCE_DIR) / "tests" / "translator" / "goldens";
  const fs::path out = fs::path(testing::TempDir()) / absl::StrCat("fermata_golden_", name);
  fs::create_directories(out);
  const fs::path wasm = out / "guest.wasm";
  if (fs::exists(folder / (name + ".wasm"))) {
    fs::copy_file(folder / (name + ".wasm"), wasm, fs::copy_options::overwrite_existing);
  } else {
    Assemble(folder / (name + ".wat"), wasm);
  }
  ASSERT_TRUE(fs::exists(wasm));
  TranslateOptions options;
  options.emit = OptionsOf(name);
  options.output = out;
  const absl::Status status = Translate(wasm, options);
  ASSERT_TRUE(status.ok()) << status;
  const std::string text = Functions(Read(out / "guest_0.cc"), name);
  const fs::path golden = folder / (name + ".golden");
  if (std::getenv("FERMATA_UPDATE_GOLDENS") != nullptr) std::ofstream(golden) << text;
  EXPECT_EQ(text, Read(golden));
  fs::remove_all(out);
}

INSTANTIATE_TEST_SUITE_P(Shapes, Golden,
                         testing::Values("objects", "plain", "split", "shared", "pieces",
                                         "pieces_frames", "try", "tail_call", "br_table",
                                         "checked"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace fermata

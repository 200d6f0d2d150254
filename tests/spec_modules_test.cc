// The modules of the official test suite, and those of the recorded guests: which are accepted,
// which are refused, and with which words.
//
// Nothing is executed here. Modules that need a proposal Fermata lacks must be refused as such, by
// the proposal's name (kUnimplemented); all other positive modules must pass, and every module that
// the suite calls malformed or invalid must be refused, with the suite's phrase.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "llvm/Support/JSON.h"
#include "translator/validate/function_validator.h"
#include "translator/validate/module_validator.h"
#include "translator/wasm/features.h"
#include "translator/wasm/reader.h"

namespace fermata {
namespace {

namespace fs = std::filesystem;

std::vector<uint8_t> ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

absl::Status Check(const std::string& name, const std::vector<uint8_t>& bytes) {
  absl::StatusOr<wasm::Module> module = wasm::ReadModule(name, bytes);
  if (!module.ok()) return module.status();
  absl::Status status = validate::ValidateModule(*module);
  validate::Sink nobody;
  for (uint32_t f = module->imported_functions; status.ok() && f < module->functions.size(); ++f) {
    status = validate::ValidateFunction(*module, f, nobody);
  }
  return status;
}

// What follows the position: "guest.wasm: 0x1f3 (function 12 "parse"): " is taken off.
std::string Words(const absl::Status& status, const std::string& name) {
  std::string message(status.message());
  EXPECT_TRUE(absl::StartsWith(message, name + ": 0x")) << message;
  size_t at = message.find(": ", name.size() + 2);
  return at == std::string::npos ? message : message.substr(at + 2);
}

std::string ToString(llvm::StringRef s) { return s.str(); }

std::set<std::string> SupportedNames() {
  std::set<std::string> names;
#define FERMATA_NAME_IF_SUPPORTED(enumerator, name, supported) \
  if (supported) names.insert(name);
  FERMATA_FEATURES(FERMATA_NAME_IF_SUPPORTED)
#undef FERMATA_NAME_IF_SUPPORTED
  return names;
}

// The suite, unpacked once for all tests here.
class SpecModules : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const fs::path archive = fs::path(FERMATA_SHARED_DIR) / "spec" / "spec-json.tar.xz";
    if (!fs::exists(archive)) return;
    std::string folder = fs::path(testing::TempDir()) / "fermata_spec_XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) return;
    folder_ = folder;
    const std::string command = absl::StrCat("tar xJf '", archive.string(), "' -C '", folder, "'");
    unpacked_ = std::system(command.c_str()) == 0;
  }
  static void TearDownTestSuite() {
    if (!folder_.empty()) fs::remove_all(folder_);
  }
  void SetUp() override {
    if (!unpacked_) {
      GTEST_SKIP() << "no spec/spec-json.tar.xz in FERMATA_SHARED_DIR (" FERMATA_SHARED_DIR
                   << "), or no tar and xz to unpack it";
    }
  }

  // Calls `visit(group, folder, command)` for the JSON object of each command.
  template <class Visit>
  static void ForEachCommand(const Visit& visit) {
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
      const fs::path& path = entry.path();
      if (path.extension() != ".json" || path.filename() == "manifest.json") continue;
      const std::vector<uint8_t> bytes = ReadFile(path);
      llvm::Expected<llvm::json::Value> json = llvm::json::parse(
          llvm::StringRef(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
      ASSERT_TRUE(static_cast<bool>(json)) << path;
      const std::string group = path.parent_path().parent_path().filename();
      VisitCommands(*json->getAsObject()->getArray("commands"),
                    [&](const llvm::json::Object& c) { visit(group, path.parent_path(), c); });
    }
  }

  template <class Visit>
  static void VisitCommands(const llvm::json::Array& commands, const Visit& visit) {
    for (const llvm::json::Value& value : commands) {
      const llvm::json::Object& command = *value.getAsObject();
      visit(command);
      if (const llvm::json::Array* nested = command.getArray("commands")) {
        VisitCommands(*nested, visit);
      }
    }
  }

  // By module file: whether it needs no proposal that Fermata lacks.
  static std::map<std::string, bool> SupportedModules() {
    const std::set<std::string> supported = SupportedNames();
    std::map<std::string, bool> result;
    const std::vector<uint8_t> bytes = ReadFile(fs::path(folder_) / "manifest.json");
    llvm::Expected<llvm::json::Value> json = llvm::json::parse(
        llvm::StringRef(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    EXPECT_TRUE(static_cast<bool>(json));
    if (!json) return result;
    for (const llvm::json::Value& file : *json->getAsObject()->getArray("files")) {
      const fs::path at = fs::path(ToString(*file.getAsObject()->getString("json"))).parent_path();
      for (const llvm::json::Value& module : *file.getAsObject()->getArray("modules")) {
        bool all = true;
        for (const llvm::json::Value& f : *module.getAsObject()->getArray("features")) {
          all = all && supported.count(ToString(*f.getAsString())) != 0;
        }
        result[at / ToString(*module.getAsObject()->getString("filename"))] = all;
      }
    }
    return result;
  }

  static std::string folder_;
  static bool unpacked_;
};
std::string SpecModules::folder_;
bool SpecModules::unpacked_ = false;

bool IsBinary(const llvm::json::Object& command) {
  const auto file = command.getString("filename");
  return file && file->endswith(".wasm");
}

TEST_F(SpecModules, PositiveModulesPassOrNeedAProposal) {
  const std::map<std::string, bool> supported = SupportedModules();
  int passed = 0, early = 0, core = 0;
  ForEachCommand([&](const std::string& group, const fs::path& folder,
                     const llvm::json::Object& command) {
    const std::string type = ToString(*command.getString("type"));
    // Modules that can't be linked or whose start function traps are valid, too.
    if (type != "module" && type != "module_definition" && type != "assert_unlinkable" &&
        type != "assert_uninstantiable") {
      return;
    }
    if (!IsBinary(command)) return;
    const std::string name = folder / ToString(*command.getString("filename"));
    const absl::Status status = Check(name, ReadFile(name));
    if (status.ok()) {
      ++passed;
      core += group == "core";
      return;
    }
    ++early;
    EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented) << status;
    EXPECT_TRUE(absl::EndsWith(status.message(), "proposal, which Fermata does not support yet"))
        << status;
    // The manifest's features were read off the modules' text, which may hide typed references.
    const auto it = supported.find(fs::relative(name, folder_));
    if (it != supported.end() && it->second) {
      EXPECT_TRUE(absl::StrContains(status.message(), "\"function-references\"")) << status;
    }
  });
  std::cout << "accepted: " << passed << " (" << core << " of core), need a proposal: " << early
            << "\n";
  EXPECT_GT(core, 1000);
}

TEST_F(SpecModules, MalformedAndInvalidModulesAreRefused) {
  // Their sections' sizes are wrong, too, and that is seen first: bodies are decoded last.
  const std::set<std::string> other_words = {"binary-leb128.40.wasm", "binary-leb128.43.wasm",
                                             "binary-leb128.65.wasm", "binary-leb128.66.wasm",
                                             "binary-leb128.71.wasm", "binary-leb128.72.wasm"};
  std::map<std::string, std::pair<int, int>> figures;  // by group: all, with the suite's phrase
  ForEachCommand(
      [&](const std::string& group, const fs::path& folder, const llvm::json::Object& command) {
        const std::string type = ToString(*command.getString("type"));
        if ((type != "assert_invalid" && type != "assert_malformed") || !IsBinary(command)) return;
        const std::string name = folder / ToString(*command.getString("filename"));
        const std::string phrase = ToString(*command.getString("text"));
        const absl::Status status = Check(name, ReadFile(name));
        EXPECT_FALSE(status.ok()) << name << " should be refused: " << phrase;
        if (status.ok()) return;
        auto& [all, worded] = figures[group];
        ++all;
        const bool same = absl::StartsWith(Words(status, name), phrase);
        worded += same;
        if ((group == "core" || group == "bulk-memory") && !absl::IsUnimplemented(status)) {
          const bool excused = other_words.count(fs::path(name).filename()) != 0;
          EXPECT_NE(same, excused) << phrase << "\n" << status;
        }
      });
  for (const auto& [group, figure] : figures) {
    std::cout << group << ": refused " << figure.first << ", with the suite's phrase "
              << figure.second << "\n";
  }
  EXPECT_GT(figures["core"].first, 1800);
}

TEST(Guests, PassOrNeedAProposal) {
  const fs::path guests = fs::path(FERMATA_SHARED_DIR) / "guests";
  if (!fs::exists(guests)) {
    GTEST_SKIP() << "no guests/ in FERMATA_SHARED_DIR (" FERMATA_SHARED_DIR ")";
  }
  int passed = 0;
  for (const auto& entry : fs::directory_iterator(guests)) {
    const fs::path module = entry.path() / "module.wasm";
    if (!fs::exists(module)) continue;
    const absl::Status status = Check(module, ReadFile(module));
    passed += status.ok();
    EXPECT_TRUE(status.ok() || absl::IsUnimplemented(status)) << status;
  }
  EXPECT_GT(passed, 20);
}

}  // namespace
}  // namespace fermata

// The modules of the official test suite, and those of the recorded guests: which are accepted,
// which are refused, and with which words.
//
// Nothing is executed here. Modules that need a proposal Fermata lacks must be refused as such, by
// the proposal's name (kUnimplemented); all other positive modules must pass. The modules that the
// suite calls malformed or invalid are the business of spec-tests/.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "llvm/Support/JSON.h"
#include "tests/support/commands.h"
#include "tests/support/files.h"
#include "translator/validate/function_validator.h"
#include "translator/validate/module_validator.h"
#include "translator/validate/null_sink.h"
#include "translator/wasm/features.h"
#include "translator/wasm/reader.h"

namespace fermata {
namespace {

namespace fs = std::filesystem;

using testing_support::ReadBytes;

absl::Status Check(const std::string& name, const std::vector<uint8_t>& bytes) {
  absl::StatusOr<wasm::Module> module = wasm::ReadModule(name, bytes);
  if (!module.ok()) return module.status();
  absl::Status status = validate::ValidateModule(*module);
  validate::NullSink nobody;
  for (uint32_t f = module->imported_functions; status.ok() && f < module->functions.size(); ++f) {
    status = validate::ValidateFunction(*module, f, nobody);
  }
  return status;
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
    folder_ = new testing_support::Folder;
    process::Command tar = {FERMATA_CMAKE, "-E", "tar", "xf", fs::absolute(archive)};
    tar.folder = folder_->path();
    testing_support::MustSucceed(tar);
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }
  void SetUp() override {
    if (folder_ == nullptr) {
      GTEST_SKIP() << "no spec/spec-json.tar.xz in FERMATA_SHARED_DIR (" FERMATA_SHARED_DIR ")";
    }
  }

  // Calls `visit(group, folder, command)` for the JSON object of each command.
  template <class Visit>
  static void ForEachCommand(const Visit& visit) {
    for (const auto& entry : fs::recursive_directory_iterator(folder_->path())) {
      const fs::path& path = entry.path();
      if (path.extension() != ".json" || path.filename() == "manifest.json") continue;
      const std::vector<uint8_t> bytes = ReadBytes(path);
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
    const std::vector<uint8_t> bytes = ReadBytes(*folder_ / "manifest.json");
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

  static testing_support::Folder* folder_;  // null: there is no suite
};
testing_support::Folder* SpecModules::folder_ = nullptr;

bool IsBinary(const llvm::json::Object& command) {
  const auto file = command.getString("filename");
  return file && absl::EndsWith(file->str(), ".wasm");
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
    const absl::Status status = Check(name, ReadBytes(name));
    if (status.ok()) {
      ++passed;
      core += group == "core";
      return;
    }
    ++early;
    // The types and instructions that Fermata lacks are mixed with what it knows: a function of a
    // continuation's tag, say, has results, which is an error without that proposal.
    const auto it = supported.find(fs::relative(name, folder_->path()));
    EXPECT_TRUE(it != supported.end() && !it->second) << status;
    if (group == "stack-switching" && absl::IsInvalidArgument(status)) {
      EXPECT_TRUE(absl::StrContains(status.message(), "non-empty tag result type")) << status;
      return;
    }
    EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented) << status;
    EXPECT_TRUE(absl::EndsWith(status.message(), "proposal, which Fermata does not support yet"))
        << status;
  });
  std::cout << "accepted: " << passed << " (" << core << " of core), need a proposal: " << early
            << "\n";
  EXPECT_GT(core, 1000);
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
    const absl::Status status = Check(module, ReadBytes(module));
    passed += status.ok();
    EXPECT_TRUE(status.ok() || absl::IsUnimplemented(status)) << status;
  }
  EXPECT_GT(passed, 20);
}

}  // namespace
}  // namespace fermata

// --wasi, and WASI of fermata_add_guest: WASI functions that never wait are plain calls.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fermata/wasi/process.h"
#include "translator/module_analysis/immediate.h"

namespace fermata {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAreArray;

TEST(WasiImmediate, TranslatorAndRuntimeAgreeOnWhatNeverWaits) {
  std::vector<std::string> names;
  for (absl::string_view name : analysis::WasiFunctionsThatNeverWait()) {
    names.push_back(absl::StrCat(analysis::kWasiModule, ".", name));
  }
  EXPECT_THAT(names, UnorderedElementsAreArray(wasi::System::ImmediateImports()));
}

wasm::Module Importing(const std::vector<std::pair<absl::string_view, absl::string_view>>& names) {
  wasm::Module module;
  module.types.push_back({{}, {}});
  for (const auto& [from, name] : names) {
    const uint32_t f = module.functions.size();
    wasm::Function function;
    function.imported = true;
    function.import = f;
    module.imports.push_back({from, name, wasm::ExternKind::kFunction, f, 0});
    module.functions.push_back(function);
    ++module.imported_functions;
  }
  return module;
}

TEST(WasiImmediate, OnlyWasisOwnFunctionsThatNeverWaitMatch) {
  const wasm::Module module = Importing({{"wasi_snapshot_preview1", "fd_write"},
                                         {"wasi_snapshot_preview1", "fd_seek"},
                                         {"env", "fd_seek"},
                                         {"wasi_snapshot_preview1", "fd_unheard_of"},
                                         {"wasi_snapshot_preview1", "poll_oneoff"},
                                         {"wasi_snapshot_preview1", "proc_exit"}});
  const auto with = analysis::MatchImmediate(module, {}, /*wasi=*/true);
  ASSERT_TRUE(with.ok()) << with.status();
  EXPECT_THAT(*with, ElementsAre(false, true, false, false, false, true));
  const auto without = analysis::MatchImmediate(module, {}, /*wasi=*/false);
  ASSERT_TRUE(without.ok()) << without.status();
  EXPECT_THAT(*without, ElementsAre(false, false, false, false, false, false));
}

TEST(WasiImmediate, GlobsAddToIt) {
  const wasm::Module module = Importing({{"env", "log"}, {"wasi_snapshot_preview1", "fd_close"}});
  const auto both = analysis::MatchImmediate(module, {"env.*"}, /*wasi=*/true);
  ASSERT_TRUE(both.ok()) << both.status();
  EXPECT_THAT(*both, ElementsAre(true, true));
}

}  // namespace
}  // namespace fermata

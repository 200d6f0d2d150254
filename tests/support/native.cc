#include "tests/support/native.h"

#include <gtest/gtest.h>

namespace fermata::testing_support {

driver::NativeBuildOptions BuildOptions(const std::string& module_path) {
  driver::NativeBuildOptions options;
  options.module_path = module_path;
  options.translator = FERMATA_TRANSLATOR;
  options.include_dir = FERMATA_INCLUDE_DIR;
  options.compiler = FERMATA_CXX;
  options.shards = 1;
  return options;
}

const ModuleInfo* BuildAndLoad(const driver::NativeBuildOptions& options) {
  const absl::StatusOr<driver::NativeModule> library = driver::BuildSharedModule(options);
  EXPECT_TRUE(library.ok()) << library.status();
  if (!library.ok()) return nullptr;
  const absl::StatusOr<const ModuleInfo*> module = LoadModule(library->path);
  EXPECT_TRUE(module.ok()) << module.status();
  return module.ok() ? *module : nullptr;
}

}  // namespace fermata::testing_support

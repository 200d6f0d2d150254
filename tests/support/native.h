// Modules that tests translate, compile and load.
#ifndef FERMATA_TESTS_SUPPORT_NATIVE_H_
#define FERMATA_TESTS_SUPPORT_NATIVE_H_

#include <string>

#include "fermata/dynamic.h"
#include "translator/cli/native/native_build.h"

namespace fermata::testing_support {

// How this build's translator and compiler make a shared library of the module, in one file.
driver::NativeBuildOptions BuildOptions(const std::string& module_path);

// Builds and loads it; null, and a failure, if that is not possible.
const ModuleInfo* BuildAndLoad(const driver::NativeBuildOptions& options);

}  // namespace fermata::testing_support

#endif  // FERMATA_TESTS_SUPPORT_NATIVE_H_

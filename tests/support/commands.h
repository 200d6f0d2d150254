// Commands that tests run.
#ifndef FERMATA_TESTS_SUPPORT_COMMANDS_H_
#define FERMATA_TESTS_SUPPORT_COMMANDS_H_

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "translator/cli/process/process.h"

namespace fermata::testing_support {

// Runs a command. One that cannot be started is a failure.
process::Result MustRun(const process::Command& command);
// The same; one that does not return 0 is a failure, too. Returns its output.
std::string MustSucceed(const process::Command& command);
// The `fermata` of this build, with these arguments.
process::Result RunFermata(std::vector<std::string> arguments);

bool HasWat2wasm();
// At the begin of a test, or of its SetUp.
#define FERMATA_SKIP_WITHOUT_WAT2WASM()           \
  if (!::fermata::testing_support::HasWat2wasm()) \
  GTEST_SKIP() << "not run: wat2wasm (wabt) is not there"
// Assembles a module's text into the file `path`. Returns whether that succeeded; if not, it is a
// failure of the test, with what wat2wasm says. Without flags: all proposals, and names.
bool Assemble(const std::string& text, const std::string& path,
              const std::vector<std::string>& flags = {"--enable-all", "--debug-names"});

}  // namespace fermata::testing_support

#endif  // FERMATA_TESTS_SUPPORT_COMMANDS_H_

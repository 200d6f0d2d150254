#include "tests/support/commands.h"

#include <filesystem>

#include "absl/strings/str_join.h"
#include "tests/support/files.h"

namespace fermata::testing_support {

process::Result MustRun(const process::Command& command) {
  absl::StatusOr<process::Result> result = process::Run(command);
  EXPECT_TRUE(result.ok()) << result.status();
  if (result.ok()) return *std::move(result);
  process::Result failed;
  failed.exit_code = -1;
  return failed;
}

std::string MustSucceed(const process::Command& command) {
  process::Result result = MustRun(command);
  EXPECT_EQ(result.exit_code, 0) << absl::StrJoin(command.arguments, " ") << "\n"
                                 << result.output.substr(0, 4000);
  return std::move(result.output);
}

process::Result RunFermata(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), FERMATA_TRANSLATOR);
  return MustRun(arguments);
}

bool HasWat2wasm() { return *FERMATA_WAT2WASM != '\0'; }

bool Assemble(const std::string& text, const std::string& path,
              const std::vector<std::string>& flags) {
  const std::string source = path + ".wat";
  WriteFile(source, text);
  std::vector<std::string> command = {FERMATA_WAT2WASM, source, "-o", path};
  command.insert(command.end(), flags.begin(), flags.end());
  const process::Result result = MustRun(command);
  EXPECT_TRUE(result.ok()) << "wat2wasm refuses the module:\n" << result.output;
  std::filesystem::remove(source);
  return result.ok();
}

}  // namespace fermata::testing_support

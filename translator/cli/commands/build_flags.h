// What `fermata run` and `fermata compile` share: the flags about translating and compiling.
//
// LLVM's flags belong to a subcommand, or to all: those here are of both commands.
#ifndef FERMATA_TRANSLATOR_CLI_COMMANDS_BUILD_FLAGS_H_
#define FERMATA_TRANSLATOR_CLI_COMMANDS_BUILD_FLAGS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "llvm/Support/CommandLine.h"
#include "translator/cli/native/native_build.h"

namespace fermata::commands {

// The subcommands; their flags in one category each.
extern llvm::cl::SubCommand run_command;
extern llvm::cl::SubCommand compile_command;
extern llvm::cl::OptionCategory build_category;

// --dir, --env and --allow-net of both.
const std::vector<std::string>& DirFlags();
const std::vector<std::string>& EnvFlags();
const std::vector<std::string>& AllowNetFlags();

// Options for `module_path` from the flags; `suspend_all`: WASI's imports that never wait suspend
// too. Error: Fermata's headers are not where they should be.
absl::Status ToBuildOptions(const std::string& module_path, bool suspend_all,
                            driver::NativeBuildOptions& options);

// A file in Fermata's library folder, of the installation or of the build.
std::string LibraryFile(absl::string_view name);

// Fails if `path` is no module that a process with WASI alone can run; the error lists the imports
// that nobody provides. Done before anything is compiled.
absl::Status CheckImports(const std::string& path);

// Shows what is being done, if standard error is a terminal and it takes long; erases it at the
// end.
class Progress {
 public:
  Progress();
  ~Progress();
  Progress(const Progress&) = delete;
  void Show(absl::string_view what);
  void Clear();

 private:
  bool terminal_;
  bool shown_ = false;
};

}  // namespace fermata::commands

#endif  // FERMATA_TRANSLATOR_CLI_COMMANDS_BUILD_FLAGS_H_

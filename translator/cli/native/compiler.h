// The C++ compiler, and how generated code is compiled with it.
#ifndef FERMATA_TRANSLATOR_CLI_NATIVE_COMPILER_H_
#define FERMATA_TRANSLATOR_CLI_NATIVE_COMPILER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/SHA256.h"

namespace fermata::driver {

struct Compiler {
  std::vector<std::string> command;  // "ccache g++" is two
  std::string version;               // what --version says
  std::string target;                // the machine, "x86_64-linux-gnu"; this one if it can't tell
  bool is_clang = false;
};

// `command`, or if it is empty $CXX, or "c++".
std::string CompilerCommand(const std::string& command);

// Asks the compiler what it is. `command` may carry arguments; empty: $CXX, or "c++".
absl::StatusOr<Compiler> FindCompiler(const std::string& command);

// What generated code for a shared library needs, but for the include folder.
std::vector<std::string> GeneratedCodeFlags(const Compiler& compiler,
                                            const std::string& optimization);

// The headers that generated code may include: "fermata/core/generated.h", …
std::vector<std::string> CoreHeaders();

// Those that are there, with those of the project that they include, as paths.
std::vector<std::string> CoreHeaderFiles(const std::string& include_dir);

// Hashes pieces with their lengths, so that no two lists of pieces give one stream.
class ContentHash {
 public:
  void Add(llvm::StringRef piece);
  absl::Status AddFile(const std::string& path);
  // The headers that generated code may include, with those that they include.
  absl::Status AddCoreHeaders(const std::string& include_dir);
  std::string Finish();

 private:
  llvm::SHA256 hash_;
};

}  // namespace fermata::driver

#endif  // FERMATA_TRANSLATOR_CLI_NATIVE_COMPILER_H_

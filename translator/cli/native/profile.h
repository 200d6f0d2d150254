// Profile-guided optimization: programs that count what they execute, and builds that go by it.
//
// What is counted lies in a folder, which both kinds of build are given. g++ writes a file for each
// source file, named after it, and clang one for each process, which are merged here.
#ifndef FERMATA_TRANSLATOR_CLI_NATIVE_PROFILE_H_
#define FERMATA_TRANSLATOR_CLI_NATIVE_PROFILE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "translator/cli/native/compiler.h"

namespace fermata::driver {

// Of compiling and linking a program that writes counts to `folder` when it ends.
absl::StatusOr<std::vector<std::string>> FlagsForCounting(const Compiler& compiler,
                                                          const std::string& folder);

// The counts in a folder.
class Counts {
 public:
  // Errors: there are none of this compiler, or clang's can't be merged. `work`: a folder for that.
  static absl::StatusOr<Counts> Read(const Compiler& compiler, const std::string& folder,
                                     const std::string& work);
  // Of compiling the source file `name`, without its ".cc".
  std::vector<std::string> FlagsFor(const std::string& name) const;

 private:
  bool is_clang_ = false;
  std::vector<std::string> files_;  // of g++, the newest last; of clang, the one that was merged
};

}  // namespace fermata::driver

#endif  // FERMATA_TRANSLATOR_CLI_NATIVE_PROFILE_H_

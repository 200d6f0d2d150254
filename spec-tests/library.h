// Compiles umbrella files (umbrella.h) to shared libraries, which are kept by the hash of all that
// goes into them: the text, the compiler, its flags and the core's headers.
#ifndef FERMATA_SPEC_TESTS_LIBRARY_H_
#define FERMATA_SPEC_TESTS_LIBRARY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "translator/cli/native/compiler.h"

namespace fermata::spec {

struct Library {
  std::string path;
  bool cached = false;  // it was there already
  double seconds = 0;   // compiling and linking
};

// May be used by several threads at once.
class LibraryBuilder {
 public:
  struct Options {
    std::string compiler;  // empty: $CXX, or "c++"
    std::string optimization = "-O1";
    std::vector<std::string> flags;       // further ones
    std::vector<std::string> link_flags;  // further ones of the linker
    std::string include_dir;              // the folder that holds fermata/core/generated.h
    std::string cache_dir;
  };

  // Finds the compiler and precompiles the core's headers, if that was not done before.
  static absl::StatusOr<LibraryBuilder> Make(const Options& options);

  // `output`: what the compiler printed, if it failed.
  absl::StatusOr<Library> Build(const std::string& source, std::string& output) const;
  double header_seconds() const { return header_seconds_; }

 private:
  absl::Status PrecompileHeader();

  Options options_;
  driver::Compiler compiler_;
  std::vector<std::string> flags_;
  std::string key_;     // of the compiler, flags and headers
  std::string prefix_;  // the header that all files begin with, precompiled beside it
  double header_seconds_ = 0;
};

}  // namespace fermata::spec

#endif  // FERMATA_SPEC_TESTS_LIBRARY_H_

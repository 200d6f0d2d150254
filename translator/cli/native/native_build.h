// From a WebAssembly module to a shared library that LoadModule (fermata/dynamic.h) can load, or to
// an executable: translates, compiles the generated files in parallel, links. Libraries are kept in
// a cache.
//
// The cache is addressed by content: module, translator, compiler, flags and the headers that
// generated code includes. An entry appears by an atomic rename of the finished library, so a build
// that is interrupted or fails leaves none, and several builds of one module at a time do no harm.
// Beside the libraries lie notes (build_note.h) of which files gave which entry, so that finding
// one again does not take reading all of them.
//
// The library leaves the runtime's symbols undefined: the executable that loads it must contain the
// whole core runtime and export its symbols (CMake's ENABLE_EXPORTS).
#ifndef FERMATA_TRANSLATOR_CLI_NATIVE_NATIVE_BUILD_H_
#define FERMATA_TRANSLATOR_CLI_NATIVE_NATIVE_BUILD_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace fermata::driver {

struct NativeBuildOptions {
  std::string module_path;                    // the .wasm file
  std::string translator;                     // the `fermata` executable
  std::vector<std::string> translator_flags;  // further ones, as "--memory=checked"
  std::string compiler;                       // empty: $CXX, or "c++"
  std::string optimization = "-O2";
  std::vector<std::string> compiler_flags;  // further ones
  std::string count_in;        // executables: a folder to which they write what they execute
  std::string counted_in;      // that folder: optimize by it
  bool whole_program = false;  // executables: optimize all files as one
  std::string include_dir;     // the folder that holds fermata/core/abi.h
  std::string cache_dir;       // empty: DefaultCacheDir()
  unsigned jobs = 0;           // compilations at a time; 0: one per processor
  unsigned shards = 0;         // source files; 0: by the module's size
  // Called before anything is made, if the module is not in the cache; an error ends the build. May
  // be null.
  std::function<absl::Status()> before_build;
  // Called now and then with what is being done ("translating", "compiling 3 of 12"); may be null.
  std::function<void(absl::string_view)> progress;
};

struct NativeModule {
  std::string path;                 // of the shared library, in the cache
  bool cached = false;              // it was there already
  double translate_seconds = 0;     // 0 if cached
  double compile_seconds = 0;       // link included; 0 if cached
  uint64_t compile_peak_bytes = 0;  // most memory of any one compilation; 0 if cached
};

// Errors: kUnimplemented if the module needs a proposal that the translator lacks (the message is
// the translator's); else what failed, with the end of that program's output.
absl::StatusOr<NativeModule> BuildSharedModule(const NativeBuildOptions& options);

struct ExecutableOptions {
  std::string output;                   // where it goes; appears when it is complete
  std::string main_source;              // C++ with main(); the module is `fermata_module()`
  std::vector<std::string> link_flags;  // the libraries main() needs
};

// Builds an executable, and caches nothing. Errors as above.
absl::StatusOr<NativeModule> BuildExecutable(const NativeBuildOptions& options,
                                             const ExecutableOptions& executable);

// $XDG_CACHE_HOME/fermata, ~/.cache/fermata, or a folder in the system's temporary one.
std::string DefaultCacheDir();

// The name of the proposal in the translator's `needs the "simd" proposal`, or "".
std::string MissingProposal(const std::string& message);

}  // namespace fermata::driver

#endif  // FERMATA_TRANSLATOR_CLI_NATIVE_NATIVE_BUILD_H_

// The programs that the benchmarks use, as bench/tools.cmake has found them, and the one place that
// says with which flags: Fermata's generated code gets what `fermata run` gives it
// (translator/cli/native/compiler.cc), and the peers that translate the same wasm get the same, but
// for one that would slow them down.
#ifndef FERMATA_BENCH_REPORT_TOOLCHAIN_H_
#define FERMATA_BENCH_REPORT_TOOLCHAIN_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "translator/cli/process/process.h"

namespace bench {

using Command = std::vector<std::string>;
// Keep this process small: no program's `peak_bytes` is less than what it has.
using Ran = fermata::process::Result;
using fermata::process::Tail;

// Runs a program; one that cannot be started has failed, and its errors say why. Its output and its
// errors are apart.
Ran Run(const Command& command);

struct Compiler {
  std::string name;     // "gcc" or "clang"
  std::string cc, cxx;  // paths
  std::string version;  // the first line of --version
  Command fermata;      // flags of C++ that Fermata generated
  Command wasm2c;       // flags of C that wasm2c generated
  Command native;       // flags of C that was written by hand
};

// A path is empty if the program isn't there; what needs it is then left out.
struct Tools {
  std::string source_dir;  // of the project
  std::string build_dir;
  std::string fermata;
  std::string cmake;
  std::string keep_going;  // the flag by which its build goes on after a failure
  std::string wasm_clang;  // compiles C to wasm, with its wasm-ld
  std::string wasm2c;
  std::string wasm2c_version;
  std::vector<std::string> wasm2c_flags;
  std::string wasm_rt;  // folder of wasm2c's runtime
  std::string valgrind;
  std::string node;                 // $NODE, or node
  std::string python;               // one with matplotlib
  std::vector<Compiler> compilers;  // g++, and the newest clang

  std::string Include() const { return source_dir + "/include"; }
};

absl::StatusOr<Tools> FindTools(const std::string& source_dir, const std::string& build_dir);

// Writes the flags of each compiler, for each kind of code, as files that the compilers take as
// "@FOLDER/gcc-fermata": what bench/kernels is built with.
absl::Status WriteFlags(const Tools& tools, const std::string& folder);

// Has a target of this build made, or a file by its path in the build folder, as far as that is
// possible. Returns whether all of it could be; if not, what the build said is added to `errors`.
bool Build(const Tools& tools, const std::string& target, std::string& errors);

}  // namespace bench

#endif  // FERMATA_BENCH_REPORT_TOOLCHAIN_H_

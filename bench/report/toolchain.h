// The programs that the benchmarks use, and the one place that says with which flags: Fermata's
// generated code gets what `fermata run` gives it (translator/cli/native/compiler.cc), and the
// peers that translate the same wasm get the same, but for one that would slow them down.
#ifndef FERMATA_BENCH_REPORT_TOOLCHAIN_H_
#define FERMATA_BENCH_REPORT_TOOLCHAIN_H_

#include <string>
#include <vector>

#include "bench/report/process.h"

namespace bench {

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
  std::string wasm_clang;  // compiles C to wasm, with its wasm-ld
  std::string wasm2c;
  std::string wasm2c_version;
  std::string wasm_rt;  // folder of wasm2c's runtime
  std::string wasm_opt;
  std::string valgrind;
  std::string node;                 // $NODE, or node
  std::vector<Compiler> compilers;  // g++, and the newest clang

  std::string Include() const { return source_dir + "/include"; }
  // What a program with Fermata's runtime is linked with.
  Command RuntimeLibraries() const;
};

Tools FindTools(const std::string& source_dir, const std::string& build_dir);

// C to wasm. No bulk memory or other proposals but those that all engines have.
Command WasmCommand(const Tools& tools, const std::string& source, const std::string& wasm,
                    const Command& further);
// Instruments a module so that its import env.rare can suspend.
Command AsyncifyCommand(const Tools& tools, const std::string& wasm, const std::string& output);

}  // namespace bench

#endif  // FERMATA_BENCH_REPORT_TOOLCHAIN_H_

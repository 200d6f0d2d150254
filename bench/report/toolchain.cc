#include "bench/report/toolchain.h"

#include <cstdlib>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "llvm/Support/FileSystem.h"
#include "translator/cli/native/compiler.h"

namespace bench {
namespace {

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

// Fermata's flags, without what only C++ or only Fermata's headers understand, and without
// -fsignaling-nans: Fermata needs it to keep the bits of NaNs with g++, wasm2c is commonly used
// without, and would take 1.3 times the instructions on floating-point code. No other flag costs it
// any (instructions of all kernels, g++ 12 and clang 19).
Command FlagsOfWasm2c(const Command& flags) {
  Command c;
  for (const std::string& flag : flags) {
    if (!absl::StartsWith(flag, "-std=") && !absl::StartsWith(flag, "-DFERMATA_") &&
        flag != "-fsignaling-nans") {
      c.push_back(flag);
    }
  }
  return c;
}

void AddCompiler(const std::string& name, const std::string& cc, const std::string& cxx,
                 std::vector<Compiler>& compilers) {
  Compiler compiler{name, FindProgram(cc), FindProgram(cxx), "", {}, {}, {}};
  if (compiler.cc.empty() || compiler.cxx.empty()) return;
  const auto found = fermata::driver::FindCompiler(compiler.cxx);
  if (!found.ok()) return;
  compiler.version = FirstLine(found->version);
  compiler.fermata = fermata::driver::GeneratedCodeFlags(*found, "-O2");
  compiler.wasm2c = FlagsOfWasm2c(compiler.fermata);
  compiler.native = {"-O2", "-w", "-fPIC", "-fvisibility=hidden", "-fno-math-errno"};
  compilers.push_back(std::move(compiler));
}

std::string NewestClang() {
  for (int version = 40; version >= 14; --version) {
    const std::string suffix = absl::StrCat("-", version);
    if (!FindProgram("clang" + suffix).empty() && !FindProgram("clang++" + suffix).empty()) {
      return suffix;
    }
  }
  return "";
}

}  // namespace

Command Tools::RuntimeLibraries() const {
  Command libraries = {"-Wl,--start-group"};
  std::ifstream list(build_dir + "/lib/fermata/standalone.link");
  for (std::string line; std::getline(list, line);) {
    if (!line.empty()) libraries.push_back(line);
  }
  libraries.insert(libraries.end(), {"-Wl,--end-group", "-lpthread"});
  return libraries;
}

Tools FindTools(const std::string& source_dir, const std::string& build_dir) {
  Tools tools;
  tools.source_dir = source_dir;
  tools.build_dir = build_dir;
  tools.fermata = build_dir + "/bin/fermata";
  if (!FindProgram("wasm-ld").empty()) tools.wasm_clang = FindProgram("clang");
  tools.wasm2c = FindProgram("wasm2c");
  for (const char* folder : {"/usr/share/wabt/wasm2c", "/usr/local/share/wabt/wasm2c"}) {
    if (llvm::sys::fs::exists(absl::StrCat(folder, "/wasm-rt-impl.c"))) tools.wasm_rt = folder;
  }
  if (tools.wasm_rt.empty()) tools.wasm2c.clear();
  if (!tools.wasm2c.empty()) tools.wasm2c_version = FirstLine(Run({tools.wasm2c, "--version"}).out);
  tools.wasm_opt = FindProgram("wasm-opt");
  tools.valgrind = FindProgram("valgrind");
  const char* node = std::getenv("NODE");
  tools.node = FindProgram(node != nullptr && *node != 0 ? node : "node");
  AddCompiler("gcc", "gcc", "g++", tools.compilers);
  const std::string newest = NewestClang();
  AddCompiler("clang", "clang" + newest, "clang++" + newest, tools.compilers);
  return tools;
}

Command WasmCommand(const Tools& tools, const std::string& source, const std::string& wasm,
                    const Command& further) {
  Command command = {tools.wasm_clang,
                     "--target=wasm32",
                     "-O2",
                     "-nostdlib",
                     "-mbulk-memory",
                     "-Wl,--no-entry",
                     source,
                     "-o",
                     wasm};
  command.insert(command.end(), further.begin(), further.end());
  return command;
}

Command AsyncifyCommand(const Tools& tools, const std::string& wasm, const std::string& output) {
  return {tools.wasm_opt, "--enable-bulk-memory",
          wasm,           "--asyncify",
          "-O2",          "--pass-arg=asyncify-imports@env.rare",
          "-o",           output};
}

}  // namespace bench

#include "bench/report/toolchain.h"

#include <cstdlib>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "bench/report/figures.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "translator/cli/native/compiler.h"
#include "translator/output_folder.h"

namespace bench {
namespace {

namespace json = llvm::json;

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

absl::StatusOr<Compiler> MakeCompiler(const json::Object& found) {
  Compiler compiler{Text(&found, "name"), Text(&found, "cc"), Text(&found, "cxx"), "", {}, {}, {}};
  const auto asked = fermata::driver::FindCompiler(compiler.cxx);
  if (!asked.ok()) return asked.status();
  compiler.version = FirstLine(asked->version);
  compiler.fermata = fermata::driver::GeneratedCodeFlags(*asked, "-O2");
  compiler.wasm2c = FlagsOfWasm2c(compiler.fermata);
  compiler.native = {"-O2", "-w", "-fPIC", "-fvisibility=hidden", "-fno-math-errno"};
  return compiler;
}

// In a file of arguments.
std::string Quoted(const std::string& argument) {
  return absl::StrCat("\"", absl::StrReplaceAll(argument, {{"\\", "\\\\"}, {"\"", "\\\""}}), "\"");
}

}  // namespace

Ran Run(const Command& command) {
  fermata::process::Command apart = command;
  apart.errors_apart = true;
  absl::StatusOr<Ran> ran = fermata::process::Run(apart);
  if (ran.ok()) return *std::move(ran);
  Ran failed;
  failed.exit_code = 127;  // as a shell says it
  failed.errors = std::string(ran.status().message());
  return failed;
}

absl::StatusOr<Tools> FindTools(const std::string& source_dir, const std::string& build_dir) {
  const std::string path = build_dir + "/bench/tools.json";
  const auto file = llvm::MemoryBuffer::getFile(path);
  if (!file) {
    return absl::NotFoundError(absl::StrCat(path, ": cannot read: ", file.getError().message()));
  }
  llvm::Expected<json::Value> value = json::parse((*file)->getBuffer());
  if (!value)
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", llvm::toString(value.takeError())));
  const json::Object* found = value->getAsObject();
  const json::Array* compilers = found == nullptr ? nullptr : found->getArray("compilers");
  if (compilers == nullptr) return absl::InvalidArgumentError(path + ": no compilers");

  Tools tools;
  tools.source_dir = source_dir;
  tools.build_dir = build_dir;
  tools.fermata = build_dir + "/bin/fermata";
  tools.cmake = Text(found, "cmake");
  tools.keep_going = Text(found, "keep_going");
  tools.wasm_clang = Text(found, "wasm_clang");
  tools.wasm2c = Text(found, "wasm2c");
  tools.wasm_rt = Text(found, "wasm_rt");
  if (!tools.wasm2c.empty()) {
    tools.wasm2c_version = FirstLine(Run({tools.wasm2c, "--version"}).output);
    // Proposals that a version has, but not unless it is told to use them.
    const std::string help = Run({tools.wasm2c, "--help"}).output;
    for (const char* flag : {"--enable-exceptions", "--enable-multi-memory"}) {
      if (absl::StrContains(help, flag)) tools.wasm2c_flags.push_back(flag);
    }
  }
  tools.valgrind = Text(found, "valgrind");
  tools.python = Text(found, "python");
  tools.node = Text(found, "node");
  if (const char* node = std::getenv("NODE"); node != nullptr && *node != 0) {
    const auto program = llvm::sys::findProgramByName(node);
    tools.node = program ? *program : "";
  }
  for (const json::Value& compiler : *compilers) {
    if (compiler.getAsObject() == nullptr) continue;
    absl::StatusOr<Compiler> made = MakeCompiler(*compiler.getAsObject());
    if (!made.ok()) return made.status();
    tools.compilers.push_back(*std::move(made));
  }
  return tools;
}

absl::Status WriteFlags(const Tools& tools, const std::string& folder) {
  fermata::OutputFolder out(folder);
  absl::Status status = out.Open();
  for (const Compiler& compiler : tools.compilers) {
    const std::pair<const char*, const Command*> kinds[] = {
        {"fermata", &compiler.fermata}, {"wasm2c", &compiler.wasm2c}, {"native", &compiler.native}};
    for (const auto& [kind, flags] : kinds) {
      std::string text;
      for (const std::string& flag : *flags) absl::StrAppend(&text, Quoted(flag), "\n");
      if (status.ok()) status = out.Add(absl::StrCat(compiler.name, "-", kind), text);
    }
  }
  return status.ok() ? out.Commit() : status;
}

bool Build(const Tools& tools, const std::string& target, std::string& errors) {
  const Ran ran =
      Run({tools.cmake, "--build", tools.build_dir, "--target", target, "--", tools.keep_going});
  if (!ran.ok()) absl::StrAppend(&errors, Tail(ran.output, 40), "\n", Tail(ran.errors), "\n");
  return ran.ok();
}

}  // namespace bench

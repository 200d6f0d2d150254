#include "translator/cli/native/compiler.h"

#include <cstdlib>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Host.h"
#include "llvm/Support/MemoryBuffer.h"
#include "translator/cli/process/process.h"

namespace fermata::driver {
namespace {

absl::StatusOr<std::unique_ptr<llvm::MemoryBuffer>> ReadFile(const std::string& path) {
  auto buffer =
      llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer) {
    return absl::NotFoundError(absl::StrCat(path, ": cannot read: ", buffer.getError().message()));
  }
  return std::move(*buffer);
}

// Calls `visit(path, text)` for `name` ("fermata/core/abi.h") and the project's headers that it
// includes, each once.
template <typename Visit>
absl::Status VisitHeader(const std::string& include_dir, const std::string& name,
                         std::set<std::string>& seen, const Visit& visit) {
  if (!seen.insert(name).second) return absl::OkStatus();
  const std::string path = include_dir + "/" + name;
  auto file = ReadFile(path);
  if (!file.ok()) return file.status();
  const llvm::StringRef text = (*file)->getBuffer();
  visit(path, text);
  for (absl::string_view line : absl::StrSplit(absl::string_view(text.data(), text.size()), '\n')) {
    if (!absl::ConsumePrefix(&line, "#include \"")) continue;
    absl::Status status =
        VisitHeader(include_dir, std::string(line.substr(0, line.find('"'))), seen, visit);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

template <typename Visit>
absl::Status VisitCoreHeaders(const std::string& include_dir, const Visit& visit) {
  std::set<std::string> seen;
  for (const std::string& name : CoreHeaders()) {
    absl::Status status = VisitHeader(include_dir, name, seen, visit);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

bool IsWindows(const Compiler& compiler) {
  return absl::StrContains(compiler.target, "mingw") ||
         absl::StrContains(compiler.target, "windows");
}

}  // namespace

std::string CompilerCommand(const std::string& command) {
  if (!command.empty()) return command;
  const char* from_environment = std::getenv("CXX");
  return from_environment != nullptr && *from_environment != 0 ? from_environment : "c++";
}

absl::StatusOr<Compiler> FindCompiler(const std::string& command) {
  const std::string asked = CompilerCommand(command);
  Compiler compiler;
  compiler.command = absl::StrSplit(asked, ' ', absl::SkipEmpty());
  if (compiler.command.empty()) return absl::InvalidArgumentError("the compiler command is empty");
  const auto ask = [&](const char* question) {
    std::vector<std::string> words = compiler.command;
    words.emplace_back(question);
    return process::Run(words);
  };
  const absl::StatusOr<process::Result> version = ask("--version");
  if (!version.ok()) return version.status();
  if (version->exit_code != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(asked, " --version failed:\n", process::Tail(version->output)));
  }
  compiler.version = version->output;
  compiler.is_clang = absl::StrContains(compiler.version, "clang");
  const absl::StatusOr<process::Result> target = ask("-dumpmachine");
  compiler.target = target.ok() && target->exit_code == 0
                        ? std::string(absl::StripAsciiWhitespace(target->output))
                        : llvm::sys::getDefaultTargetTriple();
  return compiler;
}

std::vector<std::string> GeneratedCodeFlags(const Compiler& compiler,
                                            const std::string& optimization) {
  std::vector<std::string> flags = {"-std=c++17", optimization, "-fPIC", "-fvisibility=hidden",
                                    "-w", "-ffp-contract=off", "-DFERMATA_FP_CONTRACT_OFF",
                                    "-DFERMATA_SHARED_MODULE",
                                    // Wasm loops may run forever; memory is untyped bytes.
                                    "-fno-finite-loops", "-fno-strict-aliasing",
                                    "-fno-optimize-sibling-calls", "-fno-math-errno"};
  // No frame, however large, steps over the page that ends the stack. Windows needs that everywhere,
  // so compilers for it always do; g++ for it fails if it is asked to.
  if (absl::StartsWith(compiler.target, "x86_64") && !IsWindows(compiler)) {
    flags.push_back("-fstack-clash-protection");
  }
  if (compiler.is_clang) {
    // Superlinear where many values are stored as a frame: ten minutes for one function.
    flags.push_back("-fno-slp-vectorize");
  } else {
    flags.push_back("-fsignaling-nans");
  }
  return flags;
}

std::vector<std::string> CoreHeaders() {
  return {"fermata/core/generated.h", "fermata/core/simd/simd.h", "fermata/core/atomics.h",
          "fermata/core/wide.h"};
}

std::vector<std::string> CoreHeaderFiles(const std::string& include_dir) {
  std::vector<std::string> paths;
  // One that can't be read ends the list: there is nothing to compile then.
  (void)VisitCoreHeaders(include_dir,
                         [&](const std::string& path, llvm::StringRef) { paths.push_back(path); });
  return paths;
}

void ContentHash::Add(llvm::StringRef piece) {
  hash_.update(std::to_string(piece.size()) + ":");
  hash_.update(piece);
}

absl::Status ContentHash::AddFile(const std::string& path) {
  auto file = ReadFile(path);
  if (!file.ok()) return file.status();
  Add((*file)->getBuffer());
  return absl::OkStatus();
}

absl::Status ContentHash::AddCoreHeaders(const std::string& include_dir) {
  return VisitCoreHeaders(include_dir,
                          [&](const std::string&, llvm::StringRef text) { Add(text); });
}

std::string ContentHash::Finish() {
  return llvm::toHex(hash_.final(), /*LowerCase=*/true).substr(0, 40);
}

}  // namespace fermata::driver

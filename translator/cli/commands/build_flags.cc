#include "translator/cli/commands/build_flags.h"

#include <unistd.h>

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fermata/wasi/process.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include "translator/input_file.h"
#include "translator/wasm/printable.h"
#include "translator/wasm/reader.h"

namespace fermata::commands {

namespace cl = llvm::cl;

cl::SubCommand run_command(
    "run", "Run a WASI program: translate it, compile it, keep the result, call it");
cl::SubCommand compile_command("compile", "Make an executable of a WASI program");
cl::OptionCategory build_category("Running and compiling");

namespace {

#define FERMATA_BOTH cl::sub(run_command), cl::sub(compile_command), cl::cat(build_category)

cl::list<std::string> dirs("dir", cl::value_desc("HOST::GUEST"),
                           cl::desc("A directory that the guest may use, and its name in the guest "
                                    "(repeatable); DIR alone: the same name; with ::ro at the end: "
                                    "only for reading"),
                           FERMATA_BOTH);
cl::list<std::string> environment(
    "env", cl::value_desc("NAME=VALUE"),
    cl::desc("An environment variable of the guest (repeatable); NAME "
             "alone: with the value that it has here"),
    FERMATA_BOTH);
cl::list<std::string> network(
    "allow-net", cl::value_desc("RULE"),
    cl::desc("What the guest may use of the network (repeatable; by default "
             "nothing): ADDRESS[/BITS][:PORTS], *[:PORTS], or a NAME that "
             "may be resolved; with connect: or listen: before it, only "
             "that"),
    FERMATA_BOTH);
cl::opt<std::string> compiler("compiler", cl::value_desc("command"),
                              cl::desc("C++ compiler (default: $CXX, or c++)"), FERMATA_BOTH);
cl::opt<std::string> optimization("opt", cl::init("-O2"), cl::value_desc("-On"),
                                  cl::desc("The compiler's optimization flag (default: -O2)"),
                                  FERMATA_BOTH);
cl::list<std::string> compiler_flags("cxxflag", cl::value_desc("flag"),
                                     cl::desc("A further compiler flag (repeatable)"),
                                     FERMATA_BOTH);
cl::opt<std::string> cache("cache", cl::value_desc("folder"),
                           cl::desc("Where compiled modules are kept (default: the user's cache)"),
                           cl::sub(run_command), cl::cat(build_category));
cl::opt<unsigned> jobs("jobs", cl::init(0), cl::value_desc("n"),
                       cl::desc("How many compilations run at a time (default: one per processor)"),
                       FERMATA_BOTH);
cl::opt<unsigned> shards(
    "shards", cl::init(0), cl::value_desc("n"),
    cl::desc("C++ files that the module becomes (default: one for each 128 KiB "
             "of it): one makes the fastest code, many compile at a time"),
    FERMATA_BOTH);
cl::opt<std::string> shape("shape", cl::value_desc("auto|split|tails|shared"),
                           cl::desc("How functions that may suspend are emitted"), FERMATA_BOTH);
cl::opt<std::string> memory("memory", cl::value_desc("reserved|checked|fixed"),
                            cl::desc("How memory accesses are bounded"), FERMATA_BOTH);
cl::list<std::string> features("features", cl::value_desc("proposal"), cl::CommaSeparated,
                               cl::desc("Proposals that the module may use, or with a '-' must "
                                        "not (default: all supported)"),
                               FERMATA_BOTH);

#undef FERMATA_BOTH

// This program's own path.
std::string Self() {
  static int here;
  return llvm::sys::fs::getMainExecutable(nullptr, &here);
}

// `relative` to the folder that bin/ is in.
std::string Installed(absl::string_view relative) {
  llvm::SmallString<128> path(Self());
  llvm::sys::path::remove_filename(path);
  llvm::sys::path::append(path, "..", std::string(relative));
  llvm::sys::path::remove_dots(path, /*remove_dot_dot=*/true);
  return path.str().str();
}

}  // namespace

const std::vector<std::string>& DirFlags() { return dirs; }
const std::vector<std::string>& EnvFlags() { return environment; }
const std::vector<std::string>& AllowNetFlags() { return network; }

absl::Status ToBuildOptions(const std::string& module_path, bool suspend_all,
                            driver::NativeBuildOptions& options) {
  options.module_path = module_path;
  options.translator = Self();
  if (!suspend_all) options.translator_flags.push_back("--wasi");
  if (!shape.empty()) options.translator_flags.push_back("--shape=" + shape);
  if (!memory.empty()) options.translator_flags.push_back("--memory=" + memory);
  if (!features.empty()) {
    options.translator_flags.push_back("--features=" + absl::StrJoin(features, ","));
  }
  options.compiler = compiler;
  options.optimization = optimization;
  options.compiler_flags.assign(compiler_flags.begin(), compiler_flags.end());
  options.cache_dir = cache;
  options.jobs = jobs;
  options.shards = shards;
  for (const std::string& folder :
       {Installed(FERMATA_INSTALL_INCLUDEDIR), std::string(FERMATA_SOURCE_INCLUDEDIR)}) {
    if (!llvm::sys::fs::exists(folder + "/fermata/core/abi.h")) continue;
    options.include_dir = folder;
    return absl::OkStatus();
  }
  return absl::NotFoundError(absl::StrCat("Fermata's headers are neither in ",
                                          Installed(FERMATA_INSTALL_INCLUDEDIR), " nor in ",
                                          FERMATA_SOURCE_INCLUDEDIR));
}

std::string LibraryFile(absl::string_view name) {
  const std::string installed = Installed(absl::StrCat(FERMATA_INSTALL_LIBDIR, "/fermata/", name));
  return llvm::sys::fs::exists(installed) ? installed
                                          : absl::StrCat(FERMATA_BUILD_LIBDIR, "/fermata/", name);
}

absl::Status CheckImports(const std::string& path) {
  auto file = ReadInput(path);
  if (!file.ok()) return file.status();
  absl::StatusOr<wasm::Module> module = wasm::ReadModule(path, BytesOf(**file), wasm::Supported());
  if (!module.ok()) return module.status();
  std::vector<std::string> missing;
  for (const wasm::Import& import : module->imports) {
    if (import.kind == wasm::ExternKind::kFunction &&
        wasi::System::Provides(import.module, import.name)) {
      continue;
    }
    missing.push_back(
        absl::StrCat("\n  ", wasm::Printable(import.module), ".", wasm::Printable(import.name)));
  }
  if (missing.empty()) return absl::OkStatus();
  return absl::NotFoundError(
      absl::StrCat(path, ": imports that are not part of WASI preview 1 and that nothing provides:",
                   absl::StrJoin(missing, "")));
}

Progress::Progress() : terminal_(isatty(STDERR_FILENO) != 0) {}
Progress::~Progress() { Clear(); }

void Progress::Show(absl::string_view what) {
  if (!terminal_) return;
  llvm::errs() << "\r\x1b[Kfermata: " << llvm::StringRef(what.data(), what.size());
  shown_ = true;
}

void Progress::Clear() {
  if (shown_) llvm::errs() << "\r\x1b[K";
  shown_ = false;
}

}  // namespace fermata::commands

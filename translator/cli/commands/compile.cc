#include "translator/cli/commands/compile.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "fermata/wasi/command.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "translator/cli/commands/build_flags.h"
#include "translator/cli/commands/common.h"
#include "translator/cli/native/native_build.h"
#include "translator/input_file.h"
#include "translator/wasm/reader.h"

namespace fermata::commands::compile {
namespace {

namespace cl = llvm::cl;

cl::opt<std::string> input(cl::Positional, cl::Required, cl::desc("<module.wasm>"),
                           cl::sub(compile_command), cl::cat(build_category));
cl::opt<std::string> output("o", cl::Required, cl::value_desc("file"),
                            cl::desc("The executable. Its arguments are the guest's; --dir, "
                                     "--env and --allow-net are built in"),
                            cl::sub(compile_command), cl::cat(build_category));

cl::opt<std::string> profile_generate(
    "profile-generate", cl::value_desc("folder"),
    cl::desc("Make a program that counts what it executes and writes that to this folder when it "
             "ends, for --profile-use"),
    cl::sub(compile_command), cl::cat(build_category));
cl::opt<std::string> profile_use("profile-use", cl::value_desc("folder"),
                                 cl::desc("Optimize by what was counted"), cl::sub(compile_command),
                                 cl::cat(build_category));
cl::opt<bool> lto("lto", cl::desc("Optimize all files as one (link-time optimization)"),
                  cl::sub(compile_command), cl::cat(build_category));

// A C++ string literal, whatever `text` holds.
std::string Quoted(absl::string_view text) {
  std::string result = "\"";
  for (unsigned char c : text)
    absl::StrAppend(&result, "\\x", absl::Hex(c, absl::kZeroPad2), "\"\"");
  return result + "\"";
}

std::string StringList(absl::string_view name, const std::vector<std::string>& strings) {
  std::string text = absl::StrCat("static const char* const ", name, "[] = {");
  for (const std::string& s : strings) absl::StrAppend(&text, Quoted(s), ", ");
  return text + "nullptr};\n";
}

// main() with what is built in. It includes nothing, so that no headers but the core's are needed.
std::string MainSource() {
  return absl::StrCat(
      "extern \"C\" const void* fermata_module();\n"
      "extern \"C\" int fermata_wasi_main(const void*, int, char**, const char* const*,\n"
      "                                 const char* const*, const char* const*);\n",
      StringList("mounts", DirFlags()), StringList("environment", EnvFlags()),
      StringList("network", AllowNetFlags()),
      "int main(int argc, char** argv) {\n"
      "  return fermata_wasi_main(fermata_module(), argc, argv, mounts, environment,\n"
      "                           network);\n"
      "}\n");
}

// False for what is no module: that is the translator's to say.
bool ImportsSockets(const std::string& path) {
  const auto file = ReadInput(path);
  if (!file.ok()) return false;
  const auto module = wasm::ReadModule(path, BytesOf(**file), wasm::Supported());
  return module.ok() && absl::c_any_of(module->imports, [](const wasm::Import& import) {
           return wasi::IsSocketExtension(import.module, import.name);
         });
}

absl::StatusOr<std::vector<std::string>> LinkFlags(bool sockets) {
  const std::string path = LibraryFile("standalone.link");
  auto file = llvm::MemoryBuffer::getFile(path);
  if (!file) {
    return absl::NotFoundError(absl::StrCat(path, ": cannot read: ", file.getError().message(),
                                            ": `fermata compile` needs Fermata's runtime library"));
  }
  std::vector<std::string> flags = {"-Wl,--gc-sections"};
  if (sockets) flags.push_back("-Wl,-u,fermata_wasi_sockets");
  flags.push_back("-Wl,--start-group");
  const std::string folder = llvm::sys::path::parent_path(path).str();
  for (absl::string_view line : absl::StrSplit((*file)->getBuffer().str(), '\n')) {
    if (line.empty()) continue;
    // Beside the folder that the list is in.
    const bool beside = absl::ConsumePrefix(&line, "@/");
    flags.push_back(beside ? absl::StrCat(folder, "/../", line) : std::string(line));
  }
  flags.push_back("-Wl,--end-group");
  flags.push_back("-pthread");
  return flags;
}

}  // namespace

void Prepare() { cl::HideUnrelatedOptions(build_category, compile_command); }
bool Selected() { return static_cast<bool>(compile_command); }

int Run() {
  for (const std::string& dir : DirFlags()) {
    const absl::StatusOr<wasi::Mount> mount = wasi::ParseMount(dir);
    if (!mount.ok()) return Fail(absl::StrCat("--dir ", mount.status().message()));
  }
  wasi::NetworkPolicy network;
  if (const absl::Status allowed = wasi::AllowNetwork(AllowNetFlags(), network); !allowed.ok()) {
    return Fail(allowed.message());
  }
  driver::NativeBuildOptions build;
  absl::Status status = ToBuildOptions(input, /*suspend_all=*/false, build);
  if (!status.ok()) return Fail(status.message());
  absl::StatusOr<std::vector<std::string>> link = LinkFlags(ImportsSockets(input));
  if (!link.ok()) return Fail(link.status().message());
  if (!profile_generate.empty() && !profile_use.empty()) {
    return Fail("--profile-generate and --profile-use: a program either counts or goes by counts");
  }
  build.count_in = profile_generate;
  build.counted_in = profile_use;
  build.whole_program = lto;
  build.before_build = [] { return CheckImports(input); };
  Progress progress;
  build.progress = [&](absl::string_view what) { progress.Show(what); };
  const absl::StatusOr<driver::NativeModule> made =
      driver::BuildExecutable(build, {output, MainSource(), *std::move(link)});
  progress.Clear();
  return made.ok() ? 0 : Fail(made.status().message());
}

}  // namespace fermata::commands::compile

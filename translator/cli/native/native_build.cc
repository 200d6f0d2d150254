#include "translator/cli/native/native_build.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "translator/cli/native/build_note.h"
#include "translator/cli/native/compiler.h"
#include "translator/cli/native/profile.h"
#include "translator/cli/process/interruptible.h"
#include "translator/cli/process/process.h"
#include "translator/output_folder.h"

namespace fermata::driver {
namespace {

namespace fs = llvm::sys::fs;

// Small enough for the files to be spread evenly over the processors, large enough for their
// number not to matter: a file costs a fraction of a second before its first function.
constexpr uint64_t kBytesPerShard = 128 * 1024;
constexpr uint64_t kMaxShards = 64;

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Removes a folder and all in it at the end of its scope, and the folders above that were made for
// it if nothing has come to be in them.
class TemporaryFolder {
 public:
  static absl::StatusOr<std::unique_ptr<TemporaryFolder>> Make(const std::string& parent) {
    // createUniquePath would make a relative path one in the system's folder of temporary files.
    llvm::SmallString<128> model(parent);
    if (std::error_code error = fs::make_absolute(model)) {
      return absl::InternalError(absl::StrCat(parent, ": ", error.message()));
    }
    auto folder = std::unique_ptr<TemporaryFolder>(new TemporaryFolder);
    for (llvm::StringRef path = model; !path.empty() && !fs::exists(path);
         path = llvm::sys::path::parent_path(path)) {
      folder->made_.push_back(path.str());
    }
    llvm::SmallString<128> path;
    model += "/build-%%%%%%%%%%%%";
    fs::createUniquePath(model, path, /*MakeAbsolute=*/false);
    folder->path_ = path.str().str();
    if (std::error_code error = fs::create_directories(path)) {
      return absl::PermissionDeniedError(
          absl::StrCat(path.str().str(), ": cannot make the folder: ", error.message()));
    }
    return folder;
  }
  ~TemporaryFolder() {
    fs::remove_directories(path_);
    for (const std::string& path : made_) {
      if (fs::remove(path)) return;  // it is not empty
    }
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  TemporaryFolder() = default;
  std::string path_;
  std::vector<std::string> made_;  // the innermost first
};

class NativeBuild {
 public:
  explicit NativeBuild(const NativeBuildOptions& options) : options_(options) {}

  absl::StatusOr<NativeModule> SharedModule() {
    const std::string cache = CacheDir();
    const BuildNote note(cache, NoteSubject());
    NativeModule result;
    if (const std::string key = note.Find(); !key.empty()) {
      result.path = absl::StrCat(cache, "/", key, ".so");
      result.cached = fs::exists(result.path);
      if (result.cached) return result;
    }
    absl::Status status = Prepare();
    if (!status.ok()) return status;
    absl::StatusOr<std::string> key = CacheKey();
    if (!key.ok()) return key.status();
    result.path = absl::StrCat(cache, "/", *key, ".so");
    result.cached = fs::exists(result.path);
    if (!result.cached) {
      status = Build(cache, "guest.so", {"-shared"}, {}, result.path, result);
      if (!status.ok()) return status;
    }
    note.Write(*key, NotedFiles());
    return result;
  }

  absl::StatusOr<NativeModule> Executable(const ExecutableOptions& executable) {
    absl::Status status = Prepare();
    if (!status.ok()) return status;
    NativeModule result;
    result.path = executable.output;
    main_source_ = executable.main_source;
    const llvm::StringRef parent = llvm::sys::path::parent_path(executable.output);
    status = Build(parent.empty() ? "." : parent.str(), "guest", {}, executable.link_flags,
                   executable.output, result);
    if (!status.ok()) return status;
    return result;
  }

 private:
  std::string CacheDir() const {
    return options_.cache_dir.empty() ? DefaultCacheDir() : options_.cache_dir;
  }

  absl::Status Prepare() {
    absl::StatusOr<Compiler> compiler = FindCompiler(options_.compiler);
    if (!compiler.ok()) return compiler.status();
    compiler_ = *std::move(compiler);
    return ChooseShards();
  }

  absl::Status ChooseShards() {
    shards_ = options_.shards;
    if (shards_ != 0) return absl::OkStatus();
    uint64_t size = 0;
    if (std::error_code error = fs::file_size(options_.module_path, size)) {
      return absl::NotFoundError(
          absl::StrCat(options_.module_path, ": cannot read: ", error.message()));
    }
    shards_ = static_cast<unsigned>(
        std::clamp<uint64_t>((size + kBytesPerShard - 1) / kBytesPerShard, 1, kMaxShards));
    return absl::OkStatus();
  }

  void Report(absl::string_view what) const {
    if (options_.progress != nullptr) options_.progress(what);
  }

  std::vector<std::string> CompileFlags() const {
    std::vector<std::string> flags = GeneratedCodeFlags(compiler_, options_.optimization);
    flags.insert(flags.end(), options_.compiler_flags.begin(), options_.compiler_flags.end());
    return flags;
  }

  absl::StatusOr<std::string> CacheKey() const {
    ContentHash hash;
    hash.Add("fermata shared module 1");
    for (const std::string* path : {&options_.module_path, &options_.translator}) {
      absl::Status status = hash.AddFile(*path);
      if (!status.ok()) return status;
    }
    hash.Add(compiler_.version);
    hash.Add(absl::StrCat("shards ", shards_));
    for (const auto& list : {compiler_.command, CompileFlags(), options_.translator_flags}) {
      hash.Add(absl::StrJoin(list, "\n"));
    }
    absl::Status status = hash.AddCoreHeaders(options_.include_dir);
    if (!status.ok()) return status;
    return hash.Finish();
  }

  // All of what a cache key depends on, but for the contents of files.
  std::string NoteSubject() const {
    const auto list = [](const std::vector<std::string>& l) { return absl::StrJoin(l, "\n"); };
    llvm::SmallString<128> module(options_.module_path);
    fs::make_absolute(module);
    return absl::StrJoin(
        {module.str().str(), options_.translator, list(options_.translator_flags),
         CompilerCommand(options_.compiler), options_.optimization, list(options_.compiler_flags),
         options_.include_dir, absl::StrCat(options_.shards)},
        "\n\n");
  }
  // Those files. A compiler that is a link to another, or asks for its parts elsewhere, is noted by
  // what the command leads to.
  std::vector<std::string> NotedFiles() const {
    llvm::SmallString<128> module(options_.module_path);
    fs::make_absolute(module);
    std::vector<std::string> files = {module.str().str(), options_.translator};
    for (const std::string& word : compiler_.command) {
      if (llvm::ErrorOr<std::string> path = llvm::sys::findProgramByName(word)) {
        files.push_back(*path);
      }
    }
    std::vector<std::string> headers = CoreHeaderFiles(options_.include_dir);
    files.insert(files.end(), headers.begin(), headers.end());
    return files;
  }

  // Makes `target` in a folder of its own within `parent`, then moves it to `destination`.
  absl::Status Build(const std::string& parent, const std::string& target,
                     const std::vector<std::string>& link_before,
                     const std::vector<std::string>& link_after, const std::string& destination,
                     NativeModule& result) {
    absl::Status status =
        options_.before_build == nullptr ? absl::OkStatus() : options_.before_build();
    if (!status.ok()) return status;
    // Before the folder: it ends the process, if a signal asked for that, when all is cleared up.
    const process::Interruptible interruptible(process::Interruptible::kReturn);
    auto folder = TemporaryFolder::Make(parent);
    if (!folder.ok()) return folder.status();
    folder_ = (*folder)->path();
    status = Translate(result);
    if (status.ok()) status = CompileAndLink(target, link_before, link_after, result);
    if (!status.ok()) return status;
    if (std::error_code error = fs::rename(absl::StrCat(folder_, "/", target), destination)) {
      return absl::InternalError(
          absl::StrCat(destination, ": cannot move the result there: ", error.message()));
    }
    return absl::OkStatus();
  }

  absl::Status Translate(NativeModule& result) {
    Report("translating");
    const Clock::time_point start = Clock::now();
    std::vector<std::string> command = {options_.translator,
                                        "translate",
                                        options_.module_path,
                                        "-o",
                                        folder_,
                                        "--class=Guest",
                                        "--namespace=guest",
                                        "--name=guest",
                                        absl::StrCat("--shards=", shards_)};
    command.insert(command.end(), options_.translator_flags.begin(),
                   options_.translator_flags.end());
    absl::StatusOr<process::Result> run = process::Run(command);
    if (!run.ok()) return run.status();
    result.translate_seconds = SecondsSince(start);
    if (run->exit_code == 0) return absl::OkStatus();
    const std::string message = process::Tail(run->output);
    if (!MissingProposal(message).empty()) return absl::UnimplementedError(message);
    return absl::InvalidArgumentError(
        absl::StrCat("translation failed (exit ", run->exit_code, "): ", message));
  }

  // The generated files, without ".cc". Largest work first is unknown; module and data are small,
  // so they come last.
  absl::StatusOr<std::vector<std::string>> SourceNames() const {
    std::vector<std::string> names;
    for (unsigned i = 0; i < shards_; ++i) names.push_back(absl::StrCat("guest_", i));
    names.push_back("guest_module");
    names.push_back("guest_data");
    if (main_source_.empty()) return names;
    OutputFolder out(folder_);
    absl::Status status = out.Add("main.cc", main_source_);
    if (status.ok()) status = out.Commit();
    if (!status.ok()) return status;
    names.push_back("main");
    return names;
  }

  // A compiler that is killed leaves its temporary files: in the folder that is removed.
  process::Command InFolder(std::vector<std::string> arguments) const {
    process::Command command = std::move(arguments);
    command.environment = {{"TMPDIR", folder_}};
    return command;
  }

  // What the options say beyond the compiler's usual flags.
  absl::Status Optimize(std::vector<std::string>& flags, std::vector<std::string>& link,
                        Counts& counts) const {
    if (options_.whole_program) {
      // g++ asks make to run several compilers at a time.
      const bool make = static_cast<bool>(llvm::sys::findProgramByName("make"));
      const char* const lto = compiler_.is_clang ? "-flto=thin" : make ? "-flto=auto" : "-flto=1";
      flags.push_back(lto);
      link.insert(link.end(), {lto, options_.optimization});
      if (compiler_.is_clang) link.push_back("-fuse-ld=lld");
    }
    if (!options_.count_in.empty()) {
      const auto counting = FlagsForCounting(compiler_, options_.count_in);
      if (!counting.ok()) return counting.status();
      flags.insert(flags.end(), counting->begin(), counting->end());
      link.insert(link.end(), counting->begin(), counting->end());
    }
    if (options_.counted_in.empty()) return absl::OkStatus();
    absl::StatusOr<Counts> read = Counts::Read(compiler_, options_.counted_in, folder_);
    if (read.ok()) counts = *std::move(read);
    return read.status();
  }

  absl::Status CompileAndLink(const std::string& target,
                              const std::vector<std::string>& link_before,
                              const std::vector<std::string>& link_after, NativeModule& result) {
    const Clock::time_point start = Clock::now();
    const absl::StatusOr<std::vector<std::string>> names = SourceNames();
    if (!names.ok()) return names.status();
    std::vector<process::Command> commands;
    std::vector<std::string> link = compiler_.command;
    link.insert(link.end(), link_before.begin(), link_before.end());
    link.insert(link.end(), {"-o", absl::StrCat(folder_, "/", target)});
    std::vector<std::string> flags = CompileFlags();
    Counts counts;
    absl::Status status = Optimize(flags, link, counts);
    if (!status.ok()) return status;
    for (const std::string& name : *names) {
      std::vector<std::string> compile = compiler_.command;
      compile.insert(compile.end(), flags.begin(), flags.end());
      if (!options_.counted_in.empty()) {
        const std::vector<std::string> counted = counts.FlagsFor(name);
        compile.insert(compile.end(), counted.begin(), counted.end());
      }
      compile.insert(compile.end(),
                     {"-I", options_.include_dir, "-c", absl::StrCat(folder_, "/", name, ".cc"),
                      "-o", absl::StrCat(folder_, "/", name, ".o")});
      commands.push_back(InFolder(std::move(compile)));
      link.push_back(absl::StrCat(folder_, "/", name, ".o"));
    }
    link.insert(link.end(), link_after.begin(), link_after.end());
    size_t done = 0;
    const auto report = [&] {
      Report(absl::StrCat("compiling, ", done, " of ", commands.size(), " files done"));
    };
    report();
    const auto finished = [&](const process::Result& compiled) {
      ++done;
      result.compile_peak_bytes = std::max(result.compile_peak_bytes, compiled.peak_bytes);
      report();
    };
    status = process::RunAll(commands, options_.jobs, finished);
    if (status.ok()) {
      Report("linking");
      status = process::RunAll({InFolder(std::move(link))}, 1, nullptr);
    }
    result.compile_seconds = SecondsSince(start);
    return status;
  }

  const NativeBuildOptions& options_;
  Compiler compiler_;
  unsigned shards_ = 1;
  std::string folder_;
  std::string main_source_;  // empty: a library
};

}  // namespace

absl::StatusOr<NativeModule> BuildSharedModule(const NativeBuildOptions& options) {
  return NativeBuild(options).SharedModule();
}

absl::StatusOr<NativeModule> BuildExecutable(const NativeBuildOptions& options,
                                             const ExecutableOptions& executable) {
  return NativeBuild(options).Executable(executable);
}

std::string DefaultCacheDir() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && cache[0] == '/') {
    return absl::StrCat(cache, "/fermata");
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && home[0] == '/') {
    return absl::StrCat(home, "/.cache/fermata");
  }
  llvm::SmallString<128> path;
  llvm::sys::path::system_temp_directory(/*ErasedOnReboot=*/true, path);
  llvm::sys::path::append(path, "fermata-cache");
  return path.str().str();
}

std::string MissingProposal(const std::string& message) {
  constexpr char kBefore[] = "needs the \"";
  const size_t at = message.find(kBefore);
  if (at == std::string::npos) return "";
  const size_t begin = at + sizeof kBefore - 1;
  const size_t end = message.find("\" proposal", begin);
  return end == std::string::npos ? "" : message.substr(begin, end - begin);
}

}  // namespace fermata::driver

#include "translator/driver/native_build.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "translator/driver/compiler.h"
#include "translator/driver/process.h"

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

// Removes a folder and all in it at the end of its scope.
class TemporaryFolder {
 public:
  static absl::StatusOr<std::unique_ptr<TemporaryFolder>> Make(const std::string& parent) {
    llvm::SmallString<128> path;
    fs::createUniquePath(parent + "/build-%%%%%%%%%%%%", path, /*MakeAbsolute=*/true);
    if (std::error_code error = fs::create_directories(path)) {
      return absl::PermissionDeniedError(
          absl::StrCat(path.str().str(), ": cannot make the folder: ", error.message()));
    }
    return std::unique_ptr<TemporaryFolder>(new TemporaryFolder(path.str().str()));
  }
  ~TemporaryFolder() { fs::remove_directories(path_); }
  const std::string& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

class NativeBuild {
 public:
  explicit NativeBuild(const NativeBuildOptions& options) : options_(options) {}

  absl::StatusOr<NativeModule> Run() {
    absl::StatusOr<Compiler> compiler = FindCompiler(options_.compiler);
    if (!compiler.ok()) return compiler.status();
    compiler_ = *std::move(compiler);
    absl::Status status = ChooseShards();
    if (!status.ok()) return status;
    absl::StatusOr<std::string> key = CacheKey();
    if (!key.ok()) return key.status();
    const std::string cache = options_.cache_dir.empty() ? DefaultCacheDir() : options_.cache_dir;
    NativeModule result;
    result.path = absl::StrCat(cache, "/", *key, ".so");
    if (fs::exists(result.path)) {
      result.cached = true;
      return result;
    }
    auto folder = TemporaryFolder::Make(cache);
    if (!folder.ok()) return folder.status();
    folder_ = (*folder)->path();
    status = Translate(result);
    if (status.ok()) status = CompileAndLink(result);
    if (!status.ok()) return status;
    if (std::error_code error = fs::rename(folder_ + "/guest.so", result.path)) {
      return absl::InternalError(
          absl::StrCat(result.path, ": cannot move the library there: ", error.message()));
    }
    return result;
  }

 private:
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

  absl::Status Translate(NativeModule& result) {
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
    absl::StatusOr<ProcessResult> run = RunProcess(command);
    if (!run.ok()) return run.status();
    result.translate_seconds = SecondsSince(start);
    if (run->exit_code == 0) return absl::OkStatus();
    const std::string message = Tail(run->output);
    if (!MissingProposal(message).empty()) return absl::UnimplementedError(message);
    return absl::InvalidArgumentError(
        absl::StrCat("translation failed (exit ", run->exit_code, "): ", message));
  }

  absl::Status CompileAndLink(NativeModule& result) {
    const Clock::time_point start = Clock::now();
    // Largest work first is unknown; module and data are small, so they come last.
    std::vector<std::string> names;
    for (unsigned i = 0; i < shards_; ++i) names.push_back(absl::StrCat("guest_", i));
    names.push_back("guest_module");
    names.push_back("guest_data");
    std::vector<std::vector<std::string>> commands;
    std::vector<std::string> link = compiler_.command;
    link.insert(link.end(), {"-shared", "-o", folder_ + "/guest.so"});
    for (const std::string& name : names) {
      std::vector<std::string> compile = compiler_.command;
      const std::vector<std::string> flags = CompileFlags();
      compile.insert(compile.end(), flags.begin(), flags.end());
      compile.insert(compile.end(),
                     {"-I", options_.include_dir, "-c", absl::StrCat(folder_, "/", name, ".cc"),
                      "-o", absl::StrCat(folder_, "/", name, ".o")});
      commands.push_back(std::move(compile));
      link.push_back(absl::StrCat(folder_, "/", name, ".o"));
    }
    const unsigned jobs =
        options_.jobs != 0 ? options_.jobs : std::max(1u, std::thread::hardware_concurrency());
    absl::Status status = RunAll(commands, jobs);
    if (status.ok()) status = RunAll({link}, 1);
    result.compile_seconds = SecondsSince(start);
    return status;
  }

  const NativeBuildOptions& options_;
  Compiler compiler_;
  unsigned shards_ = 1;
  std::string folder_;
};

}  // namespace

absl::StatusOr<NativeModule> BuildSharedModule(const NativeBuildOptions& options) {
  return NativeBuild(options).Run();
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

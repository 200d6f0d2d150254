#include "spec-tests/library.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "translator/cli/process/process.h"

namespace fermata::spec {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

absl::Status Run(const std::vector<std::string>& command, std::string& output) {
  absl::StatusOr<process::Result> result = process::Run(command);
  if (!result.ok()) return result.status();
  if (result->exit_code == 0) return absl::OkStatus();
  output = result->output;
  // The first error matters most.
  const size_t at = result->output.find("error:");
  const size_t begin = at == std::string::npos ? 0 : result->output.rfind('\n', at) + 1;
  return absl::InternalError(absl::StrCat("the compiler failed (exit ", result->exit_code,
                                          "): ", result->output.substr(begin, 600)));
}

// Moves a finished file to its place, so that nobody sees it half done.
absl::Status Publish(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (!error) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(to, ": cannot move it there: ", error.message()));
}

}  // namespace

absl::StatusOr<LibraryBuilder> LibraryBuilder::Make(const Options& options) {
  LibraryBuilder builder;
  builder.options_ = options;
  absl::StatusOr<driver::Compiler> compiler = driver::FindCompiler(options.compiler);
  if (!compiler.ok()) return compiler.status();
  builder.compiler_ = *std::move(compiler);
  for (std::string& flag : driver::GeneratedCodeFlags(builder.compiler_, options.optimization)) {
    // Each module would export an entry of the same name.
    if (flag != "-DFERMATA_SHARED_MODULE") builder.flags_.push_back(std::move(flag));
  }
  builder.flags_.insert(builder.flags_.end(), options.flags.begin(), options.flags.end());
  // No folder of this build's is in it, so that a compiler cache knows the files of another again.
  driver::ContentHash hash;
  hash.Add("fermata-spec 4");
  hash.Add(builder.compiler_.version);
  hash.Add(builder.compiler_.target);
  for (const std::string& word : builder.compiler_.command) {
    hash.Add(fs::path(word).filename().string());
  }
  hash.Add(absl::StrJoin(builder.flags_, "\n"));
  hash.Add(absl::StrJoin(options.link_flags, "\n"));
  builder.flags_.insert(builder.flags_.end(), {"-I", options.include_dir});
  absl::Status status = hash.AddCoreHeaders(options.include_dir);
  if (!status.ok()) return status;
  builder.key_ = hash.Finish();
  status = builder.PrecompileHeader();
  if (!status.ok()) return status;
  return builder;
}

absl::Status LibraryBuilder::PrecompileHeader() {
  const std::string folder = absl::StrCat(options_.cache_dir, "/header-", key_);
  prefix_ = folder + "/prefix.h";
  const std::string precompiled = prefix_ + (compiler_.is_clang ? ".pch" : ".gch");
  if (fs::exists(precompiled)) return absl::OkStatus();
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return absl::InternalError(absl::StrCat(folder, ": ", error.message()));
  std::ofstream out(prefix_);
  for (const std::string& name : driver::CoreHeaders()) out << "#include \"" << name << "\"\n";
  out.close();
  const Clock::time_point start = Clock::now();
  const std::string temporary = absl::StrCat(precompiled, ".", getpid());
  std::vector<std::string> command = compiler_.command;
  command.insert(command.end(), flags_.begin(), flags_.end());
  command.insert(command.end(), {"-x", "c++-header", prefix_, "-o", temporary});
  std::string output;
  absl::Status status = Run(command, output);
  if (status.ok()) {
    // What ccache takes for the header, if told to (CCACHE_PCH_EXTSUM).
    std::ofstream(precompiled + ".sum") << key_;
    status = Publish(temporary, precompiled);
  }
  header_seconds_ = SecondsSince(start);
  return status;
}

absl::StatusOr<Library> LibraryBuilder::Build(const std::string& source,
                                              std::string& output) const {
  driver::ContentHash hash;
  hash.Add(key_);
  absl::Status status = hash.AddFile(source);
  if (!status.ok()) return status;
  Library library;
  library.path = absl::StrCat(options_.cache_dir, "/", hash.Finish(), ".so");
  if (fs::exists(library.path)) {
    library.cached = true;
    return library;
  }
  const Clock::time_point start = Clock::now();
  // Two scripts may come to the same text at the same time.
  static std::atomic<unsigned> number{0};
  const std::string temporary = absl::StrCat(library.path, ".", getpid(), ".", number++);
  std::vector<std::string> command = compiler_.command;
  command.insert(command.end(), flags_.begin(), flags_.end());
  command.insert(command.end(), {"-include", prefix_, "-c", source, "-o", temporary + ".o"});
  // ccache takes a source that uses such a header only with this flag.
  if (!compiler_.is_clang) command.push_back("-fpch-preprocess");
  status = Run(command, output);
  if (status.ok()) {
    command = compiler_.command;
    command.insert(command.end(), options_.flags.begin(), options_.flags.end());
    command.insert(command.end(), {"-shared", temporary + ".o", "-o", temporary});
    command.insert(command.end(), options_.link_flags.begin(), options_.link_flags.end());
    status = Run(command, output);
  }
  std::error_code ignored;
  fs::remove(temporary + ".o", ignored);
  if (status.ok()) status = Publish(temporary, library.path);
  library.seconds = SecondsSince(start);
  if (!status.ok()) return status;
  return library;
}

}  // namespace fermata::spec

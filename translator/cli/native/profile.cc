#include "translator/cli/native/profile.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "translator/cli/process/process.h"

namespace fermata::driver {
namespace {

namespace fs = llvm::sys::fs;

// Files in a folder and those within it, the newest last.
absl::StatusOr<std::vector<std::string>> FilesOf(const std::string& folder,
                                                 absl::string_view extension) {
  std::vector<std::pair<llvm::sys::TimePoint<>, std::string>> found;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; it != end && !error;
       it.increment(error)) {
    if (!absl::EndsWith(it->path(), extension)) continue;
    if (const auto status = it->status()) {
      found.emplace_back(status->getLastModificationTime(), it->path());
    }
  }
  if (error) {
    return absl::NotFoundError(absl::StrCat(folder, ": cannot read: ", error.message()));
  }
  if (found.empty()) {
    return absl::NotFoundError(absl::StrCat(
        folder, ": no counts of this compiler (*", extension,
        "): run what was made with --profile-generate there, and let it end by itself"));
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> files;
  for (auto& [time, path] : found) files.push_back(std::move(path));
  return files;
}

// One file of those that clang's programs wrote. Which program merges them is the compiler's matter:
// their format is that of its version.
absl::Status Merge(const Compiler& compiler, const std::vector<std::string>& files,
                   const std::string& merged) {
  std::vector<std::string> ask = compiler.command;
  ask.push_back("-print-prog-name=llvm-profdata");
  absl::StatusOr<process::Result> where = process::Run(ask);
  if (!where.ok()) return where.status();
  std::vector<std::string> merge = {std::string(absl::StripAsciiWhitespace(where->output)), "merge",
                                    "-o", merged};
  merge.insert(merge.end(), files.begin(), files.end());
  absl::StatusOr<process::Result> run = process::Run(merge);
  if (!run.ok()) {
    return absl::NotFoundError(
        absl::StrCat("llvm-profdata, which comes with LLVM and merges clang's "
                     "counts: ",
                     run.status().message()));
  }
  if (run->exit_code == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(merge[0], " failed (exit ", run->exit_code, "): ", process::Tail(run->output)));
}

}  // namespace

absl::StatusOr<std::vector<std::string>> FlagsForCounting(const Compiler& compiler,
                                                          const std::string& folder) {
  llvm::SmallString<128> path(folder);
  std::error_code error = fs::make_absolute(path);
  if (!error) error = fs::create_directories(path);
  if (error) {
    return absl::PermissionDeniedError(
        absl::StrCat(folder, ": cannot make the folder: ", error.message()));
  }
  std::vector<std::string> flags = {absl::StrCat("-fprofile-generate=", path.str().str())};
  // A guest may run on several threads, each in a store of its own.
  if (!compiler.is_clang) flags.push_back("-fprofile-update=prefer-atomic");
  return flags;
}

absl::StatusOr<Counts> Counts::Read(const Compiler& compiler, const std::string& folder,
                                    const std::string& work) {
  absl::StatusOr<std::vector<std::string>> files =
      FilesOf(folder, compiler.is_clang ? ".profraw" : ".gcda");
  if (!files.ok()) return files.status();
  Counts counts;
  counts.is_clang_ = compiler.is_clang;
  counts.files_ = *std::move(files);
  if (!compiler.is_clang) return counts;
  const std::string merged = work + "/merged.profdata";
  const absl::Status status = Merge(compiler, counts.files_, merged);
  if (!status.ok()) return status;
  counts.files_ = {merged};
  return counts;
}

std::vector<std::string> Counts::FlagsFor(const std::string& name) const {
  if (is_clang_) return {"-fprofile-use=" + files_.back()};
  // In the folder that it was built in, which versions of g++ spell as folders or in one name:
  // "#tmp#build#guest_0.gcda".
  const auto mine = std::find_if(files_.rbegin(), files_.rend(), [&](const std::string& path) {
    return absl::EndsWith(path, absl::StrCat("/", name, ".gcda")) ||
           absl::EndsWith(path, absl::StrCat("#", name, ".gcda"));
  });
  if (mine == files_.rend()) return {};
  // Counts of a function that is another one by now are not used.
  return {"-fprofile-use=" + *mine, "-Wno-error=coverage-mismatch"};
}

}  // namespace fermata::driver

#include "spec-tests/suite.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "translator/cli/native/compiler.h"
#include "translator/cli/process/process.h"

namespace fermata::spec {
namespace {

namespace fs = std::filesystem;

std::string WithoutExtension(const std::string& name) {
  return std::string(absl::StripSuffix(name, ".wast"));
}

}  // namespace

absl::StatusOr<std::string> OpenSuite(const std::string& path, const std::string& cache_dir) {
  if (fs::is_directory(path)) return path;
  if (!fs::exists(path)) return absl::NotFoundError(absl::StrCat(path, ": not there"));
  driver::ContentHash hash;
  absl::Status status = hash.AddFile(path);
  if (!status.ok()) return status;
  const std::string folder = absl::StrCat(cache_dir, "/suite-", hash.Finish());
  if (fs::is_directory(folder)) return folder;
  const std::string temporary = absl::StrCat(folder, ".", getpid());
  std::error_code error;
  fs::create_directories(temporary, error);
  if (error) return absl::InternalError(absl::StrCat(temporary, ": ", error.message()));
  // CMake unpacks xz by itself; tar would need a program for it.
  absl::StatusOr<process::Result> tar =
      process::Run({FERMATA_CMAKE, "-E", "chdir", temporary, FERMATA_CMAKE, "-E", "tar", "xf",
                    fs::absolute(path)});
  if (tar.ok() && tar->exit_code != 0) {
    tar = absl::InternalError(absl::StrCat(path, ": cannot unpack: ", process::Tail(tar->output)));
  }
  if (!tar.ok()) {
    fs::remove_all(temporary, error);
    return tar.status();
  }
  fs::rename(temporary, folder, error);
  if (error) return absl::InternalError(absl::StrCat(folder, ": ", error.message()));
  return folder;
}

absl::StatusOr<std::vector<SuiteFile>> ListSuite(const std::string& folder,
                                                 const std::vector<std::string>& groups,
                                                 const std::vector<std::string>& files) {
  std::vector<SuiteFile> result;
  std::set<std::string> seen;
  std::error_code error;
  for (const auto& group : fs::directory_iterator(folder, error)) {
    if (!group.is_directory()) continue;
    const std::string name = group.path().filename();
    if (!groups.empty() && std::find(groups.begin(), groups.end(), name) == groups.end()) continue;
    seen.insert(name);
    for (const auto& file : fs::directory_iterator(group.path())) {
      const std::string stem = file.path().filename();
      const fs::path script = file.path() / (stem + ".json");
      const auto wanted = [&](const std::string& f) { return WithoutExtension(f) == stem; };
      if (!fs::exists(script)) continue;
      if (!files.empty() && std::none_of(files.begin(), files.end(), wanted)) continue;
      seen.insert(stem);
      SuiteFile entry{name, stem + ".wast", script, 0};
      for (const auto& module : fs::directory_iterator(file.path())) {
        if (module.path().extension() == ".wasm") entry.size += module.file_size();
      }
      result.push_back(std::move(entry));
    }
  }
  if (error) return absl::NotFoundError(absl::StrCat(folder, ": ", error.message()));
  for (const auto* list : {&groups, &files}) {
    for (const std::string& name : *list) {
      if (seen.contains(WithoutExtension(name))) continue;
      return absl::InvalidArgumentError(absl::StrCat("the suite has no '", name, "'"));
    }
  }
  std::sort(result.begin(), result.end(), [](const SuiteFile& a, const SuiteFile& b) {
    return std::tie(a.group, a.file) < std::tie(b.group, b.file);
  });
  return result;
}

}  // namespace fermata::spec

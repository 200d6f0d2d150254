#include "translator/cli/native/build_note.h"

#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "llvm/Support/MemoryBuffer.h"
#include "translator/cli/native/compiler.h"
#include "translator/output_folder.h"

namespace fermata::driver {
namespace {

// File systems may keep times as coarsely as this.
constexpr int64_t kGranularity = 2'000'000'000;

int64_t Nanoseconds(const timespec& t) { return t.tv_sec * 1'000'000'000 + t.tv_nsec; }

// What tells a changed file, or "" if the file is not there.
std::string Signature(const std::string& path, int64_t* changed = nullptr) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) return "";
  const int64_t modified = Nanoseconds(status.st_mtim), inode_changed = Nanoseconds(status.st_ctim);
  if (changed != nullptr) *changed = std::max(modified, inode_changed);
  return absl::StrCat(status.st_dev, " ", status.st_ino, " ", status.st_size, " ", modified, " ",
                      inode_changed);
}

}  // namespace

BuildNote::BuildNote(const std::string& cache_dir, const std::string& subject) {
  ContentHash hash;
  hash.Add("fermata build note 1");
  hash.Add(subject);
  path_ = absl::StrCat(cache_dir, "/", hash.Finish(), ".note");
}

std::string BuildNote::Find() const {
  const auto file = llvm::MemoryBuffer::getFile(path_);
  if (!file) return "";
  const std::string text = (*file)->getBuffer().str();
  // The key, then for each file its signature and its path, one a line.
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  if (lines.size() < 2 || !lines.back().empty() || lines.size() % 2 != 0) return "";
  for (size_t i = 1; i + 1 < lines.size(); i += 2) {
    if (Signature(lines[i + 1]) != lines[i]) return "";
  }
  // A key is a file's name.
  return lines[0].find_first_not_of("0123456789abcdef") == std::string::npos ? lines[0] : "";
}

void BuildNote::Write(const std::string& key, const std::vector<std::string>& files) const {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  std::string text = key + "\n";
  for (const std::string& path : files) {
    int64_t changed = 0;
    const std::string signature = Signature(path, &changed);
    if (signature.empty() || path.find('\n') != std::string::npos) return;
    if (changed + kGranularity > Nanoseconds(now)) return;
    absl::StrAppend(&text, signature, "\n", path, "\n");
  }
  OutputFolder out("");
  if (out.AddPath(path_, text).ok()) (void)out.Commit();
}

}  // namespace fermata::driver

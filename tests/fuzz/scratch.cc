#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "tests/fuzz/target.h"
#include "tests/support/files.h"

namespace fermata::fuzz {
namespace {

namespace fs = std::filesystem;

std::string FastestFolder() {
  std::error_code ignored;
  return fs::is_directory("/dev/shm", ignored) ? "/dev/shm" : fs::temp_directory_path().string();
}

}  // namespace

std::string ReadSource(const std::string& path) {
  const absl::StatusOr<std::string> text = testing_support::LoadFile(FERMATA_SOURCE_DIR "/" + path);
  if (text.ok()) return *text;
  std::fprintf(stderr, "%s\n", std::string(text.status().message()).c_str());
  std::abort();
}

const std::string& ScratchFolder() {
  static const testing_support::Folder folder(FastestFolder());
  return folder.path();
}

}  // namespace fermata::fuzz

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/fuzz/target.h"

namespace fermata::fuzz {
namespace {

namespace fs = std::filesystem;

struct Folder {
  Folder() {
    std::error_code error;
    const fs::path base =
        fs::is_directory("/dev/shm", error) ? fs::path("/dev/shm") : fs::temp_directory_path();
    path = (base / "fermata-fuzz-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) {
      std::perror(path.c_str());
      std::abort();
    }
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  std::string path;
};

}  // namespace

std::string ReadSource(const std::string& path) {
  const std::string whole = std::string(FERMATA_SOURCE_DIR "/") + path;
  std::ifstream in(whole, std::ios::binary);
  if (!in) {
    std::perror(whole.c_str());
    std::abort();
  }
  return {std::istreambuf_iterator<char>(in), {}};
}

const std::string& ScratchFolder() {
  static const Folder folder;
  return folder.path;
}

}  // namespace fermata::fuzz

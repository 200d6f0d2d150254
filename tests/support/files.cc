#include "tests/support/files.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace fermata::testing_support {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void Abort(const std::string& path, const char* what) {
  std::fprintf(stderr, "%s: %s\n", path.c_str(), what);
  std::abort();
}

}  // namespace

absl::StatusOr<std::string> LoadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return absl::NotFoundError(absl::StrCat(path, ": cannot read"));
  return std::string{std::istreambuf_iterator<char>(in), {}};
}

std::string ReadFile(const std::string& path) { return LoadFile(path).value_or(""); }

std::vector<uint8_t> ReadBytes(const std::string& path) {
  const std::string text = ReadFile(path);
  return {text.begin(), text.end()};
}

void WriteFile(const std::string& path, absl::string_view contents) {
  std::ofstream out(path, std::ios::binary);
  out.write(contents.data(), static_cast<std::streamsize>(contents.size()));
  if (!out.flush()) Abort(path, "cannot write");
}

void WriteFile(const std::string& path, const std::vector<uint8_t>& contents) {
  WriteFile(path,
            absl::string_view(reinterpret_cast<const char*>(contents.data()), contents.size()));
}

void WriteProgram(const std::string& path, absl::string_view script) {
  WriteFile(path, script);
  fs::permissions(path, fs::perms::owner_all);
}

std::map<std::string, std::string> FilesIn(const std::string& folder) {
  std::map<std::string, std::string> files;
  if (!fs::exists(folder)) return files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    files[entry.path().filename().string()] = ReadFile(entry.path().string());
  }
  return files;
}

Folder::Folder() : Folder(fs::temp_directory_path().string()) {}

Folder::Folder(const std::string& parent) {
  std::random_device random;
  std::error_code error;
  fs::path path;
  do {  // until there is none of that name yet
    path = fs::path(parent) / absl::StrCat("fermata_test_", absl::Hex(random()));
  } while (!fs::create_directory(path, error) && !error);
  if (error) Abort(path.string(), "cannot make the folder");
  // Tests compare it with what the system says of it.
  path_ = fs::canonical(path).string();
}

Folder::~Folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string Folder::operator/(absl::string_view name) const {
  return absl::StrCat(path_, "/", name);
}
void Folder::Write(absl::string_view name, absl::string_view contents) const {
  WriteFile(*this / name, contents);
}
std::string Folder::Read(absl::string_view name) const { return ReadFile(*this / name); }
void Folder::MakeDirectory(absl::string_view name) const { fs::create_directories(*this / name); }
void Folder::Symlink(absl::string_view target, absl::string_view name) const {
  std::error_code error;
  fs::create_symlink(std::string(target), *this / name, error);
  if (error) Abort(*this / name, "cannot make the link");
}
bool Folder::Exists(absl::string_view name) const {
  return fs::exists(fs::symlink_status(*this / name));
}

}  // namespace fermata::testing_support

// Files and folders of tests.
#ifndef FERMATA_TESTS_SUPPORT_FILES_H_
#define FERMATA_TESTS_SUPPORT_FILES_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace fermata::testing_support {

// The contents of a file. Error: NotFound, "PATH: cannot read".
absl::StatusOr<std::string> LoadFile(const std::string& path);
// The same, "" if it cannot be read.
std::string ReadFile(const std::string& path);
std::vector<uint8_t> ReadBytes(const std::string& path);

// Writes a file, in place of one that is there; the folder has to be there. A test that cannot write
// its files has no sense: the process ends with a message then.
void WriteFile(const std::string& path, absl::string_view contents);
void WriteFile(const std::string& path, const std::vector<uint8_t>& contents);
// The same, for a script that can be run.
void WriteProgram(const std::string& path, absl::string_view script);

// The contents of the files in a folder by their names; none if it is not there.
std::map<std::string, std::string> FilesIn(const std::string& folder);

// A folder that nobody else has, and that is removed at the end with all that is in it.
class Folder {
 public:
  // In the system's folder for temporary files.
  Folder();
  explicit Folder(const std::string& parent);
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  // Absolute, without links in it.
  const std::string& path() const { return path_; }
  // The path of what is called `name` in it.
  std::string operator/(absl::string_view name) const;
  void Write(absl::string_view name, absl::string_view contents) const;
  std::string Read(absl::string_view name) const;
  void MakeDirectory(absl::string_view name) const;  // and those above
  void Symlink(absl::string_view target, absl::string_view name) const;
  bool Exists(absl::string_view name) const;  // a dangling link does

 private:
  std::string path_;
};

}  // namespace fermata::testing_support

#endif  // FERMATA_TESTS_SUPPORT_FILES_H_

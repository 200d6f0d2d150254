// The files of one translation: all of them appear, or none.
//
// Contents are written to temporary files beside their destinations; Commit renames those whose
// content changed, so that a build system sees unchanged files as such. Whatever was not committed
// is removed again, and so is the folder if this object made it.
#ifndef FERMATA_TRANSLATOR_OUTPUT_FOLDER_H_
#define FERMATA_TRANSLATOR_OUTPUT_FOLDER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "llvm/Support/raw_ostream.h"

namespace fermata {

// A file that is being written, piece by piece.
class OutputFile {
 public:
  // Closes the descriptor in the end. A negative one: what is written is dropped.
  OutputFile(std::string path, int descriptor);
  void Write(absl::string_view text) {
    if (!dropped_) out_.write(text.data(), text.size());
  }
  // The error of this or any earlier write.
  absl::Status Close();

 private:
  std::string path_;
  const bool dropped_;
  llvm::raw_fd_ostream out_;
};

class OutputFolder {
 public:
  // `discard`: nothing is written at all, wherever files are asked for.
  explicit OutputFolder(std::string path, bool discard = false)
      : path_(std::move(path)), discard_(discard) {}
  OutputFolder(const OutputFolder&) = delete;
  ~OutputFolder();

  // Makes the folder if needed.
  absl::Status Open();
  // Begins the file `name` in the folder, or one anywhere: `path` is used as it is.
  absl::StatusOr<std::unique_ptr<OutputFile>> Create(const std::string& name);
  absl::StatusOr<std::unique_ptr<OutputFile>> CreatePath(const std::string& path);
  // Writes `content` for the file `name` in the folder.
  absl::Status Add(const std::string& name, absl::string_view content);
  // The same for a file anywhere: `path` is used as it is.
  absl::Status AddPath(const std::string& path, absl::string_view content);
  absl::Status Commit();

  const std::string& path() const { return path_; }

 private:
  struct File {
    std::string path;
    std::string temporary;
  };
  std::string path_;
  const bool discard_;
  bool created_ = false;
  std::vector<File> files_;
};

}  // namespace fermata

#endif  // FERMATA_TRANSLATOR_OUTPUT_FOLDER_H_

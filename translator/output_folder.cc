#include "translator/output_folder.h"

#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

namespace fermata {
namespace {

constexpr size_t kBuffer = 64 * 1024;

absl::Status Failure(absl::string_view what, const std::string& path, std::error_code error) {
  return absl::InternalError(absl::StrCat(path, ": ", what, ": ", error.message()));
}

bool SameContent(const std::string& a, const std::string& b) {
  auto x = llvm::MemoryBuffer::getFile(a), y = llvm::MemoryBuffer::getFile(b);
  return x && y && (*x)->getBuffer() == (*y)->getBuffer();
}

}  // namespace

OutputFile::OutputFile(std::string path, int descriptor)
    : path_(std::move(path)),
      dropped_(descriptor < 0),
      out_(dropped_ ? STDERR_FILENO : descriptor, /*shouldClose=*/!dropped_) {
  if (!dropped_) out_.SetBufferSize(kBuffer);
}

absl::Status OutputFile::Close() {
  if (dropped_) return absl::OkStatus();
  out_.close();
  if (!out_.has_error()) return absl::OkStatus();
  const std::error_code error = out_.error();
  out_.clear_error();
  return Failure("cannot write", path_, error);
}

OutputFolder::~OutputFolder() {
  for (const File& file : files_) llvm::sys::fs::remove(file.temporary);
  if (created_) llvm::sys::fs::remove(path_);  // fails, as it should, if it holds anything
}

absl::Status OutputFolder::Open() {
  if (discard_) return absl::OkStatus();
  if (llvm::sys::fs::is_directory(path_)) return absl::OkStatus();
  if (std::error_code error = llvm::sys::fs::create_directories(path_)) {
    return Failure("cannot make the folder", path_, error);
  }
  created_ = true;
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<OutputFile>> OutputFolder::Create(const std::string& name) {
  llvm::SmallString<256> path(path_);
  llvm::sys::path::append(path, name);
  return CreatePath(std::string(path.str()));
}

absl::StatusOr<std::unique_ptr<OutputFile>> OutputFolder::CreatePath(const std::string& path) {
  if (discard_) return std::make_unique<OutputFile>(path, -1);
  int descriptor = -1;
  llvm::SmallString<256> temporary;
  if (std::error_code error =
          llvm::sys::fs::createUniqueFile(path + ".%%%%%%%%.tmp", descriptor, temporary)) {
    return Failure("cannot write", path, error);
  }
  files_.push_back({path, std::string(temporary.str())});
  return std::make_unique<OutputFile>(path, descriptor);
}

absl::Status OutputFolder::Add(const std::string& name, absl::string_view content) {
  absl::StatusOr<std::unique_ptr<OutputFile>> file = Create(name);
  if (!file.ok()) return file.status();
  (*file)->Write(content);
  return (*file)->Close();
}

absl::Status OutputFolder::AddPath(const std::string& path, absl::string_view content) {
  absl::StatusOr<std::unique_ptr<OutputFile>> file = CreatePath(path);
  if (!file.ok()) return file.status();
  (*file)->Write(content);
  return (*file)->Close();
}

absl::Status OutputFolder::Commit() {
  for (const File& file : files_) {
    if (llvm::sys::fs::is_directory(file.path)) {
      return Failure("cannot write", file.path, std::make_error_code(std::errc::is_a_directory));
    }
  }
  while (!files_.empty()) {
    const File& file = files_.back();
    if (SameContent(file.path, file.temporary)) {
      llvm::sys::fs::remove(file.temporary);
    } else if (std::error_code error = llvm::sys::fs::rename(file.temporary, file.path)) {
      return Failure("cannot write", file.path, error);
    }
    files_.pop_back();
  }
  created_ = false;
  return absl::OkStatus();
}

}  // namespace fermata

#include "translator/input_file.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace fermata {

absl::StatusOr<std::unique_ptr<llvm::MemoryBuffer>> ReadInput(const std::string& path) {
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> file =
      llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file) {
    return absl::NotFoundError(absl::StrCat(path, ": cannot read: ", file.getError().message()));
  }
  return std::move(*file);
}

absl::Span<const uint8_t> BytesOf(const llvm::MemoryBuffer& file) {
  return {reinterpret_cast<const uint8_t*>(file.getBufferStart()), file.getBufferSize()};
}

}  // namespace fermata

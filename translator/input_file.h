// The module that a command works on, as bytes.
#ifndef FERMATA_TRANSLATOR_INPUT_FILE_H_
#define FERMATA_TRANSLATOR_INPUT_FILE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "llvm/Support/MemoryBuffer.h"

namespace fermata {

// Error: kNotFound, with the path.
absl::StatusOr<std::unique_ptr<llvm::MemoryBuffer>> ReadInput(const std::string& path);

// Valid as long as the buffer.
absl::Span<const uint8_t> BytesOf(const llvm::MemoryBuffer& file);

}  // namespace fermata

#endif  // FERMATA_TRANSLATOR_INPUT_FILE_H_

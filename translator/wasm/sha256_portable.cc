#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/SHA256.h"
#include "translator/wasm/sha256.h"

namespace fermata {

std::array<uint8_t, 32> Sha256(absl::Span<const uint8_t> bytes) {
  return llvm::SHA256::hash(llvm::ArrayRef(bytes.data(), bytes.size()));
}

}  // namespace fermata

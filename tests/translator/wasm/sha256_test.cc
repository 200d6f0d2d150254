// The translator's SHA-256 against the examples of FIPS 180 and against LLVM's.
#include "translator/wasm/sha256.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/SHA256.h"

namespace fermata {
namespace {

std::string Hex(const std::array<uint8_t, 32>& hash) {
  return absl::BytesToHexString({reinterpret_cast<const char*>(hash.data()), hash.size()});
}
std::string HashOf(absl::string_view text) {
  return Hex(Sha256({reinterpret_cast<const uint8_t*>(text.data()), text.size()}));
}

TEST(Sha256Test, PublishedExamples) {
  EXPECT_EQ(HashOf(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HashOf("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HashOf("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256Test, EveryLengthAroundBlocks) {
  std::vector<uint8_t> bytes;
  for (uint32_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(Sha256(bytes), llvm::SHA256::hash(llvm::ArrayRef(bytes))) << i;
    bytes.push_back(static_cast<uint8_t>(i * 2654435761u >> 24));
  }
}

}  // namespace
}  // namespace fermata

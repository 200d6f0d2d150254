// Systematic damage to a module, for tests of bad input.
#ifndef FERMATA_TESTS_SUPPORT_MUTATIONS_H_
#define FERMATA_TESTS_SUPPORT_MUTATIONS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace fermata::testing_support {

// Calls `visit` with what is before each byte, from nothing to all but the last byte.
template <class Visit>
void ForEachTruncation(const std::vector<uint8_t>& module, const Visit& visit) {
  for (size_t size = 0; size < module.size(); ++size) {
    visit(std::vector<uint8_t>(module.begin(), module.begin() + static_cast<ptrdiff_t>(size)));
  }
}

// Calls `visit` with the module with one bit changed, for each of its bits.
template <class Visit>
void ForEachBitFlip(const std::vector<uint8_t>& module, const Visit& visit) {
  for (size_t bit = 0; bit < module.size() * 8; ++bit) {
    std::vector<uint8_t> flipped = module;
    flipped[bit / 8] = static_cast<uint8_t>(flipped[bit / 8] ^ 1 << bit % 8);
    visit(flipped);
  }
}

}  // namespace fermata::testing_support

#endif  // FERMATA_TESTS_SUPPORT_MUTATIONS_H_

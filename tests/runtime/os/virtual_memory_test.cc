// What the system tells of address space.
#include "runtime/os/virtual_memory.h"

#include <gtest/gtest.h>

#include <vector>

namespace fermata::internal {
namespace {

// Whatever a system says about pages that were touched, none of those that hold something is left
// out: snapshots would be without it.
TEST(VirtualMemory, NoTouchedPageIsForgotten) {
  const uint64_t page = SystemPageSize();
  constexpr uint64_t kPages = 3000;
  uint8_t* data = ReserveAddresses(kPages * page);
  ASSERT_NE(data, nullptr);
  ASSERT_TRUE(CommitAddresses(data, kPages * page));
  std::vector<bool> touched(kPages), seen(kPages);
  uint64_t state = 1;
  for (uint64_t i = 0; i < kPages; ++i) {
    state = state * 6364136223846793005 + 1442695040888963407;
    touched[i] = state >> 62 == 0;
    if (touched[i]) data[i * page + state % page] = 1;
  }
  const uint64_t bytes = kPages * page - 5;
  const bool told = ForTouchedPages(data, bytes, [&](uint64_t from, uint64_t to) {
    ASSERT_LE(to, bytes);
    for (uint64_t at = from; at < to; at += page) seen[at / page] = true;
  });
  for (uint64_t i = 0; told && i < kPages; ++i) {
    EXPECT_TRUE(seen[i] || !touched[i]) << "page " << i;
  }
  Unmap(data, kPages * page);
}

}  // namespace
}  // namespace fermata::internal

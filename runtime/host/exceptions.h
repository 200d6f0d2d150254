// Exceptions that references refer to (exception handling proposal: catch_ref, catch_all_ref, and
// uncaught exceptions on their way to the host).
//
// There is no telling when the last reference to one is gone, so they stay as long as their store.
// But references can't be compared, so equal exceptions share one; a program that catches and
// rethrows in a loop makes few different ones.
#ifndef FERMATA_RUNTIME_HOST_EXCEPTIONS_H_
#define FERMATA_RUNTIME_HOST_EXCEPTIONS_H_

#include <unordered_map>
#include <vector>

#include "absl/hash/hash.h"
#include "fermata/core/abi.h"

namespace fermata::internal {

class Exceptions {
 public:
  // What Store::keep does: the handle of the exception; 0 if there are `most` different ones.
  core::ref Keep(uint32_t tag, const uint64_t* values, uint32_t payload, uint32_t most);
  // By handle - 1; moves when another is kept.
  core::Exception* data() { return exceptions_.data(); }
  uint32_t size() const { return static_cast<uint32_t>(exceptions_.size()); }

 private:
  using Key = std::vector<uint64_t>;  // the tag, then the payload
  std::unordered_map<Key, core::ref, absl::Hash<Key>> handles_;
  std::vector<core::Exception> exceptions_;  // their values lie in the keys
};

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_HOST_EXCEPTIONS_H_

#include "runtime/host/exceptions.h"

namespace fermata::internal {

core::ref Exceptions::Keep(uint32_t tag, const uint64_t* values, uint32_t payload, uint32_t most) {
  Key key;
  key.reserve(payload + 1);
  key.push_back(tag);
  key.insert(key.end(), values, values + payload);
  auto it = handles_.find(key);
  if (it != handles_.end()) return it->second;
  if (size() >= most) return 0;
  it = handles_.emplace(std::move(key), size() + 1).first;
  exceptions_.push_back({tag, payload, it->first.data() + 1});
  return it->second;
}

}  // namespace fermata::internal

#include "runtime/host/exceptions.h"

#include <algorithm>

namespace fermata::internal {

core::ref Exceptions::Keep(uint32_t tag, const uint64_t* values, uint32_t payload, uint32_t most,
                           bool objects) {
  if (collected_ && objects) return KeepCollected(tag, values, payload, most);
  Key key;
  key.reserve(payload + 1);
  key.push_back(tag);
  key.insert(key.end(), values, values + payload);
  auto it = handles_.find(key);
  if (it != handles_.end()) return it->second;
  if (size() >= most) return 0;
  it = handles_.emplace(std::move(key), size() + 1).first;
  exceptions_.push_back({tag, payload, it->first.data() + 1});
  if (collected_) owned_.emplace_back();
  return it->second;
}

core::ref Exceptions::KeepCollected(uint32_t tag, const uint64_t* values, uint32_t payload,
                                    uint32_t most) {
  if (free_.empty()) {
    if (size() >= most) return 0;
    AddFree();
  }
  ++kept_since_;
  recent_.push_back(free_.back());
  const core::ref handle = free_.back();
  free_.pop_back();
  auto copy = std::make_unique<uint64_t[]>(payload);
  std::copy_n(values, payload, copy.get());
  exceptions_[handle - 1] = {tag, payload, copy.get()};
  owned_[handle - 1] = std::move(copy);
  return handle;
}

void Exceptions::AddFree() {
  BeCollected();
  exceptions_.push_back({core::kFreeTag, 0, nullptr});
  owned_.emplace_back();
  free_.push_back(size());
}

void Exceptions::Add(uint32_t tag, absl::Span<const uint64_t> values) {
  BeCollected();
  auto copy = std::make_unique<uint64_t[]>(values.size());
  std::copy(values.begin(), values.end(), copy.get());
  exceptions_.push_back({tag, static_cast<uint32_t>(values.size()), copy.get()});
  owned_.push_back(std::move(copy));
}

void Exceptions::BeCollected() {
  if (collected_) return;
  collected_ = true;
  owned_.resize(size());
}

void Exceptions::BeginCollection() { marked_.assign(size(), false); }

bool Exceptions::Mark(core::ref exception) {
  if (exception == 0 || exception > size() || marked_[exception - 1]) return false;
  if (owned_[exception - 1] == nullptr) return false;
  marked_[exception - 1] = true;
  return true;
}

void Exceptions::EndCollection() {
  kept_since_ = 0;
  for (uint32_t i = 0; i < size(); ++i) {
    if (marked_[i] || owned_[i] == nullptr) continue;
    exceptions_[i] = {core::kFreeTag, 0, nullptr};
    owned_[i] = nullptr;
    free_.push_back(i + 1);
  }
}

}  // namespace fermata::internal

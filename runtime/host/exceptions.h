// Exceptions that references refer to (exception handling proposal: catch_ref, catch_all_ref, and
// uncaught exceptions on their way to the host).
//
// Without a heap there is no telling when the last reference to one is gone, so they stay as long as
// their store. But references can't be compared, so equal exceptions share one; a program that
// catches and rethrows in a loop makes few different ones. With a heap, those whose payload may refer
// to objects are not shared, since objects move; a collection finds out which of them are still
// referred to, and frees the others.
#ifndef FERMATA_RUNTIME_HOST_EXCEPTIONS_H_
#define FERMATA_RUNTIME_HOST_EXCEPTIONS_H_

#include <memory>
#include <unordered_map>
#include <vector>

#include "absl/hash/hash.h"
#include "absl/types/span.h"
#include "fermata/core/abi.h"

namespace fermata::internal {

class Exceptions {
 public:
  // What Store::keep does: the handle of the exception; 0 if there are `most` different ones.
  // `objects`: the payload may refer to objects, or to such exceptions.
  core::ref Keep(uint32_t tag, const uint64_t* values, uint32_t payload, uint32_t most,
                 bool objects);
  // By handle - 1; moves when another is kept.
  const core::Exception* data() const { return exceptions_.data(); }
  core::Exception* data() { return exceptions_.data(); }
  uint32_t size() const { return static_cast<uint32_t>(exceptions_.size()); }

  // There are objects from now on.
  void BeCollected();
  // A collection: what is marked between these is kept. Mark says whether it was not marked before.
  void BeginCollection();
  bool Mark(core::ref exception);
  void EndCollection();
  // The payload of one that was marked, to be changed.
  uint64_t* ValuesOf(core::ref exception) { return owned_[exception - 1].get(); }
  // Whether there is an exception with this handle.
  bool Has(uint64_t exception) const {
    return exception != 0 && exception <= size() &&
           exceptions_[exception - 1].tag != core::kFreeTag;
  }
  // How many were kept for objects since the last collection of everything.
  uint32_t kept_since() const { return kept_since_; }
  // Those that were kept for objects since the last collection: what may refer to young ones.
  absl::Span<const core::ref> recent() const { return recent_; }
  void ForgetRecent() { recent_.clear(); }
  // Of a restored store: makes the handle `size() + 1` a free one, or that of an exception.
  void AddFree();
  void Add(uint32_t tag, absl::Span<const uint64_t> values);

 private:
  using Key = std::vector<uint64_t>;  // the tag, then the payload
  core::ref KeepCollected(uint32_t tag, const uint64_t* values, uint32_t payload, uint32_t most);

  std::unordered_map<Key, core::ref, absl::Hash<Key>> handles_;
  std::vector<core::Exception> exceptions_;  // their values lie in the keys, or in owned_
  bool collected_ = false;
  uint32_t kept_since_ = 0;
  std::vector<std::unique_ptr<uint64_t[]>> owned_;  // by handle - 1; null: shared, or free
  std::vector<bool> marked_;                        // by handle - 1
  std::vector<core::ref> free_;
  std::vector<core::ref> recent_;
};

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_HOST_EXCEPTIONS_H_

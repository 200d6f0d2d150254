// The locals of a function. Those of a type without default value are unset at first, and may be read
// only where they were set before, in the same block or around it (specification §3.4.8).
#ifndef FERMATA_TRANSLATOR_VALIDATE_LOCALS_H_
#define FERMATA_TRANSLATOR_VALIDATE_LOCALS_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "translator/wasm/types.h"

namespace fermata::validate {

class Locals {
 public:
  // The first `params` of `types` are set.
  void Declare(std::vector<wasm::ValType> types, size_t params) {
    types_ = std::move(types);
    unset_.assign(types_.size(), false);
    for (size_t i = params; i < types_.size(); ++i) unset_[i] = !types_[i].is_defaultable();
  }

  const std::vector<wasm::ValType>& types() const { return types_; }
  bool IsUnset(uint32_t local) const { return unset_[local]; }
  void Set(uint32_t local) {
    if (!unset_[local]) return;
    unset_[local] = false;
    set_.push_back(local);
  }

  void OpenBlock() { set_at_.push_back(set_.size()); }
  // At the end of a part of a block, what was set in it is unset again.
  void EndPart() {
    while (set_.size() > set_at_.back()) {
      unset_[set_.back()] = true;
      set_.pop_back();
    }
  }
  void CloseBlock() {
    EndPart();
    set_at_.pop_back();
  }

 private:
  std::vector<wasm::ValType> types_;
  std::vector<bool> unset_;     // by local
  std::vector<uint32_t> set_;   // meanwhile
  std::vector<size_t> set_at_;  // how many of them were when each open block began
};

}  // namespace fermata::validate

#endif  // FERMATA_TRANSLATOR_VALIDATE_LOCALS_H_

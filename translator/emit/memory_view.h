// How the accesses to a memory are bounded, and what follows from that: the memory policies as
// emission and passes see them.
#ifndef FERMATA_TRANSLATOR_EMIT_MEMORY_VIEW_H_
#define FERMATA_TRANSLATOR_EMIT_MEMORY_VIEW_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "translator/emit/options.h"
#include "translator/wasm/module.h"

namespace fermata::emit {

struct MemoryView {
  std::string type;  // of fermata/core/memory.h; accesses take an object of it, one a function
  bool faults;       // out of bounds is a fault of the machine: loads must not be optimized away
  bool reloads;  // the object copies the size, so it is refreshed after what may grow the memory
};

inline bool IsFixed(const Options& options) { return options.memory == MemoryPolicy::kFixed; }

// Whether an access to a part of null is a fault of the machine: reads must not be optimized away.
inline bool NullFaults(const Options& options) { return options.memory == MemoryPolicy::kReserved; }

// The bytes of a fixed memory that can be accessed.
inline uint64_t FixedBytes(const Options& options, const wasm::MemoryType& type) {
  return options.memory_bytes.value_or(type.limits.min << type.page_log2);
}

inline std::string FixedViewType(const Options& options, const wasm::MemoryType& type) {
  return absl::StrCat("MemFixed<", FixedBytes(options, type), "u>");
}

inline MemoryView ViewOf(const Options& options, const wasm::MemoryType& type) {
  if (options.memory == MemoryPolicy::kReserved && wasm::IsGuardable(type)) {
    return {"const MemReserved", true, false};
  }
  if (IsFixed(options)) {
    return {absl::StrCat("const ", FixedViewType(options, type)), false, false};
  }
  if (type.limits.shared) return {"const MemShared", false, false};
  return {type.limits.is64 ? "MemChecked64" : "MemChecked", false, true};
}

// Of the usual kind, which memory_set and memory_move serve.
inline bool IsSmall(const wasm::MemoryType& type) {
  return !type.limits.is64 && !type.limits.shared;
}

// How many bytes a memory has at least if its accesses may do without what keeps them in bounds,
// where they are known to be; 0 if they may not. One with pages of a byte is checked under both
// policies, and may have all of 4 GiB: what is known under the policy `reserved` counts on frames,
// which a check must not, and several accesses that are checked at once might wrap around.
inline uint64_t LeastBytes(const Options& options, const wasm::MemoryType& type) {
  if (IsFixed(options) || !IsSmall(type) || !wasm::IsGuardable(type)) return 0;
  return type.limits.min << type.page_log2;
}

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_MEMORY_VIEW_H_

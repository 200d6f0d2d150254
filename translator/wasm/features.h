// The proposals that WebAssembly is made of, and which of them Fermata supports.
//
// Each opcode (opcodes.def), type and flag belongs to one. What a module needs of a proposal that
// is known here but not supported is reported by name, with status kUnimplemented: that module is
// not wrong, it is early. Anything not known at all is malformed, with status kInvalidArgument.
//
// A module may be read with fewer features than are supported; what a feature that is off would
// allow is then malformed or invalid, as it was before that proposal.
#ifndef FERMATA_TRANSLATOR_WASM_FEATURES_H_
#define FERMATA_TRANSLATOR_WASM_FEATURES_H_

#include <array>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace fermata::wasm {

// X(enumerator, name as in the official test suite, supported)
#define FERMATA_FEATURES(X)                            \
  X(kMvp, "mvp", true)                                 \
  X(kMutableGlobals, "mutable-globals", true)          \
  X(kSignExtension, "sign-extension", true)            \
  X(kSaturatingFloat, "saturating-float-to-int", true) \
  X(kMultiValue, "multi-value", true)                  \
  X(kBulkMemory, "bulk-memory", true)                  \
  X(kReferenceTypes, "reference-types", true)          \
  X(kExtendedConst, "extended-const", true)            \
  X(kSimd, "simd", true)                               \
  X(kRelaxedSimd, "relaxed-simd", true)                \
  X(kTailCall, "tail-call", true)                      \
  X(kExceptions, "exceptions", true)                   \
  X(kLegacyExceptions, "legacy-exceptions", true)      \
  X(kMemory64, "memory64", true)                       \
  X(kMultiMemory, "multi-memory", true)                \
  X(kFunctionReferences, "function-references", true)  \
  X(kThreads, "threads", true)                         \
  X(kGc, "gc", true)                                   \
  X(kCustomPageSizes, "custom-page-sizes", true)       \
  X(kWideArithmetic, "wide-arithmetic", true)          \
  X(kCompactImports, "compact-imports", true)          \
  X(kStackSwitching, "stack-switching", false)         \
  X(kCustomDescriptors, "custom-descriptors", true)    \
  X(kMemoryControl, "memory-control", false)           \
  X(kHalfPrecision, "half-precision", false)           \
  X(kSharedEverythingThreads, "shared-everything-threads", false)

enum class Feature : uint8_t {
#define FERMATA_FEATURE_ENUMERATOR(enumerator, name, supported) enumerator,
  FERMATA_FEATURES(FERMATA_FEATURE_ENUMERATOR)
#undef FERMATA_FEATURE_ENUMERATOR
};

inline constexpr Feature kAllFeatures[] = {
#define FERMATA_FEATURE_VALUE(enumerator, name, supported) Feature::enumerator,
    FERMATA_FEATURES(FERMATA_FEATURE_VALUE)
#undef FERMATA_FEATURE_VALUE
};

class FeatureSet {
 public:
  constexpr FeatureSet() = default;
  constexpr FeatureSet(std::initializer_list<Feature> features) {
    for (Feature f : features) Add(f);
  }
  constexpr bool Has(Feature f) const { return (bits_ >> static_cast<unsigned>(f) & 1) != 0; }
  constexpr void Add(Feature f) { bits_ |= uint64_t{1} << static_cast<unsigned>(f); }
  constexpr void Remove(Feature f) { bits_ &= ~(uint64_t{1} << static_cast<unsigned>(f)); }

 private:
  uint64_t bits_ = 0;
};

// What a module uses, with the place in the file that needs it first. The decoder notes it where it
// checks that the module may (Decoder::Use), so that the two can't differ.
class FeatureUses {
 public:
  bool Has(Feature f) const { return set_.Has(f); }
  // Byte offset, of a feature that is used.
  uint32_t offset(Feature f) const { return offsets_[static_cast<size_t>(f)]; }
  void Add(Feature f, uint32_t offset) {
    if (set_.Has(f) && this->offset(f) <= offset) return;
    set_.Add(f);
    offsets_[static_cast<size_t>(f)] = offset;
  }
  void AddAll(const FeatureUses& other) {
    for (Feature f : kAllFeatures) {
      if (other.Has(f)) Add(f, other.offset(f));
    }
  }

 private:
  FeatureSet set_;
  std::array<uint32_t, std::size(kAllFeatures)> offsets_{};
};

// What Fermata supports.
constexpr FeatureSet Supported() {
  FeatureSet set;
#define FERMATA_FEATURE_SUPPORTED(enumerator, name, supported) \
  if (supported) set.Add(Feature::enumerator);
  FERMATA_FEATURES(FERMATA_FEATURE_SUPPORTED)
#undef FERMATA_FEATURE_SUPPORTED
  return set;
}

// What WebAssembly 3.0 standardizes and Fermata supports: without the proposals that are not part
// of it (yet).
constexpr FeatureSet Wasm3() {
  FeatureSet set = Supported();
  set.Remove(Feature::kLegacyExceptions);
  set.Remove(Feature::kThreads);
  set.Remove(Feature::kCustomPageSizes);
  set.Remove(Feature::kWideArithmetic);
  set.Remove(Feature::kCompactImports);
  return set;
}

// Changes `set` as a list says: "threads,-multi-memory". Errors: a name that is none, a proposal
// that is not supported.
absl::Status ChangeFeatures(absl::string_view list, FeatureSet& set);

// "simd".
const char* Name(Feature feature);

// `needs the "simd" proposal, which Fermata does not support yet`: the end of every error of status
// kUnimplemented.
std::string NeedsProposal(Feature feature);

// The proposal that such an error is about; none for other errors.
std::optional<Feature> MissingProposal(const absl::Status& error);

}  // namespace fermata::wasm

#endif  // FERMATA_TRANSLATOR_WASM_FEATURES_H_

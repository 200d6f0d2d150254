// The proposals that WebAssembly is made of, and which of them Fermata supports.
//
// Each opcode (opcodes.def), type and flag belongs to one. What a module needs of a proposal that
// is known here but not supported is reported by name, with status kUnimplemented: that module is
// not wrong, it is early. Anything not known at all is malformed, with status kInvalidArgument.
//
// Supporting a proposal means to turn its `true` on here once its opcodes are in opcodes.def and
// the decoder's "not supported" branches for it are gone.
#ifndef FERMATA_TRANSLATOR_WASM_FEATURES_H_
#define FERMATA_TRANSLATOR_WASM_FEATURES_H_

#include <cstdint>
#include <initializer_list>
#include <string>

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
  X(kSimd, "simd", false)                              \
  X(kRelaxedSimd, "relaxed-simd", false)               \
  X(kTailCall, "tail-call", false)                     \
  X(kExceptions, "exceptions", false)                  \
  X(kLegacyExceptions, "legacy-exceptions", false)     \
  X(kMemory64, "memory64", false)                      \
  X(kMultiMemory, "multi-memory", false)               \
  X(kFunctionReferences, "function-references", false) \
  X(kThreads, "threads", false)                        \
  X(kGc, "gc", false)                                  \
  X(kCustomPageSizes, "custom-page-sizes", false)      \
  X(kWideArithmetic, "wide-arithmetic", false)         \
  X(kStackSwitching, "stack-switching", false)         \
  X(kCustomDescriptors, "custom-descriptors", false)

enum class Feature : uint8_t {
#define FERMATA_FEATURE_ENUMERATOR(enumerator, name, supported) enumerator,
  FERMATA_FEATURES(FERMATA_FEATURE_ENUMERATOR)
#undef FERMATA_FEATURE_ENUMERATOR
};

class FeatureSet {
 public:
  constexpr FeatureSet() = default;
  constexpr FeatureSet(std::initializer_list<Feature> features) {
    for (Feature f : features) Add(f);
  }
  constexpr bool Has(Feature f) const { return (bits_ >> static_cast<unsigned>(f) & 1) != 0; }
  constexpr void Add(Feature f) { bits_ |= uint64_t{1} << static_cast<unsigned>(f); }

 private:
  uint64_t bits_ = 0;
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

// "simd".
const char* Name(Feature feature);

// `needs the "simd" proposal, which Fermata does not support yet`: the end of every error of status
// kUnimplemented.
std::string NeedsProposal(Feature feature);

}  // namespace fermata::wasm

#endif  // FERMATA_TRANSLATOR_WASM_FEATURES_H_

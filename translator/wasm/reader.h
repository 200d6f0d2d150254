// From bytes to a Module: the binary format (specification chapter 5).
//
// The reader decodes every section and keeps function bodies as bytes. It refuses what is malformed
// and what lies beyond Fermata's limits (limits.h); the rules of validation, which relate the parts
// of a well-formed module to each other, are those of validate/module_validator.h.
//
// Sections are not bounded by their size while they are decoded, but by the file; that the size was
// right is checked at the section's end. So a wrong size is reported as just that.
#ifndef FERMATA_TRANSLATOR_WASM_READER_H_
#define FERMATA_TRANSLATOR_WASM_READER_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "translator/wasm/module.h"

namespace fermata::wasm {

// `path` is for messages only. The module refers to `bytes`, which must outlive it. Errors:
// kInvalidArgument, or kUnimplemented for a proposal not supported yet (error.h).
absl::StatusOr<Module> ReadModule(std::string path, absl::Span<const uint8_t> bytes,
                                  const FeatureSet& features = Supported());

}  // namespace fermata::wasm

#endif  // FERMATA_TRANSLATOR_WASM_READER_H_

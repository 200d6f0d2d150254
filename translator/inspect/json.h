// An inspection as one JSON object, for programs. docs/inspect.md describes its members.
#ifndef FERMATA_TRANSLATOR_INSPECT_JSON_H_
#define FERMATA_TRANSLATOR_INSPECT_JSON_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "llvm/Support/raw_ostream.h"
#include "translator/inspect/inspection.h"

namespace fermata::inspect {

// `functions`: with an object for each function.
void WriteJson(const Inspection& in, bool functions, llvm::raw_ostream& out);

// As WriteMissingText.
void WriteMissingJson(const std::string& path, absl::Span<const uint8_t> bytes,
                      const absl::Status& error, llvm::raw_ostream& out);

}  // namespace fermata::inspect

#endif  // FERMATA_TRANSLATOR_INSPECT_JSON_H_

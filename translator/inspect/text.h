// An inspection as text for people.
#ifndef FERMATA_TRANSLATOR_INSPECT_TEXT_H_
#define FERMATA_TRANSLATOR_INSPECT_TEXT_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "llvm/Support/raw_ostream.h"
#include "translator/inspect/inspection.h"

namespace fermata::inspect {

// `functions`: with a line for each function.
void WriteText(const Inspection& in, bool functions, llvm::raw_ostream& out);

// Of a module that can't be inspected because it needs the proposal that `error` names
// (wasm::MissingProposal).
void WriteMissingText(const std::string& path, absl::Span<const uint8_t> bytes,
                      const absl::Status& error, llvm::raw_ostream& out);

}  // namespace fermata::inspect

#endif  // FERMATA_TRANSLATOR_INSPECT_TEXT_H_

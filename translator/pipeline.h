// The story of one module: from bytes to a folder of C++.
#ifndef FERMATA_TRANSLATOR_PIPELINE_H_
#define FERMATA_TRANSLATOR_PIPELINE_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "translator/emit/options.h"
#include "translator/wasm/features.h"

namespace fermata {

struct TranslateOptions {
  emit::Options emit;
  wasm::FeatureSet features = wasm::Supported();  // what the module may use
  std::string output;                             // folder
  bool discard = false;                           // all is made, nothing written: for fuzzing
  std::string depfile;                            // path, or empty
  std::string report;                             // path, or empty
  std::string ir;                                 // path, or empty: the IR as text
  unsigned threads = 0;                           // 0: as many as the machine has
  // Called with what a user should know, a line at a time: with freestanding, what each export needs.
  std::function<void(absl::string_view)> tell;
  // Called now and then with how much is done, 0 to 1; from one thread at a time, whichever.
  std::function<void(double)> progress;
};

// Translates the module in the file `path`. On an error nothing is left behind. kUnimplemented: the
// module needs a proposal that Fermata lacks; its message names it.
absl::Status Translate(const std::string& path, const TranslateOptions& options);

// The same for bytes; `path` is for messages and the dependency file.
absl::Status TranslateBytes(const std::string& path, absl::Span<const uint8_t> bytes,
                            const TranslateOptions& options);

}  // namespace fermata

#endif  // FERMATA_TRANSLATOR_PIPELINE_H_

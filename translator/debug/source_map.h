// Source maps, version 3 (https://tc39.es/ecma426/), as AssemblyScript, Dart and Kotlin make them: the
// module's section "sourceMappingURL" names one. Its generated columns are offsets into the file.
#ifndef FERMATA_TRANSLATOR_DEBUG_SOURCE_MAP_H_
#define FERMATA_TRANSLATOR_DEBUG_SOURCE_MAP_H_

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "translator/debug/line_table.h"
#include "translator/wasm/module.h"

namespace fermata::debug {

// The map that the module names: a file in `folder` (nothing is fetched from anywhere else), or a
// data URL. Empty if it names none. `warning`: why it can't be read.
std::vector<LineRow> ReadSourceMap(const wasm::Module& module, absl::Span<const uint8_t> file,
                                   const std::string& folder, FileTable& files,
                                   std::string& warning);

// The map itself, as JSON text.
std::vector<LineRow> ParseSourceMap(absl::string_view json, FileTable& files, std::string& warning);

}  // namespace fermata::debug

#endif  // FERMATA_TRANSLATOR_DEBUG_SOURCE_MAP_H_

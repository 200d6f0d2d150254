// Values of WebAssembly as people write them on a command line.
#ifndef FERMATA_TRANSLATOR_CLI_COMMANDS_VALUES_H_
#define FERMATA_TRANSLATOR_CLI_COMMANDS_VALUES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fermata/dynamic.h"

namespace fermata::commands {

// `texts` as arguments of a module's export: decimal or 0x integers, signed or unsigned; floats;
// references: null. Errors name the argument.
absl::StatusOr<std::vector<Value>> ParseArguments(const ModuleInfo& info,
                                                  absl::string_view export_name,
                                                  absl::Span<const std::string> texts);

// To standard output, one a line. Integers are signed.
void PrintValues(absl::Span<const Value> values);

}  // namespace fermata::commands

#endif  // FERMATA_TRANSLATOR_CLI_COMMANDS_VALUES_H_

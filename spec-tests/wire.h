// What the runner and its child processes tell each other: JSON, an object a line. Header for
// C++17.
#ifndef FERMATA_SPEC_TESTS_WIRE_H_
#define FERMATA_SPEC_TESTS_WIRE_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "spec-tests/outcome.h"

namespace fermata::spec {

// Lines of the child begin with this, so that they are told from what else it prints.
inline constexpr absl::string_view kWirePrefix = "\x1e@";

std::string ToLine(const CommandResult& outcome);
std::string ToLine(const PlayStats& stats);  // the last line of a child that came to its end

// What a child that played a script has told.
struct Told {
  std::vector<CommandResult> outcomes;
  std::optional<PlayStats> stats;  // none: it did not come to its end
  std::string noise;               // what else it printed
};
Told ParseLines(absl::string_view output);

// Maps of strings, in a file.
absl::Status WriteMaps(const std::string& path, const std::map<std::string, std::string>& blocked,
                       const std::map<std::string, std::string>& broken);
absl::Status ReadMaps(const std::string& path, std::map<std::string, std::string>& blocked,
                      std::map<std::string, std::string>& broken);

}  // namespace fermata::spec

#endif  // FERMATA_SPEC_TESTS_WIRE_H_

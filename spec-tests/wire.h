// What the runner and its child processes tell each other: JSON, an object a line.
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

// What became of the modules that the translator could not do, by file name.
struct Untranslated {
  std::map<std::string, std::string> blocked;  // the proposal that is missing
  std::map<std::string, std::string> broken;   // the error
};
absl::Status Write(const std::string& path, const Untranslated& modules);
absl::StatusOr<Untranslated> ReadUntranslated(const std::string& path);

// What a player is to do.
struct PlayTask {
  std::string script;  // path of the JSON
  Mode mode = Mode::kPlain;
  std::string memory = "reserved";  // how generated code bounds its accesses; or "checked", "fixed"
  std::string library;              // of the script's modules; may be empty, if there is none
  std::string error;                // why there is none
  Untranslated untranslated;
};
absl::Status Write(const std::string& path, const PlayTask& task);
absl::StatusOr<PlayTask> ReadPlayTask(const std::string& path);

}  // namespace fermata::spec

#endif  // FERMATA_SPEC_TESTS_WIRE_H_

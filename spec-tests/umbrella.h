// One C++ file for all modules of a script: each in a namespace of its own, and a function that
// finds them by file name (load_umbrella.h).
#ifndef FERMATA_SPEC_TESTS_UMBRELLA_H_
#define FERMATA_SPEC_TESTS_UMBRELLA_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "spec-tests/script.h"
#include "spec-tests/wire.h"
#include "translator/emit/options.h"

namespace fermata::spec {

struct UmbrellaOptions {
  std::string group;
  std::string folder;  // the modules'
  std::string output;  // the C++ file
  bool suspended = false;
  bool paused = false;
  emit::MemoryPolicy memory = emit::MemoryPolicy::kReserved;
  emit::ShapeChoice shape = emit::ShapeChoice::kAuto;
  unsigned piece_size = 0;  // of every function; 0: as usual
};

// Translates the modules that the script may instantiate. Returns those that are not in the C++
// file. Errors: files that can't be written.
absl::StatusOr<Untranslated> WriteUmbrella(const Script& script, const UmbrellaOptions& options);

// The modules of an umbrella's text that hold the lines which a compiler's errors name ("PATH:12:3:
// error: …"), each with its first error.
std::map<std::string, std::string> ModulesInError(absl::string_view umbrella,
                                                  absl::string_view compiler_output);

// The text without these modules.
std::string WithoutModules(absl::string_view umbrella,
                           const std::map<std::string, std::string>& modules);

}  // namespace fermata::spec

#endif  // FERMATA_SPEC_TESTS_UMBRELLA_H_

// Loads what an umbrella file (umbrella.h) was compiled to.
#ifndef FERMATA_SPEC_TESTS_LOAD_UMBRELLA_H_
#define FERMATA_SPEC_TESTS_LOAD_UMBRELLA_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "fermata/dynamic.h"

namespace fermata::spec {

// The modules in a shared library, by file name. It stays loaded.
absl::StatusOr<std::map<std::string, const ModuleInfo*>> LoadUmbrella(const std::string& path);

}  // namespace fermata::spec

#endif  // FERMATA_SPEC_TESTS_LOAD_UMBRELLA_H_

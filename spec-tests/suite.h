// Where the suite's files are.
#ifndef FERMATA_SPEC_TESTS_SUITE_H_
#define FERMATA_SPEC_TESTS_SUITE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace fermata::spec {

struct SuiteFile {
  std::string group;   // "core"
  std::string file;    // "i32.wast"
  std::string script;  // path of the JSON; its modules are beside it
  uint64_t size = 0;   // of its modules, bytes
};

// `path`: a folder of groups, or an archive, which is unpacked into the cache once. NotFound: there
// is nothing there.
absl::StatusOr<std::string> OpenSuite(const std::string& path, const std::string& cache_dir);

// The scripts in it, by group and name. Empty lists: all. `files` are names with or without
// ".wast". Errors: a group or file that is not there.
absl::StatusOr<std::vector<SuiteFile>> ListSuite(const std::string& folder,
                                                 const std::vector<std::string>& groups,
                                                 const std::vector<std::string>& files);

}  // namespace fermata::spec

#endif  // FERMATA_SPEC_TESTS_SUITE_H_

// Where random modules come from.
#ifndef FERMATA_TESTS_DIFFERENTIAL_SOURCES_H_
#define FERMATA_TESTS_DIFFERENTIAL_SOURCES_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/support/wasm_builder.h"

namespace fermata::differential {

// binaryen's fuzzer: `wasm-opt -ttf` makes a module of random bytes, with all features that both
// sides have; --denan has NaNs made zero.
class Binaryen {
 public:
  // Error: the program can't be run.
  static absl::StatusOr<Binaryen> Find(const std::string& wasm_opt);

  // `count` modules of seeds from `seed` on, in the folder; those that it fails to make are
  // missing. At most `jobs` at a time (0: as many as there are processors).
  std::map<std::string, testing_support::Bytes> Make(const std::string& folder, uint64_t seed,
                                                     size_t count, unsigned jobs) const;

 private:
  // A module, and the random bytes it is made of, in files that begin with `stem`.
  absl::StatusOr<testing_support::Bytes> MakeOne(const std::string& stem, uint64_t seed) const;

  std::vector<std::string> command_;
};

}  // namespace fermata::differential

#endif  // FERMATA_TESTS_DIFFERENTIAL_SOURCES_H_

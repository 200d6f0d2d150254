// The suite's host module, "spectest".
#ifndef FERMATA_SPEC_TESTS_HOST_MODULE_H_
#define FERMATA_SPEC_TESTS_HOST_MODULE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fermata/dynamic.h"

namespace fermata::spec {

// Its exports by name: print…, global_…, table, table64, memory, shared_memory. `suspending`: the
// functions are ops, which the caller answers with no results; else they return at once. `policy`:
// of the memories. `order`: the names in the order in which they were made.
absl::StatusOr<std::map<std::string, Extern>> MakeSpectest(StoreHandle& store, bool suspending,
                                                           core::MemoryPolicy policy,
                                                           std::vector<std::string>& order);

}  // namespace fermata::spec

#endif  // FERMATA_SPEC_TESTS_HOST_MODULE_H_

// The suite's host module, "spectest".
#ifndef FERMATA_SPEC_TESTS_HOST_MODULE_H_
#define FERMATA_SPEC_TESTS_HOST_MODULE_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fermata/dynamic.h"

namespace fermata::spec {

struct HostModuleOptions {
  // The functions are ops, which the caller answers with no results; else they return at once.
  bool suspending = false;
  core::MemoryPolicy memory = core::MemoryPolicy::kReserved;  // of the memories
  // Names: nothing else is made. Emulators need a second to reserve a memory.
  std::set<std::string> wanted;
};

// What the modules import from it.
std::set<std::string> ImportsFromSpectest(const std::map<std::string, const ModuleInfo*>& modules);

// Its exports by name: print…, global_…, table, table64, memory, shared_memory. `order`: the names
// in the order in which they were made.
absl::StatusOr<std::map<std::string, Extern>> MakeSpectest(StoreHandle& store,
                                                           const HostModuleOptions& options,
                                                           std::vector<std::string>& order);

}  // namespace fermata::spec

#endif  // FERMATA_SPEC_TESTS_HOST_MODULE_H_

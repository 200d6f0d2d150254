// Whether references are what they are said to be: those that a host hands over, or a snapshot.
#ifndef FERMATA_RUNTIME_HOST_REFERENCES_H_
#define FERMATA_RUNTIME_HOST_REFERENCES_H_

#include <cstdint>

#include "fermata/core/module_info.h"

namespace fermata::internal {

struct StoreState;

// Whether a reference of this type may be `handle` in the store: functions, exceptions and objects
// must exist, other words are the host's.
bool RefExists(const StoreState& store, core::ValType type, uint64_t handle);
// The same, with what the reference may refer to. `type`: with a canonical number; `top`: of its
// hierarchy.
bool RefFits(const StoreState& store, const core::RefType& type, core::ValType top,
             uint64_t handle);

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_HOST_REFERENCES_H_

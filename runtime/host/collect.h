// Collections of a store's objects: the roots, and when there is one.
#ifndef FERMATA_RUNTIME_HOST_COLLECT_H_
#define FERMATA_RUNTIME_HOST_COLLECT_H_

#include <cstdint>

#include "fermata/core/abi.h"

namespace fermata::internal {

struct StoreState;

// Collects what can't be reached from the store's instances, from the calls that it holds, from what
// the host keeps, and from `running`: a call that was left for this. `wanted`: bytes that there has
// to be room for. False: there is none; what could be collected was. No native frame may hold
// references.
bool Collect(StoreState& store, const core::Activation& running, uint64_t wanted);

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_HOST_COLLECT_H_

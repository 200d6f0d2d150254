// Collections of a store's objects: the roots.
#ifndef FERMATA_RUNTIME_HOST_COLLECT_H_
#define FERMATA_RUNTIME_HOST_COLLECT_H_

#include <cstdint>

#include "fermata/core/abi.h"
#include "runtime/heap/heap.h"

namespace fermata::internal {

struct StoreState;

// Collects, so that there is room for `wanted` bytes; the objects that were made since the last
// collection, or all (`least`, or if it is time). `running`: the call that was left for it, with
// all its frames pushed; empty if there is none. No other native frame of the store may hold
// references. False: there is no room, or no memory.
bool Collect(StoreState& store, const core::Activation& running, uint64_t wanted,
             Heap::Kind least = Heap::Kind::kMinor);

// Forgets which of an activation's frames a collection has seen: for snapshots.
void ForgetScanned(const core::Activation& activation);

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_HOST_COLLECT_H_

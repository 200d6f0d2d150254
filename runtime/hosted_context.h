// The context of the calling thread: its scratch area, its stack's end, and its readiness to turn
// faults of guest code into traps. Made at first use, freed when the thread ends.
#ifndef FERMATA_RUNTIME_HOSTED_CONTEXT_H_
#define FERMATA_RUNTIME_HOSTED_CONTEXT_H_

#include "fermata/core.h"

namespace fermata::internal {

// With room for at least `results` slots. Null if the thread has no memory for it.
core::Context* ThreadContext(uint32_t results);

// The same if it exists; for signal handlers.
core::Context* ExistingThreadContext();

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_HOSTED_CONTEXT_H_

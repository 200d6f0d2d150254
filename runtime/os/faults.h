#ifndef FERMATA_RUNTIME_OS_FAULTS_H_
#define FERMATA_RUNTIME_OS_FAULTS_H_

#include "fermata/core/abi.h"

namespace fermata::internal {

// Whether a fault at `address` is an access out of bounds by the guest that runs in `context`
// (`entry` and `activation` are set). Called from a signal handler.
using OwnsAddress = bool (*)(const core::Context& context, const void* address);

// Makes faults of the guest that runs on the faulting thread traps, if its store owns the address
// or it is past the end of the native stack. All others go to the handlers installed before, those
// of host functions too. Done once a process.
void InstallFaultHandler();
// Who is asked from now on; nobody at first.
void SetFaultOwner(OwnsAddress owns);

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_OS_FAULTS_H_

// Faults of guest code that are traps: accesses past the end of a reserved memory, to a field of a
// null reference, and past the end of the native stack. Checks see to it that guests stop well before
// that (runtime/os/hosted_context.h), but they go by estimates of what the C++ compiler will need.
#ifndef FERMATA_RUNTIME_OS_FAULTS_H_
#define FERMATA_RUNTIME_OS_FAULTS_H_

#include "fermata/core/abi.h"

namespace fermata::internal {

// What a fault at `address` means to the store of the guest that runs in `context` (`entry` and
// `activation` are set); kNone if the address is not the store's. Called from a handler of faults.
using FaultMeaning = Trap (*)(const core::Context& context, const void* address);

// Makes faults of the guest that runs on the faulting thread traps, if its store owns the address
// or it is past the end of the native stack. All others go to the handlers installed before, those
// of host functions too. Done once a process.
void InstallFaultHandler();
// Who is asked from now on; nobody at first.
void SetFaultMeaning(FaultMeaning meaning);

// For handlers: what a fault at `address` means for the guest that runs in `context`, this thread's;
// kNone if it is not the guest's.
Trap GuestFault(const core::Context& context, const void* address);

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_OS_FAULTS_H_

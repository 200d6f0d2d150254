#ifndef FERMATA_RUNTIME_OS_FAULTS_H_
#define FERMATA_RUNTIME_OS_FAULTS_H_

namespace fermata::internal {

// Makes faults of the guest that runs on the faulting thread traps, if they are in a reserved
// memory of its store or past the end of the native stack. All others go to the handlers installed
// before, those of host functions too. Done once a process.
void InstallFaultHandler();

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_OS_FAULTS_H_

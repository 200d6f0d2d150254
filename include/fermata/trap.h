// Why a guest's call can end without a result: fermata::Trap and its messages.
#ifndef FERMATA_TRAP_H_
#define FERMATA_TRAP_H_

#include "fermata/core/trap.h"

#endif  // FERMATA_TRAP_H_

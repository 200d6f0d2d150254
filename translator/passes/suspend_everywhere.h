// Makes a function suspend wherever it can, for tests. See suspend_everywhere.cc.
#ifndef FERMATA_TRANSLATOR_PASSES_SUSPEND_EVERYWHERE_H_
#define FERMATA_TRANSLATOR_PASSES_SUSPEND_EVERYWHERE_H_

#include "translator/ir/ir.h"

namespace fermata::passes {

// Adds pauses at the function's entry, at each loop header, and after each growth of a memory or
// table. As every function pauses at its entry, every call is suspended too.
void SuspendEverywhere(ir::Function& function);

}  // namespace fermata::passes

#endif  // FERMATA_TRANSLATOR_PASSES_SUSPEND_EVERYWHERE_H_

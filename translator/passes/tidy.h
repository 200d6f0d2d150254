// Leaves out what says nothing: variables that nobody reads, jumps to what follows anyway. C++
// compilers would do the same; whoever reads the generated code need not.
#ifndef FERMATA_TRANSLATOR_PASSES_TIDY_H_
#define FERMATA_TRANSLATOR_PASSES_TIDY_H_

#include "translator/ir/ir.h"

namespace fermata::passes {

// What may trap is still evaluated. The first of the passes: it knows of no resume points but those
// of calls.
void Tidy(ir::Function& function);

}  // namespace fermata::passes

#endif  // FERMATA_TRANSLATOR_PASSES_TIDY_H_

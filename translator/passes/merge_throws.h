// Lets a function have one copy of each of its throw sites.
#ifndef FERMATA_TRANSLATOR_PASSES_MERGE_THROWS_H_
#define FERMATA_TRANSLATOR_PASSES_MERGE_THROWS_H_

#include "translator/ir/ir.h"

namespace fermata::passes {

// Where statements that end a call are repeated, leaves one copy at the end of the function, to
// which the others jump. Renumbers the resume points.
void MergeThrows(ir::Function& function);

}  // namespace fermata::passes

#endif  // FERMATA_TRANSLATOR_PASSES_MERGE_THROWS_H_

// One check for room before several allocations.
#ifndef FERMATA_TRANSLATOR_PASSES_MERGE_ROOMS_H_
#define FERMATA_TRANSLATOR_PASSES_MERGE_ROOMS_H_

#include "translator/ir/ir.h"

namespace fermata::passes {

// Lets each kRoom make room for the allocations that follow it, up to a label or a statement that may
// allocate or suspend by itself, and drops their own. Renumbers the resume points.
void MergeRooms(ir::Function& function);

}  // namespace fermata::passes

#endif  // FERMATA_TRANSLATOR_PASSES_MERGE_ROOMS_H_

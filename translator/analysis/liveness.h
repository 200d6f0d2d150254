// Which variables hold a value that is still needed, at each resume point.
//
// Classic backward data flow over the control-flow graph cut out of the statement list, with one
// bit per variable and basic block. Only what is live *after* a call, without the call's own
// results, is what a frame has to hold.
//
// Memory is bounded: variables are independent of each other, so a function with very many
// variables and blocks is done a range of variables at a time.
#ifndef FERMATA_TRANSLATOR_ANALYSIS_LIVENESS_H_
#define FERMATA_TRANSLATOR_ANALYSIS_LIVENESS_H_

#include <vector>

#include "translator/ir/ir.h"

namespace fermata::analysis {

// By resume point: the live variables, in increasing order.
using LiveSets = std::vector<std::vector<ir::VarId>>;

// False if the sets would hold more than `most` variables in all; `live` is then incomplete.
bool LiveAtPoints(const ir::Function& function, uint64_t most, LiveSets& live);

// By place in `labels`: the variables that are live there, in increasing order.
LiveSets LiveAtLabels(const ir::Function& function, const std::vector<ir::LabelId>& labels);

// The variables that may be read before anything is assigned to them, in increasing order.
std::vector<ir::VarId> LiveAtEntry(const ir::Function& function);

}  // namespace fermata::analysis

#endif  // FERMATA_TRANSLATOR_ANALYSIS_LIVENESS_H_

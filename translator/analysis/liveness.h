// Which variables hold a value that is still needed, at each resume point.
//
// Classic backward data flow over the control-flow graph cut out of the statement list, with one bit
// per variable and basic block. Only what is live *after* a call, without the call's own results, is
// what a frame has to hold.
#ifndef FERMATA_TRANSLATOR_ANALYSIS_LIVENESS_H_
#define FERMATA_TRANSLATOR_ANALYSIS_LIVENESS_H_

#include <vector>

#include "translator/ir/ir.h"

namespace fermata::analysis {

// By resume point: the live variables, in increasing order.
std::vector<std::vector<ir::VarId>> LiveAtPoints(const ir::Function& function);

}  // namespace fermata::analysis

#endif  // FERMATA_TRANSLATOR_ANALYSIS_LIVENESS_H_

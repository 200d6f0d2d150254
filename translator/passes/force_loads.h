// Marks the loads that the C++ compiler could drop, so that they still trap. See force_loads.cc.
#ifndef FERMATA_TRANSLATOR_PASSES_FORCE_LOADS_H_
#define FERMATA_TRANSLATOR_PASSES_FORCE_LOADS_H_

#include "translator/analysis/call_graph.h"
#include "translator/ir/ir.h"

namespace fermata::passes {

// Sets Expr::force and Stmt::force. Returns how many were set.
int ForceLoads(ir::Function& function, const analysis::CallGraph& graph);

}  // namespace fermata::passes

#endif  // FERMATA_TRANSLATOR_PASSES_FORCE_LOADS_H_

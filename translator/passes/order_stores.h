// Keeps stores that can't trap before what may trap behind them.
#ifndef FERMATA_TRANSLATOR_PASSES_ORDER_STORES_H_
#define FERMATA_TRANSLATOR_PASSES_ORDER_STORES_H_

#include "translator/ir/ir.h"

namespace fermata::passes {

// For memories whose accesses fault; after FindAccessesInBounds. Sets Stmt::in_order.
//
// note [order of stores]
//
// A host can see what was stored before a trap. Each store that may fault is followed by a barrier
// across which the C++ compiler moves nothing. One that is in bounds has none of its own, so that
// loops of such stores can be optimized as in any program, and neither have globals and the parts of
// objects that are not null. The barrier comes before the next access that may fault, and before
// calls and returns, where others may follow.
void OrderStores(ir::Function& function);

}  // namespace fermata::passes

#endif  // FERMATA_TRANSLATOR_PASSES_ORDER_STORES_H_

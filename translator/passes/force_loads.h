// Makes every load of a reserved memory trap, and every read of a part of null, whatever the C++
// compiler finds out about its value.
// See force_loads.cc.
#ifndef FERMATA_TRANSLATOR_PASSES_FORCE_LOADS_H_
#define FERMATA_TRANSLATOR_PASSES_FORCE_LOADS_H_

#include "translator/ir/ir.h"
#include "translator/wasm/module.h"

namespace fermata::passes {

// Sets Expr::force. Returns how many were set.
int ForceLoads(ir::Function& function, const wasm::Module& module);

}  // namespace fermata::passes

#endif  // FERMATA_TRANSLATOR_PASSES_FORCE_LOADS_H_

// Makes a function one that can be paused. See preempt.cc.
#ifndef FERMATA_TRANSLATOR_PASSES_PREEMPT_H_
#define FERMATA_TRANSLATOR_PASSES_PREEMPT_H_

#include <cstdint>

#include "translator/ir/ir.h"

namespace fermata::passes {

// Adds checks of this kind to the loops that may take more than `most_statements`
// (analysis/counted_loops.h) and, if `at_entry`, one near the function's beginning. `stack_need`: of
// the function, see analysis/stack_checks.h.
void Preempt(ir::Function& function, ir::PauseWhen when, uint64_t most_statements, bool at_entry,
             uint32_t stack_need);

}  // namespace fermata::passes

#endif  // FERMATA_TRANSLATOR_PASSES_PREEMPT_H_

// Where native stack use must be checked so that a guest can't overflow it.
//
// A check at a function's entry asks for `need` bytes: an estimate of its own frame and of all the
// check-free frames below it. Functions get a check if they close a cycle of the call graph, or if
// the check-free call chains that start at them would need more than kUncheckedBytes. The runtime
// keeps a margin of more than kUncheckedBytes below its stack limit for everything else.
#ifndef FERMATA_TRANSLATOR_ANALYSIS_STACK_CHECKS_H_
#define FERMATA_TRANSLATOR_ANALYSIS_STACK_CHECKS_H_

#include <cstdint>
#include <vector>

#include "translator/analysis/call_graph.h"
#include "translator/wasm/module.h"

namespace fermata::analysis {

inline constexpr uint32_t kUncheckedBytes = 32 * 1024;

// By function index: bytes to ask for at entry, 0 for no check.
std::vector<uint32_t> PlaceStackChecks(const wasm::Module& module, const CallGraph& graph);

}  // namespace fermata::analysis

#endif  // FERMATA_TRANSLATOR_ANALYSIS_STACK_CHECKS_H_

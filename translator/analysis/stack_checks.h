// Where native stack use must be checked so that a guest can't overflow it.
//
// A check at a function's entry asks for `need` bytes: an estimate of its own frame and of all the
// check-free frames below it. Functions get a check if they close a cycle of the call graph, or if
// the check-free call chains that start at them would need more than kUncheckedBytes. The runtime
// keeps a margin of more than kUncheckedBytes below its stack limit for everything else.
//
// A check of little is made where it is first needed: after whatever at the function's start
// returns without a call, so that the C++ compiler can leave registers alone on that path.
#ifndef FERMATA_TRANSLATOR_ANALYSIS_STACK_CHECKS_H_
#define FERMATA_TRANSLATOR_ANALYSIS_STACK_CHECKS_H_

#include <cstdint>
#include <vector>

#include "translator/ir/ir.h"
#include "translator/module_analysis/call_graph.h"
#include "translator/wasm/module.h"

namespace fermata::analysis {

inline constexpr uint32_t kUncheckedBytes = 32 * 1024;

// Checks of no more than this may be made later than at entry.
inline constexpr uint32_t kLateCheckBytes = 4096;

// By function index: bytes to ask for, 0 for no check.
std::vector<uint32_t> PlaceStackChecks(const wasm::Module& module, const CallGraph& graph);

// By function index: whether it needs a check for pre-emption near its beginning. Every cycle of
// calls passes one, and so does a tree of calls that could take long.
std::vector<bool> PlaceEntryChecks(const wasm::Module& module, const CallGraph& graph);

// The statement of `f` before which a check for `need` bytes goes: what precedes it makes no call,
// and is not reached again; what leaves before it never makes one.
uint32_t StackCheckPosition(const ir::Function& f, uint32_t need);

}  // namespace fermata::analysis

#endif  // FERMATA_TRANSLATOR_ANALYSIS_STACK_CHECKS_H_

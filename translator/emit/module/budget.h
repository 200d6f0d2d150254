// What calls of exports need at most: bytes of frames while they are held, and native stack.
//
// Both are the longest path through the call graph, calls through tables and references taken to
// lead to every function of their type. For frames the graph has an edge for each suspension point,
// as long as its frame is; the frame of the op comes at its end. For the native stack it has one for
// each call, as long as the caller's variables and saved registers are: an estimate, since the C++
// compiler decides. Recursion makes a path endless, and is named then.
#ifndef FERMATA_TRANSLATOR_EMIT_MODULE_BUDGET_H_
#define FERMATA_TRANSLATOR_EMIT_MODULE_BUDGET_H_

#include <cstdint>
#include <string>
#include <vector>

#include "translator/emit/function/site_table.h"
#include "translator/emit/module_context.h"

namespace fermata::emit {

// The longest path from a function.
struct Longest {
  uint64_t bytes = 0;     // without what repeats
  std::string recursion;  // of an endless one: "function 3 "walk" -> function 3"
  bool endless() const { return !recursion.empty(); }
};

struct Budget {
  Longest frames;
  Longest stack;
};

// By function. `variable_bytes`: by function, EmittedFunction::variable_bytes.
std::vector<Budget> FindBudgets(const ModuleContext& context, const SiteTable& sites,
                                const std::vector<uint32_t>& variable_bytes);

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_MODULE_BUDGET_H_

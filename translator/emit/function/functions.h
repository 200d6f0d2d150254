// Prints one function in its shape: plain, split (fast clone and resume clone), shared or pieces.
#ifndef FERMATA_TRANSLATOR_EMIT_FUNCTION_FUNCTIONS_H_
#define FERMATA_TRANSLATOR_EMIT_FUNCTION_FUNCTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "translator/emit/function/plan.h"
#include "translator/emit/module_context.h"
#include "translator/ir/ir.h"

namespace fermata::emit {

struct EmittedFunction {
  FunctionShape shape;
  std::string title;  // the comment that goes first
  // The text for each source file: one, or as many as ModuleContext::shards has, from the first on.
  std::vector<std::string> parts;
  std::vector<Site> sites;  // by resume point
  // Of all variables, of which the C++ compiler may keep each on the stack.
  uint32_t variable_bytes = 0;
  size_t text_bytes() const;
};

// Its text refers to the number of the function's first site by the name FirstSite: whoever writes
// it defines that before, unless there are no sites.
EmittedFunction EmitFunction(const ModuleContext& context, const ir::Function& f,
                             const FunctionPlan& plan);

// "sites_12".
std::string FirstSite(uint32_t function);

// What a loop over tail calls calls: the function itself unless it makes tail calls.
std::string BodyName(const ModuleContext& context, uint32_t function);

// Declares functions, each once in `functions`, and the bodies of those that have one apart:
// "T3 fn12_parse, fn20_print;". Sorts them by type.
std::string Declarations(const ModuleContext& context, std::vector<uint32_t> functions);

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_FUNCTION_FUNCTIONS_H_

// What the freestanding profile knows before a module runs: there is one instance, all functions in
// its tables are its own, and nobody outside can reach its tables.
#ifndef FERMATA_TRANSLATOR_EMIT_FREESTANDING_H_
#define FERMATA_TRANSLATOR_EMIT_FREESTANDING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "translator/emit/module_context.h"

namespace fermata::emit {

// A table that nothing can change or read but calls through it: constant data of the module.
bool IsConstantTable(const ModuleContext& context, uint32_t table);

// By element: the function, or ir::kNone. The table must be constant.
std::vector<uint32_t> ConstantElements(const ModuleContext& context, uint32_t table);

// Whether functions are values: somebody can get a reference to one.
bool NeedsHandles(const ModuleContext& context);

// The number that stands for a type in code: of equal types, the same. All numbers are known.
std::string TypeNumber(const ModuleContext& context, uint32_t type);

// The C++ of a function as a pointer to code that takes its instance: an import's, too.
std::string CodeOf(const ModuleContext& context, uint32_t function);

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_FREESTANDING_H_

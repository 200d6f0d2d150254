// Prints what surrounds the functions: the internal header with the instance structure, the module
// description (core::ModuleInfo) with its thunks and the initialization, and the data segments.
#ifndef FERMATA_TRANSLATOR_EMIT_MODULE_MODULE_SOURCE_H_
#define FERMATA_TRANSLATOR_EMIT_MODULE_MODULE_SOURCE_H_

#include <string>
#include <vector>

#include "translator/emit/function/site_table.h"
#include "translator/emit/module/budget.h"
#include "translator/emit/module_context.h"
#include "translator/emit/writer.h"

namespace fermata::emit {

// The start of every generated file.
std::string Banner(const ModuleContext& context, absl::string_view what);
// Opens and closes the namespace of a module's own code.
std::string OpenCodeNamespace(const ModuleContext& context);
std::string CloseCodeNamespace(const ModuleContext& context);

// <stem>_module.h: included by the module's own sources only.
std::string EmitModuleHeader(const ModuleContext& context);
// <stem>_module.cc. `budgets`: by function; the freestanding profile has them in its tables.
void EmitModuleSource(const ModuleContext& context, const SiteTable& sites,
                      const std::vector<Budget>& budgets, Writer& out);
// <stem>_data.cc.
void EmitData(const ModuleContext& context, Writer& out);
// For <stem>_module.h: what of that file code names.
void EmitDataDeclarations(const ModuleContext& context, Writer& out);

// The sites of op frames, one for each function import that may suspend, in order of import. Those
// of functions follow.
SiteTable OpSites(const ModuleContext& context);

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_MODULE_MODULE_SOURCE_H_

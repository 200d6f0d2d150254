// What the files around the functions hold in the freestanding profile in place of what the hosted
// runtime reads: the instance structure with all that can change, constant tables, and exports that
// the host's class names directly, so that the linker drops what nobody calls.
#ifndef FERMATA_TRANSLATOR_EMIT_MODULE_FREESTANDING_SOURCE_H_
#define FERMATA_TRANSLATOR_EMIT_MODULE_FREESTANDING_SOURCE_H_

#include <string>
#include <vector>

#include "translator/emit/function/site_table.h"
#include "translator/emit/module/budget.h"
#include "translator/emit/module_context.h"
#include "translator/emit/writer.h"

namespace fermata::emit {

// For the host's header: the instance structure, and what the class refers to.
std::string FreestandingDeclarations(const ModuleContext& context, const SiteTable& sites);

// <stem>_module.h in this profile, which includes the host's header.
std::string EmitFreestandingModuleHeader(const ModuleContext& context);

// Of <stem>_module.cc: tables; and the description, with the entries of exports.
void EmitConstantTables(const ModuleContext& context, Writer& out);
void EmitFreestandingFunctions(const ModuleContext& context, Writer& out);
void EmitFreestandingInfo(const ModuleContext& context, const SiteTable& sites,
                          const std::vector<Budget>& budgets, Writer& out);
// At the beginning of `initialize`.
void EmitFreestandingSetUp(const ModuleContext& context, const SiteTable& sites, Writer& out);

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_MODULE_FREESTANDING_SOURCE_H_

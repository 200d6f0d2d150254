// Prints `initialize`: own globals, then active element and data segments (specification §4.5.4).
#ifndef FERMATA_TRANSLATOR_EMIT_MODULE_INITIALIZATION_H_
#define FERMATA_TRANSLATOR_EMIT_MODULE_INITIALIZATION_H_

#include "translator/emit/function/site_table.h"
#include "translator/emit/module_context.h"
#include "translator/emit/writer.h"

namespace fermata::emit {

// `sites`: all of the module.
void EmitInitialization(const ModuleContext& context, const SiteTable& sites, Writer& out);

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_MODULE_INITIALIZATION_H_

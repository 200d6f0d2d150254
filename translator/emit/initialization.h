// Prints `initialize`: own globals, then active element and data segments (specification §4.5.4).
#ifndef FERMATA_TRANSLATOR_EMIT_INITIALIZATION_H_
#define FERMATA_TRANSLATOR_EMIT_INITIALIZATION_H_

#include <string>

#include "translator/emit/module_context.h"

namespace fermata::emit {

std::string EmitInitialization(const ModuleContext& context);

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_INITIALIZATION_H_

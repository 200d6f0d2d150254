// The descriptions of a module's struct and array types, for the runtime.
#ifndef FERMATA_TRANSLATOR_EMIT_MODULE_OBJECT_TYPES_H_
#define FERMATA_TRANSLATOR_EMIT_MODULE_OBJECT_TYPES_H_

#include <string>

#include "translator/emit/writer.h"
#include "translator/wasm/module.h"

namespace fermata::emit {

// A core::RefType, of numbers and vectors, too.
std::string RefTypeOf(wasm::ValType type);

// Prints `object_types`, by type index (core::ObjectType).
void EmitObjectTypes(const wasm::Module& module, Writer& out);

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_MODULE_OBJECT_TYPES_H_

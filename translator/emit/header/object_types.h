// The struct and array types that a module's host may come to see, as C++ types in its header.
#ifndef FERMATA_TRANSLATOR_EMIT_HEADER_OBJECT_TYPES_H_
#define FERMATA_TRANSLATOR_EMIT_HEADER_OBJECT_TYPES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "translator/emit/header/header_names.h"
#include "translator/wasm/module.h"

namespace fermata::emit {

// The types that references in the signatures of imports and exports may lead to, nearest first; a
// bounded number of them. Types of more than some hundred fields and those with custom descriptors
// are left to the dynamic API.
std::vector<uint32_t> TypesOfHost(const wasm::Module& module);

// A C++ type for each (fermata/typed_objects.h), which gets its name from `members`.
std::string DeclareObjectTypes(const wasm::Module& module, const std::vector<uint32_t>& types,
                               NameSet& members, MacroGuard& macros);

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_HEADER_OBJECT_TYPES_H_

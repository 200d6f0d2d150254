// How generated code names what it does to objects of garbage collection.
#ifndef FERMATA_TRANSLATOR_EMIT_FUNCTION_OBJECTS_H_
#define FERMATA_TRANSLATOR_EMIT_FUNCTION_OBJECTS_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "translator/wasm/module.h"
#include "translator/wasm/opcodes.h"
#include "translator/wasm/types.h"

namespace fermata::emit {

// The end of the name of the function of heap.h that reads, or writes, a field or element: "16_s".
std::string GetSuffix(const wasm::Field& field, wasm::Opcode op);
std::string PutSuffix(const wasm::Field& field);
// The same for an object that may be old: _ref for references to objects.
std::string SetSuffix(const wasm::Module& module, const wasm::Field& field);
bool RefersToObjects(const wasm::Module& module, const wasm::Field& field);

// The number that objects of a type begin with. `type`: canonical, within the module.
inline std::string TypeNumberOf(uint32_t type) {
  return absl::StrCat("self.object_types[", type, "]");
}

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_FUNCTION_OBJECTS_H_

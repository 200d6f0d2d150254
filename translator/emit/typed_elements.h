// Tables that nobody can change: calls through them go by constant arrays of code, one for each type
// of call, in which an element that is null or of another type is code that traps. So a call needs
// no more than the check of the index. Hosted profile; freestanding.h has that of the other one.
#ifndef FERMATA_TRANSLATOR_EMIT_TYPED_ELEMENTS_H_
#define FERMATA_TRANSLATOR_EMIT_TYPED_ELEMENTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "translator/emit/module_context.h"
#include "translator/emit/writer.h"

namespace fermata::emit {

// What ModuleContext::typed_elements is to be: those of which most calls are made, as long as the
// arrays of a table are not large.
std::vector<TypedElements> FindTypedElements(const ModuleContext& context);

// Whether a call_indirect of this type, canonical, goes by one. Its name then.
bool HasTypedElements(const ModuleContext& context, uint32_t table, uint32_t type);
std::string TypedElementsName(uint32_t table, uint32_t type);

void DeclareTypedElements(const ModuleContext& context, Writer& out);
void EmitTypedElements(const ModuleContext& context, Writer& out);

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_TYPED_ELEMENTS_H_

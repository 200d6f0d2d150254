// How values cross the ABI: 8-byte slots in an array, a v128 in two.
#ifndef FERMATA_TRANSLATOR_EMIT_FUNCTION_SLOTS_H_
#define FERMATA_TRANSLATOR_EMIT_FUNCTION_SLOTS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "translator/ir/ir.h"
#include "translator/wasm/module.h"

namespace fermata::emit {

uint32_t SlotsOf(ir::Kind kind);
uint32_t SlotsOf(absl::Span<const wasm::ValType> types);

// The expression of the value in slot `i` of `array`: "slot_u32(a[3])".
std::string FromSlots(ir::Kind kind, absl::string_view array, uint32_t i);
// The statement that stores `value` there: "a[3] = slot_of_u32(l0);".
std::string ToSlots(ir::Kind kind, absl::string_view array, uint32_t i, absl::string_view value);

// Whether the type's result is the return value of Invoke and resume functions; all others go
// through Context::results.
bool ReturnsSlot(const wasm::FuncType& type);

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_FUNCTION_SLOTS_H_

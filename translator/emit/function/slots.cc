#include "translator/emit/function/slots.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "translator/analysis/frame_layout.h"
#include "translator/emit/names.h"

namespace fermata::emit {

using ir::Kind;

uint32_t SlotsOf(Kind kind) { return (analysis::FrameBytes(kind) + 7) / 8; }

uint32_t SlotsOf(absl::Span<const wasm::ValType> types) {
  uint32_t slots = 0;
  for (wasm::ValType t : types) slots += SlotsOf(t.kind());
  return slots;
}

std::string FromSlots(Kind kind, absl::string_view array, uint32_t i) {
  if (kind == Kind::kV128) return absl::Substitute("v128_const($0[$1], $0[$2])", array, i, i + 1);
  return absl::Substitute("slot_$0($1[$2])", CType(kind), array, i);
}

std::string ToSlots(Kind kind, absl::string_view array, uint32_t i, absl::string_view value) {
  if (kind == Kind::kV128) {
    return absl::Substitute(
        "{ const v128 whole = $3; $0[$1] = v128_low(whole); $0[$2] = v128_high(whole); }", array, i,
        i + 1, value);
  }
  return absl::Substitute("$0[$1] = slot_of_$2($3);", array, i, CType(kind), value);
}

bool ReturnsSlot(const wasm::FuncType& type) {
  return type.results.size() == 1 && type.results[0] != wasm::ValType::kV128;
}

}  // namespace fermata::emit

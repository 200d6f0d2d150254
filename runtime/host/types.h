// Canonical types: one numbering for the whole process, so that types of different modules, and of
// the host, are compared by their numbers. Thread-safe; looking numbers up takes no lock.
#ifndef FERMATA_RUNTIME_HOST_TYPES_H_
#define FERMATA_RUNTIME_HOST_TYPES_H_

#include <cstdint>

#include "absl/types/span.h"
#include "fermata/dynamic.h"

namespace fermata::internal {

// Slots that values of these types take.
using core::SlotsOf;
inline uint32_t SlotsOf(const std::vector<ValType>& types) {
  uint32_t slots = 0;
  for (ValType t : types) slots += SlotsOf(t);
  return slots;
}

// The numbers of a module's types, in its order.
std::vector<uint32_t> CanonicalTypes(absl::Span<const core::FuncType> types);

// Remembers what a module says of the references in its function types. `canonical`: their numbers.
void NoteSignatureRefs(const ModuleInfo& module, absl::Span<const uint32_t> canonical);

// The number of the type that a host means by a signature: final, without a supertype, all its
// references nullable and abstract.
uint32_t CanonicalType(const Signature& signature);

// The type behind a number; empty for types that are not of functions. Valid for ever.
const Signature& SignatureOfType(uint32_t type);

// What each parameter and then each result of a function type may refer to, with canonical numbers;
// empty if no module has said. Valid for ever.
const std::vector<core::RefType>& RefsOfType(uint32_t type);

// Whether `type` is `wanted` or declared a subtype of it (specification §3.3.3, defined types).
bool IsSubtype(uint32_t type, uint32_t wanted);

// What a global of the host's refers to: one that can't change, to nothing but null or never to
// null.
core::RefType RefOfHostGlobal(ValType type, uint64_t value, bool mut);

// The same for what references may refer to, RefType::type being a canonical number (§3.3.3,
// reference types).
bool IsSubtype(const core::RefType& type, const core::RefType& wanted);
bool SameType(const core::RefType& a, const core::RefType& b);

// What a reference of a type that the host names may refer to; for numbers and v128: no reference.
inline core::RefType AbstractRef(ValType type) {
  if (!core::IsRef(type)) return {0, false, 0};
  return {static_cast<uint8_t>(type), true, 0};
}

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_HOST_TYPES_H_

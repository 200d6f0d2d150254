#include "translator/wasm/subtyping.h"

namespace fermata::wasm {
namespace {

TypeDef::Kind KindOfRef(const Module& module, ValType type) {
  return module.type_defs[type.type_index()].kind;
}

// Heap types, without nullability.
bool HeapMatches(const Module& module, ValType sub, ValType super) {
  const auto is_typed = [&](ValType type, bool function) {
    return type.kind() == ValType::kTypedRef &&
           (KindOfRef(module, type) == TypeDef::kFunc) == function;
  };
  if (sub.kind() == ValType::kTypedRef && super.kind() == ValType::kTypedRef) {
    if (!super.exact()) return IsDeclaredSubtype(module, sub.type_index(), super.type_index());
    return sub.exact() &&
           module.canonical_types[sub.type_index()] == module.canonical_types[super.type_index()];
  }
  if (sub.kind() == super.kind()) return true;
  switch (super.kind()) {
    case ValType::kFuncRef:
      return sub.kind() == ValType::kNoFuncRef || is_typed(sub, true);
    case ValType::kExternRef:
      return sub.kind() == ValType::kNoExternRef;
    case ValType::kExnRef:
      return sub.kind() == ValType::kNoExnRef;
    case ValType::kAnyRef:
    case ValType::kEqRef:
      return sub.kind() == ValType::kEqRef || sub.kind() == ValType::kI31Ref ||
             sub.kind() == ValType::kStructRef || sub.kind() == ValType::kArrayRef ||
             sub.kind() == ValType::kNoneRef || is_typed(sub, false);
    case ValType::kI31Ref:
      return sub.kind() == ValType::kNoneRef;
    case ValType::kStructRef:
      return sub.kind() == ValType::kNoneRef ||
             (is_typed(sub, false) && KindOfRef(module, sub) == TypeDef::kStruct);
    case ValType::kArrayRef:
      return sub.kind() == ValType::kNoneRef ||
             (is_typed(sub, false) && KindOfRef(module, sub) == TypeDef::kArray);
    case ValType::kTypedRef:
      return sub.kind() == (is_typed(super, true) ? ValType::kNoFuncRef : ValType::kNoneRef);
    case ValType::kNoneRef:
    case ValType::kNoFuncRef:
    case ValType::kNoExternRef:
    case ValType::kNoExnRef:
    case ValType::kBottom:
    case ValType::kI32:
    case ValType::kI64:
    case ValType::kF32:
    case ValType::kF64:
    case ValType::kV128:
      return false;
  }
  return false;
}

}  // namespace

bool IsDeclaredSubtype(const Module& module, uint32_t sub, uint32_t super) {
  const uint32_t wanted = module.canonical_types[super];
  // Supertypes come before their subtypes: the walk ends.
  for (; sub != kNoSupertype; sub = module.type_defs[sub].supertype) {
    if (module.canonical_types[sub] == wanted) return true;
  }
  return false;
}

bool IsSubtype(const Module& module, ValType sub, ValType super) {
  if (sub == super) return true;
  if (!sub.is_ref() || !super.is_ref()) return false;
  if (sub.nullable() && !super.nullable()) return false;
  return HeapMatches(module, sub, super);
}

ValType::Kind RepOf(const Module& module, ValType type) {
  if (type.kind() != ValType::kTypedRef) return TopOf(type.kind());
  return KindOfRef(module, type) == TypeDef::kFunc ? ValType::kFuncRef : ValType::kAnyRef;
}

}  // namespace fermata::wasm

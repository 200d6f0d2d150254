#include "runtime/host/references.h"

#include "runtime/host/state.h"

namespace fermata::internal {
namespace {

// Whether a reference that is not null is of a type of the hierarchy of any. Objects exist.
bool IsOfType(const StoreState& store, const core::RefType& type, core::ref reference) {
  using core::HeapType;
  const bool i31 = (reference & core::kI31Tag) != 0;
  const bool object = (reference & core::kTagMask) == 0;
  const internal::HeapType* const own =
      object && store.heap != nullptr
          ? &store.heap->TypeOf(core::object_get32(store.heap->base(), reference, 0))
          : nullptr;
  switch (static_cast<HeapType>(type.heap)) {
    case HeapType::kAnyRef:
      return true;
    case HeapType::kEqRef:
      return i31 || (object && (own == nullptr || !own->opaque));
    case HeapType::kI31Ref:
      return i31;
    case HeapType::kStructRef:
      return own != nullptr && !own->opaque && own->kind == core::ObjectKind::kStruct;
    case HeapType::kArrayRef:
      return own != nullptr && !own->opaque && own->kind == core::ObjectKind::kArray;
    case HeapType::kConcrete:
      return own != nullptr && IsSubtype(own->canonical, type.type);
    case HeapType::kExact:
      return own != nullptr && own->canonical == type.type;
    default:
      return false;
  }
}

}  // namespace

bool RefExists(const StoreState& store, ValType type, uint64_t handle) {
  switch (type) {
    case ValType::kFuncRef:
      return handle == 0 || (handle <= store.functions.size() &&
                             store.IsUsable(*store.functions[handle - 1].instance));
    case ValType::kExnRef:
      return handle == 0 || store.exceptions->Has(handle);
    case ValType::kAnyRef:
    case ValType::kExternRef:
      if (handle > 0xffffffff) return false;
      return store.heap == nullptr || handle == 0 || (handle & core::kTagMask) != 0 ||
             store.heap->IsObject(static_cast<core::ref>(handle));
    default:
      return true;
  }
}

bool RefFits(const StoreState& store, const core::RefType& type, ValType top, uint64_t handle) {
  if (!RefExists(store, top, handle)) return false;
  if (handle == 0) return type.nullable;
  if (top == ValType::kAnyRef && store.heap != nullptr) {
    return IsOfType(store, type, static_cast<core::ref>(handle));
  }
  if (top != ValType::kFuncRef || type.heap == static_cast<uint8_t>(core::HeapType::kFuncRef))
    return true;
  return IsSubtype(core::RefType{core::kExactHeap, false, store.functions[handle - 1].type}, type);
}

}  // namespace fermata::internal

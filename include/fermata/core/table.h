// Tables (specification §4.4.6) and the callee of call_indirect. Core header.
#ifndef FERMATA_CORE_TABLE_H_
#define FERMATA_CORE_TABLE_H_

#include "fermata/core/abi.h"

namespace fermata::core {

// For an element that `indirect` found not to be of exactly the wanted type: traps unless it is of
// a subtype.
FERMATA_COLD const Function& IndirectSlow(Instance* self, const Table* table, u64 index, u32 type);

// The function that call_indirect calls: element `index`, which must have the canonical type
// `type`.
FERMATA_INLINE const Function& indirect(Instance* self, const Table* table, u64 index, u32 type) {
  if (FERMATA_UNLIKELY(index >= table->size || table->functions[index].type != type)) {
    return IndirectSlow(self, table, index, type);
  }
  return table->functions[index];
}

// The same for a table whose size can't change, so that its elements never move.
FERMATA_INLINE const Function& indirect_fixed(Instance* self, const Function* elements, u32 size,
                                              Table* const& table, u64 index, u32 type) {
  if (FERMATA_UNLIKELY(index >= size || elements[index].type != type)) {
    return IndirectSlow(self, table, index, type);
  }
  return elements[index];
}

// An element of a table that nobody can change: constant data of the module. The function is one of
// the instance that calls it.
struct ConstantFunction {
  AnyFunction code;  // null: no function
  u32 type;          // kNoType if there is none
};
// Traps because of an element, or null if there is no such element.
[[noreturn]] FERMATA_COLD void IndirectConstantTrap(Instance* self,
                                                    const ConstantFunction* function);
template <class Index>
FERMATA_INLINE const ConstantFunction& indirect_constant(Instance* self,
                                                         const ConstantFunction* elements, u32 size,
                                                         Index index, u32 type) {
  if (FERMATA_UNLIKELY(index >= size)) IndirectConstantTrap(self, nullptr);
  const ConstantFunction& function = elements[index];
  if (FERMATA_UNLIKELY(function.type != type)) IndirectConstantTrap(self, &function);
  return function;
}

// A table that nobody can change may also be arrays of code, one for each type of call. Index of an
// element, which must exist.
template <class Index>
FERMATA_INLINE Index element_at(Instance* self, u32 size, Index index) {
  if (FERMATA_UNLIKELY(index >= size)) IndirectConstantTrap(self, nullptr);
  return index;
}
// What stands there for elements that are null, or of another type.
template <class T>
struct NoFunction;
template <class R, class... Arguments>
struct NoFunction<R(Instance*, Arguments...)> {
  static R Null(Instance* self, Arguments...) { RaiseTrap(self, Trap::kUninitializedElement); }
  static R Other(Instance* self, Arguments...) { RaiseTrap(self, Trap::kIndirectCallTypeMismatch); }
};

// The function that call_ref calls; null traps. Handles also come from hosts and snapshots, so a
// function that is not of canonical type `type`, or a subtype, traps.
const Function& referenced(Instance* self, ref function, u32 type);

// Out of line (runtime/core/bulk.cc). All trap with kTableOutOfBounds before anything is written;
// growth returns the previous size, or ~0.
ref table_get(Instance* self, const Table* table, u64 index);
void table_set(Instance* self, Table* table, u64 index, ref value);
u64 table_grow(Instance* self, Table* table, ref value, u64 delta);
void table_fill(Instance* self, Table* table, u64 index, ref value, u64 size);
void table_copy(Instance* self, Table* to, Table* from, u64 to_index, u64 from_index, u64 size);
void table_init(Instance* self, Table* table, const ref* segment, u32 segment_size, u64 index,
                u64 from, u64 size);

}  // namespace fermata::core

#endif  // FERMATA_CORE_TABLE_H_

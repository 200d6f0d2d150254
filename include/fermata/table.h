// Tables (specification §4.4.6) and the callee of call_indirect. Core header.
#ifndef FERMATA_TABLE_H_
#define FERMATA_TABLE_H_

#include "fermata/core.h"

namespace fermata::core {

[[noreturn]] FERMATA_COLD void RaiseIndirectTrap(Instance* self, const Table* table, u32 index);

// The function that call_indirect calls: element `index`, which must have the canonical type
// `type`.
FERMATA_INLINE const Function& indirect(Instance* self, const Table* table, u32 index, u32 type) {
  if (FERMATA_UNLIKELY(index >= table->size || table->functions[index].type != type)) {
    RaiseIndirectTrap(self, table, index);
  }
  return table->functions[index];
}

// Out of line (runtime/bulk.cc). All trap with kTableOutOfBounds before anything is written; growth
// returns the previous size, or ~0.
ref table_get(Instance* self, const Table* table, u32 index);
void table_set(Instance* self, Table* table, u32 index, ref value);
u32 table_grow(Instance* self, Table* table, ref value, u32 delta);
void table_fill(Instance* self, Table* table, u32 index, ref value, u32 size);
void table_copy(Instance* self, Table* to, Table* from, u32 to_index, u32 from_index, u32 size);
void table_init(Instance* self, Table* table, const ref* segment, u32 segment_size, u32 index,
                u32 from, u32 size);

}  // namespace fermata::core

#endif  // FERMATA_TABLE_H_

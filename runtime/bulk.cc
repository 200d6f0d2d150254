// The bulk instructions on memories and tables.
#include "fermata/memory.h"
#include "fermata/table.h"

namespace fermata::core {
namespace {

// [at, at + size) lies within `limit`.
bool Within(u64 at, u64 size, u64 limit) { return size <= limit && at <= limit - size; }

bool IsFunctions(const Table* table) { return table->type == ValType::kFuncRef; }

// The only place where a guest's function handle is looked up, so the only one that must not trust
// handles, which hosts can get wrong.
void Write(Instance* self, Table* table, u32 index, ref value) {
  if (!IsFunctions(table)) {
    table->refs[index] = value;
  } else if (value == 0) {
    table->functions[index] = {nullptr, nullptr, kNoType, 0};
  } else {
    const Store& store = *self->store;
    if (FERMATA_UNLIKELY(value > store.function_count)) RaiseTrap(self, Trap::kUndefinedElement);
    table->functions[index] = store.functions[value - 1];
  }
}

}  // namespace

void memory_fill(Instance* self, Memory* memory, u64 address, u32 value, u64 size) {
  if (!Within(address, size, memory->bytes)) RaiseTrap(self, Trap::kMemoryOutOfBounds);
  if (size != 0) memset(memory->data + address, static_cast<u8>(value), size);
}

void memory_copy(Instance* self, Memory* to, Memory* from, u64 to_address, u64 from_address,
                 u64 size) {
  if (!Within(to_address, size, to->bytes) || !Within(from_address, size, from->bytes)) {
    RaiseTrap(self, Trap::kMemoryOutOfBounds);
  }
  if (size != 0) memmove(to->data + to_address, from->data + from_address, size);
}

void memory_init(Instance* self, Memory* memory, const u8* segment, u64 segment_size, u64 address,
                 u64 from, u64 size) {
  if (!Within(address, size, memory->bytes) || !Within(from, size, segment_size)) {
    RaiseTrap(self, Trap::kMemoryOutOfBounds);
  }
  if (size != 0) memcpy(memory->data + address, segment + from, size);
}

u64 memory_grow(Instance*, Memory* memory, u64 delta) { return memory->grow(memory, delta); }

void RaiseIndirectTrap(Instance* self, const Table* table, u32 index) {
  if (index >= table->size) RaiseTrap(self, Trap::kUndefinedElement);
  RaiseTrap(self, table->functions[index].type == kNoType ? Trap::kUninitializedElement
                                                          : Trap::kIndirectCallTypeMismatch);
}

ref table_get(Instance* self, const Table* table, u32 index) {
  if (index >= table->size) RaiseTrap(self, Trap::kTableOutOfBounds);
  return IsFunctions(table) ? table->functions[index].handle : table->refs[index];
}

void table_set(Instance* self, Table* table, u32 index, ref value) {
  if (index >= table->size) RaiseTrap(self, Trap::kTableOutOfBounds);
  Write(self, table, index, value);
}

u32 table_grow(Instance* self, Table* table, ref value, u32 delta) {
  const u32 before = table->grow(table, delta);
  if (before == ~u32{0} || value == 0) return before;
  for (u32 i = 0; i < delta; ++i) Write(self, table, before + i, value);
  return before;
}

void table_fill(Instance* self, Table* table, u32 index, ref value, u32 size) {
  if (!Within(index, size, table->size)) RaiseTrap(self, Trap::kTableOutOfBounds);
  for (u32 i = 0; i < size; ++i) Write(self, table, index + i, value);
}

void table_copy(Instance* self, Table* to, Table* from, u32 to_index, u32 from_index, u32 size) {
  if (!Within(to_index, size, to->size) || !Within(from_index, size, from->size)) {
    RaiseTrap(self, Trap::kTableOutOfBounds);
  }
  if (size == 0) return;
  if (IsFunctions(to)) {
    memmove(to->functions + to_index, from->functions + from_index, size * sizeof(Function));
  } else {
    memmove(to->refs + to_index, from->refs + from_index, size * sizeof(ref));
  }
}

void table_init(Instance* self, Table* table, const ref* segment, u32 segment_size, u32 index,
                u32 from, u32 size) {
  if (!Within(index, size, table->size) || !Within(from, size, segment_size)) {
    RaiseTrap(self, Trap::kTableOutOfBounds);
  }
  for (u32 i = 0; i < size; ++i) Write(self, table, index + i, segment[from + i]);
}

}  // namespace fermata::core

// The bulk instructions on memories and tables, call_indirect's and call_ref's slow ways, and the
// waits and notifications of the threads proposal.
#include "fermata/core/atomics.h"
#include "fermata/core/memory.h"
#include "fermata/core/table.h"

namespace fermata::core {
namespace {

// [at, at + size) lies within `limit`.
bool Within(u64 at, u64 size, u64 limit) { return size <= limit && at <= limit - size; }

// Sizes of shared memories are written by other threads.
u64 Read(const u64& size) {
#if defined(__GNUC__) && !defined(FERMATA_FREESTANDING)
  return __atomic_load_n(&size, __ATOMIC_RELAXED);
#else
  return *const_cast<const volatile u64*>(&size);
#endif
}

void Check(Instance* self, const Memory* memory, u64 address, u64 size) {
  if (FERMATA_UNLIKELY(!Within(address, size, Read(memory->bytes)))) {
    RaiseTrap(self, Trap::kMemoryOutOfBounds);
  }
}

void Check(Instance* self, const Table* table, u64 index, u64 size) {
  if (FERMATA_UNLIKELY(!Within(index, size, table->size))) {
    RaiseTrap(self, Trap::kTableOutOfBounds);
  }
}

bool IsFunctions(const Table* table) { return table->type == ValType::kFuncRef; }

// What a function handle names. Handles must not be trusted here: hosts can get them wrong.
const Function& Named(Instance* self, ref function) {
  const Store& store = *self->store;
  if (FERMATA_UNLIKELY(function > store.function_count)) RaiseTrap(self, Trap::kUndefinedElement);
  return store.functions[function - 1];
}

void Write(Instance* self, Table* table, u64 index, ref value) {
  if (!IsFunctions(table)) {
    table->refs[index] = value;
  } else if (value == 0) {
    table->functions[index] = {nullptr, nullptr, kNoType, 0};
  } else {
    table->functions[index] = Named(self, value);
  }
}

}  // namespace

void memory_fill(Instance* self, Memory* memory, u64 address, u32 value, u64 size) {
  Check(self, memory, address, size);
  if (size != 0) memset(memory->data + address, static_cast<u8>(value), size);
}

void memory_copy(Instance* self, Memory* to, Memory* from, u64 to_address, u64 from_address,
                 u64 size) {
  Check(self, to, to_address, size);
  Check(self, from, from_address, size);
  if (size != 0) memmove(to->data + to_address, from->data + from_address, size);
}

void memory_init(Instance* self, Memory* memory, const u8* segment, u64 segment_size, u64 address,
                 u64 from, u64 size) {
  Check(self, memory, address, size);
  if (!Within(from, size, segment_size)) RaiseTrap(self, Trap::kMemoryOutOfBounds);
  if (size != 0) memcpy(memory->data + address, segment + from, size);
}

void memory_init_segments(Instance* self, Memory* memory, const u8* data,
                          const DataSegment* segments, u32 count) {
  for (u32 i = 0; i < count; ++i) {
    const DataSegment& s = segments[i];
    memory_init(self, memory, data + s.start, s.size, s.address, 0, s.size);
  }
}

u64 memory_grow(Instance*, Memory* memory, u64 delta) { return memory->grow(memory, delta); }

u64 memory_pages(const Memory* memory) { return Read(memory->pages); }

u32 atomic_wait32(Instance* self, Memory* memory, u64 address, u32 expected, i64 timeout) {
  if (memory->shared == 0) RaiseTrap(self, Trap::kUnsharedWait);
  return memory->wait(memory, address, expected, 4, timeout);
}

u32 atomic_wait64(Instance* self, Memory* memory, u64 address, u64 expected, i64 timeout) {
  if (memory->shared == 0) RaiseTrap(self, Trap::kUnsharedWait);
  return memory->wait(memory, address, expected, 8, timeout);
}

u32 atomic_notify(Instance*, Memory* memory, u64 address, u32 count) {
  return memory->shared == 0 ? 0 : memory->notify(memory, address, count);
}

const Function& IndirectSlow(Instance* self, const Table* table, u64 index, u32 type) {
  if (index >= table->size) RaiseTrap(self, Trap::kUndefinedElement);
  const Function& function = table->functions[index];
  if (function.type == kNoType) RaiseTrap(self, Trap::kUninitializedElement);
  const Store& store = *self->store;
  if (store.is_subtype == nullptr || !store.is_subtype(&store, function.type, type)) {
    RaiseTrap(self, Trap::kIndirectCallTypeMismatch);
  }
  return function;
}

void IndirectConstantTrap(Instance* self, const ConstantFunction* function) {
  RaiseTrap(self, function == nullptr         ? Trap::kUndefinedElement
                  : function->code == nullptr ? Trap::kUninitializedElement
                                              : Trap::kIndirectCallTypeMismatch);
}

const Function& referenced(Instance* self, ref function, u32 type) {
  if (FERMATA_UNLIKELY(function == 0)) RaiseTrap(self, Trap::kNullFunctionReference);
  const Function& named = Named(self, function);
  if (FERMATA_UNLIKELY(named.type != type)) {
    const Store& store = *self->store;
    if (store.is_subtype == nullptr || !store.is_subtype(&store, named.type, type)) {
      RaiseTrap(self, Trap::kIndirectCallTypeMismatch);
    }
  }
  return named;
}

ref table_get(Instance* self, const Table* table, u64 index) {
  Check(self, table, index, 1);
  return IsFunctions(table) ? table->functions[index].handle : table->refs[index];
}

void table_set(Instance* self, Table* table, u64 index, ref value) {
  Check(self, table, index, 1);
  Write(self, table, index, value);
}

u64 table_grow(Instance* self, Table* table, ref value, u64 delta) {
  if (delta > table->max - table->size) return ~u64{0};
  const u32 before = table->grow(table, static_cast<u32>(delta));
  if (before == ~u32{0}) return ~u64{0};
  for (u64 i = 0; value != 0 && i < delta; ++i) Write(self, table, before + i, value);
  return before;
}

void table_fill(Instance* self, Table* table, u64 index, ref value, u64 size) {
  Check(self, table, index, size);
  for (u64 i = 0; i < size; ++i) Write(self, table, index + i, value);
}

void table_copy(Instance* self, Table* to, Table* from, u64 to_index, u64 from_index, u64 size) {
  Check(self, to, to_index, size);
  Check(self, from, from_index, size);
  if (size == 0) return;
  if (IsFunctions(to)) {
    memmove(to->functions + to_index, from->functions + from_index, size * sizeof(Function));
  } else {
    memmove(to->refs + to_index, from->refs + from_index, size * sizeof(ref));
  }
}

void table_init(Instance* self, Table* table, const ref* segment, u32 segment_size, u64 index,
                u64 from, u64 size) {
  Check(self, table, index, size);
  if (!Within(from, size, segment_size)) RaiseTrap(self, Trap::kTableOutOfBounds);
  for (u64 i = 0; i < size; ++i) Write(self, table, index + i, segment[from + i]);
}

}  // namespace fermata::core

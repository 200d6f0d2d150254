// Room for objects, and casts of functions. The freestanding profile has no heap.
#include "fermata/core/heap.h"

#if !defined(FERMATA_FREESTANDING)

namespace fermata::core {

bool WantRoom(Instance* instance, u32 site, u64 bytes) {
  auto& store = static_cast<HeapStore&>(*instance->store);
  const bool nested = HasNativeFrames(store);
  if (store.grow(&store, bytes, nested)) return false;
  if (nested) RaiseTrap(instance, Trap::kHeapExhausted);
  store.wanted_bytes = bytes;
  PushCollect(instance, site);
  return true;
}

void GrowRoom(Instance* instance, u64 bytes) {
  auto& store = static_cast<HeapStore&>(*instance->store);
  if (!store.grow(&store, bytes, true)) RaiseTrap(instance, Trap::kHeapExhausted);
}

void RaiseArrayTrap(Instance* instance, ref array) {
  RaiseTrap(instance, array == 0 ? Trap::kNullReference : Trap::kArrayOutOfBounds);
}

ref LoadImage(Instance* instance, u8* heap, const u32* object_types, const u32* words, u32 count,
              const ImagePatch* patches, u32 patch_count) {
  make_room(instance, heap, u64{count} * sizeof(u32));
  HeapHeader& header = heap_header(heap);
  const ref image = header.top;
  header.top += count * static_cast<u32>(sizeof(u32));
  for (u32 i = 0; i < count; ++i) value_put(heap + image + i * sizeof(u32), words[i]);
  for (u32 i = 0; i < patch_count; ++i) {
    const u32 value = patches[i].value;
    u32 word = 0;
    switch (static_cast<ImagePatch::Kind>(patches[i].place & 3)) {
      case ImagePatch::kType:
        word = object_types[value];
        break;
      case ImagePatch::kObject:
        word = image + value;
        break;
      case ImagePatch::kFunction:
        word = instance->function_base + value;
        break;
      case ImagePatch::kImported: {
        const void* global;
        memcpy(&global, reinterpret_cast<const u8*>(instance) + value, sizeof global);
        memcpy(&word, global, sizeof word);
        break;
      }
    }
    value_put(heap + image + (patches[i].place & ~3u), word);
  }
  return image;
}

void Remember(u8* heap, u32 slot, ref v) {
  if ((v & kTagMask) != 0) return;
  HeapHeader& header = heap_header(heap);
  if (header.slot_count == kMostSlots) {
    header.slots_lost = true;
    return;
  }
  header.slots[header.slot_count++] = slot;
  if (header.slot_count == kMostSlots) header.limit = header.top;  // time for a collection
}

void RememberRange(u8* heap, u32 slot, u32 count) {
  for (; count != 0; --count, slot += 4) {
    const ref v = value_get<ref>(heap + slot);
    if (may_be_young(v)) Remember(heap, slot, v);
  }
}

bool FunctionIs(const Instance* instance, ref function, u32 type) {
  const Store& store = *instance->store;
  if (function == 0 || function > store.function_count) return false;
  const u32 own = store.functions[function - 1].type;
  return own == type || (store.is_subtype != nullptr && store.is_subtype(&store, own, type));
}

}  // namespace fermata::core

#endif  // !FERMATA_FREESTANDING

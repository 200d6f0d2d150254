// Vectors in objects of garbage collection; see heap.h. Core header.
#ifndef FERMATA_CORE_SIMD_OBJECTS_H_
#define FERMATA_CORE_SIMD_OBJECTS_H_

#include "fermata/core/heap.h"
#include "fermata/core/simd/lanes.h"

namespace fermata::core {

FERMATA_INLINE v128 value_get128(const u8* at) {
  v128 v;
  memcpy(&v, at, sizeof v);
  return little(v);
}
FERMATA_INLINE void value_put128(u8* at, v128 v) {
  v = little(v);
  memcpy(at, &v, sizeof v);
}
FERMATA_INLINE v128 object_get128(const u8* heap, ref object, u32 offset) {
  return value_get128(heap + object + offset);
}
FERMATA_INLINE void object_put128(u8* heap, ref object, u32 offset, v128 v) {
  value_put128(heap + object + offset, v);
}
FERMATA_INLINE v128 array_get128(Instance* self, u8* heap, ref array, u32 index) {
  return value_get128(array_at(self, heap, array, index, 4));
}
FERMATA_INLINE void array_set128(Instance* self, u8* heap, ref array, u32 index, v128 v) {
  value_put128(array_at(self, heap, array, index, 4), v);
}
FERMATA_INLINE void fill_values128(u8* at, v128 v, u32 count) {
  for (u8* const end = at + 16 * size_t{count}; at != end; at += 16) value_put128(at, v);
}
FERMATA_INLINE void array_fill128(Instance* self, u8* heap, ref array, u32 index, v128 v,
                                  u32 count) {
  fill_values128(array_range(self, heap, array, index, 4, count), v, count);
}
FERMATA_INLINE ref new_array128(u8* heap, u32 number, v128 v, u32 length) {
  const ref array = new_array(heap, 4, number, length);
  fill_values128(heap + array + kArrayHeader, v, length);
  return array;
}

}  // namespace fermata::core

#endif  // FERMATA_CORE_SIMD_OBJECTS_H_

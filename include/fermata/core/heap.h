// Objects of garbage collection in generated code: making, reading, writing and casting them
// (specification §4.6.4 to §4.6.6). What references and objects look like is in objects.h. Core
// header.
//
// A store's heap is one region, in which objects are found by their offsets. `heap` is the address
// of offset 0; the first objects come far behind it, so that null is the offset of no object. It
// does not move as long as the store lives. Objects do: whenever a function makes sure of room
// (WantRoom), it may suspend for a collection, which changes the references in its frame.
//
// Below the first object nothing can be accessed. Where memories are reserved, an access to a part
// of null is left to fault there, which the host turns into a trap; generated code forces such reads
// and ends such writes with object_stored(). Elsewhere it compares the reference first (non_null).
#ifndef FERMATA_CORE_HEAP_H_
#define FERMATA_CORE_HEAP_H_

#include "fermata/core/abi.h"
#include "fermata/core/memory.h"
#include "fermata/core/numeric.h"
#include "fermata/core/objects.h"

namespace fermata::core {

// Right below offset 0.
struct HeapHeader {
  const u32* displays;  // see objects.h
  u32 top;              // where the next object goes
  u32 limit;            // objects may reach up to here
  // Where in old objects a reference to a young one was written (Remember).
  u32* slots;
  u32 slot_count;
  bool slots_lost;  // there were more than kMostSlots
};
inline constexpr u32 kMostSlots = 1u << 16;
FERMATA_INLINE HeapHeader& heap_header(u8* heap) {
  return *reinterpret_cast<HeapHeader*>(heap - sizeof(HeapHeader));
}

// What a store with a heap has in addition.
struct HeapStore : Store {
  // Makes room for `bytes` bytes of objects without moving any. `must`: there is no other way, since
  // native frames hold references. False if it would rather have a collection, or there is no room.
  bool (*grow)(HeapStore* store, u64 bytes, bool must);
  u64 wanted_bytes;  // that the collection which is due has to make room for
  u32 uses;          // how many calls of the host's into guests are on the native stack
};
// Whether native frames of the store's guests lie below the host's: they may hold references, so
// objects must not be moved.
inline bool HasNativeFrames(const HeapStore& store) { return store.uses > 1; }

// ---- Room ----

// The bytes of an array of `length` elements of 1 << log2 bytes.
FERMATA_INLINE u64 array_bytes(u32 length, u32 log2) {
  return ((u64{length} << log2) + kArrayHeader + kObjectAlignment - 1) & ~u64{kObjectAlignment - 1};
}
FERMATA_INLINE bool no_room(u8* heap, u64 bytes) {
  return heap_header(heap).top + bytes > heap_header(heap).limit;
}

// Where there is no room for `bytes` bytes: lets the heap grow, or pushes a frame of `site` and sets
// `unwind` so that objects are collected; true then. Traps if there can't be that much room.
FERMATA_COLD bool WantRoom(Instance* instance, u32 site, u64 bytes);
// The same for what can't suspend: the heap grows, or it traps. `heap` is that of the instance's
// store.
FERMATA_COLD void GrowRoom(Instance* instance, u64 bytes);
FERMATA_INLINE void make_room(Instance* instance, u8* heap, u64 bytes) {
  if (FERMATA_UNLIKELY(no_room(heap, bytes))) GrowRoom(instance, bytes);
}

// ---- Values in objects: little-endian, at any multiple of their size or of 4 bytes ----

template <class T>
FERMATA_INLINE T value_get(const u8* at) {
  T v;
  memcpy(&v, at, sizeof v);
  return little(v);
}
template <class T>
FERMATA_INLINE void value_put(u8* at, T v) {
  v = little(v);
  memcpy(at, &v, sizeof v);
}
// How a value is read and written, by the end of the names of the functions below.
#define FERMATA_OBJECT_VALUES(X)                                           \
  X(8_u, u32, value_get<u8>(at))                                           \
  X(8_s, u32, static_cast<u32>(static_cast<int8_t>(value_get<u8>(at))))    \
  X(16_u, u32, value_get<u16>(at))                                         \
  X(16_s, u32, static_cast<u32>(static_cast<int16_t>(value_get<u16>(at)))) \
  X(32, u32, value_get<u32>(at))                                           \
  X(64, u64, value_get<u64>(at))                                           \
  X(_f32, f32, f32_reinterpret_i32(value_get<u32>(at)))                    \
  X(_f64, f64, f64_reinterpret_i64(value_get<u64>(at)))
#define FERMATA_STORED_VALUES(X)                         \
  X(8, u32, 0, value_put(at, static_cast<u8>(v)))        \
  X(16, u32, 1, value_put(at, static_cast<u16>(v)))      \
  X(32, u32, 2, value_put(at, v))                        \
  X(64, u64, 3, value_put(at, v))                        \
  X(_f32, f32, 2, value_put(at, i32_reinterpret_f32(v))) \
  X(_f64, f64, 3, value_put(at, i64_reinterpret_f64(v)))

#define FERMATA_OBJECT_GET(name, type, value)                                \
  FERMATA_INLINE type value_get##name(const u8* at) { return value; }        \
  FERMATA_INLINE type object_get##name(const u8* heap, ref object, u32 at) { \
    return value_get##name(heap + object + at);                              \
  }
FERMATA_OBJECT_VALUES(FERMATA_OBJECT_GET)
#undef FERMATA_OBJECT_GET
#define FERMATA_OBJECT_PUT(name, type, log2, put)                                  \
  FERMATA_INLINE void value_put##name(u8* at, type v) { put; }                     \
  FERMATA_INLINE void object_put##name(u8* heap, ref object, u32 offset, type v) { \
    value_put##name(heap + object + offset, v);                                    \
  }
FERMATA_STORED_VALUES(FERMATA_OBJECT_PUT)
#undef FERMATA_OBJECT_PUT

// Objects that an instance begins with (ModuleInfo::initialize): `count` words, and what of them
// depends on the instance.
struct ImagePatch {
  // In the two low bits of `place`; above: an offset in the image. The word there becomes
  enum Kind : u32 {
    kType = 0,      // the number of a type of the module
    kObject = 1,    // a reference to the object that lies at `value`
    kFunction = 2,  // that of ModuleInfo::functions[value]
    kImported =
        3,  // that in the imported global whose pointer is at offset `value` of the instance
  };
  u32 place;
  u32 value;
};
// Makes them, and returns where the image begins.
ref LoadImage(Instance* instance, u8* heap, const u32* object_types, const u32* words, u32 count,
              const ImagePatch* patches, u32 patch_count);

// ---- References in objects ----
//
// A collection of the nursery alone has to find each reference from an old object to a young one.

// A reference `v` was written at `slot`, an offset, in an old object.
FERMATA_COLD void Remember(u8* heap, u32 slot, ref v);
// The same of `count` references from `slot` on.
FERMATA_COLD void RememberRange(u8* heap, u32 slot, u32 count);
FERMATA_INLINE bool is_old(ref object) { return object >= kYoungEnd; }
// What is no object may pass for one here.
FERMATA_INLINE bool may_be_young(ref v) { return v - 1 < kYoungEnd - 1; }
FERMATA_INLINE void value_put_ref(u8* heap, u32 at, ref object, ref v) {
  value_put(heap + at, v);
  if (FERMATA_UNLIKELY(may_be_young(v) && is_old(object))) Remember(heap, at, v);
}
FERMATA_INLINE void object_put_ref(u8* heap, ref object, u32 offset, ref v) {
  value_put_ref(heap, object + offset, object, v);
}
// Behind a write to what may be null: nothing that follows is done before it.
FERMATA_INLINE void object_stored() { FERMATA_IN_ORDER(); }
FERMATA_INLINE void remember_range(u8* heap, ref object, const u8* at, u32 count) {
  if (is_old(object)) RememberRange(heap, static_cast<u32>(at - heap), count);
}

// ---- Making objects, where there is room ----

FERMATA_INLINE ref new_object(u8* heap, u32 bytes, u32 type) {
  HeapHeader& header = heap_header(heap);
  const ref object = header.top;
  header.top = object + bytes;
  value_put(heap + object, type);
  return object;
}
FERMATA_INLINE ref new_object_of_zeros(u8* heap, u32 bytes, u32 type) {
  const ref object = new_object(heap, bytes, type);
  memset(heap + object + kStructHeader, 0, bytes - kStructHeader);
  return object;
}
FERMATA_INLINE ref new_array(u8* heap, u32 log2, u32 type, u32 length) {
  const ref array = new_object(heap, static_cast<u32>(array_bytes(length, log2)), type);
  value_put(heap + array + kArrayLengthAt, length);
  return array;
}
FERMATA_INLINE ref new_array_of_zeros(u8* heap, u32 log2, u32 type, u32 length) {
  const ref array = new_array(heap, log2, type, length);
  memset(heap + array + kArrayHeader, 0, size_t{length} << log2);
  return array;
}

// ---- Arrays ----

FERMATA_INLINE u32 array_length(const u8* heap, ref array) {
  return object_get32(heap, array, kArrayLengthAt);
}
// The trap of an access to elements that don't exist. Compilers may know that they can't exist
// without reading the length, so that null has not faulted.
[[noreturn]] FERMATA_COLD void RaiseArrayTrap(Instance* instance, ref array);
// Element `index`, which must exist; so must `count` elements from it on. Trap otherwise.
FERMATA_INLINE u8* array_at(Instance* instance, u8* heap, ref array, u32 index, u32 log2) {
  if (FERMATA_UNLIKELY(index >= array_length(heap, array))) RaiseArrayTrap(instance, array);
  return heap + array + kArrayHeader + (size_t{index} << log2);
}
FERMATA_INLINE u8* array_range(Instance* instance, u8* heap, ref array, u32 index, u32 log2,
                               u32 count) {
  if (FERMATA_UNLIKELY(u64{index} + count > array_length(heap, array))) {
    RaiseTrap(instance, Trap::kArrayOutOfBounds);
  }
  return heap + array + kArrayHeader + (size_t{index} << log2);
}

#define FERMATA_ARRAY_GET(name, log2, type)                                             \
  FERMATA_INLINE type array_get##name(Instance* self, u8* heap, ref array, u32 index) { \
    return value_get##name(array_at(self, heap, array, index, log2));                   \
  }
FERMATA_ARRAY_GET(8_u, 0, u32)
FERMATA_ARRAY_GET(8_s, 0, u32)
FERMATA_ARRAY_GET(16_u, 1, u32)
FERMATA_ARRAY_GET(16_s, 1, u32)
FERMATA_ARRAY_GET(32, 2, u32)
FERMATA_ARRAY_GET(64, 3, u64)
FERMATA_ARRAY_GET(_f32, 2, f32)
FERMATA_ARRAY_GET(_f64, 3, f64)
#undef FERMATA_ARRAY_GET

// array_set: writes one element. array_fill: `count` elements from `index` on. fill_array: all of
// a new array.
#define FERMATA_ARRAY_SET(name, type, log2, put)                                                \
  FERMATA_INLINE void array_set##name(Instance* self, u8* heap, ref array, u32 index, type v) { \
    value_put##name(array_at(self, heap, array, index, log2), v);                               \
  }                                                                                             \
  FERMATA_INLINE void fill_values##name(u8* at, type v, u32 count) {                            \
    for (u8* const end = at + (size_t{count} << log2); at != end; at += size_t{1} << log2) {    \
      value_put##name(at, v);                                                                   \
    }                                                                                           \
  }                                                                                             \
  FERMATA_INLINE void array_fill##name(Instance* self, u8* heap, ref array, u32 index, type v,  \
                                       u32 count) {                                             \
    fill_values##name(array_range(self, heap, array, index, log2, count), v, count);            \
  }                                                                                             \
  FERMATA_INLINE ref new_array##name(u8* heap, u32 number, type v, u32 length) {                \
    const ref array = new_array(heap, log2, number, length);                                    \
    fill_values##name(heap + array + kArrayHeader, v, length);                                  \
    return array;                                                                               \
  }
FERMATA_STORED_VALUES(FERMATA_ARRAY_SET)
#undef FERMATA_ARRAY_SET

FERMATA_INLINE void array_copy(Instance* instance, u8* heap, u32 log2, ref to, u32 to_index,
                               ref from, u32 from_index, u32 count) {
  u8* const target = array_range(instance, heap, to, to_index, log2, count);
  const u8* const source = array_range(instance, heap, from, from_index, log2, count);
  memmove(target, source, size_t{count} << log2);
}

// Elements that are references to objects.
FERMATA_INLINE void array_set_ref(Instance* self, u8* heap, ref array, u32 index, ref v) {
  u8* const at = array_at(self, heap, array, index, 2);
  value_put_ref(heap, static_cast<u32>(at - heap), array, v);
}
FERMATA_INLINE void array_fill_ref(Instance* self, u8* heap, ref array, u32 index, ref v,
                                   u32 count) {
  u8* const at = array_range(self, heap, array, index, 2, count);
  fill_values32(at, v, count);
  if (may_be_young(v)) remember_range(heap, array, at, count);
}
FERMATA_INLINE void array_copy_refs(Instance* self, u8* heap, ref to, u32 to_index, ref from,
                                    u32 from_index, u32 count) {
  array_copy(self, heap, 2, to, to_index, from, from_index, count);
  remember_range(heap, to, heap + to + kArrayHeader + 4 * size_t{to_index}, count);
}

// Segments. Those of data are little-endian, as objects are.
FERMATA_INLINE void check_data(Instance* instance, u64 size, u32 count, u32 offset, u32 log2) {
  if (FERMATA_UNLIKELY(u64{offset} + (u64{count} << log2) > size)) {
    RaiseTrap(instance, Trap::kMemoryOutOfBounds);
  }
}
FERMATA_INLINE void check_elements(Instance* instance, u32 size, u32 count, u32 offset) {
  if (FERMATA_UNLIKELY(u64{offset} + count > size)) {
    RaiseTrap(instance, Trap::kTableOutOfBounds);
  }
}
FERMATA_INLINE void array_init_data(Instance* instance, u8* heap, u32 log2, const u8* data,
                                    u64 size, ref array, u32 index, u32 offset, u32 count) {
  u8* const at = array_range(instance, heap, array, index, log2, count);
  check_data(instance, size, count, offset, log2);
  memcpy(at, data + offset, size_t{count} << log2);
}
FERMATA_INLINE void array_init_elements(Instance* instance, u8* heap, const ref* elements, u32 size,
                                        ref array, u32 index, u32 offset, u32 count) {
  u8* const at = array_range(instance, heap, array, index, 2, count);
  check_elements(instance, size, count, offset);
  for (u32 i = 0; i < count; ++i) value_put(at + 4 * size_t{i}, elements[offset + i]);
  remember_range(heap, array, at, count);
}
FERMATA_INLINE ref new_array_of_data(u8* heap, u32 log2, u32 type, const u8* data, u32 offset,
                                     u32 count) {
  const ref array = new_array(heap, log2, type, count);
  memcpy(heap + array + kArrayHeader, data + offset, size_t{count} << log2);
  return array;
}
FERMATA_INLINE ref new_array_of_elements(u8* heap, u32 type, const ref* elements, u32 offset,
                                         u32 count) {
  const ref array = new_array(heap, 2, type, count);
  u8* const at = heap + array + kArrayHeader;
  for (u32 i = 0; i < count; ++i) value_put(at + 4 * size_t{i}, elements[offset + i]);
  return array;
}

// ---- i31 ----

FERMATA_INLINE ref ref_i31(u32 v) { return v << 1 | kI31Tag; }
FERMATA_INLINE u32 i31_get_u(ref v) { return v >> 1; }
FERMATA_INLINE u32 i31_get_s(ref v) { return static_cast<u32>(static_cast<i32>(v) >> 1); }

// ---- Casts ----

// What is known of a reference, and whether null passes; a bit set.
inline constexpr u32 kMayBeNull = 1;
inline constexpr u32 kMayBeOther = 2;  // neither null nor an object
inline constexpr u32 kNullPasses = 4;

// The word before the display of an object's type.
FERMATA_INLINE u32 display_word(u8* heap, u32 number, i32 index) {
  return heap_header(heap).displays[static_cast<i32>(number / 4) + index];
}

template <u32 kFlags>
FERMATA_INLINE bool null_passes(ref) {
  return (kFlags & kNullPasses) != 0;
}
// Whether the test can be decided without looking at the object: null and what is no object.
#define FERMATA_TEST_WORD(r)                                               \
  if ((kFlags & kMayBeNull) != 0 && r == 0) return null_passes<kFlags>(r); \
  if ((kFlags & kMayBeOther) != 0 && (r & kTagMask) != 0) return false

template <u32 kFlags>
FERMATA_INLINE bool is_null(ref r) {
  return r == 0 && null_passes<kFlags>(r);
}
template <u32 kFlags>
FERMATA_INLINE bool is_any(ref r) {
  return null_passes<kFlags>(r) || r != 0;
}
template <u32 kFlags>
FERMATA_INLINE bool is_i31(ref r) {
  return (r & kI31Tag) != 0 || is_null<kFlags>(r);
}
template <u32 kFlags>
FERMATA_INLINE bool is_eq(u8* heap, ref r) {
  if ((kFlags & kMayBeNull) != 0 && r == 0) return null_passes<kFlags>(r);
  if ((r & kTagMask) != 0) return (r & kI31Tag) != 0;
  return (display_word(heap, object_get32(heap, r, 0), -1) & kOpaqueFlag) == 0;
}
template <u32 kFlags>
FERMATA_INLINE bool is_struct(u8* heap, ref r) {
  FERMATA_TEST_WORD(r);
  return (display_word(heap, object_get32(heap, r, 0), -1) & (kArrayFlag | kOpaqueFlag)) == 0;
}
template <u32 kFlags>
FERMATA_INLINE bool is_array(u8* heap, ref r) {
  FERMATA_TEST_WORD(r);
  return (display_word(heap, object_get32(heap, r, 0), -1) & (kArrayFlag | kOpaqueFlag)) ==
         kArrayFlag;
}
// The type with that number, which has no subtypes.
template <u32 kFlags>
FERMATA_INLINE bool is_final(u8* heap, ref r, u32 number) {
  FERMATA_TEST_WORD(r);
  return object_get32(heap, r, 0) == number;
}
// The type with that number, which has `depth` supertypes, or a subtype of it.
template <u32 kFlags>
FERMATA_INLINE bool is_type(u8* heap, ref r, u32 number, u32 depth) {
  FERMATA_TEST_WORD(r);
  const u32 own = object_get32(heap, r, 0);
  if (depth >= kDisplayWords && display_word(heap, own, -2) < depth) return false;
  return display_word(heap, own, static_cast<i32>(depth)) == number;
}
#undef FERMATA_TEST_WORD

// Whether a funcref is of canonical type `type` or a subtype.
bool FunctionIs(const Instance* instance, ref function, u32 type);
template <u32 kFlags>
FERMATA_INLINE bool is_function(const Instance* instance, ref r, u32 type) {
  if ((kFlags & kMayBeNull) != 0 && r == 0) return null_passes<kFlags>(r);
  return FunctionIs(instance, r, type);
}
// Just that type.
template <u32 kFlags>
FERMATA_INLINE bool is_exact_function(const Instance* instance, ref r, u32 type) {
  if ((kFlags & kMayBeNull) != 0 && r == 0) return null_passes<kFlags>(r);
  const Store& store = *instance->store;
  return r <= store.function_count && store.functions[r - 1].type == type;
}

// Whether what passed a test for a type whose objects have a descriptor, at `offset`, has this one.
FERMATA_INLINE bool is_described(u8* heap, ref r, u32 offset, ref descriptor, bool passes) {
  return passes && (r == 0 || object_get32(heap, r, offset) == descriptor);
}

// Traps unless `passes`.
FERMATA_INLINE ref cast_ref(Instance* instance, ref r, bool passes) {
  if (FERMATA_UNLIKELY(!passes)) RaiseTrap(instance, Trap::kCastFailure);
  return r;
}

}  // namespace fermata::core

#endif  // FERMATA_CORE_HEAP_H_

// Objects of garbage collection, as hosts see them: structs, arrays and i31 references of guests
// (specification §2.3.8, §4.6.5), made, read, written and kept.
//
// A reference is a Value of type kAnyRef or kExternRef. It is valid until guest code of its store
// runs again, or Collect is called; functions of this header move nothing. A host that wants it for
// longer keeps it:
//
//   fermata::Objects objects(store);
//   fermata::Kept list = objects.Keep(step.results()[0]);   // from now on it is right
//   …                                                       // guests run
//   absl::StatusOr<Value> first = objects.Get(list.value(), 0);
//
// Types are those of a module: an instance of the store and an index into ModuleInfo::types. Hosts of
// a generated class read and write them as C++ types: typed_objects.h.
//
// Errors are absl::Status, and change nothing: kFailedPrecondition if the store has no objects,
// kInvalidArgument if a reference is null, to no object, or of another kind or type than is asked
// for, kOutOfRange for a field or element that does not exist, kResourceExhausted if there is no room
// (Limits::heap_bytes).
//
// One thread at a time uses a store, for this as for everything else.
#ifndef FERMATA_OBJECTS_H_
#define FERMATA_OBJECTS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fermata/core/objects.h"
#include "fermata/dynamic.h"

namespace fermata {

// A reference of the host's own: what it refers to lives at least as long. Move-only. It may be
// destroyed on any thread, and after its store, which leaves it null.
class Kept {
 public:
  Kept();
  Kept(Kept&& other) noexcept;
  Kept& operator=(Kept&& other) noexcept;
  ~Kept();
  // The reference, valid as described above. Null if nothing is kept.
  Value value() const;
  explicit operator bool() const { return value().low != 0; }
  // Which one it is in a snapshot that is made now: RestoredStore::kept. Something must be kept.
  uint32_t number() const;
  // Lets go of it.
  void Drop();

 private:
  friend class Objects;
  struct Place;
  explicit Kept(std::unique_ptr<Place> place);
  std::unique_ptr<Place> place_;
};

// What a reference refers to.
enum class ObjectKind : uint8_t { kNull, kI31, kHost, kStruct, kArray, kString };

// What a store's host may do with objects. Refers to the store, and costs nothing to make.
class Objects {
 public:
  explicit Objects(StoreHandle& store) : store_(store) {}

  // ---- References that are no objects ----

  // An i31: the low 31 bits of a number; and back, sign-extended.
  static Value I31(int32_t number) {
    return Value::AnyRef(static_cast<core::ref>(number) << 1 | 1);
  }
  static int32_t NumberOfI31(Value i31) { return static_cast<int32_t>(i31.ref()) >> 1; }
  // A value of the host, which guests pass on and compare. The number is less than 2^30.
  static Value Host(uint32_t number) { return Value::ExternRef(number << 2 | core::kHostTag); }
  static uint32_t NumberOfHost(Value host) { return host.ref() >> 2; }
  // The same reference in the other hierarchy (extern.convert_any, any.convert_extern).
  static Value AsExtern(Value any) { return Value::ExternRef(any.ref()); }
  static Value AsAny(Value external) { return Value::AnyRef(external.ref()); }

  ObjectKind KindOf(Value reference) const;
  // Whether it is an object of that type or a subtype. Null is of none.
  bool Is(Value reference, const DynamicInstance& instance, uint32_t type) const;

  // ---- Making ----

  // `fields`: one for each field, packed ones as i32; then the descriptor, if the type has one.
  absl::StatusOr<Value> MakeStruct(const DynamicInstance& instance, uint32_t type,
                                   absl::Span<const Value> fields);
  // `length` elements, all of this value.
  absl::StatusOr<Value> MakeArray(const DynamicInstance& instance, uint32_t type, uint32_t length,
                                  Value value);
  // An array of numbers or vectors, from its bytes (little-endian).
  absl::StatusOr<Value> MakeArray(const DynamicInstance& instance, uint32_t type,
                                  absl::Span<const uint8_t> bytes);

  // An array of these elements, packed ones as i32.
  absl::StatusOr<Value> MakeArrayOf(const DynamicInstance& instance, uint32_t type,
                                    absl::Span<const Value> elements);

  // A string (js_string.h), an externref. From UTF-8, which must be well-formed, or from UTF-16 code
  // units, which may be any; of at most 2^28 units.
  absl::StatusOr<Value> MakeString(absl::string_view utf8);
  absl::StatusOr<Value> MakeString(std::u16string_view units);

  // ---- Reading and writing ----

  // Field `index` of a struct, or element `index` of an array. Packed ones are zero-extended.
  absl::StatusOr<Value> Get(Value object, uint32_t index) const;
  // Errors also: it is immutable; the value is of another type.
  absl::Status Set(Value object, uint32_t index, Value value);
  // What an object of a type with a custom descriptor was made with.
  absl::StatusOr<Value> Descriptor(Value object) const;
  // A string as UTF-16 code units, or as UTF-8, with U+FFFD for lone surrogates.
  absl::StatusOr<std::u16string> UnitsOf(Value string) const;
  absl::StatusOr<std::string> Utf8Of(Value string) const;
  // Of an array.
  absl::StatusOr<uint32_t> Length(Value array) const;
  // The bytes of an array of numbers or vectors (little-endian), valid as a reference is.
  absl::StatusOr<absl::Span<uint8_t>> Bytes(Value array);

  // ---- Keeping ----

  Kept Keep(Value reference);
  // Has the host told of host values (Host) that nothing in the store refers to any more: those that
  // it has asked for with Watch, once. `dropped` is called with the number at the end of a collection
  // of everything, which may be in the middle of a call; it must not use the store. Neither is saved
  // in snapshots.
  void OnDropped(std::function<void(uint32_t number)> dropped);
  // Error: there is no OnDropped, or `host` is no host value.
  absl::Status Watch(Value host);
  // Collects now. Error: a guest of the store is calling the host.
  absl::Status Collect();
  // Bytes that objects take, those included which the next collection frees.
  uint64_t used_bytes() const;

 private:
  StoreHandle& store_;
};

}  // namespace fermata

#endif  // FERMATA_OBJECTS_H_

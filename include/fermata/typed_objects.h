// Structs and arrays of a guest as C++ values (specification §2.3.8): the typed part of objects.h.
//
// The header of a guest declares a type for each struct and array type that its host may come to
// see: those in signatures of imports and exports, and what their fields lead to, 256 at most. They
// have the names of the module's name section, or are type3 and field0:
//
//   struct point { double x; double y; fermata::AnyRef next; };   // a struct type
//   struct bytes { using Element = uint8_t; };                    // an array type
//
//   fermata::TypedObjects objects(*guest);
//   absl::StatusOr<fermata::AnyRef> p = objects.Make(Guest::point{.x = 1, .y = 2});
//   absl::StatusOr<Guest::point> all = objects.Read<Guest::point>(*p);         // a copy
//   absl::StatusOr<double> x = objects.Get<&Guest::point::x>(*p);
//   absl::Status set = objects.Set<&Guest::point::x>(*p, 3.0);
//   absl::StatusOr<fermata::AnyRef> b = objects.Make<Guest::bytes>({1, 2, 3});
//   absl::StatusOr<std::vector<uint8_t>> copy = objects.Read<Guest::bytes>(*b);
//
// References, errors and threads are as in objects.h. An object of a subtype is one of its
// supertypes; kInvalidArgument if it is of another type.
#ifndef FERMATA_TYPED_OBJECTS_H_
#define FERMATA_TYPED_OBJECTS_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "fermata/needs_cxx20.h"
#include "fermata/objects.h"
#include "fermata/step.h"
#include "fermata/wire.h"

namespace fermata {

// Implementation details, not part of the API.
namespace typed {

// How a field's value is passed to Objects and back. Packed ones are numbers of 32 bits there.
template <class T>
struct FieldWire : Wire<T> {};
template <class T>
requires std::same_as<T, uint8_t> || std::same_as<T, uint16_t>
struct FieldWire<T> {
  static Value To(T v) { return Value::I32(v); }
  static T From(const Value& v) { return static_cast<T>(v.i32()); }
};

// The object type and the type of a field, by the address of its member.
template <class T>
struct FieldOf;
template <class T, class V>
struct FieldOf<V T::*> {
  using Object = T;
  using Type = V;
};

template <class A, class B>
constexpr bool IsSameMember(A a, B b) {
  if constexpr (std::is_same_v<A, B>) {
    return a == b;
  } else {
    return false;
  }
}
// The number of the field.
template <auto kField>
constexpr uint32_t FieldIndex() {
  using T = typename FieldOf<decltype(kField)>::Object;
  return std::apply(
      [](auto... members) {
        uint32_t index = 0, found = 0;
        ((IsSameMember(members, kField) ? void(found = index++) : void(++index)), ...);
        return found;
      },
      T::Fields_());
}

}  // namespace typed

template <class T>
concept GuestStruct = requires {
  T::Fields_();
};
template <class T>
concept GuestArray = requires {
  typename T::Element;
  T::kMutableElements_;
};

// What a host does with the objects of a guest. Refers to it, and costs nothing to make.
class TypedObjects {
 public:
  // `guest`: of a generated class.
  explicit TypedObjects(const typed::GuestBase& guest)
      : instance_(guest.instance()), objects_(*guest.store()) {}

  // ---- i31 ----

  // The low 31 bits of a number; and back, sign-extended. Null: it is no i31.
  static AnyRef I31(int32_t number) { return {Objects::I31(number).ref()}; }
  static std::optional<int32_t> NumberOf(AnyRef i31) {
    if ((i31.handle & core::kI31Tag) == 0) return std::nullopt;
    return Objects::NumberOfI31(Value::AnyRef(i31.handle));
  }

  // Whether it is an object of that type or a subtype. Null is of none.
  template <class T>
  bool Is(AnyRef reference) const {
    return objects_.Is(ToValue(reference), *instance_, T::kType_);
  }

  // ---- Structs ----

  template <GuestStruct T>
  absl::StatusOr<AnyRef> Make(const T& fields) {
    const auto make = [&](auto... members) {
      // One more than there are, as there may be none.
      const Value values[] = {ToValue(fields.*members)..., Value()};
      return objects_.MakeStruct(*instance_, T::kType_,
                                 absl::MakeConstSpan(values, sizeof...(members)));
    };
    return AsRef(std::apply(make, T::Fields_()));
  }
  // All fields.
  template <GuestStruct T>
  absl::StatusOr<T> Read(AnyRef object) const {
    if (absl::Status status = Check<T>(object); !status.ok()) return status;
    T fields{};
    uint32_t index = 0;
    const auto read = [&](auto member) {
      const absl::StatusOr<Value> value = objects_.Get(ToValue(object), index++);
      if (value.ok()) FromValue(*value, fields.*member);
    };
    std::apply([&](auto... members) { (read(members), ...); }, T::Fields_());
    return fields;
  }
  template <auto kField, class T = typename typed::FieldOf<decltype(kField)>::Object,
            class V = typename typed::FieldOf<decltype(kField)>::Type>
  absl::StatusOr<V> Get(AnyRef object) const {
    if (absl::Status status = Check<T>(object); !status.ok()) return status;
    return As<V>(objects_.Get(ToValue(object), typed::FieldIndex<kField>()));
  }
  // Only of mutable fields.
  template <auto kField, class T = typename typed::FieldOf<decltype(kField)>::Object>
  absl::Status Set(AnyRef object, typename typed::FieldOf<decltype(kField)>::Type value) {
    static_assert(T::kMutable_[typed::FieldIndex<kField>()], "the field is immutable");
    if (absl::Status status = Check<T>(object); !status.ok()) return status;
    return objects_.Set(ToValue(object), typed::FieldIndex<kField>(), ToValue(value));
  }

  // ---- Arrays ----

  template <GuestArray T>
  absl::StatusOr<AnyRef> Make(absl::Span<const typename T::Element> elements) {
    std::vector<Value> values;
    values.reserve(elements.size());
    for (const auto& element : elements) values.push_back(ToValue(element));
    return AsRef(objects_.MakeArrayOf(*instance_, T::kType_, values));
  }
  // All elements.
  template <GuestArray T>
  absl::StatusOr<std::vector<typename T::Element>> Read(AnyRef array) const {
    if (absl::Status status = Check<T>(array); !status.ok()) return status;
    const absl::StatusOr<uint32_t> length = objects_.Length(ToValue(array));
    if (!length.ok()) return length.status();
    std::vector<typename T::Element> elements(*length);
    for (uint32_t i = 0; i < *length; ++i) {
      const absl::StatusOr<Value> value = objects_.Get(ToValue(array), i);
      if (!value.ok()) return value.status();
      FromValue(*value, elements[i]);
    }
    return elements;
  }
  template <GuestArray T>
  absl::StatusOr<uint32_t> Length(AnyRef array) const {
    if (absl::Status status = Check<T>(array); !status.ok()) return status;
    return objects_.Length(ToValue(array));
  }
  template <GuestArray T>
  absl::StatusOr<typename T::Element> GetAt(AnyRef array, uint32_t index) const {
    if (absl::Status status = Check<T>(array); !status.ok()) return status;
    return As<typename T::Element>(objects_.Get(ToValue(array), index));
  }
  template <GuestArray T>
  absl::Status SetAt(AnyRef array, uint32_t index, typename T::Element value) {
    static_assert(T::kMutableElements_, "the elements are immutable");
    if (absl::Status status = Check<T>(array); !status.ok()) return status;
    return objects_.Set(ToValue(array), index, ToValue(value));
  }

  // ---- Keeping ----

  Kept Keep(AnyRef reference) { return objects_.Keep(ToValue(reference)); }
  static AnyRef ValueOf(const Kept& kept) { return {kept.value().ref()}; }

 private:
  template <class V>
  static Value ToValue(const V& v) {
    return typed::FieldWire<V>::To(v);
  }
  template <class V>
  static void FromValue(const Value& value, V& v) {
    v = typed::FieldWire<V>::From(value);
  }
  template <class V>
  static absl::StatusOr<V> As(const absl::StatusOr<Value>& value) {
    if (!value.ok()) return value.status();
    return typed::FieldWire<V>::From(*value);
  }
  static absl::StatusOr<AnyRef> AsRef(const absl::StatusOr<Value>& value) {
    if (!value.ok()) return value.status();
    return AnyRef{value->ref()};
  }
  template <class T>
  absl::Status Check(AnyRef object) const {
    if (Is<T>(object)) return absl::OkStatus();
    return absl::InvalidArgumentError(object ? "the object is of another type"
                                             : "the reference is null");
  }

  DynamicInstance* instance_;
  Objects objects_;
};

}  // namespace fermata

#endif  // FERMATA_TYPED_OBJECTS_H_

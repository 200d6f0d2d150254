// The values of guests in the typed API: their C++ types, and how they are passed to generated code
// and back.
//
//   i32 i64 f32 f64     int32_t int64_t float double
//   v128, references    V128, FuncRef, ExternRef, ExnRef, AnyRef
//   several results     std::tuple; of more than 256, ManyResults
#ifndef FERMATA_WIRE_H_
#define FERMATA_WIRE_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "fermata/core/frame.h"
#include "fermata/dynamic.h"
#include "fermata/needs_cxx20.h"

namespace fermata {

// References as their handles; 0 is null. A FuncRef names a function of the store
// (StoreHandle::CallRef); the host decides what the number of an ExternRef means.
struct FuncRef {
  core::ref handle = 0;
  explicit operator bool() const { return handle != 0; }
  bool operator==(const FuncRef&) const = default;
};
// See FuncRef.
struct ExternRef {
  core::ref handle = 0;
  explicit operator bool() const { return handle != 0; }
  bool operator==(const ExternRef&) const = default;
};
// An exception of the store. Its tag and values are the guest's.
struct ExnRef {
  core::ref handle = 0;
  explicit operator bool() const { return handle != 0; }
  bool operator==(const ExnRef&) const = default;
};
// Any other reference. Guests can hold such values, which come from the host, and null.
struct AnyRef {
  core::ref handle = 0;
  explicit operator bool() const { return handle != 0; }
  bool operator==(const AnyRef&) const = default;
};
// A vector of 128 bits, as two halves.
struct V128 {
  uint64_t low = 0;
  uint64_t high = 0;
  bool operator==(const V128&) const = default;
};

template <class... T>
class ManyResults;

// Implementation details, not part of the API.
namespace typed {

// C++ type <-> tagged value <-> parameter of generated code (Abi).
template <class T>
struct Wire;
template <>
struct Wire<int32_t> {
  using Abi = uint32_t;
  static constexpr ValType kType = ValType::kI32;
  static Value To(int32_t v) { return Value::I32(static_cast<uint32_t>(v)); }
  static int32_t From(const Value& v) { return static_cast<int32_t>(v.i32()); }
  static Abi ToAbi(int32_t v) { return static_cast<uint32_t>(v); }
  static int32_t FromAbi(Abi v) { return static_cast<int32_t>(v); }
};
template <>
struct Wire<int64_t> {
  using Abi = uint64_t;
  static constexpr ValType kType = ValType::kI64;
  static Value To(int64_t v) { return Value::I64(static_cast<uint64_t>(v)); }
  static int64_t From(const Value& v) { return static_cast<int64_t>(v.i64()); }
  static Abi ToAbi(int64_t v) { return static_cast<uint64_t>(v); }
  static int64_t FromAbi(Abi v) { return static_cast<int64_t>(v); }
};
template <>
struct Wire<float> {
  using Abi = float;
  static constexpr ValType kType = ValType::kF32;
  static Value To(float v) { return Value::F32(v); }
  static float From(const Value& v) { return v.f32(); }
  static Abi ToAbi(float v) { return v; }
  static float FromAbi(Abi v) { return v; }
};
template <>
struct Wire<double> {
  using Abi = double;
  static constexpr ValType kType = ValType::kF64;
  static Value To(double v) { return Value::F64(v); }
  static double From(const Value& v) { return v.f64(); }
  static Abi ToAbi(double v) { return v; }
  static double FromAbi(Abi v) { return v; }
};
template <class Ref, ValType type>
struct WireRef {
  using Abi = core::ref;
  static constexpr ValType kType = type;
  static Value To(Ref v) { return {type, v.handle}; }
  static Ref From(const Value& v) { return {v.ref()}; }
  static Abi ToAbi(Ref v) { return v.handle; }
  static Ref FromAbi(Abi v) { return {v}; }
};
template <>
struct Wire<FuncRef> : WireRef<FuncRef, ValType::kFuncRef> {};
template <>
struct Wire<ExternRef> : WireRef<ExternRef, ValType::kExternRef> {};
template <>
struct Wire<ExnRef> : WireRef<ExnRef, ValType::kExnRef> {};
template <>
struct Wire<AnyRef> : WireRef<AnyRef, ValType::kAnyRef> {};
template <>
struct Wire<V128> {
#if defined(__GNUC__)
  typedef uint64_t Abi __attribute__((vector_size(16)));
  // A vector's bytes are in the machine's order.
  static constexpr int kLow = std::endian::native == std::endian::big ? 1 : 0;
  static Abi ToAbi(V128 v) {
    Abi abi{};
    abi[kLow] = v.low;
    abi[1 - kLow] = v.high;
    return abi;
  }
  static V128 FromAbi(Abi v) { return {v[kLow], v[1 - kLow]}; }
#endif
  static constexpr ValType kType = ValType::kV128;
  static Value To(V128 v) { return {ValType::kV128, v.low, v.high}; }
  static V128 From(const Value& v) { return {v.low, v.high}; }
};

// The results of a function: none, one, a tuple, or ManyResults.
template <class R>
struct Results {
  using Abi = typename Wire<R>::Abi;
  static constexpr size_t kCount = 1;
  static bool Are(const std::vector<ValType>& types) {
    return types.size() == 1 && types[0] == Wire<R>::kType;
  }
  static R From(absl::Span<const Value> values) { return Wire<R>::From(values[0]); }
  static absl::Status Resume(DynamicStep& step, const R& result) {
    const Value values[] = {Wire<R>::To(result)};
    return step.Resume(values);
  }
};
template <>
struct Results<void> {
  using Abi = void;
  static constexpr size_t kCount = 0;
  static bool Are(const std::vector<ValType>& types) { return types.empty(); }
};
template <class... T>
struct Results<std::tuple<T...>> {
  using Abi = void;  // through Context::results
  static constexpr size_t kCount = sizeof...(T);
  static bool Are(const std::vector<ValType>& types) {
    return types == std::vector<ValType>{Wire<T>::kType...};
  }
  static std::tuple<T...> From(absl::Span<const Value> values) {
    return From(values, std::index_sequence_for<T...>());
  }
  template <size_t... I>
  static std::tuple<T...> From(absl::Span<const Value> values, std::index_sequence<I...>) {
    return {Wire<T>::From(values[I])...};
  }
  static absl::Status Resume(DynamicStep& step, const std::tuple<T...>& result) {
    return std::apply(
        [&](const T&... v) {
          const Value values[] = {Wire<T>::To(v)...};
          return step.Resume(values);
        },
        result);
  }
};

// The C++ type of a value type.
template <ValType type>
struct HostOf;
template <>
struct HostOf<ValType::kI32> : std::type_identity<int32_t> {};
template <>
struct HostOf<ValType::kI64> : std::type_identity<int64_t> {};
template <>
struct HostOf<ValType::kF32> : std::type_identity<float> {};
template <>
struct HostOf<ValType::kF64> : std::type_identity<double> {};
template <>
struct HostOf<ValType::kV128> : std::type_identity<V128> {};
template <>
struct HostOf<ValType::kFuncRef> : std::type_identity<FuncRef> {};
template <>
struct HostOf<ValType::kExternRef> : std::type_identity<ExternRef> {};
template <>
struct HostOf<ValType::kExnRef> : std::type_identity<ExnRef> {};
template <>
struct HostOf<ValType::kAnyRef> : std::type_identity<AnyRef> {};

}  // namespace typed

// The results of a function that has more than 256, too many for a std::tuple. They are read and
// written with their C++ types, by `get<3>()` and `set<3>(value)`, or as tagged values.
template <class... T>
class ManyResults {
  static constexpr size_t kCount = sizeof...(T);
  static constexpr ValType kTypes[kCount] = {typed::Wire<T>::kType...};

 public:
  template <size_t i>
  using Type = typename typed::HostOf<kTypes[i]>::type;

  // All zero or null.
  ManyResults() {
    for (size_t i = 0; i < kCount; ++i) values_[i].type = kTypes[i];
  }

  static constexpr size_t size() { return kCount; }
  template <size_t i>
  Type<i> get() const {
    return typed::Wire<Type<i>>::From(values_[i]);
  }
  template <size_t i>
  void set(Type<i> value) {
    values_[i] = typed::Wire<Type<i>>::To(value);
  }

  absl::Span<const Value> values() const { return values_; }
  // False, and no effect, if the number of values or a type is another one.
  bool Assign(absl::Span<const Value> values) {
    if (values.size() != kCount) return false;
    for (size_t i = 0; i < kCount; ++i) {
      if (values[i].type != kTypes[i]) return false;
    }
    for (size_t i = 0; i < kCount; ++i) values_[i] = values[i];
    return true;
  }

  static std::vector<ValType> Types() { return {kTypes, kTypes + kCount}; }

 private:
  Value values_[kCount];
};

namespace typed {

template <class... T>
struct Results<ManyResults<T...>> {
  using Abi = void;  // through Context::results
  static constexpr size_t kCount = sizeof...(T);
  static bool Are(const std::vector<ValType>& types) { return types == ManyResults<T...>::Types(); }
  static ManyResults<T...> From(absl::Span<const Value> values) {
    ManyResults<T...> results;
    results.Assign(values);
    return results;
  }
  static absl::Status Resume(DynamicStep& step, const ManyResults<T...>& result) {
    return step.Resume(result.values());
  }
};

// Numbers and vectors as slots of 8 bytes: how many they take, and whether R, the results of a
// function, is nothing but such.
template <class T>
inline constexpr uint32_t kSlots = std::is_same_v<T, V128> ? 2 : 1;
template <class T>
inline constexpr bool kIsNumber = std::is_arithmetic_v<T> || std::is_same_v<T, V128>;
template <class R>
struct NumberSlots {
  static constexpr bool kOnly = kIsNumber<R>;
  static constexpr uint32_t kCount = kSlots<R>;
  static uint64_t* Put(uint64_t* slots, const R& v) {
    const Value value = Wire<R>::To(v);
    *slots++ = value.low;
    if constexpr (kSlots<R> == 2) *slots++ = value.high;
    return slots;
  }
};
template <class... T>
struct NumberSlots<std::tuple<T...>> {
  static constexpr bool kOnly = (kIsNumber<T> && ...);
  static constexpr uint32_t kCount = (kSlots<T> + ...);
  static void Put(uint64_t* slots, const std::tuple<T...>& values) {
    std::apply([&](const T&... v) { ((slots = NumberSlots<T>::Put(slots, v)), ...); }, values);
  }
};
template <class... T>
struct NumberSlots<ManyResults<T...>> {
  static constexpr bool kOnly = false;
};
// The value that begins at a slot of an op's frame.
template <class T>
T ReadSlot(const uint8_t* frame, uint32_t slot) {
  Value value{Wire<T>::kType, core::frame_get64(frame, 8 * slot)};
  if constexpr (kSlots<T> == 2) value.high = core::frame_get64(frame, 8 * slot + 8);
  return Wire<T>::From(value);
}

// Writes several results to the slots from which generated code reads them.
inline void StoreResults(uint64_t* slots, absl::Span<const Value> values) {
  for (const Value& value : values) {
    *slots++ = value.low;
    if (value.type == ValType::kV128) *slots++ = value.high;
  }
}
template <class... T>
void StoreResults(uint64_t* slots, const std::tuple<T...>& results) {
  std::apply(
      [&](const T&... v) {
        const Value values[] = {Wire<T>::To(v)...};
        StoreResults(slots, absl::MakeConstSpan(values));
      },
      results);
}
template <class... T>
void StoreResults(uint64_t* slots, const ManyResults<T...>& results) {
  StoreResults(slots, results.values());
}

}  // namespace typed
}  // namespace fermata

#endif  // FERMATA_WIRE_H_

#include "fermata/objects.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "runtime/heap/strings.h"
#include "runtime/host/collect.h"
#include "runtime/host/references.h"
#include "runtime/host/state.h"
#include "runtime/os/hosted_context.h"

namespace fermata {
namespace internal {

// Private parts of the dynamic API.
struct ObjectsAccess {
  static StoreState& Of(StoreHandle& store) { return *store.state_; }
  static DynamicInstance::State& Of(const DynamicInstance& instance) { return *instance.state_; }
};

uint32_t StoreLink::Keep(Value reference) {
  Locked lists = Lock();
  if (lists->free_kept.empty()) {
    lists->kept.push_back(reference);
    return static_cast<uint32_t>(lists->kept.size() - 1);
  }
  const uint32_t place = lists->free_kept.back();
  lists->free_kept.pop_back();
  lists->kept[place] = reference;
  return place;
}

Value StoreLink::KeptAt(uint32_t place) { return Lock()->kept[place]; }

void StoreLink::Drop(uint32_t place) {
  Locked lists = Lock();
  lists->kept[place] = {};
  lists->free_kept.push_back(place);
}

namespace {

bool IsReference(const Value& value) {
  return value.type == ValType::kAnyRef || value.type == ValType::kExternRef;
}

// Where a field or an element lies.
struct Place {
  uint8_t* at;
  const core::FieldInfo* field;
};

absl::StatusOr<const HeapType*> TypeOf(const StoreState& store, Value object) {
  if (store.heap == nullptr) return absl::FailedPreconditionError("the store has no objects");
  if (!IsReference(object) || object.low == 0 || object.low > 0xffffffff ||
      !store.heap->IsObject(object.ref())) {
    return absl::InvalidArgumentError("not a reference to an object");
  }
  const HeapType& type =
      store.heap->TypeOf(core::object_get32(store.heap->base(), object.ref(), 0));
  if (type.opaque) return absl::InvalidArgumentError("the reference is to a string");
  return &type;
}

// Calls make(Strings), which returns 0 where there is no room, once more with room.
template <class Make>
absl::StatusOr<Value> MakeWithRoom(StoreState& store, Make&& make) {
  const absl::Status status = store.MakeHeap();
  if (!status.ok()) return status;
  Strings strings(*store.heap);
  core::ref made = make(strings);
  if (made == 0 && store.heap->Grow(strings.wanted(), /*must=*/true)) made = make(strings);
  if (made == 0) return absl::ResourceExhaustedError(TrapMessage(Trap::kHeapExhausted));
  return Value::ExternRef(made);
}

absl::StatusOr<Place> Find(const StoreState& store, Value object, uint32_t index) {
  const absl::StatusOr<const HeapType*> type = TypeOf(store, object);
  if (!type.ok()) return type.status();
  uint8_t* const base = store.heap->base();
  const bool array = (*type)->kind == core::ObjectKind::kArray;
  const size_t count = array ? core::array_length(base, object.ref()) : (*type)->own_fields();
  if (index >= count) {
    return absl::OutOfRangeError(absl::StrCat(array ? "element " : "field ", index, " of ", count));
  }
  const core::FieldInfo& field = (*type)->fields[array ? 0 : index];
  const uint64_t offset =
      array ? field.offset + (uint64_t{index} << (*type)->log2) : uint64_t{field.offset};
  return Place{base + object.ref() + offset, &field};
}

Value Read(const Place& place) {
  Value value{place.field->type};
  if (place.field->packed_bits == 8) {
    value.low = core::value_get<uint8_t>(place.at);
  } else if (place.field->packed_bits == 16) {
    value.low = core::value_get<uint16_t>(place.at);
  } else if (core::FrameBytes(value.type) == 4) {
    value.low = core::value_get<uint32_t>(place.at);
  } else {
    value.low = core::value_get<uint64_t>(place.at);
    if (core::FrameBytes(value.type) == 16) {
      value.high = core::value_get<uint64_t>(place.at + 8);
    }
  }
  return value;
}

void Write(const Place& place, const Value& value) {
  if (place.field->packed_bits == 8) {
    core::value_put(place.at, static_cast<uint8_t>(value.low));
  } else if (place.field->packed_bits == 16) {
    core::value_put(place.at, static_cast<uint16_t>(value.low));
  } else if (core::FrameBytes(value.type) == 4) {
    core::value_put(place.at, static_cast<uint32_t>(value.low));
  } else {
    core::value_put(place.at, value.low);
    if (core::FrameBytes(value.type) == 16) core::value_put(place.at + 8, value.high);
  }
}

// Empty if `value` may be in the field.
std::string FieldMisfit(const StoreState& store, const core::FieldInfo& field, const Value& value) {
  return Misfit(store, "value", {field.type}, {&value, 1},
                core::IsRef(field.type) ? absl::MakeConstSpan(&field.ref, 1)
                                        : absl::Span<const core::RefType>());
}

// The type of a module, which must be of that kind.
absl::StatusOr<const HeapType*> TypeOf(const StoreState& store, const DynamicInstance& instance,
                                       uint32_t type, core::ObjectKind kind) {
  const auto& state = ObjectsAccess::Of(instance);
  const ModuleInfo& module = *state.info;
  if (store.heap == nullptr || module.object_types == nullptr) {
    return absl::FailedPreconditionError("the module has no types of objects");
  }
  if (type >= module.type_count || module.object_types[type].kind != kind) {
    return absl::InvalidArgumentError(
        absl::StrCat("type ", type, " of the module is not ",
                     kind == core::ObjectKind::kStruct ? "a struct" : "an array", " type"));
  }
  return &store.heap->TypeOf(state.Field<uint32_t>(module.object_types_offset)[type]);
}

absl::StatusOr<core::ref> Allocate(StoreState& store, uint64_t bytes) {
  uint8_t* const base = store.heap->base();
  if (core::no_room(base, bytes) && !store.heap->Grow(bytes, /*must=*/true)) {
    return absl::ResourceExhaustedError(TrapMessage(Trap::kHeapExhausted));
  }
  return core::heap_header(base).top;
}

absl::StatusOr<core::ref> AllocateArray(StoreState& store, const HeapType& type, uint32_t length) {
  const absl::StatusOr<core::ref> room = Allocate(store, core::array_bytes(length, type.log2));
  if (!room.ok()) return room.status();
  return core::new_array_of_zeros(store.heap->base(), type.log2, type.number, length);
}

}  // namespace
}  // namespace internal

using internal::ObjectsAccess;
using internal::StoreState;

// ---- Kept ----

struct Kept::Place {
  internal::StoreLink* link;
  uint32_t number;
  ~Place() {
    link->Drop(number);
    link->Release();
  }
};

Kept::Kept(std::unique_ptr<Place> place) : place_(std::move(place)) {}
Kept::Kept() = default;
Kept::Kept(Kept&& other) noexcept = default;
Kept& Kept::operator=(Kept&& other) noexcept = default;
Kept::~Kept() = default;

Value Kept::value() const {
  if (place_ == nullptr || place_->link->store() == nullptr) return Value::AnyRef(0);
  return place_->link->KeptAt(place_->number);
}

uint32_t Kept::number() const { return place_->number; }

void Kept::Drop() { place_ = nullptr; }

Kept Objects::Keep(Value reference) {
  StoreState& state = ObjectsAccess::Of(store_);
  auto place = std::make_unique<Kept::Place>();
  state.link->Keep();
  place->link = state.link;
  place->number = state.link->Keep(reference);
  return Kept(std::move(place));
}

// ---- Objects ----

ObjectKind Objects::KindOf(Value reference) const {
  const StoreState& state = ObjectsAccess::Of(store_);
  if (reference.low == 0) return ObjectKind::kNull;
  if ((reference.low & core::kI31Tag) != 0) return ObjectKind::kI31;
  if (state.heap != nullptr && state.heap->IsString(reference.ref())) return ObjectKind::kString;
  const auto type = internal::TypeOf(state, reference);
  if (!type.ok()) return ObjectKind::kHost;
  return (*type)->kind == core::ObjectKind::kStruct ? ObjectKind::kStruct : ObjectKind::kArray;
}

bool Objects::Is(Value reference, const DynamicInstance& instance, uint32_t type) const {
  const StoreState& state = ObjectsAccess::Of(store_);
  const auto own = internal::TypeOf(state, reference);
  const auto& module = ObjectsAccess::Of(instance);
  if (!own.ok() || type >= module.info->type_count) return false;
  return internal::IsSubtype((*own)->canonical,
                             module.Field<uint32_t>(module.info->types_offset)[type]);
}

absl::StatusOr<Value> Objects::MakeStruct(const DynamicInstance& instance, uint32_t type,
                                          absl::Span<const Value> fields) {
  StoreState& state = ObjectsAccess::Of(store_);
  const auto found = internal::TypeOf(state, instance, type, core::ObjectKind::kStruct);
  if (!found.ok()) return found.status();
  const internal::HeapType& own = **found;
  if (fields.size() != own.fields.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(own.fields.size(), " fields expected, not ", fields.size()));
  }
  for (size_t i = 0; i < fields.size(); ++i) {
    const std::string misfit = internal::FieldMisfit(state, own.fields[i], fields[i]);
    if (!misfit.empty()) return absl::InvalidArgumentError(absl::StrCat("field ", i, ": ", misfit));
  }
  const absl::StatusOr<core::ref> room = internal::Allocate(state, own.bytes);
  if (!room.ok()) return room.status();
  uint8_t* const base = state.heap->base();
  const core::ref object = core::new_object(base, own.bytes, own.number);
  for (size_t i = 0; i < fields.size(); ++i) {
    internal::Write({base + object + own.fields[i].offset, &own.fields[i]}, fields[i]);
  }
  return Value::AnyRef(object);
}

absl::StatusOr<Value> Objects::MakeArray(const DynamicInstance& instance, uint32_t type,
                                         uint32_t length, Value value) {
  StoreState& state = ObjectsAccess::Of(store_);
  const auto found = internal::TypeOf(state, instance, type, core::ObjectKind::kArray);
  if (!found.ok()) return found.status();
  const internal::HeapType& own = **found;
  const std::string misfit = internal::FieldMisfit(state, own.fields[0], value);
  if (!misfit.empty()) return absl::InvalidArgumentError(misfit);
  const absl::StatusOr<core::ref> array = internal::AllocateArray(state, own, length);
  if (!array.ok()) return array.status();
  uint8_t* at = state.heap->base() + *array + core::kArrayHeader;
  for (uint32_t i = 0; i < length; ++i, at += size_t{1} << own.log2) {
    internal::Write({at, &own.fields[0]}, value);
  }
  return Value::AnyRef(*array);
}

absl::StatusOr<Value> Objects::MakeArray(const DynamicInstance& instance, uint32_t type,
                                         absl::Span<const uint8_t> bytes) {
  StoreState& state = ObjectsAccess::Of(store_);
  const auto found = internal::TypeOf(state, instance, type, core::ObjectKind::kArray);
  if (!found.ok()) return found.status();
  const internal::HeapType& own = **found;
  if (core::IsRef(own.fields[0].type)) {
    return absl::InvalidArgumentError("an array of references has no bytes");
  }
  if (bytes.size() % (size_t{1} << own.log2) != 0 || bytes.size() >> own.log2 > 0xffffffff) {
    return absl::InvalidArgumentError("not a whole number of elements");
  }
  const absl::StatusOr<core::ref> array =
      internal::AllocateArray(state, own, static_cast<uint32_t>(bytes.size() >> own.log2));
  if (!array.ok()) return array.status();
  if (!bytes.empty()) {
    std::memcpy(state.heap->base() + *array + core::kArrayHeader, bytes.data(), bytes.size());
  }
  return Value::AnyRef(*array);
}

absl::StatusOr<Value> Objects::MakeArrayOf(const DynamicInstance& instance, uint32_t type,
                                           absl::Span<const Value> elements) {
  StoreState& state = ObjectsAccess::Of(store_);
  const auto found = internal::TypeOf(state, instance, type, core::ObjectKind::kArray);
  if (!found.ok()) return found.status();
  const internal::HeapType& own = **found;
  for (size_t i = 0; i < elements.size(); ++i) {
    const std::string misfit = internal::FieldMisfit(state, own.fields[0], elements[i]);
    if (!misfit.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("element ", i, ": ", misfit));
    }
  }
  if (elements.size() > 0xffffffff) return absl::InvalidArgumentError("too many elements");
  const absl::StatusOr<core::ref> array =
      internal::AllocateArray(state, own, static_cast<uint32_t>(elements.size()));
  if (!array.ok()) return array.status();
  uint8_t* at = state.heap->base() + *array + core::kArrayHeader;
  for (const Value& element : elements) {
    internal::Write({at, &own.fields[0]}, element);
    at += size_t{1} << own.log2;
  }
  return Value::AnyRef(*array);
}

absl::StatusOr<Value> Objects::MakeString(std::u16string_view units) {
  if (units.size() > internal::Strings::kMostUnits) {
    return absl::InvalidArgumentError("the string is too long");
  }
  const std::vector<uint16_t> copy(units.begin(), units.end());
  return internal::MakeWithRoom(ObjectsAccess::Of(store_), [&](internal::Strings& strings) {
    return strings.FromUnits(copy);
  });
}

absl::StatusOr<Value> Objects::MakeString(absl::string_view utf8) {
  std::u16string units;
  if (!internal::DecodeUtf8(utf8, units)) {
    return absl::InvalidArgumentError("the string is not UTF-8");
  }
  return MakeString(units);
}

absl::StatusOr<std::u16string> Objects::UnitsOf(Value string) const {
  const StoreState& state = ObjectsAccess::Of(store_);
  if (state.heap == nullptr || string.low > 0xffffffff || !state.heap->IsObject(string.ref()) ||
      !state.heap->IsString(string.ref())) {
    return absl::InvalidArgumentError("not a reference to a string");
  }
  return internal::Strings(*state.heap).Units(string.ref());
}

absl::StatusOr<std::string> Objects::Utf8Of(Value string) const {
  const absl::StatusOr<std::u16string> units = UnitsOf(string);
  if (!units.ok()) return units.status();
  const std::vector<uint16_t> copy(units->begin(), units->end());
  return internal::EncodeUtf8(copy);
}

absl::StatusOr<Value> Objects::Get(Value object, uint32_t index) const {
  const auto place = internal::Find(ObjectsAccess::Of(store_), object, index);
  if (!place.ok()) return place.status();
  return internal::Read(*place);
}

absl::Status Objects::Set(Value object, uint32_t index, Value value) {
  const StoreState& state = ObjectsAccess::Of(store_);
  const auto place = internal::Find(state, object, index);
  if (!place.ok()) return place.status();
  if (!place->field->mut) return absl::InvalidArgumentError("it is immutable");
  const std::string misfit = internal::FieldMisfit(state, *place->field, value);
  if (!misfit.empty()) return absl::InvalidArgumentError(misfit);
  internal::Write(*place, value);
  if (internal::IsReference(value)) {
    uint8_t* const base = state.heap->base();
    core::value_put_ref(base, static_cast<uint32_t>(place->at - base), object.ref(), value.ref());
  }
  return absl::OkStatus();
}

absl::StatusOr<Value> Objects::Descriptor(Value object) const {
  const StoreState& state = ObjectsAccess::Of(store_);
  const auto type = internal::TypeOf(state, object);
  if (!type.ok()) return type.status();
  if (!(*type)->has_descriptor) return absl::InvalidArgumentError("the object has no descriptor");
  const core::FieldInfo& field = (*type)->fields.back();
  return internal::Read({state.heap->base() + object.ref() + field.offset, &field});
}

absl::StatusOr<uint32_t> Objects::Length(Value array) const {
  const StoreState& state = ObjectsAccess::Of(store_);
  const auto type = internal::TypeOf(state, array);
  if (!type.ok()) return type.status();
  if ((*type)->kind != core::ObjectKind::kArray) {
    return absl::InvalidArgumentError("the object is not an array");
  }
  return core::array_length(state.heap->base(), array.ref());
}

absl::StatusOr<absl::Span<uint8_t>> Objects::Bytes(Value array) {
  StoreState& state = ObjectsAccess::Of(store_);
  const absl::StatusOr<uint32_t> length = Length(array);
  if (!length.ok()) return length.status();
  const internal::HeapType& type = **internal::TypeOf(state, array);
  if (core::IsRef(type.fields[0].type)) {
    return absl::InvalidArgumentError("an array of references has no bytes");
  }
  return absl::MakeSpan(state.heap->base() + array.ref() + core::kArrayHeader,
                        size_t{*length} << type.log2);
}

void Objects::OnDropped(std::function<void(uint32_t number)> dropped) {
  StoreState& state = ObjectsAccess::Of(store_);
  internal::HostValues& values = state.host_values.Make();
  values.dropped = std::move(dropped);
  if (values.dropped == nullptr) values.watched.clear();
}

absl::Status Objects::Watch(Value host) {
  StoreState& state = ObjectsAccess::Of(store_);
  if (state.host_values->dropped == nullptr)
    return absl::FailedPreconditionError("there is no OnDropped");
  if (!internal::IsReference(host) || (host.low & core::kTagMask) != core::kHostTag) {
    return absl::InvalidArgumentError("not a value of the host");
  }
  state.host_values.Make().watched.try_emplace(NumberOfHost(host), false);
  return absl::OkStatus();
}

absl::Status Objects::Collect() {
  StoreState& state = ObjectsAccess::Of(store_);
  if (state.heap == nullptr) return absl::OkStatus();
  if (state.user.load(std::memory_order_relaxed) != nullptr) {
    return absl::FailedPreconditionError("the store is in use");
  }
  return internal::Collect(state, core::Activation{}, 0, internal::Heap::Kind::kMajor)
             ? absl::OkStatus()
             : absl::ResourceExhaustedError("no memory to collect objects");
}

uint64_t Objects::used_bytes() const {
  const StoreState& state = ObjectsAccess::Of(store_);
  return state.heap == nullptr ? 0 : state.heap->used_bytes();
}

}  // namespace fermata

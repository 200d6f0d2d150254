#include "runtime/host/js_string.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fermata/core/heap.h"
#include "fermata/js_string.h"
#include "fermata/objects.h"
#include "runtime/heap/strings.h"
#include "runtime/os/hosted_context.h"

namespace fermata {
namespace internal {
namespace {

BuiltinResult Done(uint64_t value) { return {BuiltinOutcome::kDone, Trap::kNone, 0, value}; }
BuiltinResult Trapped(Trap trap) { return {BuiltinOutcome::kTrap, trap, 0, 0}; }

// A builtin works on the strings of a heap and on its arguments.
class Builtin {
 public:
  explicit Builtin(StoreState& store) : heap_(*store.heap), strings_(heap_) {}

  BuiltinResult Cast(core::ref s) {
    const BuiltinResult checked = Check(s);
    return checked.outcome == BuiltinOutcome::kDone ? Done(s) : checked;
  }
  BuiltinResult Test(core::ref s) { return Done(strings_.Is(s)); }
  BuiltinResult Length(core::ref s) {
    const BuiltinResult checked = Check(s);
    return checked.outcome == BuiltinOutcome::kDone ? Done(strings_.Length(s)) : checked;
  }

  BuiltinResult FromCharCodeArray(core::ref array, uint32_t start, uint32_t end) {
    if (array == 0) return Trapped(Trap::kNullReference);
    if (!IsUnits(array)) return Trapped(Trap::kCastFailure);
    if (start > end || end > core::array_length(heap_.base(), array)) {
      return Trapped(Trap::kArrayOutOfBounds);
    }
    if (end - start > Strings::kMostUnits) return Trapped(Trap::kHeapExhausted);
    std::vector<uint16_t> units(end - start);
    const uint8_t* at = heap_.base() + array + core::kArrayHeader + 2 * size_t{start};
    for (uint16_t& unit : units) {
      unit = core::value_get<uint16_t>(at);
      at += 2;
    }
    return Made(strings_.FromUnits(units));
  }

  BuiltinResult IntoCharCodeArray(core::ref s, core::ref array, uint32_t start) {
    core::ref flat = 0;
    BuiltinResult result = Flat(s, flat);
    if (result.outcome != BuiltinOutcome::kDone) return result;
    if (array == 0) return Trapped(Trap::kNullReference);
    if (!IsUnits(array)) return Trapped(Trap::kCastFailure);
    const uint32_t length = strings_.Length(flat);
    if (uint64_t{start} + length > core::array_length(heap_.base(), array)) {
      return Trapped(Trap::kArrayOutOfBounds);
    }
    uint8_t* at = heap_.base() + array + core::kArrayHeader + 2 * size_t{start};
    for (uint32_t i = 0; i < length; ++i, at += 2) core::value_put(at, strings_.At(flat, i));
    return Done(length);
  }

  BuiltinResult FromCharCode(uint32_t code) {
    const uint16_t unit = static_cast<uint16_t>(code);
    return Made(strings_.FromUnits({&unit, 1}));
  }
  BuiltinResult FromCodePoint(uint32_t point) {
    if (point > 0x10ffff) return Trapped(Trap::kStringOutOfBounds);
    if (point < 0x10000) return FromCharCode(point);
    const uint16_t units[] = {static_cast<uint16_t>(0xd800 + ((point - 0x10000) >> 10)),
                              static_cast<uint16_t>(0xdc00 + (point & 0x3ff))};
    return Made(strings_.FromUnits(units));
  }

  BuiltinResult CharCodeAt(core::ref s, uint32_t index) {
    core::ref flat = 0;
    BuiltinResult result = Flat(s, flat);
    if (result.outcome != BuiltinOutcome::kDone) return result;
    if (index >= strings_.Length(flat)) return Trapped(Trap::kStringOutOfBounds);
    return Done(strings_.At(flat, index));
  }
  BuiltinResult CodePointAt(core::ref s, uint32_t index) {
    core::ref flat = 0;
    BuiltinResult result = Flat(s, flat);
    if (result.outcome != BuiltinOutcome::kDone) return result;
    const uint32_t length = strings_.Length(flat);
    if (index >= length) return Trapped(Trap::kStringOutOfBounds);
    const uint32_t first = strings_.At(flat, index);
    if ((first & 0xfc00) != 0xd800 || index + 1 == length) return Done(first);
    const uint32_t second = strings_.At(flat, index + 1);
    if ((second & 0xfc00) != 0xdc00) return Done(first);
    return Done(0x10000 + ((first & 0x3ff) << 10) + (second & 0x3ff));
  }

  BuiltinResult Concat(core::ref a, core::ref b) {
    for (core::ref s : {a, b}) {
      const BuiltinResult checked = Check(s);
      if (checked.outcome != BuiltinOutcome::kDone) return checked;
    }
    if (uint64_t{strings_.Length(a)} + strings_.Length(b) > Strings::kMostUnits) {
      return Trapped(Trap::kHeapExhausted);
    }
    return Made(strings_.Concat(a, b));
  }

  BuiltinResult Substring(core::ref s, uint32_t start, uint32_t end) {
    core::ref flat = 0;
    BuiltinResult result = Flat(s, flat);
    if (result.outcome != BuiltinOutcome::kDone) return result;
    const uint32_t length = strings_.Length(flat);
    if (start > length || start > end) return Made(strings_.FromUnits({}));
    return Made(strings_.Substring(flat, start, std::min(end, length)));
  }

  BuiltinResult Equals(core::ref a, core::ref b) {
    if (a == 0 || b == 0) {
      const core::ref other = a | b;
      if (other != 0 && !strings_.Is(other)) return Trapped(Trap::kCastFailure);
      return Done(other == 0);
    }
    core::ref first = 0, second = 0;
    BuiltinResult result = Both(a, b, first, second);
    if (result.outcome != BuiltinOutcome::kDone) return result;
    return Done(first == second || strings_.Equal(first, second));
  }
  BuiltinResult Compare(core::ref a, core::ref b) {
    core::ref first = 0, second = 0;
    BuiltinResult result = Both(a, b, first, second);
    if (result.outcome != BuiltinOutcome::kDone) return result;
    const int order = strings_.Compare(first, second);
    return Done(static_cast<uint32_t>(order < 0 ? -1 : order > 0));
  }

 private:
  BuiltinResult Check(core::ref s) const {
    if (s == 0) return Trapped(Trap::kNullReference);
    return strings_.Is(s) ? Done(0) : Trapped(Trap::kCastFailure);
  }
  BuiltinResult Made(core::ref string) const {
    if (string != 0) return Done(string);
    return {BuiltinOutcome::kNoRoom, Trap::kNone, strings_.wanted(), 0};
  }
  BuiltinResult Flat(core::ref s, core::ref& flat) {
    const BuiltinResult checked = Check(s);
    if (checked.outcome != BuiltinOutcome::kDone) return checked;
    flat = strings_.Flat(s);
    return Made(flat);
  }
  BuiltinResult Both(core::ref a, core::ref b, core::ref& first, core::ref& second) {
    const BuiltinResult checked = Check(b);
    if (checked.outcome != BuiltinOutcome::kDone) return checked;
    const BuiltinResult one = Flat(a, first);
    return one.outcome == BuiltinOutcome::kDone ? Flat(b, second) : one;
  }
  // An array of the guest's, of UTF-16 code units.
  bool IsUnits(core::ref array) const {
    if (!heap_.Holds(array)) return false;
    const HeapType& type = heap_.TypeOf(core::object_get32(heap_.base(), array, 0));
    return !type.opaque && type.kind == core::ObjectKind::kArray &&
           type.fields[0].packed_bits == 16;
  }

  Heap& heap_;
  Strings strings_;
};

// ---- The functions as imports are bound to them ----

constexpr char kOwner = 0;

// References are told from numbers by these.
struct External {
  static constexpr ValType kType = ValType::kExternRef;
};
struct Array {
  static constexpr ValType kType = ValType::kAnyRef;
};
struct Number {
  static constexpr ValType kType = ValType::kI32;
};
template <class>
using Word = uint32_t;

template <auto method, class R, class... A>
struct Thunk {
  template <size_t... i>
  static BuiltinResult Spread(StoreState& store, const uint64_t* a, std::index_sequence<i...>) {
    return (Builtin(store).*method)(static_cast<uint32_t>(a[i])...);
  }
  static BuiltinResult OnSlots(StoreState& store, const uint64_t* arguments) {
    return Spread(store, arguments, std::index_sequence_for<A...>());
  }

  static uint32_t Call(core::Instance* base, Word<A>... arguments) noexcept {
    auto* const self = static_cast<AnsweringImport*>(base);
    core::Context& context = *self->caller->context;
    RequireStack();
    auto& store = *static_cast<StoreState*>(self->caller->store->owner);
    if (store.heap == nullptr) core::RaiseTrapIn(context, Trap::kCastFailure);
    while (true) {
      const BuiltinResult result = (Builtin(store).*method)(arguments...);
      switch (result.outcome) {
        case BuiltinOutcome::kDone:
          return static_cast<uint32_t>(result.value);
        case BuiltinOutcome::kTrap:
          core::RaiseTrapIn(context, result.trap);
        case BuiltinOutcome::kNoRoom:
          break;
      }
      if (self->suspend != nullptr && !core::HasNativeFrames(store.store)) {
        using Suspend = uint32_t (*)(core::Instance*, Word<A>...);
        return reinterpret_cast<Suspend>(self->suspend)(self->caller, arguments...);
      }
      if (!store.heap->Grow(result.wanted, /*must=*/true)) {
        core::RaiseTrapIn(context, Trap::kHeapExhausted);
      }
    }
  }

  static Signature Type() { return {{A::kType...}, {R::kType}}; }
};

struct Entry {
  const char* name;
  core::AnyFunction code;
  BuiltinResult (*on_slots)(StoreState&, const uint64_t*);
  Signature (*type)();
};
template <class T>
Entry Make(const char* name) {
  return {name, reinterpret_cast<core::AnyFunction>(&T::Call), &T::OnSlots, &T::Type};
}

const std::vector<Entry>& Entries() {
  static const auto* entries = new std::vector<Entry>{
      Make<Thunk<&Builtin::Cast, External, External>>("cast"),
      Make<Thunk<&Builtin::Test, Number, External>>("test"),
      Make<Thunk<&Builtin::FromCharCodeArray, External, Array, Number, Number>>(
          "fromCharCodeArray"),
      Make<Thunk<&Builtin::IntoCharCodeArray, Number, External, Array, Number>>(
          "intoCharCodeArray"),
      Make<Thunk<&Builtin::FromCharCode, External, Number>>("fromCharCode"),
      Make<Thunk<&Builtin::FromCodePoint, External, Number>>("fromCodePoint"),
      Make<Thunk<&Builtin::CharCodeAt, Number, External, Number>>("charCodeAt"),
      Make<Thunk<&Builtin::CodePointAt, Number, External, Number>>("codePointAt"),
      Make<Thunk<&Builtin::Length, Number, External>>("length"),
      Make<Thunk<&Builtin::Concat, External, External, External>>("concat"),
      Make<Thunk<&Builtin::Substring, External, External, Number, Number>>("substring"),
      Make<Thunk<&Builtin::Equals, Number, External, External>>("equals"),
      Make<Thunk<&Builtin::Compare, Number, External, External>>("compare"),
  };
  return *entries;
}

}  // namespace

const void* JsStringOwner() { return &kOwner; }

BuiltinResult CallJsString(StoreState& store, absl::string_view name, const uint64_t* arguments) {
  for (const Entry& entry : Entries()) {
    if (name == entry.name) return entry.on_slots(store, arguments);
  }
  return Trapped(Trap::kHost);
}

}  // namespace internal

void AddJsStrings(Imports& imports) {
  for (const internal::Entry& entry : internal::Entries()) {
    Extern bound;
    bound.function.code = entry.code;
    bound.signature = entry.type();
    // What is not null: the code finds all it needs by the caller.
    bound.answering_host = const_cast<void*>(internal::JsStringOwner());
    bound.owner = internal::JsStringOwner();
    imports.Add("wasm:js-string", entry.name, std::move(bound));
  }
}

absl::Status AddStringConstants(StoreHandle& store, const ModuleInfo& module,
                                absl::string_view from, Imports& imports) {
  Objects objects(store);
  for (uint32_t i = 0; i < module.import_count; ++i) {
    const core::ImportInfo& import = module.imports[i];
    const absl::string_view name(import.name.data, import.name.size);
    if (import.kind != ExternKind::kGlobal ||
        absl::string_view(import.module.data, import.module.size) != from) {
      continue;
    }
    const core::GlobalInfo& global = module.globals[import.index];
    if (global.mut || global.type != ValType::kExternRef) continue;
    const absl::StatusOr<Value> string = objects.MakeString(name);
    if (!string.ok()) return string.status();
    absl::StatusOr<Extern> made = store.MakeGlobal(*string, /*mut=*/false);
    if (!made.ok()) return made.status();
    imports.Add(from, name, *std::move(made));
  }
  return absl::OkStatus();
}

}  // namespace fermata

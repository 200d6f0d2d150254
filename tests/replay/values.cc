#include "tests/replay/values.h"

#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace fermata::replay {
namespace {

bool IsNumeric(ValType type) { return !core::IsRef(type); }

// Whether a number is an i31 to JavaScript.
bool IsI31(const TraceValue& value) {
  return value.kind == TraceValue::kNumber && std::trunc(value.number) == value.number &&
         value.number >= -0x40000000 && value.number < 0x40000000 &&
         !(value.number == 0 && std::signbit(value.number));
}

// What a value of JavaScript is as a number; NaN if it is none.
double NumberOf(const TraceValue& value) {
  switch (value.kind) {
    case TraceValue::kNumber:
    case TraceValue::kBool:
      return value.number;
    default:
      return std::nan("");
  }
}

}  // namespace

std::string Describe(const TraceValue& value) {
  switch (value.kind) {
    case TraceValue::kNumber:
      return absl::StrFormat("%.17g", value.number);  // distinct for distinct numbers
    case TraceValue::kBigInt:
      return absl::StrCat(static_cast<int64_t>(value.bits), "n");
    case TraceValue::kNull:
      return "null";
    case TraceValue::kRef:
      return absl::StrCat("ref ", value.ref);
    case TraceValue::kString: {
      std::string bytes;
      for (char16_t unit : value.text) {
        absl::StrAppend(&bytes, unit < 0x80 ? std::string(1, static_cast<char>(unit))
                                            : absl::StrFormat("\\u%04x", static_cast<int>(unit)));
      }
      return absl::StrCat("\"", absl::CEscape(bytes), "\"");
    }
    case TraceValue::kBool:
      return value.number != 0 ? "true" : "false";
    case TraceValue::kUndefined:
      return "undefined";
    case TraceValue::kObject:
      return absl::StrCat("object ", value.ref);
    case TraceValue::kFunction:
      return absl::StrCat("function ", value.ref);
    case TraceValue::kExport:
      return absl::StrCat("export ", value.name);
  }
  return "?";
}

void ValueMap::Attach(StoreHandle* store, DynamicInstance* instance) {
  store_ = store;
  instance_ = instance;
}

void ValueMap::Restored(std::vector<Kept> kept) {
  std::map<int64_t, Kept> again;
  for (const auto& [id, old] : kept_) again[id] = std::move(kept[old.number()]);
  kept_ = std::move(again);
}

std::string ValueMap::Key(const TraceValue* value) {
  return value == nullptr ? "undefined" : replay::Describe(*value);
}

core::ref ValueMap::FunctionOf(int64_t id) const {
  const auto found = functions_.find(id);
  return found == functions_.end() ? 0 : found->second;
}

absl::StatusOr<Value> ValueMap::ToGuest(const TraceValue* value, ValType type) {
  if (IsNumeric(type)) {
    if (value != nullptr && value->kind != TraceValue::kUndefined) {
      return Value{type, NumericBits(*value, type)};
    }
    TraceValue undefined;
    if (type == ValType::kF32 || type == ValType::kF64) {
      undefined.number = std::numeric_limits<double>::quiet_NaN();
    }
    return Value{type, NumericBits(undefined, type)};
  }
  if (value != nullptr && value->kind == TraceValue::kNull) return Value{type, 0};
  if (type == ValType::kExternRef || type == ValType::kAnyRef) return Reference(value, type);
  if (type == ValType::kFuncRef) return Function(value);
  return absl::UnimplementedError("the host passes an exception");
}

absl::StatusOr<Value> ValueMap::Function(const TraceValue* value) const {
  core::ref handle = 0;
  if (value != nullptr && value->kind == TraceValue::kExport && instance_ != nullptr) {
    absl::StatusOr<Extern> found = instance_->Find(value->name);
    if (!found.ok()) return found.status();
    handle = found->function.handle;
  } else if (value != nullptr &&
             (value->kind == TraceValue::kRef || value->kind == TraceValue::kFunction)) {
    handle = FunctionOf(value->ref);
  }
  if (handle != 0) return Value::FuncRef(handle);
  return absl::UnimplementedError("the host passes a function that the guest has not shown");
}

absl::StatusOr<Value> ValueMap::Reference(const TraceValue* value, ValType type) {
  // Version 1 has one numbering for objects of the guest and those of the host.
  if (value != nullptr && (value->kind == TraceValue::kObject || value->kind == TraceValue::kRef)) {
    const auto found = kept_.find(value->ref);
    if (found != kept_.end()) return Value{type, found->second.value().low};
    if (value->kind == TraceValue::kObject) {
      return absl::FailedPreconditionError(
          absl::StrCat(replay::Describe(*value), " was never seen"));
    }
  }
  if (value != nullptr && IsI31(*value)) {
    return Value{type, Objects::I31(static_cast<int32_t>(value->number)).low};
  }
  if (value != nullptr && value->kind == TraceValue::kString && store_ != nullptr) {
    absl::StatusOr<Value> made = Objects(*store_).MakeString(value->text);
    if (!made.ok()) return made.status();
    return Value{type, made->low};
  }
  const uint32_t next = static_cast<uint32_t>(external_.size() + 1);
  const uint32_t number = external_.emplace(Key(value), next).first->second;
  return Value{type, Objects::Host(number).low};
}

bool ValueMap::Same(const Value& value, const TraceValue& expected) {
  if (IsNumeric(value.type)) {
    if (expected.kind == TraceValue::kUndefined) return value.low == 0;
    return SameNumeric(value.type, value.low, expected);
  }
  if (expected.kind == TraceValue::kNull) return value.ref() == 0;
  if (value.ref() == 0) return false;
  if (value.type == ValType::kFuncRef) return SameFunction(value, expected);
  return SameReference(value, expected);
}

bool ValueMap::SameFunction(const Value& value, const TraceValue& expected) {
  if (expected.kind == TraceValue::kExport) {
    const absl::StatusOr<Value> function = Function(&expected);
    return function.ok() && function->low == value.low;
  }
  if (expected.kind != TraceValue::kRef && expected.kind != TraceValue::kFunction) return false;
  return functions_.emplace(expected.ref, value.ref()).first->second == value.ref();
}

bool ValueMap::SameReference(const Value& value, const TraceValue& expected) {
  const bool i31 = (value.ref() & core::kI31Tag) != 0;
  if (i31) return Objects::NumberOfI31(value) == NumberOf(expected);
  if (expected.kind == TraceValue::kObject) return SameObject(value, expected.ref);
  if (expected.kind == TraceValue::kString && store_ != nullptr) {
    const absl::StatusOr<std::u16string> text = Objects(*store_).UnitsOf(value);
    if (text.ok()) return *text == expected.text;
  }
  // Each number was given out by ToGuest. Undefined is recorded as 0.
  const auto is = [&](const std::string& key) {
    const auto found = external_.find(key);
    return found != external_.end() && Objects::Host(found->second).low == value.low;
  };
  if (is(Key(&expected))) return true;
  if (expected.kind == TraceValue::kRef && external_.find(Key(&expected)) == external_.end()) {
    return SameObject(value, expected.ref);
  }
  return expected.kind == TraceValue::kNumber && expected.number == 0 && is(Key(nullptr));
}

bool ValueMap::SameObject(const Value& value, int64_t id) {
  if (store_ == nullptr) return false;
  Objects objects(*store_);
  const ObjectKind kind = objects.KindOf(value);
  if (kind != ObjectKind::kStruct && kind != ObjectKind::kArray) return false;
  const auto found = kept_.find(id);
  if (found != kept_.end()) return found->second.value().low == value.low;
  // It must be one that has no number yet.
  for (const auto& [other, kept] : kept_) {
    if (kept.value().low == value.low) return false;
  }
  kept_[id] = objects.Keep(Value::AnyRef(value.ref()));
  return true;
}

std::string ValueMap::Describe(const Value& value) const {
  switch (value.type) {
    case ValType::kI32:
      return absl::StrCat("i32 ", static_cast<int32_t>(value.i32()));
    case ValType::kI64:
      return absl::StrCat("i64 ", static_cast<int64_t>(value.i64()));
    case ValType::kF32:
      return absl::StrCat("f32 ", value.f32());
    case ValType::kF64:
      return absl::StrCat("f64 ", value.f64());
    default:
      break;
  }
  if (store_ != nullptr && core::IsRef(value.type)) {
    const absl::StatusOr<std::string> text = Objects(*store_).Utf8Of(value);
    if (text.ok()) return absl::StrCat("\"", absl::CHexEscape(*text), "\"");
    if ((value.ref() & core::kI31Tag) != 0) return absl::StrCat(Objects::NumberOfI31(value));
  }
  return absl::StrCat(core::NameOf(value.type), " ", value.ref());
}

}  // namespace fermata::replay

// Values, and the views of memories, tables and globals.
#include <bit>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "fermata/core/memory.h"
#include "runtime/host/references.h"
#include "runtime/host/state.h"

namespace fermata {
namespace internal {

std::string Misfit(const StoreState& store, absl::string_view what,
                   const std::vector<ValType>& types, absl::Span<const Value> values,
                   absl::Span<const core::RefType> refs) {
  if (values.size() != types.size()) {
    return absl::StrCat(types.size(), " ", what, types.size() == 1 ? "" : "s", " expected, not ",
                        values.size());
  }
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i].type != types[i]) return absl::StrCat(what, " ", i, " has the wrong type");
    if (values[i].type == ValType::kFuncRef && values[i].low > store.functions.size()) {
      return absl::StrCat(what, " ", i, ": no function has the handle ", values[i].low);
    }
    if (values[i].type == ValType::kExnRef && !RefExists(store, ValType::kExnRef, values[i].low)) {
      return absl::StrCat(what, " ", i, ": no exception has the handle ", values[i].low);
    }
    if (store.heap == nullptr ||
        (values[i].type != ValType::kAnyRef && values[i].type != ValType::kExternRef)) {
      continue;
    }
    if (!RefExists(store, values[i].type, values[i].low)) {
      return absl::StrCat(what, " ", i, ": there is no object ", values[i].low);
    }
    if (i < refs.size() && !RefFits(store, refs[i], values[i].type, values[i].low)) {
      return absl::StrCat(what, " ", i, " is a reference of another type");
    }
  }
  return "";
}

}  // namespace internal

Value Value::F32(float v) {
  uint32_t bits;
  std::memcpy(&bits, &v, sizeof bits);
  return {ValType::kF32, bits};
}
Value Value::F64(double v) {
  uint64_t bits;
  std::memcpy(&bits, &v, sizeof bits);
  return {ValType::kF64, bits};
}
float Value::f32() const {
  const uint32_t bits = static_cast<uint32_t>(low);
  float v;
  std::memcpy(&v, &bits, sizeof v);
  return v;
}
double Value::f64() const {
  double v;
  std::memcpy(&v, &low, sizeof v);
  return v;
}

uint64_t Memory::size() const { return internal::BytesOf(*memory_); }
uint64_t Memory::pages() const { return core::memory_pages(memory_); }

absl::Span<uint8_t> Memory::Span(uint64_t address, uint64_t size) const {
  const uint64_t bytes = this->size();
  if (size > bytes || address > bytes - size) return {};
  return absl::MakeSpan(memory_->data + address, size);
}

absl::StatusOr<uint64_t> Memory::Grow(uint64_t delta) {
  const uint64_t before = memory_->grow(memory_, delta);
  if (before == ~uint64_t{0}) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the memory can't grow from ", pages(), " pages by ", delta));
  }
  return before;
}

namespace {
absl::Status OutOfBounds(uint32_t index, uint32_t size) {
  return absl::OutOfRangeError(absl::StrCat("element ", index, " of a table of ", size));
}
}  // namespace

absl::StatusOr<Value> Table::Get(uint32_t index) const {
  if (index >= table_->size) return OutOfBounds(index, table_->size);
  return Value{table_->type, table_->type == ValType::kFuncRef ? table_->functions[index].handle
                                                               : table_->refs[index]};
}

absl::Status Table::Set(uint32_t index, Value value) {
  if (index >= table_->size) return OutOfBounds(index, table_->size);
  if (value.type != table_->type)
    return absl::InvalidArgumentError("the table has another element type");
  const core::Store& store = *store_->raw();
  const auto& state = *static_cast<const internal::StoreState*>(store.owner);
  const core::RefType& ref = static_cast<internal::TableStorage*>(table_->owner)->ref();
  const std::string misfit =
      internal::Misfit(state, "element", {value.type}, {&value, 1}, {&ref, 1});
  if (!misfit.empty()) return absl::InvalidArgumentError(misfit);
  if (table_->type != ValType::kFuncRef) {
    table_->refs[index] = value.ref();
    return absl::OkStatus();
  }
  table_->functions[index] = value.ref() == 0 ? core::Function{nullptr, nullptr, core::kNoType, 0}
                                              : store.functions[value.ref() - 1];
  return absl::OkStatus();
}

absl::StatusOr<uint32_t> Table::Grow(uint32_t delta) {
  const uint32_t before = table_->grow(table_, delta);
  if (before == ~uint32_t{0}) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the table can't grow from ", table_->size, " elements by ", delta));
  }
  return before;
}

// Where generated code has the low half of a global of 8 or 16 bytes: a vector lies in the machine's
// order of bytes.
static int LowHalf(uint32_t bytes) {
  return bytes == 16 && std::endian::native == std::endian::big ? 1 : 0;
}

Value Global::Get() const {
  Value value{type};
  const uint32_t bytes = core::FrameBytes(type);
  if (bytes == 4) {
    uint32_t bits;
    std::memcpy(&bits, storage, 4);
    value.low = bits;
    return value;
  }
  std::memcpy(&value.low, storage + LowHalf(bytes), 8);
  if (bytes == 16) std::memcpy(&value.high, storage + 1 - LowHalf(bytes), 8);
  return value;
}

void Global::Set(Value value) {
  if (value.type != type) return;
  const uint32_t bytes = core::FrameBytes(type);
  if (bytes == 4) {
    const uint32_t bits = static_cast<uint32_t>(value.low);
    std::memcpy(storage, &bits, 4);
    return;
  }
  std::memcpy(storage + LowHalf(bytes), &value.low, 8);
  if (bytes == 16) std::memcpy(storage + 1 - LowHalf(bytes), &value.high, 8);
}

}  // namespace fermata

#include "translator/wasm/type_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "include/fermata/core/objects.h"
#include "translator/wasm/limits.h"
#include "translator/wasm/subtyping.h"

namespace fermata::wasm {

void TypeReader::ReadGroup() {
  const uint32_t first = static_cast<uint32_t>(module_.types.size());
  uint32_t count = 1;
  if (in_.Peek() == 0x4e && in_.Use(Feature::kGc, in_.offset())) {
    in_.ReadByte();
    count = in_.ReadCount(kMaxItems, "types of a recursive group");
  }
  if (count > kMaxItems - first) return in_.Fail(in_.offset(), "too many types");
  in_.set_type_count(first + count);
  offsets_.clear();
  for (uint32_t i = 0; i < count && in_.ok(); ++i) {
    ReadSubType();
    if (!in_.ok()) return;
    module_.type_defs.back().group = first;
    module_.type_defs.back().group_size = count;
  }
  if (!in_.ok() || count == 0) return;
  keys_.AddGroup(module_, first);
  for (uint32_t i = 0; i < count && in_.ok(); ++i) CheckSupertype(offsets_[i], first + i);
}

void TypeReader::ReadSubType() {
  const uint32_t start = in_.offset();
  offsets_.push_back(start);
  module_.types.emplace_back();
  TypeDef& def = module_.type_defs.emplace_back();
  uint8_t form = in_.ReadByte();
  if ((form == 0x4f || form == 0x50) && in_.Use(Feature::kGc, start)) {
    def.final = form == 0x4f;
    const uint32_t count = in_.ReadCount(1, "supertypes");
    if (count == 1) {
      def.supertype = in_.ReadU32();
      if (in_.ok() && def.supertype >= module_.types.size() - 1) {
        return in_.Fail(start, absl::StrCat("unknown type ", def.supertype));
      }
    }
    form = in_.ReadByte();
  }
  ReadComposite(start, form);
}

void TypeReader::ReadComposite(uint32_t start, uint8_t form) {
  TypeDef& def = module_.type_defs.back();
  FuncType& type = module_.types.back();
  switch (form) {
    case 0x60:
      type.params = ReadValTypes(kMaxParams, "parameters");
      type.results = ReadValTypes(kMaxResults, "results");
      if (type.results.size() > 1 && !in_.Use(Feature::kMultiValue, start)) {
        in_.Fail(start, absl::StrCat("invalid result arity: ", type.results.size(), " results"));
      }
      return;
    case 0x5f: {
      if (!in_.Use(Feature::kGc, start)) break;
      def.kind = TypeDef::kStruct;
      const uint32_t count = in_.ReadCount(kMaxFields, "fields");
      for (uint32_t i = 0; i < count && in_.ok(); ++i) def.fields.push_back(ReadField());
      return LayOut(def);
    }
    case 0x5e:
      if (!in_.Use(Feature::kGc, start)) break;
      def.kind = TypeDef::kArray;
      def.fields.push_back(ReadField());
      return LayOut(def);
    case 0x5d:
      return in_.FailFor(start, "a continuation type", Feature::kStackSwitching);
    case 0x4c:
    case 0x4d:
      return in_.FailFor(start, "a descriptor type", Feature::kCustomDescriptors);
    case 0x65:
      return in_.FailFor(start, "a shared type", Feature::kSharedEverythingThreads);
    default:
      break;
  }
  in_.Fail(start, form & 0x80 ? "integer representation too long"
                              : absl::StrFormat("malformed definition type 0x%x", form));
}

Field TypeReader::ReadField() {
  Field field;
  const uint8_t byte = in_.Peek();
  if (byte == 0x78 || byte == 0x77) {
    in_.ReadByte();
    field.packed_bits = byte == 0x78 ? 8 : 16;
    field.type = ValType::kI32;
  } else {
    field.type = in_.ReadValType();
  }
  const uint32_t start = in_.offset();
  const uint8_t mut = in_.ReadByte();
  if (mut > 1) in_.Fail(start, absl::StrFormat("malformed mutability 0x%x", mut));
  field.mut = mut == 1;
  return field;
}

// Behind the header, in order, so that a subtype's objects begin as those of its supertypes. Nothing
// is aligned to more than 4 bytes.
void TypeReader::LayOut(TypeDef& def) {
  module_.has_object_types = true;
  uint32_t at = def.kind == TypeDef::kStruct ? core::kStructHeader : core::kArrayHeader;
  for (Field& field : def.fields) {
    const uint32_t size = 1u << field.SizeLog2();
    const uint32_t align = std::min<uint32_t>(size, core::kObjectAlignment);
    field.offset = (at + align - 1) & ~(align - 1);
    if (def.kind == TypeDef::kStruct) at = field.offset + size;
  }
  def.bytes = (at + core::kObjectAlignment - 1) & ~(core::kObjectAlignment - 1);
}

std::vector<ValType> TypeReader::ReadValTypes(uint32_t limit, absl::string_view what) {
  const uint32_t count = in_.ReadCount(limit, what);
  std::vector<ValType> types;
  types.reserve(count);
  for (uint32_t i = 0; i < count && in_.ok(); ++i) types.push_back(in_.ReadValType());
  return types;
}

void TypeReader::CheckSupertype(uint32_t offset, uint32_t index) {
  const uint32_t super = module_.type_defs[index].supertype;
  if (super == kNoSupertype) return;
  uint32_t depth = 0;  // those of the supertypes were checked before
  for (uint32_t i = super; i != kNoSupertype; i = module_.type_defs[i].supertype) ++depth;
  module_.type_defs[index].depth = depth;
  if (depth > kMaxSubtypeDepth) {
    return in_.Fail(offset, absl::StrCat("too many supertypes: ", depth, " (the limit is ",
                                         kMaxSubtypeDepth, ")"));
  }
  if (module_.type_defs[super].final || !FitsSupertype(index, super)) {
    in_.Fail(offset, absl::StrCat("sub type ", index, " does not match super type ", super));
  }
}

bool TypeReader::FitsSupertype(uint32_t index, uint32_t super) const {
  const auto fits = [&](const std::vector<ValType>& sub, const std::vector<ValType>& of) {
    if (sub.size() != of.size()) return false;
    for (size_t i = 0; i < sub.size(); ++i) {
      if (!IsSubtype(module_, sub[i], of[i])) return false;
    }
    return true;
  };
  const TypeDef& a = module_.type_defs[index];
  const TypeDef& b = module_.type_defs[super];
  if (a.kind != b.kind || a.fields.size() < b.fields.size()) return false;
  if (a.kind == TypeDef::kFunc) {
    return fits(module_.types[super].params, module_.types[index].params) &&
           fits(module_.types[index].results, module_.types[super].results);
  }
  for (size_t i = 0; i < b.fields.size(); ++i) {
    const Field& x = a.fields[i];
    const Field& y = b.fields[i];
    if (x.mut != y.mut || x.packed_bits != y.packed_bits) return false;
    if (!IsSubtype(module_, x.type, y.type) || (x.mut && !IsSubtype(module_, y.type, x.type))) {
      return false;
    }
  }
  return true;
}

}  // namespace fermata::wasm

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
  for (uint32_t i = 0; i < count && in_.ok(); ++i) CheckDescriptors(offsets_[i], first + i, first);
  if (!in_.ok()) return;
  for (uint32_t i = first; i < first + count; ++i) LayOut(module_.type_defs[i]);
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
  if (form == 0x4c && in_.Use(Feature::kCustomDescriptors, start)) {
    def.describes = in_.ReadU32();
    form = in_.ReadByte();
  }
  if (form == 0x4d && in_.Use(Feature::kCustomDescriptors, start)) {
    def.descriptor = in_.ReadU32();
    form = in_.ReadByte();
  }
  ReadComposite(start, form);
}

// What a type describes and its descriptor name each other, are of one group, the descriptor after
// what it describes, and both are structs.
void TypeReader::CheckDescriptors(uint32_t offset, uint32_t index, uint32_t first) {
  const TypeDef& def = module_.type_defs[index];
  const auto in_group = [&](uint32_t type) {
    return type >= first && type < module_.type_defs.size();
  };
  if (def.describes != kNoDescriptor) {
    if (!in_group(def.describes)) {
      return in_.Fail(offset, "described type is outside rec group");
    }
    if (module_.type_defs[def.describes].descriptor != index) {
      return in_.Fail(offset, "described type is not described by descriptor");
    }
    if (def.describes >= index) return in_.Fail(offset, "forward use of described type");
  }
  if (def.has_descriptor()) {
    if (!in_group(def.descriptor)) {
      return in_.Fail(offset, "descriptor type is outside rec group");
    }
    if (module_.type_defs[def.descriptor].describes != index) {
      return in_.Fail(offset, "type is not described by its descriptor");
    }
  }
  if (def.kind == TypeDef::kStruct) return;
  if (def.has_descriptor()) return in_.Fail(offset, "descriptor type must be a struct");
  if (def.describes != kNoDescriptor) in_.Fail(offset, "described type must be a struct");
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
      return;
    }
    case 0x5e:
      if (!in_.Use(Feature::kGc, start)) break;
      def.kind = TypeDef::kArray;
      def.fields.push_back(ReadField());
      return;
    case 0x5d:
      return in_.FailFor(start, "a continuation type", Feature::kStackSwitching);
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
// is aligned to more than 4 bytes. The reference to a descriptor lies before the fields that the
// first supertype with a descriptor does not have from its own supertype.
void TypeReader::LayOut(TypeDef& def) {
  if (def.kind == TypeDef::kFunc) return;
  module_.has_object_types = true;
  if (def.supertype != kNoSupertype && def.has_descriptor()) {
    const TypeDef& super = module_.type_defs[def.supertype];
    def.descriptor_field = super.has_descriptor() ? super.descriptor_field
                                                  : static_cast<uint32_t>(super.fields.size());
  }
  uint32_t at = def.kind == TypeDef::kStruct ? core::kStructHeader : core::kArrayHeader;
  const auto place = [&at](uint32_t size) {
    const uint32_t align = std::min<uint32_t>(size, core::kObjectAlignment);
    const uint32_t offset = (at + align - 1) & ~(align - 1);
    at = offset + size;
    return offset;
  };
  for (size_t i = 0; i < def.fields.size(); ++i) {
    if (def.has_descriptor() && i == def.descriptor_field) def.descriptor_offset = place(4);
    def.fields[i].offset = place(1u << def.fields[i].SizeLog2());
  }
  if (def.has_descriptor() && def.descriptor_offset == 0) def.descriptor_offset = place(4);
  if (def.kind == TypeDef::kArray) at = def.fields[0].offset;
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
    return in_.Fail(offset, absl::StrCat("sub type ", index, " does not match super type ", super));
  }
  CheckDescriptorsOfSupertype(offset, index);
}

void TypeReader::CheckDescriptorsOfSupertype(uint32_t offset, uint32_t index) {
  const TypeDef& def = module_.type_defs[index];
  const TypeDef& super = module_.type_defs[def.supertype];
  const auto fits = [&](const char* what, uint32_t type, uint32_t of_super) {
    if (type == kNoDescriptor || of_super == kNoDescriptor) return;
    if (IsDeclaredSubtype(module_, type, of_super)) return;
    in_.Fail(offset, absl::StrCat(what, " type ", type, " does not match ", of_super));
  };
  // A supertype may do without a descriptor.
  if ((def.describes == kNoDescriptor) != (super.describes == kNoDescriptor) ||
      (super.has_descriptor() && !def.has_descriptor())) {
    return in_.Fail(offset,
                    absl::StrCat("sub type ", index, " does not match super type ", def.supertype));
  }
  fits("described", def.describes, super.describes);
  if (in_.ok()) fits("descriptor", def.descriptor, super.descriptor);
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

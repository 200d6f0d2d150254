#include "translator/validate/gc_instructions.h"

#include "absl/strings/str_format.h"
#include "translator/wasm/limits.h"
#include "translator/wasm/subtyping.h"

namespace fermata::validate {

using wasm::TypeDef;

bool GcInstructions::Read(const OpcodeInfo& info) {
  switch (info.immediate) {
    case Immediate::kNone:
      return WithoutImmediate(info.opcode);
    case Immediate::kStruct:
      return info.opcode == Opcode::kRefGetDesc ? GetDescriptor() : StructNew(info.opcode), true;
    case Immediate::kStructField:
      return StructAccess(info.opcode), true;
    case Immediate::kArray:
      return Array(info.opcode), true;
    case Immediate::kArrayCount:
      return ArrayNewFixed(), true;
    case Immediate::kArrayData:
      return ArrayData(info.opcode), true;
    case Immediate::kArrayElement:
      return ArrayElement(info.opcode), true;
    case Immediate::kArrayArray:
      return ArrayCopy(), true;
    case Immediate::kCastType:
      return Cast(info.opcode), true;
    case Immediate::kCastBranch:
      return CastBranch(info.opcode), true;
    default:
      return false;
  }
}

bool GcInstructions::WithoutImmediate(Opcode op) {
  switch (op) {
    case Opcode::kArrayLen:
      return ArrayLen(), true;
    case Opcode::kAnyConvertExtern:
      Convert(ValType::kExternRef, ValType::kAnyRef);
      if (c_.Sending()) c_.sink.AnyConvertExtern();
      return true;
    case Opcode::kExternConvertAny:
      Convert(ValType::kAnyRef, ValType::kExternRef);
      if (c_.Sending()) c_.sink.ExternConvertAny();
      return true;
    case Opcode::kRefI31:
      c_.types.Pop(ValType::kI32);
      c_.types.Push(ValType(ValType::kI31Ref).With(/*nullable=*/false));
      if (c_.Sending()) c_.sink.RefI31();
      return true;
    case Opcode::kI31GetS:
    case Opcode::kI31GetU:
      return I31Get(op), true;
    default:
      return false;
  }
}

bool GcInstructions::KnownType(uint32_t type, Kind kind) {
  if (!c_.Known(type, c_.module.types.size(), "type")) return false;
  if (c_.module.type_defs[type].kind == kind) return true;
  c_.types.Fail(absl::StrCat("type mismatch: type ", type, " is not ",
                             kind == TypeDef::kStruct ? "a struct" : "an array", " type"));
  return false;
}

bool GcInstructions::Mutable(const wasm::Field& field) {
  if (field.mut) return true;
  c_.types.Fail("immutable field or array");
  return false;
}

const char* NeedsDescriptor(bool with_descriptor) {
  return with_descriptor ? "type without descriptor requires non-descriptor allocation"
                         : "type with descriptor requires descriptor allocation";
}

bool GcInstructions::ExtendsAsNeeded(Opcode op, Opcode plain, const wasm::Field& field) {
  if ((op == plain) == (field.packed_bits == 0)) return true;
  c_.types.Fail(field.packed_bits == 0 ? "type mismatch: the field is not packed"
                                       : "type mismatch: the field is packed");
  return false;
}

bool GcInstructions::HasBytes(const wasm::Field& field) {
  if (!field.type.is_ref()) return true;
  c_.types.Fail("type mismatch: array type is not numeric or vector");
  return false;
}

bool GcInstructions::FitsElement(const wasm::Field& field, ValType type) {
  if (field.packed_bits == 0 && wasm::IsSubtype(c_.module, type, field.type)) return true;
  c_.types.Fail(absl::StrCat("type mismatch: elements of type ", Name(type), " for an array of ",
                             Name(field.type)));
  return false;
}

void GcInstructions::StructNew(Opcode op) {
  const uint32_t type = c_.in.ReadU32();
  if (!KnownType(type, TypeDef::kStruct)) return;
  const TypeDef& def = c_.module.type_defs[type];
  const std::vector<wasm::Field>& fields = def.fields;
  const bool defaults = op == Opcode::kStructNewDefault || op == Opcode::kStructNewDefaultDesc;
  const bool with_descriptor = op == Opcode::kStructNewDesc || op == Opcode::kStructNewDefaultDesc;
  if (with_descriptor != def.has_descriptor()) {
    return c_.types.Fail(NeedsDescriptor(with_descriptor));
  }
  if (with_descriptor) {
    c_.types.Pop(ValType::Ref(def.descriptor, /*nullable=*/true, /*exact=*/true));
  }
  for (size_t i = fields.size(); i-- > 0;) {
    if (!defaults) {
      c_.types.Pop(fields[i].type);
    } else if (!fields[i].type.is_defaultable()) {
      return c_.types.Fail(absl::StrCat("type mismatch: field ", i, " has no default value"));
    }
  }
  c_.types.Push(ValType::Ref(type, /*nullable=*/false, /*exact=*/true));
  if (c_.Sending()) c_.sink.StructNew(type, defaults);
}

void GcInstructions::StructAccess(Opcode op) {
  const uint32_t type = c_.in.ReadU32();
  const uint32_t index = c_.in.ReadU32();
  if (!KnownType(type, TypeDef::kStruct) ||
      !c_.Known(index, c_.module.type_defs[type].fields.size(), "field")) {
    return;
  }
  const wasm::Field& field = c_.module.type_defs[type].fields[index];
  const ValType reference = ValType::Ref(type, /*nullable=*/true);
  if (op == Opcode::kStructSet) {
    if (!Mutable(field)) return;
    c_.types.Pop(field.type);
    const ValType from = c_.types.PopAs(reference);
    if (c_.Sending()) c_.sink.StructSet(type, index, from);
    return;
  }
  if (!ExtendsAsNeeded(op, Opcode::kStructGet, field)) return;
  const ValType from = c_.types.PopAs(reference);
  c_.types.Push(field.type);
  if (c_.Sending()) c_.sink.StructGet(op, type, index, from);
}

void GcInstructions::Array(Opcode op) {
  const uint32_t type = c_.in.ReadU32();
  if (!KnownType(type, TypeDef::kArray)) return;
  const wasm::Field& element = Element(type);
  switch (op) {
    case Opcode::kArrayNew:
    case Opcode::kArrayNewDefault:
      return ArrayNew(op, type);
    case Opcode::kArrayGet:
    case Opcode::kArrayGetS:
    case Opcode::kArrayGetU:
      return ArrayGet(op, type);
    case Opcode::kArraySet:
      return ArraySet(type);
    case Opcode::kArrayFill:
      if (!Mutable(element)) return;
      c_.types.Pop(ValType::kI32);
      c_.types.Pop(element.type);
      c_.types.Pop(ValType::kI32);
      c_.types.Pop(ValType::Ref(type, /*nullable=*/true));
      if (c_.Sending()) c_.sink.ArrayFill(type);
      return;
    default:
      c_.FailForUnknown(op);
  }
}

void GcInstructions::ArraySet(uint32_t type) {
  if (!Mutable(Element(type))) return;
  c_.types.Pop(Element(type).type);
  c_.types.Pop(ValType::kI32);
  const ValType from = c_.types.PopAs(ValType::Ref(type, /*nullable=*/true));
  if (c_.Sending()) c_.sink.ArraySet(type, from);
}

void GcInstructions::ArrayLen() {
  const ValType from = c_.types.PopAs(ValType::kArrayRef);
  c_.types.Push(ValType::kI32);
  if (c_.Sending()) c_.sink.ArrayLen(from);
}

void GcInstructions::I31Get(Opcode op) {
  const ValType from = c_.types.PopAs(ValType::kI31Ref);
  c_.types.Push(ValType::kI32);
  if (c_.Sending()) c_.sink.I31Get(op, from);
}

void GcInstructions::ArrayNew(Opcode op, uint32_t type) {
  const bool defaults = op == Opcode::kArrayNewDefault;
  c_.types.Pop(ValType::kI32);
  if (!defaults) {
    c_.types.Pop(Element(type).type);
  } else if (!Element(type).type.is_defaultable()) {
    return c_.types.Fail("type mismatch: the elements have no default value");
  }
  c_.types.Push(ValType::Ref(type, /*nullable=*/false, /*exact=*/true));
  if (c_.Sending()) c_.sink.ArrayNew(type, defaults);
}

void GcInstructions::ArrayGet(Opcode op, uint32_t type) {
  if (!ExtendsAsNeeded(op, Opcode::kArrayGet, Element(type))) return;
  c_.types.Pop(ValType::kI32);
  const ValType from = c_.types.PopAs(ValType::Ref(type, /*nullable=*/true));
  c_.types.Push(Element(type).type);
  if (c_.Sending()) c_.sink.ArrayGet(op, type, from);
}

void GcInstructions::ArrayNewFixed() {
  const uint32_t type = c_.in.ReadU32();
  const uint32_t count = c_.in.ReadU32();
  if (!KnownType(type, TypeDef::kArray)) return;
  if (count > wasm::kMaxFixedArray) {
    return c_.types.Fail(
        absl::StrCat("too many elements: ", count, " (the limit is ", wasm::kMaxFixedArray, ")"));
  }
  for (uint32_t i = 0; i < count; ++i) c_.types.Pop(Element(type).type);
  c_.types.Push(ValType::Ref(type, /*nullable=*/false, /*exact=*/true));
  if (c_.Sending()) c_.sink.ArrayNewFixed(type, count);
}

void GcInstructions::ArrayData(Opcode op) {
  const uint32_t type = c_.in.ReadU32();
  const uint32_t data = c_.in.ReadU32();
  if (!KnownType(type, TypeDef::kArray) || !c_.KnownData(data)) return;
  const bool fills = op == Opcode::kArrayInitData;
  if ((fills && !Mutable(Element(type))) || !HasBytes(Element(type))) return;
  c_.types.Pop(ValType::kI32);
  c_.types.Pop(ValType::kI32);
  if (fills) {
    c_.types.Pop(ValType::kI32);
    c_.types.Pop(ValType::Ref(type, /*nullable=*/true));
    if (c_.Sending()) c_.sink.ArrayInitData(type, data);
    return;
  }
  c_.types.Push(ValType::Ref(type, /*nullable=*/false, /*exact=*/true));
  if (c_.Sending()) c_.sink.ArrayNewData(type, data);
}

void GcInstructions::ArrayElement(Opcode op) {
  const uint32_t type = c_.in.ReadU32();
  const uint32_t element = c_.in.ReadU32();
  if (!KnownType(type, TypeDef::kArray) || !c_.KnownElement(element)) return;
  const bool fills = op == Opcode::kArrayInitElem;
  if ((fills && !Mutable(Element(type))) ||
      !FitsElement(Element(type), c_.module.elements[element].type)) {
    return;
  }
  c_.types.Pop(ValType::kI32);
  c_.types.Pop(ValType::kI32);
  if (fills) {
    c_.types.Pop(ValType::kI32);
    c_.types.Pop(ValType::Ref(type, /*nullable=*/true));
    if (c_.Sending()) c_.sink.ArrayInitElem(type, element);
    return;
  }
  c_.types.Push(ValType::Ref(type, /*nullable=*/false, /*exact=*/true));
  if (c_.Sending()) c_.sink.ArrayNewElem(type, element);
}

void GcInstructions::ArrayCopy() {
  const uint32_t to = c_.in.ReadU32();
  const uint32_t from = c_.in.ReadU32();
  if (!KnownType(to, TypeDef::kArray) || !KnownType(from, TypeDef::kArray)) return;
  if (!Mutable(Element(to))) return;
  const wasm::Field& source = Element(from);
  if (source.packed_bits != Element(to).packed_bits) {
    return c_.types.Fail("array types do not match: the elements have different sizes");
  }
  if (!wasm::IsSubtype(c_.module, source.type, Element(to).type)) {
    return c_.types.Fail(absl::StrCat("array types do not match: ", Name(source.type),
                                      " for elements of type ", Name(Element(to).type)));
  }
  c_.types.Pop(ValType::kI32);
  c_.types.Pop(ValType::kI32);
  c_.types.Pop(ValType::Ref(from, /*nullable=*/true));
  c_.types.Pop(ValType::kI32);
  c_.types.Pop(ValType::Ref(to, /*nullable=*/true));
  if (c_.Sending()) c_.sink.ArrayCopy(to, from);
}

// The descriptor of what is exactly of a type is, too.
void GcInstructions::GetDescriptor() {
  const uint32_t type = c_.in.ReadU32();
  if (!c_.Known(type, c_.module.types.size(), "type")) return;
  const TypeDef& def = c_.module.type_defs[type];
  if (!def.has_descriptor()) {
    return c_.types.Fail(absl::StrCat("type without descriptor ", type));
  }
  const ValType exact = ValType::Ref(type, /*nullable=*/true, /*exact=*/true);
  const ValType wanted = ValType::Ref(type, /*nullable=*/true);
  const ValType found = c_.PopRef();
  if (found != ValType::kBottom && !wasm::IsSubtype(c_.module, found, wanted)) {
    return c_.types.Fail(
        absl::StrCat("type mismatch: expected ", Name(wanted), ", found ", Name(found)));
  }
  const bool is_exact = found == ValType::kBottom || wasm::IsSubtype(c_.module, found, exact);
  c_.types.Push(ValType::Ref(def.descriptor, /*nullable=*/false, is_exact));
  if (c_.Sending()) c_.sink.RefGetDesc(type, found);
}

// Pops the descriptor that a cast to `type` compares with.
bool GcInstructions::PopDescriptor(ValType type) {
  const bool typed = type.kind() == ValType::kTypedRef;
  if (!typed || !c_.module.type_defs[type.type_index()].has_descriptor()) {
    c_.types.Fail(absl::StrCat("type ", typed ? absl::StrCat(type.type_index()) : Name(type),
                               " does not have a descriptor"));
    return false;
  }
  const uint32_t descriptor = c_.module.type_defs[type.type_index()].descriptor;
  c_.types.Pop(ValType::Ref(descriptor, /*nullable=*/true, type.exact()));
  return true;
}

void GcInstructions::Cast(Opcode op) {
  const bool nullable =
      op == Opcode::kRefTestNull || op == Opcode::kRefCastNull || op == Opcode::kRefCastDescEqNull;
  const ValType type = c_.in.ReadHeapType().With(nullable);
  if (!c_.in.ok()) return;
  const bool described = op == Opcode::kRefCastDescEq || op == Opcode::kRefCastDescEqNull;
  if (described && !PopDescriptor(type)) return;
  const ValType from = c_.types.PopAs(wasm::RepOf(c_.module, type));
  if (op == Opcode::kRefTest || op == Opcode::kRefTestNull) {
    c_.types.Push(ValType::kI32);
    if (c_.Sending()) c_.sink.RefTest(type, from);
    return;
  }
  c_.types.Push(type);
  if (!c_.Sending()) return;
  described ? c_.sink.RefCastDesc(type, from) : c_.sink.RefCast(type, from);
}

void GcInstructions::CastBranch(Opcode op) {
  const uint32_t start = c_.in.offset();
  const uint8_t flags = c_.in.ReadByte();
  if (flags > 3) c_.in.Fail(start, absl::StrFormat("malformed br_on_cast flags 0x%x", flags));
  const uint32_t depth = c_.in.ReadU32();
  const ValType from = c_.in.ReadHeapType().With((flags & 1) != 0);
  const ValType to = c_.in.ReadHeapType().With((flags & 2) != 0);
  if (!c_.Known(depth, c_.types.depth(), "label") || !CanBecome(from, to)) return;
  const bool described = op == Opcode::kBrOnCastDescEq || op == Opcode::kBrOnCastDescEqFail;
  // What is left of `from` where the cast fails.
  const ValType rest = to.nullable() ? from.With(/*nullable=*/false) : from;
  const bool fails = op == Opcode::kBrOnCastFail || op == Opcode::kBrOnCastDescEqFail;
  const absl::Span<const ValType> label = c_.types.frame(depth).label();
  if (label.empty() || !wasm::IsSubtype(c_.module, fails ? rest : to, label.back())) {
    return c_.types.Fail("type mismatch: the label does not take the reference");
  }
  if (described && !PopDescriptor(to)) return;
  const ValType found = c_.types.PopAs(from);
  c_.types.Push(fails ? rest : to);
  c_.types.PopList(label);
  c_.types.PushList(label);
  c_.types.PopAny();
  c_.types.Push(fails ? to : rest);
  if (!c_.Sending()) return;
  described ? c_.sink.BrOnCastDesc(depth, to, found, fails)
            : c_.sink.BrOnCast(depth, to, found, fails);
}

// A cast to a type that is no subtype came with custom descriptors.
bool GcInstructions::CanBecome(ValType from, ValType to) {
  if (!c_.in.ok() || wasm::IsSubtype(c_.module, to, from)) return c_.in.ok();
  if (wasm::RepOf(c_.module, from) == wasm::RepOf(c_.module, to) &&
      c_.in.Use(wasm::Feature::kCustomDescriptors, c_.offset)) {
    return true;
  }
  c_.types.Fail(absl::StrCat("type mismatch: a cast from ", Name(from), " to ", Name(to),
                             ", which is no subtype of it"));
  return false;
}

// The result may be null if the operand may.
void GcInstructions::Convert(ValType::Kind from, ValType::Kind to) {
  const ValType found = c_.PopRef();
  if (found != ValType::kBottom && !wasm::IsSubtype(c_.module, found, from)) {
    return c_.types.Fail(
        absl::StrCat("type mismatch: expected ", Name(from), ", found ", Name(found)));
  }
  const bool nullable = found != ValType::kBottom && found.nullable();
  c_.types.Push(ValType(to).With(nullable));
}

}  // namespace fermata::validate

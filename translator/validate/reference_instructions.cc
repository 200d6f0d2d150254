#include "translator/validate/reference_instructions.h"

#include "translator/wasm/subtyping.h"

namespace fermata::validate {

bool ReferenceInstructions::Read(const OpcodeInfo& info) {
  switch (info.immediate) {
    case Immediate::kHeapType:
      return RefNull(), true;
    case Immediate::kTable:
      return TableOperation(info.opcode), true;
    case Immediate::kElementTable:
      return TableInit(), true;
    case Immediate::kTableTable:
      return TableCopy(), true;
    case Immediate::kElement:
      return ElemDrop(), true;
    default:
      return WithoutImmediate(info.opcode);
  }
}

bool ReferenceInstructions::WithoutImmediate(Opcode op) {
  switch (op) {
    case Opcode::kRefIsNull:
      return RefIsNull(), true;
    case Opcode::kRefAsNonNull:
      return RefAsNonNull(), true;
    case Opcode::kRefEq:
      return RefEq(), true;
    case Opcode::kRefFunc:
      return RefFunc(), true;
    default:
      return false;
  }
}

bool ReferenceInstructions::Fits(ValType to, ValType from) {
  if (wasm::IsSubtype(c_.module, from, to)) return true;
  c_.types.Fail(
      absl::StrCat("type mismatch: elements of type ", Name(from), " for a table of ", Name(to)));
  return false;
}

void ReferenceInstructions::TableOperation(Opcode op) {
  const uint32_t table = c_.in.ReadU32();
  if (!c_.KnownTable(table)) return;
  const ValType element = c_.module.tables[table].type.element;
  const ValType index = c_.IndexOf(table);
  switch (op) {
    case Opcode::kTableGet:
      c_.types.Pop(index);
      c_.types.Push(element);
      if (c_.Sending()) c_.sink.TableGet(table);
      return;
    case Opcode::kTableSet:
      c_.types.Pop(element);
      c_.types.Pop(index);
      if (c_.Sending()) c_.sink.TableSet(table);
      return;
    case Opcode::kTableSize:
      c_.types.Push(index);
      if (c_.Sending()) c_.sink.TableSize(table);
      return;
    case Opcode::kTableGrow:
      c_.types.Pop(index);
      c_.types.Pop(element);
      c_.types.Push(index);
      if (c_.Sending()) c_.sink.TableGrow(table);
      return;
    case Opcode::kTableFill:
      c_.types.Pop(index);
      c_.types.Pop(element);
      c_.types.Pop(index);
      if (c_.Sending()) c_.sink.TableFill(table);
      return;
    default:
      c_.FailForUnknown(op);
  }
}

void ReferenceInstructions::TableInit() {
  const uint32_t element = c_.in.ReadU32();
  const uint32_t table = c_.in.ReadU32();
  if (!c_.KnownTable(table) || !c_.KnownElement(element) ||
      !Fits(c_.module.tables[table].type.element, c_.module.elements[element].type)) {
    return;
  }
  c_.types.Pop(ValType::kI32);
  c_.types.Pop(ValType::kI32);
  c_.types.Pop(c_.IndexOf(table));
  if (c_.Sending()) c_.sink.TableInit(element, table);
}

void ReferenceInstructions::TableCopy() {
  const uint32_t to = c_.in.ReadU32();
  const uint32_t from = c_.in.ReadU32();
  if (!c_.KnownTable(to) || !c_.KnownTable(from) ||
      !Fits(c_.module.tables[to].type.element, c_.module.tables[from].type.element)) {
    return;
  }
  const bool both64 = c_.IndexOf(to) == ValType::kI64 && c_.IndexOf(from) == ValType::kI64;
  c_.types.Pop(both64 ? ValType::kI64 : ValType::kI32);
  c_.types.Pop(c_.IndexOf(from));
  c_.types.Pop(c_.IndexOf(to));
  if (c_.Sending()) c_.sink.TableCopy(to, from);
}

void ReferenceInstructions::ElemDrop() {
  const uint32_t element = c_.in.ReadU32();
  if (c_.KnownElement(element) && c_.Sending()) c_.sink.ElemDrop(element);
}

void ReferenceInstructions::RefNull() {
  const ValType type = c_.in.ReadHeapType();
  c_.types.Push(type);
  if (c_.Sending()) c_.sink.RefNull(type);
}

void ReferenceInstructions::RefIsNull() {
  c_.PopRef();
  c_.types.Push(ValType::kI32);
  if (c_.Sending()) c_.sink.RefIsNull();
}

void ReferenceInstructions::RefAsNonNull() {
  const ValType type = c_.PopRef();
  c_.types.Push(type == ValType::kBottom ? type : type.With(/*nullable=*/false));
  if (c_.Sending()) c_.sink.RefAsNonNull();
}

void ReferenceInstructions::RefEq() {
  c_.types.Pop(ValType::kEqRef);
  c_.types.Pop(ValType::kEqRef);
  c_.types.Push(ValType::kI32);
  if (c_.Sending()) c_.sink.RefEq();
}

void ReferenceInstructions::RefFunc() {
  const uint32_t function = c_.in.ReadU32();
  if (!c_.Known(function, c_.module.functions.size(), "function")) return;
  if (!c_.module.declared_functions[function]) {
    return c_.types.Fail(absl::StrCat("undeclared function reference ", function));
  }
  c_.types.Push(c_.in.Has(wasm::Feature::kFunctionReferences) ? c_.module.RefTypeOf(function)
                                                              : ValType(ValType::kFuncRef));
  if (c_.Sending()) c_.sink.RefFunc(function);
}

}  // namespace fermata::validate

#include "translator/validate/reference_instructions.h"

#include "translator/wasm/subtyping.h"

namespace fermata::validate {

bool ReferenceInstructions::Fits(ValType to, ValType from) {
  if (wasm::IsSubtype(module_, from, to)) return true;
  types_.Fail(
      absl::StrCat("type mismatch: elements of type ", Name(from), " for a table of ", Name(to)));
  return false;
}

ValType ReferenceInstructions::PopRef() {
  const ValType type = types_.PopAny();
  if (type.is_ref() || type == ValType::kBottom) return type;
  types_.Fail(absl::StrCat("type mismatch: expected a reference, found ", Name(type)));
  return ValType();
}

void ReferenceInstructions::TableOperation(Opcode op) {
  const uint32_t table = in_.ReadU32();
  if (!KnownTable(table)) return;
  const ValType element = module_.tables[table].type.element;
  const ValType index = IndexOf(table);
  switch (op) {
    case Opcode::kTableGet:
      types_.Pop(index);
      types_.Push(element);
      if (Sending()) sink_.TableGet(table);
      return;
    case Opcode::kTableSet:
      types_.Pop(element);
      types_.Pop(index);
      if (Sending()) sink_.TableSet(table);
      return;
    case Opcode::kTableSize:
      types_.Push(index);
      if (Sending()) sink_.TableSize(table);
      return;
    case Opcode::kTableGrow:
      types_.Pop(index);
      types_.Pop(element);
      types_.Push(index);
      if (Sending()) sink_.TableGrow(table);
      return;
    default:  // table.fill
      types_.Pop(index);
      types_.Pop(element);
      types_.Pop(index);
      if (Sending()) sink_.TableFill(table);
      return;
  }
}

void ReferenceInstructions::TableInit() {
  const uint32_t element = in_.ReadU32();
  const uint32_t table = in_.ReadU32();
  if (!KnownTable(table) || !KnownElement(element) ||
      !Fits(module_.tables[table].type.element, module_.elements[element].type)) {
    return;
  }
  types_.Pop(ValType::kI32);
  types_.Pop(ValType::kI32);
  types_.Pop(IndexOf(table));
  if (Sending()) sink_.TableInit(element, table);
}

void ReferenceInstructions::TableCopy() {
  const uint32_t to = in_.ReadU32();
  const uint32_t from = in_.ReadU32();
  if (!KnownTable(to) || !KnownTable(from) ||
      !Fits(module_.tables[to].type.element, module_.tables[from].type.element)) {
    return;
  }
  const bool both64 = IndexOf(to) == ValType::kI64 && IndexOf(from) == ValType::kI64;
  types_.Pop(both64 ? ValType::kI64 : ValType::kI32);
  types_.Pop(IndexOf(from));
  types_.Pop(IndexOf(to));
  if (Sending()) sink_.TableCopy(to, from);
}

void ReferenceInstructions::ElemDrop() {
  const uint32_t element = in_.ReadU32();
  if (KnownElement(element) && Sending()) sink_.ElemDrop(element);
}

void ReferenceInstructions::RefNull() {
  const ValType type = in_.ReadHeapType();
  types_.Push(type);
  if (Sending()) sink_.RefNull(type);
}

void ReferenceInstructions::RefIsNull() {
  PopRef();
  types_.Push(ValType::kI32);
  if (Sending()) sink_.RefIsNull();
}

void ReferenceInstructions::RefAsNonNull() {
  const ValType type = PopRef();
  types_.Push(type == ValType::kBottom ? type : type.With(/*nullable=*/false));
  if (Sending()) sink_.RefAsNonNull();
}

void ReferenceInstructions::RefFunc() {
  const uint32_t function = in_.ReadU32();
  if (!Known(function, module_.functions.size(), "function")) return;
  if (!module_.declared_functions[function]) {
    return types_.Fail(absl::StrCat("undeclared function reference ", function));
  }
  types_.Push(in_.Has(wasm::Feature::kFunctionReferences)
                  ? ValType::Ref(module_.functions[function].type, /*nullable=*/false)
                  : ValType(ValType::kFuncRef));
  if (Sending()) sink_.RefFunc(function);
}

}  // namespace fermata::validate

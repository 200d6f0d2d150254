// The builder's part for objects of garbage collection.
//
// An allocation is two statements: `kRoom`, which may suspend for a collection, and what makes the
// object, which can't fail. All references are in variables then, or in trees over variables, and
// a collection changes those: a tree that waits on the operand stack needs nothing.
#ifndef FERMATA_TRANSLATOR_IR_OBJECT_OPERANDS_H_
#define FERMATA_TRANSLATOR_IR_OBJECT_OPERANDS_H_

#include <cstdint>

#include "translator/ir/operand_stack.h"

namespace fermata::ir {

class ObjectOperands : protected OperandStack {
 protected:
  using OperandStack::OperandStack;
  using ValType = wasm::ValType;

  void MakeStruct(uint32_t type, bool defaults);
  void GetField(Opcode op, uint32_t type, uint32_t field, bool nullable);
  void SetField(uint32_t type, uint32_t field, bool nullable);
  void MakeArray(uint32_t type, bool defaults);
  void MakeFixedArray(uint32_t type, uint32_t count);
  // kArrayNewData, kArrayNewElem.
  void MakeArrayOf(StmtKind kind, uint32_t type, uint32_t segment);
  void GetElement(Opcode op, uint32_t type, bool nullable);
  void SetElement(uint32_t type, bool nullable);
  void GetLength(bool nullable);
  // A statement of `arity` operands that changes elements.
  void ChangeArray(StmtKind kind, size_t arity, uint32_t type, uint32_t index2 = 0);
  // Whether `reference`, which stays where it is, is of a type.
  Expr* Test(Expr* reference, ValType type, ValType from);
  void Cast(ValType type, ValType from);
  void Convert(Kind hierarchy);
  void MakeI31();
  void GetI31(Opcode op, bool nullable);

 private:
  const wasm::Field& ElementOf(uint32_t array) const { return module_.type_defs[array].fields[0]; }
  uint64_t ArrayBytes(uint32_t type, uint32_t length) const;
  // Room for `bytes` and, if there is one, an array of `length` elements of `type`.
  // `used`: the operands of what makes the object.
  Stmt& Room(uint64_t bytes, Expr* length, uint32_t type, absl::Span<Expr* const> used);
  // A statement that makes an object, which is pushed.
  void Make(StmtKind kind, uint32_t type, uint32_t index2, absl::Span<Expr* const> args,
            bool defaults);
  void SettleTraps(size_t operands);
  // Reads a part of an object.
  Expr* Read(ExprKind kind, Kind type, bool nullable, bool mut, Expr* object,
             Expr* index = nullptr);
  const CastTarget* TargetOf(ValType type, ValType from);
};

}  // namespace fermata::ir

#endif  // FERMATA_TRANSLATOR_IR_OBJECT_OPERANDS_H_

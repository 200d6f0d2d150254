// The builder's part for objects of garbage collection.
//
// An allocation is two statements: `kRoom`, which may suspend for a collection, and what makes the
// object, which can't fail. All references are in variables then, or in trees over variables, and
// a collection changes those: a tree that waits on the operand stack needs nothing.
#ifndef FERMATA_TRANSLATOR_IR_OBJECT_OPERANDS_H_
#define FERMATA_TRANSLATOR_IR_OBJECT_OPERANDS_H_

#include <cstdint>

#include "translator/ir/operand_stack.h"
#include "translator/validate/sink.h"

namespace fermata::ir {

class ObjectOperands : public validate::InstructionSink, protected OperandStack {
 protected:
  using ValType = wasm::ValType;

  using OperandStack::OperandStack;

  void StructNew(uint32_t type, bool defaults) override;
  void StructGet(Opcode op, uint32_t type, uint32_t field, ValType from) override;
  void StructSet(uint32_t type, uint32_t field, ValType from) override;
  void ArrayNew(uint32_t type, bool defaults) override;
  void ArrayNewFixed(uint32_t type, uint32_t count) override;
  void ArrayNewData(uint32_t type, uint32_t data) override;
  void ArrayNewElem(uint32_t type, uint32_t element) override;
  void ArrayGet(Opcode op, uint32_t type, ValType from) override;
  void ArraySet(uint32_t type, ValType from) override;
  void ArrayLen(ValType from) override;
  void ArrayFill(uint32_t type) override;
  void ArrayCopy(uint32_t to, uint32_t from) override;
  void ArrayInitData(uint32_t type, uint32_t data) override;
  void ArrayInitElem(uint32_t type, uint32_t element) override;
  void RefTest(ValType type, ValType from) override;
  void RefCast(ValType type, ValType from) override;
  void AnyConvertExtern() override;
  void ExternConvertAny() override;
  void RefI31() override;
  void I31Get(Opcode op, ValType from) override;
  void RefGetDesc(uint32_t type, ValType from) override;
  void RefCastDesc(ValType type, ValType from) override;

  static ValType NonNull(ValType type) {
    return type == ValType::kBottom ? type : type.With(/*nullable=*/false);
  }
  // Whether `reference`, which stays where it is, is of a type; or is of one and has a descriptor.
  Expr* Test(Expr* reference, ValType type, ValType from);
  Expr* TestDescriptor(Expr* reference, Expr* descriptor, ValType type, ValType from);
  // A variable; null traps.
  Expr* PopDescriptor();

 private:
  const wasm::Field& ElementOf(uint32_t array) const { return module_.type_defs[array].fields[0]; }
  uint64_t ArrayBytes(uint32_t type, uint32_t length) const;
  // Room for `bytes` and, if there is one, an array of `length` elements of `type`.
  // `used`: the operands of what makes the object.
  Stmt& Room(uint64_t bytes, Expr* length, uint32_t type, absl::Span<Expr* const> used);
  // A statement that makes an object, which is pushed.
  void Make(StmtKind kind, uint32_t type, uint32_t index2, absl::Span<Expr* const> args,
            bool defaults);
  // kArrayNewData, kArrayNewElem.
  void MakeArrayOf(StmtKind kind, uint32_t type, uint32_t segment);
  // A statement of `arity` operands that changes elements.
  void ChangeArray(StmtKind kind, size_t arity, uint32_t type, uint32_t index2 = 0);
  void Convert(Kind hierarchy);
  void PushCast(Expr* reference, const CastTarget* target, Expr* descriptor, ValType type);
  void SettleTraps(size_t operands);
  // Reads a part of an object.
  Expr* Read(ExprKind kind, Kind type, bool nullable, bool mut, Expr* object,
             Expr* index = nullptr);
  const CastTarget* TargetOf(ValType type, ValType from);
};

}  // namespace fermata::ir

#endif  // FERMATA_TRANSLATOR_IR_OBJECT_OPERANDS_H_

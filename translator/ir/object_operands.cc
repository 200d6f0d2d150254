#include "translator/ir/object_operands.h"

#include "include/fermata/core/objects.h"

namespace fermata::ir {
namespace {

bool IsConstant(const Expr* e) { return e->kind == ExprKind::kConst; }

}  // namespace

Stmt& ObjectOperands::Room(uint64_t bytes, Expr* length, uint32_t type,
                           absl::Span<Expr* const> used) {
  f_.uses_heap = true;
  Stmt& s = Emit(StmtKind::kRoom);
  s.op = Opcode::kNop;
  s.bits = bytes;
  if (length != nullptr && IsConstant(length)) {
    s.bits = ArrayBytes(type, static_cast<uint32_t>(length->bits));
  } else if (length != nullptr) {
    SetArgs(s, {length});
    s.index2 = ElementOf(type).SizeLog2();
  }
  s.may_suspend = true;
  AddPoint(s, used);
  return s;
}

uint64_t ObjectOperands::ArrayBytes(uint32_t type, uint32_t length) const {
  const uint64_t bytes =
      module_.type_defs[type].bytes + (uint64_t{length} << ElementOf(type).SizeLog2());
  return (bytes + core::kObjectAlignment - 1) & ~uint64_t{core::kObjectAlignment - 1};
}

void ObjectOperands::Make(StmtKind kind, uint32_t type, uint32_t index2,
                          absl::Span<Expr* const> args, bool defaults) {
  const size_t at = f_.stmts.size();
  Stmt& s = Emit(kind);
  SetArgs(s, args);
  s.index = type;
  s.index2 = index2;
  s.negate = defaults;
  const VarId v = FreeSlot(stack_.size(), Kind::kAnyRef);
  f_.stmts[at].dst = v;
  Push(VarExpr(v, ValType::Ref(type, /*nullable=*/false, /*exact=*/true)));
}

void ObjectOperands::StructNew(uint32_t type, bool defaults) {
  const wasm::TypeDef& def = module_.type_defs[type];
  if (def.has_descriptor()) Push(PopDescriptor());
  const Operands args = PopMany((defaults ? 0 : def.fields.size()) + def.has_descriptor());
  Flush(kTraps);
  Room(def.bytes, nullptr, type, args);
  Make(StmtKind::kStructNew, type, 0, args, defaults);
}

void ObjectOperands::ArrayNew(uint32_t type, bool defaults) {
  // The length is needed twice.
  Materialize(stack_.size() - 1);
  const Operands args = PopMany(defaults ? 1 : 2);
  Flush(kTraps);
  Room(0, args.back(), type, args);
  Make(StmtKind::kArrayNew, type, 0, args, defaults);
}

void ObjectOperands::ArrayNewFixed(uint32_t type, uint32_t count) {
  const Operands args = PopMany(count);
  Flush(kTraps);
  Room(ArrayBytes(type, count), nullptr, type, args);
  Make(StmtKind::kArrayNewFixed, type, 0, args, false);
}

void ObjectOperands::MakeArrayOf(StmtKind kind, uint32_t type, uint32_t segment) {
  Materialize(stack_.size() - 2);
  Materialize(stack_.size() - 1);
  const Operands args = PopMany(2);
  Flush(kTraps);
  Stmt& room = Room(0, nullptr, type, args);
  room.op = kind == StmtKind::kArrayNewData ? Opcode::kArrayNewData : Opcode::kArrayNewElem;
  SetArgs(room, {args[1], args[0]});
  room.index = segment;
  room.index2 = ElementOf(type).SizeLog2();
  Make(kind, type, segment, args, false);
}

// The check for null comes first in C++; what the operands above the reference do, first in wasm.
void ObjectOperands::SettleTraps(size_t operands) {
  for (size_t i = stack_.size() - operands; i < stack_.size(); ++i) {
    if (stack_[i]->effects & (kTraps & ~kTrapsOnNull)) Materialize(i);
  }
}

Expr* ObjectOperands::Read(ExprKind kind, Kind type, bool nullable, bool mut, Expr* object,
                           Expr* index) {
  f_.uses_heap = true;
  const uint8_t own = (nullable ? kTrapsOnNull : kPure) | (mut ? kReadsObject : kPure) |
                      (index != nullptr ? kTrapsOther : kPure);
  Expr* e = NewExpr(kind, type, own, object, index);
  e->nullable = nullable;
  if (index != nullptr) {
    Flush(kTraps);
  } else if (nullable) {
    Flush(kTraps & ~kTrapsOnNull);
  }
  return e;
}

void ObjectOperands::StructGet(Opcode op, uint32_t type, uint32_t field, ValType from) {
  const wasm::Field& f = module_.type_defs[type].fields[field];
  Expr* object = Pop();
  Expr* e = Read(ExprKind::kStructGet, Rep(f.type), from.nullable(), f.mut, object);
  e->op = op;
  e->index = type;
  e->bits = field;
  e->ref = f.type;
  Push(e);
}

void ObjectOperands::StructSet(uint32_t type, uint32_t field, ValType from) {
  const bool nullable = from.nullable();
  f_.uses_heap = true;
  if (nullable) SettleTraps(1);
  Stmt& s = Effectful(StmtKind::kStructSet, 2, kReadsObject, type);
  s.bits = field;
  s.negate = nullable;
}

void ObjectOperands::ArrayGet(Opcode op, uint32_t type, ValType from) {
  const bool nullable = from.nullable();
  if (nullable) SettleTraps(1);
  Expr* index = Pop();
  Expr* array = Pop();
  Expr* e = Read(ExprKind::kArrayGet, Rep(ElementOf(type).type), nullable, ElementOf(type).mut,
                 array, index);
  e->op = op;
  e->index = type;
  e->ref = ElementOf(type).type;
  Push(e);
}

void ObjectOperands::ArraySet(uint32_t type, ValType from) {
  const bool nullable = from.nullable();
  f_.uses_heap = true;
  if (nullable) SettleTraps(2);
  Effectful(StmtKind::kArraySet, 3, kReadsObject, type).negate = nullable;
}

void ObjectOperands::ArrayLen(ValType from) {
  Expr* array = Pop();
  Push(Read(ExprKind::kArrayLen, Kind::kI32, from.nullable(), false, array));
}

void ObjectOperands::ChangeArray(StmtKind kind, size_t arity, uint32_t type, uint32_t index2) {
  f_.uses_heap = true;
  SettleTraps(arity - 1);
  Effectful(kind, arity, kReadsObject, type, index2);
}

const CastTarget* ObjectOperands::TargetOf(ValType type, ValType from) {
  CastTarget* target = new (f_.arena.Allocate<CastTarget>()) CastTarget;
  target->kind = type.kind();
  target->nullable = type.nullable();
  target->exact = type.exact();
  target->from_nullable = from.nullable();
  const bool typed = from.kind() == ValType::kTypedRef;
  target->from_object = from.kind() == ValType::kStructRef || from.kind() == ValType::kArrayRef ||
                        (typed && Rep(from) == Kind::kAnyRef);
  if (type.kind() == ValType::kTypedRef) {
    target->type = module_.canonical_types[type.type_index()];
  }
  const bool looks = type.kind() == ValType::kTypedRef
                         ? Rep(type) == Kind::kAnyRef
                         : type.kind() == ValType::kStructRef ||
                               type.kind() == ValType::kArrayRef || type.kind() == ValType::kEqRef;
  f_.uses_heap |= looks;
  return target;
}

Expr* ObjectOperands::Test(Expr* reference, ValType type, ValType from) {
  Expr* e = NewExpr(ExprKind::kRefTest, Kind::kI32, kPure, reference);
  e->cast = TargetOf(type, from);
  return e;
}

void ObjectOperands::RefTest(ValType type, ValType from) { Push(Test(Pop(), type, from)); }

void ObjectOperands::PushCast(Expr* reference, const CastTarget* target, Expr* descriptor,
                              ValType type) {
  Flush(kTraps);
  Expr* e = NewExpr(ExprKind::kRefCast, Rep(type), kTrapsOther, reference, descriptor);
  e->cast = target;
  e->ref = type;
  Push(e);
}

void ObjectOperands::RefCast(ValType type, ValType from) {
  // It is written twice.
  if (stack_.back()->kind != ExprKind::kVar) Materialize(stack_.size() - 1);
  Expr* reference = Pop();
  PushCast(reference, TargetOf(type, from), nullptr, type);
}

// ---- Custom descriptors ----

Expr* ObjectOperands::PopDescriptor() {
  // Null traps before anything else is tried.
  Expr* a = Pop();
  Flush(kTraps);
  if (a->ref == ValType::kBottom || a->ref.nullable()) {
    Expr* e = NewExpr(ExprKind::kRefAsNonNull, a->type, kTrapsOther, a);
    e->op = Opcode::kRefGetDesc;
    e->ref = NonNull(a->ref);
    a = e;
  }
  Push(a);
  if (a->kind != ExprKind::kVar) Materialize(stack_.size() - 1);
  return Pop();
}

void ObjectOperands::RefGetDesc(uint32_t type, ValType from) {
  const wasm::TypeDef& def = module_.type_defs[type];
  Expr* object = Pop();
  Expr* e = Read(ExprKind::kGetDescriptor, Kind::kAnyRef, from.nullable(), false, object);
  e->index = type;
  e->ref = ValType::Ref(def.descriptor, /*nullable=*/false);
  Push(e);
}

Expr* ObjectOperands::TestDescriptor(Expr* reference, Expr* descriptor, ValType type,
                                     ValType from) {
  f_.uses_heap = true;
  Expr* e = NewExpr(ExprKind::kRefTest, Kind::kI32, kPure, reference, descriptor);
  e->cast = TargetOf(type, from);
  return e;
}

void ObjectOperands::RefCastDesc(ValType type, ValType from) {
  Expr* descriptor = PopDescriptor();
  if (stack_.back()->kind != ExprKind::kVar) Materialize(stack_.size() - 1);
  Expr* reference = Pop();
  f_.uses_heap = true;
  PushCast(reference, TargetOf(type, from), descriptor, type);
}

void ObjectOperands::ArrayNewData(uint32_t type, uint32_t data) {
  MakeArrayOf(StmtKind::kArrayNewData, type, data);
}
void ObjectOperands::ArrayNewElem(uint32_t type, uint32_t element) {
  MakeArrayOf(StmtKind::kArrayNewElem, type, element);
}
void ObjectOperands::ArrayFill(uint32_t type) { ChangeArray(StmtKind::kArrayFill, 4, type); }
void ObjectOperands::ArrayCopy(uint32_t to, uint32_t from) {
  ChangeArray(StmtKind::kArrayCopy, 5, to, from);
}
void ObjectOperands::ArrayInitData(uint32_t type, uint32_t data) {
  ChangeArray(StmtKind::kArrayInitData, 4, type, data);
}
void ObjectOperands::ArrayInitElem(uint32_t type, uint32_t element) {
  ChangeArray(StmtKind::kArrayInitElem, 4, type, element);
}
void ObjectOperands::AnyConvertExtern() { Convert(Kind::kAnyRef); }
void ObjectOperands::ExternConvertAny() { Convert(Kind::kExternRef); }

void ObjectOperands::Convert(Kind hierarchy) {
  Expr* e = NewExpr(ExprKind::kConvert, hierarchy, kPure, Pop());
  e->ref = hierarchy;
  Push(e);
}

void ObjectOperands::RefI31() {
  Expr* e = NewExpr(ExprKind::kRefI31, Kind::kAnyRef, kPure, Pop());
  e->ref = ValType(ValType::kI31Ref).With(/*nullable=*/false);
  Push(e);
}

void ObjectOperands::I31Get(Opcode op, ValType from) {
  const bool nullable = from.nullable();
  Expr* reference = Pop();
  if (nullable) Flush(kTraps & ~kTrapsOnNull);
  Expr* e = NewExpr(ExprKind::kI31Get, Kind::kI32, nullable ? kTrapsOnNull : kPure, reference);
  e->op = op;
  e->nullable = nullable;
  Push(e);
}

}  // namespace fermata::ir

#include "translator/ir/builder.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "translator/ir/object_operands.h"
#include "translator/validate/function_validator.h"

namespace fermata::ir {
namespace {

using validate::BlockType;
using validate::MemArg;
using wasm::ValType;

struct Label {
  LabelId target;             // where `br` goes
  LabelId otherwise = kNone;  // `if`: the else-part, until Else; try: the next part of its landing
  uint32_t height;            // operand stack height below the parameters
  bool loop = false;
  bool catching = false;  // a legacy try: in one of its catch parts
  // Where exceptions thrown in it go; that of the enclosing label unless it is a try region.
  LabelId handler = kNone;
  LabelId outer_handler = kNone;
  // Legacy catch parts: the kCatch statement, the variable that `rethrow` makes it keep the
  // exception in.
  size_t catch_stmt = 0;
  VarId caught = kNone;
  std::vector<validate::CatchClause> clauses;  // try_table
  absl::InlinedVector<ValType, 2> params;
  absl::InlinedVector<ValType, 2> results;
  const absl::InlinedVector<ValType, 2>& operands() const { return loop ? params : results; }
};

class Builder : public ObjectOperands {
 public:
  Builder(const wasm::Module& module, const analysis::Suspension& suspension, Function& function)
      : ObjectOperands(module, function), suspension_(suspension) {}

  void Begin(uint32_t function, const wasm::FuncType& type,
             absl::Span<const ValType> locals) override {
    f_.index = function;
    f_.type = &type;
    f_.local_count = locals.size();
    f_.uses_memory.resize(module_.memories.size());
    for (uint32_t i = 0; i < locals.size(); ++i) {
      NewVar({Rep(locals[i]), true, i, 0, locals[i]});
    }
    results_ = type.results.size();
    // Where tail calls of the function to itself go.
    start_ = NewLabel();
    EmitLabel(start_);
    f_.stmts.back().loop = true;
  }
  void At(uint32_t offset) override { offset_ = offset; }

  void Uses(const wasm::FeatureUses&) override {}  // was noted when the body was validated first
  void Finish(bool reachable) override {
    if (reachable) Return();
    DropUnusedLabels();
  }

  // ---- Control ----
  void Unreachable() override {
    Flush(kTraps);
    Emit(StmtKind::kUnreachable);
  }

  void Block(const BlockType& type) override { Open(type, /*loop=*/false); }

  void Loop(const BlockType& type) override {
    f_.has_loop = true;
    ++loop_depth_;
    Label& label = Open(type, /*loop=*/true);
    Stmt& s = Emit(StmtKind::kLabel);
    s.label = label.target;
    s.loop = true;
    NoteReferences(s);
  }

  void If(const BlockType& type) override {
    Expr* condition = Pop();
    Label& label = Open(type, /*loop=*/false);
    label.otherwise = NewLabel();
    JumpIf(condition, label.otherwise, /*negate=*/true);
  }

  void Else(bool reachable) override {
    Label& label = labels_.back();
    if (reachable) {
      MoveToCanonical(label.height, label.results);
      Jump(label.target);
    }
    EmitLabel(label.otherwise);
    label.otherwise = kNone;
    Truncate(label.height);
    PushCanonical(label.height, label.params);
  }

  void End(bool reachable) override {
    EndCatch();
    Label label = std::move(labels_.back());
    labels_.pop_back();
    if (label.loop) --loop_depth_;
    if (reachable) MoveToCanonical(label.height, label.results);
    if (label.handler != label.outer_handler || label.catching) {
      EndTry(label, reachable);
    } else if (label.otherwise != kNone) {
      EmitLabel(label.otherwise);
    }
    CloseBlock(label);
  }

  void Br(uint32_t depth) override {
    if (depth == labels_.size()) return Return();
    const Label& label = LabelAt(depth);
    Flush(kTraps);
    MoveToCanonical(label.height, label.operands());
    Jump(label.target);
  }

  void BrIf(uint32_t depth) override { BranchIf(Pop(), depth, /*negate=*/false); }

  void BranchIf(Expr* condition, uint32_t depth, bool negate) {
    const bool returns = depth == labels_.size();
    const size_t arity = returns ? results_ : LabelAt(depth).operands().size();
    for (size_t i = stack_.size() - arity; i < stack_.size(); ++i) Materialize(i);
    Flush(kTraps);
    if (!returns && (arity == 0 || InPlace(LabelAt(depth)))) {
      return JumpIf(condition, LabelAt(depth).target, negate);
    }
    const LabelId skip = NewLabel();
    JumpIf(condition, skip, !negate);
    BranchKeepingOperands(depth);
    EmitLabel(skip);
  }

  void BrTable(absl::Span<const uint32_t> depths, uint32_t fallback) override {
    Expr* index = Pop();
    const bool returns = fallback == labels_.size();
    const size_t arity = returns ? results_ : LabelAt(fallback).operands().size();
    for (size_t i = stack_.size() - arity; i < stack_.size(); ++i) Materialize(i);
    Flush(kTraps);
    // Targets whose operands must be moved, and returns, go through a landing of their own.
    absl::flat_hash_map<uint32_t, LabelId> landings;
    std::vector<uint32_t> order;
    absl::Span<LabelId> targets = f_.NewSpan<LabelId>(depths.size() + 1);
    for (size_t i = 0; i <= depths.size(); ++i) {
      const uint32_t depth = i < depths.size() ? depths[i] : fallback;
      if (depth < labels_.size() && (arity == 0 || InPlace(LabelAt(depth)))) {
        targets[i] = LabelAt(depth).target;
        continue;
      }
      auto [it, fresh] = landings.try_emplace(depth, kNone);
      if (fresh) {
        it->second = NewLabel();
        order.push_back(depth);
      }
      targets[i] = it->second;
    }
    Stmt& s = Emit(StmtKind::kJumpTable);
    SetArgs(s, {index});
    s.labels = targets;
    for (uint32_t depth : order) {
      EmitLabel(landings[depth]);
      BranchKeepingOperands(depth);
    }
  }

  void Return() override {
    const Operands values = PopMany(results_);
    Flush(kTraps);
    SetArgs(Emit(StmtKind::kReturn), values);
  }

  void Call(uint32_t function) override {
    EmitCall(StmtKind::kCall, module_.TypeOf(function), 0, function, 0,
             suspension_.MayCallSuspend(function), suspension_.MayCallThrow(function));
  }
  void CallIndirect(uint32_t type, uint32_t table) override {
    EmitCall(StmtKind::kCallIndirect, module_.types[type], 1, type, table,
             suspension_.MayIndirectSuspend(suspension_.canonical_type[type], table),
             suspension_.MayIndirectThrow(suspension_.canonical_type[type], table));
  }
  void CallRef(uint32_t type) override {
    const uint32_t table = analysis::kAnyTable;
    EmitCall(StmtKind::kCallRef, module_.types[type], 1, type, 0,
             suspension_.MayIndirectSuspend(suspension_.canonical_type[type], table),
             suspension_.MayIndirectThrow(suspension_.canonical_type[type], table));
  }
  void ReturnCall(uint32_t function) override {
    if (function == f_.index) return CallOwnTail();
    EmitReturnCall(StmtKind::kReturnCall, module_.TypeOf(function), 0, function, 0);
  }
  void ReturnCallIndirect(uint32_t type, uint32_t table) override {
    EmitReturnCall(StmtKind::kReturnCallIndirect, module_.types[type], 1, type, table);
  }
  void ReturnCallRef(uint32_t type) override {
    EmitReturnCall(StmtKind::kReturnCallRef, module_.types[type], 1, type, 0);
  }

  void BrOnNull(uint32_t depth) override {
    Materialize(stack_.size() - 1);
    Expr* reference = Pop();
    BranchIf(IsNull(reference), depth, /*negate=*/false);
    if (reference->kind == ExprKind::kVar) {
      reference = VarExpr(reference->index, NonNull(reference->ref));
    }
    Push(reference);
  }
  void BrOnNonNull(uint32_t depth) override {
    Materialize(stack_.size() - 1);
    BranchIf(IsNull(stack_.back()), depth, /*negate=*/true);
    Pop();
  }

  // ---- Exceptions ----
  void Throw(uint32_t tag) override {
    const wasm::FuncType& type = module_.types[module_.tags[tag].type];
    const Operands args = PopMany(type.params.size());
    Flush(kTraps);
    Stmt& s = Emit(StmtKind::kThrow);
    SetArgs(s, args);
    s.index = tag;
    s.handler = handler_;
  }
  void ThrowRef() override { EmitThrowRef(Pop()); }

  void TryTable(const BlockType& type, absl::Span<const validate::CatchClause> clauses) override {
    OpenTry(type).clauses.assign(clauses.begin(), clauses.end());
  }
  void Try(const BlockType& type) override { OpenTry(type); }

  void Catch(uint32_t tag, bool reachable) override { BeginCatch(tag, reachable); }
  void CatchAll(bool reachable) override { BeginCatch(kNone, reachable); }

  void Delegate(uint32_t depth, bool reachable) override {
    Label label = std::move(labels_.back());
    labels_.pop_back();
    if (reachable) {
      MoveToCanonical(label.height, label.results);
      Jump(label.target);
    }
    handler_ = label.outer_handler;
    EmitLabel(label.otherwise);
    Propagate(depth < labels_.size() ? LabelAt(depth).handler : kNone);
    CloseBlock(label);
  }

  void Rethrow(uint32_t depth) override {
    Label& label = labels_[labels_.size() - 1 - depth];
    f_.stmts[label.catch_stmt].dst = label.caught;
    EmitThrowRef(VarExpr(label.caught));
  }

  // ---- Parametric, variables, numeric ----
  void Drop() override {
    Expr* e = Pop();
    if (e->effects & kTraps) {
      Flush(kTraps);
      SetArgs(Emit(StmtKind::kEval), {e});
    }
  }
  void Select(ValType type) override {
    // C++ evaluates only one of the two values; both may have to trap.
    for (size_t i = stack_.size() - 3; i < stack_.size() - 1; ++i) {
      if (stack_[i]->effects & kTraps) Materialize(i);
    }
    Expr* c = Pop();
    Expr* b = Pop();
    Expr* a = Pop();
    Expr* e = NewExpr(ExprKind::kSelect, Rep(type), kPure, a, b, c);
    e->ref = type;
    Push(e);
  }
  void LocalGet(uint32_t local) override { Push(VarExpr(local, f_.vars[local].declared)); }
  void LocalSet(uint32_t local) override { Assign(local, Pop()); }
  void LocalTee(uint32_t local) override {
    Assign(local, Pop());
    Push(VarExpr(local, f_.vars[local].declared));
  }
  void GlobalGet(uint32_t global) override {
    Expr* e = NewExpr(ExprKind::kGlobalGet, Rep(module_.globals[global].type.type), kReadsGlobal);
    e->index = global;
    e->ref = module_.globals[global].type.type;
    Push(e);
  }
  void GlobalSet(uint32_t global) override {
    Effectful(StmtKind::kGlobalSet, 1, kReadsGlobal, global);
  }
  void Const(ValType type, uint64_t bits) override {
    Expr* e = NewExpr(ExprKind::kConst, type.kind(), kPure);
    e->bits = bits;
    Push(e);
  }
  void ConstV128(uint64_t low, uint64_t high) override {
    Expr* e = NewExpr(ExprKind::kConst, Kind::kV128, kPure);
    e->bits = low;
    e->high = high;
    Push(e);
  }
  void Lane(Opcode op, uint32_t lane) override {
    const wasm::OpcodeInfo& info = wasm::Info(op);
    Expr* b = info.params.size() == 2 ? Pop() : nullptr;
    Expr* a = Pop();
    Expr* e = NewExpr(ExprKind::kLane, wasm::KindOf(info.results[0]), kPure, a, b);
    e->op = op;
    e->index = lane;
    Push(e);
  }
  void Shuffle(absl::Span<const uint8_t> lanes) override {
    Expr* b = Pop();
    Expr* a = Pop();
    Expr* e = NewExpr(ExprKind::kShuffle, Kind::kV128, kPure, a, b);
    for (int i = 0; i < 8; ++i) {
      e->bits |= uint64_t{lanes[i]} << 8 * i;
      e->high |= uint64_t{lanes[i + 8]} << 8 * i;
    }
    Push(e);
  }
  void Wide(Opcode op) override {
    const Operands args = PopMany(wasm::Info(op).params.size());
    const size_t at = f_.stmts.size();
    Stmt& s = Emit(StmtKind::kWide);
    s.op = op;
    SetArgs(s, args);
    PushResults(at, {ValType::kI64, ValType::kI64});
  }
  void Numeric(Opcode op) override {
    const wasm::OpcodeInfo& info = wasm::Info(op);
    Expr* c = info.params.size() == 3 ? Pop() : nullptr;
    Expr* b = info.params.size() >= 2 ? Pop() : nullptr;
    Expr* a = Pop();
    const uint8_t own = wasm::Info(op).traps ? kTrapsOther : kPure;
    Expr* e = NewExpr(ExprKind::kNumeric, wasm::KindOf(info.results[0]), own, a, b, c);
    e->op = op;
    if (own) Flush(kTraps);
    Push(e);
  }

  // ---- Memory ----
  void Load(Opcode op, const MemArg& arg) override {
    Expr* address = Pop();
    Expr* e = NewExpr(ExprKind::kLoad, wasm::KindOf(wasm::Info(op).results[0]),
                      kReadsMemory | kTrapsOnMemory, address);
    e->op = op;
    e->index = arg.memory;
    e->bits = arg.offset;
    f_.uses_memory[arg.memory] = true;
    Flush(kTraps & ~kTrapsOnMemory);
    Push(e);
  }
  void Store(Opcode op, const MemArg& arg) override {
    Stmt& s = Effectful(StmtKind::kStore, 2, kReadsMemory, arg.memory);
    s.op = op;
    s.bits = arg.offset;
    f_.uses_memory[arg.memory] = true;
  }
  void LoadLane(Opcode op, const MemArg& arg, uint32_t lane) override {
    Expr* vector = Pop();
    Expr* address = Pop();
    Expr* e =
        NewExpr(ExprKind::kLoadLane, Kind::kV128, kReadsMemory | kTrapsOnMemory, address, vector);
    e->op = op;
    e->index = arg.memory;
    e->bits = arg.offset;
    e->high = lane;
    f_.uses_memory[arg.memory] = true;
    Flush(kTraps & ~kTrapsOnMemory);
    Push(e);
  }
  void StoreLane(Opcode op, const MemArg& arg, uint32_t lane) override {
    Stmt& s = Effectful(StmtKind::kStoreLane, 2, kReadsMemory, arg.memory, lane);
    s.op = op;
    s.bits = arg.offset;
    f_.uses_memory[arg.memory] = true;
  }
  void Atomic(Opcode op, const MemArg& arg) override {
    const wasm::OpcodeInfo& info = wasm::Info(op);
    const size_t at = f_.stmts.size();
    // Pending loads come first: an atomic access orders all others.
    const Operands args = PopMany(info.params.size());
    Flush(kReadsMemory | kTraps);
    const size_t flushed = f_.stmts.size() - at;
    Stmt& s = Emit(StmtKind::kAtomic);
    SetArgs(s, args);
    s.op = op;
    s.index = arg.memory;
    s.bits = arg.offset;
    f_.uses_memory[arg.memory] = true;
    if (!info.results.empty()) {
      const VarId v = FreeSlot(stack_.size(), wasm::KindOf(info.results[0]));
      f_.stmts[at + flushed].dst = v;
      Push(VarExpr(v));
    }
  }
  void AtomicFence() override { Effectful(StmtKind::kAtomicFence, 0, kReadsMemory, 0); }
  void MemorySize(uint32_t memory) override {
    Expr* e = NewExpr(ExprKind::kMemorySize, AddressKind(memory), kReadsMemory);
    e->index = memory;
    Push(e);
  }
  void MemoryGrow(uint32_t memory) override {
    EffectfulWithResult(StmtKind::kMemoryGrow, 1, kReadsMemory, memory, AddressKind(memory));
  }
  void MemoryInit(uint32_t data, uint32_t memory) override {
    Effectful(StmtKind::kMemoryInit, 3, kReadsMemory, data, memory);
  }
  void DataDrop(uint32_t data) override { Effectful(StmtKind::kDataDrop, 0, 0, data); }
  void MemoryCopy(uint32_t to, uint32_t from) override {
    Effectful(StmtKind::kMemoryCopy, 3, kReadsMemory, to, from);
  }
  void MemoryFill(uint32_t memory) override {
    Effectful(StmtKind::kMemoryFill, 3, kReadsMemory, memory);
  }

  // ---- Tables and references ----
  void TableGet(uint32_t table) override {
    Expr* index = Pop();
    Expr* e = NewExpr(ExprKind::kTableGet, Rep(module_.tables[table].type.element),
                      kReadsTable | kTrapsOther, index);
    e->index = table;
    e->ref = module_.tables[table].type.element;
    Flush(kTraps);
    Push(e);
  }
  void TableSet(uint32_t table) override { Effectful(StmtKind::kTableSet, 2, kReadsTable, table); }
  void TableSize(uint32_t table) override {
    Expr* e = NewExpr(ExprKind::kTableSize, IndexKind(table), kReadsTable);
    e->index = table;
    Push(e);
  }
  void TableGrow(uint32_t table) override {
    EffectfulWithResult(StmtKind::kTableGrow, 2, kReadsTable, table, IndexKind(table));
  }
  void TableFill(uint32_t table) override {
    Effectful(StmtKind::kTableFill, 3, kReadsTable, table);
  }
  void TableCopy(uint32_t to, uint32_t from) override {
    Effectful(StmtKind::kTableCopy, 3, kReadsTable, to, from);
  }
  void TableInit(uint32_t element, uint32_t table) override {
    Effectful(StmtKind::kTableInit, 3, kReadsTable, element, table);
  }
  void ElemDrop(uint32_t element) override { Effectful(StmtKind::kElemDrop, 0, 0, element); }
  void RefNull(ValType type) override {
    Expr* e = NewExpr(ExprKind::kRefNull, Rep(type), kPure);
    e->ref = type;
    Push(e);
  }
  void RefIsNull() override { Push(IsNull(Pop())); }
  void RefEq() override {
    Expr* b = Pop();
    Expr* a = Pop();
    Expr* e = NewExpr(ExprKind::kNumeric, Kind::kI32, kPure, a, b);
    e->op = Opcode::kRefEq;
    Push(e);
  }
  void RefAsNonNull() override {
    Expr* a = Pop();
    Flush(kTraps);
    Expr* e = NewExpr(ExprKind::kRefAsNonNull, a->type, kTrapsOther, a);
    e->ref = NonNull(a->ref);
    Push(e);
  }
  void RefFunc(uint32_t function) override {
    Expr* e = NewExpr(ExprKind::kRefFunc, Kind::kFuncRef, kPure);
    e->index = function;
    Push(e);
  }

  // ---- Casts that branch ----
  void BrOnCast(uint32_t depth, ValType type, ValType from, bool fails) override {
    Materialize(stack_.size() - 1);
    BranchOnTest(Test(stack_.back(), type, from), depth, type, from, fails);
  }
  void BrOnCastDesc(uint32_t depth, ValType type, ValType from, bool fails) override {
    Expr* descriptor = PopDescriptor();
    Materialize(stack_.size() - 1);
    BranchOnTest(TestDescriptor(stack_.back(), descriptor, type, from), depth, type, from, fails);
  }

 private:
  // ---- Calls ----
  // The callee of an indirect call (`extra` is 1) is looked up first in C++, but arguments trap
  // first in wasm.
  Operands PopArguments(const wasm::FuncType& type, size_t extra) {
    if (extra > 0) {
      for (size_t i = stack_.size() - type.params.size() - 1; i + 1 < stack_.size(); ++i) {
        if (stack_[i]->effects & kTraps) Materialize(i);
      }
    }
    return PopMany(type.params.size() + extra);
  }

  void EmitCall(StmtKind kind, const wasm::FuncType& type, size_t extra, uint32_t index,
                uint32_t index2, bool may_suspend, bool may_throw) {
    const Operands args = PopArguments(type, extra);
    Flush(kReadsState | kTraps);
    const size_t at = f_.stmts.size();
    Stmt& s = Emit(kind);
    SetArgs(s, args);
    s.index = index;
    s.index2 = index2;
    s.may_suspend = may_suspend;
    s.may_throw = may_throw;
    if (may_throw) s.handler = handler_;
    if (may_suspend) AddPoint(s);
    PushResults(at, type.results);
  }

  // Slots for the results of statement `at`, pushed.
  void PushResults(size_t at, absl::Span<const ValType> types) {
    absl::Span<VarId> results = f_.NewSpan<VarId>(types.size());
    for (size_t i = 0; i < types.size(); ++i) {
      results[i] = FreeSlot(stack_.size(), Rep(types[i]));
      Push(VarExpr(results[i], types[i]));
    }
    f_.stmts[at].results = results;
  }

  void EmitReturnCall(StmtKind kind, const wasm::FuncType& type, size_t extra, uint32_t index,
                      uint32_t index2) {
    const Operands args = PopArguments(type, extra);
    Flush(kTraps);
    Stmt& s = Emit(kind);
    SetArgs(s, args);
    s.index = index;
    s.index2 = index2;
  }

  // A tail call of the function itself: a jump to its start.
  void CallOwnTail() {
    const size_t arity = f_.type->params.size();
    for (size_t i = stack_.size() - arity; i < stack_.size(); ++i) Materialize(i);
    const Operands args = PopMany(arity);
    Flush(kTraps);
    for (uint32_t i = 0; i < f_.local_count; ++i) {
      Set(i, i < arity ? args[i] : NewExpr(ExprKind::kConst, f_.vars[i].type, kPure));
    }
    f_.has_loop = true;
    if (f_.point_count > 0) f_.suspends_in_loop = true;
    Jump(start_);
  }

  Expr* IsNull(Expr* reference) {
    return NewExpr(ExprKind::kRefIsNull, Kind::kI32, kPure, reference);
  }

  // The reference that was tested stays on the stack.
  void BranchOnTest(Expr* test, uint32_t depth, ValType type, ValType from, bool fails) {
    BranchIf(test, depth, /*negate=*/fails);
    Expr* reference = Pop();
    if (reference->kind == ExprKind::kVar) {
      reference = VarExpr(reference->index, fails ? type : type.nullable() ? NonNull(from) : from);
    }
    Push(reference);
  }

  // ---- Try regions ----
  Label& OpenTry(const BlockType& type) {
    Label& label = Open(type, /*loop=*/false);
    label.otherwise = NewLabel();
    label.handler = handler_ = label.otherwise;
    return label;
  }

  // Passes the exception in flight on.
  void Propagate(LabelId handler) {
    if (handler == kNone) {
      Emit(StmtKind::kLeave);
    } else {
      Jump(handler);
    }
  }

  void EmitThrowRef(Expr* exception) {
    Flush(kTraps);
    Stmt& s = Emit(StmtKind::kThrowRef);
    SetArgs(s, {exception});
    s.handler = handler_;
  }

  // In a landing: catches exceptions of `tag` (kNone: all), pushes the payload; others go to
  // `next`. Returns the number of the kCatch statement.
  size_t CatchOrElse(uint32_t tag, LabelId next) {
    if (tag != kNone) {
      Stmt& test = Emit(StmtKind::kJumpUnlessTag);
      test.index = tag;
      test.label = next;
    }
    const size_t at = f_.stmts.size();
    Emit(StmtKind::kCatch).index = tag;
    absl::Span<const ValType> payload;
    if (tag != kNone) payload = module_.types[module_.tags[tag].type].params;
    PushResults(at, payload);
    return at;
  }

  // The landing of a try_table; `label` is closed already.
  void EmitClauses(const Label& label) {
    EmitLabel(label.otherwise);
    for (const validate::CatchClause& clause : label.clauses) {
      Truncate(label.height);
      using Kinds = validate::CatchClause;
      const bool all = clause.kind == Kinds::kCatchAll || clause.kind == Kinds::kCatchAllRef;
      const bool keep = clause.kind == Kinds::kCatchRef || clause.kind == Kinds::kCatchAllRef;
      const LabelId next = NewLabel();
      const size_t at = CatchOrElse(all ? kNone : clause.tag, next);
      if (keep) {
        const VarId v = FreeSlot(stack_.size(), Kind::kExnRef);
        f_.stmts[at].dst = v;
        Push(VarExpr(v));
      }
      BranchKeepingOperands(clause.depth);
      EmitLabel(next);
      if (all) return;
    }
    Propagate(label.outer_handler);
  }

  // Ends the part of a legacy try before, and starts the one that catches `tag`.
  void BeginCatch(uint32_t tag, bool reachable) {
    EndCatch();
    Label& label = labels_.back();
    if (reachable) {
      MoveToCanonical(label.height, label.results);
      Jump(label.target);
    }
    label.catching = true;
    label.handler = handler_ = label.outer_handler;
    EmitLabel(label.otherwise);
    Truncate(label.height);
    low_water_ = std::min<size_t>(low_water_, label.height);
    label.otherwise = tag == kNone ? kNone : NewLabel();
    label.caught = FreeSlot(label.height, Kind::kExnRef);
    ++reads_[label.caught];  // kept from other uses until EndCatch
    label.catch_stmt = CatchOrElse(tag, label.otherwise);
  }
  void EndCatch() {
    Label& label = labels_.back();
    if (label.caught != kNone) --reads_[label.caught];
    label.caught = kNone;
  }

  // The end of a try; the results of its last part are in place.
  void EndTry(const Label& label, bool reachable) {
    handler_ = label.outer_handler;
    if (label.otherwise == kNone) return;  // ended by a catch_all
    if (reachable) Jump(label.target);
    if (!label.clauses.empty()) {
      EmitClauses(label);
    } else {
      EmitLabel(label.otherwise);
      Propagate(label.outer_handler);
    }
  }

  // What follows a block whose label was popped: its results.
  void CloseBlock(const Label& label) {
    if (!label.loop) EmitLabel(label.target);
    Truncate(label.height);
    low_water_ = std::min<size_t>(low_water_, label.height);
    PushCanonical(label.height, label.results);
  }

  // ---- Labels ----
  LabelId NewLabel() { return f_.label_count++; }
  void EmitLabel(LabelId label) { Emit(StmtKind::kLabel).label = label; }
  void Jump(LabelId label) { Emit(StmtKind::kJump).label = label; }
  void JumpIf(Expr* condition, LabelId label, bool negate) {
    Stmt& s = Emit(StmtKind::kJumpIf);
    SetArgs(s, {condition});
    s.label = label;
    s.negate = negate;
  }
  const Label& LabelAt(uint32_t depth) const { return labels_[labels_.size() - 1 - depth]; }

  Label& Open(const BlockType& type, bool loop) {
    Label label;
    label.target = NewLabel();
    label.loop = loop;
    label.params.assign(type.params.begin(), type.params.end());
    label.results.assign(type.results.begin(), type.results.end());
    label.handler = label.outer_handler = handler_;
    label.height = stack_.size() - type.params.size();
    MaterializeAll();
    MoveToCanonical(label.height, label.params);
    Truncate(label.height);
    PushCanonical(label.height, label.params);
    low_water_ = stack_.size();
    labels_.push_back(std::move(label));
    return labels_.back();
  }
  // The operands of `label` already are its canonical slots.
  bool InPlace(const Label& label) const {
    const size_t arity = label.operands().size();
    for (size_t i = 0; i < arity; ++i) {
      const Expr* e = stack_[stack_.size() - arity + i];
      if (e->kind != ExprKind::kVar) return false;
      const Var& v = f_.vars[e->index];
      if (v.local || v.height != label.height + i || v.variant != 0) return false;
    }
    return true;
  }
  // Assigns the top operands to the slots that a label at `height` expects them in.
  void MoveToCanonical(uint32_t height, absl::Span<const ValType> types) {
    const size_t base = stack_.size() - types.size();
    if (types.size() > 1) {
      for (size_t i = base; i < stack_.size(); ++i) Materialize(i);
    }
    for (size_t i = 0; i < types.size(); ++i) {
      Expr* e = stack_[base + i];
      const VarId v = Slot(height + i, Rep(types[i]), 0);
      if (e->kind == ExprKind::kVar && e->index == v) continue;
      Set(v, e);
    }
  }
  void PushCanonical(uint32_t height, absl::Span<const ValType> types) {
    for (size_t i = 0; i < types.size(); ++i) {
      Push(VarExpr(Slot(height + i, Rep(types[i]), 0), types[i]));
    }
  }
  // `br depth` with operands that are materialized and stay on the stack.
  void BranchKeepingOperands(uint32_t depth) {
    if (depth == labels_.size()) {
      const size_t n = results_;
      SetArgs(Emit(StmtKind::kReturn), absl::MakeSpan(stack_).last(n));
      return;
    }
    MoveToCanonical(LabelAt(depth).height, LabelAt(depth).operands());
    Jump(LabelAt(depth).target);
  }

  void DropUnusedLabels() {
    std::vector<bool> used(f_.label_count);
    for (const Stmt& s : f_.stmts) {
      if (s.kind == StmtKind::kLabel) continue;
      if (s.label != kNone) used[s.label] = true;
      if (s.handler != kNone) used[s.handler] = true;
      for (LabelId l : s.labels) used[l] = true;
    }
    f_.stmts.erase(
        std::remove_if(f_.stmts.begin(), f_.stmts.end(),
                       [&](const Stmt& s) { return s.kind == StmtKind::kLabel && !used[s.label]; }),
        f_.stmts.end());
  }

  const analysis::Suspension& suspension_;
  std::vector<Label> labels_;  // without the function's own
  size_t results_ = 0;         // of the function
  LabelId start_ = kNone;
  LabelId handler_ = kNone;  // of statements that may throw here
};

}  // namespace

absl::StatusOr<std::unique_ptr<Function>> Build(const wasm::Module& module, uint32_t function,
                                                const analysis::Suspension& suspension) {
  auto f = std::make_unique<Function>();
  Builder builder(module, suspension, *f);
  absl::Status status = validate::ValidateFunction(module, function, builder);
  if (!status.ok()) return status;
  return f;
}

}  // namespace fermata::ir

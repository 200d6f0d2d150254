#include "translator/ir/builder.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "translator/validate/function_validator.h"
#include "translator/validate/sink.h"

// note [folding]
//
// The builder keeps the operand stack as expression trees and assigns a tree to a variable
// ("materializes" it) only when it must:
//   * before a statement that may change what the tree reads: a local, a global, memory, a table;
//   * before a statement whose effect could be observed although the tree should have trapped
//   first;
//   * before a trap of another kind could come first, since C++ does not order operands;
//   * where control flow meets (block, loop, if): the operands below must be there on every path;
//   * when the tree gets large.
//
//     local.get 0          (l0 pending)                 l0
//     i32.load offset=8    (load pending)               i32_load(m0, l0, 8)
//     local.get 1
//     local.set 0          materializes the load:       i0 = i32_load(m0, l0, 8);  l0 = l1;
//
// To find the trees that must be materialized without looking at the whole operand stack, it counts
// for each variable, and for each kind of effect, how many nodes of pending trees read it.

namespace fermata::ir {
namespace {

using validate::BlockType;
using validate::MemArg;
using wasm::ValType;

constexpr uint16_t kMaxTree = 24;  // nodes
constexpr int kEffectBits = 5;

struct Label {
  LabelId target;             // where `br` goes
  LabelId otherwise = kNone;  // `if`: the else-part, until Else
  uint32_t height;            // operand stack height below the parameters
  bool loop = false;
  absl::InlinedVector<Kind, 2> params;
  absl::InlinedVector<Kind, 2> results;
  const absl::InlinedVector<Kind, 2>& operands() const { return loop ? params : results; }
};

class Builder : public validate::Sink {
 public:
  Builder(const wasm::Module& module, const analysis::Suspension& suspension, Function& function)
      : module_(module), suspension_(suspension), f_(function) {}

  void Begin(uint32_t function, const wasm::FuncType& type,
             absl::Span<const ValType> locals) override {
    f_.index = function;
    f_.type = &type;
    f_.local_count = locals.size();
    f_.uses_memory.resize(module_.memories.size());
    for (uint32_t i = 0; i < locals.size(); ++i) NewVar({locals[i].kind(), true, i, 0});
    for (ValType t : type.results) result_kinds_.push_back(t.kind());
  }
  void At(uint32_t offset) override { offset_ = offset; }

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
    Label label = std::move(labels_.back());
    labels_.pop_back();
    if (label.loop) --loop_depth_;
    if (reachable) MoveToCanonical(label.height, label.results);
    if (label.otherwise != kNone) EmitLabel(label.otherwise);
    if (!label.loop) EmitLabel(label.target);
    Truncate(label.height);
    low_water_ = std::min<size_t>(low_water_, label.height);
    PushCanonical(label.height, label.results);
  }

  void Br(uint32_t depth) override {
    if (depth == labels_.size()) return Return();
    const Label& label = LabelAt(depth);
    Flush(kTraps);
    MoveToCanonical(label.height, label.operands());
    Jump(label.target);
  }

  void BrIf(uint32_t depth) override {
    Expr* condition = Pop();
    const bool returns = depth == labels_.size();
    const size_t arity = returns ? result_kinds_.size() : LabelAt(depth).operands().size();
    for (size_t i = stack_.size() - arity; i < stack_.size(); ++i) Materialize(i);
    Flush(kTraps);
    if (!returns && (arity == 0 || InPlace(LabelAt(depth)))) {
      return JumpIf(condition, LabelAt(depth).target, false);
    }
    const LabelId skip = NewLabel();
    JumpIf(condition, skip, /*negate=*/true);
    BranchKeepingOperands(depth);
    EmitLabel(skip);
  }

  void BrTable(absl::Span<const uint32_t> depths, uint32_t fallback) override {
    Expr* index = Pop();
    const bool returns = fallback == labels_.size();
    const size_t arity = returns ? result_kinds_.size() : LabelAt(fallback).operands().size();
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
    const std::vector<Expr*> values = PopMany(result_kinds_.size());
    Flush(kTraps);
    SetArgs(Emit(StmtKind::kReturn), values);
  }

  void Call(uint32_t function) override {
    EmitCall(StmtKind::kCall, module_.TypeOf(function), 0, function, 0,
             suspension_.MayCallSuspend(function));
  }
  void CallIndirect(uint32_t type, uint32_t table) override {
    EmitCall(StmtKind::kCallIndirect, module_.types[type], 1, type, table,
             suspension_.MayIndirectSuspend(suspension_.canonical_type[type], table));
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
    Push(NewExpr(ExprKind::kSelect, type.kind(), kPure, a, b, c));
  }
  void LocalGet(uint32_t local) override { Push(VarExpr(local)); }
  void LocalSet(uint32_t local) override { Assign(local, Pop()); }
  void LocalTee(uint32_t local) override {
    Assign(local, Pop());
    Push(VarExpr(local));
  }
  void GlobalGet(uint32_t global) override {
    Expr* e = NewExpr(ExprKind::kGlobalGet, module_.globals[global].type.type.kind(), kReadsGlobal);
    e->index = global;
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
  void Numeric(Opcode op) override {
    const wasm::OpcodeInfo& info = wasm::Info(op);
    Expr* b = info.params.size() == 2 ? Pop() : nullptr;
    Expr* a = Pop();
    const uint8_t own = wasm::MayTrap(op) ? kTrapsOther : kPure;
    Expr* e = NewExpr(ExprKind::kNumeric, wasm::KindOf(info.results[0]), own, a, b);
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
    Flush(kTrapsOther);
    Push(e);
  }
  void Store(Opcode op, const MemArg& arg) override {
    Stmt& s = Effectful(StmtKind::kStore, 2, kReadsMemory, arg.memory);
    s.op = op;
    s.bits = arg.offset;
    f_.uses_memory[arg.memory] = true;
  }
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
    Expr* e = NewExpr(ExprKind::kTableGet, module_.tables[table].type.element.kind(),
                      kReadsTable | kTrapsOther, index);
    e->index = table;
    Flush(kTraps);
    Push(e);
  }
  void TableSet(uint32_t table) override { Effectful(StmtKind::kTableSet, 2, kReadsTable, table); }
  void TableSize(uint32_t table) override {
    Expr* e = NewExpr(ExprKind::kTableSize, Kind::kI32, kReadsTable);
    e->index = table;
    Push(e);
  }
  void TableGrow(uint32_t table) override {
    EffectfulWithResult(StmtKind::kTableGrow, 2, kReadsTable, table, Kind::kI32);
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
  void RefNull(ValType type) override { Push(NewExpr(ExprKind::kRefNull, type.kind(), kPure)); }
  void RefIsNull() override {
    Expr* a = Pop();
    Push(NewExpr(ExprKind::kRefIsNull, Kind::kI32, kPure, a));
  }
  void RefFunc(uint32_t function) override {
    Expr* e = NewExpr(ExprKind::kRefFunc, Kind::kFuncRef, kPure);
    e->index = function;
    Push(e);
  }

 private:
  // ---- Expressions ----
  Expr* NewExpr(ExprKind kind, Kind type, uint8_t own_effects, Expr* a = nullptr, Expr* b = nullptr,
                Expr* c = nullptr) {
    Expr* e = new (f_.arena.Allocate<Expr>()) Expr;
    e->kind = kind;
    e->type = type;
    e->effects = own_effects;
    e->a = a;
    e->b = b;
    e->c = c;
    e->size = 1;
    for (Expr* x : {a, b, c}) {
      if (x == nullptr) continue;
      e->effects |= x->effects;
      e->size += x->size;
    }
    return e;
  }
  Expr* VarExpr(VarId var) {
    Expr* e = NewExpr(ExprKind::kVar, f_.vars[var].type, kPure);
    e->index = var;
    return e;
  }
  Kind AddressKind(uint32_t memory) const {
    return module_.memories[memory].type.limits.is64 ? Kind::kI64 : Kind::kI32;
  }

  // ---- The operand stack of pending trees ----
  void Count(const Expr* e, int by) {
    for (int bit = 0; bit < kEffectBits; ++bit) {
      if (e->effects >> bit & 1) effect_count_[bit] += by;
    }
    ForEachVar(e, [&](VarId v) { reads_[v] += by; });
  }
  void Push(Expr* e) {
    Count(e, 1);
    stack_.push_back(e);
    if (e->size > kMaxTree) Materialize(stack_.size() - 1);
  }
  Expr* Pop() {
    Expr* e = stack_.back();
    stack_.pop_back();
    low_water_ = std::min(low_water_, stack_.size());
    Count(e, -1);
    return e;
  }
  std::vector<Expr*> PopMany(size_t n) {
    std::vector<Expr*> values(n);
    while (n > 0) values[--n] = Pop();
    return values;
  }
  void Truncate(size_t height) {
    while (stack_.size() > height) Pop();
  }

  VarId NewVar(Var var) {
    f_.vars.push_back(var);
    reads_.push_back(0);
    return f_.vars.size() - 1;
  }
  VarId Slot(uint32_t height, Kind type, uint32_t variant) {
    const uint64_t key = uint64_t{height} << 32 | uint64_t{variant} << 8 | type;
    auto [it, fresh] = slots_.try_emplace(key, 0);
    if (fresh) it->second = NewVar({type, false, height, variant});
    return it->second;
  }
  // A slot for the operand at `height` that no pending tree reads.
  VarId FreeSlot(uint32_t height, Kind type) {
    for (uint32_t variant = 0;; ++variant) {
      const VarId v = Slot(height, type, variant);
      if (reads_[v] == 0) return v;
    }
  }
  bool IsStable(const Expr* e) const {
    return e->kind == ExprKind::kConst || e->kind == ExprKind::kRefNull ||
           e->kind == ExprKind::kRefFunc || (e->kind == ExprKind::kVar && !f_.vars[e->index].local);
  }
  void Materialize(size_t i) {
    Expr* e = stack_[i];
    if (IsStable(e)) return;
    Count(e, -1);
    const VarId v = FreeSlot(i, e->type);
    Set(v, e);
    stack_[i] = VarExpr(v);
    Count(stack_[i], 1);
  }
  void MaterializeAll() {
    for (size_t i = low_water_; i < stack_.size(); ++i) Materialize(i);
    low_water_ = stack_.size();
  }
  // Materializes the pending trees that have any of `effects`.
  void Flush(uint8_t effects) {
    const auto any = [&] {
      for (int bit = 0; bit < kEffectBits; ++bit) {
        if ((effects >> bit & 1) && effect_count_[bit] > 0) return true;
      }
      return false;
    };
    for (size_t i = stack_.size(); i > 0 && any(); --i) {
      if (stack_[i - 1]->effects & effects) Materialize(i - 1);
    }
  }
  // Assigns to a local; pending trees that read its old value are materialized first.
  void Assign(VarId local, Expr* value) {
    for (size_t i = stack_.size(); i > 0 && reads_[local] > 0; --i) {
      bool reads = false;
      ForEachVar(stack_[i - 1], [&](VarId v) { reads |= v == local; });
      if (reads) Materialize(i - 1);
    }
    Set(local, value);
  }
  void Set(VarId v, Expr* value) {
    Stmt& s = Emit(StmtKind::kSet);
    s.dst = v;
    SetArgs(s, {value});
  }

  // ---- Statements ----
  Stmt& Emit(StmtKind kind) {
    f_.stmts.emplace_back();
    Stmt& s = f_.stmts.back();
    s.kind = kind;
    s.offset = offset_;
    return s;
  }
  void SetArgs(Stmt& s, absl::Span<Expr* const> args) {
    s.args = f_.NewSpan<Expr*>(args.size());
    std::copy(args.begin(), args.end(), s.args.begin());
  }
  void SetArgs(Stmt& s, std::initializer_list<Expr*> args) {
    SetArgs(s, absl::MakeConstSpan(args.begin(), args.size()));
  }
  // A statement with `arity` operands; `disturbs`: what it may change.
  Stmt& Effectful(StmtKind kind, size_t arity, uint8_t disturbs, uint32_t index,
                  uint32_t index2 = 0) {
    const std::vector<Expr*> args = PopMany(arity);
    Flush(disturbs | kTraps);
    Stmt& s = Emit(kind);
    SetArgs(s, args);
    s.index = index;
    s.index2 = index2;
    return s;
  }
  void EffectfulWithResult(StmtKind kind, size_t arity, uint8_t disturbs, uint32_t index,
                           Kind result) {
    Effectful(kind, arity, disturbs, index);
    const size_t at = f_.stmts.size() - 1;
    const VarId v = FreeSlot(stack_.size(), result);
    f_.stmts[at].dst = v;
    Push(VarExpr(v));
  }
  void EmitCall(StmtKind kind, const wasm::FuncType& type, size_t extra, uint32_t index,
                uint32_t index2, bool may_suspend) {
    if (extra > 0) {
      // The callee is looked up first in C++, but arguments trap first in wasm.
      for (size_t i = stack_.size() - type.params.size() - 1; i + 1 < stack_.size(); ++i) {
        if (stack_[i]->effects & kTraps) Materialize(i);
      }
    }
    const std::vector<Expr*> args = PopMany(type.params.size() + extra);
    Flush(kReadsState | kTraps);
    const size_t at = f_.stmts.size();
    Stmt& s = Emit(kind);
    SetArgs(s, args);
    s.index = index;
    s.index2 = index2;
    s.may_suspend = may_suspend;
    if (may_suspend) {
      s.point = f_.point_count++;
      if (loop_depth_ > 0) f_.suspends_in_loop = true;
    }
    absl::Span<VarId> results = f_.NewSpan<VarId>(type.results.size());
    for (VarId& v : results) {
      v = FreeSlot(stack_.size(), type.results[&v - results.data()].kind());
      Push(VarExpr(v));
    }
    f_.stmts[at].results = results;
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
    for (ValType t : type.params) label.params.push_back(t.kind());
    for (ValType t : type.results) label.results.push_back(t.kind());
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
    const auto& kinds = label.operands();
    for (size_t i = 0; i < kinds.size(); ++i) {
      const Expr* e = stack_[stack_.size() - kinds.size() + i];
      if (e->kind != ExprKind::kVar) return false;
      const Var& v = f_.vars[e->index];
      if (v.local || v.height != label.height + i || v.variant != 0) return false;
    }
    return true;
  }
  // Assigns the top operands to the slots that a label at `height` expects them in.
  void MoveToCanonical(uint32_t height, absl::Span<const Kind> kinds) {
    const size_t base = stack_.size() - kinds.size();
    if (kinds.size() > 1) {
      for (size_t i = base; i < stack_.size(); ++i) Materialize(i);
    }
    for (size_t i = 0; i < kinds.size(); ++i) {
      Expr* e = stack_[base + i];
      const VarId v = Slot(height + i, kinds[i], 0);
      if (e->kind == ExprKind::kVar && e->index == v) continue;
      Set(v, e);
    }
  }
  void PushCanonical(uint32_t height, absl::Span<const Kind> kinds) {
    for (size_t i = 0; i < kinds.size(); ++i) Push(VarExpr(Slot(height + i, kinds[i], 0)));
  }
  // `br depth` with operands that are materialized and stay on the stack.
  void BranchKeepingOperands(uint32_t depth) {
    if (depth == labels_.size()) {
      const size_t n = result_kinds_.size();
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
      for (LabelId l : s.labels) used[l] = true;
    }
    f_.stmts.erase(
        std::remove_if(f_.stmts.begin(), f_.stmts.end(),
                       [&](const Stmt& s) { return s.kind == StmtKind::kLabel && !used[s.label]; }),
        f_.stmts.end());
  }

  const wasm::Module& module_;
  const analysis::Suspension& suspension_;
  Function& f_;
  std::vector<Expr*> stack_;
  size_t low_water_ = 0;  // operands below are stable
  std::array<uint32_t, kEffectBits> effect_count_{};
  std::vector<uint32_t> reads_;  // by variable: reads in pending trees
  absl::flat_hash_map<uint64_t, VarId> slots_;
  std::vector<Label> labels_;  // without the function's own
  std::vector<Kind> result_kinds_;
  uint32_t offset_ = 0;
  int loop_depth_ = 0;
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

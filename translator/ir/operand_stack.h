// The builder's operand stack: pending expression trees, the variables they are assigned to, and
// the statements that come of it.
#ifndef FERMATA_TRANSLATOR_IR_OPERAND_STACK_H_
#define FERMATA_TRANSLATOR_IR_OPERAND_STACK_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "translator/ir/ir.h"
#include "translator/wasm/module.h"

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

class OperandStack {
 protected:
  using Operands = absl::InlinedVector<Expr*, 8>;

  OperandStack(const wasm::Module& module, Function& function)
      : module_(module), f_(function), has_objects_(module.has_object_types) {}

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
  // `type`: of a reference in it.
  Expr* VarExpr(VarId var, wasm::ValType type = {}) {
    Expr* e = NewExpr(ExprKind::kVar, f_.vars[var].type, kPure);
    e->index = var;
    e->ref = type;
    return e;
  }
  Kind Rep(wasm::ValType type) const { return wasm::RepOf(module_, type); }
  Kind IndexKind(uint32_t table) const {
    return module_.tables[table].type.limits.is64 ? Kind::kI64 : Kind::kI32;
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
  Operands PopMany(size_t n) {
    Operands values(n);
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
    if (fresh) it->second = NewVar({type, false, height, variant, {}});
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
    stack_[i] = VarExpr(v, e->ref);
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
  // Makes `s` a place to suspend at. `used`: what statements after it read, beside the stack.
  void AddPoint(Stmt& s, absl::Span<Expr* const> used = {}) {
    s.point = f_.point_count++;
    if (loop_depth_ > 0) f_.suspends_in_loop = true;
    NoteReferences(s, used);
  }
  // What is known of the references on the stack, for whoever suspends at `s`.
  void NoteReferences(Stmt& s, absl::Span<Expr* const> used = {}) {
    if (!has_objects_) return;
    typed_.clear();
    const auto note = [&](const Expr* e) {
      ForEachVarNode(e, [&](const Expr* v) {
        if (v->ref != wasm::ValType::kBottom && !f_.vars[v->index].local) {
          typed_.push_back({v->index, v->ref});
        }
      });
    };
    for (const Expr* e : stack_) note(e);
    for (const Expr* e : used) note(e);
    s.refs = f_.NewSpan<TypedVar>(typed_.size());
    std::copy(typed_.begin(), typed_.end(), s.refs.begin());
  }
  // A statement with `arity` operands; `disturbs`: what it may change.
  Stmt& Effectful(StmtKind kind, size_t arity, uint8_t disturbs, uint32_t index,
                  uint32_t index2 = 0) {
    const Operands args = PopMany(arity);
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
    NoteReferences(f_.stmts[at]);
    const VarId v = FreeSlot(stack_.size(), result);
    f_.stmts[at].dst = v;
    Push(VarExpr(v));
  }

  const wasm::Module& module_;
  Function& f_;
  std::vector<Expr*> stack_;
  size_t low_water_ = 0;  // operands below are stable
  uint32_t offset_ = 0;   // of the current instruction
  int loop_depth_ = 0;
  const bool has_objects_;  // the module has structs or arrays

 private:
  static constexpr uint16_t kMaxTree = 24;  // nodes

  std::array<uint32_t, kEffectBits> effect_count_{};
  absl::flat_hash_map<uint64_t, VarId> slots_;
  std::vector<TypedVar> typed_;  // of one statement

 protected:
  std::vector<uint32_t> reads_;  // by variable: reads in pending trees
};

}  // namespace fermata::ir

#endif  // FERMATA_TRANSLATOR_IR_OPERAND_STACK_H_

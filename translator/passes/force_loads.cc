#include "translator/passes/force_loads.h"

#include "llvm/ADT/BitVector.h"
#include "translator/analysis/cfg.h"

// note [forced loads]
//
// Under the reserved memory policy a load that is out of bounds traps by a fault, so to the C++
// compiler it is a plain read, which it removes if the value goes unused and moves to the path that
// uses it. The guest must trap all the same:
//
//     s0 = i32_load(m0, l0, 0);            s0 = force(i32_load(m0, l0, 0));
//     if (l1) goto L;     // no use        if (l1) goto L;
//     l2 = s0;                             l2 = s0;
//
// `force` passes the value through an empty asm statement. Forcing every load costs 12 % and
// vectorization, so only those are forced whose value is not surely used: a backward data flow of
// "on every path from here the variable reaches an essential use before it is assigned again". An
// essential use is one in a statement with an effect, or in the right-hand side of an assignment to
// a variable that is itself surely used. A use that the value can't influence is not essential:
// the arms of a select, x ^ x, x & 0, arguments of functions small enough to be inlined. A check
// that may trap (of a divisor, of call_indirect's element) is a path that leaves: what is only used
// after it is not surely used before it.

namespace fermata::passes {
namespace {

using ir::Expr;
using ir::ExprKind;
using ir::Stmt;
using ir::StmtKind;
using ir::VarId;
using llvm::BitVector;
using wasm::Opcode;

constexpr uint32_t kInlinable = 200;  // bytes of wasm body
constexpr uint64_t kMostBits = uint64_t{1} << 31;

// The operation may give a result that does not depend on its operands.
bool Cancels(const Expr* e) {
  const auto is_zero = [](const Expr* x) { return x->kind == ExprKind::kConst && x->bits == 0; };
  switch (e->op) {
    case Opcode::kI32Mul:
    case Opcode::kI64Mul:
    case Opcode::kI32And:
    case Opcode::kI64And:
      return is_zero(e->a) || is_zero(e->b);
    case Opcode::kI32Sub:
    case Opcode::kI64Sub:
    case Opcode::kI32Xor:
    case Opcode::kI64Xor:
    case Opcode::kI32Eq:
    case Opcode::kI64Eq:
    case Opcode::kI32Ne:
    case Opcode::kI64Ne:
      return e->a->kind == ExprKind::kVar && e->b->kind == ExprKind::kVar &&
             e->a->index == e->b->index;
    default:
      return false;
  }
}

class Pass {
 public:
  Pass(ir::Function& f, const analysis::CallGraph& graph) : f_(f), graph_(graph), cfg_(f) {}

  // Whether the bit vectors fit the memory that one function may cost.
  bool Affordable() const { return cfg_.blocks().size() * uint64_t{f_.vars.size()} <= kMostBits; }

  int ForceAll() {
    marking_ = true;
    BitVector none(f_.vars.size());
    for (Stmt& s : f_.stmts) {
      for (Expr* e : s.args) Use(e, false, none);
      if (s.kind == StmtKind::kCall) s.force = !s.results.empty();
    }
    return marked_;
  }

  int Run() {
    const size_t n = cfg_.blocks().size();
    // Greatest fixed point: everything is surely used until shown otherwise.
    in_.assign(n, BitVector(f_.vars.size(), true));
    std::vector<bool> queued(n, true);
    for (bool changed = true; changed;) {
      changed = false;
      for (uint32_t b = n; b-- > 0;) {
        if (!queued[b]) continue;
        queued[b] = false;
        BitVector used = Visit(b);
        if (used == in_[b]) continue;
        in_[b] = std::move(used);
        for (uint32_t p : cfg_.blocks()[b].previous) queued[p] = true;
        changed = true;
      }
    }
    marking_ = true;
    for (uint32_t b = 0; b < n; ++b) Visit(b);
    return marked_;
  }

 private:
  BitVector Visit(uint32_t b) {
    const analysis::Cfg::Block& block = cfg_.blocks()[b];
    BitVector used(f_.vars.size(), !block.next.empty());
    for (uint32_t next : block.next) used &= in_[next];
    for (uint32_t i = block.end; i-- > block.begin;) Step(i, used);
    return used;
  }

  void Step(uint32_t i, BitVector& used) {
    Stmt& s = f_.stmts[i];
    bool essential = true;
    if (s.kind == StmtKind::kSet || s.kind == StmtKind::kEval) {
      essential = s.dst != ir::kNone && used.test(s.dst);
    } else if (s.kind == StmtKind::kJumpIf) {
      const bool to_next = i + 1 < f_.stmts.size() && f_.stmts[i + 1].kind == StmtKind::kLabel &&
                           f_.stmts[i + 1].label == s.label;
      essential = !to_next;
    } else if (s.kind == StmtKind::kCall) {
      const bool inlinable = graph_.functions[s.index].body_bytes != 0 &&
                             graph_.functions[s.index].body_bytes < kInlinable;
      essential = !inlinable;
      if (marking_ && inlinable) {
        for (VarId v : s.results) s.force |= !used.test(v);
      }
      // If it throws, what follows is not reached; the compiler can't see that of other calls.
      if (inlinable && s.may_throw && s.handler == ir::kNone) used.reset();
    }
    if (s.handler != ir::kNone) used &= in_[cfg_.BlockOf(s.handler)];
    ir::ForEachDef(s, [&](VarId v) { used.reset(v); });
    if (s.kind == StmtKind::kCallIndirect || s.kind == StmtKind::kCallRef ||
        s.kind == StmtKind::kReturnCallIndirect || s.kind == StmtKind::kReturnCallRef) {
      // The callee is checked before the arguments are passed.
      used.reset();
      for (Expr* e : s.args) Use(e, e == s.args.back(), used);
      return;
    }
    for (Expr* e : s.args) {
      if (!(e->effects & ir::kTrapsOther)) continue;
      used.reset();
      essential = false;
    }
    for (Expr* e : s.args) Use(e, essential, used);
  }

  void Use(Expr* e, bool essential, BitVector& used) {
    if (e == nullptr) return;
    switch (e->kind) {
      case ExprKind::kVar:
        if (essential) used.set(e->index);
        return;
      case ExprKind::kLoad:
        if (!essential && marking_ && !e->force) {
          e->force = 1;
          ++marked_;
        }
        return Use(e->a, true, used);
      case ExprKind::kLoadLane:
        if (!essential && marking_ && !e->force) {
          e->force = 1;
          ++marked_;
        }
        Use(e->b, essential, used);
        return Use(e->a, true, used);
      case ExprKind::kSelect:
        Use(e->a, false, used);
        Use(e->b, false, used);
        return Use(e->c, essential, used);
      default: {
        // A check that traps is an effect of its own.
        const bool own = e->kind == ExprKind::kTableGet || e->kind == ExprKind::kRefAsNonNull ||
                         (e->kind == ExprKind::kNumeric && wasm::MayTrap(e->op));
        const bool through = (essential || own) && !(e->kind == ExprKind::kNumeric && Cancels(e));
        Use(e->a, through, used);
        Use(e->b, through, used);
        Use(e->c, through, used);
      }
    }
  }

  ir::Function& f_;
  const analysis::CallGraph& graph_;
  const analysis::Cfg cfg_;
  std::vector<BitVector> in_;
  bool marking_ = false;
  int marked_ = 0;
};

}  // namespace

int ForceLoads(ir::Function& function, const analysis::CallGraph& graph) {
  Pass pass(function, graph);
  return pass.Affordable() ? pass.Run() : pass.ForceAll();
}

}  // namespace fermata::passes

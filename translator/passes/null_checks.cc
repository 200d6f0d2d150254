#include "translator/passes/null_checks.h"

#include <algorithm>
#include <vector>

// note [null checks]
//
// One walk over the statements. At a label, what is known is what all jumps to it know. Loops are
// not walked twice: at the head of one, a variable that is set anywhere behind it counts as unknown.
// At a landing of exceptions nothing is known, since control comes from the middle of a block.
//
// Within a statement the parts of its trees are evaluated in any order, so what one of them finds
// out counts from the next statement on.

namespace fermata::passes {
namespace {

using ir::CastTarget;
using ir::Expr;
using ir::ExprKind;
using ir::Stmt;
using ir::StmtKind;
using ir::VarId;

// Variables that are not null.
class Known {
 public:
  explicit Known(size_t vars) : in_(vars) {}

  bool Has(VarId v) const { return in_[v]; }
  void Add(VarId v) {
    if (in_[v]) return;
    if (list_.size() >= kMost && stale_) Compact();
    if (list_.size() >= kMost) return;
    in_[v] = true;
    list_.push_back(v);
  }
  void Remove(VarId v) {
    stale_ |= in_[v];
    in_[v] = false;
  }
  void Clear() {
    for (const VarId v : list_) in_[v] = false;
    list_.clear();
  }
  template <class Keep>
  void Filter(Keep&& keep) {
    for (const VarId v : list_) {
      if (!keep(v)) Remove(v);
    }
  }
  const std::vector<VarId>& List() {
    Compact();
    return list_;
  }

 private:
  static constexpr size_t kMost = 256;  // so that what labels keep is small

  void Compact() {
    stale_ = false;
    std::sort(list_.begin(), list_.end());
    list_.erase(std::unique(list_.begin(), list_.end()), list_.end());
    list_.erase(std::remove_if(list_.begin(), list_.end(), [&](VarId v) { return !in_[v]; }),
                list_.end());
  }

  std::vector<bool> in_;
  std::vector<VarId> list_;  // all that are, and some that were
  bool stale_ = false;       // there are some that were
};

class Pass {
 public:
  explicit Pass(ir::Function& f)
      : f_(f), known_(f.vars.size()), last_set_(f.vars.size()), labels_(f.label_count) {}

  void Run() {
    Prepare();
    for (size_t i = 0; i < f_.stmts.size(); ++i) {
      Stmt& s = f_.stmts[i];
      if (s.kind == StmtKind::kLabel) {
        EnterLabel(labels_[s.label], i);
        continue;
      }
      accessed_.clear();
      for (Expr* e : s.args) Visit(e);
      VisitAccess(s);
      const bool gives = s.kind == StmtKind::kSet && IsNotNull(s.args[0]);
      for (const VarId v : accessed_) known_.Add(v);
      Leave(s);
      ir::ForEachDef(s, [&](VarId v) { known_.Remove(v); });
      if (gives || MakesObject(s)) known_.Add(s.dst);
    }
  }

 private:
  struct Label {
    size_t at = 0;
    bool again = false;    // there is a jump back to it
    bool landing = false;  // of exceptions
    bool entered = false;  // the walk has come to it
    bool reached = false;  // by a jump; `known` is what is known then
    std::vector<VarId> known;
  };

  void Prepare() {
    for (size_t i = 0; i < f_.stmts.size(); ++i) {
      const Stmt& s = f_.stmts[i];
      if (s.kind == StmtKind::kLabel) labels_[s.label].at = i;
      if (s.handler != ir::kNone) labels_[s.handler].landing = true;
      ir::ForEachDef(s, [&](VarId v) { last_set_[v] = i; });
    }
    for (size_t i = 0; i < f_.stmts.size(); ++i) {
      const Stmt& s = f_.stmts[i];
      if (s.kind == StmtKind::kLabel) continue;
      ForEachTarget(s, [&](Label& label) { label.again |= label.at < i; });
    }
  }

  template <class F>
  void ForEachTarget(const Stmt& s, F&& f) {
    if (s.label != ir::kNone) f(labels_[s.label]);
    for (const ir::LabelId label : s.labels) f(labels_[label]);
  }

  void EnterLabel(Label& label, size_t at) {
    if (label.landing || ends_) known_.Clear();
    if (label.reached && !label.landing && ends_) {
      for (const VarId v : label.known) known_.Add(v);
    } else if (label.reached) {
      known_.Filter(
          [&](VarId v) { return std::binary_search(label.known.begin(), label.known.end(), v); });
    }
    if (label.again) known_.Filter([&](VarId v) { return last_set_[v] < at; });
    ends_ = false;
    label.entered = true;
    label.known = {};
  }

  void Reach(Label& label) {
    if (label.entered) return;
    const std::vector<VarId>& now = known_.List();
    if (!label.reached) {
      label.known = now;
      label.reached = true;
      return;
    }
    label.known.erase(std::remove_if(label.known.begin(), label.known.end(),
                                     [&](VarId v) { return !known_.Has(v); }),
                      label.known.end());
  }

  // Passes on what is known where control may go.
  void Leave(const Stmt& s) {
    if (s.kind == StmtKind::kJumpIf) {
      const std::vector<VarId> before = known_.List();
      Assume(s.args[0], !s.negate);
      Reach(labels_[s.label]);
      known_.Clear();
      for (const VarId v : before) known_.Add(v);
      Assume(s.args[0], s.negate);
    } else {
      ForEachTarget(s, [&](Label& label) { Reach(label); });
    }
    ends_ = ir::EndsFlow(s);
    if (ends_) known_.Clear();
  }

  // Takes it that the condition is `holds`.
  void Assume(const Expr* e, bool holds) {
    if (e->kind == ExprKind::kNumeric && e->op == wasm::Opcode::kI32Eqz) {
      return Assume(e->a, !holds);
    }
    if (e->a == nullptr || e->a->kind != ExprKind::kVar) return;
    const bool tells = (e->kind == ExprKind::kRefIsNull && !holds) ||
                       (e->kind == ExprKind::kRefTest && holds != e->cast->nullable);
    if (tells) known_.Add(e->a->index);
  }

  bool IsNotNull(const Expr* e) const {
    if (e->ref.is_ref() && !e->ref.nullable()) return true;
    switch (e->kind) {
      case ExprKind::kVar:
        return known_.Has(e->index);
      case ExprKind::kRefFunc:
      case ExprKind::kRefAsNonNull:
      case ExprKind::kRefI31:
        return true;
      case ExprKind::kRefCast:
        return !e->cast->nullable || IsNotNull(e->a);
      case ExprKind::kConvert:
        return IsNotNull(e->a);
      case ExprKind::kSelect:
        return IsNotNull(e->a) && IsNotNull(e->b);
      default:
        return false;
    }
  }

  static bool MakesObject(const Stmt& s) {
    return s.kind >= StmtKind::kStructNew && s.kind <= StmtKind::kArrayNewElem;
  }

  void Access(const Expr* reference) {
    if (reference->kind == ExprKind::kVar) accessed_.push_back(reference->index);
  }

  void VisitAccess(Stmt& s) {
    const bool writes = s.kind == StmtKind::kStructSet || s.kind == StmtKind::kArraySet;
    if (writes && IsNotNull(s.args[0])) s.negate = false;
    if (writes || (s.kind >= StmtKind::kArrayFill && s.kind <= StmtKind::kArrayInitElem)) {
      Access(s.args[0]);
    }
    if (s.kind == StmtKind::kArrayCopy) Access(s.args[2]);
  }

  void Visit(Expr* e) {
    if (e == nullptr) return;
    for (Expr* x : {e->a, e->b, e->c}) Visit(x);
    switch (e->kind) {
      case ExprKind::kStructGet:
      case ExprKind::kArrayGet:
      case ExprKind::kArrayLen:
      case ExprKind::kGetDescriptor:
      case ExprKind::kI31Get:
        if (IsNotNull(e->a)) e->nullable = false;
        return Access(e->a);
      case ExprKind::kRefAsNonNull:
        Access(e->a);
        if (e->a->kind == ExprKind::kVar && IsNotNull(e->a)) *e = Expr(*e->a);
        return;
      case ExprKind::kRefCast:
        if (!e->cast->nullable) Access(e->a);
        return NarrowCast(e);
      case ExprKind::kRefTest:
        return NarrowCast(e);
      default:
        return;
    }
  }

  void NarrowCast(Expr* e) {
    if (!e->cast->from_nullable || !IsNotNull(e->a)) return;
    auto* cast = new (f_.arena.Allocate<CastTarget>()) CastTarget(*e->cast);
    cast->from_nullable = false;
    e->cast = cast;
  }

  ir::Function& f_;
  Known known_;
  std::vector<size_t> last_set_;  // the last statement that sets a variable
  std::vector<Label> labels_;
  std::vector<VarId> accessed_;  // by the statement
  bool ends_ = false;            // control does not come from the statement before
};

}  // namespace

void DropNullChecks(ir::Function& f) { Pass(f).Run(); }

}  // namespace fermata::passes

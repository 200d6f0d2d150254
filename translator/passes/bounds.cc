#include "translator/passes/bounds.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "llvm/ADT/SmallVector.h"
#include "translator/analysis/value_ranges.h"

namespace fermata::passes {
namespace {

using ir::Expr;
using ir::ExprKind;
using ir::Kind;
using ir::Stmt;
using ir::StmtKind;
using ir::VarId;
using wasm::Opcode;

bool IsConst(const Expr* e) { return e->kind == ExprKind::kConst; }

// How far accesses since the last label have reached, by the variable and the constant that their
// addresses were the sum of.
class Touched {
 public:
  explicit Touched(size_t vars) : by_var_(vars) {}

  void Clear() {
    for (const VarId v : vars_) by_var_[v].clear();
    vars_.clear();
  }
  void Forget(VarId v) { by_var_[v].clear(); }

  // Whether an access of `end` bytes behind the address has been made.
  bool Has(uint32_t memory, const Expr* address, uint64_t end) const {
    const std::optional<Sum> sum = AsSum(address);
    if (!sum) return false;
    for (const Place& place : by_var_[sum->var]) {
      if (place.memory == memory && place.plus == sum->plus) return end <= place.end;
    }
    return false;
  }
  void Add(uint32_t memory, const Expr* address, uint64_t end) {
    const std::optional<Sum> sum = AsSum(address);
    if (!sum) return;
    auto& places = by_var_[sum->var];
    if (places.empty()) vars_.push_back(sum->var);
    for (Place& place : places) {
      if (place.memory != memory || place.plus != sum->plus) continue;
      place.end = std::max(place.end, end);
      return;
    }
    if (places.size() < kMostPlaces) places.push_back({memory, sum->plus, end});
  }

 private:
  static constexpr size_t kMostPlaces = 16;  // of a variable
  struct Sum {
    VarId var;
    uint32_t plus;
  };
  static std::optional<Sum> AsSum(const Expr* e) {
    if (e->type != Kind::kI32) return std::nullopt;
    if (e->kind == ExprKind::kVar) return Sum{e->index, 0};
    if (e->kind != ExprKind::kNumeric || e->op != Opcode::kI32Add || e->a->kind != ExprKind::kVar ||
        !IsConst(e->b)) {
      return std::nullopt;
    }
    return Sum{e->a->index, static_cast<uint32_t>(e->b->bits)};
  }
  struct Place {
    uint32_t memory;
    uint32_t plus;
    uint64_t end;
  };
  std::vector<llvm::SmallVector<Place, 2>> by_var_;
  std::vector<VarId> vars_;
};

class Pass {
 public:
  Pass(ir::Function& f, absl::FunctionRef<uint64_t(uint32_t)> least_bytes, bool trusts_frames)
      : f_(f),
        least_bytes_(least_bytes),
        trusts_frames_(trusts_frames),
        ranges_(f, trusts_frames),
        touched_(f.vars.size()) {}

  void Run() {
    for (uint32_t i = 0; i < f_.stmts.size(); ++i) {
      Stmt& s = f_.stmts[i];
      ranges_.Enter(i);
      if (s.kind == StmtKind::kLabel) touched_.Clear();
      const bool stores = s.kind == StmtKind::kStore || s.kind == StmtKind::kStoreLane;
      for (Expr* e : s.args) Visit(e);
      if (stores) s.in_bounds = IsInBounds(s.index, s.args[0], EndOf(s));
      for (const Expr* e : s.args) NoteLoads(e);
      if (stores && least_bytes_(s.index) != 0) touched_.Add(s.index, s.args[0], EndOf(s));
      ir::ForEachDef(s, [&](VarId v) { touched_.Forget(v); });
      if (s.point != ir::kNone && !trusts_frames_) touched_.Clear();
    }
  }

 private:
  // Bytes from the address to the end of what is accessed.
  template <class T>
  static uint64_t EndOf(const T& access) {
    return access.bits + wasm::AccessBytes(access.op);
  }
  static bool IsLoad(const Expr* e) {
    return e->kind == ExprKind::kLoad || e->kind == ExprKind::kLoadLane;
  }

  bool IsInBounds(uint32_t memory, const Expr* address, uint64_t end) const {
    const uint64_t least = least_bytes_(memory);
    if (least == 0) return false;
    // The offset of an access may have all of 64 bits.
    if (end <= least && ranges_.Of(address).most <= least - end) return true;
    return touched_.Has(memory, address, end);
  }
  void Visit(Expr* e) {
    if (e == nullptr || !(e->effects & ir::kTrapsOnMemory)) return;
    if (IsLoad(e)) e->in_bounds = IsInBounds(e->index, e->a, EndOf(*e));
    for (Expr* x : {e->a, e->b, e->c}) Visit(x);
  }
  void NoteLoads(const Expr* e) {
    if (e == nullptr || !(e->effects & ir::kTrapsOnMemory)) return;
    if (IsLoad(e) && least_bytes_(e->index) != 0) touched_.Add(e->index, e->a, EndOf(*e));
    for (const Expr* x : {e->a, e->b, e->c}) NoteLoads(x);
  }

  ir::Function& f_;
  const absl::FunctionRef<uint64_t(uint32_t)> least_bytes_;
  const bool trusts_frames_;
  analysis::ValueRanges ranges_;
  Touched touched_;
};

// Whether it accesses a memory of which that may be found out.
bool HasAccess(const ir::Function& f, absl::FunctionRef<uint64_t(uint32_t)> least_bytes) {
  for (uint32_t m = 0; m < f.uses_memory.size(); ++m) {
    if (f.uses_memory[m] && least_bytes(m) != 0) return true;
  }
  return false;
}

}  // namespace

void FindAccessesInBounds(ir::Function& function,
                          absl::FunctionRef<uint64_t(uint32_t)> least_bytes, bool trusts_frames) {
  if (HasAccess(function, least_bytes)) Pass(function, least_bytes, trusts_frames).Run();
}

}  // namespace fermata::passes

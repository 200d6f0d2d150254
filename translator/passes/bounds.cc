#include "translator/passes/bounds.h"

#include <algorithm>
#include <optional>
#include <utility>
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

bool IsLoad(const Expr* e) { return e->kind == ExprKind::kLoad || e->kind == ExprKind::kLoadLane; }
bool IsStore(const Stmt& s) { return s.kind == StmtKind::kStore || s.kind == StmtKind::kStoreLane; }
// Bytes from the address to the end of what is accessed. The offset may have all of 64 bits.
template <class T>
uint64_t EndOf(const T& access) {
  return access.bits + wasm::AccessBytes(access.op);
}

// A variable and a constant, modulo 2^32.
struct Sum {
  VarId var;
  uint32_t plus;
};
std::optional<Sum> AsSum(const Expr* e) {
  if (e->type != Kind::kI32) return std::nullopt;
  if (e->kind == ExprKind::kVar) return Sum{e->index, 0};
  if (e->kind != ExprKind::kNumeric || e->b == nullptr || e->a->kind != ExprKind::kVar ||
      e->b->kind != ExprKind::kConst) {
    return std::nullopt;
  }
  const auto by = static_cast<uint32_t>(e->b->bits);
  if (e->op == Opcode::kI32Add) return Sum{e->a->index, by};
  if (e->op == Opcode::kI32Sub) return Sum{e->a->index, 0 - by};
  return std::nullopt;
}

// Numbers of values: variables of one number differ by constants. Each has the value of its number
// plus `plus`, modulo 2^32.
struct Base {
  uint32_t number;
  uint32_t plus;
};
class Bases {
 public:
  explicit Bases(size_t vars) : by_var_(vars, {0, 0}), since_(vars, 0) {}

  // Forgets everything.
  void Clear() {
    ++now_;
    numbers_ = 0;
  }
  Base Of(VarId v) {
    if (since_[v] != now_) Forget(v);
    return by_var_[v];
  }
  std::optional<Base> Of(const Expr* address) {
    const std::optional<Sum> sum = AsSum(address);
    if (!sum) return std::nullopt;
    const Base base = Of(sum->var);
    return Base{base.number, base.plus + sum->plus};
  }
  void Forget(VarId v) {
    since_[v] = now_;
    by_var_[v] = {numbers_++, 0};
  }
  void Step(const Stmt& s) {
    std::optional<Base> base;
    if (s.kind == StmtKind::kSet) base = Of(s.args[0]);
    ir::ForEachDef(s, [&](VarId v) { Forget(v); });
    if (base) by_var_[s.dst] = *base;
  }

 private:
  std::vector<Base> by_var_;
  std::vector<uint32_t> since_;  // by variable: when it was set
  uint32_t now_ = 1;
  uint32_t numbers_ = 0;
};

// The same for statements that are looked at before their turn, of which all is forgotten.
class BasesAhead {
 public:
  explicit BasesAhead(Bases& bases) : bases_(bases) {}

  // Null: a value that has no number yet.
  std::optional<Base> Of(const Expr* address) {
    const std::optional<Sum> sum = AsSum(address);
    if (!sum) return std::nullopt;
    const auto set = std::find_if(set_.rbegin(), set_.rend(),
                                  [&](const auto& entry) { return entry.first == sum->var; });
    const std::optional<Base> base = set == set_.rend() ? bases_.Of(sum->var) : set->second;
    if (!base) return base;
    return Base{base->number, base->plus + sum->plus};
  }
  void Step(const Stmt& s) {
    const std::optional<Base> base = s.kind == StmtKind::kSet ? Of(s.args[0]) : std::nullopt;
    ir::ForEachDef(s, [&](VarId v) { set_.emplace_back(v, base); });
  }

 private:
  Bases& bases_;
  llvm::SmallVector<std::pair<VarId, std::optional<Base>>, 16> set_;  // the last one counts
};

// What accesses since the last label have shown to be in bounds: bytes from a value plus a constant
// on. They do not wrap around, since a memory ends at 2^32 at the latest.
class Touched {
 public:
  void Clear() { by_number_.clear(); }

  bool Has(uint32_t memory, Base at, uint64_t end) const {
    if (at.number >= by_number_.size()) return false;
    for (const Place& place : by_number_[at.number]) {
      const uint32_t behind = at.plus - place.plus;
      if (place.memory == memory && behind <= place.end && end <= place.end - behind) return true;
    }
    return false;
  }
  void Add(uint32_t memory, Base at, uint64_t end) {
    if (at.number >= by_number_.size()) by_number_.resize(at.number + 1);
    auto& places = by_number_[at.number];
    for (Place& place : places) {
      if (place.memory != memory || place.plus != at.plus) continue;
      place.end = std::max(place.end, end);
      return;
    }
    if (places.size() < kMostPlaces) places.push_back({memory, at.plus, end});
  }

 private:
  static constexpr size_t kMostPlaces = 16;  // of a value
  struct Place {
    uint32_t memory;
    uint32_t plus;
    uint64_t end;
  };
  std::vector<llvm::SmallVector<Place, 2>> by_number_;
};

class Pass {
 public:
  Pass(ir::Function& f, const BoundsOptions& options)
      : f_(f), options_(options), ranges_(f, options.trusts_frames), bases_(f.vars.size()) {}

  void Run() {
    for (uint32_t i = 0; i < f_.stmts.size(); ++i) {
      Stmt& s = f_.stmts[i];
      ranges_.Enter(i);
      if (s.kind == StmtKind::kLabel) Forget();
      if (options_.merges_checks) MergeFrom(i);
      for (Expr* e : s.args) Visit(e);
      if (IsStore(s)) s.in_bounds = IsInBounds(s.index, s.args[0], EndOf(s));
      for (const Expr* e : s.args) NoteLoads(e);
      if (IsStore(s)) Note(s.index, s.args[0], EndOf(s));
      bases_.Step(s);
      if (s.point != ir::kNone && !options_.trusts_frames) Forget();
    }
  }

 private:
  static constexpr uint32_t kMostAhead = 64;   // statements
  static constexpr uint32_t kMostSpan = 4096;  // bytes that are checked at once

  void Forget() {
    bases_.Clear();
    touched_.Clear();
  }

  bool IsInBounds(uint32_t memory, const Expr* address, uint64_t end) {
    const uint64_t least = options_.least_bytes(memory);
    if (least == 0) return false;
    if (end <= least && ranges_.Of(address).most <= least - end) return true;
    const std::optional<Base> base = bases_.Of(address);
    return base && touched_.Has(memory, *base, end);
  }
  void Visit(Expr* e) {
    if (e == nullptr || !(e->effects & ir::kTrapsOnMemory)) return;
    if (IsLoad(e)) e->in_bounds = IsInBounds(e->index, e->a, EndOf(*e));
    for (Expr* x : {e->a, e->b, e->c}) Visit(x);
  }
  void Note(uint32_t memory, const Expr* address, uint64_t end) {
    if (options_.least_bytes(memory) == 0) return;
    if (const std::optional<Base> base = bases_.Of(address)) touched_.Add(memory, *base, end);
  }
  void NoteLoads(const Expr* e) {
    if (e == nullptr || !(e->effects & ir::kTrapsOnMemory)) return;
    if (IsLoad(e)) Note(e->index, e->a, EndOf(*e));
    for (const Expr* x : {e->a, e->b, e->c}) NoteLoads(x);
  }

  // ---- Merging checks ----------------------------------------------------------------------------

  // Accesses from one value that follow each other, with nothing between them that a host could see
  // or that could trap for another reason.
  struct Group {
    uint32_t memory;
    uint32_t number;
    uint32_t first_plus;  // of the access that is met first
    const Expr* first;    // its address
    // From there on: where the lowest begins and where the furthest ends.
    int64_t low = 0;
    int64_t high = 0;
    int count = 0;
  };

  // Only what traps out of bounds of a memory, or does not trap.
  static bool IsQuiet(const Stmt& s) {
    return std::all_of(s.args.begin(), s.args.end(), [](const Expr* e) {
      return (e->effects & ir::kTraps & ~ir::kTrapsOnMemory) == 0;
    });
  }

  // `begins`: a value that none has yet makes a group.
  void AddTo(std::vector<Group>& groups, BasesAhead& bases, uint32_t memory, const Expr* address,
             uint64_t end, bool begins) {
    const std::optional<Base> base = bases.Of(address);
    if (!base || options_.least_bytes(memory) == 0 || end > kMostSpan) return;
    auto group = std::find_if(groups.begin(), groups.end(), [&](const Group& g) {
      return g.memory == memory && g.number == base->number;
    });
    if (group == groups.end()) {
      if (!begins) return;
      groups.push_back({memory, base->number, base->plus, address});
      group = groups.end() - 1;
    }
    const int64_t at = static_cast<int32_t>(base->plus - group->first_plus);
    const int64_t low = std::min(group->low, at);
    const int64_t high = std::max(group->high, at + static_cast<int64_t>(end));
    if (high - low > kMostSpan) return;
    group->low = low;
    group->high = high;
    ++group->count;
  }
  void AddLoads(std::vector<Group>& groups, BasesAhead& bases, const Expr* e, bool begins) {
    if (e == nullptr || !(e->effects & ir::kTrapsOnMemory)) return;
    for (const Expr* x : {e->a, e->b, e->c}) AddLoads(groups, bases, x, begins);
    if (IsLoad(e)) AddTo(groups, bases, e->index, e->a, EndOf(*e), begins);
  }

  // Makes one check before statement `i` for accesses from one value that begin there.
  void MergeFrom(uint32_t i) {
    const auto traps = [](const Stmt& s) {
      return IsStore(s) || std::any_of(s.args.begin(), s.args.end(), [](const Expr* e) {
               return (e->effects & ir::kTrapsOnMemory) != 0;
             });
    };
    if (!traps(f_.stmts[i]) || !IsQuiet(f_.stmts[i])) return;
    std::vector<Group> groups;
    BasesAhead bases(bases_);
    for (uint32_t j = i; j < f_.stmts.size() && j < i + kMostAhead; ++j) {
      const Stmt& s = f_.stmts[j];
      if (s.kind == StmtKind::kLabel || !IsQuiet(s)) break;
      for (const Expr* e : s.args) AddLoads(groups, bases, e, j == i);
      if (IsStore(s)) AddTo(groups, bases, s.index, s.args[0], EndOf(s), j == i);
      if (s.kind != StmtKind::kSet && s.kind != StmtKind::kEval) break;
      bases.Step(s);
    }
    std::vector<ir::BoundsCheck> checks;
    for (const Group& group : groups) {
      if (group.count > 1) AddCheck(group, checks);
    }
    f_.stmts[i].checks = f_.NewSpan<ir::BoundsCheck>(checks.size());
    std::copy(checks.begin(), checks.end(), f_.stmts[i].checks.begin());
  }

  void AddCheck(const Group& group, std::vector<ir::BoundsCheck>& checks) {
    const auto low = static_cast<uint32_t>(group.low);
    const Base base = {group.number, group.first_plus + low};
    const auto size = static_cast<uint32_t>(group.high - group.low);
    // They may all be in bounds without it.
    if (touched_.Has(group.memory, base, size)) return;
    const uint64_t least = options_.least_bytes(group.memory);
    const Expr* first = group.first;
    const analysis::Range range = ranges_.Of(first);
    if (int64_t{range.least} + group.low >= 0 &&
        range.most + group.high <= static_cast<int64_t>(least)) {
      return;
    }
    const Sum sum = *AsSum(first);
    checks.push_back({group.memory, size, NewSum(sum.var, sum.plus + low)});
    touched_.Add(group.memory, base, size);
  }

  Expr* NewSum(VarId var, uint32_t plus) {
    const auto make = [&](ExprKind kind, uint16_t size) {
      Expr* const e = new (f_.arena.Allocate<Expr>()) Expr();
      e->kind = kind;
      e->type = Kind::kI32;
      e->effects = ir::kPure;
      e->size = size;
      return e;
    };
    Expr* const v = make(ExprKind::kVar, 1);
    v->index = var;
    if (plus == 0) return v;
    Expr* const sum = make(ExprKind::kNumeric, 3);
    sum->op = Opcode::kI32Add;
    sum->a = v;
    sum->b = make(ExprKind::kConst, 1);
    sum->b->bits = plus;
    return sum;
  }

  ir::Function& f_;
  const BoundsOptions& options_;
  analysis::ValueRanges ranges_;
  Bases bases_;
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

void FindAccessesInBounds(ir::Function& function, const BoundsOptions& options) {
  if (HasAccess(function, options.least_bytes)) Pass(function, options).Run();
}

}  // namespace fermata::passes

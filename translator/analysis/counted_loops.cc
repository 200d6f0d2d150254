#include "translator/analysis/counted_loops.h"

#include <algorithm>
#include <optional>
#include <set>

#include "translator/analysis/cfg.h"
#include "translator/analysis/comparisons.h"

namespace fermata::analysis {
namespace {

using ir::Expr;
using ir::ExprKind;
using ir::Stmt;
using ir::StmtKind;
using ir::VarId;
using wasm::Opcode;

// Larger loops are not looked at.
constexpr uint32_t kMostLookedAt = 1000;  // statements
constexpr uint64_t kUnknown = ~uint64_t{0};

struct Loop {
  ir::LabelId label;
  uint32_t head;  // statements [head, end]
  uint32_t end;
  uint32_t back_edges;
  uint64_t cost = kUnknown;  // in statements, over all rounds
};

// var + add, modulo the width of the type.
struct Linear {
  VarId var;
  int64_t add;
};

int64_t Signed(ir::Kind kind, uint64_t bits) {
  return kind == ir::Kind::kI32 ? static_cast<int32_t>(bits) : static_cast<int64_t>(bits);
}
int64_t Add(ir::Kind kind, int64_t a, int64_t b) {
  return Signed(kind, static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

bool IsConst(const Expr* e) { return e->kind == ExprKind::kConst; }
bool IsInteger(ir::Kind kind) { return kind == ir::Kind::kI32 || kind == ir::Kind::kI64; }

std::optional<Linear> AsLinear(const Expr* e) {
  if (!IsInteger(e->type)) return std::nullopt;
  if (e->kind == ExprKind::kVar) return Linear{e->index, 0};
  if (e->kind != ExprKind::kNumeric) return std::nullopt;
  const bool add = e->op == Opcode::kI32Add || e->op == Opcode::kI64Add;
  const bool sub = e->op == Opcode::kI32Sub || e->op == Opcode::kI64Sub;
  if (!add && !sub) return std::nullopt;
  const Expr *a = e->a, *b = e->b;
  if (add && IsConst(a)) std::swap(a, b);
  if (!IsConst(b)) return std::nullopt;
  std::optional<Linear> linear = AsLinear(a);
  if (!linear) return linear;
  const int64_t by = Signed(e->type, sub ? ~b->bits + 1 : b->bits);
  linear->add = Add(e->type, linear->add, by);
  return linear;
}

// A loop goes on while `left` is in `relation` to `bound`.
enum class Relation : uint8_t { kNotEqual, kLess, kGreater };
struct Test {
  const Expr* left;
  Relation relation;
  bool is_unsigned;
  int64_t bound;  // exclusive
};

// The test "goes on if `condition` is true (`truth`) or false".
std::optional<Test> AsTest(const Expr* condition, bool truth) {
  const bool eqz = condition->kind == ExprKind::kNumeric &&
                   (condition->op == Opcode::kI32Eqz || condition->op == Opcode::kI64Eqz);
  if (eqz) {
    const Expr* inner = condition->a;
    if (inner->kind == ExprKind::kNumeric && ComparisonOf(inner->op)) return AsTest(inner, !truth);
    if (truth) return std::nullopt;
    return Test{inner, Relation::kNotEqual, false, 0};
  }
  const std::optional<Comparison> comparison =
      condition->kind == ExprKind::kNumeric ? ComparisonOf(condition->op) : std::nullopt;
  if (!comparison) {
    if (!truth) return std::nullopt;
    return Test{condition, Relation::kNotEqual, false, 0};
  }
  const Expr *left = condition->a, *right = condition->b;
  Sign sign = comparison->sign;
  if (IsConst(left)) {
    std::swap(left, right);
    sign = Mirror(sign);
  }
  if (!IsConst(right) || !IsInteger(right->type)) return std::nullopt;
  if (!truth) sign = Negate(sign);
  int64_t bound = Signed(right->type, right->bits);
  if (comparison->is_unsigned && right->type == ir::Kind::kI32) {
    bound = static_cast<uint32_t>(right->bits);
  }
  if (sign == Sign::kEqual) return std::nullopt;
  if (sign == Sign::kNotEqual) return Test{left, Relation::kNotEqual, false, bound};
  // Bounds that are near those of the type are no bounds.
  if (bound >= INT64_MAX - 1 || bound <= INT64_MIN + 1) return std::nullopt;
  if (comparison->is_unsigned && bound < 0) return std::nullopt;
  if (sign == Sign::kLessOrEqual) ++bound;
  if (sign == Sign::kGreaterOrEqual) --bound;
  const bool less = sign == Sign::kLess || sign == Sign::kLessOrEqual;
  return Test{left, less ? Relation::kLess : Relation::kGreater, comparison->is_unsigned, bound};
}

// Rounds of a loop in which the tested value starts at `start` and changes by `step`.
std::optional<uint64_t> CountRounds(ir::Kind kind, const Test& test, int64_t start, int64_t step) {
  constexpr int64_t kMost = int64_t{1} << 40;
  int64_t low = kind == ir::Kind::kI32 ? INT32_MIN : -kMost;
  int64_t high = kind == ir::Kind::kI32 ? INT32_MAX : kMost;
  if (test.is_unsigned) {
    low = 0;
    if (kind == ir::Kind::kI32) {
      high = UINT32_MAX;
      start = static_cast<uint32_t>(start);
    }
  }
  if (step == 0 || start < low || start > high) return std::nullopt;
  if (step < -kMost || step > kMost || test.bound < -kMost || test.bound > kMost) {
    return std::nullopt;
  }
  const int64_t distance = test.bound - start;
  switch (test.relation) {
    case Relation::kNotEqual:
      if (distance % step != 0 || distance / step < 0) return std::nullopt;
      return distance / step + 1;
    case Relation::kLess:
      if (distance <= 0) return 1;
      if (step < 0 || test.bound + step > high) return std::nullopt;
      return (distance + step - 1) / step + 1;
    case Relation::kGreater:
      if (distance >= 0) return 1;
      if (step > 0 || test.bound + step < low) return std::nullopt;
      return (distance + step + 1) / step + 1;
  }
  return std::nullopt;
}

class LoopBounds {
 public:
  LoopBounds(const ir::Function& f, const Cfg& cfg, bool trusts_frames)
      : f_(f), cfg_(cfg), trusts_frames_(trusts_frames), jumps_(f.label_count) {
    is_handler_.assign(cfg.blocks().size(), false);
    for (uint32_t i = 0; i < f.stmts.size(); ++i) {
      const Stmt& s = f.stmts[i];
      const auto note = [&](ir::LabelId label) {
        if (label == ir::kNone) return;
        jumps_[label].first = std::min(jumps_[label].first, i);
        jumps_[label].last = i;
      };
      if (s.kind != StmtKind::kLabel) note(s.label);
      for (const ir::LabelId l : s.labels) note(l);
      note(s.handler);
      if (s.handler != ir::kNone) is_handler_[cfg.BlockOf(s.handler)] = true;
    }
  }

  // An upper bound of the rounds.
  std::optional<uint64_t> Rounds(const Loop& loop, const std::vector<uint32_t>& labels) {
    loop_ = &loop;
    labels_ = &labels;
    if (loop.back_edges != 1 || loop.end - loop.head > kMostLookedAt) return std::nullopt;
    if (!IsEnteredAtHead()) return std::nullopt;
    std::optional<uint64_t> least;
    for (uint32_t i = loop.head; i <= loop.end; ++i) {
      const Stmt& s = f_.stmts[i];
      if (s.kind != StmtKind::kJumpIf) continue;
      const uint32_t to = labels[s.label];
      const bool back = i == loop.end;
      if (!back && to >= loop.head && to <= loop.end) continue;
      const std::optional<Test> test = AsTest(s.args[0], back != s.negate);
      if (!test) continue;
      const std::optional<uint64_t> rounds = RoundsOf(*test, i);
      if (rounds && (!least || *rounds < *least)) least = rounds;
    }
    return least;
  }

  // Of the loop that Rounds was asked for last.
  std::vector<CountedLoop::Step> Steps() const {
    std::vector<CountedLoop::Step> steps;
    std::set<VarId> seen;
    for (uint32_t i = loop_->head; i <= loop_->end; ++i) {
      const Stmt& s = f_.stmts[i];
      if (s.kind != StmtKind::kSet || !IsInteger(s.args[0]->type)) continue;
      if (!seen.insert(s.dst).second) continue;
      const std::optional<Linear> next = AtHead(s.args[0]->type, {s.dst, 0}, loop_->end + 1);
      if (next && next->var == s.dst) steps.push_back({s.dst, next->add});
    }
    return steps;
  }

 private:
  // Nothing goes into the midst of the loop. Where the last jump to its head is in a loop within it,
  // the end of that one does: loop $a (loop $b (br_if $a …) (br_if $b …)).
  bool IsEnteredAtHead() const {
    for (uint32_t i = loop_->head + 1; i <= loop_->end; ++i) {
      const Stmt& s = f_.stmts[i];
      if (s.kind != StmtKind::kLabel) continue;
      const Jumps& jumps = jumps_[s.label];
      if (jumps.first < loop_->head || (jumps.last != ir::kNone && jumps.last > loop_->end)) {
        return false;
      }
    }
    return true;
  }

  std::optional<uint64_t> RoundsOf(const Test& test, uint32_t at) {
    const std::optional<Linear> tested = AsLinear(test.left);
    if (!tested || !OnEveryPath(at)) return std::nullopt;
    const ir::Kind kind = test.left->type;
    const std::optional<Linear> first = AtHead(kind, *tested, at);
    if (!first) return std::nullopt;
    const std::optional<Linear> next = AtHead(kind, {first->var, 0}, loop_->end + 1);
    if (!next || next->var != first->var) return std::nullopt;
    std::vector<int64_t> starts;
    if (!FindStarts(first->var, starts)) return std::nullopt;
    uint64_t most = 0;
    for (const int64_t start : starts) {
      const std::optional<uint64_t> rounds =
          CountRounds(kind, test, Add(kind, start, first->add), next->add);
      if (!rounds) return std::nullopt;
      most = std::max(most, *rounds);
    }
    return most;
  }

  // A value before statement `at`, in terms of a variable's value at the head in the same round.
  std::optional<Linear> AtHead(ir::Kind kind, Linear value, uint32_t at) const {
    for (int steps = 0; steps < 8; ++steps) {
      uint32_t def = ir::kNone;
      for (uint32_t i = loop_->head; i <= loop_->end; ++i) {
        bool defines = false;
        ir::ForEachDef(f_.stmts[i], [&](VarId v) { defines |= v == value.var; });
        if (!defines) continue;
        if (def != ir::kNone) return std::nullopt;
        def = i;
      }
      if (def == ir::kNone || def >= at) return value;
      const Stmt& s = f_.stmts[def];
      if (s.kind != StmtKind::kSet || !OnEveryPath(def)) return std::nullopt;
      const std::optional<Linear> from = AsLinear(s.args[0]);
      if (!from) return std::nullopt;
      value = {from->var, Add(kind, from->add, value.add)};
      at = def;
    }
    return std::nullopt;
  }

  // Each round passes the statement. Within a round control goes forward only, but for loops within
  // this one, which a statement on every path is not part of.
  bool OnEveryPath(uint32_t at) const {
    std::vector<uint32_t> todo{loop_->head};
    std::set<uint32_t> seen{loop_->head};
    const auto go = [&](ir::LabelId label) {
      if (label == ir::kNone) return;
      const uint32_t to = (*labels_)[label];
      if (to > loop_->head && to <= loop_->end && seen.insert(to).second) todo.push_back(to);
    };
    if (at == loop_->end) return true;
    // A jump backwards over it: it is in a loop within this one.
    for (uint32_t i = at; i < loop_->end; ++i) {
      const Stmt& s = f_.stmts[i];
      const auto over = [&](ir::LabelId label) {
        return label != ir::kNone && (*labels_)[label] > loop_->head && (*labels_)[label] <= at;
      };
      if (over(s.label) || std::any_of(s.labels.begin(), s.labels.end(), over)) return false;
    }
    while (!todo.empty()) {
      uint32_t i = todo.back();
      todo.pop_back();
      for (; i <= loop_->end; ++i) {
        if (i == at) break;
        if (i == loop_->end) return false;
        const Stmt& s = f_.stmts[i];
        if (s.handler != ir::kNone) return false;
        if (s.kind == StmtKind::kJump || ir::IsConditionalJump(s)) go(s.label);
        for (const ir::LabelId l : s.labels) go(l);
        if (ir::EndsFlow(s)) break;
      }
    }
    return true;
  }

  // The constants that the variable may have when the loop is entered.
  bool FindStarts(VarId var, std::vector<int64_t>& starts) const {
    constexpr size_t kMostBlocks = 50;
    std::set<uint32_t> seen;
    std::vector<uint32_t> todo;
    const uint32_t head = cfg_.BlockOf(loop_->label);
    const auto go_back = [&](uint32_t block) {
      if (is_handler_[block]) return false;  // blocks are left for it anywhere
      for (const uint32_t p : cfg_.blocks()[block].previous) {
        const uint32_t begin = cfg_.blocks()[p].begin;
        if (block == head && begin >= loop_->head && begin <= loop_->end) continue;
        if (seen.insert(p).second) todo.push_back(p);
      }
      return block != 0 || AtEntry(var, starts);
    };
    if (!go_back(head)) return false;
    while (!todo.empty()) {
      const uint32_t b = todo.back();
      todo.pop_back();
      if (seen.size() > kMostBlocks) return false;
      const Cfg::Block& block = cfg_.blocks()[b];
      const Stmt* def = nullptr;
      for (uint32_t i = block.begin; i < block.end; ++i) {
        const Stmt& s = f_.stmts[i];
        if (s.point != ir::kNone && !trusts_frames_) def = &s;
        ir::ForEachDef(s, [&](VarId v) {
          if (v == var) def = &s;
        });
      }
      if (def == nullptr) {
        if (!go_back(b)) return false;
        continue;
      }
      if (def->kind != StmtKind::kSet || !IsConst(def->args[0])) return false;
      starts.push_back(Signed(f_.vars[var].type, def->args[0]->bits));
    }
    return !starts.empty();
  }
  bool AtEntry(VarId var, std::vector<int64_t>& starts) const {
    if (var < f_.type->params.size() || !f_.vars[var].local) return false;
    starts.push_back(0);
    return true;
  }

  const ir::Function& f_;
  const Cfg& cfg_;
  const bool trusts_frames_;
  // Statements that go to a label, by label.
  struct Jumps {
    uint32_t first = ir::kNone;
    uint32_t last = ir::kNone;
  };
  std::vector<Jumps> jumps_;
  std::vector<bool> is_handler_;  // by block
  const Loop* loop_ = nullptr;
  const std::vector<uint32_t>* labels_ = nullptr;
};

// What takes no more than a bounded time.
bool IsBrief(const Stmt& s) {
  switch (s.kind) {
    case StmtKind::kCall:
    case StmtKind::kCallIndirect:
    case StmtKind::kCallRef:
    case StmtKind::kAtomic:  // may wait
    case StmtKind::kMemoryGrow:
    case StmtKind::kMemoryFill:
    case StmtKind::kMemoryCopy:
    case StmtKind::kMemoryInit:
    case StmtKind::kTableGrow:
    case StmtKind::kTableFill:
    case StmtKind::kTableCopy:
    case StmtKind::kTableInit:
    case StmtKind::kArrayNew:
    case StmtKind::kArrayNewFixed:
    case StmtKind::kArrayNewData:
    case StmtKind::kArrayNewElem:
    case StmtKind::kArrayFill:
    case StmtKind::kArrayCopy:
    case StmtKind::kArrayInitData:
    case StmtKind::kArrayInitElem:
      return false;
    case StmtKind::kSet:
    case StmtKind::kEval:
    case StmtKind::kStore:
    case StmtKind::kStoreLane:
    case StmtKind::kAtomicFence:
    case StmtKind::kWide:
    case StmtKind::kGlobalSet:
    case StmtKind::kReturnCall:
    case StmtKind::kReturnCallIndirect:
    case StmtKind::kReturnCallRef:
    case StmtKind::kPause:
    case StmtKind::kJump:
    case StmtKind::kJumpIf:
    case StmtKind::kJumpTable:
    case StmtKind::kLabel:
    case StmtKind::kReturn:
    case StmtKind::kUnreachable:
    case StmtKind::kThrow:
    case StmtKind::kThrowRef:
    case StmtKind::kJumpUnlessTag:
    case StmtKind::kCatch:
    case StmtKind::kLeave:
    case StmtKind::kDataDrop:
    case StmtKind::kTableSet:
    case StmtKind::kElemDrop:
    case StmtKind::kRoom:
    case StmtKind::kStructNew:
    case StmtKind::kStructSet:
    case StmtKind::kArraySet:
      return s.handler == ir::kNone;
  }
  return false;
}

std::vector<Loop> FindLoops(const ir::Function& f, const std::vector<uint32_t>& labels) {
  std::vector<uint32_t> end(f.label_count, ir::kNone), edges(f.label_count, 0);
  for (uint32_t i = 0; i < f.stmts.size(); ++i) {
    const Stmt& s = f.stmts[i];
    if (s.kind == StmtKind::kLabel) continue;
    const auto back = [&](ir::LabelId label) {
      if (label == ir::kNone || labels[label] > i || end[label] == i) return;
      end[label] = i;
      ++edges[label];
    };
    back(s.label);
    for (const ir::LabelId l : s.labels) back(l);
  }
  std::vector<Loop> loops;
  for (ir::LabelId l = 0; l < f.label_count; ++l) {
    if (edges[l] != 0) loops.push_back({l, labels[l], end[l], edges[l]});
  }
  // Inner loops end before those around them, or begin after them.
  std::sort(loops.begin(), loops.end(), [](const Loop& a, const Loop& b) {
    return a.end != b.end ? a.end < b.end : a.head > b.head;
  });
  return loops;
}

// By label.
std::vector<uint32_t> StatementsOfLabels(const ir::Function& f) {
  std::vector<uint32_t> labels(f.label_count, ir::kNone);
  for (uint32_t i = 0; i < f.stmts.size(); ++i) {
    if (f.stmts[i].kind == StmtKind::kLabel) labels[f.stmts[i].label] = i;
  }
  return labels;
}

}  // namespace

std::vector<CountedLoop> FindCountedLoops(const ir::Function& f, bool trusts_frames) {
  if (!f.has_loop) return {};
  const std::vector<uint32_t> labels = StatementsOfLabels(f);
  const Cfg cfg(f);
  LoopBounds bounds(f, cfg, trusts_frames);
  std::vector<CountedLoop> result;
  for (const Loop& loop : FindLoops(f, labels)) {
    const bool resumes = std::any_of(f.stmts.begin() + loop.head, f.stmts.begin() + loop.end + 1,
                                     [](const Stmt& s) { return s.point != ir::kNone; });
    if (resumes && !trusts_frames) continue;
    const std::optional<uint64_t> rounds = bounds.Rounds(loop, labels);
    if (!rounds) continue;
    result.push_back({loop.label, loop.head, loop.end, *rounds, bounds.Steps()});
  }
  return result;
}

std::vector<LongLoop> FindLongLoops(const ir::Function& f, uint64_t most_statements) {
  if (!f.has_loop) return {};
  const std::vector<uint32_t> labels = StatementsOfLabels(f);
  std::vector<Loop> loops = FindLoops(f, labels);
  const Cfg cfg(f);
  LoopBounds bounds(f, cfg, /*trusts_frames=*/true);
  std::vector<LongLoop> result;
  for (size_t l = 0; l < loops.size(); ++l) {
    Loop& loop = loops[l];
    uint64_t round = loop.end - loop.head + 1;
    const bool brief =
        round <= kMostLookedAt &&
        std::all_of(f.stmts.begin() + loop.head, f.stmts.begin() + loop.end + 1, IsBrief);
    const uint64_t rounds = brief ? bounds.Rounds(loop, labels).value_or(kUnknown) : kUnknown;
    // Loops within that have checks of their own count as statements.
    for (size_t inner = 0; inner < l; ++inner) {
      if (loops[inner].head > loop.head && loops[inner].cost != kUnknown) {
        round += loops[inner].cost;
      }
    }
    if (rounds <= most_statements && rounds * round <= most_statements) {
      loop.cost = rounds * round;
    } else {
      const bool calls =
          std::any_of(f.stmts.begin() + loop.head, f.stmts.begin() + loop.end + 1, ir::IsCall);
      result.push_back({loop.label, loop.end, loop.back_edges, calls});
    }
  }
  return result;
}

}  // namespace fermata::analysis

#include "translator/passes/order_stores.h"

#include <algorithm>
#include <vector>

#include "translator/analysis/cfg.h"

namespace fermata::passes {
namespace {

using ir::Expr;
using ir::ExprKind;
using ir::Stmt;
using ir::StmtKind;

bool IsStore(const Stmt& s) { return s.kind == StmtKind::kStore || s.kind == StmtKind::kStoreLane; }

bool MayFault(const Expr* e) {
  if (e == nullptr || !(e->effects & (ir::kTrapsOnMemory | ir::kTrapsOnNull))) return false;
  if (e->effects & ir::kTrapsOnNull) return true;
  const bool load = e->kind == ExprKind::kLoad || e->kind == ExprKind::kLoadLane;
  return (load && !e->in_bounds) || MayFault(e->a) || MayFault(e->b) || MayFault(e->c);
}

// It stores something, and no barrier follows.
bool LeavesUnderWay(const Stmt& s) {
  if (s.kind == StmtKind::kStructSet || s.kind == StmtKind::kArraySet) return !s.negate;
  return s.kind == StmtKind::kGlobalSet || (IsStore(s) && s.in_bounds);
}

// What was stored before must have been when `s` begins.
bool IsOrdered(const Stmt& s) {
  switch (s.kind) {
    case StmtKind::kStore:
    case StmtKind::kStoreLane:
      if (!s.in_bounds) return true;
      [[fallthrough]];
    case StmtKind::kStructSet:
    case StmtKind::kArraySet:
      if (s.negate) return true;
      [[fallthrough]];
    case StmtKind::kSet:
    case StmtKind::kEval:
    case StmtKind::kWide:
    case StmtKind::kGlobalSet:
    case StmtKind::kJump:
    case StmtKind::kJumpIf:
    case StmtKind::kJumpTable:
    case StmtKind::kLabel:
      return std::any_of(s.args.begin(), s.args.end(), MayFault);
    default:
      return true;
  }
}

// Goes over a block with stores under way at its beginning or not; returns whether they are at its
// end. `mark`: sets Stmt::in_order.
bool Walk(ir::Function& f, const analysis::Cfg::Block& block, bool under_way, bool mark) {
  for (uint32_t i = block.begin; i < block.end; ++i) {
    Stmt& s = f.stmts[i];
    if (under_way && IsOrdered(s)) {
      if (mark) s.in_order = true;
      under_way = false;
    }
    under_way |= LeavesUnderWay(s);
  }
  return under_way;
}

}  // namespace

void OrderStores(ir::Function& f) {
  if (std::none_of(f.stmts.begin(), f.stmts.end(), LeavesUnderWay)) return;
  const analysis::Cfg cfg(f);
  const auto& blocks = cfg.blocks();
  std::vector<bool> at_end(blocks.size(), false);
  const auto at_begin = [&](uint32_t b) {
    return std::any_of(blocks[b].previous.begin(), blocks[b].previous.end(),
                       [&](uint32_t p) { return at_end[p]; });
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (uint32_t b = 0; b < blocks.size(); ++b) {
      const bool under_way = Walk(f, blocks[b], at_begin(b), /*mark=*/false);
      if (under_way && !at_end[b]) at_end[b] = changed = true;
    }
  }
  for (uint32_t b = 0; b < blocks.size(); ++b) Walk(f, blocks[b], at_begin(b), /*mark=*/true);
}

}  // namespace fermata::passes

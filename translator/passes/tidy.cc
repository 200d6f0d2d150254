#include "translator/passes/tidy.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace fermata::passes {
namespace {

using ir::Stmt;
using ir::StmtKind;

// Assignments to variables that no statement reads. What they read may be unread then, in turn, but
// operands are mostly read once, by what comes right behind them: one round is enough.
void DropUnread(ir::Function& f) {
  std::vector<bool> read(f.vars.size());
  for (const Stmt& s : f.stmts) {
    ir::ForEachUse(s, [&](ir::VarId v) { read[v] = true; });
  }
  for (Stmt& s : f.stmts) {
    if (s.kind == StmtKind::kSet && !read[s.dst]) {
      s.kind = StmtKind::kEval;
      s.dst = ir::kNone;
    } else if (ir::IsCall(s) && s.results.size() == 1 && !read[s.results[0]]) {
      s.results = {};
    }
  }
  f.stmts.erase(std::remove_if(f.stmts.begin(), f.stmts.end(),
                               [](const Stmt& s) {
                                 return s.kind == StmtKind::kEval &&
                                        (s.args[0]->effects & ir::kTraps) == 0;
                               }),
                f.stmts.end());
}

// Whether the labels that begin at `at` include `label`.
bool LabelFollows(const std::vector<Stmt>& stmts, size_t at, ir::LabelId label) {
  for (; at < stmts.size() && stmts[at].kind == StmtKind::kLabel; ++at) {
    if (stmts[at].label == label) return true;
  }
  return false;
}

// A jump to what follows; a jump over a jump, which is one jump on the opposite condition.
void DropJumps(ir::Function& f) {
  std::vector<Stmt> kept;
  kept.reserve(f.stmts.size());
  for (size_t i = 0; i < f.stmts.size(); ++i) {
    Stmt& s = f.stmts[i];
    const bool jumps = s.kind == StmtKind::kJump;
    if (jumps && LabelFollows(f.stmts, i + 1, s.label)) continue;
    if (s.kind == StmtKind::kJumpIf && i + 1 < f.stmts.size() &&
        f.stmts[i + 1].kind == StmtKind::kJump && LabelFollows(f.stmts, i + 2, s.label)) {
      s.negate = !s.negate;
      s.label = f.stmts[++i].label;
      kept.push_back(s);
      continue;
    }
    kept.push_back(s);
  }
  f.stmts = std::move(kept);
}

void DropLabels(ir::Function& f) {
  std::vector<bool> used(f.label_count);
  const auto use = [&](ir::LabelId label) {
    if (label != ir::kNone) used[label] = true;
  };
  for (const Stmt& s : f.stmts) {
    if (s.kind != StmtKind::kLabel) use(s.label);
    use(s.handler);
    for (const ir::LabelId label : s.labels) use(label);
  }
  f.stmts.erase(
      std::remove_if(f.stmts.begin(), f.stmts.end(),
                     [&](const Stmt& s) { return s.kind == StmtKind::kLabel && !used[s.label]; }),
      f.stmts.end());
}

}  // namespace

void Tidy(ir::Function& f) {
  DropUnread(f);
  DropJumps(f);
  DropLabels(f);
}

}  // namespace fermata::passes

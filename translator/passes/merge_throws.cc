#include "translator/passes/merge_throws.h"

#include <map>
#include <utility>
#include <vector>

// note [throws]
//
// Compilers of managed languages check for null, bounds and casts by code that makes an exception
// and throws it: some programs have 50,000 such places. In one function most are alike:
//
//     if (l0 != 0) goto L1;                    if (l0 == 0) goto L9;
//     a0 = fn61(base); …                       …
//     Throw(base, tag0, a0);                   if (l1 == 0) goto L9;
//   L1:;                                       …
//     …                                      L9:;
//     if (l1 != 0) goto L2;                    a0 = fn61(base); …
//     a0 = fn61(base); …                       Throw(base, tag0, a0);
//     Throw(base, tag0, a0);
//   L2:;
//
// Each copy would have a resume point of its own. Nothing is live afterwards, so that one does for
// all, and can lie at the end, where it is out of the way. Only what no try region is around is
// merged. The copy that is left has the offset of the first.

namespace fermata::passes {
namespace {

using ir::Expr;
using ir::ExprKind;
using ir::LabelId;
using ir::Stmt;
using ir::StmtKind;

// What tells such places apart: the function called, the tag (or kNone: unreachable), and the
// constants that are passed.
using Key = std::vector<uint64_t>;

// Whether the statements at `i` and `i + 1` are a call with constants whose results are thrown, or
// that is not expected to return.
bool IsThrowSite(const std::vector<Stmt>& stmts, size_t i, Key& key) {
  if (i + 1 >= stmts.size()) return false;
  const Stmt& call = stmts[i];
  const Stmt& end = stmts[i + 1];
  if (call.kind != StmtKind::kCall || call.handler != ir::kNone) return false;
  key = {call.index, ir::kNone};
  for (const Expr* e : call.args) {
    if (e->kind != ExprKind::kConst || e->high != 0) return false;
    key.push_back(static_cast<uint64_t>(e->type));
    key.push_back(e->bits);
  }
  if (end.kind == StmtKind::kUnreachable) return call.results.empty();
  if (end.kind != StmtKind::kThrow || end.handler != ir::kNone ||
      end.args.size() != call.results.size()) {
    return false;
  }
  key[1] = end.index;
  for (size_t k = 0; k < end.args.size(); ++k) {
    const Expr* e = end.args[k];
    if (e->kind != ExprKind::kVar || e->index != call.results[k]) return false;
  }
  return true;
}

void Renumber(ir::Function& f) {
  f.point_count = 0;
  for (Stmt& s : f.stmts) {
    if (s.point != ir::kNone) s.point = f.point_count++;
  }
}

}  // namespace

void MergeThrows(ir::Function& f) {
  std::map<Key, size_t> count;
  Key key;
  for (size_t i = 0; i < f.stmts.size(); ++i) {
    if (IsThrowSite(f.stmts, i, key)) ++count[key];
  }
  std::map<Key, LabelId> labels;
  std::vector<Stmt> kept, ends;
  kept.reserve(f.stmts.size());
  for (size_t i = 0; i < f.stmts.size(); ++i) {
    Stmt& s = f.stmts[i];
    if (!IsThrowSite(f.stmts, i, key) || count[key] < 2) {
      kept.push_back(std::move(s));
      continue;
    }
    const auto [found, is_new] = labels.try_emplace(key, f.label_count);
    Stmt jump = {};
    jump.kind = StmtKind::kJump;
    jump.offset = s.offset;
    jump.label = found->second;
    if (is_new) {
      ++f.label_count;
      Stmt label = {};
      label.kind = StmtKind::kLabel;
      label.offset = s.offset;
      label.label = found->second;
      ends.push_back(label);
      ends.push_back(std::move(s));
      ends.push_back(std::move(f.stmts[i + 1]));
    }
    kept.push_back(jump);
    ++i;
  }
  if (ends.empty()) return;
  for (Stmt& s : ends) kept.push_back(std::move(s));
  f.stmts = std::move(kept);
  Renumber(f);
}

}  // namespace fermata::passes

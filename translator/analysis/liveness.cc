#include "translator/analysis/liveness.h"

#include <algorithm>

#include "llvm/ADT/BitVector.h"
#include "translator/analysis/cfg.h"

namespace fermata::analysis {
namespace {

using ir::Stmt;
using ir::VarId;

// One step backwards over `s`: kills its definitions, then adds its uses.
void Transfer(const Stmt& s, llvm::BitVector& live) {
  ir::ForEachDef(s, [&](VarId v) { live.reset(v); });
  ir::ForEachUse(s, [&](VarId v) { live.set(v); });
}

}  // namespace

std::vector<std::vector<VarId>> LiveAtPoints(const ir::Function& f) {
  std::vector<std::vector<VarId>> live_at(f.point_count);
  if (f.point_count == 0) return live_at;

  const Cfg cfg(f);
  const size_t vars = f.vars.size();
  std::vector<llvm::BitVector> live_in(cfg.blocks().size(), llvm::BitVector(vars));
  const auto live_out = [&](uint32_t b) {
    llvm::BitVector live(vars);
    for (uint32_t next : cfg.blocks()[b].next) live |= live_in[next];
    return live;
  };

  // In reverse order most blocks are final after one visit; loops need a few.
  std::vector<bool> queued(cfg.blocks().size(), true);
  for (bool changed = true; changed;) {
    changed = false;
    for (uint32_t b = cfg.blocks().size(); b-- > 0;) {
      if (!queued[b]) continue;
      queued[b] = false;
      llvm::BitVector live = live_out(b);
      for (uint32_t i = cfg.blocks()[b].end; i-- > cfg.blocks()[b].begin;) Transfer(f.stmts[i], live);
      if (live == live_in[b]) continue;
      live_in[b] = std::move(live);
      for (uint32_t p : cfg.blocks()[b].previous) queued[p] = true;
      changed = true;
    }
  }

  for (uint32_t b = 0; b < cfg.blocks().size(); ++b) {
    if (!cfg.blocks()[b].suspends) continue;
    llvm::BitVector live = live_out(b);
    for (uint32_t i = cfg.blocks()[b].end; i-- > cfg.blocks()[b].begin;) {
      const Stmt& s = f.stmts[i];
      if (s.point != ir::kNone) {
        llvm::BitVector held = live;
        for (VarId v : s.results) held.reset(v);
        for (unsigned v : held.set_bits()) live_at[s.point].push_back(v);
      }
      Transfer(s, live);
    }
  }
  return live_at;
}

}  // namespace fermata::analysis

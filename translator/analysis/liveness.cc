#include "translator/analysis/liveness.h"

#include <algorithm>

#include "llvm/ADT/BitVector.h"
#include "translator/analysis/cfg.h"

namespace fermata::analysis {
namespace {

using ir::Stmt;
using ir::VarId;

constexpr uint64_t kMostBits = uint64_t{1} << 30;  // of one round's bit vectors

// The analysis for the variables [begin, end).
class Round {
 public:
  Round(const ir::Function& f, const Cfg& cfg, VarId begin, VarId end)
      : f_(f),
        cfg_(cfg),
        blocks_(cfg.blocks()),
        begin_(begin),
        size_(end - begin),
        live_in_(blocks_.size(), llvm::BitVector(size_)) {
    Solve();
  }

  // Appends to `live_at`, counting down `left`; false if it does not suffice.
  bool Collect(LiveSets& live_at, uint64_t& left) const {
    for (uint32_t b = 0; b < blocks_.size(); ++b) {
      if (!blocks_[b].suspends) continue;
      llvm::BitVector live = LiveOut(b);
      for (uint32_t i = blocks_[b].end; i-- > blocks_[b].begin;) {
        const Stmt& s = f_.stmts[i];
        if (s.point != ir::kNone) {
          llvm::BitVector held = live;
          for (VarId v : s.results) Reset(held, v);
          if (s.handler != ir::kNone) held |= live_in_[cfg_.BlockOf(s.handler)];
          const uint64_t count = held.count();
          if (count > left) return false;
          left -= count;
          for (unsigned v : held.set_bits()) live_at[s.point].push_back(begin_ + v);
        }
        Step(s, live);
      }
    }
    return true;
  }

  void CollectAtEntry(std::vector<VarId>& live) const {
    if (!live_in_.empty()) CollectAt(0, live);
  }
  void CollectAtLabel(ir::LabelId label, std::vector<VarId>& live) const {
    CollectAt(cfg_.BlockOf(label), live);
  }

 private:
  void CollectAt(uint32_t block, std::vector<VarId>& live) const {
    for (unsigned v : live_in_[block].set_bits()) live.push_back(begin_ + v);
  }
  void Reset(llvm::BitVector& live, VarId v) const {
    if (v - begin_ < size_) live.reset(v - begin_);
  }
  // Backwards over `s`: kills its definitions, then adds its uses and what its handler uses.
  void Step(const Stmt& s, llvm::BitVector& live) const {
    ir::ForEachDef(s, [&](VarId v) { Reset(live, v); });
    if (s.handler != ir::kNone) live |= live_in_[cfg_.BlockOf(s.handler)];
    ir::ForEachUse(s, [&](VarId v) {
      if (v - begin_ < size_) live.set(v - begin_);
    });
  }
  llvm::BitVector LiveOut(uint32_t b) const {
    llvm::BitVector live(size_);
    for (uint32_t next : blocks_[b].next) live |= live_in_[next];
    return live;
  }

  // In reverse order most blocks are final after one visit; loops need a few.
  void Solve() {
    std::vector<bool> queued(blocks_.size(), true);
    for (bool changed = true; changed;) {
      changed = false;
      for (uint32_t b = blocks_.size(); b-- > 0;) {
        if (!queued[b]) continue;
        queued[b] = false;
        llvm::BitVector live = LiveOut(b);
        for (uint32_t i = blocks_[b].end; i-- > blocks_[b].begin;) Step(f_.stmts[i], live);
        if (live == live_in_[b]) continue;
        live_in_[b] = std::move(live);
        for (uint32_t p : blocks_[b].previous) queued[p] = true;
        changed = true;
      }
    }
  }

  const ir::Function& f_;
  const Cfg& cfg_;
  const std::vector<Cfg::Block>& blocks_;
  const VarId begin_;
  const uint32_t size_;
  std::vector<llvm::BitVector> live_in_;
};

// Calls `use(round)` for ranges of variables until it returns false; returns what it returned last.
template <class Use>
bool InRounds(const ir::Function& f, Use use) {
  const Cfg cfg(f);
  const uint64_t vars = f.vars.size();
  const uint64_t step =
      std::max<uint64_t>(64, kMostBits / std::max<size_t>(1, cfg.blocks().size()));
  for (uint64_t begin = 0; begin < vars; begin += step) {
    if (!use(Round(f, cfg, begin, std::min(vars, begin + step)))) return false;
  }
  return true;
}

}  // namespace

bool LiveAtPoints(const ir::Function& f, uint64_t most, LiveSets& live) {
  live.assign(f.point_count, {});
  if (f.point_count == 0) return true;
  return InRounds(f, [&](const Round& round) { return round.Collect(live, most); });
}

LiveSets LiveAtLabels(const ir::Function& f, const std::vector<ir::LabelId>& labels) {
  LiveSets live(labels.size());
  if (labels.empty()) return live;
  InRounds(f, [&](const Round& round) {
    for (size_t i = 0; i < labels.size(); ++i) round.CollectAtLabel(labels[i], live[i]);
    return true;
  });
  return live;
}

std::vector<ir::VarId> LiveAtEntry(const ir::Function& f) {
  std::vector<ir::VarId> live;
  InRounds(f, [&](const Round& round) {
    round.CollectAtEntry(live);
    return true;
  });
  return live;
}

}  // namespace fermata::analysis

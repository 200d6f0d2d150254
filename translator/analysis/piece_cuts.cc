#include "translator/analysis/piece_cuts.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"

namespace fermata::analysis {
namespace {

using ir::LabelId;
using ir::Stmt;
using ir::StmtKind;

// Calls f(LabelId) for each label that control may go to from `s`.
template <typename F>
void ForEachTarget(const Stmt& s, F&& f) {
  if (s.kind != StmtKind::kLabel && s.label != ir::kNone) f(s.label);
  if (s.handler != ir::kNone) f(s.handler);
  for (LabelId label : s.labels) f(label);
}

class Cutter {
 public:
  explicit Cutter(const ir::Function& f) : f_(f) {
    FindLabels();
    CountCrossings();
  }

  std::vector<Piece> Run(uint32_t size) {
    Cut(Clamp(size));
    Connect();
    return std::move(pieces_);
  }

 private:
  // Operations in a statement: what compiling it costs, about.
  static uint64_t Weight(const Stmt& s) {
    uint64_t weight = 1 + s.labels.size();
    for (const ir::Expr* e : s.args) weight += e->size;
    if (s.point != ir::kNone) weight += 4;  // leaving and coming back
    return weight;
  }

  // So that half-filled pieces are fewer than kMostPieces and entries, at most one for each
  // operation, fewer than kMostEntries. The two meet at 2^30 operations, more than memory holds.
  uint32_t Clamp(uint32_t size) const {
    uint64_t total = 0;
    for (const Stmt& s : f_.stmts) total += Weight(s);
    const uint64_t least = total / (kMostPieces / 2) + 1;
    return static_cast<uint32_t>(
        std::min<uint64_t>(std::max<uint64_t>(size, least), kMostEntries / 2));
  }

  void FindLabels() {
    at_.assign(f_.label_count, 0);
    for (uint32_t i = 0; i < f_.stmts.size(); ++i) {
      if (f_.stmts[i].kind == StmtKind::kLabel) at_[f_.stmts[i].label] = i;
    }
  }

  // crossings_[i]: jumps between a statement before i and one from i on.
  void CountCrossings() {
    crossings_.assign(f_.stmts.size() + 2, 0);
    for (uint32_t i = 0; i < f_.stmts.size(); ++i) {
      ForEachTarget(f_.stmts[i], [&](LabelId label) {
        const auto [first, last] = std::minmax(i, at_[label]);
        ++crossings_[first + 1];
        --crossings_[last + 1];
      });
    }
    for (size_t i = 1; i < crossings_.size(); ++i) crossings_[i] += crossings_[i - 1];
  }

  // A piece ends in its second half, where the fewest jumps cross.
  void Cut(uint32_t size) {
    const uint32_t count = f_.stmts.size();
    uint32_t begin = 0;
    do {
      uint32_t best = count;
      uint64_t weight = 0;
      for (uint32_t i = begin; i < count; ++i) {
        weight += Weight(f_.stmts[i]);
        if (weight > size && best != count) break;
        if (i + 1 == count) {
          best = count;
        } else if (weight > size / 2 && (best == count || crossings_[i + 1] <= crossings_[best])) {
          best = i + 1;
        }
      }
      pieces_.push_back({begin, best, {}, {}, {}});
      begin = best;
    } while (begin < count);
  }

  void Connect() {
    std::vector<bool> entered(f_.label_count);
    for (Piece& piece : pieces_) {
      absl::flat_hash_set<LabelId> seen;
      for (uint32_t i = piece.begin; i < piece.end; ++i) {
        const Stmt& s = f_.stmts[i];
        if (s.point != ir::kNone) piece.points.push_back(s.point);
        ForEachTarget(s, [&](LabelId label) {
          if (piece.begin <= at_[label] && at_[label] < piece.end) return;
          entered[label] = true;
          if (seen.insert(label).second) piece.exits.push_back(label);
        });
      }
    }
    for (Piece& piece : pieces_) {
      for (uint32_t i = piece.begin; i < piece.end; ++i) {
        const Stmt& s = f_.stmts[i];
        if (s.kind == StmtKind::kLabel && entered[s.label]) piece.entries.push_back(s.label);
      }
    }
  }

  const ir::Function& f_;
  std::vector<uint32_t> at_;  // by label: its statement
  std::vector<int64_t> crossings_;
  std::vector<Piece> pieces_;
};

}  // namespace

std::vector<Piece> CutIntoPieces(const ir::Function& function, uint32_t size) {
  return Cutter(function).Run(size);
}

}  // namespace fermata::analysis

// Between which bounds the values of 32-bit variables and expressions lie, as unsigned numbers.
//
// It is what a few lines of code show: constants, masks, bytes, comparisons with constants before,
// and variables that count in loops of a known number of rounds (counted_loops.h). Whoever knows
// that an address is below the memory's least size need not check the access.
#ifndef FERMATA_TRANSLATOR_ANALYSIS_VALUE_RANGES_H_
#define FERMATA_TRANSLATOR_ANALYSIS_VALUE_RANGES_H_

#include <cstdint>
#include <vector>

#include "translator/analysis/cfg.h"
#include "translator/analysis/counted_loops.h"
#include "translator/ir/ir.h"

namespace fermata::analysis {

struct Range {
  uint32_t least = 0;
  uint32_t most = 0xffffffffu;
  bool operator==(const Range& other) const { return least == other.least && most == other.most; }
};

class ValueRanges {
 public:
  // `trusts_frames`: what a variable holds after a resume point is what it held before. Where a
  // wrong range would let the guest out of its memory it is not, since frames may come from a
  // snapshot that somebody made up.
  ValueRanges(const ir::Function& f, bool trusts_frames);

  // Goes on to before statement `i`; from one statement to the next, from 0 on.
  void Enter(uint32_t i);
  // Of an i32, where Enter has come to.
  Range Of(const ir::Expr* e) const { return Of(e, now_); }

 private:
  using State = std::vector<Range>;  // by number of variable; empty: not reached

  Range Of(const ir::Expr* e, const State& state) const;
  Range OfNumeric(const ir::Expr* e, const State& state) const;
  void Step(const ir::Stmt& s, State& state) const;
  void Refine(const ir::Expr* condition, bool truth, State& state) const;
  void Restrict(const ir::Expr* e, Range to, State& state) const;
  State After(uint32_t block) const;
  State OnEdge(uint32_t from, uint32_t to) const;
  State Before(uint32_t block) const;
  void Count(uint32_t block, const State& entered, State& state) const;
  void Solve();
  State Unknown() const { return State(size_); }

  const ir::Function& f_;
  const bool trusts_frames_;
  const Cfg cfg_;
  std::vector<uint32_t> number_;             // by variable; kNone: not an i32
  uint32_t size_ = 0;                        // of a state
  std::vector<bool> anything_;               // by block: a handler, where any values may come
  std::vector<const CountedLoop*> counted_;  // by block: the loop that it is the head of
  std::vector<CountedLoop> loops_;
  std::vector<State> in_;   // by block, at its beginning; none: nothing was looked at
  std::vector<State> out_;  // at its end, while they are made
  uint32_t block_ = 0;      // where Enter is
  State now_;
};

}  // namespace fermata::analysis

#endif  // FERMATA_TRANSLATOR_ANALYSIS_VALUE_RANGES_H_

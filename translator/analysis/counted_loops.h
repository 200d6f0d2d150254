// Which loops end by themselves, and soon: they need no check for pre-emption.
//
// A check costs most in the smallest loops, and keeps a C++ compiler from vectorizing them. Many
// of them count: one variable goes from a constant to a constant by a constant,
//
//     l1 = 0;                      loop L1 (64 rounds)
//     L1:;
//       …
//       l1 = l1 + 8;
//       if (l1 != 512) goto L1;
//
// whatever else may leave the loop before. A loop is *short* if it makes no calls and takes no more
// than so many statements in all its rounds, those of the loops within it included.
#ifndef FERMATA_TRANSLATOR_ANALYSIS_COUNTED_LOOPS_H_
#define FERMATA_TRANSLATOR_ANALYSIS_COUNTED_LOOPS_H_

#include <cstdint>
#include <vector>

#include "translator/ir/ir.h"

namespace fermata::analysis {

// Statements executed between two checks: some 50 microseconds.
inline constexpr uint64_t kMostStatements = 64 * 1024;
// The same for microcontrollers, of 30 cycles a statement: half a millisecond at 125 MHz.
inline constexpr uint64_t kMostStatementsFreestanding = 2 * 1024;
inline uint64_t MostStatements(bool freestanding) {
  return freestanding ? kMostStatementsFreestanding : kMostStatements;
}

struct LongLoop {
  ir::LabelId label;
  uint32_t end;         // the last statement that jumps back to the label
  uint32_t back_edges;  // statements that do
  bool calls;           // it makes calls
};

// The loops of the function that take more than `most_statements`, or may, in order of their ends.
// A label that nothing jumps back to is no loop.
std::vector<LongLoop> FindLongLoops(const ir::Function& f, uint64_t most_statements);

// A loop that counts, and what changes with it.
struct CountedLoop {
  ir::LabelId label;
  uint32_t head;  // statements [head, end]
  uint32_t end;
  uint64_t rounds;  // at most so many each time the loop is entered
  struct Step {
    ir::VarId var;
    int64_t by;  // a round, modulo the width of the type
  };
  std::vector<Step> steps;  // of the variables that change by a constant in each round
};

// The loops of the function for which that is known. `trusts_frames`: see value_ranges.h.
std::vector<CountedLoop> FindCountedLoops(const ir::Function& f, bool trusts_frames);

}  // namespace fermata::analysis

#endif  // FERMATA_TRANSLATOR_ANALYSIS_COUNTED_LOOPS_H_

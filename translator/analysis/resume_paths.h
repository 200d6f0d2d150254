// Which statements a function that has been resumed can still reach.
//
// A jump from the entry switch into the middle of a loop would keep C++ compilers from optimizing it
// as they do where nothing was suspended. So they can be in several parts, with loops that are
// entered at their heads only. The first part is what can be reached from the resume points without
// passing the head of a loop that holds one of them. Where it gets to such a head it goes on
// - in a further part (kPeeled): one for the innermost of these loops, in which control again leaves
//   at the heads of the loops around them, and so on to the outermost;
// - or in the function that was not resumed (kTails), which has entries there. What is resumed is
//   then no more than what is left of one round.
// With kWhole there is the first part only, and it holds everything.
#ifndef FERMATA_TRANSLATOR_ANALYSIS_RESUME_PATHS_H_
#define FERMATA_TRANSLATOR_ANALYSIS_RESUME_PATHS_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "translator/ir/ir.h"

namespace fermata::analysis {

struct ResumePaths {
  // By part and statement. In the first part a statement with a resume point counts as reached if
  // the statement itself is; what follows it always is.
  std::vector<std::vector<bool>> parts;
  std::vector<uint32_t> part_of_head;  // by label, 0: not the head of a loop with a part
  std::vector<ir::LabelId> heads;      // kTails: the heads where it goes on; they count as part 1

  // The part in which a jump to `label` made in `part` ends.
  uint32_t Target(uint32_t part, ir::LabelId label) const {
    return std::max(part, part_of_head[label]);
  }
};

enum class ResumeStyle : uint8_t { kWhole, kPeeled, kTails };

ResumePaths FindResumePaths(const ir::Function& f, ResumeStyle style);

// Entries at the heads of loops pay although the function is not small: it has a loop without a
// resume point deep within others, and so is what a program spends its time in.
bool WorthTails(const ir::Function& f);

// Peeling pays: a loop that holds a resume point also holds a loop that does not, and the function
// is not large.
bool WorthPeeling(const ir::Function& f);

}  // namespace fermata::analysis

#endif  // FERMATA_TRANSLATOR_ANALYSIS_RESUME_PATHS_H_

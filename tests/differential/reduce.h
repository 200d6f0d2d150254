// Makes a module with a difference small: calls are left out, functions' bodies become unreachable,
// then whatever bytes of code can be, as long as the module stays valid and a difference of the
// same configuration remains.
#ifndef FERMATA_TESTS_DIFFERENTIAL_REDUCE_H_
#define FERMATA_TESTS_DIFFERENTIAL_REDUCE_H_

#include <string>

#include "tests/differential/campaign.h"

namespace fermata::differential {

struct Reduced {
  testing_support::Bytes module;  // made ready
  PlanOptions plan;               // which calls
  Difference difference;          // that it still shows
  unsigned runs = 0;              // that this took
};

// `module`: as it was made ready. `most_runs` bounds the time: each compiles and plays once.
Reduced Reduce(const Settings& settings, const Difference& difference,
               const testing_support::Bytes& module, unsigned most_runs);

}  // namespace fermata::differential

#endif  // FERMATA_TESTS_DIFFERENTIAL_REDUCE_H_

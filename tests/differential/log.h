// The words in which engines write down what a module did, a line for each thing:
//
//   instantiate ok                    or: instantiate trap memory
//   call 3 fz:f12 i:1 V:2,3
//     import 0 i:7                    a call of the first imported function
//   returns I:ffff f:nan              or: traps zero
//   state 8f1b0c22 i:5 e:null         checksums of the memories, values of the globals
//
// A float that is a NaN is just that: which one is not determined. After "traps stack" nothing
// follows, since engines have stacks and heaps of different sizes.
#ifndef FERMATA_TESTS_DIFFERENTIAL_LOG_H_
#define FERMATA_TESTS_DIFFERENTIAL_LOG_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fermata/trap.h"

namespace fermata::differential {

// " i:1f V:0,1"; references are given as whether they are null, one word each.
std::string Words(absl::string_view types, absl::Span<const uint64_t> words);

// The kind of a trap, as far as engines agree on them.
const char* TrapKind(Trap trap);

// Compares, up to where one of them used up its stack.
struct Comparison {
  bool same = true;
  size_t line = 0;  // of the first difference, from 1
  std::string expected, found;
  size_t calls = 0;  // that were compared
};
Comparison Compare(absl::string_view expected, absl::string_view found);

}  // namespace fermata::differential

#endif  // FERMATA_TESTS_DIFFERENTIAL_LOG_H_

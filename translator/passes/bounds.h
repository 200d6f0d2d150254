// Finds the accesses to memory that can't be out of bounds.
#ifndef FERMATA_TRANSLATOR_PASSES_BOUNDS_H_
#define FERMATA_TRANSLATOR_PASSES_BOUNDS_H_

#include "absl/functional/function_ref.h"
#include "translator/ir/ir.h"

namespace fermata::passes {

// Sets `in_bounds` of loads and stores. `least_bytes`: of a memory, by its index, how many bytes it
// has at least; 0 for those whose accesses are to be left alone. `trusts_frames`: see
// analysis/value_ranges.h.
//
// note [in bounds]
//
// Such an access needs no check where accesses are checked, no forcing where they fault (note
// [forced loads]), and nothing that keeps it in its place. It is one
// - whose address is below the least size of the memory, by analysis/value_ranges.h, or
// - behind an access in the same stretch of code that reached as far from the same variable:
//   memories never shrink.
void FindAccessesInBounds(ir::Function& function,
                          absl::FunctionRef<uint64_t(uint32_t)> least_bytes, bool trusts_frames);

}  // namespace fermata::passes

#endif  // FERMATA_TRANSLATOR_PASSES_BOUNDS_H_

// Finds the accesses to memory that can't be out of bounds.
#ifndef FERMATA_TRANSLATOR_PASSES_BOUNDS_H_
#define FERMATA_TRANSLATOR_PASSES_BOUNDS_H_

#include "absl/functional/function_ref.h"
#include "translator/ir/ir.h"

namespace fermata::passes {

struct BoundsOptions {
  // Of a memory, by its index, how many bytes it has at least; 0 for those whose accesses are to be
  // left alone.
  absl::FunctionRef<uint64_t(uint32_t)> least_bytes;
  bool trusts_frames;  // see analysis/value_ranges.h
  bool merges_checks;  // accesses are checked, and several may be at once
};

// Sets Expr::in_bounds and Stmt::in_bounds of loads and stores, and Stmt::checks.
//
// note [in bounds]
//
// Such an access needs no check where accesses are checked, no forcing where they fault (note
// [forced loads]), and nothing that keeps it in its place. It is one
// - whose address is below the least size of the memory, by analysis/value_ranges.h, or
// - behind an access in the same stretch of code that reached as far from the same value, which
//   several variables may hold plus a constant: memories never shrink. With `merges_checks` that
//   may be a check of all accesses from one value that follow each other, before the first. There
//   is nothing between these that a host could see, nor another reason to trap: whichever of them is
//   out of bounds, the trap is the same.
void FindAccessesInBounds(ir::Function& function, const BoundsOptions& options);

}  // namespace fermata::passes

#endif  // FERMATA_TRANSLATOR_PASSES_BOUNDS_H_

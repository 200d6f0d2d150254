// Random modules of our own, for what general generators seldom make: loads of which only a part is
// used, or nothing; stores that are overwritten; loops that only load; addresses around the end of
// a memory, offsets near 2^32; values that compilers can tell (constant ranges, x * 0, equal arms
// of a select); vectors, lanes and shuffles; copies between memories. All numeric instructions of
// the opcode table occur.
//
// Modules are valid, need no feature that V8 lacks, and end: loops count. A float that may be a NaN
// is made zero, and so is what lanes hold, since the NaN that comes out is not determined.
#ifndef FERMATA_TESTS_DIFFERENTIAL_SHAPES_H_
#define FERMATA_TESTS_DIFFERENTIAL_SHAPES_H_

#include <cstdint>

#include "tests/support/wasm_builder.h"

namespace fermata::differential {

testing_support::Bytes RandomModule(uint64_t seed);

}  // namespace fermata::differential

#endif  // FERMATA_TESTS_DIFFERENTIAL_SHAPES_H_

// 128-bit vectors: one function per SIMD and relaxed SIMD instruction (specification §4.3.7, §4.4.3
// and §4.4.7), named as in the text format with underscores for dots. Core header.
//
// A v128 is a vector of GNU C++ (g++ and clang on every target), so the compiler chooses the
// instructions, schedules and folds; x86 builtins stand where it would not find the instruction.
// SSE2 is enough; -mssse3, -msse4.1 and -mavx2 give better code. FERMATA_SIMD_PORTABLE leaves the
// builtins out, as on other machines. A compiler without vector extensions needs another v128 here:
// nothing outside these headers looks inside one.
//
// Relaxed SIMD follows the deterministic profile, so that a step resumed on another machine
// computes the same: every relaxed instruction is its strict counterpart, relaxed_madd and
// relaxed_nmadd round twice (the profile's choice), laneselect is bitselect, dot products multiply
// signed by signed, relaxed truncations saturate.
//
// NaNs: results of arithmetic are quiet whatever the operands (§4.3.3). Under g++ this needs
// -fsignaling-nans, as for scalars; clang folds x * 1 in spite of it, so what has a constant
// operand is made quiet there. Their signs, and which operand's payload they have, may differ
// between what compilers fold and what the machine computes.
#ifndef FERMATA_CORE_SIMD_SIMD_H_
#define FERMATA_CORE_SIMD_SIMD_H_

#include "fermata/core/simd/float.h"
#include "fermata/core/simd/integer.h"
#include "fermata/core/simd/lanes.h"
#include "fermata/core/simd/memory.h"

#endif  // FERMATA_CORE_SIMD_SIMD_H_

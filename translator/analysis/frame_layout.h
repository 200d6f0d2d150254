// Where each live value lies in a frame: 16-byte values first, then 8-byte, then 4-byte ones, each
// class in an order of the function's variables; the footer is last. See
// include/fermata/core/abi.h.
#ifndef FERMATA_TRANSLATOR_ANALYSIS_FRAME_LAYOUT_H_
#define FERMATA_TRANSLATOR_ANALYSIS_FRAME_LAYOUT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "translator/analysis/liveness.h"
#include "translator/ir/ir.h"
#include "translator/wasm/module.h"

namespace fermata::analysis {

struct FrameSlot {
  ir::VarId var;
  uint32_t offset;  // bytes from the start of the frame
  bool operator==(const FrameSlot& o) const { return var == o.var && offset == o.offset; }
};

struct FrameLayout {
  std::vector<FrameSlot> slots;
  uint32_t words = 2;   // of 4 bytes (core::kFrameWord), footer included
  std::string letters;  // core::SiteDetail::slots
  // What its references to objects may refer to, in order; empty in modules without structs and
  // arrays. See core::SiteDetail.
  std::string types;
};

// What a value takes in a frame.
uint32_t FrameBytes(ir::Kind kind);

// The frames of all resume points, whose live variables are given. Values of one size lie in an
// order of the whole function, those that are live at most points first, so that frames begin alike.
std::vector<FrameLayout> LayOutFrames(const wasm::Module& module, const ir::Function& function,
                                      const LiveSets& live);

// The same for any sets, without their types.
std::vector<FrameLayout> LayOutFrames(const ir::Function& function, const LiveSets& live);

}  // namespace fermata::analysis

#endif  // FERMATA_TRANSLATOR_ANALYSIS_FRAME_LAYOUT_H_

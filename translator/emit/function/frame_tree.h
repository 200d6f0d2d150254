// Which values frames of a function have in common.
//
// The values of a frame lie in an order that is the same for the whole function, those that most
// resume points need first. So frames share beginnings, and these form a tree: each node is a value
// at an offset, its parent the value before it. The code that stores or loads a frame walks from
// its last value to the root, and frames that share a beginning share its code.
#ifndef FERMATA_TRANSLATOR_EMIT_FUNCTION_FRAME_TREE_H_
#define FERMATA_TRANSLATOR_EMIT_FUNCTION_FRAME_TREE_H_

#include <cstdint>
#include <vector>

#include "translator/analysis/frame_layout.h"

namespace fermata::emit {

class FrameTree {
 public:
  static constexpr uint32_t kRoot = 0;
  struct Node {
    analysis::FrameSlot slot;  // not of the root
    uint32_t parent;
    uint32_t entries = 0;  // children, and frames that end here
  };

  // The frames to share code, all laid out in one order of variables.
  explicit FrameTree(const std::vector<const analysis::FrameLayout*>& frames);

  const std::vector<Node>& nodes() const { return nodes_; }
  // The last value of a frame, by its place in the constructor's argument.
  uint32_t end(size_t frame) const { return ends_[frame]; }

 private:
  std::vector<Node> nodes_;
  std::vector<uint32_t> ends_;
};

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_FUNCTION_FRAME_TREE_H_

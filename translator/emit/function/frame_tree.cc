#include "translator/emit/function/frame_tree.h"

#include <map>
#include <tuple>

namespace fermata::emit {

FrameTree::FrameTree(const std::vector<const analysis::FrameLayout*>& frames) {
  nodes_.push_back({{}, kRoot});
  std::map<std::tuple<uint32_t, ir::VarId, uint32_t>, uint32_t> children;
  for (const analysis::FrameLayout* frame : frames) {
    uint32_t node = kRoot;
    for (const analysis::FrameSlot& slot : frame->slots) {
      const auto [it, fresh] = children.try_emplace({node, slot.var, slot.offset}, nodes_.size());
      if (fresh) {
        ++nodes_[node].entries;
        nodes_.push_back({slot, node});
      }
      node = it->second;
    }
    ++nodes_[node].entries;
    ends_.push_back(node);
  }
}

}  // namespace fermata::emit

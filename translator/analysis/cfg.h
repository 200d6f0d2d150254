// The control-flow graph of a function: its statement list cut into basic blocks.
#ifndef FERMATA_TRANSLATOR_ANALYSIS_CFG_H_
#define FERMATA_TRANSLATOR_ANALYSIS_CFG_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "llvm/ADT/SmallVector.h"
#include "translator/ir/ir.h"

namespace fermata::analysis {

class Cfg {
 public:
  struct Block {
    uint32_t begin;  // statements [begin, end)
    uint32_t end;
    bool suspends = false;  // holds a resume point
    // Each once. `next` is without the handlers of its statements; of a handler, `previous` are the
    // blocks that may throw to it.
    llvm::SmallVector<uint32_t, 2> next;
    llvm::SmallVector<uint32_t, 2> previous;
  };

  explicit Cfg(const ir::Function& f) {
    Cut(f);
    Connect(f);
  }
  const std::vector<Block>& blocks() const { return blocks_; }
  uint32_t BlockOf(ir::LabelId label) const { return block_of_label_[label]; }

 private:
  void Cut(const ir::Function& f) {
    const auto close = [&](uint32_t end) {
      const uint32_t begin = blocks_.empty() ? 0 : blocks_.back().end;
      if (begin < end) blocks_.push_back({begin, end, false, {}, {}});
    };
    block_of_label_.assign(f.label_count, 0);
    for (uint32_t i = 0; i < f.stmts.size(); ++i) {
      const ir::Stmt& s = f.stmts[i];
      if (s.kind == ir::StmtKind::kLabel) {
        close(i);
        block_of_label_[s.label] = blocks_.size();
      } else if (ir::EndsFlow(s) || ir::IsConditionalJump(s)) {
        close(i + 1);
      }
    }
    close(f.stmts.size());
  }

  void Connect(const ir::Function& f) {
    for (uint32_t b = 0; b < blocks_.size(); ++b) {
      Block& block = blocks_[b];
      for (uint32_t i = block.begin; i < block.end; ++i) {
        block.suspends |= f.stmts[i].point != ir::kNone;
      }
      const ir::Stmt& last = f.stmts[block.end - 1];
      if (last.kind == ir::StmtKind::kJump || ir::IsConditionalJump(last)) {
        block.next.push_back(block_of_label_[last.label]);
      }
      for (ir::LabelId l : last.labels) block.next.push_back(block_of_label_[l]);
      if (!ir::EndsFlow(last) && b + 1 < blocks_.size()) block.next.push_back(b + 1);
      std::sort(block.next.begin(), block.next.end());
      block.next.erase(std::unique(block.next.begin(), block.next.end()), block.next.end());
    }
    llvm::SmallVector<uint32_t, 2> to;
    for (uint32_t b = 0; b < blocks_.size(); ++b) {
      to = blocks_[b].next;
      for (uint32_t i = blocks_[b].begin; i < blocks_[b].end; ++i) {
        if (f.stmts[i].handler != ir::kNone) to.push_back(block_of_label_[f.stmts[i].handler]);
      }
      std::sort(to.begin(), to.end());
      to.erase(std::unique(to.begin(), to.end()), to.end());
      for (uint32_t t : to) blocks_[t].previous.push_back(b);
    }
  }

  std::vector<Block> blocks_;
  std::vector<uint32_t> block_of_label_;
};

}  // namespace fermata::analysis

#endif  // FERMATA_TRANSLATOR_ANALYSIS_CFG_H_

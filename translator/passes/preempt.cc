#include "translator/passes/preempt.h"

#include <utility>
#include <vector>

#include "translator/analysis/counted_loops.h"
#include "translator/analysis/stack_checks.h"

// note [pre-emption]
//
// A guest that runs for ever has to pass a check again and again: at each round of a loop, or, if
// it gets on by calling, at one function of each cycle of the call graph. A check is a pause on a
// condition: a load and a branch that is never taken, or a count-down. Loops that are known to end
// soon have none (analysis/counted_loops.h).
//
//     L1:;                            L1:;
//       …                               …
//       if (l0) goto L1;                if (!l0) goto L2;
//                                       if (INTERRUPTED(interrupt)) { PushPause(…); goto S0; } R0:;
//                                       goto L1;
//                                     L2:;
//
// The check is where a loop jumps back, not at its head, so that a paused function is resumed by a
// jump *to* the head: the loop keeps its one entry in the resumed code too, and no check is made
// twice, so that whoever pauses a guest at every check still lets it get on. A loop with several
// jumps back gets one place that they all go to.

namespace fermata::passes {
namespace {

using ir::Stmt;
using ir::StmtKind;

class Pass {
 public:
  Pass(ir::Function& f, ir::PauseWhen when) : f_(f), when_(when) {}

  void Run(uint64_t most_statements, bool at_entry, uint32_t stack_need) {
    const std::vector<analysis::LongLoop> loops = analysis::FindLongLoops(f_, most_statements);
    if (loops.empty() && !at_entry) return;
    const uint32_t entry = at_entry ? analysis::StackCheckPosition(f_, stack_need) : ir::kNone;
    recursive_ = at_entry;
    latch_.assign(f_.label_count, ir::kNone);
    refs_.resize(f_.label_count);
    for (const Stmt& s : f_.stmts) {
      if (s.kind == StmtKind::kLabel) refs_[s.label] = s.refs;
    }
    for (const analysis::LongLoop& loop : loops) {
      if (!EndsWithOneJump(loop)) latch_[loop.label] = f_.label_count++;
    }
    stmts_.reserve(f_.stmts.size() + 4 * loops.size() + 1);
    passed_.assign(latch_.size(), false);
    size_t next = 0;
    for (uint32_t i = 0; i < f_.stmts.size(); ++i) {
      if (i == entry) AddPause(f_.stmts[i].offset, /*hot=*/false, {});
      Stmt s = f_.stmts[i];
      if (s.kind == StmtKind::kLabel) passed_[s.label] = true;
      Redirect(s);
      // Several loops may end with one table of jumps.
      const size_t first = next;
      while (next < loops.size() && loops[next].end == i) ++next;
      if (next == first) {
        stmts_.push_back(s);
      } else if (EndsWithOneJump(loops[first])) {
        EndWithOneJump(s, loops[first]);
      } else {
        EndWithLatches(s, loops, first, next);
      }
    }
    f_.stmts = std::move(stmts_);
  }

 private:
  bool EndsWithOneJump(const analysis::LongLoop& loop) const {
    const StmtKind kind = f_.stmts[loop.end].kind;
    return loop.back_edges == 1 && (kind == StmtKind::kJump || kind == StmtKind::kJumpIf);
  }

  // Worth a variable for what the check looks at. In recursive functions it would have to be saved
  // at each call.
  bool IsHot(const analysis::LongLoop& loop) const { return !recursive_ || !loop.calls; }

  void AddPause(uint32_t offset, bool hot, absl::Span<ir::TypedVar> refs) {
    Stmt s;
    s.kind = StmtKind::kPause;
    s.index = static_cast<uint32_t>(when_);
    s.index2 = hot ? 1 : 0;
    s.offset = offset;
    s.may_suspend = true;
    s.point = f_.point_count++;
    s.refs = refs;
    stmts_.push_back(s);
  }
  void Jump(ir::LabelId to, uint32_t offset) {
    Stmt s;
    s.kind = StmtKind::kJump;
    s.label = to;
    s.offset = offset;
    stmts_.push_back(s);
  }
  void Label(ir::LabelId label, uint32_t offset) {
    Stmt s;
    s.kind = StmtKind::kLabel;
    s.label = label;
    s.offset = offset;
    stmts_.push_back(s);
  }

  // Jumps back go to the latch of their loop, if it has one.
  void Redirect(Stmt& s) {
    if (s.kind == StmtKind::kLabel) return;
    const auto redirect = [&](ir::LabelId& label) {
      if (label != ir::kNone && passed_[label] && latch_[label] != ir::kNone) label = latch_[label];
    };
    redirect(s.label);
    for (ir::LabelId& l : s.labels) redirect(l);
  }

  void EndWithOneJump(Stmt& s, const analysis::LongLoop& loop) {
    if (s.kind == StmtKind::kJump) {
      AddPause(s.offset, IsHot(loop), refs_[loop.label]);
      stmts_.push_back(s);
      return;
    }
    const ir::LabelId out = f_.label_count++;
    s.label = out;
    s.negate = !s.negate;
    stmts_.push_back(s);
    AddPause(s.offset, IsHot(loop), refs_[loop.label]);
    Jump(loop.label, s.offset);
    Label(out, s.offset);
  }

  void EndWithLatches(const Stmt& s, const std::vector<analysis::LongLoop>& loops, size_t first,
                      size_t last) {
    stmts_.push_back(s);
    const bool goes_on = !ir::EndsFlow(s);
    const ir::LabelId out = goes_on ? f_.label_count++ : ir::kNone;
    if (goes_on) Jump(out, s.offset);
    for (size_t l = first; l < last; ++l) {
      Label(latch_[loops[l].label], s.offset);
      AddPause(s.offset, IsHot(loops[l]), refs_[loops[l].label]);
      Jump(loops[l].label, s.offset);
    }
    if (goes_on) Label(out, s.offset);
  }

  ir::Function& f_;
  const ir::PauseWhen when_;
  bool recursive_ = false;
  std::vector<Stmt> stmts_;
  std::vector<ir::LabelId> latch_;              // by label of a loop
  std::vector<bool> passed_;                    // by label: it is behind
  std::vector<absl::Span<ir::TypedVar>> refs_;  // by label of a loop: Stmt::refs
};

}  // namespace

void Preempt(ir::Function& function, ir::PauseWhen when, uint64_t most_statements, bool at_entry,
             uint32_t stack_need) {
  Pass(function, when).Run(most_statements, at_entry, stack_need);
}

}  // namespace fermata::passes

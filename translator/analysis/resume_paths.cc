#include "translator/analysis/resume_paths.h"

#include <algorithm>
#include <numeric>

namespace fermata::analysis {
namespace {

constexpr size_t kMostPeeled = 2000;  // statements
constexpr int kDeep = 6;              // loops, one within the other
constexpr auto kAlways = static_cast<uint32_t>(ir::PauseWhen::kAlways);

struct Loop {
  ir::LabelId label;
  uint32_t head;  // statements [head, end) from the label to behind the last jump back to it
  uint32_t end;
  bool suspends;  // holds a resume point, other than of checks for pre-emption
  bool resumes;   // holds any resume point
};

class Flow {
 public:
  explicit Flow(const ir::Function& f) : f_(f), statement_(f.label_count, 0) {
    for (uint32_t i = 0; i < f.stmts.size(); ++i) {
      if (f.stmts[i].kind == ir::StmtKind::kLabel) statement_[f.stmts[i].label] = i;
    }
  }

  // Wasm loops: the statements from the head to the last jump back.
  std::vector<Loop> Loops() const {
    std::vector<uint32_t> end(f_.label_count, 0);
    std::vector<uint32_t> points(f_.stmts.size() + 1, 0), all(f_.stmts.size() + 1, 0);
    for (uint32_t i = 0; i < f_.stmts.size(); ++i) {
      const ir::Stmt& s = f_.stmts[i];
      // A check for pre-emption is where a loop jumps back: it is entered at its head anyway.
      const bool check =
          s.kind == ir::StmtKind::kRoom || (s.kind == ir::StmtKind::kPause && s.index != kAlways);
      points[i + 1] = points[i] + (s.point != ir::kNone && !check);
      all[i + 1] = all[i] + (s.point != ir::kNone);
      const auto back = [&](ir::LabelId label) {
        if (label != ir::kNone && statement_[label] <= i) end[label] = i + 1;
      };
      if (s.kind == ir::StmtKind::kJump || ir::IsConditionalJump(s)) back(s.label);
      for (const ir::LabelId l : s.labels) back(l);
      back(s.handler);
    }
    std::vector<Loop> loops;
    for (ir::LabelId l = 0; l < f_.label_count; ++l) {
      if (end[l] == 0) continue;
      loops.push_back({l, statement_[l], end[l], points[end[l]] > points[statement_[l]],
                       all[end[l]] > all[statement_[l]]});
    }
    return loops;
  }

  // Marks what can be reached from the statements `todo`, but for what lies behind the labels in
  // `stops`; those that were met are added to `met`.
  std::vector<bool> Reach(std::vector<uint32_t> todo, const std::vector<bool>& stops,
                          std::vector<bool>& met) const {
    std::vector<bool> reached(f_.stmts.size(), false);
    const auto go = [&](ir::LabelId label) {
      if (label == ir::kNone) return;
      if (stops[label]) {
        met[label] = true;
      } else if (!reached[statement_[label]]) {
        todo.push_back(statement_[label]);
      }
    };
    while (!todo.empty()) {
      uint32_t i = todo.back();
      todo.pop_back();
      for (; i < f_.stmts.size() && !reached[i]; ++i) {
        const ir::Stmt& s = f_.stmts[i];
        if (s.kind == ir::StmtKind::kLabel && stops[s.label]) {
          met[s.label] = true;
          break;
        }
        reached[i] = true;
        if (s.kind == ir::StmtKind::kJump || ir::IsConditionalJump(s)) go(s.label);
        for (const ir::LabelId l : s.labels) go(l);
        go(s.handler);
        if (ir::EndsFlow(s)) break;
      }
    }
    return reached;
  }

  uint32_t StatementOf(ir::LabelId label) const { return statement_[label]; }

 private:
  const ir::Function& f_;
  std::vector<uint32_t> statement_;  // by label
};

// What lies behind the heads of loops with resume points is left to the function itself.
ResumePaths FindTails(const ir::Function& f, const Flow& flow, std::vector<uint32_t> entries) {
  std::vector<bool> stops(f.label_count, false), met(f.label_count, false);
  for (const Loop& loop : flow.Loops()) stops[loop.label] = loop.resumes;
  ResumePaths paths;
  paths.parts.push_back(flow.Reach(std::move(entries), stops, met));
  paths.part_of_head.assign(f.label_count, 0);
  for (ir::LabelId l = 0; l < f.label_count; ++l) {
    if (!met[l]) continue;
    paths.part_of_head[l] = 1;
    paths.heads.push_back(l);
  }
  return paths;
}

}  // namespace

ResumePaths FindResumePaths(const ir::Function& f, ResumeStyle style) {
  const Flow flow(f);
  std::vector<uint32_t> entries;
  for (uint32_t i = 0; i < f.stmts.size(); ++i) {
    if (f.stmts[i].point == ir::kNone) continue;
    entries.push_back(i + 1);
    // A frame in a try region may also be resumed at the handler.
    if (f.stmts[i].handler != ir::kNone) entries.push_back(flow.StatementOf(f.stmts[i].handler));
  }
  if (style == ResumeStyle::kTails) return FindTails(f, flow, std::move(entries));
  // By label: how many loops that hold resume points a loop of them is within, itself included.
  std::vector<uint32_t> depth(f.label_count, 0);
  uint32_t deepest = 0;
  if (style == ResumeStyle::kPeeled) {
    const std::vector<Loop> loops = flow.Loops();
    for (const Loop& loop : loops) {
      if (!loop.suspends) continue;
      for (const Loop& outer : loops) {
        depth[loop.label] += outer.suspends && outer.head <= loop.head && loop.end <= outer.end;
      }
      deepest = std::max(deepest, depth[loop.label]);
    }
  }
  ResumePaths paths;
  paths.part_of_head.assign(f.label_count, 0);
  std::vector<bool> stops(f.label_count, false), met(f.label_count, false);
  for (ir::LabelId l = 0; l < f.label_count; ++l) stops[l] = depth[l] != 0;
  paths.parts.push_back(flow.Reach(std::move(entries), stops, met));
  for (uint32_t d = deepest; d > 0; --d) {
    entries.clear();
    for (ir::LabelId l = 0; l < f.label_count; ++l) {
      if (depth[l] != d) continue;
      stops[l] = false;
      if (!met[l]) continue;
      paths.part_of_head[l] = paths.parts.size();
      entries.push_back(flow.StatementOf(l));
    }
    if (!entries.empty()) paths.parts.push_back(flow.Reach(std::move(entries), stops, met));
  }
  return paths;
}

bool WorthTails(const ir::Function& f) {
  if (!f.suspends_in_loop) return false;
  const std::vector<Loop> loops = Flow(f).Loops();
  std::vector<int> depth(f.stmts.size() + 1, 0);  // by statement: how many loops hold it
  for (const Loop& loop : loops) {
    ++depth[loop.head];
    --depth[loop.end];
  }
  std::partial_sum(depth.begin(), depth.end(), depth.begin());
  return std::any_of(loops.begin(), loops.end(),
                     [&](const Loop& loop) { return !loop.resumes && depth[loop.head] >= kDeep; });
}

bool WorthPeeling(const ir::Function& f) {
  if (!f.suspends_in_loop || f.stmts.size() > kMostPeeled) return false;
  for (const ir::Stmt& s : f.stmts) {
    if (s.handler != ir::kNone) return false;
  }
  const std::vector<Loop> loops = Flow(f).Loops();
  return std::any_of(loops.begin(), loops.end(), [&](const Loop& outer) {
    return outer.suspends && std::any_of(loops.begin(), loops.end(), [&](const Loop& inner) {
             return !inner.suspends && outer.head < inner.head && inner.end <= outer.end;
           });
  });
}

}  // namespace fermata::analysis

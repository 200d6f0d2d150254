#include "translator/analysis/stack_checks.h"

#include <algorithm>
#include <map>
#include <set>

namespace fermata::analysis {
namespace {

// What the C++ compiler may need for a function's frame, unoptimized: every variable in memory.
uint64_t EstimateFrame(const FunctionCalls& f) {
  return 160 + 8 * uint64_t{f.local_count} +
         std::min<uint64_t>(8 * uint64_t{f.local_count}, f.body_bytes) +
         std::min<uint64_t>(f.body_bytes / 2, 16 * 1024);
}

// Depth-first search over functions and, as nodes after them, the (type, table) pairs called
// through; without recursion, since call chains may be as long as the module has functions.
class Search {
 public:
  Search(const wasm::Module& module, const CallGraph& graph) : module_(module), graph_(graph) {
    const uint32_t n = module.functions.size();
    edges_.resize(n);
    sites_.resize(n);
    std::map<uint64_t, uint32_t> indirect;
    for (uint32_t f = 0; f < n; ++f) {
      edges_[f] = graph.functions[f].direct;
      sites_[f] = graph.functions[f].direct_sites;
      sites_[f].insert(sites_[f].end(), graph.functions[f].indirect_sites.begin(),
                       graph.functions[f].indirect_sites.end());
      for (const IndirectCall& call : graph.functions[f].indirect) {
        auto [it, fresh] =
            indirect.try_emplace(uint64_t{call.type} << 32 | call.table, edges_.size());
        if (fresh) edges_.push_back(Targets(call));
        edges_[f].push_back(it->second);
      }
    }
  }

  void Run() {
    const uint32_t n = module_.functions.size();
    need_.assign(n, 0);
    pauses_.assign(n, false);
    work_.assign(edges_.size(), 0);
    below_.assign(edges_.size(), 0);
    state_.assign(edges_.size(), kNew);
    checked_.assign(edges_.size(), false);
    for (uint32_t f = module_.imported_functions; f < n; ++f) {
      if (state_[f] == kNew) Visit(f);
    }
  }

  std::vector<uint32_t> TakeNeed() { return std::move(need_); }
  std::vector<bool> TakePauses() { return std::move(pauses_); }

 private:
  enum State : uint8_t { kNew, kOpen, kDone };

  // Functions of any table element's type: an open table may also hold others, which only the
  // functions of this module that are referenced somewhere can be.
  std::vector<uint32_t> Targets(const IndirectCall& call) const {
    std::vector<uint32_t> targets;
    const std::vector<uint32_t>& candidates =
        call.table == kAnyTable || graph_.open_table[call.table]
            ? graph_.referenced
            : graph_.table_functions[call.table];
    for (uint32_t f : candidates) {
      if (graph_.has_subtypes || graph_.canonical_type[module_.functions[f].type] == call.type)
        targets.push_back(f);
    }
    return targets;
  }

  void Visit(uint32_t root) {
    std::vector<std::pair<uint32_t, size_t>> path{{root, 0}};
    state_[root] = kOpen;
    while (!path.empty()) {
      auto& [node, next] = path.back();
      if (next < edges_[node].size()) {
        const uint32_t to = edges_[node][next++];
        if (state_[to] == kNew) {
          state_[to] = kOpen;
          path.push_back({to, 0});
        } else if (state_[to] == kOpen) {
          // A cycle: check at its target, or at its source if the target is no function.
          checked_[to < need_.size() ? to : node] = true;
        }
        continue;
      }
      Close(node);
      path.pop_back();
    }
  }

  void Close(uint32_t node) {
    state_[node] = kDone;
    uint64_t below = 0;
    for (uint32_t to : edges_[node]) {
      if (state_[to] == kDone) below = std::max(below, below_[to]);
    }
    if (node >= need_.size()) {
      below_[node] = below;
      for (uint32_t to : edges_[node]) work_[node] = std::max(work_[node], work_[to]);
      return;
    }
    if (node < module_.imported_functions) return;
    CloseWork(node);
    const uint64_t frame = EstimateFrame(graph_.functions[node]);
    const uint64_t own = below + frame;
    if (checked_[node] || own > kUncheckedBytes) {
      need_[node] = static_cast<uint32_t>(std::min<uint64_t>(own, 1u << 30));
      below_[node] = own <= kLateCheckBytes ? frame : 0;
    } else {
      below_[node] = own;
    }
  }

  // What a call of the function may take until it has returned, in bytes of bodies executed; loops
  // have checks of their own, if they are not short.
  void CloseWork(uint32_t function) {
    constexpr uint64_t kLoop = 64 * 1024;
    constexpr uint64_t kMost = 1024 * 1024;
    const FunctionCalls& calls = graph_.functions[function];
    uint64_t work = calls.body_bytes + (calls.has_loop ? kLoop : 0);
    for (size_t i = 0; i < edges_[function].size() && work <= kMost; ++i) {
      work += sites_[function][i] * work_[edges_[function][i]];
    }
    pauses_[function] = checked_[function] || (work > kMost && !edges_[function].empty());
    work_[function] = pauses_[function] ? 0 : work;
  }

  const wasm::Module& module_;
  const CallGraph& graph_;
  std::vector<std::vector<uint32_t>> edges_;
  std::vector<std::vector<uint32_t>>
      sites_;  // by function: how many instructions an edge stands for
  std::vector<uint32_t> need_;
  std::vector<bool> pauses_;     // by function: needs a check for pre-emption
  std::vector<uint64_t> work_;   // as CloseWork; for a (type, table), the most of its functions
  std::vector<uint64_t> below_;  // bytes of check-free frames from this node down
  std::vector<State> state_;
  std::vector<bool> checked_;
};

// Statements that use no native stack beyond the function's own frame.
bool CallsNothing(const ir::Stmt& s) {
  using Kind = ir::StmtKind;
  switch (s.kind) {
    case Kind::kSet:
    case Kind::kEval:
    case Kind::kStore:
    case Kind::kStoreLane:
    case Kind::kGlobalSet:
    case Kind::kJump:
    case Kind::kJumpIf:
    case Kind::kJumpTable:
    case Kind::kLabel:
    case Kind::kReturn:
    case Kind::kUnreachable:
      return true;
    case Kind::kRoom:
    case Kind::kStructNew:
    case Kind::kArrayNew:
    case Kind::kArrayNewFixed:
    case Kind::kArrayNewData:
    case Kind::kArrayNewElem:
    case Kind::kStructSet:
    case Kind::kArraySet:
    case Kind::kArrayFill:
    case Kind::kArrayCopy:
    case Kind::kArrayInitData:
    case Kind::kArrayInitElem:
    case Kind::kAtomic:
    case Kind::kAtomicFence:
    case Kind::kWide:
    case Kind::kCall:
    case Kind::kCallIndirect:
    case Kind::kCallRef:
    case Kind::kReturnCall:
    case Kind::kReturnCallIndirect:
    case Kind::kReturnCallRef:
    case Kind::kPause:
    case Kind::kThrow:
    case Kind::kThrowRef:
    case Kind::kJumpUnlessTag:
    case Kind::kCatch:
    case Kind::kLeave:
    case Kind::kMemoryGrow:
    case Kind::kMemoryFill:
    case Kind::kMemoryCopy:
    case Kind::kMemoryInit:
    case Kind::kDataDrop:
    case Kind::kTableSet:
    case Kind::kTableGrow:
    case Kind::kTableFill:
    case Kind::kTableCopy:
    case Kind::kTableInit:
    case Kind::kElemDrop:
      return false;
  }
  return false;
}

// Finds out whether what can be reached from a label may call something.
class CallsFromLabels {
 public:
  explicit CallsFromLabels(const ir::Function& f) : f_(f), labels_(f.label_count, 0) {
    for (uint32_t i = 0; i < f.stmts.size(); ++i) {
      if (f.stmts[i].kind == ir::StmtKind::kLabel) labels_[f.stmts[i].label] = i;
    }
  }

  bool Any(ir::LabelId from) const {
    std::vector<uint32_t> todo{labels_[from]};
    std::set<uint32_t> seen{labels_[from]};
    const auto go = [&](ir::LabelId label) {
      if (seen.insert(labels_[label]).second) todo.push_back(labels_[label]);
    };
    for (uint32_t looked_at = 0; !todo.empty();) {
      uint32_t i = todo.back();
      todo.pop_back();
      for (; i < f_.stmts.size(); ++i) {
        const ir::Stmt& s = f_.stmts[i];
        if (!CallsNothing(s) || ++looked_at > kMostLookedAt) return true;
        if (s.kind == ir::StmtKind::kJump || ir::IsConditionalJump(s)) go(s.label);
        for (const ir::LabelId l : s.labels) go(l);
        if (ir::EndsFlow(s)) break;
      }
    }
    return false;
  }

 private:
  static constexpr uint32_t kMostLookedAt = 1000;

  const ir::Function& f_;
  std::vector<uint32_t> labels_;  // statement of each
};

}  // namespace

uint32_t StackCheckPosition(const ir::Function& f, uint32_t need) {
  constexpr uint32_t kMostSkipped = 100;
  if (need > kLateCheckBytes) return 0;
  const CallsFromLabels calls(f);
  const uint32_t end = std::min<size_t>(f.stmts.size(), kMostSkipped);
  // Only what lies behind a conditional jump is worth the delay.
  uint32_t position = 0;
  for (uint32_t i = 0; i < end; ++i) {
    const ir::Stmt& s = f.stmts[i];
    if (!CallsNothing(s) || ir::EndsFlow(s)) break;
    if (s.kind == ir::StmtKind::kLabel) break;
    if (s.kind != ir::StmtKind::kJumpIf) continue;
    if (calls.Any(s.label)) break;
    position = i + 1;
  }
  return position;
}

std::vector<uint32_t> PlaceStackChecks(const wasm::Module& module, const CallGraph& graph) {
  Search search(module, graph);
  search.Run();
  return search.TakeNeed();
}

std::vector<bool> PlaceEntryChecks(const wasm::Module& module, const CallGraph& graph) {
  Search search(module, graph);
  search.Run();
  return search.TakePauses();
}

}  // namespace fermata::analysis

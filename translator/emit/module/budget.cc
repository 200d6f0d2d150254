#include "translator/emit/module/budget.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "include/fermata/core/sites.h"
#include "translator/emit/function/slots.h"
#include "translator/wasm/printable.h"

namespace fermata::emit {
namespace {

// What a function saves beside its variables: registers, the return address, arguments of calls.
constexpr uint64_t kSavedBytes = 48;
// The runtime between the host and an export, and below the last function.
constexpr uint64_t kRuntimeBytes = 288;
constexpr uint64_t kFooterBytes = 8;
constexpr int kNone = -1;
constexpr size_t kMostNamed = 12;  // functions of a recursion

struct Edge {
  uint32_t to;
  uint64_t bytes;
};

// Functions and, as nodes after them, the (type, table) pairs called through.
struct Graph {
  std::vector<std::vector<Edge>> edges;
  std::vector<uint64_t> own;  // of a path that ends there
};

// Finds strongly connected components (Tarjan's algorithm), without recursion: chains may be as long
// as the module has functions. Components are complete in an order in which those that a path can
// go on to come first. In one of several nodes, an edge that has a length makes paths endless; tail
// calls have none.
class LongestPaths {
 public:
  explicit LongestPaths(const Graph& graph)
      : graph_(graph),
        bytes_(graph.own),
        cycle_(graph.edges.size(), kNone),
        number_(graph.edges.size(), 0),
        low_(graph.edges.size(), 0),
        component_(graph.edges.size(), 0) {
    for (uint32_t node = 0; node < number_.size(); ++node) {
      if (number_[node] == 0) Visit(node);
    }
  }
  uint64_t bytes(uint32_t node) const { return bytes_[node]; }
  // The nodes of a cycle that can be reached, or null.
  const std::vector<uint32_t>* cycle(uint32_t node) const {
    return cycle_[node] == kNone ? nullptr : &cycles_[cycle_[node]];
  }

 private:
  void Open(uint32_t node, std::vector<std::pair<uint32_t, size_t>>& path) {
    number_[node] = low_[node] = ++numbers_;
    open_.push_back(node);
    path.push_back({node, 0});
  }
  void Visit(uint32_t root) {
    std::vector<std::pair<uint32_t, size_t>> path;
    Open(root, path);
    while (!path.empty()) {
      auto& [node, next] = path.back();
      if (next < graph_.edges[node].size()) {
        const uint32_t to = graph_.edges[node][next++].to;
        if (number_[to] == 0) {
          Open(to, path);
        } else if (component_[to] == 0) {
          low_[node] = std::min(low_[node], number_[to]);
        }
        continue;
      }
      const uint32_t closed = node;
      path.pop_back();
      if (!path.empty()) low_[path.back().first] = std::min(low_[path.back().first], low_[closed]);
      if (low_[closed] == number_[closed]) Close(closed);
    }
  }

  // A component: what is open from `first` on.
  void Close(uint32_t first) {
    std::vector<uint32_t> nodes;
    ++components_;
    do {
      nodes.push_back(open_.back());
      component_[open_.back()] = components_;
      open_.pop_back();
    } while (nodes.back() != first);
    uint64_t bytes = 0;
    int cycle = kNone;
    for (const uint32_t node : nodes) {
      bytes = std::max(bytes, graph_.own[node]);
      for (const Edge& edge : graph_.edges[node]) {
        if (component_[edge.to] != components_) {
          bytes = std::max(bytes, edge.bytes + bytes_[edge.to]);
          if (cycle == kNone) cycle = cycle_[edge.to];
        } else if (edge.bytes != 0) {
          bytes = std::max(bytes, edge.bytes);
          if (cycle == kNone) cycle = NoteCycle(node, edge.to);
        }
      }
    }
    for (const uint32_t node : nodes) {
      bytes_[node] = bytes;
      cycle_[node] = cycle;
    }
  }

  // The shortest cycle that begins with an edge between nodes of the component. Returns its number.
  int NoteCycle(uint32_t from, uint32_t to) {
    std::map<uint32_t, uint32_t> before{{to, to}};
    std::vector<uint32_t> queue{to};
    for (size_t i = 0; i < queue.size() && before.count(from) == 0; ++i) {
      for (const Edge& edge : graph_.edges[queue[i]]) {
        if (component_[edge.to] == components_ && before.try_emplace(edge.to, queue[i]).second) {
          queue.push_back(edge.to);
        }
      }
    }
    std::vector<uint32_t> nodes{from};
    while (nodes.back() != to) nodes.push_back(before.at(nodes.back()));
    if (nodes.size() > 1) std::reverse(nodes.begin(), nodes.end());
    cycles_.push_back(std::move(nodes));
    return static_cast<int>(cycles_.size()) - 1;
  }

  const Graph& graph_;
  std::vector<uint64_t> bytes_;
  std::vector<int> cycle_;              // index into cycles_
  std::vector<uint32_t> number_, low_;  // from 1; 0: not seen
  std::vector<uint32_t> component_;     // from 1; 0: not complete
  std::vector<uint32_t> open_;          // nodes of components that are not complete
  uint32_t numbers_ = 0, components_ = 0;
  std::vector<std::vector<uint32_t>> cycles_;
};

class BudgetFinder {
 public:
  BudgetFinder(const ModuleContext& context, const SiteTable& sites,
               const std::vector<uint32_t>& variable_bytes)
      : module_(context.module), graph_(context.graph) {
    MakeNodes();
    frames_.edges.resize(nodes_.size() + FunctionCount());
    frames_.own.resize(frames_.edges.size());
    stack_ = frames_;
    for (uint32_t node = FunctionCount(); node < frames_.edges.size(); ++node) {
      for (const uint32_t f : Targets(nodes_[node - FunctionCount()])) {
        frames_.edges[node].push_back({f, 0});
        stack_.edges[node].push_back({f, 0});
      }
    }
    AddFrames(sites);
    for (uint32_t f = module_.imported_functions; f < FunctionCount(); ++f) {
      const uint64_t bytes = kSavedBytes + variable_bytes[f];
      stack_.own[f] = bytes;
      for (const uint32_t to : Callees(f)) stack_.edges[f].push_back({to, bytes});
    }
  }

  std::vector<Budget> Find() const {
    const LongestPaths frames(frames_), stack(stack_);
    std::vector<Budget> budgets(FunctionCount());
    for (uint32_t f = 0; f < FunctionCount(); ++f) {
      budgets[f].frames = {frames.bytes(f), Describe(frames.cycle(f))};
      budgets[f].stack = {stack.bytes(f) + kRuntimeBytes, Describe(stack.cycle(f))};
    }
    return budgets;
  }

 private:
  uint32_t FunctionCount() const { return static_cast<uint32_t>(module_.functions.size()); }

  void MakeNodes() {
    for (const analysis::FunctionCalls& calls : graph_.functions) {
      for (const analysis::IndirectCall& call : calls.indirect) {
        const auto key = std::make_pair(call.type, call.table);
        if (numbers_.try_emplace(key, FunctionCount() + nodes_.size()).second) {
          nodes_.push_back(call);
        }
      }
    }
  }
  std::vector<uint32_t> Targets(const analysis::IndirectCall& call) const {
    const std::vector<uint32_t>& candidates =
        call.table == analysis::kAnyTable || graph_.open_table[call.table]
            ? graph_.referenced
            : graph_.table_functions[call.table];
    std::vector<uint32_t> targets;
    for (const uint32_t f : candidates) {
      if (graph_.has_subtypes || graph_.canonical_type[module_.functions[f].type] == call.type) {
        targets.push_back(f);
      }
    }
    return targets;
  }
  // All nodes that a function calls, or only those of one type.
  std::vector<uint32_t> IndirectCallees(uint32_t f, uint32_t type = ir::kNone) const {
    std::vector<uint32_t> nodes;
    for (const analysis::IndirectCall& call : graph_.functions[f].indirect) {
      if (type == ir::kNone || call.type == type) {
        nodes.push_back(numbers_.at({call.type, call.table}));
      }
    }
    return nodes;
  }
  std::vector<uint32_t> Callees(uint32_t f) const {
    std::vector<uint32_t> nodes = IndirectCallees(f);
    const std::vector<uint32_t>& direct = graph_.functions[f].direct;
    nodes.insert(nodes.end(), direct.begin(), direct.end());
    return nodes;
  }

  void AddFrames(const SiteTable& sites) {
    for (const SiteTable::Group& group : sites.groups()) {
      for (uint32_t site = group.first; site < group.first + group.count; ++site) {
        const uint64_t bytes = uint64_t{core::kFrameWord} * sites.layout(site).words;
        if (!group.op) {
          AddSite(group.function, sites.callee(site), bytes);
        } else if (group.function != ir::kNone) {
          frames_.own[group.function] = bytes;
        }
      }
    }
    // A tail call's callee has the caller's place.
    for (uint32_t f = module_.imported_functions; f < FunctionCount(); ++f) {
      if (!graph_.functions[f].tail_calls) continue;
      for (const uint32_t to : Callees(f)) frames_.edges[f].push_back({to, 0});
    }
  }
  void AddSite(uint32_t f, uint16_t callee, uint64_t bytes) {
    if (callee == core::kPauses) {
      frames_.own[f] = std::max(frames_.own[f], bytes + kFooterBytes);
      return;
    }
    std::vector<uint32_t> nodes;
    if (callee == core::kCallsAny) {
      nodes = Callees(f);
    } else if (callee % 2 == 0) {
      nodes = {(callee - core::kCallsFunction) / 2u};
    } else {
      nodes = IndirectCallees(f, graph_.canonical_type[(callee - core::kCallsType) / 2u]);
    }
    for (const uint32_t to : nodes) frames_.edges[f].push_back({to, bytes});
  }

  std::string Describe(const std::vector<uint32_t>* cycle) const {
    if (cycle == nullptr) return "";
    std::string text, first;
    size_t named = 0;
    for (const uint32_t f : *cycle) {
      if (f >= FunctionCount()) continue;
      if (++named > kMostNamed) return absl::StrCat(text, " -> …");
      const auto& names = module_.names.functions;
      std::string name = absl::StrCat("function ", f);
      if (f < names.size() && !names[f].empty()) {
        absl::StrAppend(&name, " \"", wasm::Printable(names[f], 40), "\"");
      }
      if (first.empty()) first = name;
      absl::StrAppend(&text, text.empty() ? "" : " -> ", name);
    }
    return absl::StrCat(text, " -> ", first);
  }

  const wasm::Module& module_;
  const analysis::CallGraph& graph_;
  std::vector<analysis::IndirectCall> nodes_;
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> numbers_;
  Graph frames_, stack_;
};

}  // namespace

std::vector<Budget> FindBudgets(const ModuleContext& context, const SiteTable& sites,
                                const std::vector<uint32_t>& variable_bytes) {
  return BudgetFinder(context, sites, variable_bytes).Find();
}

}  // namespace fermata::emit

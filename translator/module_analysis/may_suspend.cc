#include "translator/module_analysis/may_suspend.h"

#include <deque>
#include <map>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "translator/wasm/printable.h"

namespace fermata::analysis {
namespace {

// What spreads from callees to callers.
struct Spread {
  std::vector<Reason> functions;           // by function index
  absl::flat_hash_set<uint64_t> indirect;  // (canonical type << 32 | table)
};

// The call graph backwards, with a node of its own for each (type, table) called through.
class Propagation {
 public:
  Propagation(const wasm::Module& module, const CallGraph& graph) : module_(module), graph_(graph) {
    callers_.resize(module.functions.size());
    for (uint32_t f = 0; f < graph.functions.size(); ++f) {
      for (uint32_t callee : graph.functions[f].direct) callers_[callee].push_back(f);
      for (const IndirectCall& call : graph.functions[f].indirect) {
        indirect_callers_[Key(call)].push_back(f);
      }
    }
    for (const auto& [key, callers] : indirect_callers_) {
      const uint32_t type = key >> 32, table = static_cast<uint32_t>(key);
      if (table == kAnyTable) continue;
      for (uint32_t f : graph.table_functions[table]) {
        if (TypeOf(f) == type) indirect_of_[f].push_back(key);
      }
    }
  }

  // `sources`: by function, why it is where the spreading starts, or kNever.
  Spread Run(const std::vector<Reason>& sources) {
    result_ = {};
    result_.functions.resize(module_.functions.size());
    for (uint32_t f = 0; f < sources.size(); ++f) {
      if (sources[f].kind != Reason::kNever) Mark(f, sources[f]);
    }
    for (const auto& [key, callers] : indirect_callers_) {
      const uint32_t type = key >> 32, table = static_cast<uint32_t>(key);
      if (table != kAnyTable && !graph_.open_table[table]) continue;
      MarkIndirect(key, {Reason::kOpenTable, 0, type, table});
    }
    while (!queue_.empty()) {
      const uint32_t f = queue_.front();
      queue_.pop_front();
      for (uint32_t caller : callers_[f]) Mark(caller, {Reason::kCall, f});
      if (auto it = indirect_of_.find(f); it != indirect_of_.end()) {
        for (uint64_t key : it->second) {
          MarkIndirect(key, {Reason::kIndirect, f, static_cast<uint32_t>(key >> 32),
                             static_cast<uint32_t>(key)});
        }
      }
    }
    return std::move(result_);
  }

 private:
  static uint64_t Key(const IndirectCall& call) { return uint64_t{call.type} << 32 | call.table; }
  uint32_t TypeOf(uint32_t f) const { return graph_.canonical_type[module_.functions[f].type]; }

  void Mark(uint32_t f, Reason reason) {
    if (result_.functions[f].kind != Reason::kNever) return;
    result_.functions[f] = reason;
    queue_.push_back(f);
  }
  void MarkIndirect(uint64_t key, const Reason& reason) {
    if (!result_.indirect.insert(key).second) return;
    for (uint32_t caller : indirect_callers_[key]) Mark(caller, reason);
  }

  const wasm::Module& module_;
  const CallGraph& graph_;
  Spread result_;
  std::vector<std::vector<uint32_t>> callers_;
  // Ordered, so that the reasons given do not depend on hashing.
  std::map<uint64_t, std::vector<uint32_t>> indirect_callers_;
  absl::flat_hash_map<uint32_t, std::vector<uint64_t>> indirect_of_;  // by table function
  std::deque<uint32_t> queue_;
};

std::string FunctionLabel(const wasm::Module& module, uint32_t f) {
  if (module.functions[f].imported) {
    const wasm::Import& import = module.imports[module.functions[f].import];
    return absl::StrCat("import ", wasm::Printable(import.module), ".",
                        wasm::Printable(import.name));
  }
  std::string text = absl::StrCat("f", f);
  if (f < module.names.functions.size() && !module.names.functions[f].empty()) {
    absl::StrAppend(&text, " \"", wasm::Printable(module.names.functions[f]), "\"");
  }
  return text;
}

}  // namespace

Suspension AnalyzeSuspension(const wasm::Module& module, const CallGraph& graph,
                             const std::vector<bool>& immediate, const std::vector<bool>& pauses) {
  Propagation propagation(module, graph);
  std::vector<Reason> suspends(module.functions.size());
  std::vector<Reason> throws(module.functions.size());
  for (uint32_t f = 0; f < module.functions.size(); ++f) {
    const bool imported = f < module.imported_functions;
    if (imported ? !immediate[f] : pauses[f]) {
      suspends[f] = {imported ? Reason::kImport : Reason::kPaused, f};
    } else if (graph.functions[f].allocates) {
      suspends[f] = {Reason::kAllocates, f};
    }
    if (imported ? !immediate[f] || graph.uses_exceptions : graph.functions[f].throws) {
      throws[f] = {Reason::kImport, f};
    }
  }
  Suspension result;
  Spread spread = propagation.Run(suspends);
  result.functions = std::move(spread.functions);
  result.indirect = std::move(spread.indirect);
  spread = propagation.Run(throws);
  for (const Reason& reason : spread.functions) {
    result.throws.push_back(reason.kind != Reason::kNever);
  }
  result.indirect_throws = std::move(spread.indirect);
  result.canonical_type = graph.canonical_type;
  return result;
}

std::string Explain(const wasm::Module& module, const Suspension& suspension, uint32_t function,
                    uint32_t max_functions) {
  std::string path = FunctionLabel(module, function);
  // The reasons form a breadth-first tree rooted at imports and open tables: no cycles.
  while (--max_functions > 0) {
    const Reason& reason = suspension.functions[function];
    switch (reason.kind) {
      case Reason::kNever:
      case Reason::kImport:
        return path;
      case Reason::kOpenTable:
        return reason.table == kAnyTable
                   ? absl::StrCat(path, " -> any function of type ", reason.type)
                   : absl::StrCat(path, " -> any function of type ", reason.type, " in table ",
                                  reason.table);
      case Reason::kPaused:
        return absl::StrCat(path, " -> may be paused");
      case Reason::kAllocates:
        return absl::StrCat(path, " -> allocates");
      case Reason::kIndirect:
        absl::StrAppend(&path, " -> (table ", reason.table, ") ",
                        FunctionLabel(module, reason.function));
        break;
      case Reason::kCall:
        absl::StrAppend(&path, " -> ", FunctionLabel(module, reason.function));
        break;
    }
    function = reason.function;
  }
  const Reason::Kind last = suspension.functions[function].kind;
  if (last == Reason::kNever || last == Reason::kImport) return path;
  return absl::StrCat(path, " -> …");
}

}  // namespace fermata::analysis

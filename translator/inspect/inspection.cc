#include "translator/inspect/inspection.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "translator/inspect/describe.h"
#include "translator/module_analysis/immediate.h"
#include "translator/validate/module_validator.h"
#include "translator/wasm/reader.h"

namespace fermata::inspect {
namespace {

using analysis::Reason;

// Of a path, the first functions and the last one are shown.
constexpr uint32_t kShownFunctions = 6;

uint64_t Key(uint32_t type, uint32_t table) { return uint64_t{type} << 32 | table; }

// The function whose body holds the byte at `offset`, or kNone.
uint32_t FunctionAt(const wasm::Module& module, uint32_t offset) {
  // Bodies come in the order of their functions.
  const auto begin = module.functions.begin() + module.imported_functions;
  const auto next =
      std::upper_bound(begin, module.functions.end(), offset,
                       [](uint32_t at, const wasm::Function& f) { return at < f.body_offset; });
  if (next == begin) return kNone;
  const wasm::Function& function = *(next - 1);
  if (offset - function.body_offset >= function.body.size()) return kNone;
  return static_cast<uint32_t>(next - 1 - module.functions.begin());
}

std::string SectionAt(const wasm::Module& module, uint32_t offset) {
  const char* name = "module";
  for (const wasm::Section& section : module.sections) {
    if (section.offset > offset) break;
    name = wasm::SectionName(section.id);
  }
  return absl::StrCat(name, " section");
}

std::vector<FeatureNeed> NeedsOf(const wasm::Module& module, const analysis::CallGraph& graph) {
  wasm::FeatureUses uses = module.uses;
  uses.AddAll(graph.uses);
  std::vector<FeatureNeed> needs;
  for (wasm::Feature feature : wasm::kAllFeatures) {
    if (feature == wasm::Feature::kMvp || !uses.Has(feature)) continue;
    FeatureNeed need{feature, uses.offset(feature), kNone, ""};
    need.function = FunctionAt(module, need.offset);
    need.place = need.function == kNone ? SectionAt(module, need.offset)
                                        : FunctionText(module, need.function);
    needs.push_back(std::move(need));
  }
  return needs;
}

void Count(Inspection& in) {
  Counts& counts = in.counts;
  std::map<uint64_t, SuspendingType> types;
  for (uint32_t f = in.module.imported_functions; f < in.module.functions.size(); ++f) {
    ++counts.functions;
    counts.suspending_functions += in.MaySuspend(f);
    const analysis::FunctionCalls& calls = in.graph.functions[f];
    for (size_t i = 0; i < calls.direct.size(); ++i) {
      counts.call_sites += calls.direct_sites[i];
      if (in.MaySuspend(calls.direct[i])) counts.suspending_call_sites += calls.direct_sites[i];
    }
    for (size_t i = 0; i < calls.indirect.size(); ++i) {
      const auto [type, table] = calls.indirect[i];
      const uint32_t sites = calls.indirect_sites[i];
      counts.call_sites += sites;
      counts.indirect_call_sites += sites;
      if (!in.suspension.MayIndirectSuspend(type, table)) continue;
      counts.suspending_call_sites += sites;
      counts.suspending_indirect_call_sites += sites;
      SuspendingType& entry = types[Key(type, table)];
      entry.type = type;
      entry.table = table;
      entry.sites += sites;
      ++entry.callers;
    }
  }
  for (uint32_t table = 0; table < in.graph.table_functions.size(); ++table) {
    for (uint32_t f : in.graph.table_functions[table]) {
      const auto entry =
          types.find(Key(in.graph.canonical_type[in.module.functions[f].type], table));
      if (entry == types.end()) continue;
      ++entry->second.targets;
      if (!in.MaySuspend(f)) continue;
      ++entry->second.suspending_targets;
      uint32_t& example = entry->second.example;
      if (example == kNone || in.paths.length(f) < in.paths.length(example)) example = f;
    }
  }
  for (auto& [key, entry] : types) {
    entry.open = entry.table == analysis::kAnyTable || in.graph.open_table[entry.table];
    in.types.push_back(entry);
  }
}

}  // namespace

Paths::Paths(const analysis::Suspension& suspension)
    : length_(suspension.functions.size(), kNone), end_(suspension.functions.size()) {
  std::vector<uint32_t> path;
  for (uint32_t start = 0; start < length_.size(); ++start) {
    // The reasons form a tree: up to a function that is known, then back down.
    uint32_t f = start;
    for (; length_[f] == kNone; f = suspension.functions[f].function) {
      const Reason::Kind kind = suspension.functions[f].kind;
      if (kind != Reason::kCall && kind != Reason::kIndirect) {
        length_[f] = 0;
        end_[f] = f;
        break;
      }
      path.push_back(f);
    }
    for (; !path.empty(); path.pop_back()) {
      const uint32_t callee = suspension.functions[path.back()].function;
      length_[path.back()] = length_[callee] + 1;
      end_[path.back()] = end_[callee];
    }
  }
}

std::string Paths::Explain(const wasm::Module& module, const analysis::Suspension& suspension,
                           uint32_t function) const {
  if (length_[function] <= kShownFunctions + 1) {
    return analysis::Explain(module, suspension, function);
  }
  return absl::StrCat(analysis::Explain(module, suspension, function, kShownFunctions), " ",
                      length_[function] - kShownFunctions, " more … -> ",
                      analysis::Explain(module, suspension, end_[function]));
}

absl::StatusOr<std::unique_ptr<Inspection>> Inspect(const std::string& path,
                                                    absl::Span<const uint8_t> bytes,
                                                    const Options& options) {
  absl::StatusOr<wasm::Module> module = wasm::ReadModule(path, bytes, options.features);
  if (!module.ok()) return module.status();
  absl::Status status = validate::ValidateModule(*module);
  if (!status.ok()) return status;
  absl::StatusOr<analysis::CallGraph> graph = analysis::BuildCallGraph(*module);
  if (!graph.ok()) return graph.status();
  absl::StatusOr<std::vector<bool>> immediate =
      analysis::MatchImmediate(*module, options.immediate, options.wasi);
  if (!immediate.ok()) return immediate.status();

  auto in = std::make_unique<Inspection>();
  in->module = *std::move(module);
  in->graph = *std::move(graph);
  in->immediate = *std::move(immediate);
  in->suspension = analysis::AnalyzeSuspension(
      in->module, in->graph, in->immediate, std::vector<bool>(in->module.functions.size(), false));
  in->paths = Paths(in->suspension);
  in->features = NeedsOf(in->module, in->graph);
  Count(*in);
  return in;
}

}  // namespace fermata::inspect

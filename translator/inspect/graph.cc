#include "translator/inspect/graph.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "llvm/Support/JSON.h"
#include "translator/inspect/describe.h"
#include "translator/wasm/printable.h"

namespace fermata::inspect {
namespace {

constexpr size_t kMaxName = 60;
constexpr uint32_t kMaxRankedEdges = 400;

// A string of DOT: backslashes and entities of HTML mean something there. `text` has no control
// characters but ends of lines.
std::string Quoted(absl::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    switch (c) {
      case '"':
        out.append("\\\"");
        break;
      case '\\':
        out.append("\\\\");
        break;
      case '\n':
        out.append("\\n");
        break;
      case '&':
        out.append("&amp;");
        break;
      default:
        out.push_back(c);
    }
  }
  return out + "\"";
}

class Drawing {
 public:
  Drawing(const Inspection& in, uint32_t max_nodes) : in_(in), m_(in.module) {
    for (uint32_t i = 0; i < in.types.size(); ++i) {
      type_index_[Key(in.types[i].type, in.types[i].table)] = i;
    }
    ChooseNodes(max_nodes);
  }

  Graph Draw() {
    for (uint32_t f = 0; f < m_.functions.size(); ++f) {
      if (has_function_[f]) DrawFunction(f);
    }
    for (uint32_t t = 0; t < in_.types.size(); ++t) {
      if (has_type_[t]) DrawType(t);
    }
    for (uint32_t f = m_.imported_functions; f < m_.functions.size(); ++f) {
      if (has_function_[f]) DrawCalls(f);
    }
    DrawTargets();
    return {absl::StrCat(Head(), out_, "}\n"), shown_, nodes_};
  }

 private:
  static uint64_t Key(uint32_t type, uint32_t table) { return uint64_t{type} << 32 | table; }

  // Twice the number of calls from a type to where paths end: between those of its callers and
  // those of the functions called.
  std::vector<uint32_t> DistancesOfTypes() const {
    std::vector<uint32_t> distances(in_.types.size(), kNone);
    for (uint32_t t = 0; t < in_.types.size(); ++t) {
      if (in_.types[t].open) distances[t] = 0;
    }
    ForEachTarget([&](uint32_t t, uint32_t f) {
      distances[t] = std::min(distances[t], 2 * in_.paths.length(f) + 1);
    });
    return distances;
  }

  // Calls `what` for each function that may suspend and that a type may reach through its table.
  template <class What>
  void ForEachTarget(const What& what) const {
    for (uint32_t table = 0; table < in_.graph.table_functions.size(); ++table) {
      for (uint32_t f : in_.graph.table_functions[table]) {
        if (!in_.MaySuspend(f)) continue;
        const auto type =
            type_index_.find(Key(in_.graph.canonical_type[m_.functions[f].type], table));
        if (type != type_index_.end()) what(type->second, f);
      }
    }
  }

  void ChooseNodes(uint32_t max_nodes) {
    // Distance, then functions before types, then index.
    using Node = std::pair<uint32_t, uint64_t>;
    std::vector<Node> nodes;
    for (uint32_t f = 0; f < m_.functions.size(); ++f) {
      if (in_.MaySuspend(f)) nodes.push_back({2 * in_.paths.length(f), f});
    }
    const std::vector<uint32_t> distances = DistancesOfTypes();
    constexpr uint64_t kType = uint64_t{1} << 32;
    for (uint32_t t = 0; t < in_.types.size(); ++t) nodes.push_back({distances[t], kType | t});
    nodes_ = static_cast<uint32_t>(nodes.size());
    shown_ = std::min(nodes_, max_nodes);
    std::sort(nodes.begin(), nodes.end());
    nodes.resize(shown_);
    has_function_.resize(m_.functions.size());
    has_type_.resize(in_.types.size());
    for (const auto& [distance, node] : nodes) {
      if (node & kType) {
        has_type_[static_cast<uint32_t>(node)] = true;
      } else {
        has_function_[node] = true;
      }
    }
  }

  std::string Head() const {
    // In ranks the calls are easier to follow, but that takes minutes for some thousand edges.
    const char* layout =
        edges_ <= kMaxRankedEdges ? "  rankdir=LR;\n" : "  layout=sfdp;\n  overlap=prism;\n";
    return absl::StrCat("digraph fermata {\n  label=", Quoted(Title()), ";\n  labelloc=t;\n",
                        layout,
                        "  node [fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\"];\n");
  }

  std::string Title() const {
    std::string title = absl::StrCat(
        llvm::json::fixUTF8(wasm::Printable(m_.path, 200)), ": ",
        nodes_ == 0 ? "no function may suspend" : "functions that may suspend, and why");
    if (shown_ < nodes_) {
      absl::StrAppend(&title, "\n", shown_, " of ", nodes_,
                      " nodes: those nearest to the imports that suspend");
    }
    return title;
  }

  void DrawFunction(uint32_t f) {
    const wasm::Function& function = m_.functions[f];
    if (function.imported) {
      const wasm::Import& import = m_.imports[function.import];
      absl::StrAppend(&out_, "  f", f, " [shape=box, label=",
                      Quoted(absl::StrCat(wasm::Printable(import.module, kMaxName), ".",
                                          wasm::Printable(import.name, kMaxName))),
                      "];\n");
      return;
    }
    std::string label = absl::StrCat("f", f);
    const auto& names = m_.names.functions;
    if (f < names.size() && !names[f].empty()) {
      absl::StrAppend(&label, "\n", wasm::Printable(names[f], kMaxName));
    }
    absl::StrAppend(&out_, "  f", f, " [label=", Quoted(label), "];\n");
  }

  void DrawType(uint32_t t) {
    const SuspendingType& type = in_.types[t];
    std::string label = SignatureText(m_.types[type.type]);
    if (type.table == analysis::kAnyTable) {
      absl::StrAppend(&label, "\nany function, by reference");
    } else {
      absl::StrAppend(&label, "\n", type.open ? "any function in table " : "table ", type.table);
    }
    absl::StrAppend(&out_, "  t", t, " [shape=diamond, style=dashed, label=", Quoted(label),
                    "];\n");
  }

  void DrawCalls(uint32_t f) {
    const analysis::FunctionCalls& calls = in_.graph.functions[f];
    for (uint32_t callee : calls.direct) {
      if (!has_function_[callee]) continue;
      ++edges_;
      absl::StrAppend(&out_, "  f", f, " -> f", callee, ";\n");
    }
    for (const analysis::IndirectCall& call : calls.indirect) {
      const auto type = type_index_.find(Key(call.type, call.table));
      if (type == type_index_.end() || !has_type_[type->second]) continue;
      ++edges_;
      absl::StrAppend(&out_, "  f", f, " -> t", type->second, " [style=dashed, label=\"type ",
                      call.type, "\"];\n");
    }
  }

  void DrawTargets() {
    ForEachTarget([&](uint32_t t, uint32_t f) {
      if (!has_type_[t] || !has_function_[f]) return;
      ++edges_;
      absl::StrAppend(&out_, "  t", t, " -> f", f, " [style=dashed];\n");
    });
  }

  const Inspection& in_;
  const wasm::Module& m_;
  absl::flat_hash_map<uint64_t, uint32_t> type_index_;  // into Inspection::types
  std::vector<bool> has_function_;                      // is a node of the drawing
  std::vector<bool> has_type_;
  uint32_t nodes_ = 0;
  uint32_t shown_ = 0;
  uint32_t edges_ = 0;
  std::string out_;  // nodes and edges
};

}  // namespace

Graph DrawGraph(const Inspection& in, uint32_t max_nodes) { return Drawing(in, max_nodes).Draw(); }

}  // namespace fermata::inspect

#include "translator/emit/function/suspension.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "translator/emit/function/frame_access.h"
#include "translator/emit/function/functions.h"
#include "translator/emit/function/slots.h"
#include "translator/emit/names.h"

namespace fermata::emit {
namespace {

using analysis::FrameLayout;
using ir::Kind;

// Loads that sharing must save to be worth a second switch.
constexpr size_t kSharedLoads = 8;

// Prints code that stores or loads frames, last value first. `label` starts the names of labels,
// `operation` is that of EmitFrameAccess.
class FrameWalk {
 public:
  FrameWalk(const FrameTree& tree, const char* label, const char* operation, const ir::Function& f,
            const ExpressionPrinter& printer, Writer& out)
      : tree_(tree),
        label_(label),
        operation_(operation),
        f_(f),
        printer_(printer),
        out_(out),
        done_(tree.nodes().size(), false) {}

  // From `node` on. False: it ended in a jump to code that is there already.
  bool Emit(uint32_t node) {
    for (; node != FrameTree::kRoot && !done_[node]; node = tree_.nodes()[node].parent) {
      const FrameTree::Node& n = tree_.nodes()[node];
      done_[node] = true;
      if (n.entries > 1) {
        EmitRun();
        out_.Emit("$0$1:\n", label_, node);
      }
      run_.slots.push_back(n.slot);
    }
    EmitRun();
    if (node != FrameTree::kRoot) out_.Emit("  goto $0$1;\n", label_, node);
    return node == FrameTree::kRoot;
  }

 private:
  void EmitRun() {
    std::reverse(run_.slots.begin(), run_.slots.end());
    EmitFrameAccess(operation_, f_, run_, printer_, out_);
    run_.slots.clear();
  }

  const FrameTree& tree_;
  const char* label_;
  const char* operation_;
  const ir::Function& f_;
  const ExpressionPrinter& printer_;
  Writer& out_;
  std::vector<bool> done_;  // by node
  FrameLayout run_;         // values without a label between, last first
};

}  // namespace

SuspensionEmitter::SuspensionEmitter(const ir::Function& f,
                                     const std::vector<analysis::FrameLayout>& frames,
                                     const ExpressionPrinter& printer)
    : f_(f),
      printer_(printer),
      layouts_(frames),
      first_site_(FirstSite(f.index)),
      result_(f.point_count, ir::kNone),
      handler_(f.point_count, ir::kNone) {
  for (const ir::Stmt& s : f.stmts) {
    if (s.point == ir::kNone) continue;
    if (s.results.size() == 1) result_[s.point] = s.results[0];
    handler_[s.point] = s.handler;
  }
  // In order of first appearance.
  std::map<std::vector<ir::VarId>, size_t> groups;
  for (uint32_t p = 0; p < layouts_.size(); ++p) {
    std::vector<ir::VarId> key;
    for (const analysis::FrameSlot& slot : layouts_[p].slots) key.push_back(slot.var);
    auto [it, fresh] = groups.try_emplace(std::move(key), groups_.size());
    if (fresh) groups_.emplace_back();
    groups_[it->second].push_back(p);
  }
}

void SuspensionEmitter::EmitSpillLabel(uint32_t p, Writer& out) const {
  out.Emit("S$0:", p);
  if (handler_[p] != ir::kNone) {
    out.Emit(" if (self.unwind == Unwind::kThrow) goto L$0;", handler_[p]);
  }
}

void SuspensionEmitter::EmitSpills(absl::string_view push, absl::string_view leave,
                                   const std::vector<bool>& used, Writer& out) const {
  std::vector<std::vector<uint32_t>> groups = groups_;
  if (!used.empty()) {
    for (std::vector<uint32_t>& group : groups) {
      group.erase(std::remove_if(group.begin(), group.end(), [&](uint32_t p) { return !used[p]; }),
                  group.end());
    }
    groups.erase(std::remove_if(groups.begin(), groups.end(),
                                [](const std::vector<uint32_t>& group) { return group.empty(); }),
                 groups.end());
  }
  std::vector<const FrameLayout*> frames;
  frames.reserve(groups.size());
  for (const std::vector<uint32_t>& group : groups) frames.push_back(&layouts_[group[0]]);
  const FrameTree tree(frames);
  FrameWalk walk(tree, "V", "  PUT", f_, printer_, out);
  for (size_t g = 0; g < groups.size(); ++g) {
    const std::vector<uint32_t>& group = groups[g];
    std::string site;
    if (group.size() == 1) {
      site = absl::StrCat(first_site_, " + ", group[0]);
      EmitSpillLabel(group[0], out);
      out.Put("\n");
    } else {
      site = "site";
      for (uint32_t p : group) {
        EmitSpillLabel(p, out);
        out.Emit(" site = $0 + $1; goto P$2;\n", first_site_, p, g);
      }
      out.Emit("P$0:\n", g);
    }
    out.Put("  ");
    out.Emit(push, site);
    out.Put(";\n");
    if (walk.Emit(tree.end(g))) out.Emit("  $0\n", leave);
  }
}

void SuspensionEmitter::EmitArrival(uint32_t p, absl::string_view value, Writer& out) const {
  if (result_[p] != ir::kNone) {
    const Kind kind = f_.vars[result_[p]].type;
    out.Emit("    $0 = $1;", printer_.Var(result_[p]),
             kind == Kind::kV128 ? FromSlots(kind, "base->context->results", 0)
                                 : absl::StrCat("slot_", CType(kind), "(", value, ")"));
  }
  if (handler_[p] != ir::kNone) out.Emit("    if (SUSPENDED) goto L$0;", handler_[p]);
  out.Emit("$0goto R$1;\n", result_[p] != ir::kNone || handler_[p] != ir::kNone ? " " : "    ", p);
}

void SuspensionEmitter::EmitReloads(absl::string_view point, absl::string_view value,
                                    Writer& out) const {
  std::vector<const FrameLayout*> frames;
  size_t loads = 0;
  for (const std::vector<uint32_t>& group : groups_) {
    frames.push_back(&layouts_[group[0]]);
    loads += group.size() * frames.back()->slots.size();
  }
  const FrameTree tree(frames);
  if (loads >= tree.nodes().size() - 1 + kSharedLoads) {
    return EmitSharedReloads(tree, point, value, out);
  }
  for (uint32_t p = 0; p < layouts_.size(); ++p) {
    out.Emit("  case $0:\n", p);
    EmitFrameAccess("    GET", f_, layouts_[p], printer_, out);
    EmitArrival(p, value, out);
  }
}

void SuspensionEmitter::EmitSharedReloads(const FrameTree& tree, absl::string_view point,
                                          absl::string_view value, Writer& out) const {
  FrameWalk walk(tree, "G", "    GET", f_, printer_, out);
  for (size_t g = 0; g < groups_.size(); ++g) {
    for (const uint32_t p : groups_[g]) out.Emit("  case $0:\n", p);
    if (walk.Emit(tree.end(g))) out.Put("    break;\n");
  }
  out.Emit("  default: FERMATA_UNREACHABLE;\n  }\n  switch ($0) {\n", point);
  for (uint32_t p = 0; p < layouts_.size(); ++p) {
    out.Emit("  case $0:\n", p);
    EmitArrival(p, value, out);
  }
}

}  // namespace fermata::emit

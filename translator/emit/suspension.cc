#include "translator/emit/suspension.h"

#include <algorithm>
#include <map>

#include "translator/emit/names.h"
#include "translator/emit/slots.h"

namespace fermata::emit {
namespace {

using analysis::FrameLayout;
using ir::Kind;

// The suffix of frame_put… and frame_get…
const char* AccessOf(Kind kind) {
  switch (kind) {
    case Kind::kI64:
      return "64";
    case Kind::kF32:
      return "_f32";
    case Kind::kF64:
      return "_f64";
    case Kind::kV128:
      return "128";
    default:
      return "32";
  }
}

// Loads that sharing must save to be worth a second switch.
constexpr size_t kSharedLoads = 8;

// Prints code that stores or loads frames, last value first. `label` starts the names of labels.
class FrameWalk {
 public:
  FrameWalk(const FrameTree& tree, const char* label, Writer& out)
      : tree_(tree), label_(label), out_(out), done_(tree.nodes().size(), false) {}

  // From `node` on. False: it ended in a jump to code that is there already. `value` prints one.
  template <typename Value>
  bool Emit(uint32_t node, Value&& value) {
    for (; node != FrameTree::kRoot; node = tree_.nodes()[node].parent) {
      const FrameTree::Node& n = tree_.nodes()[node];
      if (done_[node]) {
        out_.Emit("  goto $0$1;\n", label_, node);
        return false;
      }
      done_[node] = true;
      if (n.entries > 1) out_.Emit("$0$1:\n", label_, node);
      value(n.slot);
    }
    return true;
  }

 private:
  const FrameTree& tree_;
  const char* label_;
  Writer& out_;
  std::vector<bool> done_;
};

}  // namespace

SuspensionEmitter::SuspensionEmitter(const ir::Function& f, const analysis::LiveSets& live_sets,
                                     const ExpressionPrinter& printer, uint32_t first_site)
    : f_(f),
      printer_(printer),
      first_site_(first_site),
      result_(f.point_count, ir::kNone),
      handler_(f.point_count, ir::kNone) {
  const std::vector<uint32_t> rank = analysis::FrameOrder(f, live_sets);
  for (const std::vector<ir::VarId>& live : live_sets) {
    layouts_.push_back(analysis::LayOutFrame(f, live, rank));
  }
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
  for (const std::vector<uint32_t>& group : groups) frames.push_back(&layouts_[group[0]]);
  const FrameTree tree(frames);
  FrameWalk walk(tree, "V", out);
  for (size_t g = 0; g < groups.size(); ++g) {
    const std::vector<uint32_t>& group = groups[g];
    std::string site;
    if (group.size() == 1) {
      site = absl::StrCat(first_site_ + group[0], "u");
      EmitSpillLabel(group[0], out);
      out.Put("\n");
    } else {
      site = "site";
      for (uint32_t p : group) {
        EmitSpillLabel(p, out);
        out.Emit(" site = $0u; goto P$1;\n", first_site_ + p, g);
      }
      out.Emit("P$0:\n", g);
    }
    out.Emit("  frame = ");
    out.Emit(push, site, frames[g]->words);
    out.Put(";\n");
    const bool ends = walk.Emit(tree.end(g), [&](const analysis::FrameSlot& slot) {
      out.Emit("  frame_put$0(frame, $1, $2);\n", AccessOf(f_.vars[slot.var].type), slot.offset,
               printer_.Var(slot.var));
    });
    if (ends) out.Emit("  $0\n", leave);
  }
}

void SuspensionEmitter::EmitReload(uint32_t p, absl::string_view frame, Writer& out) const {
  for (const analysis::FrameSlot& slot : layouts_[p].slots) {
    out.Emit("      $0 = frame_get$1($2, $3);\n", printer_.Var(slot.var),
             AccessOf(f_.vars[slot.var].type), frame, slot.offset);
  }
}

void SuspensionEmitter::EmitArrival(uint32_t p, absl::string_view value, Writer& out) const {
  if (result_[p] != ir::kNone) {
    const Kind kind = f_.vars[result_[p]].type;
    out.Emit("      $0 = $1;\n", printer_.Var(result_[p]),
             kind == Kind::kV128 ? FromSlots(kind, "base->context->results", 0)
                                 : absl::StrCat("slot_", CType(kind), "(", value, ")"));
  }
  if (handler_[p] != ir::kNone) out.Emit("      if (FERMATA_SUSPENDED) goto L$0;\n", handler_[p]);
  out.Emit("      goto R$0;\n", p);
}

void SuspensionEmitter::EmitReloads(absl::string_view point, absl::string_view frame,
                                    absl::string_view value, Writer& out) const {
  std::vector<const FrameLayout*> frames;
  size_t loads = 0;
  for (const std::vector<uint32_t>& group : groups_) {
    frames.push_back(&layouts_[group[0]]);
    loads += group.size() * frames.back()->slots.size();
  }
  const FrameTree tree(frames);
  if (loads >= tree.nodes().size() - 1 + kSharedLoads) {
    return EmitSharedReloads(tree, point, frame, value, out);
  }
  for (uint32_t p = 0; p < layouts_.size(); ++p) {
    out.Emit("    case $0:\n", p);
    EmitReload(p, frame, out);
    EmitArrival(p, value, out);
  }
}

void SuspensionEmitter::EmitSharedReloads(const FrameTree& tree, absl::string_view point,
                                          absl::string_view frame, absl::string_view value,
                                          Writer& out) const {
  FrameWalk walk(tree, "G", out);
  for (size_t g = 0; g < groups_.size(); ++g) {
    for (const uint32_t p : groups_[g]) out.Emit("    case $0:\n", p);
    const bool ends = walk.Emit(tree.end(g), [&](const analysis::FrameSlot& slot) {
      out.Emit("      $0 = frame_get$1($2, $3);\n", printer_.Var(slot.var),
               AccessOf(f_.vars[slot.var].type), frame, slot.offset);
    });
    if (ends) out.Put("      break;\n");
  }
  out.Emit("    default: FERMATA_UNREACHABLE;\n  }\n  switch ($0) {\n", point);
  for (uint32_t p = 0; p < layouts_.size(); ++p) {
    out.Emit("    case $0:\n", p);
    EmitArrival(p, value, out);
  }
}

}  // namespace fermata::emit

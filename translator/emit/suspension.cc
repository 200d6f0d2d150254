#include "translator/emit/suspension.h"

#include <map>

#include "translator/emit/names.h"

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
    default:
      return "32";
  }
}

}  // namespace

SuspensionEmitter::SuspensionEmitter(const ir::Function& f, const analysis::LiveSets& live_sets,
                                     const ExpressionPrinter& printer, uint32_t first_site)
    : f_(f), printer_(printer), first_site_(first_site), result_(f.point_count, ir::kNone) {
  for (const std::vector<ir::VarId>& live : live_sets) {
    layouts_.push_back(analysis::LayOutFrame(f, live));
  }
  for (const ir::Stmt& s : f.stmts) {
    if (s.point != ir::kNone && s.results.size() == 1) result_[s.point] = s.results[0];
  }
}

void SuspensionEmitter::EmitSpills(absl::string_view push, absl::string_view leave,
                                   Writer& out) const {
  // Resume points by live set, in order of first appearance.
  std::map<std::vector<ir::VarId>, size_t> groups;
  std::vector<std::vector<uint32_t>> members;
  for (uint32_t p = 0; p < layouts_.size(); ++p) {
    std::vector<ir::VarId> key;
    for (const analysis::FrameSlot& slot : layouts_[p].slots) key.push_back(slot.var);
    auto [it, fresh] = groups.try_emplace(std::move(key), members.size());
    if (fresh) members.emplace_back();
    members[it->second].push_back(p);
  }
  for (size_t g = 0; g < members.size(); ++g) {
    const FrameLayout& layout = layouts_[members[g][0]];
    std::string site;
    if (members[g].size() == 1) {
      site = absl::StrCat(first_site_ + members[g][0], "u");
      out.Emit("S$0:\n", members[g][0]);
    } else {
      site = "site";
      for (uint32_t p : members[g]) out.Emit("S$0: site = $1u; goto P$2;\n", p, first_site_ + p, g);
      out.Emit("P$0:\n", g);
    }
    out.Emit("  frame = ");
    out.Emit(push, site, layout.words);
    out.Put(";\n");
    for (const analysis::FrameSlot& slot : layout.slots) {
      out.Emit("  frame_put$0(frame, $1, $2);\n", AccessOf(f_.vars[slot.var].type), slot.offset,
               printer_.Var(slot.var));
    }
    out.Emit("  $0\n", leave);
  }
}

void SuspensionEmitter::EmitReloads(absl::string_view frame, absl::string_view value,
                                    Writer& out) const {
  for (uint32_t p = 0; p < layouts_.size(); ++p) {
    out.Emit("    case $0:\n", p);
    for (const analysis::FrameSlot& slot : layouts_[p].slots) {
      out.Emit("      $0 = frame_get$1($2, $3);\n", printer_.Var(slot.var),
               AccessOf(f_.vars[slot.var].type), frame, slot.offset);
    }
    if (result_[p] != ir::kNone) {
      out.Emit("      $0 = slot_$1($2);\n", printer_.Var(result_[p]),
               CType(f_.vars[result_[p]].type), value);
    }
    out.Emit("      goto R$0;\n", p);
  }
}

}  // namespace fermata::emit

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

// Loads, beyond those that each resume point would have to itself, that make sharing them worth a
// second switch.
constexpr size_t kSharedLoads = 64;

}  // namespace

SuspensionEmitter::SuspensionEmitter(const ir::Function& f, const analysis::LiveSets& live_sets,
                                     const ExpressionPrinter& printer, uint32_t first_site)
    : f_(f),
      printer_(printer),
      first_site_(first_site),
      result_(f.point_count, ir::kNone),
      handler_(f.point_count, ir::kNone) {
  for (const std::vector<ir::VarId>& live : live_sets) {
    layouts_.push_back(analysis::LayOutFrame(f, live));
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
  for (size_t g = 0; g < groups_.size(); ++g) {
    std::vector<uint32_t> group = groups_[g];
    if (!used.empty()) {
      group.erase(std::remove_if(group.begin(), group.end(), [&](uint32_t p) { return !used[p]; }),
                  group.end());
    }
    if (group.empty()) continue;
    const FrameLayout& layout = layouts_[group[0]];
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
    out.Emit(push, site, layout.words);
    out.Put(";\n");
    for (const analysis::FrameSlot& slot : layout.slots) {
      out.Emit("  frame_put$0(frame, $1, $2);\n", AccessOf(f_.vars[slot.var].type), slot.offset,
               printer_.Var(slot.var));
    }
    out.Emit("  $0\n", leave);
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
  for (const std::vector<uint32_t>& group : groups_) {
    const bool shared = (group.size() - 1) * layouts_[group[0]].slots.size() > kSharedLoads;
    for (uint32_t p : group) {
      out.Emit("    case $0:\n", p);
      if (shared) continue;
      EmitReload(p, frame, out);
      EmitArrival(p, value, out);
    }
    if (!shared) continue;
    EmitReload(group[0], frame, out);
    out.Emit("      switch ($0) {\n", point);
    for (uint32_t p : group) {
      out.Emit("      case $0:\n", p);
      EmitArrival(p, value, out);
    }
    out.Put("      default: FERMATA_UNREACHABLE;\n      }\n");
  }
}

}  // namespace fermata::emit

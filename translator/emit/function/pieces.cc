#include "translator/emit/function/pieces.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "translator/emit/function/functions.h"
#include "translator/emit/function/slots.h"
#include "translator/emit/function/variables.h"
#include "translator/emit/names.h"

namespace fermata::emit {

using analysis::Piece;

namespace {
uint32_t FilesOf(const ModuleContext& context, uint32_t function) {
  return context.shards[function].last - context.shards[function].first + 1;
}
}  // namespace

PieceEmitter::PieceEmitter(const ModuleContext& context, const ir::Function& f,
                           const FunctionPlan& plan, const ExpressionPrinter& printer,
                           const SuspensionEmitter& suspension, StatementEmitter& statements,
                           Writer& out)
    : context_(context),
      f_(f),
      printer_(printer),
      suspension_(suspension),
      statements_(statements),
      out_(out),
      name_(FunctionName(context.module, f.index)),
      variables_(VariablesIn(f.stmts)),
      pieces_(plan.pieces),
      frames_(plan.frames),
      parts_(std::min<uint32_t>(pieces_.size(), FilesOf(context, f.index))) {
  of_label_.resize(f.label_count);
  of_point_.resize(f.point_count);
  for (uint32_t p = 0; p < pieces_.size(); ++p) {
    uint32_t number = 0;  // the piece's start
    for (ir::LabelId label : pieces_[p].entries) of_label_[label] = {p, ++number};
    for (uint32_t point : pieces_[p].points) of_point_[point] = {p, ++number};
  }
}

uint32_t PieceEmitter::FirstPieceOf(uint32_t part) const {
  return static_cast<uint32_t>(uint64_t{part} * pieces_.size() / parts_);
}

void PieceEmitter::EmitPart(uint32_t part) {
  const uint32_t begin = FirstPieceOf(part);
  const uint32_t end = FirstPieceOf(part + 1);
  if (part > 0) {
    out_.Emit("\n// function $0: pieces $1 to $2 of $3\n", f_.index, begin, end - 1,
              pieces_.size());
  }
  EmitVariables();
  for (uint32_t p = begin; p < end; ++p) EmitPiece(p);
}

void PieceEmitter::EmitVariables() {
  out_.Emit("struct $0_vars {\n", name_);
  DeclareVariables(f_, variables_, printer_, "", out_);
  if (f_.type->results.size() == 1) out_.Emit("  $0 result;\n", ReturnType(*f_.type));
  if (f_.point_count > 0) out_.Put("  u32 point;\n  u64 value;\n");
  out_.Put("};\n");
}

void PieceEmitter::EmitPiece(uint32_t number) {
  const Piece& piece = pieces_[number];
  const auto stmts = absl::MakeConstSpan(f_.stmts).subspan(piece.begin, piece.end - piece.begin);
  out_.Emit("$2u32 $0_piece$1(Instance* base, $0_vars& FERMATA_RESTRICT v, u32 at) {\n", name_,
            number, parts_ == 1 ? "static " : "");
  out_.Put("  SELF;\n");
  statements_.Begin(Body::kPiece);
  statements_.EmitCommon();
  DeclareVariables(f_, VariablesIn(stmts), printer_, "v", out_);
  EmitEntrySwitch(piece);
  for (const ir::Stmt& s : stmts) statements_.Emit(s);
  if (stmts.empty() || !ir::EndsFlow(stmts.back())) {
    if (number + 1 < pieces_.size()) {
      out_.Emit("  return $0u << 16;\n", number + 1);
    } else {
      out_.Emit("  $0\n", statements_.LeaveStatement());
    }
  }
  statements_.EmitLeave();
  for (uint32_t point : piece.points) {
    suspension_.EmitSpillLabel(point, out_);
    out_.Emit(" v.point = $0; return kPushFrame;\n", point);
  }
  for (ir::LabelId label : piece.exits) {
    out_.Emit("L$0: return $1u << 16 | $2;\n", label, of_label_[label].piece,
              of_label_[label].number);
  }
  out_.Put("}\n");
}

void PieceEmitter::EmitEntrySwitch(const Piece& piece) {
  if (piece.entries.empty() && piece.points.empty()) {
    out_.Put("  (void)at;\n");
    return;
  }
  out_.Put("  switch (at) {\n  case 0: break;\n");
  for (ir::LabelId label : piece.entries) {
    out_.Emit("  case $0: goto L$1;\n", of_label_[label].number, label);
  }
  for (uint32_t point : piece.points) {
    out_.Emit("  case $0:\n", of_point_[point].number);
    suspension_.EmitArrival(point, "v.value", out_);
  }
  out_.Put("  default: FERMATA_UNREACHABLE;\n  }\n");
}

// The offsets of all live sets one after the other, what is in which frame, and by resume point its
// entry and frame.
void PieceEmitter::EmitFrameTables() {
  const auto& groups = suspension_.groups();
  std::vector<uint32_t> group_of(f_.point_count);
  std::string layouts;
  uint32_t first = 0;
  out_.Emit("static const u32 $0_offsets[] = {\n", name_);
  for (uint32_t g = 0; g < groups.size(); ++g) {
    const analysis::FrameLayout& layout = frames_[groups[g][0]];
    uint32_t counts[3] = {};  // of 16, 8 and 4 bytes
    for (const analysis::FrameSlot& slot : layout.slots) {
      out_.Emit("  offsetof($0_vars, $1),\n", name_, printer_.Var(slot.var));
      const uint32_t bytes = analysis::FrameBytes(f_.vars[slot.var].type);
      ++counts[bytes == 16 ? 0 : bytes == 8 ? 1 : 2];
    }
    absl::SubstituteAndAppend(&layouts, "  {$0, $1, $2, $3},\n", first, counts[0], counts[1],
                              counts[2]);
    first += layout.slots.size();
    for (uint32_t point : groups[g]) group_of[point] = g;
  }
  out_.Put("  0};\n");
  out_.Emit("static const PieceFrame $0_frames[] = {\n$1};\n", name_, layouts);
  out_.Emit("static const PiecePoint $0_points[] = {\n", name_);
  for (uint32_t point = 0; point < f_.point_count; ++point) {
    out_.Emit("  {$0u << 16 | $1, $2},\n", of_point_[point].piece, of_point_[point].number,
              group_of[point]);
  }
  out_.Put("};\n");
}

void PieceEmitter::EmitLoop() {
  for (uint32_t p = FirstPieceOf(1); p < pieces_.size(); ++p) {
    out_.Emit("u32 $0_piece$1(Instance*, $0_vars& FERMATA_RESTRICT, u32);\n", name_, p);
  }
  if (f_.point_count > 0) EmitFrameTables();
  out_.Emit("static void $0_run(Instance* base, $0_vars& v, u32 at) {\n", name_);
  out_.Emit("  static u32 (*const pieces[])(Instance*, $0_vars& FERMATA_RESTRICT, u32) = {\n",
            name_);
  for (uint32_t p = 0; p < pieces_.size(); ++p) out_.Emit("    $0_piece$1,\n", name_, p);
  out_.Put("  };\n  while (at < kPushFrame) at = pieces[at >> 16](base, v, at & 0xffff);\n");
  if (f_.point_count > 0) {
    out_.Emit(
        "  if (at != kPushFrame) return;\n"
        "  const PieceFrame& layout = $0_frames[$0_points[v.point].frame];\n"
        "  u8* frame = PushFrame(base, $1 + v.point);\n"
        "  frame_put_members(frame, &v, layout, $0_offsets);\n",
        name_, FirstSite(f_.index));
  }
  out_.Put("}\n");
}

void PieceEmitter::EmitEntry() {
  // The estimate does not know of the structure.
  out_.Emit("  check_stack(base, $0u + u32(sizeof($1_vars)));\n  $1_vars v = {};\n",
            context_.stack_need[f_.index], name_);
  for (ir::VarId v : variables_) {
    if (v < f_.type->params.size()) out_.Emit("  v.$0 = $0;\n", printer_.Var(v));
  }
  out_.Emit("  $0_run(base, v, 0);\n", name_);
  out_.Put(f_.type->results.size() == 1 ? "  return v.result;\n}\n" : "}\n");
}

void PieceEmitter::EmitResumption() {
  out_.Emit(
      "  $0_vars v = {};\n  v.value = value;\n  const PiecePoint& to = $0_points[point];\n"
      "  frame_get_members(frame, &v, $0_frames[to.frame], $0_offsets);\n"
      "  $0_run(base, v, to.at);\n",
      name_);
  if (ReturnsSlot(*f_.type)) {
    out_.Emit("  return slot_of_$0(v.result);\n}\n", ReturnType(*f_.type));
    return;
  }
  if (f_.type->results.size() == 1) {
    out_.Emit("  if (base->unwind != Unwind::kNone) return 0;\n  $0\n",
              ToSlots(ir::Kind::kV128, "base->context->results", 0, "v.result"));
  }
  out_.Put("  return 0;\n}\n");
}

}  // namespace fermata::emit

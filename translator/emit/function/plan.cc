#include "translator/emit/function/plan.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"

namespace fermata::emit {
namespace {

using ir::Stmt;

// Largest bodies that are split, in bytes of wasm; `loop`: where a loop does not suspend. In large
// modules code size and compile time matter more.
struct SplitThresholds {
  uint32_t bytes;
  uint32_t loop;
};
constexpr SplitThresholds kSmallModule = {1000, 4000};
constexpr SplitThresholds kLargeModule = {60, 400};

constexpr uint32_t kMostPoints = 1000;  // each is an edge from the entry switch into the body

// A loop and a table of jumps to many places: the heart of an interpreter, whose speed is the
// program's.
bool IsInterpreter(const ir::Function& f) {
  constexpr size_t kManyPlaces = 64;
  return f.has_loop && std::any_of(f.stmts.begin(), f.stmts.end(), [](const Stmt& s) {
           return s.kind == ir::StmtKind::kJumpTable && s.labels.size() >= kManyPlaces &&
                  absl::flat_hash_set<ir::LabelId>(s.labels.begin(), s.labels.end()).size() >=
                      kManyPlaces;
         });
}

}  // namespace

FunctionShape ChooseShape(const ModuleContext& context, const ir::Function& f) {
  const uint32_t bytes = context.module.functions[f.index].body.size();
  if (bytes > context.options.giant_bytes || f.point_count > kMostPoints) {
    return FunctionShape::kPieces;
  }
  if (f.point_count == 0) return FunctionShape::kPlain;
  switch (context.options.shape) {
    case ShapeChoice::kSplit:
    case ShapeChoice::kTails:
      return FunctionShape::kSplit;
    case ShapeChoice::kShared:
      return FunctionShape::kShared;
    case ShapeChoice::kAuto:
      // Where flash is what counts: half the size.
      if (context.options.freestanding) return FunctionShape::kShared;
      break;
  }
  const SplitThresholds& limits = context.large() ? kLargeModule : kSmallModule;
  if (IsInterpreter(f)) return FunctionShape::kSplit;
  const bool has_hot_loop = f.has_loop && (!f.suspends_in_loop || analysis::WorthPeeling(f));
  const bool small = bytes <= (has_hot_loop ? limits.loop : limits.bytes);
  return small || analysis::WorthTails(f) ? FunctionShape::kSplit : FunctionShape::kShared;
}

analysis::ResumeStyle ChooseResumeStyle(const ModuleContext& context, const ir::Function& f) {
  if (context.options.shape == ShapeChoice::kTails) return analysis::ResumeStyle::kTails;
  if (analysis::WorthPeeling(f)) return analysis::ResumeStyle::kPeeled;
  return analysis::WorthTails(f) ? analysis::ResumeStyle::kTails : analysis::ResumeStyle::kWhole;
}

const char* Name(FunctionShape shape) {
  switch (shape) {
    case FunctionShape::kPlain:
      return "plain";
    case FunctionShape::kSplit:
      return "split";
    case FunctionShape::kShared:
      return "shared";
    case FunctionShape::kPieces:
      return "pieces";
  }
  return "";
}

}  // namespace fermata::emit

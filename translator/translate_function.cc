#include "translator/translate_function.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "include/fermata/core/sites.h"
#include "translator/analysis/counted_loops.h"
#include "translator/analysis/frame_layout.h"
#include "translator/analysis/liveness.h"
#include "translator/analysis/piece_cuts.h"
#include "translator/analysis/resume_paths.h"
#include "translator/analysis/stack_checks.h"
#include "translator/emit/function/plan.h"
#include "translator/emit/memory_view.h"
#include "translator/ir/builder.h"
#include "translator/ir/printer.h"
#include "translator/passes/bounds.h"
#include "translator/passes/force_loads.h"
#include "translator/passes/merge_rooms.h"
#include "translator/passes/merge_throws.h"
#include "translator/passes/null_checks.h"
#include "translator/passes/order_stores.h"
#include "translator/passes/preempt.h"
#include "translator/passes/suspend_everywhere.h"
#include "translator/passes/tidy.h"
#include "translator/wasm/error.h"

namespace fermata {
namespace {

using emit::FunctionPlan;
using emit::FunctionShape;
using emit::ModuleContext;

constexpr uint64_t kMostLiveValues = 8'000'000;  // bounds the text of spills and reloads

// What changes the function before anything is found out about it. Returns how many loads were
// forced.
int RunPasses(const ModuleContext& context, ir::Function& f) {
  const emit::Options& options = context.options;
  if (options.preempt != emit::Preempt::kNone) {
    const bool fuel = options.preempt == emit::Preempt::kFuel;
    passes::Preempt(f, fuel ? ir::PauseWhen::kOutOfFuel : ir::PauseWhen::kInterrupted,
                    analysis::MostStatements(options.freestanding), context.entry_checks[f.index],
                    context.stack_need[f.index]);
  }
  if (context.module.has_object_types) passes::MergeThrows(f);
  if (options.suspend_everywhere) passes::SuspendEverywhere(f);
  if (f.uses_heap) {
    passes::MergeRooms(f);
    passes::DropNullChecks(f);
  }
  const bool reserved = options.memory == emit::MemoryPolicy::kReserved;
  const auto least_bytes = [&](uint32_t m) {
    return emit::LeastBytes(options, context.module.memories[m].type);
  };
  passes::FindAccessesInBounds(f, {least_bytes, /*trusts_frames=*/reserved,
                                   /*merges_checks=*/!reserved});
  if (!reserved) return 0;
  passes::OrderStores(f);
  return passes::ForceLoads(f, context.module);
}

// What emission goes by.
absl::StatusOr<FunctionPlan> MakePlan(const ModuleContext& context, const ir::Function& f) {
  const auto limit = [&](absl::string_view what) {
    return wasm::ErrorIn(context.module, f.index, context.module.functions[f.index].body_offset,
                         absl::StrCat("implementation limit: ", what));
  };
  FunctionPlan plan;
  analysis::LiveSets live;
  if (!analysis::LiveAtPoints(f, kMostLiveValues, live)) {
    return limit(absl::StrCat("more than ", kMostLiveValues,
                              " values to save over all suspension points of a function"));
  }
  plan.frames = analysis::LayOutFrames(context.module, f, live);
  for (const analysis::FrameLayout& frame : plan.frames) {
    if (frame.words > core::kMostFrameWords) return limit("a frame of more than 256 KiB");
  }
  for (const ir::VarId v : analysis::LiveAtEntry(f)) {
    if (v >= f.type->params.size()) plan.zeroed.push_back(v);
  }
  plan.shape = emit::ChooseShape(context, f);
  if (context.stack_need[f.index] != 0) {
    plan.stack_check = analysis::StackCheckPosition(f, context.stack_need[f.index]);
  }
  if (plan.shape == FunctionShape::kSplit) {
    plan.resume_paths = analysis::FindResumePaths(f, emit::ChooseResumeStyle(context, f));
    const std::vector<ir::LabelId>& heads = plan.resume_paths.heads;
    plan.heads = analysis::LayOutFrames(f, analysis::LiveAtLabels(f, heads));
  }
  if (plan.shape == FunctionShape::kPieces) {
    plan.pieces = analysis::CutIntoPieces(f, context.options.piece_size);
  }
  return plan;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ir::Function>> BuildFunction(
    const wasm::Module& module, uint32_t function, const analysis::Suspension& suspension) {
  absl::StatusOr<std::unique_ptr<ir::Function>> f = ir::Build(module, function, suspension);
  if (f.ok()) passes::Tidy(**f);
  return f;
}

absl::StatusOr<TranslatedFunction> TranslateFunction(const ModuleContext& context,
                                                     uint32_t function, bool print_ir) {
  // 1. From bytes to statements.
  absl::StatusOr<std::unique_ptr<ir::Function>> f =
      BuildFunction(context.module, function, context.suspension);
  if (!f.ok()) return f.status();

  // 2. Passes change it.
  TranslatedFunction result;
  result.forced_loads = RunPasses(context, **f);
  if (print_ir) result.ir_text = ir::Print(context.module, **f);

  // 3. Analyses find out what has to be known to print it.
  const absl::StatusOr<FunctionPlan> plan = MakePlan(context, **f);
  if (!plan.ok()) return plan.status();

  // 4. Emission prints it.
  result.emitted = emit::EmitFunction(context, **f, *plan);
  return result;
}

}  // namespace fermata

// What emission goes by beside the statements: the shape of the function, and what the analyses
// found out about it.
#ifndef FERMATA_TRANSLATOR_EMIT_FUNCTION_PLAN_H_
#define FERMATA_TRANSLATOR_EMIT_FUNCTION_PLAN_H_

#include <cstdint>
#include <vector>

#include "translator/analysis/frame_layout.h"
#include "translator/analysis/piece_cuts.h"
#include "translator/analysis/resume_paths.h"
#include "translator/emit/module_context.h"
#include "translator/ir/ir.h"

namespace fermata::emit {

// note [shapes]
//
// plain    cannot suspend: an ordinary function.
// split    a fast clone, called normally, that pushes its live values and returns 0 when a callee
//          suspended; and a resume clone, the same body behind an entry switch, that the trampoline
//          calls. Calls made by the resume clone reach the fast clones of others. In a deep nest of
//          loops it is only what is left of one round (analysis/resume_paths.h): it then saves what
//          is live and calls the fast clone, which goes on at the head of its loop.
// shared   one body with the entry switch; ResumeShared sets the point and calls it. Half the
//          text, but every call pays a test at entry and the switch makes the body's loops
//          irreducible.
// pieces   too large for a C++ compiler as one function, whether it suspends or not: see
//          translator/emit/function/pieces.h.
//
// A function that makes tail calls has a *body* in one of these shapes, and a wrapper that calls it
// and then makes the calls it asks for (see runtime/core/trampoline.cc, note [tail calls]).
//
// `auto` splits what is small, or has a loop that does not suspend, or is the loop of an
// interpreter or a deep nest of loops; the rest is shared.
enum class FunctionShape : uint8_t { kPlain, kSplit, kShared, kPieces };

// "split", for reports and comments.
const char* Name(FunctionShape shape);

FunctionShape ChooseShape(const ModuleContext& context, const ir::Function& f);
// Of what is split.
analysis::ResumeStyle ChooseResumeStyle(const ModuleContext& context, const ir::Function& f);

struct FunctionPlan {
  FunctionShape shape = FunctionShape::kPlain;
  std::vector<analysis::FrameLayout> frames;  // by resume point
  std::vector<ir::VarId> zeroed;              // locals that may be read before they are assigned to
  uint32_t stack_check = ir::kNone;    // the statement before which the stack is checked, if it is
  analysis::ResumePaths resume_paths;  // kSplit: of the resume clone
  std::vector<analysis::FrameLayout> heads;  // what is live at resume_paths.heads
  std::vector<analysis::Piece> pieces;       // kPieces
};

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_FUNCTION_PLAN_H_

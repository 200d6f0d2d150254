// Prints what moves live values between variables and a frame.
#ifndef FERMATA_TRANSLATOR_EMIT_FUNCTION_FRAME_ACCESS_H_
#define FERMATA_TRANSLATOR_EMIT_FUNCTION_FRAME_ACCESS_H_

#include "absl/strings/string_view.h"
#include "translator/analysis/frame_layout.h"
#include "translator/emit/function/expressions.h"
#include "translator/emit/writer.h"
#include "translator/ir/ir.h"

namespace fermata::emit {

// `operation` is GET or PUT of fermata/core/spelling.h, behind spaces that indent it. Prints lines
// of "  GET3(32, 8, l0, l1, s0);": values of one kind that lie side by side together. The frame is
// the variable `frame`.
void EmitFrameAccess(absl::string_view operation, const ir::Function& f,
                     const analysis::FrameLayout& layout, const ExpressionPrinter& printer,
                     Writer& out);

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_FUNCTION_FRAME_ACCESS_H_

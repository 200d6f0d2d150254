// Declares a function's variables as C++.
#ifndef FERMATA_TRANSLATOR_EMIT_FUNCTION_VARIABLES_H_
#define FERMATA_TRANSLATOR_EMIT_FUNCTION_VARIABLES_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "translator/emit/function/expressions.h"
#include "translator/emit/writer.h"
#include "translator/ir/ir.h"

namespace fermata::emit {

// The variables that the statements read or write, in increasing order.
std::vector<ir::VarId> VariablesIn(absl::Span<const ir::Stmt> stmts);
// The same for those where `used` is set, by index.
std::vector<ir::VarId> VariablesIn(absl::Span<const ir::Stmt> stmts, const std::vector<bool>& used);

// One declaration a type: "  u32 l0, l1;", or as references to the members of `object`, if it is
// not empty: "  u32 &l0 = v.l0, &l1 = v.l1;". Variables are not initialized, so that jumps may
// cross their declarations.
void DeclareVariables(const ir::Function& f, absl::Span<const ir::VarId> variables,
                      const ExpressionPrinter& printer, absl::string_view object, Writer& out);

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_FUNCTION_VARIABLES_H_

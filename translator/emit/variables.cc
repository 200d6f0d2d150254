#include "translator/emit/variables.h"

#include <algorithm>

#include "translator/emit/names.h"

namespace fermata::emit {

std::vector<ir::VarId> VariablesIn(absl::Span<const ir::Stmt> stmts) {
  return VariablesIn(stmts, {});
}

std::vector<ir::VarId> VariablesIn(absl::Span<const ir::Stmt> stmts,
                                   const std::vector<bool>& used) {
  std::vector<ir::VarId> variables;
  for (size_t i = 0; i < stmts.size(); ++i) {
    if (!used.empty() && !used[i]) continue;
    ir::ForEachUse(stmts[i], [&](ir::VarId v) { variables.push_back(v); });
    ir::ForEachDef(stmts[i], [&](ir::VarId v) { variables.push_back(v); });
  }
  std::sort(variables.begin(), variables.end());
  variables.erase(std::unique(variables.begin(), variables.end()), variables.end());
  return variables;
}

void DeclareVariables(const ir::Function& f, absl::Span<const ir::VarId> variables,
                      const ExpressionPrinter& printer, absl::string_view object, Writer& out) {
  for (absl::string_view type : {"u32", "u64", "f32", "f64", "v128", "ref"}) {
    const char* separator = " ";
    for (ir::VarId v : variables) {
      if (CType(f.vars[v].type) != type) continue;
      if (*separator == ' ') out.Put("  ", type);
      if (object.empty()) {
        out.Put(separator, printer.Var(v));
      } else {
        out.Put(separator, "&", printer.Var(v), " = ", object, ".", printer.Var(v));
      }
      separator = ", ";
    }
    if (*separator == ',') out.Put(";\n");
  }
}

}  // namespace fermata::emit

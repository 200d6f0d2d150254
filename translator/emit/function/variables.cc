#include "translator/emit/function/variables.h"

#include "translator/emit/names.h"

namespace fermata::emit {

std::vector<ir::VarId> VariablesIn(absl::Span<const ir::Stmt> stmts) {
  return VariablesIn(stmts, {});
}

std::vector<ir::VarId> VariablesIn(absl::Span<const ir::Stmt> stmts,
                                   const std::vector<bool>& used) {
  std::vector<bool> seen;
  const auto see = [&](ir::VarId v) {
    if (v >= seen.size()) seen.resize(v + 1);
    seen[v] = true;
  };
  for (size_t i = 0; i < stmts.size(); ++i) {
    if (!used.empty() && !used[i]) continue;
    ir::ForEachUse(stmts[i], see);
    ir::ForEachDef(stmts[i], see);
  }
  std::vector<ir::VarId> variables;
  for (ir::VarId v = 0; v < seen.size(); ++v) {
    if (seen[v]) variables.push_back(v);
  }
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

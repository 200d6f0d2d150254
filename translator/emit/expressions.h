// Prints expression trees as C++.
#ifndef FERMATA_TRANSLATOR_EMIT_EXPRESSIONS_H_
#define FERMATA_TRANSLATOR_EMIT_EXPRESSIONS_H_

#include <string>

#include "translator/emit/module_context.h"
#include "translator/ir/ir.h"

namespace fermata::emit {

class ExpressionPrinter {
 public:
  ExpressionPrinter(const ModuleContext& context, const ir::Function& f);

  // Appends `e`, parenthesized if it is not a primary expression.
  void Append(const ir::Expr* e, std::string& out) const;
  // Appends `e` as a C++ condition (true if not zero), with the parentheses of the `if`.
  void AppendCondition(const ir::Expr* e, bool negate, std::string& out) const;
  std::string Text(const ir::Expr* e) const;
  const std::string& Var(ir::VarId v) const { return var_names_[v]; }

 private:
  void AppendNumeric(const ir::Expr* e, std::string& out) const;
  bool AppendComparison(const ir::Expr* e, std::string& out) const;
  void AppendShift(const ir::Expr* e, std::string& out) const;

  const ModuleContext& context_;
  std::vector<std::string> var_names_;
};

// The C++ literal of a constant with this bit pattern.
std::string Literal(ir::Kind kind, uint64_t bits);

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_EXPRESSIONS_H_

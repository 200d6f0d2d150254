// Prints expression trees as C++.
#ifndef FERMATA_TRANSLATOR_EMIT_EXPRESSIONS_H_
#define FERMATA_TRANSLATOR_EMIT_EXPRESSIONS_H_

#include <initializer_list>
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
  // The arguments that are not null, and a closing parenthesis.
  void AppendList(std::initializer_list<const ir::Expr*> list, std::string& out) const;
  void AppendNumeric(const ir::Expr* e, std::string& out) const;
  bool AppendComparison(const ir::Expr* e, std::string& out) const;
  void AppendShift(const ir::Expr* e, std::string& out) const;

  const ModuleContext& context_;
  std::vector<std::string> var_names_;
};

// The C++ literal of a constant with this bit pattern; `high`: upper half of a v128.
std::string Literal(ir::Kind kind, uint64_t bits, uint64_t high = 0);

// The function of the core headers for an instruction: "i32_div_s" for i32.div_s.
std::string HelperName(wasm::Opcode op);

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_EXPRESSIONS_H_

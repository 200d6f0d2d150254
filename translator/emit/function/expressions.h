// Prints expression trees as C++.
#ifndef FERMATA_TRANSLATOR_EMIT_FUNCTION_EXPRESSIONS_H_
#define FERMATA_TRANSLATOR_EMIT_FUNCTION_EXPRESSIONS_H_

#include <initializer_list>
#include <string>

#include "translator/emit/module_context.h"
#include "translator/ir/ir.h"

namespace fermata::emit {

class ExpressionPrinter;

// An expression for Writer, as ExpressionPrinter::Append prints it.
struct PrintedExpr {
  const ExpressionPrinter& printer;
  const ir::Expr* e;
  void AppendTo(std::string& out) const;
};

class ExpressionPrinter {
 public:
  ExpressionPrinter(const ModuleContext& context, const ir::Function& f);

  // Appends `e` where C++ converts it to its own type and nothing binds to it: the right-hand side
  // of an assignment, an argument, in parentheses.
  void Append(const ir::Expr* e, std::string& out) const;
  // Appends `e` with exactly its own type, parenthesized if it is not a primary expression.
  void AppendPrimary(const ir::Expr* e, std::string& out) const;
  // Appends `e` as a C++ condition (true if not zero), with the parentheses of the `if`.
  void AppendCondition(const ir::Expr* e, bool negate, std::string& out) const;
  std::string Text(const ir::Expr* e) const;
  const std::string& Var(ir::VarId v) const { return var_names_[v]; }
  // Appends a reference to an object, with a check if it may be null.
  void AppendReference(const ir::Expr* e, bool nullable, std::string& out) const;
  // The same where the object is accessed right away: the fault may be the check.
  void AppendAccessed(const ir::Expr* e, bool nullable, std::string& out) const;

 private:
  // The arguments that are not null, and a closing parenthesis.
  void AppendList(std::initializer_list<const ir::Expr*> list, std::string& out) const;
  void AppendNumeric(const ir::Expr* e, std::string& out) const;
  // Appends `a` or `b`, the operands of an infix operator: those that bind as `level` or stronger
  // need no parentheses.
  void AppendOperand(const ir::Expr* e, const ir::Expr* other, int level, std::string& out) const;
  void AppendUnforced(const ir::Expr* e, std::string& out) const;
  void AppendInfix(const ir::Expr* e, std::string& out) const;
  bool AppendSumWithConstant(const ir::Expr* e, std::string& out) const;
  void AppendSelect(const ir::Expr* e, std::string& out) const;
  bool AppendComparison(const ir::Expr* e, bool negate, std::string& out) const;
  void AppendShift(const ir::Expr* e, std::string& out) const;
  void AppendLoad(const ir::Expr* e, std::string& out) const;
  void AppendObject(const ir::Expr* e, std::string& out) const;
  // A test of a cast, as a call that gives a bool.
  void AppendTest(const ir::Expr* e, std::string& out) const;
  void AppendTypeTest(const ir::Expr* e, std::string& out) const;

  const ModuleContext& context_;
  std::vector<std::string> var_names_;
};

inline void PrintedExpr::AppendTo(std::string& out) const { printer.Append(e, out); }

// The C++ literal of a constant with this bit pattern; `high`: upper half of a v128.
std::string Literal(ir::Kind kind, uint64_t bits, uint64_t high = 0);

// The function of the core headers for an instruction: "i32_div_s" for i32.div_s.
absl::string_view HelperName(wasm::Opcode op);

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_FUNCTION_EXPRESSIONS_H_

// Prints statements as C++.
//
// The text of a statement is the same whatever C++ function it is in, except for what leaves the
// function: Body says how that is done.
#ifndef FERMATA_TRANSLATOR_EMIT_FUNCTION_STATEMENTS_H_
#define FERMATA_TRANSLATOR_EMIT_FUNCTION_STATEMENTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "translator/analysis/resume_paths.h"
#include "translator/emit/function/expressions.h"
#include "translator/emit/memory_view.h"
#include "translator/emit/module_context.h"
#include "translator/emit/writer.h"
#include "translator/ir/ir.h"

namespace fermata::emit {

// What a C++ function that holds statements is to the wasm function. See note [shapes].
enum class Body : uint8_t {
  kFast,    // called normally, never resumed
  kResume,  // resumed only; its result is a slot
  kShared,  // both
  kPiece,   // a part of it, see note [pieces]
};

class StatementEmitter {
 public:
  StatementEmitter(const ModuleContext& context, const ir::Function& f,
                   const ExpressionPrinter& printer, Writer& out)
      : context_(context), f_(f), type_(*f.type), printer_(printer), out_(out) {}

  // What follows is in a C++ function of this kind.
  void Begin(Body body) {
    body_ = body;
    leaves_ = false;
    BeginPart(nullptr, 0);
  }
  // What follows is a part of a function that is emitted in several, each with labels of its own;
  // the first holds the resume points.
  void BeginPart(const analysis::ResumePaths* paths, uint32_t part) {
    paths_ = paths;
    part_ = part;
  }
  // Declares what statements rely on beside the variables: the memories that are accessed, and what
  // is read to see whether to pause.
  void EmitCommon();
  void Emit(const ir::Stmt& s);
  // L3, in a further part L3_1.
  std::string Label(ir::LabelId label) const;
  // Only what follows the call, from its resume point on.
  void EmitResumption(const ir::Stmt& s);
  // Behind all statements: the label X, if they jump to it.
  void EmitLeave();

  // Returns from the wasm function with `unwind` set.
  absl::string_view LeaveStatement() const;

 private:
  PrintedExpr Arg(const ir::Stmt& s, size_t i) const { return {printer_, s.args[i]}; }
  const std::string& Dst(const ir::Stmt& s) const { return printer_.Var(s.dst); }
  MemoryView View(uint32_t memory) const;
  std::string Callee(const ir::Stmt& s) const;
  bool HasTypedElements(const ir::Stmt& s) const;

  bool HoldsPoints() const { return body_ != Body::kFast && part_ == 0; }
  void EmitCall(const ir::Stmt& s);
  void EmitArrival(const ir::Stmt& s);
  void EmitReturnCall(const ir::Stmt& s);
  void EmitReturn(const ir::Stmt& s);
  void EmitPause(const ir::Stmt& s);
  void EmitJumpTable(const ir::Stmt& s);
  void EmitText(const ir::Stmt& s);
  static bool IsOver(const ir::Stmt& s);
  void Line(const ir::Stmt& s, absl::string_view format);
  void EndLine(const ir::Stmt& s);
  void EmitFill(const ir::Stmt& s);
  void EmitCopy(const ir::Stmt& s);
  std::string FixedView(uint32_t memory) const;
  void EmitGrow(const ir::Stmt& s);
  void EmitMemory(const ir::Stmt& s);
  void EmitTable(const ir::Stmt& s);
  void EmitInit(const ir::Stmt& s);
  void EmitEval(const ir::Stmt& s);
  void EmitJumpIf(const ir::Stmt& s);
  void EmitWide(const ir::Stmt& s);
  void EmitThrow(const ir::Stmt& s);
  void EmitCatch(const ir::Stmt& s);
  void EmitAtomic(const ir::Stmt& s);
  void GoToHandler(const ir::Stmt& s);
  void EmitReloadMemories();
  void EmitObject(const ir::Stmt& s);
  void EmitRoom(const ir::Stmt& s);
  void EmitStructNew(const ir::Stmt& s);
  void EmitArrayNew(const ir::Stmt& s);
  void EmitArrayNewFixed(const ir::Stmt& s);
  void EmitArrayChange(const ir::Stmt& s);
  std::string Reference(const ir::Stmt& s, size_t i, bool nullable) const;
  std::string Accessed(const ir::Stmt& s, size_t i, bool nullable) const;
  void EmitToResults(absl::Span<ir::Expr* const> values);
  void EmitFromResults(absl::Span<const ir::VarId> vars);

  const ModuleContext& context_;
  const ir::Function& f_;
  const wasm::FuncType& type_;
  const ExpressionPrinter& printer_;
  Writer& out_;
  Body body_ = Body::kFast;
  bool leaves_ = false;  // something jumps to the label X
  const analysis::ResumePaths* paths_ = nullptr;
  uint32_t part_ = 0;
};

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_FUNCTION_STATEMENTS_H_

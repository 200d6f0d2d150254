#include "translator/emit/function/functions.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "include/fermata/core/sites.h"
#include "translator/emit/function/expressions.h"
#include "translator/emit/function/frame_access.h"
#include "translator/emit/function/pieces.h"
#include "translator/emit/function/slots.h"
#include "translator/emit/function/statements.h"
#include "translator/emit/function/suspension.h"
#include "translator/emit/function/variables.h"
#include "translator/emit/names.h"
#include "translator/emit/writer.h"

namespace fermata::emit {
namespace {

using ir::Stmt;

constexpr size_t kColumns = 100;  // of declarations

class FunctionEmitter {
 public:
  FunctionEmitter(const ModuleContext& context, const ir::Function& f, const FunctionPlan& plan)
      : context_(context),
        f_(f),
        plan_(plan),
        type_(*f.type),
        name_(FunctionName(context.module, f.index)),
        body_name_(BodyName(context, f.index)),
        printer_(context, f),
        suspension_(f, plan.frames, printer_),
        statements_(context, f, printer_, out_),
        variables_(VariablesIn(f.stmts)) {}

  EmittedFunction Run() {
    result_.shape = plan_.shape;
    for (const ir::VarId v : variables_) result_.variable_bytes += BytesOf(v);
    if (!plan_.heads.empty()) result_.variable_bytes += BytesOfGoingOn();
    CollectSites();
    EmitTitle();
    switch (plan_.shape) {
      case FunctionShape::kPlain:
        EmitDefinition(Body::kFast);
        break;
      case FunctionShape::kSplit:
        EmitDefinition(Body::kFast);
        EmitResumeClone();
        break;
      case FunctionShape::kShared:
        EmitDefinition(Body::kShared);
        EmitAddress();
        break;
      case FunctionShape::kPieces:
        EmitInPieces();
        break;
    }
    if (context_.has_tail_calls(f_.index)) EmitWrapper();
    FinishPart();
    for (uint32_t part = 1; pieces_ && part < pieces_->parts(); ++part) {
      pieces_->EmitPart(part);
      FinishPart();
    }
    return std::move(result_);
  }

 private:
  uint32_t BytesOf(ir::VarId v) const {
    switch (f_.vars[v].type) {
      case ir::Kind::kV128:
        return 16;
      case ir::Kind::kI64:
      case ir::Kind::kF64:
        return 8;
      default:
        return 4;
    }
  }
  // What the native stack holds in addition while a resume clone has called the fast one.
  uint32_t BytesOfGoingOn() const {
    constexpr uint32_t kSaved = 128;  // registers
    uint32_t bytes = kSaved + result_.variable_bytes;
    for (const analysis::FrameLayout& layout : plan_.heads) bytes += 4 * layout.words;
    return bytes;
  }
  void FinishPart() { result_.parts.push_back(out_.Take()); }

  void CollectSites() {
    result_.sites.resize(f_.point_count);
    for (const Stmt& s : f_.stmts) {
      if (s.point == ir::kNone) continue;
      const analysis::FrameLayout& layout = plan_.frames[s.point];
      result_.sites[s.point] = {f_.index,       s.point,      s.offset, layout.words,
                                layout.letters, layout.types, false,    s.handler != ir::kNone,
                                CalleeAt(s)};
    }
  }

  uint16_t CalleeAt(const Stmt& s) const {
    switch (s.kind) {
      case ir::StmtKind::kPause:
        return core::kPauses;
      case ir::StmtKind::kRoom:
        return core::kCollects;
      case ir::StmtKind::kCall:
        return context_.has_tail_calls(s.index) ? core::kCallsAny
                                                : Callee(core::kCallsFunction, s.index);
      case ir::StmtKind::kCallIndirect:
      case ir::StmtKind::kCallRef:
        return Callee(core::kCallsType, s.index);
      case ir::StmtKind::kSet:
      case ir::StmtKind::kEval:
      case ir::StmtKind::kStore:
      case ir::StmtKind::kStoreLane:
      case ir::StmtKind::kAtomic:
      case ir::StmtKind::kAtomicFence:
      case ir::StmtKind::kWide:
      case ir::StmtKind::kGlobalSet:
      case ir::StmtKind::kReturnCall:
      case ir::StmtKind::kReturnCallIndirect:
      case ir::StmtKind::kReturnCallRef:
      case ir::StmtKind::kJump:
      case ir::StmtKind::kJumpIf:
      case ir::StmtKind::kJumpTable:
      case ir::StmtKind::kLabel:
      case ir::StmtKind::kReturn:
      case ir::StmtKind::kUnreachable:
      case ir::StmtKind::kThrow:
      case ir::StmtKind::kThrowRef:
      case ir::StmtKind::kJumpUnlessTag:
      case ir::StmtKind::kCatch:
      case ir::StmtKind::kLeave:
      case ir::StmtKind::kMemoryGrow:
      case ir::StmtKind::kMemoryFill:
      case ir::StmtKind::kMemoryCopy:
      case ir::StmtKind::kMemoryInit:
      case ir::StmtKind::kDataDrop:
      case ir::StmtKind::kTableSet:
      case ir::StmtKind::kTableGrow:
      case ir::StmtKind::kTableFill:
      case ir::StmtKind::kTableCopy:
      case ir::StmtKind::kTableInit:
      case ir::StmtKind::kElemDrop:
      case ir::StmtKind::kStructNew:
      case ir::StmtKind::kArrayNew:
      case ir::StmtKind::kArrayNewFixed:
      case ir::StmtKind::kArrayNewData:
      case ir::StmtKind::kArrayNewElem:
      case ir::StmtKind::kStructSet:
      case ir::StmtKind::kArraySet:
      case ir::StmtKind::kArrayFill:
      case ir::StmtKind::kArrayCopy:
      case ir::StmtKind::kArrayInitData:
      case ir::StmtKind::kArrayInitElem:
        return core::kCallsAny;
    }
    return core::kCallsAny;
  }
  static uint16_t Callee(uint16_t kind, uint32_t index) {
    const uint64_t number = kind + 2 * uint64_t{index};
    return number < core::kCollects ? static_cast<uint16_t>(number) : core::kCallsAny;
  }

  void EmitTitle() {
    const auto& names = context_.module.names.functions;
    out_.Emit("\n// function $0", f_.index);
    if (f_.index < names.size() && !names[f_.index].empty()) {
      out_.Emit(" \"$0\"", ForComment(names[f_.index]));
    }
    out_.Emit(": $0", Name(result_.shape));
    if (f_.point_count > 0) {
      // More than a comment holds. A path may be as long as the module has functions.
      constexpr uint32_t kMostFunctions = 24;
      out_.Emit(", $0 suspension point$1; $2", f_.point_count, f_.point_count == 1 ? "" : "s",
                ForComment(analysis::Explain(context_.module, context_.suspension, f_.index,
                                             kMostFunctions)));
    }
    out_.Put("\n");
    result_.title = out_.Take();
  }

  // Everything up to the opening brace.
  void EmitSignature() {
    const bool internal = context_.internal[f_.index] && body_name_ == name_;
    out_.Emit("$0$1 $2(Instance* base", internal ? "static " : "", ReturnType(type_), body_name_);
    for (uint32_t i = 0; i < type_.params.size(); ++i) {
      out_.Put(", ", CType(f_.vars[i].type), " ", printer_.Var(i));
    }
    out_.Put(") {\n");
  }
  void EmitResumeSignature() {
    out_.Emit("u64 $0_resume(Instance* base, u32 point, u8* frame, u64 value) {\n", name_);
  }

  // The fast clone or the shared body.
  void EmitDefinition(Body body) {
    body_ = body;
    EmitSignature();
    statements_.Begin(body);
    EmitProlog();
    // A resumed function starts on a fresh native stack.
    for (uint32_t i = 0; i < f_.stmts.size(); ++i) {
      if (i == plan_.stack_check) {
        out_.Emit("  check_stack(base, $0u);\n", context_.stack_need[f_.index]);
      }
      statements_.Emit(f_.stmts[i]);
    }
    statements_.EmitLeave();
    if (body_ == Body::kShared) EmitEntrySwitch();
    if (!plan_.heads.empty()) EmitHeadSwitch();
    if (f_.point_count > 0) {
      suspension_.EmitSpills("PUSH($0)", statements_.LeaveStatement(), {}, out_);
    }
    out_.Put("}\n");
  }

  void EmitProlog() {
    out_.Put("  SELF;\n");
    statements_.EmitCommon();
    EmitDeclarations();
    if (f_.point_count == 0) return EmitZeroLocals();
    if (body_ == Body::kShared || suspension_.SharesSpills()) out_.Put("  u32 site;\n");
    out_.Put("  u8* frame;\n");
    if (!plan_.heads.empty()) {
      out_.Put("  u32 head;\n  if (FERMATA_UNLIKELY(self.resume_point != 0)) goto E;\n");
    }
    if (body_ == Body::kShared) {
      out_.Put("  u64 value;\n  if (FERMATA_UNLIKELY(self.resume_point != 0)) goto E;\n");
    }
    EmitZeroLocals();
  }

  void EmitResumeClone() {
    body_ = Body::kResume;
    const analysis::ResumePaths& paths = plan_.resume_paths;
    std::vector<bool> used(f_.stmts.size());
    std::vector<bool> suspends_again(f_.point_count, false);
    for (uint32_t i = 0; i < f_.stmts.size(); ++i) {
      const Stmt& s = f_.stmts[i];
      const bool reached = std::any_of(paths.parts.begin(), paths.parts.end(),
                                       [&](const std::vector<bool>& part) { return part[i]; });
      used[i] = reached || s.point != ir::kNone;
      if (s.point != ir::kNone) suspends_again[s.point] = reached;
    }
    EmitResumeSignature();
    statements_.Begin(body_);
    out_.Put("  SELF;\n");
    statements_.EmitCommon();
    DeclareVariables(f_, VariablesOfResumption(used), printer_, "", out_);
    out_.Put(suspension_.SharesSpills() ? "  u32 site;\n" : "", "  switch (point) {\n");
    suspension_.EmitReloads("point", "value", out_);
    out_.Put("  default: FERMATA_UNREACHABLE;\n  }\n");
    for (uint32_t part = 0; part < paths.parts.size(); ++part) EmitPart(paths, part);
    for (uint32_t head = 0; head < plan_.heads.size(); ++head) EmitGoingOn(head);
    statements_.EmitLeave();
    suspension_.EmitSpills("REWRITE($0)", "return 0;", suspends_again, out_);
    out_.Put("}\n");
  }

  // Those of the statements that are used, and what only passes through: from a frame to the head of
  // a loop.
  std::vector<ir::VarId> VariablesOfResumption(const std::vector<bool>& used) const {
    std::vector<ir::VarId> variables = VariablesIn(f_.stmts, used);
    for (const analysis::FrameLayout& layout : plan_.heads) {
      for (const analysis::FrameSlot& slot : layout.slots) variables.push_back(slot.var);
    }
    std::sort(variables.begin(), variables.end());
    variables.erase(std::unique(variables.begin(), variables.end()), variables.end());
    return variables;
  }

  // The end of a tail: the fast clone goes on at the head of a loop.
  void EmitGoingOn(uint32_t head) {
    const analysis::FrameLayout& layout = plan_.heads[head];
    out_.Emit("L$0_1: {\n  alignas(16) u8 live[$1];\n  self.resume_frame = frame = live;\n",
              plan_.resume_paths.heads[head], 4 * layout.words);
    EmitFrameAccess("  PUT", f_, layout, printer_, out_);
    out_.Emit("  self.resume_point = $0;\n", head + 1);
    std::string call = absl::StrCat(body_name_, "(base");
    for (const ir::Var& parameter : absl::MakeConstSpan(f_.vars).first(type_.params.size())) {
      absl::StrAppend(&call, parameter.type == ir::Kind::kV128 ? ", v128_const(0, 0)" : ", 0");
    }
    call.push_back(')');
    if (ReturnsSlot(type_)) {
      out_.Emit("  return slot_of_$0($1);\n}\n", ReturnType(type_), call);
      return;
    }
    if (type_.results.size() == 1) {
      call = ToSlots(ir::Kind::kV128, "base->context->results", 0, call);
    } else {
      call.push_back(';');
    }
    out_.Put("  ", call, "\n  return 0;\n}\n");
  }

  // The entries of the fast clone at the heads of loops.
  void EmitHeadSwitch() {
    out_.Put(
        "E:\n  frame = self.resume_frame;\n  head = self.resume_point;\n"
        "  self.resume_point = 0;\n  switch (head) {\n");
    for (uint32_t head = 0; head < plan_.heads.size(); ++head) {
      out_.Emit("  case $0:\n", head + 1);
      EmitFrameAccess("    GET", f_, plan_.heads[head], printer_, out_);
      out_.Emit("    goto L$0;\n", plan_.resume_paths.heads[head]);
    }
    out_.Put("  default: FERMATA_UNREACHABLE;\n  }\n");
  }

  void EmitPart(const analysis::ResumePaths& paths, uint32_t part) {
    statements_.BeginPart(&paths, part);
    for (uint32_t i = 0; i < f_.stmts.size(); ++i) {
      const Stmt& s = f_.stmts[i];
      const bool reached = paths.parts[part][i];
      if (reached) {
        statements_.Emit(s);
      } else if (part == 0 && s.point != ir::kNone) {
        statements_.EmitResumption(s);
      } else {
        continue;
      }
      if ((reached && ir::EndsFlow(s)) || i + 1 == f_.stmts.size()) continue;
      const Stmt& next = f_.stmts[i + 1];
      if (next.kind == ir::StmtKind::kLabel && paths.Target(part, next.label) != part) {
        out_.Put("  goto ", statements_.Label(next.label), ";\n");
      }
    }
  }

  // The parameters are declared by the signature.
  void EmitDeclarations() {
    const auto begin = std::lower_bound(variables_.begin(), variables_.end(), type_.params.size());
    DeclareVariables(f_, absl::MakeConstSpan(variables_).subspan(begin - variables_.begin()),
                     printer_, "", out_);
  }
  void EmitZeroLocals() {
    std::string numbers;
    for (ir::VarId v : plan_.zeroed) {
      if (f_.vars[v].type == ir::Kind::kV128) {
        out_.Put("  ", printer_.Var(v), " = v128_const(0, 0);\n");
      } else {
        absl::StrAppend(&numbers, printer_.Var(v), " = ");
      }
    }
    if (!numbers.empty()) out_.Put("  ", numbers, "0;\n");
  }

  void EmitEntrySwitch() {
    out_.Put(
        "E:\n  frame = self.resume_frame;\n  site = self.resume_point - 1;\n"
        "  self.resume_point = 0;\n  value = self.resume_value;\n  switch (site) {\n");
    suspension_.EmitReloads("site", "value", out_);
    out_.Put("  default: FERMATA_UNREACHABLE;\n  }\n");
  }

  // What the table of shared functions finds it by; static functions can't be named there.
  void EmitAddress() { out_.Put("SHARED(", body_name_, ")\n"); }

  void EmitInPieces() {
    pieces_.emplace(context_, f_, plan_, printer_, suspension_, statements_, out_);
    pieces_->EmitPart(0);
    pieces_->EmitLoop();
    EmitSignature();
    pieces_->EmitEntry();
    if (f_.point_count == 0) return;
    EmitResumeSignature();
    pieces_->EmitResumption();
  }

  void EmitWrapper() {
    out_.Emit("$0$1 $2(Instance* base", context_.internal[f_.index] ? "static " : "",
              ReturnType(type_), name_);
    std::string call = absl::StrCat(body_name_, "(base");
    for (uint32_t i = 0; i < type_.params.size(); ++i) {
      out_.Put(", ", CType(f_.vars[i].type), " ", printer_.Var(i));
      absl::StrAppend(&call, ", ", printer_.Var(i));
    }
    const bool one = type_.results.size() == 1;
    out_.Emit(") {\n  $0$1);\n  if (base->unwind == Unwind::kTailCall) {\n",
              one ? absl::StrCat("const ", ReturnType(type_), " result = ") : "", call);
    if (ReturnsSlot(type_)) {
      out_.Emit("    return slot_$0(RunTailCalls(base));\n", ReturnType(type_));
    } else {
      out_.Put("    RunTailCalls(base);\n");
      if (one) {
        out_.Emit("    return $0;\n", FromSlots(ir::Kind::kV128, "base->context->results", 0));
      }
    }
    out_.Put(one ? "  }\n  return result;\n}\n" : "  }\n}\n");
  }

  const ModuleContext& context_;
  const ir::Function& f_;
  const FunctionPlan& plan_;
  const wasm::FuncType& type_;
  const std::string name_;
  const std::string body_name_;
  const ExpressionPrinter printer_;
  const SuspensionEmitter suspension_;
  Writer out_;
  StatementEmitter statements_;
  const std::vector<ir::VarId> variables_;  // in increasing order
  std::optional<PieceEmitter> pieces_;
  Body body_ = Body::kFast;
  EmittedFunction result_;
};

}  // namespace

size_t EmittedFunction::text_bytes() const {
  size_t bytes = 0;
  for (const std::string& part : parts) bytes += part.size();
  return bytes;
}

EmittedFunction EmitFunction(const ModuleContext& context, const ir::Function& f,
                             const FunctionPlan& plan) {
  return FunctionEmitter(context, f, plan).Run();
}

std::string FirstSite(uint32_t function) { return absl::StrCat("sites_", function); }

std::string BodyName(const ModuleContext& context, uint32_t function) {
  return absl::StrCat(FunctionName(context.module, function),
                      context.has_tail_calls(function) ? "_body" : "");
}

std::string Declarations(const ModuleContext& context, std::vector<uint32_t> functions) {
  std::sort(functions.begin(), functions.end());
  std::vector<std::pair<std::string, std::string>> declared;  // "static T3 " and a name
  for (uint32_t f : functions) {
    const uint32_t type = context.graph.canonical_type[context.module.functions[f].type];
    const std::string of_type = absl::StrCat("T", type, " ");
    declared.emplace_back((context.internal[f] ? "static " : "") + of_type,
                          FunctionName(context.module, f));
    // The body may be named from other files even if the function is not.
    if (context.has_tail_calls(f)) declared.emplace_back(of_type, BodyName(context, f));
  }
  std::stable_sort(declared.begin(), declared.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string out;
  size_t line = 0;  // where the current one starts
  for (size_t i = 0; i < declared.size(); ++i) {
    const auto& [start, name] = declared[i];
    if (i > 0 && declared[i - 1].first == start && out.size() - line + name.size() < kColumns) {
      absl::StrAppend(&out, ", ", name);
      continue;
    }
    if (i > 0) out.append(";\n");
    line = out.size();
    absl::StrAppend(&out, start, name);
  }
  if (!out.empty()) out.append(";\n");
  return out;
}

}  // namespace fermata::emit

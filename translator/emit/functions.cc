#include "translator/emit/functions.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "translator/emit/expressions.h"
#include "translator/emit/names.h"
#include "translator/emit/slots.h"
#include "translator/emit/suspension.h"
#include "translator/emit/writer.h"
#include "translator/wasm/error.h"

// note [shapes]
//
// plain    cannot suspend: an ordinary function.
// split    a fast clone, called normally, that pushes its live values and returns 0 when a callee
//          suspended; and a resume clone, the same body behind an entry switch, that the trampoline
//          calls. Calls made by the resume clone reach the fast clones of others.
// shared   one body with the entry switch; a thunk sets the point and calls it. Half the text, but
//          every call pays a test at entry and the switch makes the body's loops irreducible.
//
// A function that makes tail calls has a *body* in one of these shapes, and a wrapper that calls it
// and then makes the calls it asks for (see runtime/trampoline.cc, note [tail calls]).
//
// `auto` splits what is small, or loops without suspending; the rest is shared.

namespace fermata::emit {
namespace {

using ir::Stmt;
using ir::StmtKind;
using wasm::Opcode;

constexpr uint32_t kSplitBytes = 1000;           // of wasm body
constexpr uint32_t kSplitLoopBytes = 4000;       // for functions whose loops do not suspend
constexpr uint64_t kMostLiveValues = 8'000'000;  // bounds the text of spills and reloads
constexpr uint32_t kMostFrameWords = 0xffff;     // core::Footer::words

// Which of a function's bodies is being printed.
enum class Body { kFast, kResume, kShared };

FunctionShape ChooseShape(const ModuleContext& context, const ir::Function& f) {
  if (f.point_count == 0) return FunctionShape::kPlain;
  switch (context.options.shape) {
    case Shape::kSplit:
      return FunctionShape::kSplit;
    case Shape::kShared:
      return FunctionShape::kShared;
    case Shape::kAuto:
      break;
  }
  const uint32_t bytes = context.module.functions[f.index].body.size();
  const uint32_t limit = f.has_loop && !f.suspends_in_loop ? kSplitLoopBytes : kSplitBytes;
  return bytes <= limit ? FunctionShape::kSplit : FunctionShape::kShared;
}

class FunctionEmitter {
 public:
  FunctionEmitter(const ModuleContext& context, const ir::Function& f,
                  const analysis::LiveSets& live, uint32_t first_site)
      : context_(context),
        f_(f),
        type_(*f.type),
        name_(FunctionName(context.module, f.index)),
        body_name_(BodyName(context, f.index)),
        printer_(context, f),
        suspension_(f, live, printer_, first_site) {
    FindUsedVars();
  }

  EmittedFunction Run() {
    result_.shape = ChooseShape(context_, f_);
    CollectSites();
    EmitTitle();
    switch (result_.shape) {
      case FunctionShape::kPlain:
        EmitDefinition(Body::kFast);
        break;
      case FunctionShape::kSplit:
        EmitDefinition(Body::kFast);
        EmitDefinition(Body::kResume);
        break;
      case FunctionShape::kShared:
        EmitDefinition(Body::kShared);
        EmitResumeThunk();
        break;
    }
    if (context_.has_tail_calls(f_.index)) EmitWrapper();
    result_.text = out_.Take();
    return std::move(result_);
  }

 private:
  void FindUsedVars() {
    used_.assign(f_.vars.size(), false);
    for (const Stmt& s : f_.stmts) {
      ir::ForEachUse(s, [&](ir::VarId v) { used_[v] = true; });
      ir::ForEachDef(s, [&](ir::VarId v) { used_[v] = true; });
    }
  }

  void CollectSites() {
    result_.sites.resize(f_.point_count);
    for (const Stmt& s : f_.stmts) {
      if (s.point == ir::kNone) continue;
      const analysis::FrameLayout& layout = suspension_.layouts()[s.point];
      result_.sites[s.point] = {
          f_.index, s.point, s.offset, layout.words, layout.letters, false, s.handler != ir::kNone};
    }
  }

  void EmitTitle() {
    const auto& names = context_.module.names.functions;
    out_.Emit("\n// function $0", f_.index);
    if (f_.index < names.size() && !names[f_.index].empty()) {
      out_.Emit(" \"$0\"", ForComment(names[f_.index]));
    }
    out_.Emit(": $0", Name(result_.shape));
    if (f_.point_count > 0) {
      out_.Emit(", $0 suspension point$1; $2", f_.point_count, f_.point_count == 1 ? "" : "s",
                ForComment(analysis::Explain(context_.module, context_.suspension, f_.index)));
    }
    out_.Put("\n");
  }

  void EmitDefinition(Body body) {
    body_ = body;
    if (body == Body::kResume) {
      out_.Emit("u64 $0_resume(Instance* base, u32 point, u8* frame, u64 value) {\n", name_);
    } else {
      const bool internal = context_.internal[f_.index] && body_name_ == name_;
      out_.Emit("$0$1 $2(Instance* base", internal ? "static " : "", ReturnType(type_), body_name_);
      for (uint32_t i = 0; i < type_.params.size(); ++i) {
        out_.Put(", ", CType(f_.vars[i].type), " ", printer_.Var(i));
      }
      out_.Put(") {\n");
    }
    leaves_ = false;
    EmitProlog();
    for (const Stmt& s : f_.stmts) EmitStmt(s);
    if (leaves_) out_.Put("X: ", LeaveStatement(), "\n");
    if (body == Body::kShared) EmitEntrySwitch();
    if (body == Body::kResume) {
      suspension_.EmitSpills("RewriteFrame(base, frame, $0, $1)", "return 0;", out_);
    } else if (f_.point_count > 0) {
      suspension_.EmitSpills("PushFrame(base, $0, $1)", LeaveStatement(), out_);
    }
    out_.Put("}\n");
  }

  // Returns with `unwind` set.
  absl::string_view LeaveStatement() const {
    if (body_ == Body::kResume) return "return 0;";
    if (type_.results.size() != 1) return "return;";
    return ReturnsSlot(type_) ? "return 0;" : "return v128_const(0, 0);";
  }

  void EmitProlog() {
    out_.Put("  Self& self = *static_cast<Self*>(base);\n  (void)self;\n");
    if (body_ != Body::kResume && context_.stack_need[f_.index] != 0) {
      // A resumed function starts on a fresh native stack.
      out_.Emit("  $0check_stack(base, $1u);\n",
                body_ == Body::kShared ? "if (self.resume_point == 0) " : "",
                context_.stack_need[f_.index]);
    }
    for (uint32_t m = 0; m < f_.uses_memory.size(); ++m) {
      if (f_.uses_memory[m]) out_.Emit("  $1 m$0(base, self.memory$0);\n", m, ViewOf(m));
    }
    EmitDeclarations();
    if (f_.point_count == 0) return;
    out_.Put("  u32 site;\n  (void)site;\n");
    if (body_ != Body::kResume) out_.Put("  u8* frame;\n");
    if (body_ == Body::kShared)
      out_.Put("  if (FERMATA_UNLIKELY(self.resume_point != 0)) goto E;\n");
    if (body_ == Body::kResume) {
      out_.Put("  switch (point) {\n");
      suspension_.EmitReloads("point", "frame", "value", out_);
      out_.Put("    default: FERMATA_UNREACHABLE;\n  }\n");
      // The body's own start is not reachable here, but it may be the target of a loop.
    }
    EmitZeroLocals();
  }

  // How accesses to a memory are bounded. Guard pages work for 64 KiB pages and 32-bit addresses.
  const char* ViewOf(uint32_t m) const {
    const wasm::MemoryType& type = context_.module.memories[m].type;
    if (!type.limits.is64 && type.page_log2 == 16 &&
        context_.options.memory == MemoryPolicy::kReserved) {
      return "const MemReserved";
    }
    if (type.limits.shared) return "const MemShared";
    return type.limits.is64 ? "MemChecked64" : "MemChecked";
  }

  // One declaration a type; variables are assigned, not initialized, so that jumps may cross them.
  void EmitDeclarations() {
    const uint32_t first = body_ == Body::kResume ? 0 : type_.params.size();
    for (absl::string_view type : {"u32", "u64", "f32", "f64", "v128", "ref"}) {
      const char* separator = " ";
      for (uint32_t v = first; v < f_.vars.size(); ++v) {
        if (!used_[v] || CType(f_.vars[v].type) != type) continue;
        if (*separator == ' ') out_.Put("  ", type);
        out_.Put(separator, printer_.Var(v));
        separator = ", ";
      }
      if (*separator == ',') out_.Put(";\n");
    }
    if (f_.point_count == 0) EmitZeroLocals();
  }
  void EmitZeroLocals() {
    bool any = false;
    for (uint32_t v = type_.params.size(); v < f_.local_count; ++v) {
      if (!used_[v]) continue;
      out_.Put(any ? " " : "  ", printer_.Var(v),
               f_.vars[v].type == ir::Kind::kV128 ? " = v128_const(0, 0);" : " = 0;");
      any = true;
    }
    if (any) out_.Put("\n");
  }

  void EmitEntrySwitch() {
    out_.Put(
        "E:\n  frame = self.resume_frame;\n  site = self.resume_point - 1;\n"
        "  self.resume_point = 0;\n  switch (site) {\n");
    suspension_.EmitReloads("site", "frame", "self.resume_value", out_);
    out_.Put("    default: FERMATA_UNREACHABLE;\n  }\n");
  }

  void EmitResumeThunk() {
    out_.Emit("u64 $0_resume(Instance* base, u32 point, u8* frame, u64 value) {\n", name_);
    out_.Put(
        "  base->resume_point = point + 1;\n  base->resume_frame = frame;\n"
        "  base->resume_value = value;\n");
    std::string call = absl::StrCat(body_name_, "(base");
    for (size_t i = 0; i < type_.params.size(); ++i) {
      absl::StrAppend(&call, ", ", Literal(f_.vars[i].type, 0));
    }
    call.push_back(')');
    if (ReturnsSlot(type_)) {
      out_.Emit("  return slot_of_$0($1);\n}\n", ReturnType(type_), call);
    } else if (type_.results.size() == 1) {
      out_.Emit("  const v128 result = $0;\n  if (base->unwind != Unwind::kNone) return 0;\n  $1\n",
                call, ToSlots(ir::Kind::kV128, "base->context->results", 0, "result"));
      out_.Put("  return 0;\n}\n");
    } else {
      out_.Emit("  $0;\n  return 0;\n}\n", call);
    }
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

  // ---- Statements ----
  std::string Arg(const Stmt& s, size_t i) const { return printer_.Text(s.args[i]); }
  const std::string& Dst(const Stmt& s) const { return printer_.Var(s.dst); }

  void EmitStmt(const Stmt& s) {
    switch (s.kind) {
      case StmtKind::kSet:
        out_.Emit("  $0 = $1;\n", Dst(s), Arg(s, 0));
        break;
      case StmtKind::kEval:
        out_.Emit("  (void)$0;\n", Arg(s, 0));
        break;
      case StmtKind::kGlobalSet:
        out_.Emit(context_.module.globals[s.index].imported ? "  *self.g$0 = $1;\n"
                                                            : "  self.g$0 = $1;\n",
                  s.index, Arg(s, 0));
        break;
      case StmtKind::kCall:
      case StmtKind::kCallIndirect:
      case StmtKind::kCallRef:
        EmitCall(s);
        break;
      case StmtKind::kReturnCall:
      case StmtKind::kReturnCallIndirect:
      case StmtKind::kReturnCallRef:
        EmitReturnCall(s);
        break;
      case StmtKind::kJump:
        out_.Emit("  goto L$0;\n", s.label);
        break;
      case StmtKind::kJumpIf: {
        std::string condition;
        printer_.AppendCondition(s.args[0], s.negate, condition);
        out_.Emit("  if $0 goto L$1;\n", condition, s.label);
        break;
      }
      case StmtKind::kJumpTable:
        out_.Emit("  switch ($0) {\n", Arg(s, 0));
        for (size_t i = 0; i + 1 < s.labels.size(); ++i) {
          out_.Emit("    case $0: goto L$1;\n", i, s.labels[i]);
        }
        out_.Emit("    default: goto L$0;\n  }\n", s.labels.back());
        break;
      case StmtKind::kLabel:
        out_.Emit("L$0:;\n", s.label);
        break;
      case StmtKind::kReturn:
        EmitReturn(s);
        break;
      case StmtKind::kUnreachable:
        out_.Put("  RaiseTrap(base, Trap::kUnreachable);\n");
        break;
      case StmtKind::kYield:
        out_.Emit("  PushYield(base, $0u); goto S$1;", context_.yield_site, s.point);
        if (body_ != Body::kFast) out_.Emit(" R$0:;", s.point);
        out_.Put("\n");
        EmitReloadMemories();
        break;
      case StmtKind::kWide:
        out_.Emit("  $0(", HelperName(s.op));
        for (const ir::Expr* e : s.args) out_.Put(printer_.Text(e), ", ");
        out_.Emit("$0, $1);\n", printer_.Var(s.results[0]), printer_.Var(s.results[1]));
        break;
      default:
        if (s.kind >= StmtKind::kThrow && s.kind <= StmtKind::kLeave) {
          EmitExceptionStmt(s);
        } else {
          EmitStateStmt(s);
        }
    }
  }

  // Where an exception in flight goes.
  void GoToHandler(const Stmt& s) {
    if (s.handler == ir::kNone) {
      out_.Put("  ", LeaveStatement(), "\n");
    } else {
      out_.Emit("  goto L$0;\n", s.handler);
    }
  }

  void EmitExceptionStmt(const Stmt& s) {
    switch (s.kind) {
      case StmtKind::kThrow:
        EmitToResults(s.args);
        out_.Emit("  Throw(base, self.tag$0, $1);\n", s.index, SlotsOf(s.args));
        GoToHandler(s);
        break;
      case StmtKind::kThrowRef:
        out_.Emit("  ThrowRef(base, $0);\n", Arg(s, 0));
        GoToHandler(s);
        break;
      case StmtKind::kJumpUnlessTag:
        out_.Emit("  if (base->context->tag != self.tag$0) goto L$1;\n", s.index, s.label);
        break;
      case StmtKind::kCatch:
        if (s.dst != ir::kNone) out_.Emit("  $0 = KeepException(base);\n", Dst(s));
        out_.Put("  Catch(base);\n");
        EmitFromResults(s.results);
        break;
      default:
        out_.Put("  ", LeaveStatement(), "\n");
    }
  }

  static uint32_t SlotsOf(absl::Span<ir::Expr* const> values) {
    uint32_t slots = 0;
    for (const ir::Expr* e : values) slots += emit::SlotsOf(e->type);
    return slots;
  }
  // Values to and from the context's `results`.
  void EmitToResults(absl::Span<ir::Expr* const> values) {
    uint32_t slot = 0;
    for (const ir::Expr* e : values) {
      out_.Put("  ", ToSlots(e->type, "base->context->results", slot, printer_.Text(e)), "\n");
      slot += emit::SlotsOf(e->type);
    }
  }
  void EmitFromResults(absl::Span<const ir::VarId> vars) {
    uint32_t slot = 0;
    for (ir::VarId v : vars) {
      const ir::Kind kind = f_.vars[v].type;
      out_.Emit("  $0 = $1;\n", printer_.Var(v), FromSlots(kind, "base->context->results", slot));
      slot += emit::SlotsOf(kind);
    }
  }

  // Statements on memories and tables.
  void EmitStateStmt(const Stmt& s) {
    switch (s.kind) {
      case StmtKind::kStore:
        out_.Emit("  $0(m$1, $2, $3u, $4);\n", HelperName(s.op), s.index, Arg(s, 0), s.bits,
                  Arg(s, 1));
        break;
      case StmtKind::kStoreLane:
        out_.Emit("  $0<$5>(m$1, $2, $3u, $4);\n", HelperName(s.op), s.index, Arg(s, 0), s.bits,
                  Arg(s, 1), s.index2);
        break;
      case StmtKind::kAtomic:
        EmitAtomic(s);
        break;
      case StmtKind::kAtomicFence:
        out_.Put("  atomic_fence();\n");
        break;
      case StmtKind::kMemoryGrow:
        out_.Emit("  $0 = $1(memory_grow(base, self.memory$2.memory, $3));\n", Dst(s),
                  CType(f_.vars[s.dst].type), s.index, Arg(s, 0));
        EmitReloadMemories();
        break;
      case StmtKind::kMemoryFill:
        out_.Emit("  memory_fill(base, self.memory$0.memory, $1, $2, $3);\n", s.index, Arg(s, 0),
                  Arg(s, 1), Arg(s, 2));
        break;
      case StmtKind::kMemoryCopy:
        out_.Emit("  memory_copy(base, self.memory$0.memory, self.memory$1.memory, $2, $3, $4);\n",
                  s.index, s.index2, Arg(s, 0), Arg(s, 1), Arg(s, 2));
        break;
      case StmtKind::kMemoryInit:
        result_.datas.insert(s.index);
        out_.Emit(
            "  memory_init(base, self.memory$1.memory, data$0, self.data_size$0, $2, $3, $4);\n",
            s.index, s.index2, Arg(s, 0), Arg(s, 1), Arg(s, 2));
        break;
      case StmtKind::kDataDrop:
        out_.Emit("  self.data_size$0 = 0;\n", s.index);
        break;
      case StmtKind::kTableSet:
        out_.Emit("  table_set(base, self.table$0, $1, $2);\n", s.index, Arg(s, 0), Arg(s, 1));
        break;
      case StmtKind::kTableGrow:
        out_.Emit("  $0 = $4(table_grow(base, self.table$1, $2, $3));\n", Dst(s), s.index,
                  Arg(s, 0), Arg(s, 1), CType(f_.vars[s.dst].type));
        break;
      case StmtKind::kTableFill:
        out_.Emit("  table_fill(base, self.table$0, $1, $2, $3);\n", s.index, Arg(s, 0), Arg(s, 1),
                  Arg(s, 2));
        break;
      case StmtKind::kTableCopy:
        out_.Emit("  table_copy(base, self.table$0, self.table$1, $2, $3, $4);\n", s.index,
                  s.index2, Arg(s, 0), Arg(s, 1), Arg(s, 2));
        break;
      case StmtKind::kTableInit:
        out_.Emit("  table_init(base, self.table$1, self.elem$0, self.elem_size$0, $2, $3, $4);\n",
                  s.index, s.index2, Arg(s, 0), Arg(s, 1), Arg(s, 2));
        break;
      case StmtKind::kElemDrop:
        out_.Emit("  self.elem_size$0 = 0;\n", s.index);
        break;
      default:
        break;
    }
  }

  void EmitAtomic(const Stmt& s) {
    const bool parks = s.op == Opcode::kMemoryAtomicNotify || s.op == Opcode::kMemoryAtomicWait32 ||
                       s.op == Opcode::kMemoryAtomicWait64;
    out_.Put("  ", s.dst == ir::kNone ? "" : absl::StrCat(Dst(s), " = "));
    out_.Emit("$0(base, m$1, ", HelperName(s.op), s.index);
    if (parks) out_.Emit("self.memory$0.memory, ", s.index);
    out_.Emit("$0, $1u", Arg(s, 0), s.bits);
    for (size_t i = 1; i < s.args.size(); ++i) out_.Put(", ", Arg(s, i));
    out_.Put(");\n");
  }

  void EmitReloadMemories() {
    for (uint32_t m = 0; m < f_.uses_memory.size(); ++m) {
      if (f_.uses_memory[m] && absl::StartsWith(ViewOf(m), "MemChecked")) {
        out_.Emit("  m$0.Reload();\n", m);
      }
    }
  }

  void EmitReturn(const Stmt& s) {
    if (s.args.empty()) {
      out_.Put(body_ == Body::kResume ? "  return 0;\n" : "  return;\n");
    } else if (s.args.size() == 1 && (body_ != Body::kResume || ReturnsSlot(type_))) {
      if (body_ == Body::kResume) {
        out_.Emit("  return slot_of_$0($1);\n", ReturnType(type_), Arg(s, 0));
      } else {
        out_.Emit("  return $0;\n", Arg(s, 0));
      }
    } else {
      EmitToResults(s.args);
      out_.Put(body_ == Body::kResume ? "  return 0;\n" : "  return;\n");
    }
  }

  // The declaration of the callee of an indirect call.
  std::string Callee(const Stmt& s) const {
    if (s.kind == StmtKind::kCallRef || s.kind == StmtKind::kReturnCallRef) {
      return absl::StrCat("const Function& callee = referenced(base, ",
                          printer_.Text(s.args.back()), "); ");
    }
    return absl::StrCat("const Function& callee = indirect(base, self.table", s.index2, ", ",
                        printer_.Text(s.args.back()), ", self.types[", s.index, "]); ");
  }

  void EmitReturnCall(const Stmt& s) {
    const bool indirect = s.kind != StmtKind::kReturnCall;
    const uint32_t type = indirect ? s.index : context_.module.functions[s.index].type;
    out_.Put("  {\n");
    if (indirect) out_.Put("  ", Callee(s), "\n");
    EmitToResults(absl::MakeConstSpan(s.args).first(s.args.size() - (indirect ? 1 : 0)));
    std::string callee = "callee";
    if (!indirect && context_.module.functions[s.index].imported) {
      callee = absl::StrCat("self.import_", s.index);
    } else if (!indirect) {
      result_.callees.insert(s.index);
      callee = absl::StrCat("Function{reinterpret_cast<AnyFunction>(", BodyName(context_, s.index),
                            "), base, 0, 0}");
    }
    out_.Emit("  TailCall(base, $0, invoke_$1);\n  }\n  $2\n", callee,
              context_.graph.canonical_type[type], LeaveStatement());
  }

  void EmitCall(const Stmt& s) {
    const bool indirect = s.kind != StmtKind::kCall;
    const uint32_t type_index = indirect ? s.index : context_.module.functions[s.index].type;
    std::string line = "  ";
    if (indirect) absl::StrAppend(&line, "{ ", Callee(s));
    if (s.results.size() == 1) absl::StrAppend(&line, printer_.Var(s.results[0]), " = ");
    if (indirect) {
      absl::StrAppend(&line, "reinterpret_cast<T", type_index, ">(callee.code)(callee.instance");
    } else if (context_.module.functions[s.index].imported) {
      absl::StrAppend(&line, "reinterpret_cast<T", type_index, ">(self.import_", s.index,
                      ".code)(self.import_", s.index, ".instance");
    } else {
      result_.callees.insert(s.index);
      absl::StrAppend(&line, FunctionName(context_.module, s.index), "(base");
    }
    for (size_t i = 0; i + (indirect ? 1 : 0) < s.args.size(); ++i) {
      absl::StrAppend(&line, ", ");
      printer_.Append(s.args[i], line);
    }
    absl::StrAppend(&line, indirect ? "); }" : ");");
    out_.Put(line);
    if (s.point != ir::kNone) {
      out_.Emit(" if (FERMATA_SUSPENDED) goto S$0;", s.point);
      if (body_ != Body::kFast) out_.Emit(" R$0:;", s.point);
    } else if (s.may_throw && s.handler != ir::kNone) {
      out_.Emit(" if (FERMATA_SUSPENDED) goto L$0;", s.handler);
    } else if (s.may_throw) {
      out_.Put(" if (FERMATA_SUSPENDED) goto X;");
      leaves_ = true;
    }
    out_.Put("\n");
    EmitReloadMemories();
    if (s.results.size() > 1) {
      EmitFromResults(s.results);
    } else if (s.force && !s.results.empty()) {
      out_.Emit("  force($0);\n", printer_.Var(s.results[0]));
    }
  }

  const ModuleContext& context_;
  const ir::Function& f_;
  const wasm::FuncType& type_;
  const std::string name_;
  const std::string body_name_;
  const ExpressionPrinter printer_;
  const SuspensionEmitter suspension_;
  std::vector<bool> used_;
  Body body_ = Body::kFast;
  bool leaves_ = false;  // something jumps to the label X
  EmittedFunction result_;
  Writer out_;
};

}  // namespace

const char* Name(FunctionShape shape) {
  switch (shape) {
    case FunctionShape::kPlain:
      return "plain";
    case FunctionShape::kSplit:
      return "split";
    default:
      return "shared";
  }
}

absl::StatusOr<EmittedFunction> EmitFunction(const ModuleContext& context, const ir::Function& f,
                                             uint32_t first_site) {
  const auto limit = [&](absl::string_view what) {
    return wasm::ErrorIn(context.module, f.index, context.module.functions[f.index].body_offset,
                         absl::StrCat("implementation limit: ", what));
  };
  analysis::LiveSets live;
  if (!analysis::LiveAtPoints(f, kMostLiveValues, live)) {
    return limit(absl::StrCat("more than ", kMostLiveValues,
                              " values to save over all suspension points of a function"));
  }
  EmittedFunction emitted = FunctionEmitter(context, f, live, first_site).Run();
  for (const Site& site : emitted.sites) {
    if (site.words > kMostFrameWords) return limit("a frame of more than 512 KiB");
  }
  return emitted;
}

std::string BodyName(const ModuleContext& context, uint32_t function) {
  return absl::StrCat(FunctionName(context.module, function),
                      context.has_tail_calls(function) ? "_body" : "");
}

std::string Prototype(const ModuleContext& context, uint32_t function) {
  const wasm::FuncType& type = context.module.TypeOf(function);
  const auto prototype = [&](const char* linkage, const std::string& name) {
    return absl::StrCat(linkage, ReturnType(type), " ", name, "(", ParamTypes(type), ");\n");
  };
  const std::string own = prototype(context.internal[function] ? "static " : "",
                                    FunctionName(context.module, function));
  if (!context.has_tail_calls(function)) return own;
  return own + prototype("", BodyName(context, function));
}

std::string ResumePrototype(const ModuleContext& context, uint32_t function) {
  return absl::StrCat("u64 ", FunctionName(context.module, function),
                      "_resume(Instance*, u32, u8*, u64);\n");
}

}  // namespace fermata::emit

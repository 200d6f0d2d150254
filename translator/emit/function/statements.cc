#include "translator/emit/function/statements.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "include/fermata/core/type_number.h"
#include "translator/emit/function/functions.h"
#include "translator/emit/function/slots.h"
#include "translator/emit/names.h"

namespace fermata::emit {
namespace {

using ir::Stmt;
using ir::StmtKind;
using wasm::Opcode;

uint32_t SlotsOfValues(absl::Span<ir::Expr* const> values) {
  uint32_t slots = 0;
  for (const ir::Expr* e : values) slots += SlotsOf(e->type);
  return slots;
}

// Of the usual kind: see memory_range in fermata/core/memory.h.
bool IsSmall(const wasm::Memory& memory) {
  return !memory.type.limits.is64 && !memory.type.limits.shared;
}

}  // namespace

absl::string_view StatementEmitter::LeaveStatement() const {
  if (body_ == Body::kPiece) return "return kDone;";
  if (body_ == Body::kResume) return "return 0;";
  if (type_.results.size() != 1) return "return;";
  return ReturnsSlot(type_) ? "return 0;" : "return v128_const(0, 0);";
}

void StatementEmitter::EmitLeave() {
  if (leaves_) out_.Put("X: ", LeaveStatement(), "\n");
}

// How accesses to a memory are bounded.
const char* StatementEmitter::ViewOf(uint32_t memory) const {
  const wasm::MemoryType& type = context_.module.memories[memory].type;
  if (wasm::IsGuardable(type) && context_.options.memory == MemoryPolicy::kReserved) {
    return "const MemReserved";
  }
  if (type.limits.shared) return "const MemShared";
  return type.limits.is64 ? "MemChecked64" : "MemChecked";
}

void StatementEmitter::EmitCommon() {
  for (const Stmt& s : f_.stmts) {
    if (s.kind != StmtKind::kYield || s.index2 != 1) continue;
    out_.Put("  const u32* const interrupt = base->interrupt;\n  (void)interrupt;\n");
    break;
  }
  for (uint32_t m = 0; m < f_.uses_memory.size(); ++m) {
    if (f_.uses_memory[m]) out_.Emit("  $1 m$0(base, self.memory$0);\n", m, ViewOf(m));
  }
}

void StatementEmitter::EmitReloadMemories() {
  for (uint32_t m = 0; m < f_.uses_memory.size(); ++m) {
    if (f_.uses_memory[m] && absl::StartsWith(ViewOf(m), "MemChecked")) {
      out_.Emit("  m$0.Reload();\n", m);
    }
  }
}

void StatementEmitter::Emit(const Stmt& s) {
  switch (s.kind) {
    case StmtKind::kSet:
      out_.Emit("  $0 = $1;\n", Dst(s), Arg(s, 0));
      break;
    case StmtKind::kEval:
      out_.Put("  (void)");
      printer_.AppendPrimary(s.args[0], out_.buffer());
      out_.Put(";\n");
      break;
    case StmtKind::kGlobalSet:
      out_.Emit(
          context_.module.globals[s.index].imported ? "  *self.g$0 = $1;\n" : "  self.g$0 = $1;\n",
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
      out_.Emit("  goto $0;\n", Label(s.label));
      break;
    case StmtKind::kJumpIf:
      out_.Put("  if ");
      printer_.AppendCondition(s.args[0], s.negate, out_.buffer());
      out_.Emit(" goto $0;\n", Label(s.label));
      break;
    case StmtKind::kJumpTable:
      EmitJumpTable(s);
      break;
    case StmtKind::kLabel:
      out_.Emit("$0:;\n", Label(s.label));
      break;
    case StmtKind::kReturn:
      EmitReturn(s);
      break;
    case StmtKind::kUnreachable:
      out_.Put("  RaiseTrap(base, Trap::kUnreachable);\n");
      break;
    case StmtKind::kYield:
      EmitYield(s);
      break;
    case StmtKind::kWide:
      out_.Emit("  $0(", HelperName(s.op));
      for (size_t i = 0; i < s.args.size(); ++i) out_.Put(Arg(s, i), ", ");
      out_.Emit("$0, $1);\n", printer_.Var(s.results[0]), printer_.Var(s.results[1]));
      break;
    case StmtKind::kThrow:
    case StmtKind::kThrowRef:
    case StmtKind::kJumpUnlessTag:
    case StmtKind::kCatch:
    case StmtKind::kLeave:
      return EmitExceptionStmt(s);
    case StmtKind::kStore:
    case StmtKind::kStoreLane:
    case StmtKind::kAtomic:
    case StmtKind::kAtomicFence:
    case StmtKind::kMemoryGrow:
    case StmtKind::kMemoryFill:
    case StmtKind::kMemoryCopy:
    case StmtKind::kMemoryInit:
    case StmtKind::kDataDrop:
      return EmitMemoryStmt(s);
    case StmtKind::kTableSet:
    case StmtKind::kTableGrow:
    case StmtKind::kTableFill:
    case StmtKind::kTableCopy:
    case StmtKind::kTableInit:
    case StmtKind::kElemDrop:
      return EmitTableStmt(s);
  }
}

// Cases of one target in a row are together; those of the default's are left out.
void StatementEmitter::EmitJumpTable(const Stmt& s) {
  out_.Put("  switch (");
  printer_.AppendPrimary(s.args[0], out_.buffer());
  out_.Put(") {\n");
  const size_t last = s.labels.size() - 1;
  for (size_t i = 0; i < last; ++i) {
    if (s.labels[i] == s.labels[last]) continue;
    out_.Put(i > 0 && s.labels[i - 1] == s.labels[i] ? " " : "    ", "case ", i, ":");
    if (s.labels[i + 1] != s.labels[i]) out_.Emit(" goto $0;\n", Label(s.labels[i]));
  }
  out_.Emit("    default: goto $0;\n  }\n", Label(s.labels[last]));
}

std::string StatementEmitter::Label(ir::LabelId label) const {
  const uint32_t part = paths_ == nullptr ? 0 : paths_->Target(part_, label);
  return part == 0 ? absl::StrCat("L", label) : absl::StrCat("L", label, "_", part);
}

void StatementEmitter::EmitYield(const Stmt& s) {
  const auto when = static_cast<ir::Yield>(s.index);
  out_.Put("  ");
  if (when != ir::Yield::kAlways) {
    // A variable that lives across calls would cost a register or a place on the stack.
    out_.Emit("if ($0($1)) { ", when == ir::Yield::kInterrupted ? "INTERRUPTED" : "OUT_OF_FUEL",
              s.index2 == 1 ? "interrupt" : "base->interrupt");
  }
  out_.Emit("PushYield(base, $0u); goto S$1;", context_.yield_site, s.point);
  if (when != ir::Yield::kAlways) out_.Put(" }");
  if (HoldsPoints()) out_.Emit(" R$0:;", s.point);
  out_.Put("\n");
  EmitArrival(s);
}

void StatementEmitter::EmitResumption(const Stmt& s) {
  out_.Emit("R$0:;\n", s.point);
  EmitArrival(s);
}

// What a call or yield needs once it is over.
void StatementEmitter::EmitArrival(const Stmt& s) {
  EmitReloadMemories();
  if (s.results.size() > 1) {
    EmitFromResults(s.results);
  }
}

// Where an exception in flight goes.
void StatementEmitter::GoToHandler(const Stmt& s) {
  if (s.handler == ir::kNone) {
    out_.Put("  ", LeaveStatement(), "\n");
  } else {
    out_.Emit("  goto L$0;\n", s.handler);
  }
}

void StatementEmitter::EmitExceptionStmt(const Stmt& s) {
  switch (s.kind) {
    case StmtKind::kThrow:
      EmitToResults(s.args);
      out_.Emit("  Throw(base, self.tag$0, $1);\n", s.index, SlotsOfValues(s.args));
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
    default:  // kLeave
      out_.Put("  ", LeaveStatement(), "\n");
  }
}

// Values to and from the context's `results`.
void StatementEmitter::EmitToResults(absl::Span<ir::Expr* const> values) {
  uint32_t slot = 0;
  for (const ir::Expr* e : values) {
    out_.Put("  ", ToSlots(e->type, "base->context->results", slot, printer_.Text(e)), "\n");
    slot += SlotsOf(e->type);
  }
}
void StatementEmitter::EmitFromResults(absl::Span<const ir::VarId> vars) {
  uint32_t slot = 0;
  for (ir::VarId v : vars) {
    const ir::Kind kind = f_.vars[v].type;
    out_.Emit("  $0 = $1;\n", printer_.Var(v), FromSlots(kind, "base->context->results", slot));
    slot += SlotsOf(kind);
  }
}

void StatementEmitter::EmitMemoryStmt(const Stmt& s) {
  switch (s.kind) {
    case StmtKind::kStore:
      out_.Emit("  $0(m$1, $2, $3, $4);\n", HelperName(s.op), s.index, Arg(s, 0), s.bits,
                Arg(s, 1));
      break;
    case StmtKind::kStoreLane:
      out_.Emit("  $0<$5>(m$1, $2, $3, $4);\n", HelperName(s.op), s.index, Arg(s, 0), s.bits,
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
      if (IsSmall(context_.module.memories[s.index])) {
        out_.Emit("  memory_set(base, self.memory$0.memory, $1, $2, $3);\n", s.index, Arg(s, 0),
                  Arg(s, 1), Arg(s, 2));
        break;
      }
      out_.Emit("  memory_fill(base, self.memory$0.memory, $1, $2, $3);\n", s.index, Arg(s, 0),
                Arg(s, 1), Arg(s, 2));
      break;
    case StmtKind::kMemoryCopy:
      if (s.index == s.index2 && IsSmall(context_.module.memories[s.index])) {
        out_.Emit("  memory_move(base, self.memory$0.memory, $1, $2, $3);\n", s.index, Arg(s, 0),
                  Arg(s, 1), Arg(s, 2));
        break;
      }
      out_.Emit("  memory_copy(base, self.memory$0.memory, self.memory$1.memory, $2, $3, $4);\n",
                s.index, s.index2, Arg(s, 0), Arg(s, 1), Arg(s, 2));
      break;
    case StmtKind::kMemoryInit:
      out_.Emit(
          "  memory_init(base, self.memory$1.memory, data$0, self.data_size$0, $2, $3, $4);\n",
          s.index, s.index2, Arg(s, 0), Arg(s, 1), Arg(s, 2));
      break;
    case StmtKind::kDataDrop:
      out_.Emit("  self.data_size$0 = 0;\n", s.index);
      break;
    default:
      break;  // no statement on memories
  }
}

void StatementEmitter::EmitTableStmt(const Stmt& s) {
  switch (s.kind) {
    case StmtKind::kTableSet:
      out_.Emit("  table_set(base, self.table$0, $1, $2);\n", s.index, Arg(s, 0), Arg(s, 1));
      break;
    case StmtKind::kTableGrow:
      out_.Emit("  $0 = $4(table_grow(base, self.table$1, $2, $3));\n", Dst(s), s.index, Arg(s, 0),
                Arg(s, 1), CType(f_.vars[s.dst].type));
      break;
    case StmtKind::kTableFill:
      out_.Emit("  table_fill(base, self.table$0, $1, $2, $3);\n", s.index, Arg(s, 0), Arg(s, 1),
                Arg(s, 2));
      break;
    case StmtKind::kTableCopy:
      out_.Emit("  table_copy(base, self.table$0, self.table$1, $2, $3, $4);\n", s.index, s.index2,
                Arg(s, 0), Arg(s, 1), Arg(s, 2));
      break;
    case StmtKind::kTableInit:
      out_.Emit("  table_init(base, self.table$1, self.elem$0, self.elem_size$0, $2, $3, $4);\n",
                s.index, s.index2, Arg(s, 0), Arg(s, 1), Arg(s, 2));
      break;
    case StmtKind::kElemDrop:
      out_.Emit("  self.elem_size$0 = 0;\n", s.index);
      break;
    default:
      break;  // no statement on tables
  }
}

void StatementEmitter::EmitAtomic(const Stmt& s) {
  const bool parks = s.op == Opcode::kMemoryAtomicNotify || s.op == Opcode::kMemoryAtomicWait32 ||
                     s.op == Opcode::kMemoryAtomicWait64;
  out_.Put("  ", s.dst == ir::kNone ? "" : absl::StrCat(Dst(s), " = "));
  out_.Emit("$0(base, m$1, ", HelperName(s.op), s.index);
  if (parks) out_.Emit("self.memory$0.memory, ", s.index);
  out_.Emit("$0, $1u", Arg(s, 0), s.bits);
  for (size_t i = 1; i < s.args.size(); ++i) out_.Put(", ", Arg(s, i));
  out_.Put(");\n");
}

void StatementEmitter::EmitReturn(const Stmt& s) {
  const bool one = s.args.size() == 1;
  if (one && body_ == Body::kPiece) {
    out_.Emit("  v.result = $0;\n", Arg(s, 0));
  } else if (one && body_ == Body::kResume && ReturnsSlot(type_)) {
    out_.Emit("  return slot_of_$0($1);\n", ReturnType(type_), Arg(s, 0));
    return;
  } else if (one && body_ != Body::kResume) {
    out_.Emit("  return $0;\n", Arg(s, 0));
    return;
  } else {
    EmitToResults(s.args);
  }
  if (body_ == Body::kPiece) {
    out_.Put("  return kDone;\n");
  } else {
    out_.Put(body_ == Body::kResume ? "  return 0;\n" : "  return;\n");
  }
}

// The declaration of the callee of an indirect call.
std::string StatementEmitter::Callee(const Stmt& s) const {
  const std::string& key = context_.module.type_keys[s.index];
  const uint32_t number = core::TypeNumberOf(key.data(), key.size());
  const std::string type =
      number == core::kNoType ? absl::StrCat("self.types[", s.index, "]") : absl::StrCat(number);
  if (s.kind == StmtKind::kCallRef || s.kind == StmtKind::kReturnCallRef) {
    return absl::StrCat("const Function& callee = referenced(base, ", printer_.Text(s.args.back()),
                        ", ", type, "); ");
  }
  const wasm::Table& table = context_.module.tables[s.index2];
  const std::string size = HasFixedElements(context_.module, table)
                               ? absl::StrCat("_FIXED(", table.type.limits.min, ", ")
                               : "(";
  return absl::StrCat("INDIRECT", size, s.index2, ", ", type, ", ", printer_.Text(s.args.back()),
                      "); ");
}

void StatementEmitter::EmitReturnCall(const Stmt& s) {
  const bool indirect = s.kind != StmtKind::kReturnCall;
  const uint32_t type = indirect ? s.index : context_.module.functions[s.index].type;
  out_.Put("  {\n");
  if (indirect) out_.Put("  ", Callee(s), "\n");
  EmitToResults(absl::MakeConstSpan(s.args).first(s.args.size() - (indirect ? 1 : 0)));
  std::string callee = "callee";
  if (!indirect && context_.module.functions[s.index].imported) {
    callee = absl::StrCat("self.import_", s.index);
  } else if (!indirect) {
    callee = absl::StrCat("Function{reinterpret_cast<AnyFunction>(", BodyName(context_, s.index),
                          "), base, 0, 0}");
  }
  out_.Emit("  TailCall(base, $0, invoke_$1);\n  }\n  $2\n", callee,
            context_.graph.canonical_type[type], LeaveStatement());
}

void StatementEmitter::EmitCall(const Stmt& s) {
  const bool indirect = s.kind != StmtKind::kCall;
  const uint32_t type_index = indirect ? s.index : context_.module.functions[s.index].type;
  out_.Put("  ");
  if (indirect) out_.Put("{ ", Callee(s));
  if (s.results.size() == 1) out_.Put(printer_.Var(s.results[0]), " = ");
  if (indirect) {
    out_.Put("CALLEE(T", type_index, ")(callee.instance");
  } else if (context_.module.functions[s.index].imported) {
    out_.Emit("reinterpret_cast<T$0*>(self.import_$1.code)(self.import_$1.instance", type_index,
              s.index);
  } else {
    out_.Put(FunctionName(context_.module, s.index), "(base");
  }
  for (size_t i = 0; i + (indirect ? 1 : 0) < s.args.size(); ++i) out_.Put(", ", Arg(s, i));
  out_.Put(indirect ? "); }" : ");");
  if (s.point != ir::kNone) {
    out_.Emit(" if (SUSPENDED) goto S$0;", s.point);
    if (HoldsPoints()) out_.Emit(" R$0:;", s.point);
  } else if (s.may_throw && s.handler != ir::kNone) {
    out_.Emit(" if (SUSPENDED) goto L$0;", s.handler);
  } else if (s.may_throw) {
    out_.Put(" if (SUSPENDED) goto X;");
    leaves_ = true;
  }
  out_.Put("\n");
  EmitArrival(s);
}

}  // namespace fermata::emit

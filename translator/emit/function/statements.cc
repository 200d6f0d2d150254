#include "translator/emit/function/statements.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "translator/emit/freestanding.h"
#include "translator/emit/function/functions.h"
#include "translator/emit/function/slots.h"
#include "translator/emit/names.h"
#include "translator/emit/typed_elements.h"

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

// A statement that calls something, or may trap.
bool HasPlace(const Stmt& s) {
  return ir::IsCall(s) || ir::IsReturnCall(s) || s.kind == StmtKind::kUnreachable ||
         s.kind == StmtKind::kThrow || s.kind == StmtKind::kThrowRef ||
         (s.kind >= StmtKind::kMemoryGrow && s.kind <= StmtKind::kArrayInitElem) ||
         s.kind == StmtKind::kStore || s.kind == StmtKind::kStoreLane ||
         s.kind == StmtKind::kAtomic ||
         std::any_of(s.args.begin(), s.args.end(),
                     [](const ir::Expr* e) { return (e->effects & ir::kTraps) != 0; });
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

MemoryView StatementEmitter::View(uint32_t memory) const {
  return ViewOf(context_.options, context_.module.memories[memory].type);
}

void StatementEmitter::EmitCommon() {
  for (const Stmt& s : f_.stmts) {
    if (s.kind != StmtKind::kPause || s.index2 != 1) continue;
    out_.Put("  const u32* const interrupt = base->interrupt;\n  (void)interrupt;\n");
    break;
  }
  if (f_.uses_heap) out_.Put("  u8* const heap = self.heap;\n  (void)heap;\n");
  for (uint32_t m = 0; m < f_.uses_memory.size(); ++m) {
    if (f_.uses_memory[m]) out_.Emit("  $1 m$0(base, self.memory$0);\n", m, View(m).type);
  }
}

void StatementEmitter::EmitReloadMemories() {
  for (uint32_t m = 0; m < f_.uses_memory.size(); ++m) {
    if (f_.uses_memory[m] && View(m).reloads) {
      out_.Emit("  m$0.Reload();\n", m);
    }
  }
}

void StatementEmitter::Emit(const Stmt& s) {
  if (s.in_order) out_.Put("  FERMATA_IN_ORDER();\n");
  for (const ir::BoundsCheck& check : s.checks) {
    out_.Emit("  m$0.Check($1, $2u);\n", check.memory, printer_.Text(check.address), check.size);
  }
  EmitText(s);
  if (IsOver(s)) EmitArrival(s);
}

// Memories may have grown, and results may wait in the context.
bool StatementEmitter::IsOver(const Stmt& s) {
  return ir::IsCall(s) || s.kind == StmtKind::kPause || s.kind == StmtKind::kMemoryGrow;
}

void StatementEmitter::EmitText(const Stmt& s) {
  switch (s.kind) {
    case StmtKind::kSet:
      return Line(s, "$dst = $0;");
    case StmtKind::kEval:
      return EmitEval(s);
    case StmtKind::kGlobalSet:
      return Line(s,
                  context_.module.globals[s.index].imported ? "*self.g$i = $0;" : "self.g$i = $0;");
    case StmtKind::kCall:
    case StmtKind::kCallIndirect:
    case StmtKind::kCallRef:
      return EmitCall(s);
    case StmtKind::kReturnCall:
    case StmtKind::kReturnCallIndirect:
    case StmtKind::kReturnCallRef:
      return EmitReturnCall(s);
    case StmtKind::kPause:
      return EmitPause(s);
    case StmtKind::kJump:
      return Line(s, absl::StrCat("goto ", Label(s.label), ";"));
    case StmtKind::kJumpIf:
      return EmitJumpIf(s);
    case StmtKind::kJumpTable:
      return EmitJumpTable(s);
    case StmtKind::kLabel:
      return out_.Emit("$0:;\n", Label(s.label));
    case StmtKind::kReturn:
      return EmitReturn(s);
    case StmtKind::kUnreachable:
      return Line(s, "RaiseTrap(base, Trap::kUnreachable);");
    case StmtKind::kWide:
      return EmitWide(s);
    case StmtKind::kThrow:
    case StmtKind::kThrowRef:
      return EmitThrow(s);
    case StmtKind::kJumpUnlessTag:
      return Line(s, absl::StrCat("if (base->context->tag != self.tag$i) goto L", s.label, ";"));
    case StmtKind::kCatch:
      return EmitCatch(s);
    case StmtKind::kLeave:
      return Line(s, LeaveStatement());
    case StmtKind::kStore:
    case StmtKind::kStoreLane:
    case StmtKind::kAtomic:
    case StmtKind::kAtomicFence:
    case StmtKind::kMemoryGrow:
    case StmtKind::kMemoryFill:
    case StmtKind::kMemoryCopy:
    case StmtKind::kMemoryInit:
    case StmtKind::kDataDrop:
      return EmitMemory(s);
    case StmtKind::kTableSet:
    case StmtKind::kTableGrow:
    case StmtKind::kTableFill:
    case StmtKind::kTableCopy:
    case StmtKind::kTableInit:
    case StmtKind::kElemDrop:
      return EmitTable(s);
    case StmtKind::kRoom:
      return EmitRoom(s);
    case StmtKind::kStructNew:
    case StmtKind::kArrayNew:
    case StmtKind::kArrayNewFixed:
    case StmtKind::kArrayNewData:
    case StmtKind::kArrayNewElem:
    case StmtKind::kStructSet:
    case StmtKind::kArraySet:
    case StmtKind::kArrayFill:
    case StmtKind::kArrayCopy:
    case StmtKind::kArrayInitData:
    case StmtKind::kArrayInitElem:
      return EmitObject(s);
  }
}

void StatementEmitter::EmitMemory(const Stmt& s) {
  switch (s.kind) {
    case StmtKind::kStore:
      return Line(s, s.in_bounds ? "$op(m$i.Inside(), $0, $b, $1);" : "$op(m$i, $0, $b, $1);");
    case StmtKind::kStoreLane:
      return Line(s,
                  s.in_bounds ? "$op<$j>(m$i.Inside(), $0, $b, $1);" : "$op<$j>(m$i, $0, $b, $1);");
    case StmtKind::kAtomic:
      return EmitAtomic(s);
    case StmtKind::kAtomicFence:
      return Line(s, "atomic_fence();");
    case StmtKind::kMemoryGrow:
      return EmitGrow(s);
    case StmtKind::kMemoryFill:
      return EmitFill(s);
    case StmtKind::kMemoryCopy:
      return EmitCopy(s);
    case StmtKind::kMemoryInit:
      return EmitInit(s);
    default:
      return Line(s, "self.data_size$i = 0;");
  }
}

void StatementEmitter::EmitTable(const Stmt& s) {
  switch (s.kind) {
    case StmtKind::kTableSet:
      return Line(s, "table_set(base, self.table$i, $0, $1);");
    case StmtKind::kTableGrow:
      return Line(s, "$dst = $type(table_grow(base, self.table$i, $0, $1));");
    case StmtKind::kTableFill:
      return Line(s, "table_fill(base, self.table$i, $0, $1, $2);");
    case StmtKind::kTableCopy:
      return Line(s, "table_copy(base, self.table$i, self.table$j, $0, $1, $2);");
    case StmtKind::kTableInit:
      return Line(s, "table_init(base, self.table$j, self.elem$i, self.elem_size$i, $0, $1, $2);");
    default:
      return Line(s, "self.elem_size$i = 0;");
  }
}

// One line: `format` with $0, $1, $2 for the arguments, $dst and its $type, $i and $j for the
// indices, $b for the bits, $op for the instruction's function.
void StatementEmitter::Line(const Stmt& s, absl::string_view format) {
  std::string& out = out_.buffer();
  out.append("  ");
  while (true) {
    const size_t dollar = format.find('$');
    out.append(format.data(), std::min(dollar, format.size()));
    if (dollar == absl::string_view::npos) break;
    format.remove_prefix(dollar + 1);
    if (absl::ConsumePrefix(&format, "dst")) {
      out.append(Dst(s));
    } else if (absl::ConsumePrefix(&format, "type")) {
      absl::StrAppend(&out, CType(f_.vars[s.dst].type));
    } else if (absl::ConsumePrefix(&format, "op")) {
      absl::StrAppend(&out, HelperName(s.op));
    } else if (absl::ConsumePrefix(&format, "i")) {
      absl::StrAppend(&out, s.index);
    } else if (absl::ConsumePrefix(&format, "j")) {
      absl::StrAppend(&out, s.index2);
    } else if (absl::ConsumePrefix(&format, "b")) {
      absl::StrAppend(&out, s.bits);
    } else {
      printer_.Append(s.args[format[0] - '0'], out);
      format.remove_prefix(1);
    }
  }
  EndLine(s);
}

// Says where in the module it is.
void StatementEmitter::EndLine(const Stmt& s) {
  if (HasPlace(s)) {
    absl::StrAppend(&out_.buffer(), "  // 0x", absl::Hex(s.offset), "\n");
  } else {
    out_.buffer().push_back('\n');
  }
}

// The view of a fixed memory, which the bulk instructions take too.
std::string StatementEmitter::FixedView(uint32_t memory) const {
  return absl::StrCat("(", FixedViewType(context_.options, context_.module.memories[memory].type),
                      "(base, self.memory", memory, "), ");
}

void StatementEmitter::EmitGrow(const Stmt& s) {
  if (!IsFixed(context_.options)) {
    return Line(s, "$dst = $type(memory_grow(base, self.memory$i.memory, $0));");
  }
  Line(s, absl::StrCat("$dst = memory_grow_fixed(",
                       context_.module.memories[s.index].type.limits.min, "u, $0);"));
}

void StatementEmitter::EmitInit(const Stmt& s) {
  const char* const rest = "data$i, self.data_size$i, $0, $1, $2);";
  Line(s, IsFixed(context_.options)
              ? absl::StrCat("memory_copy_in", FixedView(s.index2), rest)
              : absl::StrCat("memory_init(base, self.memory$j.memory, ", rest));
}

void StatementEmitter::EmitFill(const Stmt& s) {
  if (IsFixed(context_.options)) {
    return Line(s, absl::StrCat("memory_set", FixedView(s.index), "$0, $1, $2);"));
  }
  Line(s, IsSmall(context_.module.memories[s.index].type)
              ? "memory_set(base, self.memory$i.memory, $0, $1, $2);"
              : "memory_fill(base, self.memory$i.memory, $0, $1, $2);");
}

void StatementEmitter::EmitCopy(const Stmt& s) {
  if (IsFixed(context_.options)) {
    return Line(s, absl::StrCat("memory_move", FixedView(s.index), "$0, $1, $2);"));
  }
  const bool move = s.index == s.index2 && IsSmall(context_.module.memories[s.index].type);
  Line(s, move ? "memory_move(base, self.memory$i.memory, $0, $1, $2);"
               : "memory_copy(base, self.memory$i.memory, self.memory$j.memory, $0, $1, $2);");
}

void StatementEmitter::EmitEval(const Stmt& s) {
  out_.Put("  (void)");
  printer_.AppendPrimary(s.args[0], out_.buffer());
  out_.Put(";");
  EndLine(s);
}

void StatementEmitter::EmitJumpIf(const Stmt& s) {
  out_.Put("  if ");
  printer_.AppendCondition(s.args[0], s.negate, out_.buffer());
  out_.Emit(" goto $0;", Label(s.label));
  EndLine(s);
}

void StatementEmitter::EmitWide(const Stmt& s) {
  out_.Emit("  $0(", HelperName(s.op));
  for (size_t i = 0; i < s.args.size(); ++i) out_.Put(Arg(s, i), ", ");
  out_.Emit("$0, $1);", printer_.Var(s.results[0]), printer_.Var(s.results[1]));
  EndLine(s);
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

void StatementEmitter::EmitPause(const Stmt& s) {
  const auto when = static_cast<ir::PauseWhen>(s.index);
  out_.Put("  ");
  if (when != ir::PauseWhen::kAlways) {
    // A variable that lives across calls would cost a register or a place on the stack.
    out_.Emit("if ($0($1)) { ", when == ir::PauseWhen::kInterrupted ? "INTERRUPTED" : "OUT_OF_FUEL",
              s.index2 == 1 ? "interrupt" : "base->interrupt");
  }
  out_.Emit("PushPause(base, $0u); goto S$1;", context_.pause_site, s.point);
  if (when != ir::PauseWhen::kAlways) out_.Put(" }");
  if (HoldsPoints()) out_.Emit(" R$0:;", s.point);
  out_.Put("\n");
}

void StatementEmitter::EmitResumption(const Stmt& s) {
  out_.Emit("R$0:;\n", s.point);
  EmitArrival(s);
}

// What a call or pause needs once it is over.
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

void StatementEmitter::EmitThrow(const Stmt& s) {
  if (s.kind == StmtKind::kThrow) {
    EmitToResults(s.args);
    Line(s, absl::StrCat("Throw(base, self.tag$i, ", SlotsOfValues(s.args), ");"));
  } else {
    Line(s, "ThrowRef(base, $0);");
  }
  GoToHandler(s);
}

void StatementEmitter::EmitCatch(const Stmt& s) {
  if (s.dst != ir::kNone) Line(s, "$dst = KeepException(base);");
  Line(s, "Catch(base);");
  EmitFromResults(s.results);
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

void StatementEmitter::EmitAtomic(const Stmt& s) {
  const bool parks = s.op == Opcode::kMemoryAtomicNotify || s.op == Opcode::kMemoryAtomicWait32 ||
                     s.op == Opcode::kMemoryAtomicWait64;
  out_.Put("  ", s.dst == ir::kNone ? "" : absl::StrCat(Dst(s), " = "));
  out_.Emit("$0(base, m$1, ", HelperName(s.op), s.index);
  if (parks) out_.Emit("self.memory$0.memory, ", s.index);
  out_.Emit("$0, $1u", Arg(s, 0), s.bits);
  for (size_t i = 1; i < s.args.size(); ++i) out_.Put(", ", Arg(s, i));
  out_.Put(");");
  EndLine(s);
}

void StatementEmitter::EmitReturn(const Stmt& s) {
  const bool one = s.args.size() == 1;
  if (one && body_ == Body::kPiece) {
    Line(s, "v.result = $0;");
  } else if (one && body_ == Body::kResume && ReturnsSlot(type_)) {
    return Line(s, absl::StrCat("return slot_of_", ReturnType(type_), "($0);"));
  } else if (one && body_ != Body::kResume) {
    return Line(s, "return $0;");
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
  const std::string type = TypeNumber(context_, s.index);
  if (s.kind == StmtKind::kCallRef || s.kind == StmtKind::kReturnCallRef) {
    return absl::StrCat("const Function& callee = referenced(base, ", printer_.Text(s.args.back()),
                        ", ", type, "); ");
  }
  const wasm::Table& table = context_.module.tables[s.index2];
  std::string size = "(";
  if (IsConstantTable(context_, s.index2)) {
    size = absl::StrCat("_CONSTANT(", table.type.limits.min, "u, ");
  } else if (HasFixedElements(context_.module, table) && !context_.options.freestanding) {
    size = absl::StrCat("_FIXED(", table.type.limits.min, ", ");
  }
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
    callee = context_.options.freestanding
                 ? absl::StrCat("Function{reinterpret_cast<AnyFunction>(",
                                CodeOf(context_, s.index), "), base, 0, 0}")
                 : absl::StrCat("self.import_", s.index);
  } else if (!indirect) {
    callee = absl::StrCat("Function{reinterpret_cast<AnyFunction>(", BodyName(context_, s.index),
                          "), base, 0, 0}");
  }
  Line(s, absl::StrCat("TailCall(base, ", callee, ", invoke_", context_.graph.canonical_type[type],
                       ");"));
  out_.Emit("  }\n  $0\n", LeaveStatement());
}

bool StatementEmitter::HasTypedElements(const Stmt& s) const {
  return s.kind == StmtKind::kCallIndirect &&
         emit::HasTypedElements(context_, s.index2, context_.graph.canonical_type[s.index]);
}

void StatementEmitter::EmitCall(const Stmt& s) {
  const bool typed = HasTypedElements(s);
  const bool indirect = s.kind != StmtKind::kCall;
  const uint32_t type_index = indirect ? s.index : context_.module.functions[s.index].type;
  out_.Put("  ");
  if (indirect && !typed) out_.Put("{ ", Callee(s));
  if (s.results.size() == 1) out_.Put(printer_.Var(s.results[0]), " = ");
  if (typed) {
    out_.Put(TypedElementsName(s.index2, context_.graph.canonical_type[s.index]));
    out_.Emit("[element_at(base, $0u, $1)](base", context_.module.tables[s.index2].type.limits.min,
              printer_.Text(s.args.back()));
  } else if (indirect) {
    const bool own = s.kind == StmtKind::kCallIndirect && IsConstantTable(context_, s.index2);
    out_.Put("CALLEE(T", type_index, own ? ")(base" : ")(callee.instance");
  } else if (context_.module.functions[s.index].imported) {
    out_.Put(ImportName(context_.module, s.index), "(self");
  } else {
    out_.Put(FunctionName(context_.module, s.index), "(base");
  }
  for (size_t i = 0; i + (indirect ? 1 : 0) < s.args.size(); ++i) out_.Put(", ", Arg(s, i));
  out_.Put(indirect && !typed ? "); }" : ");");
  if (s.point != ir::kNone) {
    out_.Emit(" if (SUSPENDED) goto S$0;", s.point);
    if (HoldsPoints()) out_.Emit(" R$0:;", s.point);
  } else if (s.may_throw && s.handler != ir::kNone) {
    out_.Emit(" if (SUSPENDED) goto L$0;", s.handler);
  } else if (s.may_throw) {
    out_.Put(" if (SUSPENDED) goto X;");
    leaves_ = true;
  }
  EndLine(s);
}

}  // namespace fermata::emit

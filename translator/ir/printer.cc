#include "translator/ir/printer.h"

#include "absl/strings/str_cat.h"

namespace fermata::ir {
namespace {

void Append(const Expr* e, std::string& out) {
  switch (e->kind) {
    case ExprKind::kVar:
      absl::StrAppend(&out, "v", e->index);
      return;
    case ExprKind::kConst:
      absl::StrAppend(&out, e->bits);
      return;
    case ExprKind::kNumeric:
      absl::StrAppend(&out, "(", wasm::Info(e->op).name);
      break;
    case ExprKind::kLoad:
      absl::StrAppend(&out, "(", e->force ? "force " : "", wasm::Info(e->op).name, " ", e->index,
                      "+", e->bits);
      break;
    case ExprKind::kSelect:
      out.append("(select");
      break;
    case ExprKind::kGlobalGet:
      absl::StrAppend(&out, "(global.get ", e->index);
      break;
    case ExprKind::kMemorySize:
      absl::StrAppend(&out, "(memory.size ", e->index);
      break;
    case ExprKind::kTableSize:
      absl::StrAppend(&out, "(table.size ", e->index);
      break;
    case ExprKind::kTableGet:
      absl::StrAppend(&out, "(table.get ", e->index);
      break;
    case ExprKind::kRefNull:
      out.append("(ref.null");
      break;
    case ExprKind::kRefIsNull:
      out.append("(ref.is_null");
      break;
    case ExprKind::kRefFunc:
      absl::StrAppend(&out, "(ref.func ", e->index);
      break;
  }
  for (const Expr* x : {e->a, e->b, e->c}) {
    if (x == nullptr) continue;
    out.push_back(' ');
    Append(x, out);
  }
  out.push_back(')');
}

const char* Name(StmtKind kind) {
  switch (kind) {
    case StmtKind::kSet:
      return "set";
    case StmtKind::kEval:
      return "eval";
    case StmtKind::kStore:
      return "store";
    case StmtKind::kGlobalSet:
      return "global.set";
    case StmtKind::kCall:
      return "call";
    case StmtKind::kCallIndirect:
      return "call_indirect";
    case StmtKind::kJump:
      return "jump";
    case StmtKind::kJumpIf:
      return "jump_if";
    case StmtKind::kJumpTable:
      return "jump_table";
    case StmtKind::kLabel:
      return "label";
    case StmtKind::kReturn:
      return "return";
    case StmtKind::kUnreachable:
      return "unreachable";
    case StmtKind::kMemoryGrow:
      return "memory.grow";
    case StmtKind::kMemoryFill:
      return "memory.fill";
    case StmtKind::kMemoryCopy:
      return "memory.copy";
    case StmtKind::kMemoryInit:
      return "memory.init";
    case StmtKind::kDataDrop:
      return "data.drop";
    case StmtKind::kTableSet:
      return "table.set";
    case StmtKind::kTableGrow:
      return "table.grow";
    case StmtKind::kTableFill:
      return "table.fill";
    case StmtKind::kTableCopy:
      return "table.copy";
    case StmtKind::kTableInit:
      return "table.init";
    case StmtKind::kElemDrop:
      return "elem.drop";
  }
  return "?";
}

bool HasIndex(const Stmt& s) {
  return s.kind == StmtKind::kGlobalSet || IsCall(s) ||
         (s.kind >= StmtKind::kMemoryGrow && s.kind <= StmtKind::kElemDrop);
}

void Append(const Stmt& s, std::string& out) {
  out.append(s.kind == StmtKind::kLabel ? "" : "  ");
  if (s.dst != kNone) absl::StrAppend(&out, "v", s.dst, " = ");
  if (s.kind == StmtKind::kStore) {
    absl::StrAppend(&out, wasm::Info(s.op).name, " ", s.index, "+", s.bits);
  } else if (s.kind != StmtKind::kSet) {
    out.append(Name(s.kind));
  }
  if (HasIndex(s)) absl::StrAppend(&out, " ", s.index);
  if (s.negate) out.append(" not");
  for (const Expr* e : s.args) {
    if (out.back() != ' ') out.push_back(' ');
    Append(e, out);
  }
  if (s.label != kNone) absl::StrAppend(&out, " L", s.label, s.loop ? " loop" : "");
  for (LabelId l : s.labels) absl::StrAppend(&out, " L", l);
  if (!s.results.empty()) out.append(" ->");
  for (VarId v : s.results) absl::StrAppend(&out, " v", v);
  if (s.point != kNone) absl::StrAppend(&out, "  ; point ", s.point);
  out.push_back('\n');
}

}  // namespace

std::string Print(const Function& f) {
  std::string out = absl::StrCat("function ", f.index, " ", wasm::ToString(*f.type), " locals ",
                                 f.local_count, " vars ", f.vars.size(), "\n");
  for (const Stmt& s : f.stmts) Append(s, out);
  return out;
}

}  // namespace fermata::ir

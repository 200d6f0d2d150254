#include "translator/ir/printer.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "translator/ir/names.h"

namespace fermata::ir {
namespace {

const char* Name(StmtKind kind) {
  switch (kind) {
    case StmtKind::kSet:
      return "set";
    case StmtKind::kEval:
      return "eval";
    case StmtKind::kStore:
      return "store";
    case StmtKind::kStoreLane:
      return "store_lane";
    case StmtKind::kAtomic:
      return "atomic";
    case StmtKind::kAtomicFence:
      return "atomic.fence";
    case StmtKind::kWide:
      return "wide";
    case StmtKind::kGlobalSet:
      return "global.set";
    case StmtKind::kCall:
      return "call";
    case StmtKind::kCallIndirect:
      return "call_indirect";
    case StmtKind::kCallRef:
      return "call_ref";
    case StmtKind::kReturnCall:
      return "return_call";
    case StmtKind::kReturnCallIndirect:
      return "return_call_indirect";
    case StmtKind::kReturnCallRef:
      return "return_call_ref";
    case StmtKind::kPause:
      return "pause";
    case StmtKind::kThrow:
      return "throw";
    case StmtKind::kThrowRef:
      return "throw_ref";
    case StmtKind::kJumpUnlessTag:
      return "jump_unless_tag";
    case StmtKind::kCatch:
      return "catch";
    case StmtKind::kLeave:
      return "leave";
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
    case StmtKind::kRoom:
      return "room";
    case StmtKind::kStructNew:
      return "struct.new";
    case StmtKind::kArrayNew:
      return "array.new";
    case StmtKind::kArrayNewFixed:
      return "array.new_fixed";
    case StmtKind::kArrayNewData:
      return "array.new_data";
    case StmtKind::kArrayNewElem:
      return "array.new_elem";
    case StmtKind::kStructSet:
      return "struct.set";
    case StmtKind::kArraySet:
      return "array.set";
    case StmtKind::kArrayFill:
      return "array.fill";
    case StmtKind::kArrayCopy:
      return "array.copy";
    case StmtKind::kArrayInitData:
      return "array.init_data";
    case StmtKind::kArrayInitElem:
      return "array.init_elem";
  }
  return "?";
}

std::string Target(const CastTarget& cast) {
  if (cast.kind == Kind::kTypedRef) return absl::StrCat(cast.type);
  return wasm::Name(wasm::ValType(cast.kind));
}

bool HasIndex(const Stmt& s) {
  return s.kind == StmtKind::kGlobalSet || IsCall(s) || IsReturnCall(s) ||
         s.kind == StmtKind::kThrow || s.kind == StmtKind::kJumpUnlessTag ||
         (s.kind >= StmtKind::kMemoryGrow && s.kind <= StmtKind::kElemDrop) ||
         s.kind > StmtKind::kRoom;
}

class Printer {
 public:
  Printer(const wasm::Module& module, const Function& f) {
    for (VarId v = 0; v < f.vars.size(); ++v) names_.push_back(VarName(module, f, v));
  }

  void Append(const Stmt& s, std::string& out) const {
    out.append(s.kind == StmtKind::kLabel ? "" : "  ");
    if (s.dst != kNone) absl::StrAppend(&out, names_[s.dst], " = ");
    if (s.kind == StmtKind::kStore || s.kind == StmtKind::kStoreLane ||
        s.kind == StmtKind::kAtomic || s.kind == StmtKind::kWide) {
      absl::StrAppend(&out, wasm::Info(s.op).name, " ", s.index, "+", s.bits);
    } else if (s.kind != StmtKind::kSet) {
      out.append(Name(s.kind));
    }
    if (HasIndex(s)) absl::StrAppend(&out, " ", s.index);
    if (s.kind == StmtKind::kStructSet || s.kind == StmtKind::kRoom)
      absl::StrAppend(&out, " ", s.bits);
    if (s.negate) out.append(" not");
    for (const Expr* e : s.args) {
      if (out.back() != ' ') out.push_back(' ');
      Append(e, out);
    }
    if (s.label != kNone) absl::StrAppend(&out, " L", s.label, s.loop ? " loop" : "");
    for (LabelId l : s.labels) absl::StrAppend(&out, " L", l);
    if (!s.results.empty()) out.append(" ->");
    for (VarId v : s.results) absl::StrAppend(&out, " ", names_[v]);
    if (s.handler != kNone) absl::StrAppend(&out, " handler L", s.handler);
    if (s.point != kNone) absl::StrAppend(&out, "  ; point ", s.point);
    out.push_back('\n');
  }

 private:
  void AppendUnforced(const Expr* e, std::string& out) const {
    switch (e->kind) {
      case ExprKind::kVar:
        out.append(names_[e->index]);
        return;
      case ExprKind::kConst:
        absl::StrAppend(&out, e->bits);
        if (e->type == Kind::kV128) absl::StrAppend(&out, ":", e->high);
        return;
      case ExprKind::kNumeric:
        absl::StrAppend(&out, "(", wasm::Info(e->op).name);
        break;
      case ExprKind::kLane:
        absl::StrAppend(&out, "(", wasm::Info(e->op).name, " ", e->index);
        break;
      case ExprKind::kShuffle:
        absl::StrAppend(&out, "(i8x16.shuffle ", e->bits, ":", e->high);
        break;
      case ExprKind::kLoadLane:
      case ExprKind::kLoad:
        absl::StrAppend(&out, "(", wasm::Info(e->op).name, " ", e->index, "+", e->bits);
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
      case ExprKind::kRefAsNonNull:
        out.append("(ref.as_non_null");
        break;
      case ExprKind::kStructGet:
        absl::StrAppend(&out, "(", wasm::Info(e->op).name, " ", e->index, " ", e->bits);
        break;
      case ExprKind::kArrayGet:
        absl::StrAppend(&out, "(", wasm::Info(e->op).name, " ", e->index);
        break;
      case ExprKind::kArrayLen:
        out.append("(array.len");
        break;
      case ExprKind::kRefTest:
      case ExprKind::kRefCast:
        absl::StrAppend(&out, e->kind == ExprKind::kRefTest ? "(ref.test " : "(ref.cast ",
                        e->cast->nullable ? "null " : "", Target(*e->cast));
        break;
      case ExprKind::kConvert:
        out.append("(convert");
        break;
      case ExprKind::kRefI31:
        out.append("(ref.i31");
        break;
      case ExprKind::kI31Get:
        absl::StrAppend(&out, "(", wasm::Info(e->op).name);
        break;
    }
    for (const Expr* x : {e->a, e->b, e->c}) {
      if (x == nullptr) continue;
      out.push_back(' ');
      Append(x, out);
    }
    out.push_back(')');
  }

  void Append(const Expr* e, std::string& out) const {
    if (e->force) out.append("(force ");
    AppendUnforced(e, out);
    if (e->force) out.push_back(')');
  }

  std::vector<std::string> names_;  // by variable
};

}  // namespace

std::string Print(const wasm::Module& module, const Function& f) {
  std::string out = absl::StrCat("function ", f.index, " ", wasm::ToString(*f.type), " locals ",
                                 f.local_count, " vars ", f.vars.size(), "\n");
  Printer printer(module, f);
  for (const Stmt& s : f.stmts) printer.Append(s, out);
  return out;
}

}  // namespace fermata::ir

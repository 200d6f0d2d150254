#include "translator/ir/printer.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "translator/ir/names.h"

namespace fermata::ir {
namespace {

struct StmtName {
  StmtKind kind;
  const char* name;
};
// In the order of StmtKind.
constexpr StmtName kStmtNames[] = {
    {StmtKind::kSet, "set"},
    {StmtKind::kEval, "eval"},
    {StmtKind::kStore, "store"},
    {StmtKind::kStoreLane, "store_lane"},
    {StmtKind::kAtomic, "atomic"},
    {StmtKind::kAtomicFence, "atomic.fence"},
    {StmtKind::kWide, "wide"},
    {StmtKind::kGlobalSet, "global.set"},
    {StmtKind::kCall, "call"},
    {StmtKind::kCallIndirect, "call_indirect"},
    {StmtKind::kCallRef, "call_ref"},
    {StmtKind::kReturnCall, "return_call"},
    {StmtKind::kReturnCallIndirect, "return_call_indirect"},
    {StmtKind::kReturnCallRef, "return_call_ref"},
    {StmtKind::kPause, "pause"},
    {StmtKind::kJump, "jump"},
    {StmtKind::kJumpIf, "jump_if"},
    {StmtKind::kJumpTable, "jump_table"},
    {StmtKind::kLabel, "label"},
    {StmtKind::kReturn, "return"},
    {StmtKind::kUnreachable, "unreachable"},
    {StmtKind::kThrow, "throw"},
    {StmtKind::kThrowRef, "throw_ref"},
    {StmtKind::kJumpUnlessTag, "jump_unless_tag"},
    {StmtKind::kCatch, "catch"},
    {StmtKind::kLeave, "leave"},
    {StmtKind::kMemoryGrow, "memory.grow"},
    {StmtKind::kMemoryFill, "memory.fill"},
    {StmtKind::kMemoryCopy, "memory.copy"},
    {StmtKind::kMemoryInit, "memory.init"},
    {StmtKind::kDataDrop, "data.drop"},
    {StmtKind::kTableSet, "table.set"},
    {StmtKind::kTableGrow, "table.grow"},
    {StmtKind::kTableFill, "table.fill"},
    {StmtKind::kTableCopy, "table.copy"},
    {StmtKind::kTableInit, "table.init"},
    {StmtKind::kElemDrop, "elem.drop"},
    {StmtKind::kRoom, "room"},
    {StmtKind::kStructNew, "struct.new"},
    {StmtKind::kArrayNew, "array.new"},
    {StmtKind::kArrayNewFixed, "array.new_fixed"},
    {StmtKind::kArrayNewData, "array.new_data"},
    {StmtKind::kArrayNewElem, "array.new_elem"},
    {StmtKind::kStructSet, "struct.set"},
    {StmtKind::kArraySet, "array.set"},
    {StmtKind::kArrayFill, "array.fill"},
    {StmtKind::kArrayCopy, "array.copy"},
    {StmtKind::kArrayInitData, "array.init_data"},
    {StmtKind::kArrayInitElem, "array.init_elem"},
};
constexpr bool InOrder() {
  size_t i = 0;
  for (const StmtName& entry : kStmtNames) {
    if (static_cast<size_t>(entry.kind) != i++) return false;
  }
  return i == static_cast<size_t>(StmtKind::kArrayInitElem) + 1;
}
static_assert(InOrder());

const char* Name(StmtKind kind) { return kStmtNames[static_cast<size_t>(kind)].name; }

std::string Target(const CastTarget& cast) {
  if (cast.kind == Kind::kTypedRef) return absl::StrCat(cast.exact ? "exact " : "", cast.type);
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
    for (const BoundsCheck& check : s.checks) {
      absl::StrAppend(&out, "  check ", check.memory, " ", check.size, " bytes from ");
      Append(check.address, out);
      out.push_back('\n');
    }
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
    if (s.in_bounds) out.append(" in bounds");
    if (s.in_order) out.append(" in order");
    if (s.point != kNone) absl::StrAppend(&out, "  ; point ", s.point);
    out.push_back('\n');
  }

 private:
  static void AppendObject(const Expr* e, std::string& out) {
    switch (e->kind) {
      case ExprKind::kStructGet:
        absl::StrAppend(&out, "(", wasm::Info(e->op).name, " ", e->index, " ", e->bits);
        break;
      case ExprKind::kArrayGet:
        absl::StrAppend(&out, "(", wasm::Info(e->op).name, " ", e->index);
        break;
      case ExprKind::kArrayLen:
        out.append("(array.len");
        break;
      case ExprKind::kGetDescriptor:
        absl::StrAppend(&out, "(ref.get_desc ", e->index);
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
      default:
        break;
    }
  }

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
      default:
        AppendObject(e, out);
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

#include "translator/emit/expressions.h"

#include <cmath>
#include <cstdio>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "translator/emit/names.h"

namespace fermata::emit {
namespace {

using ir::Expr;
using ir::ExprKind;
using ir::Kind;
using wasm::Opcode;

// Operations that C++ has an operator for. The operands are unsigned; `cast` is put before both.
struct Infix {
  const char* symbol = nullptr;
  const char* cast = "";
  bool compares = false;
};

Infix InfixOf(Opcode op) {
  switch (op) {
    case Opcode::kI32Add:
    case Opcode::kI64Add:
    case Opcode::kF32Add:
    case Opcode::kF64Add:
      return {" + "};
    case Opcode::kI32Sub:
    case Opcode::kI64Sub:
    case Opcode::kF32Sub:
    case Opcode::kF64Sub:
      return {" - "};
    case Opcode::kI32Mul:
    case Opcode::kI64Mul:
    case Opcode::kF32Mul:
    case Opcode::kF64Mul:
      return {" * "};
    case Opcode::kF32Div:
    case Opcode::kF64Div:
      return {" / "};
    case Opcode::kI32And:
    case Opcode::kI64And:
      return {" & "};
    case Opcode::kI32Or:
    case Opcode::kI64Or:
      return {" | "};
    case Opcode::kI32Xor:
    case Opcode::kI64Xor:
      return {" ^ "};
    case Opcode::kI32Eq:
    case Opcode::kI64Eq:
    case Opcode::kF32Eq:
    case Opcode::kF64Eq:
    case Opcode::kRefEq:
      return {" == ", "", true};
    case Opcode::kI32Ne:
    case Opcode::kI64Ne:
    case Opcode::kF32Ne:
    case Opcode::kF64Ne:
      return {" != ", "", true};
    case Opcode::kI32LtU:
    case Opcode::kI64LtU:
    case Opcode::kF32Lt:
    case Opcode::kF64Lt:
      return {" < ", "", true};
    case Opcode::kI32GtU:
    case Opcode::kI64GtU:
    case Opcode::kF32Gt:
    case Opcode::kF64Gt:
      return {" > ", "", true};
    case Opcode::kI32LeU:
    case Opcode::kI64LeU:
    case Opcode::kF32Le:
    case Opcode::kF64Le:
      return {" <= ", "", true};
    case Opcode::kI32GeU:
    case Opcode::kI64GeU:
    case Opcode::kF32Ge:
    case Opcode::kF64Ge:
      return {" >= ", "", true};
    case Opcode::kI32LtS:
      return {" < ", "i32", true};
    case Opcode::kI32GtS:
      return {" > ", "i32", true};
    case Opcode::kI32LeS:
      return {" <= ", "i32", true};
    case Opcode::kI32GeS:
      return {" >= ", "i32", true};
    case Opcode::kI64LtS:
      return {" < ", "i64", true};
    case Opcode::kI64GtS:
      return {" > ", "i64", true};
    case Opcode::kI64LeS:
      return {" <= ", "i64", true};
    case Opcode::kI64GeS:
      return {" >= ", "i64", true};
    default:
      return {};
  }
}

bool IsConstant(const Expr* e, uint64_t f32_magnitude, uint64_t f64_magnitude) {
  if (e->kind != ExprKind::kConst) return false;
  if (e->type == Kind::kF32) return (e->bits & 0x7fffffff) == f32_magnitude;
  return e->type == Kind::kF64 && (e->bits & 0x7fffffffffffffff) == f64_magnitude;
}
bool IsZero(const Expr* e) { return IsConstant(e, 0, 0); }
bool IsOne(const Expr* e) { return IsConstant(e, 0x3f800000, 0x3ff0000000000000); }

// A float operation that the compiler may fold to its operand, or that with another sign, although
// a signaling NaN has to come out quiet: x + 0, x - 0, 0 - x, x * 1, x / 1, and -1 for 1.
bool MayFoldAway(const Expr* e) {
  switch (e->op) {
    case Opcode::kF32Add:
    case Opcode::kF64Add:
    case Opcode::kF32Sub:
    case Opcode::kF64Sub:
      return IsZero(e->a) || IsZero(e->b);
    case Opcode::kF32Mul:
    case Opcode::kF64Mul:
      return IsOne(e->a) || IsOne(e->b);
    case Opcode::kF32Div:
    case Opcode::kF64Div:
      return IsOne(e->b);
    default:
      return false;
  }
}

// The lane numbers of a shuffle: "0, 1, 2".
std::string Lanes(const Expr* e) {
  std::string text;
  for (int i = 0; i < 16; ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ", ", (i < 8 ? e->bits : e->high) >> 8 * (i % 8) & 0xff);
  }
  return text;
}

}  // namespace

std::string HelperName(Opcode op) {
  std::string name(wasm::Info(op).name);
  for (char& c : name) {
    if (c == '.') c = '_';
  }
  return name;
}

std::string Literal(Kind kind, uint64_t bits, uint64_t high) {
  char text[64];
  switch (kind) {
    case Kind::kI32:
      return absl::StrCat(static_cast<uint32_t>(bits), "u");
    case Kind::kI64:
      return absl::StrCat(bits, "ull");
    case Kind::kV128:
      return absl::StrCat("v128_const(", bits, "ull, ", high, "ull)");
    case Kind::kF32: {
      const uint32_t low = static_cast<uint32_t>(bits);
      float value;
      std::memcpy(&value, &low, sizeof value);
      if (!std::isfinite(value)) return absl::StrCat("f32_reinterpret_i32(", low, "u)");
      std::snprintf(text, sizeof text, "%af", static_cast<double>(value));
      break;
    }
    case Kind::kF64: {
      double value;
      std::memcpy(&value, &bits, sizeof value);
      if (!std::isfinite(value)) return absl::StrCat("f64_reinterpret_i64(", bits, "ull)");
      std::snprintf(text, sizeof text, "%a", value);
      break;
    }
    default:
      return "ref(0)";
  }
  return text[0] == '-' ? absl::StrCat("(", text, ")") : text;
}

ExpressionPrinter::ExpressionPrinter(const ModuleContext& context, const ir::Function& f)
    : context_(context) {
  var_names_.reserve(f.vars.size());
  for (ir::VarId v = 0; v < f.vars.size(); ++v) var_names_.push_back(VarName(context.module, f, v));
}

std::string ExpressionPrinter::Text(const Expr* e) const {
  std::string out;
  Append(e, out);
  return out;
}

void ExpressionPrinter::Append(const Expr* e, std::string& out) const {
  switch (e->kind) {
    case ExprKind::kVar:
      out.append(var_names_[e->index]);
      return;
    case ExprKind::kConst:
      out.append(Literal(e->type, e->bits, e->high));
      return;
    case ExprKind::kNumeric:
      return AppendNumeric(e, out);
    case ExprKind::kLane:
      absl::StrAppend(&out, HelperName(e->op), "<", e->index, ">(");
      return AppendList({e->a, e->b}, out);
    case ExprKind::kShuffle:
      absl::StrAppend(&out, "i8x16_shuffle<", Lanes(e), ">(");
      return AppendList({e->a, e->b}, out);
    case ExprKind::kLoad:
    case ExprKind::kLoadLane:
      if (e->force) out.append("force(");
      out.append(HelperName(e->op));
      if (e->kind == ExprKind::kLoadLane) absl::StrAppend(&out, "<", e->high, ">");
      absl::StrAppend(&out, "(m", e->index, ", ");
      Append(e->a, out);
      absl::StrAppend(&out, ", ", e->bits, e->b == nullptr ? "u)" : "u, ");
      if (e->b != nullptr) AppendList({e->b}, out);
      if (e->force) out.push_back(')');
      return;
    case ExprKind::kSelect:
      out.push_back('(');
      AppendCondition(e->c, false, out);
      out.append(" ? ");
      Append(e->a, out);
      out.append(" : ");
      Append(e->b, out);
      out.push_back(')');
      return;
    case ExprKind::kGlobalGet:
      absl::StrAppend(&out, context_.module.globals[e->index].imported ? "(*self.g" : "self.g",
                      e->index, context_.module.globals[e->index].imported ? ")" : "");
      return;
    case ExprKind::kMemorySize:
      if (context_.module.memories[e->index].type.limits.shared) {
        absl::StrAppend(&out, CType(e->type), "(memory_pages(self.memory", e->index, ".memory))");
      } else {
        absl::StrAppend(&out, CType(e->type), "(self.memory", e->index, ".memory->pages)");
      }
      return;
    case ExprKind::kTableSize:
      absl::StrAppend(&out, CType(e->type), "(self.table", e->index, "->size)");
      return;
    case ExprKind::kTableGet:
      absl::StrAppend(&out, "table_get(base, self.table", e->index, ", ");
      Append(e->a, out);
      out.push_back(')');
      return;
    case ExprKind::kRefNull:
      out.append("ref(0)");
      return;
    case ExprKind::kRefIsNull:
      out.append("u32(");
      Append(e->a, out);
      out.append(" == 0)");
      return;
    case ExprKind::kRefFunc:
      absl::StrAppend(&out, "ref(self.function_base + ", context_.info_index[e->index], "u)");
      return;
    case ExprKind::kRefAsNonNull:
      out.append("non_null(base, ");
      return AppendList({e->a}, out);
  }
}

void ExpressionPrinter::AppendList(std::initializer_list<const Expr*> list,
                                   std::string& out) const {
  const char* separator = "";
  for (const Expr* e : list) {
    if (e == nullptr) continue;
    out.append(separator);
    Append(e, out);
    separator = ", ";
  }
  out.push_back(')');
}

bool ExpressionPrinter::AppendComparison(const Expr* e, std::string& out) const {
  if (e->kind == ExprKind::kNumeric && (e->op == Opcode::kI32Eqz || e->op == Opcode::kI64Eqz)) {
    Append(e->a, out);
    out.append(" == 0");
    return true;
  }
  if (e->kind == ExprKind::kRefIsNull) {
    Append(e->a, out);
    out.append(" == 0");
    return true;
  }
  const Infix infix = e->kind == ExprKind::kNumeric ? InfixOf(e->op) : Infix{};
  if (!infix.compares) return false;
  const auto operand = [&](const Expr* x) {
    if (*infix.cast == '\0') return Append(x, out);
    absl::StrAppend(&out, infix.cast, "(");
    Append(x, out);
    out.push_back(')');
  };
  operand(e->a);
  out.append(infix.symbol);
  operand(e->b);
  return true;
}

void ExpressionPrinter::AppendCondition(const Expr* e, bool negate, std::string& out) const {
  if (e->kind == ExprKind::kNumeric && e->op == Opcode::kI32Eqz) {
    return AppendCondition(e->a, !negate, out);
  }
  out.append(negate ? "(!(" : "(");
  if (!AppendComparison(e, out)) Append(e, out);
  out.append(negate ? "))" : ")");
}

void ExpressionPrinter::AppendShift(const Expr* e, std::string& out) const {
  const bool wide = e->type == Kind::kI64;
  const bool arithmetic = e->op == Opcode::kI32ShrS || e->op == Opcode::kI64ShrS;
  const bool left = e->op == Opcode::kI32Shl || e->op == Opcode::kI64Shl;
  if (arithmetic)
    out.append(wide ? "u64(i64(" : "u32(i32(");
  else
    out.push_back('(');
  Append(e->a, out);
  out.append(arithmetic ? ") " : " ");
  out.append(left ? "<< " : ">> ");
  if (e->b->kind == ExprKind::kConst) {
    absl::StrAppend(&out, e->b->bits & (wide ? 63 : 31));
  } else {
    out.push_back('(');
    Append(e->b, out);
    out.append(wide ? " & 63)" : " & 31)");
  }
  out.push_back(')');
}

void ExpressionPrinter::AppendNumeric(const Expr* e, std::string& out) const {
  const auto wrap = [&](const char* before, const char* after) {
    out.append(before);
    Append(e->a, out);
    out.append(after);
  };
  switch (e->op) {
    case Opcode::kI32Shl:
    case Opcode::kI64Shl:
    case Opcode::kI32ShrU:
    case Opcode::kI64ShrU:
    case Opcode::kI32ShrS:
    case Opcode::kI64ShrS:
      return AppendShift(e, out);
    case Opcode::kI32WrapI64:
      return wrap("u32(", ")");
    case Opcode::kI64ExtendI32U:
      return wrap("u64(", ")");
    case Opcode::kI64ExtendI32S:
      return wrap("u64(i64(i32(", ")))");
    default:
      break;
  }
  const Infix infix = InfixOf(e->op);
  if (infix.compares || e->op == Opcode::kI32Eqz || e->op == Opcode::kI64Eqz) {
    out.append("u32(");
    AppendComparison(e, out);
    out.push_back(')');
    return;
  }
  if (infix.symbol != nullptr) {
    const bool quiet = MayFoldAway(e);
    out.append(quiet ? "quiet(" : "(");
    Append(e->a, out);
    out.append(infix.symbol);
    Append(e->b, out);
    out.push_back(')');
    return;
  }
  absl::StrAppend(&out, HelperName(e->op), wasm::MayTrap(e->op) ? "(base, " : "(");
  AppendList({e->a, e->b, e->c}, out);
}

}  // namespace fermata::emit

#include "translator/emit/function/expressions.h"

#include <cmath>
#include <cstdio>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "translator/emit/freestanding.h"
#include "translator/emit/memory_view.h"
#include "translator/emit/names.h"

namespace fermata::emit {
namespace {

using ir::Expr;
using ir::ExprKind;
using ir::Kind;
using wasm::Opcode;

// How an operation that C++ has an operator for is written. The operands are unsigned; `cast` is
// put before both.
struct Infix {
  absl::string_view symbol;
  int level = 0;  // how strongly it binds
  absl::string_view cast;
  absl::string_view opposite;  // of comparisons: true if and only if it is false
};

constexpr uint64_t kMostPlain = 0x7fffffff;  // of constants that may be written as an int

// Levels. Operators of kMixed are never mixed with others without parentheses.
constexpr int kAlone = 0, kMixed = 1, kSum = 3, kProduct = 4, kPrimary = 5;

constexpr Infix kInfixes[] = {
    {"+", kSum, "", ""},     {"-", kSum, "", ""},      {"*", kProduct, "", ""},
    {"/", kProduct, "", ""}, {"&", kMixed, "", ""},    {"|", kMixed, "", ""},
    {"^", kMixed, "", ""},   {"==", kAlone, "", "!="}, {"!=", kAlone, "", "=="},
    {"<", kAlone, "", ">="}, {">", kAlone, "", "<="},  {"<=", kAlone, "", ">"},
    {">=", kAlone, "", "<"},
};

// No symbol: there is no operator, or it is a shift, see AppendShift.
Infix InfixOf(Opcode op) {
  const wasm::OpcodeInfo& info = wasm::Info(op);
  if (info.infix == nullptr) return {};
  for (Infix infix : kInfixes) {
    if (infix.symbol != info.infix) continue;
    infix.cast = info.operand_type;
    return infix;
  }
  return {};
}

bool IsConstant(const Expr* e, uint64_t f32_magnitude, uint64_t f64_magnitude) {
  if (e->kind != ExprKind::kConst) return false;
  if (e->type == Kind::kF32) return (e->bits & 0x7fffffff) == f32_magnitude;
  return e->type == Kind::kF64 && (e->bits & 0x7fffffffffffffff) == f64_magnitude;
}
bool IsZero(const Expr* e) { return IsConstant(e, 0, 0); }
bool IsOne(const Expr* e) { return IsConstant(e, 0x3f800000, 0x3ff0000000000000); }
bool IsSignalingNan(const Expr* e) {
  if (e->kind != ExprKind::kConst) return false;
  const uint64_t magnitude = e->bits & (e->type == Kind::kF32 ? 0x7fffffff : 0x7fffffffffffffff);
  if (e->type == Kind::kF32) return magnitude > 0x7f800000 && magnitude < 0x7fc00000;
  return e->type == Kind::kF64 && magnitude > 0x7ff0000000000000 && magnitude < 0x7ff8000000000000;
}

// A float operation that the compiler may fold to its operand, or that with another sign, although
// a signaling NaN has to come out quiet: x + 0, x - 0, 0 - x, x * 1, x / 1, and -1 for 1; and
// whatever is done to a signaling NaN.
bool MayFoldAway(const Expr* e) {
  const Infix infix = InfixOf(e->op);
  const bool arithmetic = !infix.symbol.empty() && infix.opposite.empty();
  if (arithmetic && (IsSignalingNan(e->a) || IsSignalingNan(e->b))) return true;
  if (infix.symbol == "+" || infix.symbol == "-") return IsZero(e->a) || IsZero(e->b);
  if (infix.symbol == "*") return IsOne(e->a) || IsOne(e->b);
  return infix.symbol == "/" && IsOne(e->b);
}

// "i32.div_s" as an identifier.
template <size_t kSize>
struct Identifier {
  char text[kSize];
  constexpr explicit Identifier(const char (&name)[kSize]) : text() {
    for (size_t i = 0; i < kSize; ++i) text[i] = name[i] == '.' ? '_' : name[i];
  }
};
#define FERMATA_OPCODE(enumerator, name, code, feature, immediate, signature) \
  constexpr Identifier kHelper_##enumerator(name);
#include "translator/wasm/opcodes.def"

// In the order of wasm::internal::kOpcodes.
constexpr absl::string_view kHelperNames[] = {
#define FERMATA_OPCODE(enumerator, name, code, feature, immediate, signature) \
  absl::string_view(kHelper_##enumerator.text, sizeof name - 1),
#include "translator/wasm/opcodes.def"
};

// The lane numbers of a shuffle: "0, 1, 2".
std::string Lanes(const Expr* e) {
  std::string text;
  for (int i = 0; i < 16; ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ", ", (i < 8 ? e->bits : e->high) >> 8 * (i % 8) & 0xff);
  }
  return text;
}

}  // namespace

absl::string_view HelperName(Opcode op) {
  return kHelperNames[&wasm::Info(op) - wasm::internal::kOpcodes];
}

std::string Literal(Kind kind, uint64_t bits, uint64_t high) {
  char text[64];
  switch (kind) {
    // Large ones are masks, negative numbers or hashes.
    case Kind::kI32:
      bits = static_cast<uint32_t>(bits);
      if (bits > kMostPlain) return absl::StrCat("0x", absl::Hex(bits), "u");
      return absl::StrCat(bits, "u");
    case Kind::kI64:
      if (bits > kMostPlain) return absl::StrCat("0x", absl::Hex(bits), "ull");
      return absl::StrCat(bits, "ull");
    case Kind::kV128:
      return absl::StrCat("v128_const(", bits, "ull, ", high, "ull)");
    case Kind::kF32: {
      const uint32_t low = static_cast<uint32_t>(bits);
      float value;
      std::memcpy(&value, &low, sizeof value);
      if (std::isnan(value)) return absl::StrCat("opaque(f32_reinterpret_i32(", low, "u))");
      if (!std::isfinite(value)) return absl::StrCat("f32_reinterpret_i32(", low, "u)");
      std::snprintf(text, sizeof text, "%af", static_cast<double>(value));
      break;
    }
    case Kind::kF64: {
      double value;
      std::memcpy(&value, &bits, sizeof value);
      if (std::isnan(value)) return absl::StrCat("opaque(f64_reinterpret_i64(", bits, "ull))");
      if (!std::isfinite(value)) return absl::StrCat("f64_reinterpret_i64(", bits, "ull)");
      std::snprintf(text, sizeof text, "%a", value);
      break;
    }
#define FERMATA_HEAP_TYPE(enumerator, ...) case Kind::enumerator:
#include "include/fermata/core/value_types.def"
    case Kind::kFuncRef:
    case Kind::kExternRef:
    case Kind::kExnRef:
    case Kind::kAnyRef:
    case Kind::kTypedRef:
    case Kind::kBottom:
      return "ref(0)";
  }
  return text[0] == '-' ? absl::StrCat("(", text, ")") : text;
}

namespace {

bool IsInteger(const Expr* e) { return e->type == Kind::kI32 || e->type == Kind::kI64; }
bool IsConstant(const Expr* e) { return e->kind == ExprKind::kConst; }
int64_t SignedValue(const Expr* e) {  // of a constant
  return e->type == Kind::kI32 ? static_cast<int32_t>(e->bits) : static_cast<int64_t>(e->bits);
}
bool IsPlain(const Expr* e) {
  return e->kind == ExprKind::kConst && IsInteger(e) &&
         (e->type == Kind::kI32 ? static_cast<uint32_t>(e->bits) : e->bits) <= kMostPlain;
}
bool IsEqz(const Expr* e) {
  return e->kind == ExprKind::kNumeric && (e->op == Opcode::kI32Eqz || e->op == Opcode::kI64Eqz);
}
// Whether a numeric instruction is written as an operator between its operands, and no more.
bool HasOperator(const Expr* e) {
  const Infix infix = InfixOf(e->op);
  return !infix.symbol.empty() && infix.opposite.empty() && !MayFoldAway(e);
}
// How strongly the C++ of `e` binds without parentheses of its own.
int LevelOf(const Expr* e) {
  if (e->kind == ExprKind::kSelect) return kAlone;
  if (e->kind != ExprKind::kNumeric || e->force || !HasOperator(e)) return kPrimary;
  return InfixOf(e->op).level;
}

}  // namespace

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
  if (IsPlain(e)) {
    absl::StrAppend(&out, e->bits & kMostPlain);
  } else if (e->kind == ExprKind::kSelect) {
    AppendSelect(e, out);
  } else if (LevelOf(e) < kPrimary) {
    AppendInfix(e, out);
  } else if (!AppendComparison(e, false, out)) {
    AppendPrimary(e, out);
  }
}

void ExpressionPrinter::AppendPrimary(const Expr* e, std::string& out) const {
  if (!e->force) return AppendUnforced(e, out);
  out.append("force(");
  if (e->kind == ExprKind::kNumeric && HasOperator(e)) {
    AppendInfix(e, out);
  } else {
    AppendUnforced(e, out);
  }
  out.push_back(')');
}

void ExpressionPrinter::AppendUnforced(const Expr* e, std::string& out) const {
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
      return AppendLoad(e, out);
    case ExprKind::kSelect:
      out.push_back('(');
      AppendSelect(e, out);
      out.push_back(')');
      return;
    case ExprKind::kGlobalGet:
      absl::StrAppend(&out, context_.module.globals[e->index].imported ? "(*self.g" : "self.g",
                      e->index, context_.module.globals[e->index].imported ? ")" : "");
      return;
    case ExprKind::kMemorySize:
      if (IsFixed(context_.options)) {
        absl::StrAppend(&out, "u32(", context_.module.memories[e->index].type.limits.min, "u)");
      } else if (context_.module.memories[e->index].type.limits.shared) {
        absl::StrAppend(&out, CType(e->type), "(memory_pages(self.memory", e->index, ".memory))");
      } else {
        absl::StrAppend(&out, CType(e->type), "(self.memory", e->index, ".memory->pages)");
      }
      return;
    case ExprKind::kTableSize:
      if (IsConstantTable(context_, e->index)) {
        absl::StrAppend(&out, CType(e->type), "(", context_.module.tables[e->index].type.limits.min,
                        "u)");
        return;
      }
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
      AppendComparison(e, false, out);
      out.push_back(')');
      return;
    case ExprKind::kRefFunc:
      absl::StrAppend(&out, "ref(self.function_base + ", context_.info_index[e->index], "u)");
      return;
    case ExprKind::kRefAsNonNull:
      out.append("non_null(base, ");
      return AppendList({e->a}, out);
    case ExprKind::kStructGet:
    case ExprKind::kArrayGet:
    case ExprKind::kArrayLen:
    case ExprKind::kGetDescriptor:
    case ExprKind::kRefTest:
    case ExprKind::kRefCast:
    case ExprKind::kConvert:
    case ExprKind::kRefI31:
    case ExprKind::kI31Get:
      return AppendObject(e, out);
  }
}

void ExpressionPrinter::AppendLoad(const Expr* e, std::string& out) const {
  absl::StrAppend(&out, HelperName(e->op));
  if (e->kind == ExprKind::kLoadLane) absl::StrAppend(&out, "<", e->high, ">");
  // A plain read of a reserved memory is the same one.
  const bool inside = e->in_bounds && context_.options.memory == MemoryPolicy::kChecked;
  absl::StrAppend(&out, "(m", e->index, inside ? ".Inside(), " : ", ");
  Append(e->a, out);
  absl::StrAppend(&out, ", ", e->bits, e->bits > kMostPlain ? "u" : "",
                  e->b == nullptr ? ")" : ", ");
  if (e->b != nullptr) AppendList({e->b}, out);
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

void ExpressionPrinter::AppendSelect(const Expr* e, std::string& out) const {
  AppendCondition(e->c, false, out);
  out.append(" ? ");
  AppendPrimary(e->a, out);
  out.append(" : ");
  AppendPrimary(e->b, out);
}

void ExpressionPrinter::AppendOperand(const Expr* e, const Expr* other, int level,
                                      std::string& out) const {
  // The other operand makes it unsigned.
  if (IsPlain(e) && !IsPlain(other)) return Append(e, out);
  if (LevelOf(e) < kPrimary && LevelOf(e) >= level) return AppendInfix(e, out);
  AppendPrimary(e, out);
}

// x + (2^32 - 1) is x - 1, as people write it.
bool ExpressionPrinter::AppendSumWithConstant(const Expr* e, std::string& out) const {
  const absl::string_view symbol = wasm::Info(e->op).infix;
  if ((symbol != "+" && symbol != "-") || !IsInteger(e) || e->b->kind != ExprKind::kConst ||
      e->a->kind == ExprKind::kConst) {
    return false;
  }
  const int64_t value = SignedValue(e->b);
  if (value >= 0 || value < -static_cast<int64_t>(kMostPlain)) return false;
  AppendOperand(e->a, e->b, kSum, out);
  absl::StrAppend(&out, symbol == "+" ? " - " : " + ", -value);
  return true;
}

// Chains of one operator need no parentheses on the left, nor do products in sums.
void ExpressionPrinter::AppendInfix(const Expr* e, std::string& out) const {
  if (AppendSumWithConstant(e, out)) return;
  const Infix infix = InfixOf(e->op);
  const bool chain = infix.level == kMixed && e->a->kind == ExprKind::kNumeric && e->a->op == e->op;
  AppendOperand(e->a, e->b, infix.level == kMixed && !chain ? kPrimary : infix.level, out);
  absl::StrAppend(&out, " ", infix.symbol, " ");
  AppendOperand(e->b, e->a, infix.level == kMixed ? kPrimary : infix.level + 1, out);
}

// Comparisons of floats have no opposite: they are false for NaNs.
bool ExpressionPrinter::AppendComparison(const Expr* e, bool negate, std::string& out) const {
  if (IsEqz(e) || e->kind == ExprKind::kRefIsNull) {
    AppendOperand(e->a, e, kSum, out);
    out.append(negate ? " != 0" : " == 0");
    return true;
  }
  const Infix infix = e->kind == ExprKind::kNumeric ? InfixOf(e->op) : Infix{};
  if (infix.opposite.empty()) return false;
  if (negate && (e->a->type == Kind::kF32 || e->a->type == Kind::kF64)) return false;
  const auto operand = [&](const Expr* x, const Expr* other) {
    if (infix.cast.empty()) return AppendOperand(x, other, kSum, out);
    // A negative constant as people write it, if the other operand makes it one of the type.
    if (IsConstant(x) && !IsConstant(other)) {
      const int64_t value = SignedValue(x);
      if (value >= -static_cast<int64_t>(kMostPlain) && value <= static_cast<int64_t>(kMostPlain)) {
        absl::StrAppend(&out, value);
        return;
      }
    }
    absl::StrAppend(&out, infix.cast, "(");
    Append(x, out);
    out.push_back(')');
  };
  operand(e->a, e->b);
  absl::StrAppend(&out, " ", negate ? infix.opposite : infix.symbol, " ");
  operand(e->b, e->a);
  return true;
}

void ExpressionPrinter::AppendCondition(const Expr* e, bool negate, std::string& out) const {
  if (e->kind == ExprKind::kNumeric && e->op == Opcode::kI32Eqz) {
    return AppendCondition(e->a, !negate, out);
  }
  out.push_back('(');
  if (!AppendComparison(e, negate, out)) {
    if (!negate) {
      Append(e, out);
    } else if (e->kind == ExprKind::kNumeric && !InfixOf(e->op).opposite.empty()) {
      out.append("!(");
      AppendComparison(e, false, out);
      out.push_back(')');
    } else {
      out.push_back('!');
      AppendPrimary(e, out);
    }
  }
  out.push_back(')');
}

// C++ leaves open what shifts by the width or more do.
void ExpressionPrinter::AppendShift(const Expr* e, std::string& out) const {
  const wasm::OpcodeInfo& info = wasm::Info(e->op);
  const bool wide = e->type == Kind::kI64;
  const bool arithmetic = *info.operand_type != '\0';
  if (arithmetic) {
    absl::StrAppend(&out, CType(e->type), "(", info.operand_type, "(");
    Append(e->a, out);
    out.push_back(')');
  } else {
    out.push_back('(');
    AppendPrimary(e->a, out);
  }
  absl::StrAppend(&out, " ", info.infix, " ");
  if (e->b->kind == ExprKind::kConst) {
    absl::StrAppend(&out, e->b->bits & (wide ? 63 : 31));
  } else {
    out.push_back('(');
    AppendPrimary(e->b, out);
    out.append(wide ? " & 63)" : " & 31)");
  }
  out.push_back(')');
}

void ExpressionPrinter::AppendNumeric(const Expr* e, std::string& out) const {
  const wasm::OpcodeInfo& info = wasm::Info(e->op);
  if (info.before != nullptr) {
    out.append(info.before);
    Append(e->a, out);
    out.append(info.after);
    return;
  }
  const Infix infix = InfixOf(e->op);
  if (info.infix != nullptr && infix.symbol.empty()) return AppendShift(e, out);
  if (!infix.opposite.empty() || IsEqz(e)) {
    out.append("u32(");
    AppendComparison(e, false, out);
    out.push_back(')');
    return;
  }
  if (!infix.symbol.empty()) {
    out.append(MayFoldAway(e) ? "quiet(" : "(");
    AppendInfix(e, out);
    out.push_back(')');
    return;
  }
  absl::StrAppend(&out, HelperName(e->op), info.traps ? "(base, " : "(");
  AppendList({e->a, e->b, e->c}, out);
}

}  // namespace fermata::emit

// Objects of garbage collection in expressions: what fermata/core/heap.h has functions for.
#include "absl/strings/str_cat.h"
#include "translator/emit/function/expressions.h"
#include "translator/emit/function/objects.h"
#include "translator/emit/memory_view.h"

namespace fermata::emit {

using ir::Expr;
using ir::ExprKind;
using ir::Kind;
using wasm::Opcode;

namespace {

// The flags of a cast, as template argument.
std::string Flags(const ir::CastTarget& cast) {
  std::string flags;
  const auto add = [&](const char* flag) {
    absl::StrAppend(&flags, flags.empty() ? "" : " | ", flag);
  };
  if (cast.from_nullable) add("kMayBeNull");
  if (!cast.from_object) add("kMayBeOther");
  if (cast.nullable) add("kNullPasses");
  return flags.empty() ? "<0>(" : absl::StrCat("<", flags, ">(");
}

}  // namespace

std::string GetSuffix(const wasm::Field& field, Opcode op) {
  switch (field.packed_bits) {
    case 8:
      return op == Opcode::kStructGetS || op == Opcode::kArrayGetS ? "8_s" : "8_u";
    case 16:
      return op == Opcode::kStructGetS || op == Opcode::kArrayGetS ? "16_s" : "16_u";
    default:
      return PutSuffix(field);
  }
}

bool RefersToObjects(const wasm::Module& module, const wasm::Field& field) {
  if (field.packed_bits != 0 || !field.type.is_ref()) return false;
  const Kind rep = wasm::RepOf(module, field.type);
  return rep == Kind::kAnyRef || rep == Kind::kExternRef;
}

std::string SetSuffix(const wasm::Module& module, const wasm::Field& field) {
  return RefersToObjects(module, field) ? "_ref" : PutSuffix(field);
}

std::string PutSuffix(const wasm::Field& field) {
  if (field.packed_bits != 0) return absl::StrCat(field.packed_bits);
  switch (field.type.kind()) {
    case Kind::kI64:
      return "64";
    case Kind::kF32:
      return "_f32";
    case Kind::kF64:
      return "_f64";
    case Kind::kV128:
      return "128";
    default:
      return "32";
  }
}

void ExpressionPrinter::AppendReference(const Expr* e, bool nullable, std::string& out) const {
  if (!nullable) return Append(e, out);
  out.append("non_null(base, ");
  Append(e, out);
  out.push_back(')');
}

void ExpressionPrinter::AppendAccessed(const Expr* e, bool nullable, std::string& out) const {
  AppendReference(e, nullable && !NullFaults(context_.options), out);
}

void ExpressionPrinter::AppendTest(const Expr* e, std::string& out) const {
  if (e->b == nullptr) return AppendTypeTest(e, out);
  out.append("is_described(heap, ");
  Append(e->a, out);
  absl::StrAppend(&out, ", ", context_.module.type_defs[e->cast->type].descriptor_offset, ", ");
  Append(e->b, out);
  out.append(", ");
  AppendTypeTest(e, out);
  out.push_back(')');
}

void ExpressionPrinter::AppendTypeTest(const Expr* e, std::string& out) const {
  const ir::CastTarget& cast = *e->cast;
  const auto test = [&](absl::string_view name, absl::string_view first, absl::string_view last) {
    absl::StrAppend(&out, name, Flags(cast), first);
    Append(e->a, out);
    absl::StrAppend(&out, last, ")");
  };
  switch (cast.kind) {
    case Kind::kAnyRef:
    case Kind::kExternRef:
    case Kind::kFuncRef:
    case Kind::kExnRef:
      return test("is_any", "", "");
    case Kind::kEqRef:
      return test("is_eq", "heap, ", "");
    case Kind::kI31Ref:
      return test("is_i31", "", "");
    case Kind::kStructRef:
      return test("is_struct", "heap, ", "");
    case Kind::kArrayRef:
      return test("is_array", "heap, ", "");
    case Kind::kTypedRef:
      break;
    default:
      return test("is_null", "", "");
  }
  const wasm::TypeDef& def = context_.module.type_defs[cast.type];
  if (def.kind == wasm::TypeDef::kFunc) {
    return test(cast.exact ? "is_exact_function" : "is_function", "base, ",
                absl::StrCat(", self.types[", cast.type, "]"));
  }
  const std::string number = absl::StrCat(", ", TypeNumberOf(cast.type));
  if (def.final || cast.exact) return test("is_final", "heap, ", number);
  test("is_type", "heap, ", absl::StrCat(number, ", ", def.depth));
}

void ExpressionPrinter::AppendObject(const Expr* e, std::string& out) const {
  const auto& types = context_.module.type_defs;
  switch (e->kind) {
    case ExprKind::kStructGet: {
      const wasm::Field& field = types[e->index].fields[e->bits];
      absl::StrAppend(&out, "object_get", GetSuffix(field, e->op), "(heap, ");
      AppendAccessed(e->a, e->nullable, out);
      absl::StrAppend(&out, ", ", field.offset, ")");
      return;
    }
    case ExprKind::kArrayGet:
      absl::StrAppend(&out, "array_get", GetSuffix(types[e->index].fields[0], e->op),
                      "(base, heap, ");
      AppendAccessed(e->a, e->nullable, out);
      out.append(", ");
      return AppendList({e->b}, out);
    case ExprKind::kArrayLen:
      out.append("array_length(heap, ");
      AppendAccessed(e->a, e->nullable, out);
      out.push_back(')');
      return;
    case ExprKind::kGetDescriptor:
      out.append("object_get32(heap, ");
      AppendAccessed(e->a, e->nullable, out);
      absl::StrAppend(&out, ", ", types[e->index].descriptor_offset, ")");
      return;
    case ExprKind::kRefTest:
      out.append("u32(");
      AppendTest(e, out);
      out.push_back(')');
      return;
    case ExprKind::kRefCast:
      out.append("cast_ref(base, ");
      Append(e->a, out);
      out.append(", ");
      AppendTest(e, out);
      out.push_back(')');
      return;
    case ExprKind::kConvert:
      return AppendPrimary(e->a, out);
    case ExprKind::kRefI31:
      out.append("ref_i31(");
      return AppendList({e->a}, out);
    case ExprKind::kI31Get:
      out.append(e->op == Opcode::kI31GetS ? "i31_get_s(" : "i31_get_u(");
      AppendReference(e->a, e->nullable, out);
      out.push_back(')');
      return;
    default:
      return;
  }
}

}  // namespace fermata::emit

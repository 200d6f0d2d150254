// Objects of garbage collection in statements: what fermata/core/heap.h has functions for.
#include "absl/strings/str_cat.h"
#include "translator/emit/function/objects.h"
#include "translator/emit/function/statements.h"
#include "translator/emit/memory_view.h"

namespace fermata::emit {

using ir::Stmt;
using ir::StmtKind;
using wasm::Opcode;

std::string StatementEmitter::Reference(const Stmt& s, size_t i, bool nullable) const {
  std::string text;
  printer_.AppendReference(s.args[i], nullable, text);
  return text;
}

std::string StatementEmitter::Accessed(const Stmt& s, size_t i, bool nullable) const {
  std::string text;
  printer_.AppendAccessed(s.args[i], nullable, text);
  return text;
}

void StatementEmitter::EmitRoom(const Stmt& s) {
  std::string bytes = s.bits != 0 || s.args.empty() ? absl::StrCat(s.bits, "u") : "";
  out_.Put("  ");
  if (!s.args.empty()) {
    if (s.op == Opcode::kArrayNewData) {
      out_.Emit("check_data(base, self.data_size$0, $1, $2, $3); ", s.index, Arg(s, 0), Arg(s, 1),
                s.index2);
    } else if (s.op == Opcode::kArrayNewElem) {
      out_.Emit("check_elements(base, self.elem_size$0, $1, $2); ", s.index, Arg(s, 0), Arg(s, 1));
    }
    bytes = absl::StrCat("array_bytes(", printer_.Text(s.args[0]), ", ", s.index2, ")",
                         bytes.empty() ? "" : " + ", bytes);
  }
  out_.Emit("if (NO_ROOM($0, $1u)) goto S$2;", bytes, context_.pause_site, s.point);
  if (HoldsPoints()) out_.Emit(" R$0:;", s.point);
  EndLine(s);
}

void StatementEmitter::EmitObject(const Stmt& s) {
  const wasm::TypeDef& def = context_.module.type_defs[s.index];
  const std::string number = TypeNumberOf(context_.module.canonical_types[s.index]);
  switch (s.kind) {
    case StmtKind::kStructNew:
      return EmitStructNew(s);
    case StmtKind::kArrayNew:
      return EmitArrayNew(s);
    case StmtKind::kArrayNewFixed:
      return EmitArrayNewFixed(s);
    case StmtKind::kArrayNewData:
      return Line(s, absl::StrCat("$dst = new_array_of_data(heap, ", def.fields[0].SizeLog2(), ", ",
                                  number, ", data$j, $0, $1);"));
    case StmtKind::kArrayNewElem:
      return Line(s, absl::StrCat("$dst = new_array_of_elements(heap, ", number,
                                  ", self.elem$j, $0, $1);"));
    case StmtKind::kStructSet: {
      const wasm::Field& field = def.fields[s.bits];
      const bool stays = s.negate && NullFaults(context_.options);
      return Line(s, absl::StrCat("object_put", SetSuffix(context_.module, field), "(heap, ",
                                  Accessed(s, 0, s.negate), ", ", field.offset, ", $1);",
                                  stays ? " object_stored();" : ""));
    }
    case StmtKind::kArraySet:
      return Line(s, absl::StrCat("array_set", SetSuffix(context_.module, def.fields[0]),
                                  "(base, heap, ", Accessed(s, 0, s.negate), ", $1, $2);"));
    default:
      return EmitArrayChange(s);
  }
}

// The object is assigned to its variable last: its fields may be what was there before.
void StatementEmitter::EmitStructNew(const Stmt& s) {
  const wasm::TypeDef& def = context_.module.type_defs[s.index];
  const std::string number = TypeNumberOf(context_.module.canonical_types[s.index]);
  const std::string made =
      absl::StrCat(s.negate && !def.fields.empty() ? "new_object_of_zeros(" : "new_object(",
                   "heap, ", def.bytes, ", ", number, ");");
  if (s.args.empty()) return Line(s, absl::StrCat("$dst = ", made));
  out_.Emit("  { const ref made = $0\n", made);
  const size_t fields = s.args.size() - def.has_descriptor();
  for (size_t i = 0; i < fields; ++i) {
    const wasm::Field& field = def.fields[i];
    out_.Emit("    object_put$0(heap, made, $1, $2);\n", PutSuffix(field), field.offset, Arg(s, i));
  }
  if (def.has_descriptor()) {
    out_.Emit("    object_put32(heap, made, $0, $1);\n", def.descriptor_offset, Arg(s, fields));
  }
  Line(s, "  $dst = made; }");
}

void StatementEmitter::EmitArrayNew(const Stmt& s) {
  const wasm::Field& element = context_.module.type_defs[s.index].fields[0];
  const std::string number = TypeNumberOf(context_.module.canonical_types[s.index]);
  if (s.negate) {
    return Line(s, absl::StrCat("$dst = new_array_of_zeros(heap, ", element.SizeLog2(), ", ",
                                number, ", $0);"));
  }
  Line(s, absl::StrCat("$dst = new_array", PutSuffix(element), "(heap, ", number, ", $0, $1);"));
}

void StatementEmitter::EmitArrayNewFixed(const Stmt& s) {
  const wasm::Field& element = context_.module.type_defs[s.index].fields[0];
  const uint32_t log2 = element.SizeLog2();
  out_.Emit("  { const ref made = new_array(heap, $0, $1, $2u);\n", log2,
            TypeNumberOf(context_.module.canonical_types[s.index]), s.args.size());
  for (size_t i = 0; i < s.args.size(); ++i) {
    out_.Emit("    object_put$0(heap, made, $1, $2);\n", PutSuffix(element),
              element.offset + (uint64_t{i} << log2), Arg(s, i));
  }
  Line(s, "  $dst = made; }");
}

void StatementEmitter::EmitArrayChange(const Stmt& s) {
  const wasm::Field& element = context_.module.type_defs[s.index].fields[0];
  const uint32_t log2 = element.SizeLog2();
  const std::string array = Reference(s, 0, /*nullable=*/true);
  switch (s.kind) {
    case StmtKind::kArrayFill:
      return Line(s, absl::StrCat("array_fill", SetSuffix(context_.module, element),
                                  "(base, heap, ", array, ", $1, $2, $3);"));
    case StmtKind::kArrayCopy:
      if (RefersToObjects(context_.module, element)) {
        return Line(s, absl::StrCat("array_copy_refs(base, heap, ", array, ", $1, ",
                                    Reference(s, 2, /*nullable=*/true), ", $3, $4);"));
      }
      return Line(s, absl::StrCat("array_copy(base, heap, ", log2, ", ", array, ", $1, ",
                                  Reference(s, 2, /*nullable=*/true), ", $3, $4);"));
    case StmtKind::kArrayInitData:
      return Line(s, absl::StrCat("array_init_data(base, heap, ", log2,
                                  ", data$j, self.data_size$j, ", array, ", $1, $2, $3);"));
    default:
      return Line(s, absl::StrCat("array_init_elements(base, heap, self.elem$j, self.elem_size$j, ",
                                  array, ", $1, $2, $3);"));
  }
}

}  // namespace fermata::emit

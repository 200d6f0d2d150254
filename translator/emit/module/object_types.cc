#include "translator/emit/module/object_types.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "translator/emit/names.h"

namespace fermata::emit {

std::string RefTypeOf(wasm::ValType type) {
  if (!type.is_ref()) return "{0, false, kNoType}";
  const char* nullable = type.nullable() ? "true" : "false";
  if (type.kind() == wasm::ValType::kTypedRef) {
    return absl::StrCat("{", type.exact() ? "kExactHeap" : "0", ", ", nullable, ", ",
                        type.type_index(), "}");
  }
  return absl::StrCat("{", wasm::CodeOf(type.kind()), ", ", nullable, ", kNoType}");
}

namespace {

// With what refers to the descriptor.
size_t FieldsOf(const wasm::TypeDef& def) { return def.fields.size() + def.has_descriptor(); }

bool HasReferences(const wasm::FuncType& type) {
  const auto is_ref = [](wasm::ValType t) { return t.is_ref(); };
  return std::any_of(type.params.begin(), type.params.end(), is_ref) ||
         std::any_of(type.results.begin(), type.results.end(), is_ref);
}

void EmitSignatureRefs(const wasm::Module& module, Writer& out) {
  for (size_t t = 0; t < module.types.size(); ++t) {
    if (module.canonical_types[t] != t || !HasReferences(module.types[t])) continue;
    out.Emit("const RefType refs_$0[] = {", t);
    for (const auto* list : {&module.types[t].params, &module.types[t].results}) {
      for (wasm::ValType v : *list) out.Put(RefTypeOf(v), ", ");
    }
    out.Put("};\n");
  }
  out.Put("const RefType* const signature_refs[] = {\n");
  for (size_t t = 0; t < module.types.size(); ++t) {
    out.Put("  ",
            HasReferences(module.types[t]) ? absl::StrCat("refs_", module.canonical_types[t])
                                           : "nullptr",
            ",\n");
  }
  out.Put("  nullptr,\n};\n");
}

}  // namespace

void EmitObjectTypes(const wasm::Module& module, Writer& out) {
  out.Put("\n// ---- Structs and arrays ----\n");
  for (size_t t = 0; t < module.types.size(); ++t) {
    const wasm::TypeDef& def = module.type_defs[t];
    if (module.canonical_types[t] != t || FieldsOf(def) == 0) continue;
    out.Emit("const FieldInfo fields_$0[] = {\n", t);
    for (const wasm::Field& field : def.fields) {
      out.Emit("  {$0, $1, $2, $3, $4},\n", ValTypeName(module, field.type),
               static_cast<int>(field.packed_bits), field.mut ? "true" : "false", field.offset,
               RefTypeOf(field.type));
    }
    if (def.has_descriptor()) {
      out.Emit("  {ValType::kAnyRef, 0, false, $0, {kExactHeap, false, $1}},  // its descriptor\n",
               def.descriptor_offset, def.descriptor);
    }
    out.Put("};\n");
  }
  out.Put("const ObjectType object_types[] = {\n");
  for (size_t t = 0; t < module.types.size(); ++t) {
    const wasm::TypeDef& def = module.type_defs[t];
    if (def.kind == wasm::TypeDef::kFunc) {
      out.Put("  {ObjectKind::kNone, false, 0, 0, 0, nullptr},\n");
      continue;
    }
    out.Emit("  {ObjectKind::$0, $1, $2, $3, $4, $5$6},\n",
             def.kind == wasm::TypeDef::kStruct ? "kStruct" : "kArray",
             def.final ? "true" : "false", def.depth, def.bytes, FieldsOf(def),
             FieldsOf(def) == 0 ? "nullptr" : absl::StrCat("fields_", module.canonical_types[t]),
             def.has_descriptor() ? ", true" : "");
  }
  out.Put("  {},\n};\n");
  EmitSignatureRefs(module, out);
}

}  // namespace fermata::emit

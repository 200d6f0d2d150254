#include "translator/emit/header/object_types.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/substitute.h"
#include "translator/emit/header/parameters.h"
#include "translator/emit/names.h"

namespace fermata::emit {
namespace {

using wasm::ExternKind;
using wasm::Module;
using wasm::TypeDef;
using wasm::ValType;

constexpr size_t kMostTypes = 256;
constexpr size_t kMostFields = 128;

// Walks from the module's surface along the types of fields.
class Search {
 public:
  explicit Search(const Module& module) : module_(module), seen_(module.type_defs.size()) {}

  std::vector<uint32_t> Run() {
    for (const wasm::Import& i : module_.imports) Look(i.kind, i.index);
    for (const wasm::Export& e : module_.exports) Look(e.kind, e.index);
    for (size_t i = 0; i < found_.size(); ++i) {
      for (const wasm::Field& field : module_.type_defs[found_[i]].fields) Look(field.type);
    }
    std::vector<uint32_t> types;
    for (const uint32_t type : found_) {
      const TypeDef& def = module_.type_defs[type];
      if (!def.has_descriptor() && def.fields.size() <= kMostFields) types.push_back(type);
    }
    return types;
  }

 private:
  void Look(ExternKind kind, uint32_t index) {
    switch (kind) {
      case ExternKind::kFunction:
        return Look(module_.TypeOf(index));
      case ExternKind::kTag:
        return Look(module_.types[module_.tags[index].type]);
      case ExternKind::kGlobal:
        return Look(module_.globals[index].type.type);
      case ExternKind::kTable:
        return Look(module_.tables[index].type.element);
      default:
        return;
    }
  }
  void Look(const wasm::FuncType& type) {
    for (const ValType t : type.params) Look(t);
    for (const ValType t : type.results) Look(t);
  }
  void Look(ValType type) {
    if (type.kind() != ValType::kTypedRef) return;
    const uint32_t index = module_.canonical_types[type.type_index()];
    if (module_.type_defs[index].kind == TypeDef::kFunc || seen_[index]) return;
    if (found_.size() == kMostTypes) return;
    seen_[index] = true;
    found_.push_back(index);
  }

  const Module& module_;
  std::vector<bool> seen_;
  std::vector<uint32_t> found_;
};

std::string FieldType(const Module& module, const wasm::Field& field) {
  if (field.packed_bits != 0) return absl::StrCat("uint", field.packed_bits, "_t");
  return std::string(HostType(module, field.type));
}

absl::string_view NameOf(const std::vector<std::string>& names, size_t index) {
  return index < names.size() ? absl::string_view(names[index]) : absl::string_view();
}

std::string DeclareStruct(const Module& module, uint32_t type, const std::string& name,
                          MacroGuard& macros) {
  static const std::vector<std::string> kNone;
  const TypeDef& def = module.type_defs[type];
  const auto& all = module.names.fields;
  const std::vector<std::string>& own = type < all.size() ? all[type] : kNone;
  NameSet names;
  names.Reserve(name);
  std::string text;
  std::vector<std::string> members, mutability;
  for (size_t i = 0; i < def.fields.size(); ++i) {
    const std::string member = names.Unique(NameOf(own, i), absl::StrCat("field", i));
    macros.Add(member);
    absl::StrAppend(&text, "    ", FieldType(module, def.fields[i]), " ", member, "{};\n");
    members.push_back(absl::StrCat("&", name, "::", member));
    mutability.push_back(def.fields[i].mut ? "true" : "false");
  }
  mutability.push_back("false");  // an array of none is no C++
  absl::SubstituteAndAppend(&text, R"(    static constexpr uint32_t kType_ = $0;
    static constexpr auto Fields_() { return std::make_tuple($1); }
    static constexpr bool kMutable_[] = {$2};
)",
                            type, absl::StrJoin(members, ", "), absl::StrJoin(mutability, ", "));
  return text;
}

std::string DeclareArray(const Module& module, uint32_t type) {
  const wasm::Field& element = module.type_defs[type].fields[0];
  return absl::Substitute(R"(    using Element = $1;
    static constexpr uint32_t kType_ = $0;
    static constexpr bool kMutableElements_ = $2;
)",
                          type, FieldType(module, element), element.mut ? "true" : "false");
}

}  // namespace

std::vector<uint32_t> TypesOfHost(const Module& module) {
  return module.has_object_types ? Search(module).Run() : std::vector<uint32_t>();
}

std::string DeclareObjectTypes(const Module& module, const std::vector<uint32_t>& types,
                               NameSet& members, MacroGuard& macros) {
  std::string text;
  for (const uint32_t type : types) {
    const bool array = module.type_defs[type].kind == TypeDef::kArray;
    const absl::string_view own = NameOf(module.names.types, type);
    const std::string name = members.Unique(own, absl::StrCat("type", type));
    macros.Add(name);
    absl::SubstituteAndAppend(
        &text, "\n  // $0 type $1$2.\n  struct $3 {\n$4  };\n", array ? "Array" : "Struct", type,
        own.empty() ? "" : absl::StrCat(", \"", ForComment(own), "\""), name,
        array ? DeclareArray(module, type) : DeclareStruct(module, type, name, macros));
  }
  return text;
}

}  // namespace fermata::emit

#include "translator/wasm/type_keys.h"

#include <array>
#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "translator/wasm/sha256.h"

namespace fermata::wasm {
namespace {

std::string Hash(const std::string& text) {
  const std::array<uint8_t, 32> hash =
      Sha256({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  return absl::StrCat(
      "#", absl::BytesToHexString({reinterpret_cast<const char*>(hash.data()), hash.size()}));
}

class GroupText {
 public:
  GroupText(const Module& module, uint32_t first) : module_(module), first_(first) {}

  // Whether the last Text was of the readable form.
  bool readable() const { return readable_; }

  std::string Text(uint32_t index) {
    const TypeDef& def = module_.type_defs[index];
    std::string text;
    if (!def.final || def.supertype != kNoSupertype) {
      absl::StrAppend(&text, def.final ? "f" : "o");
      if (def.supertype != kNoSupertype) text.append(TypeIndex(def.supertype));
      text.push_back('/');
      readable_ = false;
    }
    if (def.kind == TypeDef::kFunc) {
      for (ValType t : module_.types[index].params) text.append(Value(t));
      text.push_back(':');
      for (ValType t : module_.types[index].results) text.append(Value(t));
      return text;
    }
    readable_ = false;
    if (def.describes != kNoDescriptor) text.append(absl::StrCat("d", TypeIndex(def.describes)));
    if (def.has_descriptor()) text.append(absl::StrCat("D", TypeIndex(def.descriptor)));
    text.append(def.kind == TypeDef::kStruct ? "S" : "A");
    for (const Field& field : def.fields) {
      text.append(field.mut ? "m" : "c");
      text.append(field.packed_bits == 0 ? Value(field.type) : absl::StrCat(field.packed_bits));
    }
    return text;
  }

 private:
  std::string TypeIndex(uint32_t index) const {
    if (index >= first_) return absl::StrCat("@", index - first_, ";");
    return absl::StrCat("(", module_.type_keys[index], ")");
  }

  std::string Value(ValType type) {
    if (type.kind() == ValType::kTypedRef) {
      readable_ = false;
      return absl::StrCat(type.nullable() ? "?" : "!", type.exact() ? "=" : "",
                          TypeIndex(type.type_index()));
    }
    const char letter = LetterOf(type.kind());
    if (letter == '\0') {
      readable_ = false;
      return absl::StrCat(type.nullable() ? "?" : "!", "<", CodeOf(type.kind()), ">");
    }
    if (!type.is_ref() || type.nullable()) return std::string(1, letter);
    readable_ = false;
    return {'!', letter};
  }

  const Module& module_;
  const uint32_t first_;
  bool readable_ = true;
};

}  // namespace

void TypeKeys::AddGroup(Module& module, uint32_t first) {
  const uint32_t end = static_cast<uint32_t>(module.types.size());
  GroupText group(module, first);
  std::string text;
  for (uint32_t i = first; i < end; ++i) {
    text.append(group.Text(i));
    if (i + 1 < end) text.push_back('|');
  }
  const bool readable = group.readable() && end == first + 1 && text.size() <= 64;
  const std::string key = readable ? text : Hash(text);
  for (uint32_t i = first; i < end; ++i) {
    module.type_keys.push_back(end == first + 1 ? key : absl::StrCat(key, ".", i - first));
    module.canonical_types.push_back(
        first_of_key_.try_emplace(module.type_keys.back(), i).first->second);
  }
}

}  // namespace fermata::wasm

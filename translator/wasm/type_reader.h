// The type section: recursive groups of functions, structures and arrays (specification
// section 5.3.13).
#ifndef FERMATA_TRANSLATOR_WASM_TYPE_READER_H_
#define FERMATA_TRANSLATOR_WASM_TYPE_READER_H_

#include <vector>

#include "translator/wasm/decoder.h"
#include "translator/wasm/module.h"
#include "translator/wasm/type_keys.h"

namespace fermata::wasm {

class TypeReader {
 public:
  TypeReader(Decoder& in, Module& module) : in_(in), module_(module) {}

  // Appends one recursive group to the module's types. Checks declared supertypes.
  void ReadGroup();

 private:
  void ReadSubType();
  void ReadComposite(uint32_t start, uint8_t form);
  Field ReadField();
  void LayOut(TypeDef& def);
  void CheckDescriptors(uint32_t offset, uint32_t index, uint32_t first);
  std::vector<ValType> ReadValTypes(uint32_t limit, absl::string_view what);
  void CheckSupertype(uint32_t offset, uint32_t index);
  void CheckDescriptorsOfSupertype(uint32_t offset, uint32_t index);
  bool FitsSupertype(uint32_t index, uint32_t super) const;

  Decoder& in_;
  Module& module_;
  TypeKeys keys_;
  std::vector<uint32_t> offsets_;  // of the types of the group
};

}  // namespace fermata::wasm

#endif  // FERMATA_TRANSLATOR_WASM_TYPE_READER_H_

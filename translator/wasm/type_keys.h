// Type equality across modules: a text for each type (specification section 3.3.2, isorecursive
// types).
#ifndef FERMATA_TRANSLATOR_WASM_TYPE_KEYS_H_
#define FERMATA_TRANSLATOR_WASM_TYPE_KEYS_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "translator/wasm/module.h"

namespace fermata::wasm {

// Appends the keys and canonical numbers of the types from `first` on, which are one recursive
// group.
//
// The key of a final function type without supertype that is alone in its group and made of numbers
// and nullable abstract references is readable: params ':' results, with i I f F V and r=funcref
// x=externref e=exnref a=anyref. All others are hashes of such texts, in which types of the group
// stand as their position and others as their keys.
class TypeKeys {
 public:
  void AddGroup(Module& module, uint32_t first);

 private:
  absl::flat_hash_map<std::string, uint32_t> first_of_key_;
};

}  // namespace fermata::wasm

#endif  // FERMATA_TRANSLATOR_WASM_TYPE_KEYS_H_

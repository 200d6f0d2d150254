// Objects that constant expressions make, computed by the translator: what instances begin with is
// copied as a whole, and not made by code object by object.
#ifndef FERMATA_TRANSLATOR_EMIT_MODULE_OBJECT_IMAGE_H_
#define FERMATA_TRANSLATOR_EMIT_MODULE_OBJECT_IMAGE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "translator/emit/module_context.h"
#include "translator/emit/writer.h"

namespace fermata::emit {

class ObjectImage {
 public:
  // Computes what it can of the globals, tables and element segments, in that order.
  explicit ObjectImage(const ModuleContext& context);

  bool empty() const { return bytes_.empty(); }
  // Prints the image as data.
  void EmitData(Writer& out) const;
  // Prints the statement that loads it: from then on `image` is where it begins.
  void EmitLoad(Writer& out) const;
  // Where in the image the object lies that an expression makes, or refers to. Nothing: the
  // expression has to be computed by code.
  std::optional<uint32_t> Find(const wasm::ConstExpr& expr) const;

 private:
  // What is known of a value.
  struct Known {
    enum Kind : uint8_t { kBits, kObject, kFunction, kImported } kind = kBits;
    uint64_t bits = 0;  // kObject: where it lies; kFunction, kImported: the index of the global
    uint64_t high = 0;
  };
  struct Patch {
    uint32_t at;
    enum Kind : uint8_t { kType, kObject, kFunction, kImported } kind;
    uint32_t value;
  };

  // Computes an expression; what it makes stays in the image if that is all it is.
  std::optional<Known> Add(const wasm::ConstExpr& expr);
  std::optional<Known> Compute(const wasm::ConstExpr& expr);
  bool Step(const wasm::ConstInstr& instr, std::vector<Known>& stack);
  bool MakeStruct(const wasm::ConstInstr& instr, std::vector<Known>& stack);
  bool MakeArray(const wasm::ConstInstr& instr, std::vector<Known>& stack);
  // A new object of so many bytes, all zero but for its header; where it lies.
  uint32_t Make(uint32_t type, uint64_t bytes);
  void Put(const wasm::Field& field, uint64_t at, const Known& value);
  void PutBits(uint64_t at, uint64_t bits, uint32_t size);

  const ModuleContext& context_;
  std::vector<uint8_t> bytes_;
  std::vector<Patch> patches_;
  absl::flat_hash_map<uint32_t, Known> globals_;  // own immutable ones
  absl::flat_hash_map<const wasm::ConstExpr*, uint32_t> objects_;
};

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_MODULE_OBJECT_IMAGE_H_

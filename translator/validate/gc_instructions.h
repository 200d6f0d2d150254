// Instructions on structs, arrays and i31 references, casts and conversions (specification §3.4.4 to
// §3.4.6).
#ifndef FERMATA_TRANSLATOR_VALIDATE_GC_INSTRUCTIONS_H_
#define FERMATA_TRANSLATOR_VALIDATE_GC_INSTRUCTIONS_H_

#include <cstdint>

#include "translator/validate/instruction_context.h"

namespace fermata::validate {

// Why a struct can't be made with or without a descriptor.
const char* NeedsDescriptor(bool with_descriptor);

class GcInstructions {
 public:
  explicit GcInstructions(InstructionContext& context) : c_(context) {}

  // Reads and checks the rest of such an instruction; false if `info` is none.
  bool Read(const OpcodeInfo& info);

 private:
  using Kind = wasm::TypeDef::Kind;

  bool WithoutImmediate(Opcode op);
  // Whether `type` is a defined type of that kind.
  bool KnownType(uint32_t type, Kind kind);
  const wasm::Field& Element(uint32_t array) const { return c_.module.type_defs[array].fields[0]; }
  bool Mutable(const wasm::Field& field);
  // A get instruction says how packed fields, and only those, are extended.
  bool ExtendsAsNeeded(Opcode op, Opcode plain, const wasm::Field& field);
  // An element that segments of bytes can hold.
  bool HasBytes(const wasm::Field& field);
  bool FitsElement(const wasm::Field& field, ValType type);

  void StructNew(Opcode op);
  void StructAccess(Opcode op);
  void Array(Opcode op);
  void ArrayNew(Opcode op, uint32_t type);
  void ArraySet(uint32_t type);
  void ArrayLen();
  void I31Get(Opcode op);
  void ArrayGet(Opcode op, uint32_t type);
  void ArrayNewFixed();
  void ArrayData(Opcode op);
  void ArrayElement(Opcode op);
  void ArrayCopy();
  void GetDescriptor();
  bool PopDescriptor(ValType type);
  void Cast(Opcode op);
  void CastBranch(Opcode op);
  bool CanBecome(ValType from, ValType to);
  void Convert(ValType::Kind from, ValType::Kind to);

  InstructionContext& c_;
};

}  // namespace fermata::validate

#endif  // FERMATA_TRANSLATOR_VALIDATE_GC_INSTRUCTIONS_H_

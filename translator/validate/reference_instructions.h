// Instructions on references, tables and element segments.
#ifndef FERMATA_TRANSLATOR_VALIDATE_REFERENCE_INSTRUCTIONS_H_
#define FERMATA_TRANSLATOR_VALIDATE_REFERENCE_INSTRUCTIONS_H_

#include "translator/validate/instruction_context.h"

namespace fermata::validate {

class ReferenceInstructions {
 public:
  explicit ReferenceInstructions(InstructionContext& context) : c_(context) {}

  // Reads and checks the rest of an instruction on references or tables; false if `info` is none.
  bool Read(const OpcodeInfo& info);

 private:
  bool WithoutImmediate(Opcode op);
  bool Fits(ValType to, ValType from);
  void TableOperation(Opcode op);
  void TableInit();
  void TableCopy();
  void ElemDrop();
  void RefNull();
  void RefIsNull();
  void RefAsNonNull();
  void RefEq();
  void RefFunc();

  InstructionContext& c_;
};

}  // namespace fermata::validate

#endif  // FERMATA_TRANSLATOR_VALIDATE_REFERENCE_INSTRUCTIONS_H_

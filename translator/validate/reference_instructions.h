// Instructions on references, tables and element segments.
#ifndef FERMATA_TRANSLATOR_VALIDATE_REFERENCE_INSTRUCTIONS_H_
#define FERMATA_TRANSLATOR_VALIDATE_REFERENCE_INSTRUCTIONS_H_

#include "translator/validate/memory_instructions.h"

namespace fermata::validate {

class ReferenceInstructions : protected MemoryInstructions {
 protected:
  using MemoryInstructions::MemoryInstructions;

  bool KnownTable(uint32_t table) { return Known(table, module_.tables.size(), "table"); }

  // Pops a reference; kBottom if the stack is polymorphic there, or after an error.
  ValType PopRef();

  void TableOperation(Opcode op);
  void TableInit();
  void TableCopy();
  void ElemDrop();
  void RefNull();
  void RefIsNull();
  void RefAsNonNull();
  void RefFunc();

 private:
  bool KnownElement(uint32_t element) {
    return Known(element, module_.elements.size(), "elem segment");
  }
  bool Fits(ValType to, ValType from);
};

}  // namespace fermata::validate

#endif  // FERMATA_TRANSLATOR_VALIDATE_REFERENCE_INSTRUCTIONS_H_

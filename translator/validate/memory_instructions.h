// Instructions on memories, data segments and vectors.
#ifndef FERMATA_TRANSLATOR_VALIDATE_MEMORY_INSTRUCTIONS_H_
#define FERMATA_TRANSLATOR_VALIDATE_MEMORY_INSTRUCTIONS_H_

#include "translator/validate/instruction_context.h"

namespace fermata::validate {

class MemoryInstructions {
 public:
  explicit MemoryInstructions(InstructionContext& context) : c_(context) {}

  // Reads and checks the rest of an instruction with one of the immediates that name a memory, a
  // data segment or lanes; false if `info` is none of them.
  bool Read(const OpcodeInfo& info);

 private:
  bool ReadMemArg(uint32_t natural, bool exact, MemArg& arg);
  bool ReadLane(uint32_t count, uint32_t& lane);
  void PopPushAt(const OpcodeInfo& info, uint32_t memory);
  void Access(const OpcodeInfo& info, uint32_t natural);
  void LaneAccess(const OpcodeInfo& info, uint32_t natural);
  void Atomic(const OpcodeInfo& info, uint32_t natural);
  void Fence();
  void Lane(const OpcodeInfo& info, uint32_t count);
  void ConstV128();
  void Shuffle(const OpcodeInfo& info);
  void WholeMemory(Opcode op);
  void Copy();
  void Init();

  InstructionContext& c_;
};

}  // namespace fermata::validate

#endif  // FERMATA_TRANSLATOR_VALIDATE_MEMORY_INSTRUCTIONS_H_

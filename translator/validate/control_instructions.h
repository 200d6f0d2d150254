// Blocks, branches, calls and exceptions.
#ifndef FERMATA_TRANSLATOR_VALIDATE_CONTROL_INSTRUCTIONS_H_
#define FERMATA_TRANSLATOR_VALIDATE_CONTROL_INSTRUCTIONS_H_

#include <cstdint>
#include <deque>
#include <vector>

#include "absl/types/span.h"
#include "translator/validate/instruction_context.h"
#include "translator/validate/locals.h"

namespace fermata::validate {

class ControlInstructions {
 public:
  ControlInstructions(InstructionContext& context, Locals& locals) : c_(context), locals_(locals) {}

  // Opens the block that is the function itself.
  void OpenFunction() { Open(TypeChecker::kFunction, {{}, c_.type.results}); }
  // Reads and checks the rest of an instruction of control; false if `info` is none.
  bool Read(const OpcodeInfo& info);

 private:
  bool WithoutImmediate(Opcode op);
  void Open(TypeChecker::FrameKind kind, const BlockType& type) {
    c_.types.Open(kind, type, c_.live);
    locals_.OpenBlock();
  }
  void Close() {
    locals_.CloseBlock();
    c_.types.Close();
  }
  bool KnownTag(uint32_t tag) { return c_.Known(tag, c_.module.tags.size(), "tag"); }
  absl::Span<const ValType> PayloadOf(uint32_t tag) const {
    return c_.module.types[c_.module.tags[tag].type].params;
  }
  void OpenBlock(Opcode op);
  bool ReadBlockType(BlockType& type);
  // A list of one type that lives as long as the validator. The search is bounded: a function may
  // name very many types.
  absl::Span<const ValType> Single(ValType type);
  bool KnownType(uint32_t type);
  void Else();
  void End();
  void StartCatch(uint32_t tag);
  void Branch(Opcode op);
  void BranchOnNull(Opcode op, uint32_t depth);
  void BrTable();
  void Throw();
  void Catch();
  void Delegate(uint32_t depth);
  void Rethrow(uint32_t depth);
  void TryTable();
  bool ReadClause(CatchClause& clause);
  // Whether `values` can be used as `expected`.
  bool FitsList(absl::Span<const ValType> values, absl::Span<const ValType> expected,
                const char* what);
  // What a call does to the operands; a tail call returns the callee's results.
  bool PassThrough(const FuncType& callee, bool tail);
  void Call(Opcode op);
  void CallIndirect(Opcode op);
  void CallRef(Opcode op);

  InstructionContext& c_;
  Locals& locals_;
  std::vector<uint32_t> depths_;      // of a br_table
  std::vector<CatchClause> clauses_;  // of a try_table
  std::deque<ValType> singles_;
};

}  // namespace fermata::validate

#endif  // FERMATA_TRANSLATOR_VALIDATE_CONTROL_INSTRUCTIONS_H_

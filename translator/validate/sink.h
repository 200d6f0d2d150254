// What decoding a function body tells its listener.
//
// The validator decodes and type-checks one instruction at a time and then calls the sink; the sink
// may rely on everything the validation algorithm (specification appendix "Validation Algorithm")
// guarantees and checks nothing again. It keeps its own operand stack if it needs one.
//
// Unreachable code: no event is sent for an instruction that follows an unconditional branch in its
// block, nested blocks included; Else and End are sent for exactly the blocks whose opening was
// sent.
#ifndef FERMATA_TRANSLATOR_VALIDATE_SINK_H_
#define FERMATA_TRANSLATOR_VALIDATE_SINK_H_

#include <cstdint>

#include "absl/types/span.h"
#include "translator/wasm/module.h"
#include "translator/wasm/opcodes.h"
#include "translator/wasm/types.h"

namespace fermata::validate {

using wasm::FuncType;
using wasm::Opcode;
using wasm::ValType;

// Valid until the event returns; the spans point into the module or the decoder.
struct BlockType {
  absl::Span<const ValType> params;
  absl::Span<const ValType> results;
};

struct MemArg {
  uint32_t memory = 0;
  uint32_t align_log2 = 0;
  uint64_t offset = 0;
};

// A clause of try_table. `depth`: as in the binary format, not counting the try_table's own label.
struct CatchClause {
  enum Kind : uint8_t { kCatch, kCatchRef, kCatchAll, kCatchAllRef };
  Kind kind;
  uint32_t tag;  // kCatch, kCatchRef
  uint32_t depth;
};

class Sink {
 public:
  virtual ~Sink() = default;

  // `locals`: parameters first. Sent once, before all others.
  virtual void Begin(uint32_t /*function*/, const FuncType& /*type*/,
                     absl::Span<const ValType> /*locals*/) {}
  // Byte offset (in the file) of the instruction whose event follows. Sent before each event.
  virtual void At(uint32_t /*offset*/) {}
  // The body's last `end`; `reachable`: whether control can fall through to it. The function's
  // results are then the top of the operand stack.
  virtual void Finish(bool /*reachable*/) {}

  // The proposals that the body uses, and where first. Sent last, if the body is valid.
  virtual void Uses(const wasm::FeatureUses& /*uses*/) {}

  // Control. Labels are relative depths, as in the binary format.
  virtual void Unreachable() {}
  virtual void Block(const BlockType& /*type*/) {}
  virtual void Loop(const BlockType& /*type*/) {}
  virtual void If(const BlockType& /*type*/) {}  // pops the condition
  virtual void Else(bool /*reachable*/) {}       // `reachable`: the then-part falls through
  // `reachable`: control falls through into the end (of the else-part if there is one).
  // An `if` without `else` gets no Else event.
  virtual void End(bool /*reachable*/) {}
  virtual void Br(uint32_t /*depth*/) {}
  virtual void BrIf(uint32_t /*depth*/) {}  // pops the condition, leaves the label's operands
  virtual void BrTable(absl::Span<const uint32_t> /*depths*/, uint32_t /*fallback*/) {
  }  // pops the index
  virtual void Return() {}
  virtual void Call(uint32_t /*function*/) {}
  virtual void CallIndirect(uint32_t /*type*/, uint32_t /*table*/) {}  // pops the index first
  virtual void CallRef(uint32_t /*type*/) {}                           // pops the reference first
  virtual void ReturnCall(uint32_t /*function*/) {}
  virtual void ReturnCallIndirect(uint32_t /*type*/, uint32_t /*table*/) {}
  virtual void ReturnCallRef(uint32_t /*type*/) {}
  virtual void BrOnNull(uint32_t /*depth*/) {}     // pops the reference; leaves it if not null
  virtual void BrOnNonNull(uint32_t /*depth*/) {}  // takes the reference along, or drops it

  // Exceptions. Try and TryTable open a block; Catch and CatchAll end the part of a legacy try
  // before them (`reachable`: it falls through) and start the next; Delegate ends a try in place of
  // End.
  virtual void Throw(uint32_t /*tag*/) {}
  virtual void ThrowRef() {}
  virtual void TryTable(const BlockType& /*type*/, absl::Span<const CatchClause> /*clauses*/) {}
  virtual void Try(const BlockType& /*type*/) {}
  virtual void Catch(uint32_t /*tag*/, bool /*reachable*/) {}
  virtual void CatchAll(bool /*reachable*/) {}
  virtual void Delegate(uint32_t /*depth*/, bool /*reachable*/) {}  // 0: the label around the try
  virtual void Rethrow(uint32_t /*depth*/) {}

  // Parametric.
  virtual void Drop() {}
  virtual void Select(ValType /*type*/) {}

  // Variables.
  virtual void LocalGet(uint32_t /*local*/) {}
  virtual void LocalSet(uint32_t /*local*/) {}
  virtual void LocalTee(uint32_t /*local*/) {}
  virtual void GlobalGet(uint32_t /*global*/) {}
  virtual void GlobalSet(uint32_t /*global*/) {}

  // Numeric: constants with their bit pattern; all others pop and push as opcodes.def says.
  virtual void Const(ValType /*type*/, uint64_t /*bits*/) {}
  virtual void Numeric(Opcode /*op*/) {}
  virtual void Wide(Opcode /*op*/) {}  // two results, the low half first

  // Vectors; those without an immediate are Numeric.
  virtual void ConstV128(uint64_t /*low*/, uint64_t /*high*/) {}
  virtual void Lane(Opcode /*op*/, uint32_t /*lane*/) {}        // extract_lane, replace_lane
  virtual void Shuffle(absl::Span<const uint8_t> /*lanes*/) {}  // 16

  // Memory.
  virtual void Load(Opcode /*op*/, const MemArg& /*arg*/) {}
  virtual void Store(Opcode /*op*/, const MemArg& /*arg*/) {}
  virtual void LoadLane(Opcode /*op*/, const MemArg& /*arg*/, uint32_t /*lane*/) {}
  virtual void StoreLane(Opcode /*op*/, const MemArg& /*arg*/, uint32_t /*lane*/) {}
  virtual void Atomic(Opcode /*op*/, const MemArg& /*arg*/) {}  // accesses, wait, notify
  virtual void AtomicFence() {}
  virtual void MemorySize(uint32_t /*memory*/) {}
  virtual void MemoryGrow(uint32_t /*memory*/) {}
  virtual void MemoryInit(uint32_t /*data*/, uint32_t /*memory*/) {}
  virtual void DataDrop(uint32_t /*data*/) {}
  virtual void MemoryCopy(uint32_t /*to*/, uint32_t /*from*/) {}
  virtual void MemoryFill(uint32_t /*memory*/) {}

  // Tables and references.
  virtual void TableGet(uint32_t /*table*/) {}
  virtual void TableSet(uint32_t /*table*/) {}
  virtual void TableSize(uint32_t /*table*/) {}
  virtual void TableGrow(uint32_t /*table*/) {}
  virtual void TableFill(uint32_t /*table*/) {}
  virtual void TableCopy(uint32_t /*to*/, uint32_t /*from*/) {}
  virtual void TableInit(uint32_t /*element*/, uint32_t /*table*/) {}
  virtual void ElemDrop(uint32_t /*element*/) {}
  virtual void RefNull(ValType /*type*/) {}
  virtual void RefIsNull() {}
  virtual void RefAsNonNull() {}
  virtual void RefEq() {}
  virtual void RefFunc(uint32_t /*function*/) {}
};

}  // namespace fermata::validate

#endif  // FERMATA_TRANSLATOR_VALIDATE_SINK_H_

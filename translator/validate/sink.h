// What decoding a function body tells its listener.
//
// The validator decodes and type-checks one instruction at a time and then calls the sink; the sink
// may rely on everything the validation algorithm (specification appendix "Validation Algorithm")
// guarantees and checks nothing again. It keeps its own operand stack if it needs one. NullSink (null_sink.h) listens to nothing, for those who want some events only.
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

class InstructionSink {
 public:
  virtual ~InstructionSink() = default;

  // `locals`: parameters first. Sent once, before all others.
  virtual void Begin(uint32_t function, const FuncType& type, absl::Span<const ValType> locals) = 0;
  // Byte offset (in the file) of the instruction whose event follows. Sent before each event.
  virtual void At(uint32_t offset) = 0;
  // The body's last `end`; `reachable`: whether control can fall through to it. The function's
  // results are then the top of the operand stack.
  virtual void Finish(bool reachable) = 0;

  // The proposals that the body uses, and where first. Sent last, if the body is valid.
  virtual void Uses(const wasm::FeatureUses& uses) = 0;

  // Control. Labels are relative depths, as in the binary format.
  virtual void Unreachable() = 0;
  virtual void Block(const BlockType& type) = 0;
  virtual void Loop(const BlockType& type) = 0;
  virtual void If(const BlockType& type) = 0;  // pops the condition
  virtual void Else(bool reachable) = 0;       // `reachable`: the then-part falls through
  // `reachable`: control falls through into the end (of the else-part if there is one).
  // An `if` without `else` gets no Else event.
  virtual void End(bool reachable) = 0;
  virtual void Br(uint32_t depth) = 0;
  virtual void BrIf(uint32_t depth) = 0;  // pops the condition, leaves the label's operands
  virtual void BrTable(absl::Span<const uint32_t> depths, uint32_t fallback) = 0;  // pops the index
  virtual void Return() = 0;
  virtual void Call(uint32_t function) = 0;
  virtual void CallIndirect(uint32_t type, uint32_t table) = 0;  // pops the index first
  virtual void CallRef(uint32_t type) = 0;                       // pops the reference first
  virtual void ReturnCall(uint32_t function) = 0;
  virtual void ReturnCallIndirect(uint32_t type, uint32_t table) = 0;
  virtual void ReturnCallRef(uint32_t type) = 0;
  virtual void BrOnNull(uint32_t depth) = 0;     // pops the reference; leaves it if not null
  virtual void BrOnNonNull(uint32_t depth) = 0;  // takes the reference along, or drops it

  // Exceptions. Try and TryTable open a block; Catch and CatchAll end the part of a legacy try
  // before them (`reachable`: it falls through) and start the next; Delegate ends a try in place of
  // End.
  virtual void Throw(uint32_t tag) = 0;
  virtual void ThrowRef() = 0;
  virtual void TryTable(const BlockType& type, absl::Span<const CatchClause> clauses) = 0;
  virtual void Try(const BlockType& type) = 0;
  virtual void Catch(uint32_t tag, bool reachable) = 0;
  virtual void CatchAll(bool reachable) = 0;
  virtual void Delegate(uint32_t depth, bool reachable) = 0;  // 0: the label around the try
  virtual void Rethrow(uint32_t depth) = 0;

  // Parametric.
  virtual void Drop() = 0;
  virtual void Select(ValType type) = 0;

  // Variables.
  virtual void LocalGet(uint32_t local) = 0;
  virtual void LocalSet(uint32_t local) = 0;
  virtual void LocalTee(uint32_t local) = 0;
  virtual void GlobalGet(uint32_t global) = 0;
  virtual void GlobalSet(uint32_t global) = 0;

  // Numeric: constants with their bit pattern; all others pop and push as opcodes.def says.
  virtual void Const(ValType type, uint64_t bits) = 0;
  virtual void Numeric(Opcode op) = 0;
  virtual void Wide(Opcode op) = 0;  // two results, the low half first

  // Vectors; those without an immediate are Numeric.
  virtual void ConstV128(uint64_t low, uint64_t high) = 0;
  virtual void Lane(Opcode op, uint32_t lane) = 0;            // extract_lane, replace_lane
  virtual void Shuffle(absl::Span<const uint8_t> lanes) = 0;  // 16

  // Memory.
  virtual void Load(Opcode op, const MemArg& arg) = 0;
  virtual void Store(Opcode op, const MemArg& arg) = 0;
  virtual void LoadLane(Opcode op, const MemArg& arg, uint32_t lane) = 0;
  virtual void StoreLane(Opcode op, const MemArg& arg, uint32_t lane) = 0;
  virtual void Atomic(Opcode op, const MemArg& arg) = 0;  // accesses, wait, notify
  virtual void AtomicFence() = 0;
  virtual void MemorySize(uint32_t memory) = 0;
  virtual void MemoryGrow(uint32_t memory) = 0;
  virtual void MemoryInit(uint32_t data, uint32_t memory) = 0;
  virtual void DataDrop(uint32_t data) = 0;
  virtual void MemoryCopy(uint32_t to, uint32_t from) = 0;
  virtual void MemoryFill(uint32_t memory) = 0;

  // Tables and references.
  virtual void TableGet(uint32_t table) = 0;
  virtual void TableSet(uint32_t table) = 0;
  virtual void TableSize(uint32_t table) = 0;
  virtual void TableGrow(uint32_t table) = 0;
  virtual void TableFill(uint32_t table) = 0;
  virtual void TableCopy(uint32_t to, uint32_t from) = 0;
  virtual void TableInit(uint32_t element, uint32_t table) = 0;
  virtual void ElemDrop(uint32_t element) = 0;
  virtual void RefNull(ValType type) = 0;
  virtual void RefIsNull() = 0;
  virtual void RefAsNonNull() = 0;
  virtual void RefEq() = 0;
  virtual void RefFunc(uint32_t function) = 0;

  // Garbage collection. Types and fields by index; `op` tells the get instructions apart; `from`
  // is the operand's type, as far as validation knows it.
  virtual void StructNew(uint32_t type, bool defaults) = 0;  // `defaults`: no operands
  virtual void StructGet(Opcode op, uint32_t type, uint32_t field, ValType from) = 0;
  virtual void StructSet(uint32_t type, uint32_t field, ValType from) = 0;
  virtual void ArrayNew(uint32_t type, bool defaults) = 0;  // `defaults`: pops the length only
  virtual void ArrayNewFixed(uint32_t type, uint32_t count) = 0;
  virtual void ArrayNewData(uint32_t type, uint32_t data) = 0;
  virtual void ArrayNewElem(uint32_t type, uint32_t element) = 0;
  virtual void ArrayGet(Opcode op, uint32_t type, ValType from) = 0;
  virtual void ArraySet(uint32_t type, ValType from) = 0;
  virtual void ArrayLen(ValType from) = 0;
  virtual void ArrayFill(uint32_t type) = 0;
  virtual void ArrayCopy(uint32_t to, uint32_t from) = 0;
  virtual void ArrayInitData(uint32_t type, uint32_t data) = 0;
  virtual void ArrayInitElem(uint32_t type, uint32_t element) = 0;
  virtual void RefTest(ValType type, ValType from) = 0;
  virtual void RefCast(ValType type, ValType from) = 0;
  // Leaves the reference. `fails`: branches if it is not of that type.
  virtual void BrOnCast(uint32_t depth, ValType type, ValType from, bool fails) = 0;
  // With custom descriptors: StructNew of a type with a descriptor pops that first, and the casts
  // pop what they compare the descriptor of the reference with.
  virtual void RefGetDesc(uint32_t type, ValType from) = 0;
  virtual void RefCastDesc(ValType type, ValType from) = 0;
  virtual void BrOnCastDesc(uint32_t depth, ValType type, ValType from, bool fails) = 0;
  virtual void AnyConvertExtern() = 0;
  virtual void ExternConvertAny() = 0;
  virtual void RefI31() = 0;
  virtual void I31Get(Opcode op, ValType from) = 0;
};

}  // namespace fermata::validate

#endif  // FERMATA_TRANSLATOR_VALIDATE_SINK_H_

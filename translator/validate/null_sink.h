// A sink that listens to nothing: for validation alone, and to derive from where only some events
// matter.
#ifndef FERMATA_TRANSLATOR_VALIDATE_NULL_SINK_H_
#define FERMATA_TRANSLATOR_VALIDATE_NULL_SINK_H_

#include "translator/validate/sink.h"

namespace fermata::validate {

class NullSink : public InstructionSink {
 public:
  void Begin(uint32_t /*function*/, const FuncType& /*type*/,
             absl::Span<const ValType> /*locals*/) override {}
  void At(uint32_t /*offset*/) override {}
  void Finish(bool /*reachable*/) override {}
  void Uses(const wasm::FeatureUses& /*uses*/) override {}
  void Unreachable() override {}
  void Block(const BlockType& /*type*/) override {}
  void Loop(const BlockType& /*type*/) override {}
  void If(const BlockType& /*type*/) override {}
  void Else(bool /*reachable*/) override {}
  void End(bool /*reachable*/) override {}
  void Br(uint32_t /*depth*/) override {}
  void BrIf(uint32_t /*depth*/) override {}
  void BrTable(absl::Span<const uint32_t> /*depths*/, uint32_t /*fallback*/) override {}
  void Return() override {}
  void Call(uint32_t /*function*/) override {}
  void CallIndirect(uint32_t /*type*/, uint32_t /*table*/) override {}
  void CallRef(uint32_t /*type*/) override {}
  void ReturnCall(uint32_t /*function*/) override {}
  void ReturnCallIndirect(uint32_t /*type*/, uint32_t /*table*/) override {}
  void ReturnCallRef(uint32_t /*type*/) override {}
  void BrOnNull(uint32_t /*depth*/) override {}
  void BrOnNonNull(uint32_t /*depth*/) override {}
  void Throw(uint32_t /*tag*/) override {}
  void ThrowRef() override {}
  void TryTable(const BlockType& /*type*/, absl::Span<const CatchClause> /*clauses*/) override {}
  void Try(const BlockType& /*type*/) override {}
  void Catch(uint32_t /*tag*/, bool /*reachable*/) override {}
  void CatchAll(bool /*reachable*/) override {}
  void Delegate(uint32_t /*depth*/, bool /*reachable*/) override {}
  void Rethrow(uint32_t /*depth*/) override {}
  void Drop() override {}
  void Select(ValType /*type*/) override {}
  void LocalGet(uint32_t /*local*/) override {}
  void LocalSet(uint32_t /*local*/) override {}
  void LocalTee(uint32_t /*local*/) override {}
  void GlobalGet(uint32_t /*global*/) override {}
  void GlobalSet(uint32_t /*global*/) override {}
  void Const(ValType /*type*/, uint64_t /*bits*/) override {}
  void Numeric(Opcode /*op*/) override {}
  void Wide(Opcode /*op*/) override {}
  void ConstV128(uint64_t /*low*/, uint64_t /*high*/) override {}
  void Lane(Opcode /*op*/, uint32_t /*lane*/) override {}
  void Shuffle(absl::Span<const uint8_t> /*lanes*/) override {}
  void Load(Opcode /*op*/, const MemArg& /*arg*/) override {}
  void Store(Opcode /*op*/, const MemArg& /*arg*/) override {}
  void LoadLane(Opcode /*op*/, const MemArg& /*arg*/, uint32_t /*lane*/) override {}
  void StoreLane(Opcode /*op*/, const MemArg& /*arg*/, uint32_t /*lane*/) override {}
  void Atomic(Opcode /*op*/, const MemArg& /*arg*/) override {}
  void AtomicFence() override {}
  void MemorySize(uint32_t /*memory*/) override {}
  void MemoryGrow(uint32_t /*memory*/) override {}
  void MemoryInit(uint32_t /*data*/, uint32_t /*memory*/) override {}
  void DataDrop(uint32_t /*data*/) override {}
  void MemoryCopy(uint32_t /*to*/, uint32_t /*from*/) override {}
  void MemoryFill(uint32_t /*memory*/) override {}
  void TableGet(uint32_t /*table*/) override {}
  void TableSet(uint32_t /*table*/) override {}
  void TableSize(uint32_t /*table*/) override {}
  void TableGrow(uint32_t /*table*/) override {}
  void TableFill(uint32_t /*table*/) override {}
  void TableCopy(uint32_t /*to*/, uint32_t /*from*/) override {}
  void TableInit(uint32_t /*element*/, uint32_t /*table*/) override {}
  void ElemDrop(uint32_t /*element*/) override {}
  void RefNull(ValType /*type*/) override {}
  void RefIsNull() override {}
  void RefAsNonNull() override {}
  void RefEq() override {}
  void RefFunc(uint32_t /*function*/) override {}
  void StructNew(uint32_t /*type*/, bool /*defaults*/) override {}
  void StructGet(Opcode /*op*/, uint32_t /*type*/, uint32_t /*field*/, ValType /*from*/) override {}
  void StructSet(uint32_t /*type*/, uint32_t /*field*/, ValType /*from*/) override {}
  void ArrayNew(uint32_t /*type*/, bool /*defaults*/) override {}
  void ArrayNewFixed(uint32_t /*type*/, uint32_t /*count*/) override {}
  void ArrayNewData(uint32_t /*type*/, uint32_t /*data*/) override {}
  void ArrayNewElem(uint32_t /*type*/, uint32_t /*element*/) override {}
  void ArrayGet(Opcode /*op*/, uint32_t /*type*/, ValType /*from*/) override {}
  void ArraySet(uint32_t /*type*/, ValType /*from*/) override {}
  void ArrayLen(ValType /*from*/) override {}
  void ArrayFill(uint32_t /*type*/) override {}
  void ArrayCopy(uint32_t /*to*/, uint32_t /*from*/) override {}
  void ArrayInitData(uint32_t /*type*/, uint32_t /*data*/) override {}
  void ArrayInitElem(uint32_t /*type*/, uint32_t /*element*/) override {}
  void RefTest(ValType /*type*/, ValType /*from*/) override {}
  void RefCast(ValType /*type*/, ValType /*from*/) override {}
  void BrOnCast(uint32_t /*depth*/, ValType /*type*/, ValType /*from*/, bool /*fails*/) override {}
  void RefGetDesc(uint32_t /*type*/, ValType /*from*/) override {}
  void RefCastDesc(ValType /*type*/, ValType /*from*/) override {}
  void BrOnCastDesc(uint32_t /*depth*/, ValType /*type*/, ValType /*from*/,
                    bool /*fails*/) override {}
  void AnyConvertExtern() override {}
  void ExternConvertAny() override {}
  void RefI31() override {}
  void I31Get(Opcode /*op*/, ValType /*from*/) override {}
};

}  // namespace fermata::validate

#endif  // FERMATA_TRANSLATOR_VALIDATE_NULL_SINK_H_

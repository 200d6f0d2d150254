#include "translator/wasm/const_expr.h"

#include "absl/strings/str_cat.h"
#include "translator/wasm/opcodes.h"

namespace fermata::wasm {
namespace {

// Decodes the immediate of `info`; fails if the instruction is not constant.
ConstInstr ReadInstr(Decoder& in, uint32_t offset, const OpcodeInfo& info) {
  ConstInstr instr{};
  instr.offset = offset;
  switch (info.opcode) {
    case Opcode::kI32Const:
      instr.kind = ConstInstr::kI32Const;
      instr.bits = static_cast<uint32_t>(in.ReadS32());
      break;
    case Opcode::kI64Const:
      instr.kind = ConstInstr::kI64Const;
      instr.bits = static_cast<uint64_t>(in.ReadS64());
      break;
    case Opcode::kF32Const:
      instr.kind = ConstInstr::kF32Const;
      instr.bits = in.ReadFixed32();
      break;
    case Opcode::kF64Const:
      instr.kind = ConstInstr::kF64Const;
      instr.bits = in.ReadFixed64();
      break;
    case Opcode::kGlobalGet:
      instr.kind = ConstInstr::kGlobalGet;
      instr.index = in.ReadU32();
      break;
    case Opcode::kRefNull:
      instr.kind = ConstInstr::kRefNull;
      instr.type = in.ReadHeapType();
      break;
    case Opcode::kRefFunc:
      instr.kind = ConstInstr::kRefFunc;
      instr.index = in.ReadU32();
      break;
    case Opcode::kI32Add:
      instr.kind = ConstInstr::kI32Add;
      break;
    case Opcode::kI32Sub:
      instr.kind = ConstInstr::kI32Sub;
      break;
    case Opcode::kI32Mul:
      instr.kind = ConstInstr::kI32Mul;
      break;
    case Opcode::kI64Add:
      instr.kind = ConstInstr::kI64Add;
      break;
    case Opcode::kI64Sub:
      instr.kind = ConstInstr::kI64Sub;
      break;
    case Opcode::kI64Mul:
      instr.kind = ConstInstr::kI64Mul;
      break;
    default:
      in.Fail(offset, absl::StrCat("constant expression required, found ", info.name));
  }
  return instr;
}

}  // namespace

ConstExpr ReadConstExpr(Decoder& in) {
  ConstExpr expr;
  while (in.ok()) {
    const uint32_t offset = in.offset();
    const uint32_t code = in.ReadOpcode();
    if (!in.ok()) break;
    const OpcodeInfo* info = Find(code);
    if (info == nullptr) {
      in.FailForOpcode(offset, code);
      break;
    }
    if (info->opcode == Opcode::kEnd) return expr;
    expr.push_back(ReadInstr(in, offset, *info));
  }
  return {};
}

}  // namespace fermata::wasm

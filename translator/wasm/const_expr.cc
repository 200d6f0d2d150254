#include "translator/wasm/const_expr.h"

#include "absl/strings/str_cat.h"
#include "translator/wasm/opcodes.h"

namespace fermata::wasm {
namespace {

void FailForInstr(Decoder& in, uint32_t offset, const OpcodeInfo& info) {
  in.Fail(offset, absl::StrCat("constant expression required, found ", info.name));
}

// An instruction without immediate that is constant by a proposal.
ConstInstr ReadArithmetic(Decoder& in, const OpcodeInfo& info, ConstInstr::Kind kind,
                          ConstInstr instr) {
  instr.kind = kind;
  if (!in.Use(Feature::kExtendedConst, instr.offset)) FailForInstr(in, instr.offset, info);
  return instr;
}

// One that makes or converts a reference; false if it is none.
bool ReadObject(Decoder& in, const OpcodeInfo& info, ConstInstr& instr) {
  switch (info.opcode) {
    case Opcode::kStructNew:
    case Opcode::kStructNewDesc:
      instr.kind = ConstInstr::kStructNew;
      instr.bits = info.opcode == Opcode::kStructNewDesc;
      break;
    case Opcode::kStructNewDefaultDesc:
      instr.bits = 1;
      [[fallthrough]];
    case Opcode::kStructNewDefault:
      instr.kind = ConstInstr::kStructNewDefault;
      break;
    case Opcode::kArrayNew:
      instr.kind = ConstInstr::kArrayNew;
      break;
    case Opcode::kArrayNewDefault:
      instr.kind = ConstInstr::kArrayNewDefault;
      break;
    case Opcode::kArrayNewFixed:
      instr.kind = ConstInstr::kArrayNewFixed;
      instr.index = in.ReadU32();
      instr.bits = in.ReadU32();
      return true;
    case Opcode::kRefI31:
      instr.kind = ConstInstr::kRefI31;
      return true;
    case Opcode::kAnyConvertExtern:
      instr.kind = ConstInstr::kAnyConvertExtern;
      return true;
    case Opcode::kExternConvertAny:
      instr.kind = ConstInstr::kExternConvertAny;
      return true;
    default:
      return false;
  }
  instr.index = in.ReadU32();
  return true;
}

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
    case Opcode::kV128Const:
      instr.kind = ConstInstr::kV128Const;
      instr.bits = in.ReadFixed64();
      instr.high = in.ReadFixed64();
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
      return ReadArithmetic(in, info, ConstInstr::kI32Add, instr);
    case Opcode::kI32Sub:
      return ReadArithmetic(in, info, ConstInstr::kI32Sub, instr);
    case Opcode::kI32Mul:
      return ReadArithmetic(in, info, ConstInstr::kI32Mul, instr);
    case Opcode::kI64Add:
      return ReadArithmetic(in, info, ConstInstr::kI64Add, instr);
    case Opcode::kI64Sub:
      return ReadArithmetic(in, info, ConstInstr::kI64Sub, instr);
    case Opcode::kI64Mul:
      return ReadArithmetic(in, info, ConstInstr::kI64Mul, instr);
    default:
      if (!ReadObject(in, info, instr)) FailForInstr(in, offset, info);
  }
  return instr;
}

}  // namespace

ConstExpr ReadConstExpr(Decoder& in) {
  ConstExpr expr;
  while (in.ok()) {
    const uint32_t offset = in.offset();
    if (in.at_section_end()) in.Fail(offset, "unexpected end of section or function");
    const uint32_t code = in.ReadOpcode();
    if (!in.ok()) break;
    const OpcodeInfo* info = Find(code);
    if (info == nullptr || !in.Use(info->feature, offset)) {
      in.FailForOpcode(offset, code);
      break;
    }
    if (info->opcode == Opcode::kEnd) return expr;
    expr.push_back(ReadInstr(in, offset, *info));
  }
  return {};
}

}  // namespace fermata::wasm

#include "translator/validate/function_validator.h"

#include <utility>
#include <vector>

#include "translator/validate/control_instructions.h"
#include "translator/validate/gc_instructions.h"
#include "translator/validate/instruction_context.h"
#include "translator/validate/locals.h"
#include "translator/validate/memory_instructions.h"
#include "translator/validate/reference_instructions.h"
#include "translator/wasm/error.h"
#include "translator/wasm/limits.h"

namespace fermata::validate {
namespace {

class FunctionValidator {
 public:
  FunctionValidator(const wasm::Module& module, uint32_t function, InstructionSink& sink)
      : c_(module, function, sink), control_(c_, locals_), memory_(c_), references_(c_), gc_(c_) {}

  absl::Status Run() {
    ReadLocals();
    if (c_.in.ok()) {
      c_.sink.Begin(c_.function, c_.type, locals_.types());
      c_.live = true;
      control_.OpenFunction();
    }
    while (c_.in.ok() && c_.types.depth() > 0) ReadInstruction();
    if (c_.in.ok() && !c_.in.at_end()) {
      c_.in.Fail(c_.in.offset(), absl::StrCat("section size mismatch: ", c_.in.remaining(),
                                              " bytes after the function's end"));
    }
    if (c_.in.ok()) {
      c_.sink.Uses(c_.in.uses());
      return absl::OkStatus();
    }
    const wasm::Decoder::Error& e = c_.in.error();
    return wasm::ErrorIn(c_.module, c_.function, e.offset, e.message, e.code);
  }

 private:
  void ReadLocals() {
    std::vector<ValType> locals = c_.type.params;
    const uint32_t groups = c_.in.ReadCount(wasm::kMaxLocals, "groups of locals");
    for (uint32_t i = 0; i < groups && c_.in.ok(); ++i) {
      const uint32_t start = c_.in.offset();
      const uint32_t count = c_.in.ReadU32();
      const ValType type = c_.in.ReadValType();
      if (count > wasm::kMaxLocals - locals.size()) {
        return c_.in.Fail(start, absl::StrCat("too many locals: ", uint64_t{count} + locals.size(),
                                              " (the limit is ", wasm::kMaxLocals, ")"));
      }
      locals.insert(locals.end(), count, type);
    }
    locals_.Declare(std::move(locals), c_.type.params.size());
  }

  void ReadInstruction() {
    c_.offset = c_.in.offset();
    c_.types.set_offset(c_.offset);
    if (c_.in.at_end()) return FailForMissingEnd();
    const uint32_t code = c_.in.ReadOpcode();
    const OpcodeInfo* info = wasm::Find(code);
    if (info == nullptr || !c_.in.Use(info->feature, c_.offset)) {
      return c_.in.FailForOpcode(c_.offset, code);
    }
    if (Read(*info) || control_.Read(*info) || memory_.Read(*info) || references_.Read(*info) ||
        gc_.Read(*info)) {
      return;
    }
    c_.FailForUnknown(info->opcode);
  }

  // Variables, constants, and all that has a signature of its own and nothing else; false if `info`
  // is none of these.
  bool Read(const OpcodeInfo& info) {
    switch (info.immediate) {
      case Immediate::kNone:
        return WithoutImmediate(info);
      case Immediate::kLocal:
        return Local(info.opcode), true;
      case Immediate::kGlobal:
        return Global(info.opcode), true;
      case Immediate::kI32:
        return Const(ValType::kI32, static_cast<uint32_t>(c_.in.ReadS32())), true;
      case Immediate::kI64:
        return Const(ValType::kI64, static_cast<uint64_t>(c_.in.ReadS64())), true;
      case Immediate::kF32:
        return Const(ValType::kF32, c_.in.ReadFixed32()), true;
      case Immediate::kF64:
        return Const(ValType::kF64, c_.in.ReadFixed64()), true;
      case Immediate::kSelectTypes:
        return TypedSelect(), true;
      default:
        return false;
    }
  }

  bool WithoutImmediate(const OpcodeInfo& info) {
    if (!info.params.empty()) return Numeric(info), true;
    if (info.opcode == Opcode::kSelect) return UntypedSelect(), true;
    if (info.opcode != Opcode::kDrop) return false;
    c_.types.PopAny();
    if (c_.Sending()) c_.sink.Drop();
    return true;
  }

  // The bytes after the body tell apart what may have gone wrong.
  void FailForMissingEnd() {
    if (c_.offset >= c_.module.bytes.size()) {
      c_.types.Fail("unexpected end of section or function");
    } else if (c_.module.bytes[c_.offset] == 0x0b) {
      c_.types.Fail("section size mismatch: the function continues past the size of its body");
    } else {
      c_.types.Fail("END opcode expected");
    }
  }

  // ---- Parametric ----

  void UntypedSelect() {
    c_.types.Pop(ValType::kI32);
    const ValType b = c_.types.PopAny();
    const ValType a = c_.types.PopAny();
    for (ValType t : {a, b}) {
      if (t.is_ref()) {
        return c_.types.Fail(
            absl::StrCat("type mismatch: select without a type takes numbers, found ", Name(t)));
      }
    }
    if (a != b && a != ValType::kBottom && b != ValType::kBottom) {
      return c_.types.Fail(absl::StrCat("type mismatch: select of ", Name(a), " and ", Name(b)));
    }
    const ValType type = a == ValType::kBottom ? b : a;
    c_.types.Push(type);
    if (c_.Sending()) c_.sink.Select(type);
  }

  void TypedSelect() {
    const uint32_t count = c_.in.ReadCount(wasm::kMaxResults, "types of a select");
    if (c_.in.ok() && count != 1) return c_.types.Fail("invalid result arity");
    const ValType type = c_.in.ReadValType();
    c_.types.Pop(ValType::kI32);
    c_.types.Pop(type);
    c_.types.Pop(type);
    c_.types.Push(type);
    if (c_.Sending()) c_.sink.Select(type);
  }

  // ---- Variables ----

  void Local(Opcode op) {
    const uint32_t local = c_.in.ReadU32();
    if (!c_.Known(local, locals_.types().size(), "local")) return;
    const ValType type = locals_.types()[local];
    if (op == Opcode::kLocalGet && locals_.IsUnset(local)) {
      return c_.types.Fail(absl::StrCat("uninitialized local ", local));
    }
    if (op != Opcode::kLocalGet) {
      c_.types.Pop(type);
      locals_.Set(local);
    }
    if (op != Opcode::kLocalSet) c_.types.Push(type);
    if (!c_.Sending()) return;
    if (op == Opcode::kLocalGet) {
      c_.sink.LocalGet(local);
    } else if (op == Opcode::kLocalSet) {
      c_.sink.LocalSet(local);
    } else {
      c_.sink.LocalTee(local);
    }
  }

  void Global(Opcode op) {
    const uint32_t global = c_.in.ReadU32();
    if (!c_.Known(global, c_.module.globals.size(), "global")) return;
    const wasm::GlobalType& type = c_.module.globals[global].type;
    if (op == Opcode::kGlobalGet) {
      c_.types.Push(type.type);
      if (c_.Sending()) c_.sink.GlobalGet(global);
      return;
    }
    if (!type.mut) return c_.types.Fail(absl::StrCat("immutable global ", global));
    c_.types.Pop(type.type);
    if (c_.Sending()) c_.sink.GlobalSet(global);
  }

  // ---- Numeric ----

  void Numeric(const OpcodeInfo& info) {
    c_.PopPush(info);
    if (!c_.Sending()) return;
    if (info.results.size() == 2) {
      c_.sink.Wide(info.opcode);
    } else {
      c_.sink.Numeric(info.opcode);
    }
  }

  void Const(ValType type, uint64_t bits) {
    c_.types.Push(type);
    if (c_.Sending()) c_.sink.Const(type, bits);
  }

  InstructionContext c_;
  Locals locals_;
  ControlInstructions control_;
  MemoryInstructions memory_;
  ReferenceInstructions references_;
  GcInstructions gc_;
};

}  // namespace

absl::Status ValidateFunction(const wasm::Module& module, uint32_t function,
                              InstructionSink& sink) {
  return FunctionValidator(module, function, sink).Run();
}

}  // namespace fermata::validate

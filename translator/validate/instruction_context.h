// What the parts of the function validator work on: the body being read, and the state of its types.
#ifndef FERMATA_TRANSLATOR_VALIDATE_INSTRUCTION_CONTEXT_H_
#define FERMATA_TRANSLATOR_VALIDATE_INSTRUCTION_CONTEXT_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "translator/validate/sink.h"
#include "translator/validate/type_checker.h"
#include "translator/wasm/decoder.h"
#include "translator/wasm/module.h"

namespace fermata::validate {

using wasm::Immediate;
using wasm::KindOf;
using wasm::OpcodeInfo;

struct InstructionContext {
  InstructionContext(const wasm::Module& m, uint32_t f, InstructionSink& to)
      : module(m),
        function(f),
        type(m.TypeOf(f)),
        sink(to),
        in(m.functions[f].body, m.functions[f].body_offset),
        types(m, in) {
    in.set_features(module.features);
    in.set_type_count(static_cast<uint32_t>(module.types.size()));
  }

  // Whether the event of the current instruction is to be sent; then its position was.
  bool Sending() {
    if (!live || !in.ok()) return false;
    sink.At(offset);
    return true;
  }

  // Whether `index` may be used; fails with "unknown `what` 7" if not.
  bool Known(uint32_t index, size_t count, const char* what) {
    if (!in.ok()) return false;
    if (index < count) return true;
    types.Fail(absl::StrCat("unknown ", what, " ", index));
    return false;
  }
  bool KnownMemory(uint32_t memory) { return Known(memory, module.memories.size(), "memory"); }
  bool KnownData(uint32_t data) {
    if (in.ok() && !module.has_data_count) {
      types.Fail("data count section required");
      return false;
    }
    return Known(data, module.datas.size(), "data segment");
  }
  bool KnownElement(uint32_t element) {
    return Known(element, module.elements.size(), "elem segment");
  }
  bool KnownTable(uint32_t table) { return Known(table, module.tables.size(), "table"); }

  void PopPush(const OpcodeInfo& info) {
    for (size_t i = info.params.size(); i > 0; --i) types.Pop(KindOf(info.params[i - 1]));
    for (char result : info.results) types.Push(KindOf(result));
  }

  // Pops a reference; kBottom if the stack is polymorphic there, or after an error.
  ValType PopRef() {
    const ValType found = types.PopAny();
    if (found == ValType::kBottom || found.is_ref()) return found;
    types.Fail(absl::StrCat("type mismatch: expected a reference, found ", Name(found)));
    return ValType();
  }

  // For what is in opcodes.def, but nobody here knows how to check.
  void FailForUnknown(wasm::Opcode op) {
    types.Fail(absl::StrCat("unsupported instruction ", wasm::Info(op).name));
  }

  // The type of addresses of a memory, of indices of a table.
  ValType AddressOf(uint32_t memory) const {
    return module.memories[memory].type.limits.is64 ? ValType::kI64 : ValType::kI32;
  }
  ValType IndexOf(uint32_t table) const {
    return module.tables[table].type.limits.is64 ? ValType::kI64 : ValType::kI32;
  }

  // After an unconditional branch.
  void LeaveBlock() {
    types.MarkUnreachable();
    live = false;
  }

  const wasm::Module& module;
  const uint32_t function;
  const FuncType& type;
  InstructionSink& sink;
  wasm::Decoder in;
  TypeChecker types;
  uint32_t offset = 0;  // of the current instruction
  bool live = false;    // types.top().live(), at hand
};

}  // namespace fermata::validate

#endif  // FERMATA_TRANSLATOR_VALIDATE_INSTRUCTION_CONTEXT_H_

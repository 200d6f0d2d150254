// What the parts of the function validator share: the body being read and the state of its types.
#ifndef FERMATA_TRANSLATOR_VALIDATE_INSTRUCTION_BASE_H_
#define FERMATA_TRANSLATOR_VALIDATE_INSTRUCTION_BASE_H_

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

class InstructionBase {
 protected:
  InstructionBase(const wasm::Module& module, uint32_t function, Sink& sink)
      : module_(module),
        function_(function),
        type_(module.TypeOf(function)),
        sink_(sink),
        in_(module.functions[function].body, module.functions[function].body_offset),
        types_(module, in_) {
    in_.set_features(module.features);
    in_.set_type_count(static_cast<uint32_t>(module.types.size()));
  }

  // Whether the event of the current instruction is to be sent; then its position was.
  bool Sending() {
    if (!live_ || !in_.ok()) return false;
    sink_.At(offset_);
    return true;
  }

  // Whether `index` may be used; fails with "unknown `what` 7" if not.
  bool Known(uint32_t index, size_t count, const char* what) {
    if (!in_.ok()) return false;
    if (index < count) return true;
    types_.Fail(absl::StrCat("unknown ", what, " ", index));
    return false;
  }

  void PopPush(const OpcodeInfo& info) {
    for (size_t i = info.params.size(); i > 0; --i) types_.Pop(KindOf(info.params[i - 1]));
    for (char result : info.results) types_.Push(KindOf(result));
  }

  // The type of addresses of a memory, of indices of a table.
  ValType AddressOf(uint32_t memory) const {
    return module_.memories[memory].type.limits.is64 ? ValType::kI64 : ValType::kI32;
  }
  ValType IndexOf(uint32_t table) const {
    return module_.tables[table].type.limits.is64 ? ValType::kI64 : ValType::kI32;
  }

  // After an unconditional branch.
  void LeaveBlock() {
    types_.MarkUnreachable();
    live_ = false;
  }

  const wasm::Module& module_;
  const uint32_t function_;
  const FuncType& type_;
  Sink& sink_;
  wasm::Decoder in_;
  TypeChecker types_;
  uint32_t offset_ = 0;  // of the current instruction
  bool live_ = false;    // types_.top().live(), at hand
};

}  // namespace fermata::validate

#endif  // FERMATA_TRANSLATOR_VALIDATE_INSTRUCTION_BASE_H_

#include "translator/validate/const_validator.h"

#include <string>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "translator/validate/gc_instructions.h"
#include "translator/wasm/error.h"
#include "translator/wasm/limits.h"
#include "translator/wasm/subtyping.h"

namespace fermata::validate {
namespace {

using wasm::ConstExpr;
using wasm::ConstInstr;
using wasm::TypeDef;
using wasm::ValType;

class ConstValidator {
 public:
  ConstValidator(const wasm::Module& module, uint32_t globals) : m_(module), globals_(globals) {}

  absl::Status Run(uint32_t offset, const ConstExpr& expr, ValType expected) {
    for (const ConstInstr& i : expr) {
      offset_ = i.offset;
      Check(i);
      if (!status_.ok()) return status_;
    }
    if (stack_.size() == 1 && IsSubtype(m_, stack_[0], expected)) return absl::OkStatus();
    if (stack_.size() > 1) {
      offset_ = expr[1].offset;
      Fail(absl::StrCat("type mismatch: expected one value, found ", stack_.size()));
    } else {
      offset_ = expr.empty() ? offset : expr[0].offset;
      FailForType(expected, stack_.empty() ? "nothing" : Name(stack_[0]));
    }
    return status_;
  }

 private:
  // The first error is kept.
  void Fail(absl::string_view message) {
    if (status_.ok()) status_ = wasm::ErrorAt(m_.path, offset_, message);
  }
  void FailForType(ValType expected, absl::string_view found) {
    Fail(absl::StrCat("type mismatch: expected ", Name(expected), ", found ", found));
  }
  bool Known(uint32_t index, size_t count, const char* what) {
    if (index < count) return true;
    Fail(absl::StrCat("unknown ", what, " ", index));
    return false;
  }

  void Push(ValType type) { stack_.push_back(type); }
  ValType Pop(ValType expected) {
    if (stack_.empty() || !IsSubtype(m_, stack_.back(), expected)) {
      FailForType(expected, stack_.empty() ? "nothing" : Name(stack_.back()));
      return expected;
    }
    const ValType found = stack_.back();
    stack_.pop_back();
    return found;
  }

  void Check(const ConstInstr& i) {
    switch (i.kind) {
      case ConstInstr::kI32Const:
        return Push(ValType::kI32);
      case ConstInstr::kI64Const:
        return Push(ValType::kI64);
      case ConstInstr::kF32Const:
        return Push(ValType::kF32);
      case ConstInstr::kF64Const:
        return Push(ValType::kF64);
      case ConstInstr::kV128Const:
        return Push(ValType::kV128);
      case ConstInstr::kRefNull:
        return Push(i.type);
      case ConstInstr::kRefFunc:
        if (!Known(i.index, m_.functions.size(), "function")) return;
        return Push(m_.RefTypeOf(i.index));
      case ConstInstr::kGlobalGet:
        return CheckGlobal(i.index);
      case ConstInstr::kI32Add:
      case ConstInstr::kI32Sub:
      case ConstInstr::kI32Mul:
        return CheckBinary(ValType::kI32);
      case ConstInstr::kI64Add:
      case ConstInstr::kI64Sub:
      case ConstInstr::kI64Mul:
        return CheckBinary(ValType::kI64);
      case ConstInstr::kStructNew:
      case ConstInstr::kStructNewDefault:
        return CheckStruct(i);
      case ConstInstr::kArrayNew:
      case ConstInstr::kArrayNewDefault:
      case ConstInstr::kArrayNewFixed:
        return CheckArray(i);
      case ConstInstr::kRefI31:
        Pop(ValType::kI32);
        return Push(ValType(ValType::kI31Ref).With(/*nullable=*/false));
      case ConstInstr::kAnyConvertExtern:
        return Push(ValType(ValType::kAnyRef).With(Pop(ValType::kExternRef).nullable()));
      case ConstInstr::kExternConvertAny:
        return Push(ValType(ValType::kExternRef).With(Pop(ValType::kAnyRef).nullable()));
    }
  }

  void CheckBinary(ValType type) {
    Pop(type);
    Pop(type);
    Push(type);
  }

  void CheckGlobal(uint32_t global) {
    if (!Known(global, globals_, "global")) return;
    const wasm::GlobalType& type = m_.globals[global].type;
    if (type.mut) {
      return Fail(absl::StrCat("constant expression required: global ", global, " is mutable"));
    }
    Push(type.type);
  }

  bool IsOfKind(uint32_t type, TypeDef::Kind kind) {
    if (!Known(type, m_.types.size(), "type")) return false;
    if (m_.type_defs[type].kind == kind) return true;
    Fail(absl::StrCat("type mismatch: type ", type, " is not ",
                      kind == TypeDef::kStruct ? "a struct" : "an array", " type"));
    return false;
  }

  void CheckStruct(const ConstInstr& i) {
    if (!IsOfKind(i.index, TypeDef::kStruct)) return;
    const TypeDef& def = m_.type_defs[i.index];
    const std::vector<wasm::Field>& fields = def.fields;
    const bool with_descriptor = i.bits != 0;
    if (with_descriptor != def.has_descriptor()) return Fail(NeedsDescriptor(with_descriptor));
    if (with_descriptor) Pop(ValType::Ref(def.descriptor, /*nullable=*/true, /*exact=*/true));
    for (size_t k = fields.size(); k-- > 0 && status_.ok();) {
      if (i.kind == ConstInstr::kStructNew) {
        Pop(fields[k].type);
      } else if (!fields[k].type.is_defaultable()) {
        Fail(absl::StrCat("type mismatch: field ", k, " has no default value"));
      }
    }
    Push(ValType::Ref(i.index, /*nullable=*/false, /*exact=*/true));
  }

  void CheckArray(const ConstInstr& i) {
    if (!IsOfKind(i.index, TypeDef::kArray)) return;
    const ValType element = m_.type_defs[i.index].fields[0].type;
    if (i.kind == ConstInstr::kArrayNewFixed) {
      for (uint64_t k = 0; k < i.bits && status_.ok(); ++k) Pop(element);
    } else {
      Pop(ValType::kI32);
      if (i.kind == ConstInstr::kArrayNew) {
        Pop(element);
      } else if (!element.is_defaultable()) {
        Fail("type mismatch: the elements have no default value");
      }
    }
    Push(ValType::Ref(i.index, /*nullable=*/false, /*exact=*/true));
  }

  const wasm::Module& m_;
  const uint32_t globals_;
  uint32_t offset_ = 0;  // of the instruction
  absl::InlinedVector<ValType, 8> stack_;
  absl::Status status_;
};

}  // namespace

absl::Status ValidateConst(const wasm::Module& module, uint32_t offset, const ConstExpr& expr,
                           ValType expected, uint32_t globals) {
  return ConstValidator(module, globals).Run(offset, expr, expected);
}

}  // namespace fermata::validate

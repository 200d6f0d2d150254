#include "translator/validate/function_validator.h"

#include <deque>
#include <vector>

#include "translator/validate/reference_instructions.h"
#include "translator/wasm/error.h"
#include "translator/wasm/limits.h"
#include "translator/wasm/subtyping.h"

namespace fermata::validate {
namespace {

class FunctionValidator : private ReferenceInstructions {
 public:
  FunctionValidator(const wasm::Module& module, uint32_t function, Sink& sink)
      : ReferenceInstructions(module, function, sink) {}

  absl::Status Run() {
    ReadLocals();
    if (in_.ok()) {
      sink_.Begin(function_, type_, locals_);
      live_ = true;
      Open(TypeChecker::kFunction, {{}, type_.results});
    }
    while (in_.ok() && types_.depth() > 0) ReadInstruction();
    if (in_.ok() && !in_.at_end()) {
      in_.Fail(in_.offset(), absl::StrCat("section size mismatch: ", in_.remaining(),
                                          " bytes after the function's end"));
    }
    if (in_.ok()) {
      sink_.Uses(in_.uses());
      return absl::OkStatus();
    }
    const wasm::Decoder::Error& e = in_.error();
    return wasm::ErrorIn(module_, function_, e.offset, e.message, e.code);
  }

 private:
  void ReadLocals() {
    locals_ = type_.params;
    const uint32_t groups = in_.ReadCount(wasm::kMaxLocals, "groups of locals");
    for (uint32_t i = 0; i < groups && in_.ok(); ++i) {
      const uint32_t start = in_.offset();
      const uint32_t count = in_.ReadU32();
      const ValType type = in_.ReadValType();
      if (count > wasm::kMaxLocals - locals_.size()) {
        return in_.Fail(start, absl::StrCat("too many locals: ", uint64_t{count} + locals_.size(),
                                            " (the limit is ", wasm::kMaxLocals, ")"));
      }
      locals_.insert(locals_.end(), count, type);
    }
    unset_.assign(locals_.size(), false);
    for (size_t i = type_.params.size(); i < locals_.size(); ++i) {
      unset_[i] = !locals_[i].is_defaultable();
    }
  }

  void ReadInstruction() {
    offset_ = in_.offset();
    types_.set_offset(offset_);
    if (in_.at_end()) return FailForMissingEnd();
    const uint32_t code = in_.ReadOpcode();
    const OpcodeInfo* info = wasm::Find(code);
    if (info == nullptr || !in_.Use(info->feature, offset_))
      return in_.FailForOpcode(offset_, code);
    switch (info->immediate) {
      case Immediate::kNone:
        return info->params.empty() ? WithoutImmediate(info->opcode) : Numeric(*info);
      case Immediate::kLocal:
        return Local(info->opcode);
      case Immediate::kGlobal:
        return Global(info->opcode);
      case Immediate::kI32:
        return Const(ValType::kI32, static_cast<uint32_t>(in_.ReadS32()));
      case Immediate::kI64:
        return Const(ValType::kI64, static_cast<uint64_t>(in_.ReadS64()));
      case Immediate::kF32:
        return Const(ValType::kF32, in_.ReadFixed32());
      case Immediate::kF64:
        return Const(ValType::kF64, in_.ReadFixed64());
      case Immediate::kBlock:
        return OpenBlock(info->opcode);
      case Immediate::kLabel:
        return Branch(info->opcode);
      case Immediate::kBrTable:
        return BrTable();
      case Immediate::kFunction:
        return info->opcode == Opcode::kRefFunc ? RefFunc() : Call(info->opcode);
      case Immediate::kCallIndirect:
        return CallIndirect(info->opcode);
      case Immediate::kType:
        return CallRef(info->opcode);
      case Immediate::kTag:
        return info->opcode == Opcode::kThrow ? Throw() : Catch();
      case Immediate::kTryTable:
        return TryTable();
      case Immediate::kSelectTypes:
        return TypedSelect();
      case Immediate::kHeapType:
        return RefNull();
      case Immediate::kTable:
        return TableOperation(info->opcode);
      case Immediate::kElementTable:
        return TableInit();
      case Immediate::kTableTable:
        return TableCopy();
      case Immediate::kElement:
        return ElemDrop();
      default:
        MemoryInstruction(*info);
    }
  }

  // The bytes after the body tell apart what may have gone wrong.
  void FailForMissingEnd() {
    if (offset_ >= module_.bytes.size()) {
      types_.Fail("unexpected end of section or function");
    } else if (module_.bytes[offset_] == 0x0b) {
      types_.Fail("section size mismatch: the function continues past the size of its body");
    } else {
      types_.Fail("END opcode expected");
    }
  }

  // ---- Control ----

  void WithoutImmediate(Opcode op) {
    switch (op) {
      case Opcode::kUnreachable:
        if (Sending()) sink_.Unreachable();
        return LeaveBlock();
      case Opcode::kNop:
        return;
      case Opcode::kElse:
        return Else();
      case Opcode::kEnd:
        return End();
      case Opcode::kReturn:
        types_.PopList(type_.results);
        if (Sending()) sink_.Return();
        return LeaveBlock();
      case Opcode::kDrop:
        types_.PopAny();
        if (Sending()) sink_.Drop();
        return;
      case Opcode::kSelect:
        return UntypedSelect();
      case Opcode::kThrowRef:
        types_.Pop(ValType::kExnRef);
        if (Sending()) sink_.ThrowRef();
        return LeaveBlock();
      case Opcode::kCatchAll:
        return StartCatch(wasm::kNoTag);
      case Opcode::kRefEq:
        types_.Pop(ValType::kEqRef);
        types_.Pop(ValType::kEqRef);
        types_.Push(ValType::kI32);
        if (Sending()) sink_.RefEq();
        return;
      case Opcode::kRefAsNonNull:
        return RefAsNonNull();
      default:
        return RefIsNull();
    }
  }

  bool ReadBlockType(BlockType& type) {
    const uint32_t start = in_.offset();
    const uint8_t byte = in_.Peek();
    if (byte == 0x40) {
      in_.ReadByte();
      return in_.ok();
    }
    if ((byte & 0xc0) == 0x40) {
      type.results = Single(in_.ReadValType());
      return in_.ok();
    }
    const int64_t index = in_.ReadS33();
    if (in_.ok() && (index < 0 || !in_.Use(wasm::Feature::kMultiValue, start))) {
      in_.Fail(start, "malformed block type");
    }
    if (!KnownType(static_cast<uint32_t>(index))) return false;
    type.params = module_.types[index].params;
    type.results = module_.types[index].results;
    return true;
  }

  // A list of one type that lives as long as the validator. The search is bounded: a function may
  // name very many types.
  absl::Span<const ValType> Single(ValType type) {
    for (size_t i = 0; i < singles_.size() && i < 32; ++i) {
      if (singles_[i] == type) return absl::MakeConstSpan(&singles_[i], 1);
    }
    return absl::MakeConstSpan(&singles_.emplace_back(type), 1);
  }

  bool KnownType(uint32_t type) {
    if (!Known(type, module_.types.size(), "type")) return false;
    if (module_.type_defs[type].kind == wasm::TypeDef::kFunc) return true;
    types_.Fail(absl::StrCat("type mismatch: type ", type, " is not a function type"));
    return false;
  }

  void OpenBlock(Opcode op) {
    BlockType type;
    if (!ReadBlockType(type)) return;
    if (op == Opcode::kIf) types_.Pop(ValType::kI32);
    types_.PopList(type.params);
    const auto kind = op == Opcode::kBlock  ? TypeChecker::kBlock
                      : op == Opcode::kLoop ? TypeChecker::kLoop
                      : op == Opcode::kTry  ? TypeChecker::kTry
                                            : TypeChecker::kIf;
    Open(kind, type);
    if (!Sending()) {
      live_ = false;
    } else if (op == Opcode::kBlock) {
      sink_.Block(type);
    } else if (op == Opcode::kLoop) {
      sink_.Loop(type);
    } else if (op == Opcode::kTry) {
      sink_.Try(type);
    } else {
      sink_.If(type);
    }
  }

  void Open(TypeChecker::FrameKind kind, const BlockType& type) {
    types_.Open(kind, type, live_);
    set_at_.push_back(set_.size());
  }
  // At the end of a part of a block, locals without default value set in it are so no more.
  void UnsetLocals() {
    while (set_.size() > set_at_.back()) {
      unset_[set_.back()] = true;
      set_.pop_back();
    }
  }
  void Close() {
    UnsetLocals();
    set_at_.pop_back();
    types_.Close();
  }

  void Else() {
    const TypeChecker::Frame& frame = types_.top();
    if (frame.kind != TypeChecker::kIf) {
      return types_.Fail("END opcode expected: else without if");
    }
    types_.CheckResults();
    live_ = frame.sent;
    const bool reachable = !frame.unreachable;
    if (Sending()) sink_.Else(reachable);
    UnsetLocals();
    types_.StartElse();
  }

  // ---- Exceptions ----

  bool KnownTag(uint32_t tag) { return Known(tag, module_.tags.size(), "tag"); }
  absl::Span<const ValType> PayloadOf(uint32_t tag) const {
    return module_.types[module_.tags[tag].type].params;
  }

  void Throw() {
    const uint32_t tag = in_.ReadU32();
    if (!KnownTag(tag)) return;
    types_.PopList(PayloadOf(tag));
    if (Sending()) sink_.Throw(tag);
    LeaveBlock();
  }

  void Catch() {
    const uint32_t tag = in_.ReadU32();
    if (KnownTag(tag)) StartCatch(tag);
  }

  void StartCatch(uint32_t tag) {
    const TypeChecker::Frame& frame = types_.top();
    if (frame.kind != TypeChecker::kTry && frame.kind != TypeChecker::kCatch) {
      return types_.Fail("END opcode expected: catch without try");
    }
    const bool all = tag == wasm::kNoTag;
    types_.CheckResults();
    live_ = frame.sent;
    const bool reachable = !frame.unreachable;
    if (Sending()) {
      if (all) {
        sink_.CatchAll(reachable);
      } else {
        sink_.Catch(tag, reachable);
      }
    }
    UnsetLocals();
    types_.StartCatch(all, all ? absl::Span<const ValType>() : PayloadOf(tag));
  }

  void Delegate(uint32_t depth) {
    if (types_.top().kind != TypeChecker::kTry) {
      return types_.Fail("END opcode expected: delegate without try");
    }
    if (!Known(depth, types_.depth() - 1, "label")) return;
    types_.CheckResults();
    live_ = types_.top().sent;
    const bool reachable = !types_.top().unreachable;
    if (Sending()) sink_.Delegate(depth, reachable);
    Close();
  }

  void Rethrow(uint32_t depth) {
    if (!Known(depth, types_.depth(), "label")) return;
    const TypeChecker::FrameKind kind = types_.frame(depth).kind;
    if (kind != TypeChecker::kCatch && kind != TypeChecker::kCatchAll) {
      return types_.Fail(absl::StrCat("invalid rethrow label ", depth));
    }
    if (Sending()) sink_.Rethrow(depth);
    LeaveBlock();
  }

  void TryTable() {
    BlockType type;
    if (!ReadBlockType(type)) return;
    const uint32_t count = in_.ReadCount(wasm::kMaxBrTableTargets, "catch clauses");
    clauses_.clear();
    for (uint32_t i = 0; i < count && in_.ok(); ++i) {
      CatchClause clause{};
      if (!ReadClause(clause)) return;
      clauses_.push_back(clause);
    }
    types_.PopList(type.params);
    Open(TypeChecker::kBlock, type);
    if (Sending()) {
      sink_.TryTable(type, clauses_);
    } else {
      live_ = false;
    }
  }

  bool ReadClause(CatchClause& clause) {
    const uint32_t start = in_.offset();
    const uint8_t kind = in_.ReadByte();
    if (kind > 3) in_.Fail(start, absl::StrCat("malformed catch clause kind ", int{kind}));
    clause.kind = static_cast<CatchClause::Kind>(kind);
    const bool tagged = clause.kind <= CatchClause::kCatchRef;
    if (tagged) clause.tag = in_.ReadU32();
    clause.depth = in_.ReadU32();
    if (tagged && !KnownTag(clause.tag)) return false;
    if (!Known(clause.depth, types_.depth(), "label")) return false;
    std::vector<ValType> values;
    if (tagged) values.assign(PayloadOf(clause.tag).begin(), PayloadOf(clause.tag).end());
    if (clause.kind == CatchClause::kCatchRef || clause.kind == CatchClause::kCatchAllRef) {
      values.push_back(ValType(ValType::kExnRef).With(/*nullable=*/false));
    }
    return FitsList(values, types_.frame(clause.depth).label(), "a catch clause passes");
  }

  // Whether `values` can be used as `expected`.
  bool FitsList(absl::Span<const ValType> values, absl::Span<const ValType> expected,
                const char* what) {
    if (values.size() != expected.size()) {
      types_.Fail(absl::StrCat("type mismatch: ", what, " ", values.size(), " values where ",
                               expected.size(), " are expected"));
      return false;
    }
    for (size_t i = 0; i < values.size(); ++i) {
      if (wasm::IsSubtype(module_, values[i], expected[i])) continue;
      types_.Fail(absl::StrCat("type mismatch: ", what, " ", Name(values[i]), " where ",
                               Name(expected[i]), " is expected"));
      return false;
    }
    return true;
  }

  void End() {
    const TypeChecker::Frame frame = types_.top();
    types_.CheckResults();
    if (frame.kind == TypeChecker::kIf &&
        !FitsList(frame.type.params, frame.type.results, "an if without else returns")) {
      return;
    }
    live_ = frame.sent;
    if (Sending()) {
      if (frame.kind == TypeChecker::kFunction) {
        // What follows the last `end` is wrong; Run() says so, but the function is not finished
        // then.
        if (in_.at_end()) sink_.Finish(!frame.unreachable);
      } else {
        sink_.End(!frame.unreachable);
      }
    }
    Close();
  }

  void Branch(Opcode op) {
    const uint32_t depth = in_.ReadU32();
    if (op == Opcode::kDelegate) return Delegate(depth);
    if (op == Opcode::kRethrow) return Rethrow(depth);
    if (op == Opcode::kBrOnNull || op == Opcode::kBrOnNonNull) return BranchOnNull(op, depth);
    if (op == Opcode::kBrIf) types_.Pop(ValType::kI32);
    if (!Known(depth, types_.depth(), "label")) return;
    const absl::Span<const ValType> label = types_.frame(depth).label();
    types_.PopList(label);
    if (op == Opcode::kBrIf) {
      types_.PushList(label);
      if (Sending()) sink_.BrIf(depth);
      return;
    }
    if (Sending()) sink_.Br(depth);
    LeaveBlock();
  }

  void BranchOnNull(Opcode op, uint32_t depth) {
    if (!Known(depth, types_.depth(), "label")) return;
    absl::Span<const ValType> label = types_.frame(depth).label();
    const ValType found = PopRef();
    const ValType rest = found == ValType::kBottom ? found : found.With(/*nullable=*/false);
    if (op == Opcode::kBrOnNonNull) {
      if (label.empty() || !label.back().is_ref() ||
          (rest != ValType::kBottom && !wasm::IsSubtype(module_, rest, label.back()))) {
        return types_.Fail("type mismatch: the label does not take the reference");
      }
      label.remove_suffix(1);
    }
    types_.PopList(label);
    types_.PushList(label);
    if (op == Opcode::kBrOnNull) types_.Push(rest);
    if (!Sending()) return;
    if (op == Opcode::kBrOnNull) {
      sink_.BrOnNull(depth);
    } else {
      sink_.BrOnNonNull(depth);
    }
  }

  void BrTable() {
    const uint32_t count = in_.ReadCount(wasm::kMaxBrTableTargets, "branch targets");
    depths_.clear();
    for (uint32_t i = 0; i < count && in_.ok(); ++i) depths_.push_back(in_.ReadU32());
    const uint32_t fallback = in_.ReadU32();
    types_.Pop(ValType::kI32);
    if (!Known(fallback, types_.depth(), "label")) return;
    const absl::Span<const ValType> label = types_.frame(fallback).label();
    uint32_t checked = fallback;
    for (uint32_t depth : depths_) {
      if (depth == checked) continue;
      if (!Known(depth, types_.depth(), "label")) return;
      checked = depth;
      const absl::Span<const ValType> other = types_.frame(depth).label();
      if (other.size() != label.size()) {
        return types_.Fail(absl::StrCat("type mismatch: br_table to labels that take ",
                                        label.size(), " and ", other.size(), " values"));
      }
      types_.CheckTop(other);
    }
    types_.PopList(label);
    if (Sending()) sink_.BrTable(depths_, fallback);
    LeaveBlock();
  }

  // What a call does to the operands; a tail call returns the callee's results.
  bool PassThrough(const FuncType& callee, bool tail) {
    types_.PopList(callee.params);
    if (!tail) {
      types_.PushList(callee.results);
      return true;
    }
    return FitsList(callee.results, type_.results, "the callee returns");
  }

  void Call(Opcode op) {
    const bool tail = op == Opcode::kReturnCall;
    const uint32_t function = in_.ReadU32();
    if (!Known(function, module_.functions.size(), "function")) return;
    if (!PassThrough(module_.TypeOf(function), tail)) return;
    if (Sending()) {
      if (tail) {
        sink_.ReturnCall(function);
      } else {
        sink_.Call(function);
      }
    }
    if (tail) LeaveBlock();
  }

  void CallIndirect(Opcode op) {
    const bool tail = op == Opcode::kReturnCallIndirect;
    const uint32_t type = in_.ReadU32();
    const uint32_t table = in_.ReadU32();
    if (!KnownType(type) || !KnownTable(table)) return;
    const ValType element = module_.tables[table].type.element;
    if (!wasm::IsSubtype(module_, element, ValType::kFuncRef)) {
      return types_.Fail(
          absl::StrCat("type mismatch: call_indirect in a table of ", Name(element)));
    }
    types_.Pop(IndexOf(table));
    if (!PassThrough(module_.types[type], tail)) return;
    if (Sending()) {
      if (tail) {
        sink_.ReturnCallIndirect(type, table);
      } else {
        sink_.CallIndirect(type, table);
      }
    }
    if (tail) LeaveBlock();
  }

  void CallRef(Opcode op) {
    const bool tail = op == Opcode::kReturnCallRef;
    const uint32_t type = in_.ReadU32();
    if (!KnownType(type)) return;
    types_.Pop(ValType::Ref(type, /*nullable=*/true));
    if (!PassThrough(module_.types[type], tail)) return;
    if (Sending()) {
      if (tail) {
        sink_.ReturnCallRef(type);
      } else {
        sink_.CallRef(type);
      }
    }
    if (tail) LeaveBlock();
  }

  // ---- Parametric ----

  void UntypedSelect() {
    types_.Pop(ValType::kI32);
    const ValType b = types_.PopAny();
    const ValType a = types_.PopAny();
    for (ValType t : {a, b}) {
      if (t.is_ref()) {
        return types_.Fail(
            absl::StrCat("type mismatch: select without a type takes numbers, found ", Name(t)));
      }
    }
    if (a != b && a != ValType::kBottom && b != ValType::kBottom) {
      return types_.Fail(absl::StrCat("type mismatch: select of ", Name(a), " and ", Name(b)));
    }
    const ValType type = a == ValType::kBottom ? b : a;
    types_.Push(type);
    if (Sending()) sink_.Select(type);
  }

  void TypedSelect() {
    const uint32_t count = in_.ReadCount(wasm::kMaxResults, "types of a select");
    if (in_.ok() && count != 1) return types_.Fail("invalid result arity");
    const ValType type = in_.ReadValType();
    types_.Pop(ValType::kI32);
    types_.Pop(type);
    types_.Pop(type);
    types_.Push(type);
    if (Sending()) sink_.Select(type);
  }

  // ---- Variables ----

  void Local(Opcode op) {
    const uint32_t local = in_.ReadU32();
    if (!Known(local, locals_.size(), "local")) return;
    const ValType type = locals_[local];
    if (op == Opcode::kLocalGet && unset_[local]) {
      return types_.Fail(absl::StrCat("uninitialized local ", local));
    }
    if (op != Opcode::kLocalGet) {
      types_.Pop(type);
      if (unset_[local]) {
        unset_[local] = false;
        set_.push_back(local);
      }
    }
    if (op != Opcode::kLocalSet) types_.Push(type);
    if (!Sending()) return;
    if (op == Opcode::kLocalGet) {
      sink_.LocalGet(local);
    } else if (op == Opcode::kLocalSet) {
      sink_.LocalSet(local);
    } else {
      sink_.LocalTee(local);
    }
  }

  void Global(Opcode op) {
    const uint32_t global = in_.ReadU32();
    if (!Known(global, module_.globals.size(), "global")) return;
    const wasm::GlobalType& type = module_.globals[global].type;
    if (op == Opcode::kGlobalGet) {
      types_.Push(type.type);
      if (Sending()) sink_.GlobalGet(global);
      return;
    }
    if (!type.mut) return types_.Fail(absl::StrCat("immutable global ", global));
    types_.Pop(type.type);
    if (Sending()) sink_.GlobalSet(global);
  }

  // ---- Numeric ----

  void Numeric(const OpcodeInfo& info) {
    PopPush(info);
    if (!Sending()) return;
    if (info.results.size() == 2) {
      sink_.Wide(info.opcode);
    } else {
      sink_.Numeric(info.opcode);
    }
  }

  void Const(ValType type, uint64_t bits) {
    types_.Push(type);
    if (Sending()) sink_.Const(type, bits);
  }

  std::vector<ValType> locals_;
  // By local: it has no default value and was not set. Those set meanwhile, and how many of them
  // were when each block was opened.
  std::vector<bool> unset_;
  std::vector<uint32_t> set_;
  std::vector<size_t> set_at_;
  std::vector<uint32_t> depths_;      // of a br_table
  std::vector<CatchClause> clauses_;  // of a try_table
  std::deque<ValType> singles_;
};

}  // namespace

absl::Status ValidateFunction(const wasm::Module& module, uint32_t function, Sink& sink) {
  return FunctionValidator(module, function, sink).Run();
}

}  // namespace fermata::validate

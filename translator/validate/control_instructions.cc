#include "translator/validate/control_instructions.h"

#include "translator/wasm/limits.h"
#include "translator/wasm/subtyping.h"

namespace fermata::validate {

bool ControlInstructions::Read(const OpcodeInfo& info) {
  switch (info.immediate) {
    case Immediate::kNone:
      return WithoutImmediate(info.opcode);
    case Immediate::kBlock:
      return OpenBlock(info.opcode), true;
    case Immediate::kLabel:
      return Branch(info.opcode), true;
    case Immediate::kBrTable:
      return BrTable(), true;
    case Immediate::kFunction:
      if (info.opcode == Opcode::kRefFunc) return false;
      return Call(info.opcode), true;
    case Immediate::kCallIndirect:
      return CallIndirect(info.opcode), true;
    case Immediate::kType:
      return CallRef(info.opcode), true;
    case Immediate::kTag:
      return info.opcode == Opcode::kThrow ? Throw() : Catch(), true;
    case Immediate::kTryTable:
      return TryTable(), true;
    default:
      return false;
  }
}

bool ControlInstructions::WithoutImmediate(Opcode op) {
  switch (op) {
    case Opcode::kUnreachable:
      if (c_.Sending()) c_.sink.Unreachable();
      return c_.LeaveBlock(), true;
    case Opcode::kNop:
      return true;
    case Opcode::kElse:
      return Else(), true;
    case Opcode::kEnd:
      return End(), true;
    case Opcode::kReturn:
      c_.types.PopList(c_.type.results);
      if (c_.Sending()) c_.sink.Return();
      return c_.LeaveBlock(), true;
    case Opcode::kThrowRef:
      c_.types.Pop(ValType::kExnRef);
      if (c_.Sending()) c_.sink.ThrowRef();
      return c_.LeaveBlock(), true;
    case Opcode::kCatchAll:
      return StartCatch(wasm::kNoTag), true;
    default:
      return false;
  }
}

void ControlInstructions::OpenBlock(Opcode op) {
  BlockType type;
  if (!ReadBlockType(type)) return;
  if (op == Opcode::kIf) c_.types.Pop(ValType::kI32);
  c_.types.PopList(type.params);
  const auto kind = op == Opcode::kBlock  ? TypeChecker::kBlock
                    : op == Opcode::kLoop ? TypeChecker::kLoop
                    : op == Opcode::kTry  ? TypeChecker::kTry
                                          : TypeChecker::kIf;
  Open(kind, type);
  if (!c_.Sending()) {
    c_.live = false;
  } else if (op == Opcode::kBlock) {
    c_.sink.Block(type);
  } else if (op == Opcode::kLoop) {
    c_.sink.Loop(type);
  } else if (op == Opcode::kTry) {
    c_.sink.Try(type);
  } else {
    c_.sink.If(type);
  }
}

bool ControlInstructions::ReadBlockType(BlockType& type) {
  const uint32_t start = c_.in.offset();
  const uint8_t byte = c_.in.Peek();
  if (byte == 0x40) {
    c_.in.ReadByte();
    return c_.in.ok();
  }
  if ((byte & 0xc0) == 0x40) {
    type.results = Single(c_.in.ReadValType());
    return c_.in.ok();
  }
  const int64_t index = c_.in.ReadS33();
  if (c_.in.ok() && (index < 0 || !c_.in.Use(wasm::Feature::kMultiValue, start))) {
    c_.in.Fail(start, "malformed block type");
  }
  if (!KnownType(static_cast<uint32_t>(index))) return false;
  type.params = c_.module.types[index].params;
  type.results = c_.module.types[index].results;
  return true;
}

// A list of one type that lives as long as the validator. The search is bounded: a function may
// name very many types.
absl::Span<const ValType> ControlInstructions::Single(ValType type) {
  for (size_t i = 0; i < singles_.size() && i < 32; ++i) {
    if (singles_[i] == type) return absl::MakeConstSpan(&singles_[i], 1);
  }
  return absl::MakeConstSpan(&singles_.emplace_back(type), 1);
}

bool ControlInstructions::KnownType(uint32_t type) {
  if (!c_.Known(type, c_.module.types.size(), "type")) return false;
  if (c_.module.type_defs[type].kind == wasm::TypeDef::kFunc) return true;
  c_.types.Fail(absl::StrCat("type mismatch: type ", type, " is not a function type"));
  return false;
}

void ControlInstructions::Else() {
  const TypeChecker::Frame& frame = c_.types.top();
  if (frame.kind != TypeChecker::kIf) {
    return c_.types.Fail("END opcode expected: else without if");
  }
  c_.types.CheckResults();
  c_.live = frame.sent;
  const bool reachable = !frame.unreachable;
  if (c_.Sending()) c_.sink.Else(reachable);
  locals_.EndPart();
  c_.types.StartElse();
}

void ControlInstructions::End() {
  const TypeChecker::Frame frame = c_.types.top();
  c_.types.CheckResults();
  if (frame.kind == TypeChecker::kIf &&
      !FitsList(frame.type.params, frame.type.results, "an if without else returns")) {
    return;
  }
  c_.live = frame.sent;
  if (c_.Sending()) {
    if (frame.kind == TypeChecker::kFunction) {
      // What follows the last `end` is wrong; Run() says so, but the function is not finished
      // then.
      if (c_.in.at_end()) c_.sink.Finish(!frame.unreachable);
    } else {
      c_.sink.End(!frame.unreachable);
    }
  }
  Close();
}

void ControlInstructions::StartCatch(uint32_t tag) {
  const TypeChecker::Frame& frame = c_.types.top();
  if (frame.kind != TypeChecker::kTry && frame.kind != TypeChecker::kCatch) {
    return c_.types.Fail("END opcode expected: catch without try");
  }
  const bool all = tag == wasm::kNoTag;
  c_.types.CheckResults();
  c_.live = frame.sent;
  const bool reachable = !frame.unreachable;
  if (c_.Sending()) {
    if (all) {
      c_.sink.CatchAll(reachable);
    } else {
      c_.sink.Catch(tag, reachable);
    }
  }
  locals_.EndPart();
  c_.types.StartCatch(all, all ? absl::Span<const ValType>() : PayloadOf(tag));
}

void ControlInstructions::Branch(Opcode op) {
  const uint32_t depth = c_.in.ReadU32();
  if (op == Opcode::kDelegate) return Delegate(depth);
  if (op == Opcode::kRethrow) return Rethrow(depth);
  if (op == Opcode::kBrOnNull || op == Opcode::kBrOnNonNull) return BranchOnNull(op, depth);
  if (op == Opcode::kBrIf) c_.types.Pop(ValType::kI32);
  if (!c_.Known(depth, c_.types.depth(), "label")) return;
  const absl::Span<const ValType> label = c_.types.frame(depth).label();
  c_.types.PopList(label);
  if (op == Opcode::kBrIf) {
    c_.types.PushList(label);
    if (c_.Sending()) c_.sink.BrIf(depth);
    return;
  }
  if (c_.Sending()) c_.sink.Br(depth);
  c_.LeaveBlock();
}

void ControlInstructions::BranchOnNull(Opcode op, uint32_t depth) {
  if (!c_.Known(depth, c_.types.depth(), "label")) return;
  absl::Span<const ValType> label = c_.types.frame(depth).label();
  const ValType found = c_.PopRef();
  const ValType rest = found == ValType::kBottom ? found : found.With(/*nullable=*/false);
  if (op == Opcode::kBrOnNonNull) {
    if (label.empty() || !label.back().is_ref() ||
        (rest != ValType::kBottom && !wasm::IsSubtype(c_.module, rest, label.back()))) {
      return c_.types.Fail("type mismatch: the label does not take the reference");
    }
    label.remove_suffix(1);
  }
  c_.types.PopList(label);
  c_.types.PushList(label);
  if (op == Opcode::kBrOnNull) c_.types.Push(rest);
  if (!c_.Sending()) return;
  if (op == Opcode::kBrOnNull) {
    c_.sink.BrOnNull(depth);
  } else {
    c_.sink.BrOnNonNull(depth);
  }
}

void ControlInstructions::BrTable() {
  const uint32_t count = c_.in.ReadCount(wasm::kMaxBrTableTargets, "branch targets");
  depths_.clear();
  for (uint32_t i = 0; i < count && c_.in.ok(); ++i) depths_.push_back(c_.in.ReadU32());
  const uint32_t fallback = c_.in.ReadU32();
  c_.types.Pop(ValType::kI32);
  if (!c_.Known(fallback, c_.types.depth(), "label")) return;
  const absl::Span<const ValType> label = c_.types.frame(fallback).label();
  uint32_t checked = fallback;
  for (uint32_t depth : depths_) {
    if (depth == checked) continue;
    if (!c_.Known(depth, c_.types.depth(), "label")) return;
    checked = depth;
    const absl::Span<const ValType> other = c_.types.frame(depth).label();
    if (other.size() != label.size()) {
      return c_.types.Fail(absl::StrCat("type mismatch: br_table to labels that take ",
                                        label.size(), " and ", other.size(), " values"));
    }
    c_.types.CheckTop(other);
  }
  c_.types.PopList(label);
  if (c_.Sending()) c_.sink.BrTable(depths_, fallback);
  c_.LeaveBlock();
}

void ControlInstructions::Throw() {
  const uint32_t tag = c_.in.ReadU32();
  if (!KnownTag(tag)) return;
  c_.types.PopList(PayloadOf(tag));
  if (c_.Sending()) c_.sink.Throw(tag);
  c_.LeaveBlock();
}

void ControlInstructions::Catch() {
  const uint32_t tag = c_.in.ReadU32();
  if (KnownTag(tag)) StartCatch(tag);
}

void ControlInstructions::Delegate(uint32_t depth) {
  if (c_.types.top().kind != TypeChecker::kTry) {
    return c_.types.Fail("END opcode expected: delegate without try");
  }
  if (!c_.Known(depth, c_.types.depth() - 1, "label")) return;
  c_.types.CheckResults();
  c_.live = c_.types.top().sent;
  const bool reachable = !c_.types.top().unreachable;
  if (c_.Sending()) c_.sink.Delegate(depth, reachable);
  Close();
}

void ControlInstructions::Rethrow(uint32_t depth) {
  if (!c_.Known(depth, c_.types.depth(), "label")) return;
  const TypeChecker::FrameKind kind = c_.types.frame(depth).kind;
  if (kind != TypeChecker::kCatch && kind != TypeChecker::kCatchAll) {
    return c_.types.Fail(absl::StrCat("invalid rethrow label ", depth));
  }
  if (c_.Sending()) c_.sink.Rethrow(depth);
  c_.LeaveBlock();
}

void ControlInstructions::TryTable() {
  BlockType type;
  if (!ReadBlockType(type)) return;
  const uint32_t count = c_.in.ReadCount(wasm::kMaxBrTableTargets, "catch clauses");
  clauses_.clear();
  for (uint32_t i = 0; i < count && c_.in.ok(); ++i) {
    CatchClause clause{};
    if (!ReadClause(clause)) return;
    clauses_.push_back(clause);
  }
  c_.types.PopList(type.params);
  Open(TypeChecker::kBlock, type);
  if (c_.Sending()) {
    c_.sink.TryTable(type, clauses_);
  } else {
    c_.live = false;
  }
}

bool ControlInstructions::ReadClause(CatchClause& clause) {
  const uint32_t start = c_.in.offset();
  const uint8_t kind = c_.in.ReadByte();
  if (kind > 3) c_.in.Fail(start, absl::StrCat("malformed catch clause kind ", int{kind}));
  clause.kind = static_cast<CatchClause::Kind>(kind);
  const bool tagged = clause.kind <= CatchClause::kCatchRef;
  if (tagged) clause.tag = c_.in.ReadU32();
  clause.depth = c_.in.ReadU32();
  if (tagged && !KnownTag(clause.tag)) return false;
  if (!c_.Known(clause.depth, c_.types.depth(), "label")) return false;
  std::vector<ValType> values;
  if (tagged) values.assign(PayloadOf(clause.tag).begin(), PayloadOf(clause.tag).end());
  if (clause.kind == CatchClause::kCatchRef || clause.kind == CatchClause::kCatchAllRef) {
    values.push_back(ValType(ValType::kExnRef).With(/*nullable=*/false));
  }
  return FitsList(values, c_.types.frame(clause.depth).label(), "a catch clause passes");
}

// Whether `values` can be used as `expected`.
bool ControlInstructions::FitsList(absl::Span<const ValType> values,
                                   absl::Span<const ValType> expected, const char* what) {
  if (values.size() != expected.size()) {
    c_.types.Fail(absl::StrCat("type mismatch: ", what, " ", values.size(), " values where ",
                               expected.size(), " are expected"));
    return false;
  }
  for (size_t i = 0; i < values.size(); ++i) {
    if (wasm::IsSubtype(c_.module, values[i], expected[i])) continue;
    c_.types.Fail(absl::StrCat("type mismatch: ", what, " ", Name(values[i]), " where ",
                               Name(expected[i]), " is expected"));
    return false;
  }
  return true;
}

// What a call does to the operands; a tail call returns the callee's results.
bool ControlInstructions::PassThrough(const FuncType& callee, bool tail) {
  c_.types.PopList(callee.params);
  if (!tail) {
    c_.types.PushList(callee.results);
    return true;
  }
  return FitsList(callee.results, c_.type.results, "the callee returns");
}

void ControlInstructions::Call(Opcode op) {
  const bool tail = op == Opcode::kReturnCall;
  const uint32_t function = c_.in.ReadU32();
  if (!c_.Known(function, c_.module.functions.size(), "function")) return;
  if (!PassThrough(c_.module.TypeOf(function), tail)) return;
  if (c_.Sending()) {
    if (tail) {
      c_.sink.ReturnCall(function);
    } else {
      c_.sink.Call(function);
    }
  }
  if (tail) c_.LeaveBlock();
}

void ControlInstructions::CallIndirect(Opcode op) {
  const bool tail = op == Opcode::kReturnCallIndirect;
  const uint32_t type = c_.in.ReadU32();
  const uint32_t table = c_.in.ReadU32();
  if (!KnownType(type) || !c_.KnownTable(table)) return;
  const ValType element = c_.module.tables[table].type.element;
  if (!wasm::IsSubtype(c_.module, element, ValType::kFuncRef)) {
    return c_.types.Fail(
        absl::StrCat("type mismatch: call_indirect in a table of ", Name(element)));
  }
  c_.types.Pop(c_.IndexOf(table));
  if (!PassThrough(c_.module.types[type], tail)) return;
  if (c_.Sending()) {
    if (tail) {
      c_.sink.ReturnCallIndirect(type, table);
    } else {
      c_.sink.CallIndirect(type, table);
    }
  }
  if (tail) c_.LeaveBlock();
}

void ControlInstructions::CallRef(Opcode op) {
  const bool tail = op == Opcode::kReturnCallRef;
  const uint32_t type = c_.in.ReadU32();
  if (!KnownType(type)) return;
  c_.types.Pop(ValType::Ref(type, /*nullable=*/true));
  if (!PassThrough(c_.module.types[type], tail)) return;
  if (c_.Sending()) {
    if (tail) {
      c_.sink.ReturnCallRef(type);
    } else {
      c_.sink.CallRef(type);
    }
  }
  if (tail) c_.LeaveBlock();
}

}  // namespace fermata::validate

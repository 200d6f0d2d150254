#include "translator/validate/function_validator.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "translator/validate/type_checker.h"
#include "translator/wasm/decoder.h"
#include "translator/wasm/error.h"
#include "translator/wasm/limits.h"

namespace fermata::validate {
namespace {

using wasm::Immediate;
using wasm::KindOf;
using wasm::OpcodeInfo;

// By kind, for the block types that are a single value type.
constexpr ValType kSingle[] = {ValType::kBottom,  ValType::kI32,       ValType::kI64,
                               ValType::kF32,     ValType::kF64,       ValType::kV128,
                               ValType::kFuncRef, ValType::kExternRef, ValType::kExnRef};

class FunctionValidator {
 public:
  FunctionValidator(const wasm::Module& module, uint32_t function, Sink& sink)
      : module_(module),
        function_(function),
        type_(module.TypeOf(function)),
        sink_(sink),
        in_(module.functions[function].body, module.functions[function].body_offset),
        types_(in_) {}

  absl::Status Run() {
    ReadLocals();
    if (in_.ok()) {
      sink_.Begin(function_, type_, locals_);
      types_.Open(TypeChecker::kFunction, {{}, type_.results}, /*sent=*/true);
      live_ = true;
    }
    while (in_.ok() && types_.depth() > 0) ReadInstruction();
    if (in_.ok() && !in_.at_end()) {
      in_.Fail(in_.offset(), absl::StrCat("section size mismatch: ", in_.remaining(),
                                          " bytes after the function's end"));
    }
    if (in_.ok()) return absl::OkStatus();
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
  }

  void ReadInstruction() {
    offset_ = in_.offset();
    types_.set_offset(offset_);
    if (in_.at_end()) return FailForMissingEnd();
    const uint32_t code = in_.ReadOpcode();
    const OpcodeInfo* info = wasm::Find(code);
    if (info == nullptr) return in_.FailForOpcode(offset_, code);
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
      case Immediate::kMemArg8:
        return Access(*info, 0);
      case Immediate::kMemArg16:
        return Access(*info, 1);
      case Immediate::kMemArg32:
        return Access(*info, 2);
      case Immediate::kMemArg64:
        return Access(*info, 3);
      case Immediate::kBlock:
        return OpenBlock(info->opcode);
      case Immediate::kLabel:
        return Branch(info->opcode);
      case Immediate::kBrTable:
        return BrTable();
      case Immediate::kFunction:
        return info->opcode == Opcode::kCall ? Call() : RefFunc();
      case Immediate::kCallIndirect:
        return CallIndirect();
      case Immediate::kSelectTypes:
        return TypedSelect();
      case Immediate::kHeapType:
        return RefNull();
      case Immediate::kTable:
        return TableOperation(info->opcode);
      default:
        return Bulk(*info);
    }
  }

  // The bytes after the body tell apart what may have gone wrong.
  void FailForMissingEnd() {
    if (offset_ >= module_.bytes.size()) {
      types_.Fail("unexpected end of section or function");
    } else if (module_.bytes[offset_] == 0x0b) {
      types_.Fail("section size mismatch: the function goes on beyond its body's size");
    } else {
      types_.Fail("END opcode expected");
    }
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
      default:
        return RefIsNull();
    }
  }

  // After an unconditional branch.
  void LeaveBlock() {
    types_.MarkUnreachable();
    live_ = false;
  }

  bool ReadBlockType(BlockType& type) {
    const uint32_t start = in_.offset();
    const uint8_t byte = in_.Peek();
    if (byte == 0x40) {
      in_.ReadByte();
      return in_.ok();
    }
    if ((byte & 0xc0) == 0x40) {
      const ValType result = in_.ReadValType();
      type.results = absl::MakeConstSpan(&kSingle[result.kind()], 1);
      return in_.ok();
    }
    const int64_t index = in_.ReadS33();
    if (in_.ok() && index < 0) in_.Fail(start, "malformed block type");
    if (!Known(static_cast<uint32_t>(index), module_.types.size(), "type")) return false;
    type.params = module_.types[index].params;
    type.results = module_.types[index].results;
    return true;
  }

  void OpenBlock(Opcode op) {
    BlockType type;
    if (!ReadBlockType(type)) return;
    if (op == Opcode::kIf) types_.Pop(ValType::kI32);
    types_.PopList(type.params);
    const auto kind = op == Opcode::kBlock  ? TypeChecker::kBlock
                      : op == Opcode::kLoop ? TypeChecker::kLoop
                                            : TypeChecker::kIf;
    types_.Open(kind, type, live_);
    if (!Sending()) {
      live_ = false;
    } else if (op == Opcode::kBlock) {
      sink_.Block(type);
    } else if (op == Opcode::kLoop) {
      sink_.Loop(type);
    } else {
      sink_.If(type);
    }
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
    types_.StartElse();
  }

  void End() {
    const TypeChecker::Frame frame = types_.top();
    types_.CheckResults();
    if (frame.kind == TypeChecker::kIf && frame.type.params != frame.type.results) {
      types_.Fail("type mismatch: an if without else must have the same parameters and results");
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
    types_.Close();
  }

  void Branch(Opcode op) {
    const uint32_t depth = in_.ReadU32();
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

  void Call() {
    const uint32_t function = in_.ReadU32();
    if (!Known(function, module_.functions.size(), "function")) return;
    const FuncType& type = module_.TypeOf(function);
    types_.PopList(type.params);
    types_.PushList(type.results);
    if (Sending()) sink_.Call(function);
  }

  void CallIndirect() {
    const uint32_t type = in_.ReadU32();
    const uint32_t table = in_.ReadU32();
    if (!Known(type, module_.types.size(), "type") || !KnownTable(table)) return;
    const ValType element = module_.tables[table].type.element;
    if (element != ValType::kFuncRef) {
      return types_.Fail(
          absl::StrCat("type mismatch: call_indirect in a table of ", Name(element)));
    }
    types_.Pop(ValType::kI32);
    types_.PopList(module_.types[type].params);
    types_.PushList(module_.types[type].results);
    if (Sending()) sink_.CallIndirect(type, table);
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
    if (op != Opcode::kLocalGet) types_.Pop(type);
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

  void PopPush(const OpcodeInfo& info) {
    for (size_t i = info.params.size(); i > 0; --i) types_.Pop(KindOf(info.params[i - 1]));
    for (char result : info.results) types_.Push(KindOf(result));
  }

  void Numeric(const OpcodeInfo& info) {
    PopPush(info);
    if (Sending()) sink_.Numeric(info.opcode);
  }

  void Const(ValType type, uint64_t bits) {
    types_.Push(type);
    if (Sending()) sink_.Const(type, bits);
  }

  // ---- Memory ----

  bool KnownMemory(uint32_t memory) { return Known(memory, module_.memories.size(), "memory"); }

  bool ReadMemArg(uint32_t natural, MemArg& arg) {
    const uint32_t start = in_.offset();
    arg.align_log2 = in_.ReadU32();
    if (arg.align_log2 >= 0x80) {
      in_.Fail(start, absl::StrFormat("malformed memop flags 0x%x", arg.align_log2));
    } else if (arg.align_log2 & 0x40) {
      in_.FailFor(start, "a memory access that names its memory", wasm::Feature::kMultiMemory);
    }
    arg.offset = in_.ReadU64();
    if (!KnownMemory(arg.memory)) return false;
    if (arg.align_log2 > natural) {
      types_.Fail(
          absl::StrFormat("alignment must not be larger than natural: 2^%u is, %u is natural",
                          arg.align_log2, 1u << natural));
      return false;
    }
    if (arg.offset > 0xffffffff) {
      types_.Fail("offset out of range");
      return false;
    }
    return true;
  }

  // `natural`: log2 of the access's width in bytes.
  void Access(const OpcodeInfo& info, uint32_t natural) {
    MemArg arg;
    if (!ReadMemArg(natural, arg)) return;
    PopPush(info);
    if (!Sending()) return;
    if (info.results.empty()) {
      sink_.Store(info.opcode, arg);
    } else {
      sink_.Load(info.opcode, arg);
    }
  }

  // Instructions of fixed signature on whole memories, tables and segments.
  void Bulk(const OpcodeInfo& info) {
    const uint32_t first = in_.ReadU32();
    const bool two =
        info.immediate == Immediate::kDataMemory || info.immediate == Immediate::kMemoryMemory ||
        info.immediate == Immediate::kElementTable || info.immediate == Immediate::kTableTable;
    const uint32_t second = two ? in_.ReadU32() : 0;
    if (!CheckBulk(info.immediate, first, second)) return;
    PopPush(info);
    if (Sending()) SendBulk(info.opcode, first, second);
  }

  bool CheckBulk(Immediate immediate, uint32_t first, uint32_t second) {
    switch (immediate) {
      case Immediate::kMemory:
        return KnownMemory(first);
      case Immediate::kMemoryMemory:
        return KnownMemory(first) && KnownMemory(second);
      case Immediate::kDataMemory:
        return KnownMemory(second) && KnownData(first);
      case Immediate::kData:
        return KnownData(first);
      case Immediate::kElement:
        return KnownElement(first);
      case Immediate::kElementTable:
        return KnownTable(second) && KnownElement(first) &&
               SameType(module_.tables[second].type.element, module_.elements[first].type);
      default:  // kTableTable
        return KnownTable(first) && KnownTable(second) &&
               SameType(module_.tables[first].type.element, module_.tables[second].type.element);
    }
  }

  void SendBulk(Opcode op, uint32_t first, uint32_t second) {
    switch (op) {
      case Opcode::kMemorySize:
        return sink_.MemorySize(first);
      case Opcode::kMemoryGrow:
        return sink_.MemoryGrow(first);
      case Opcode::kMemoryFill:
        return sink_.MemoryFill(first);
      case Opcode::kMemoryCopy:
        return sink_.MemoryCopy(first, second);
      case Opcode::kMemoryInit:
        return sink_.MemoryInit(first, second);
      case Opcode::kDataDrop:
        return sink_.DataDrop(first);
      case Opcode::kElemDrop:
        return sink_.ElemDrop(first);
      case Opcode::kTableInit:
        return sink_.TableInit(first, second);
      default:
        return sink_.TableCopy(first, second);
    }
  }

  bool KnownData(uint32_t data) {
    if (in_.ok() && !module_.has_data_count) {
      types_.Fail("data count section required");
      return false;
    }
    return Known(data, module_.datas.size(), "data segment");
  }

  // ---- Tables and references ----

  bool KnownTable(uint32_t table) { return Known(table, module_.tables.size(), "table"); }
  bool KnownElement(uint32_t element) {
    return Known(element, module_.elements.size(), "elem segment");
  }
  bool SameType(ValType to, ValType from) {
    if (to == from) return true;
    types_.Fail(
        absl::StrCat("type mismatch: elements of type ", Name(from), " for a table of ", Name(to)));
    return false;
  }

  void TableOperation(Opcode op) {
    const uint32_t table = in_.ReadU32();
    if (!KnownTable(table)) return;
    const ValType element = module_.tables[table].type.element;
    switch (op) {
      case Opcode::kTableGet:
        types_.Pop(ValType::kI32);
        types_.Push(element);
        if (Sending()) sink_.TableGet(table);
        return;
      case Opcode::kTableSet:
        types_.Pop(element);
        types_.Pop(ValType::kI32);
        if (Sending()) sink_.TableSet(table);
        return;
      case Opcode::kTableSize:
        types_.Push(ValType::kI32);
        if (Sending()) sink_.TableSize(table);
        return;
      case Opcode::kTableGrow:
        types_.Pop(ValType::kI32);
        types_.Pop(element);
        types_.Push(ValType::kI32);
        if (Sending()) sink_.TableGrow(table);
        return;
      default:  // table.fill
        types_.Pop(ValType::kI32);
        types_.Pop(element);
        types_.Pop(ValType::kI32);
        if (Sending()) sink_.TableFill(table);
        return;
    }
  }

  void RefNull() {
    const ValType type = in_.ReadHeapType();
    types_.Push(type);
    if (Sending()) sink_.RefNull(type);
  }

  void RefIsNull() {
    const ValType type = types_.PopAny();
    if (!type.is_ref() && type != ValType::kBottom) {
      return types_.Fail(absl::StrCat("type mismatch: expected a reference, found ", Name(type)));
    }
    types_.Push(ValType::kI32);
    if (Sending()) sink_.RefIsNull();
  }

  void RefFunc() {
    const uint32_t function = in_.ReadU32();
    if (!Known(function, module_.functions.size(), "function")) return;
    if (!module_.declared_functions[function]) {
      return types_.Fail(absl::StrCat("undeclared function reference ", function));
    }
    types_.Push(ValType::kFuncRef);
    if (Sending()) sink_.RefFunc(function);
  }

  const wasm::Module& module_;
  const uint32_t function_;
  const FuncType& type_;
  Sink& sink_;
  wasm::Decoder in_;
  TypeChecker types_;
  std::vector<ValType> locals_;
  std::vector<uint32_t> depths_;  // of a br_table
  uint32_t offset_ = 0;           // of the current instruction
  bool live_ = false;             // top().live(), at hand
};

}  // namespace

absl::Status ValidateFunction(const wasm::Module& module, uint32_t function, Sink& sink) {
  return FunctionValidator(module, function, sink).Run();
}

}  // namespace fermata::validate

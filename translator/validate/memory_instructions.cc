#include "translator/validate/memory_instructions.h"

#include "absl/strings/str_format.h"

namespace fermata::validate {

bool MemoryInstructions::Read(const OpcodeInfo& info) {
  switch (info.immediate) {
    case Immediate::kMemArg8:
      return Access(info, 0), true;
    case Immediate::kMemArg16:
      return Access(info, 1), true;
    case Immediate::kMemArg32:
      return Access(info, 2), true;
    case Immediate::kMemArg64:
      return Access(info, 3), true;
    case Immediate::kMemArg128:
      return Access(info, 4), true;
    case Immediate::kMemLane8:
      return LaneAccess(info, 0), true;
    case Immediate::kMemLane16:
      return LaneAccess(info, 1), true;
    case Immediate::kMemLane32:
      return LaneAccess(info, 2), true;
    case Immediate::kMemLane64:
      return LaneAccess(info, 3), true;
    case Immediate::kAtomic8:
      return Atomic(info, 0), true;
    case Immediate::kAtomic16:
      return Atomic(info, 1), true;
    case Immediate::kAtomic32:
      return Atomic(info, 2), true;
    case Immediate::kAtomic64:
      return Atomic(info, 3), true;
    case Immediate::kFence:
      return Fence(), true;
    case Immediate::kLane2:
      return Lane(info, 2), true;
    case Immediate::kLane4:
      return Lane(info, 4), true;
    case Immediate::kLane8:
      return Lane(info, 8), true;
    case Immediate::kLane16:
      return Lane(info, 16), true;
    case Immediate::kV128:
      return ConstV128(), true;
    case Immediate::kShuffle:
      return Shuffle(info), true;
    case Immediate::kMemory:
      return WholeMemory(info.opcode), true;
    case Immediate::kMemoryMemory:
      return Copy(), true;
    case Immediate::kDataMemory:
      return Init(), true;
    case Immediate::kData: {
      const uint32_t data = c_.in.ReadU32();
      if (c_.KnownData(data) && c_.Sending()) c_.sink.DataDrop(data);
      return true;
    }
    default:
      return false;
  }
}

// `natural`: log2 of the access's width in bytes; `exact`: the alignment must be that.
bool MemoryInstructions::ReadMemArg(uint32_t natural, bool exact, MemArg& arg) {
  const uint32_t start = c_.in.offset();
  arg.align_log2 = c_.in.ReadU32();
  const bool names_memory = (arg.align_log2 & 0x40) != 0;
  if (arg.align_log2 >= 0x80 || (names_memory && !c_.in.Use(wasm::Feature::kMultiMemory, start))) {
    c_.in.Fail(start, absl::StrFormat("malformed memop flags 0x%x", arg.align_log2));
  } else if (names_memory) {
    arg.align_log2 &= 0x3f;
    arg.memory = c_.in.ReadU32();
  }
  arg.offset = c_.in.Has(wasm::Feature::kMemory64) ? c_.in.ReadU64() : c_.in.ReadU32();
  if (!c_.KnownMemory(arg.memory)) return false;
  if (exact && arg.align_log2 != natural) {
    c_.types.Fail(absl::StrFormat("atomic alignment must be natural: 2^%u is not %u",
                                  arg.align_log2, 1u << natural));
    return false;
  }
  if (arg.align_log2 > natural) {
    c_.types.Fail(
        absl::StrFormat("alignment must not be larger than natural: 2^%u is larger than %u",
                        arg.align_log2, 1u << natural));
    return false;
  }
  if (arg.offset > 0xffffffff && c_.AddressOf(arg.memory) == ValType::kI32) {
    c_.types.Fail("offset out of range");
    return false;
  }
  return true;
}

bool MemoryInstructions::ReadLane(uint32_t count, uint32_t& lane) {
  lane = c_.in.ReadByte();
  if (c_.in.ok() && lane >= count) {
    c_.types.Fail(absl::StrCat("invalid lane index ", lane, ": there are ", count, " lanes"));
  }
  return c_.in.ok();
}

// As PopPush, with the first operand an address.
void MemoryInstructions::PopPushAt(const OpcodeInfo& info, uint32_t memory) {
  for (size_t i = info.params.size(); i > 1; --i) c_.types.Pop(KindOf(info.params[i - 1]));
  c_.types.Pop(c_.AddressOf(memory));
  for (char result : info.results) c_.types.Push(KindOf(result));
}

void MemoryInstructions::Access(const OpcodeInfo& info, uint32_t natural) {
  MemArg arg;
  if (!ReadMemArg(natural, /*exact=*/false, arg)) return;
  PopPushAt(info, arg.memory);
  if (!c_.Sending()) return;
  if (info.results.empty()) {
    c_.sink.Store(info.opcode, arg);
  } else {
    c_.sink.Load(info.opcode, arg);
  }
}

void MemoryInstructions::LaneAccess(const OpcodeInfo& info, uint32_t natural) {
  MemArg arg;
  uint32_t lane;
  if (!ReadMemArg(natural, /*exact=*/false, arg) || !ReadLane(16 >> natural, lane)) return;
  PopPushAt(info, arg.memory);
  if (!c_.Sending()) return;
  if (info.results.empty()) {
    c_.sink.StoreLane(info.opcode, arg, lane);
  } else {
    c_.sink.LoadLane(info.opcode, arg, lane);
  }
}

void MemoryInstructions::Atomic(const OpcodeInfo& info, uint32_t natural) {
  MemArg arg;
  if (!ReadMemArg(natural, /*exact=*/true, arg)) return;
  PopPushAt(info, arg.memory);
  if (c_.Sending()) c_.sink.Atomic(info.opcode, arg);
}

void MemoryInstructions::Fence() {
  const uint32_t start = c_.in.offset();
  if (c_.in.ReadByte() != 0) c_.in.Fail(start, "zero byte expected");
  if (c_.Sending()) c_.sink.AtomicFence();
}

void MemoryInstructions::Lane(const OpcodeInfo& info, uint32_t count) {
  uint32_t lane;
  if (!ReadLane(count, lane)) return;
  c_.PopPush(info);
  if (c_.Sending()) c_.sink.Lane(info.opcode, lane);
}

void MemoryInstructions::ConstV128() {
  const uint64_t low = c_.in.ReadFixed64();
  const uint64_t high = c_.in.ReadFixed64();
  c_.types.Push(ValType::kV128);
  if (c_.Sending()) c_.sink.ConstV128(low, high);
}

void MemoryInstructions::Shuffle(const OpcodeInfo& info) {
  uint8_t lanes[16];
  for (uint8_t& lane : lanes) {
    uint32_t number;
    if (!ReadLane(32, number)) return;
    lane = static_cast<uint8_t>(number);
  }
  c_.PopPush(info);
  if (c_.Sending()) c_.sink.Shuffle(lanes);
}

// memory.size, memory.grow, memory.fill.
void MemoryInstructions::WholeMemory(Opcode op) {
  const uint32_t memory = c_.in.ReadU32();
  if (!c_.KnownMemory(memory)) return;
  const ValType address = c_.AddressOf(memory);
  switch (op) {
    case Opcode::kMemorySize:
      c_.types.Push(address);
      if (c_.Sending()) c_.sink.MemorySize(memory);
      return;
    case Opcode::kMemoryGrow:
      c_.types.Pop(address);
      c_.types.Push(address);
      if (c_.Sending()) c_.sink.MemoryGrow(memory);
      return;
    case Opcode::kMemoryFill:
      c_.types.Pop(address);
      c_.types.Pop(ValType::kI32);
      c_.types.Pop(address);
      if (c_.Sending()) c_.sink.MemoryFill(memory);
      return;
    default:
      c_.FailForUnknown(op);
  }
}

void MemoryInstructions::Copy() {
  const uint32_t to = c_.in.ReadU32();
  const uint32_t from = c_.in.ReadU32();
  if (!c_.KnownMemory(to) || !c_.KnownMemory(from)) return;
  const bool both64 = c_.AddressOf(to) == ValType::kI64 && c_.AddressOf(from) == ValType::kI64;
  c_.types.Pop(both64 ? ValType::kI64 : ValType::kI32);
  c_.types.Pop(c_.AddressOf(from));
  c_.types.Pop(c_.AddressOf(to));
  if (c_.Sending()) c_.sink.MemoryCopy(to, from);
}

void MemoryInstructions::Init() {
  const uint32_t data = c_.in.ReadU32();
  const uint32_t memory = c_.in.ReadU32();
  if (!c_.KnownMemory(memory) || !c_.KnownData(data)) return;
  c_.types.Pop(ValType::kI32);
  c_.types.Pop(ValType::kI32);
  c_.types.Pop(c_.AddressOf(memory));
  if (c_.Sending()) c_.sink.MemoryInit(data, memory);
}

}  // namespace fermata::validate

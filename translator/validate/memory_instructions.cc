#include "translator/validate/memory_instructions.h"

#include "absl/strings/str_format.h"

namespace fermata::validate {

bool MemoryInstructions::MemoryInstruction(const OpcodeInfo& info) {
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
      const uint32_t data = in_.ReadU32();
      if (KnownData(data) && Sending()) sink_.DataDrop(data);
      return true;
    }
    default:
      return false;
  }
}

bool MemoryInstructions::KnownData(uint32_t data) {
  if (in_.ok() && !module_.has_data_count) {
    types_.Fail("data count section required");
    return false;
  }
  return Known(data, module_.datas.size(), "data segment");
}

// `natural`: log2 of the access's width in bytes; `exact`: the alignment must be that.
bool MemoryInstructions::ReadMemArg(uint32_t natural, bool exact, MemArg& arg) {
  const uint32_t start = in_.offset();
  arg.align_log2 = in_.ReadU32();
  const bool names_memory = (arg.align_log2 & 0x40) != 0;
  if (arg.align_log2 >= 0x80 || (names_memory && !in_.Use(wasm::Feature::kMultiMemory, start))) {
    in_.Fail(start, absl::StrFormat("malformed memop flags 0x%x", arg.align_log2));
  } else if (names_memory) {
    arg.align_log2 &= 0x3f;
    arg.memory = in_.ReadU32();
  }
  arg.offset = in_.Has(wasm::Feature::kMemory64) ? in_.ReadU64() : in_.ReadU32();
  if (!KnownMemory(arg.memory)) return false;
  if (exact && arg.align_log2 != natural) {
    types_.Fail(absl::StrFormat("atomic alignment must be natural: 2^%u is not %u", arg.align_log2,
                                1u << natural));
    return false;
  }
  if (arg.align_log2 > natural) {
    types_.Fail(absl::StrFormat("alignment must not be larger than natural: 2^%u is larger than %u",
                                arg.align_log2, 1u << natural));
    return false;
  }
  if (arg.offset > 0xffffffff && AddressOf(arg.memory) == ValType::kI32) {
    types_.Fail("offset out of range");
    return false;
  }
  return true;
}

bool MemoryInstructions::ReadLane(uint32_t count, uint32_t& lane) {
  lane = in_.ReadByte();
  if (in_.ok() && lane >= count) {
    types_.Fail(absl::StrCat("invalid lane index ", lane, ": there are ", count, " lanes"));
  }
  return in_.ok();
}

// As PopPush, with the first operand an address.
void MemoryInstructions::PopPushAt(const OpcodeInfo& info, uint32_t memory) {
  for (size_t i = info.params.size(); i > 1; --i) types_.Pop(KindOf(info.params[i - 1]));
  types_.Pop(AddressOf(memory));
  for (char result : info.results) types_.Push(KindOf(result));
}

void MemoryInstructions::Access(const OpcodeInfo& info, uint32_t natural) {
  MemArg arg;
  if (!ReadMemArg(natural, /*exact=*/false, arg)) return;
  PopPushAt(info, arg.memory);
  if (!Sending()) return;
  if (info.results.empty()) {
    sink_.Store(info.opcode, arg);
  } else {
    sink_.Load(info.opcode, arg);
  }
}

void MemoryInstructions::LaneAccess(const OpcodeInfo& info, uint32_t natural) {
  MemArg arg;
  uint32_t lane;
  if (!ReadMemArg(natural, /*exact=*/false, arg) || !ReadLane(16 >> natural, lane)) return;
  PopPushAt(info, arg.memory);
  if (!Sending()) return;
  if (info.results.empty()) {
    sink_.StoreLane(info.opcode, arg, lane);
  } else {
    sink_.LoadLane(info.opcode, arg, lane);
  }
}

void MemoryInstructions::Atomic(const OpcodeInfo& info, uint32_t natural) {
  MemArg arg;
  if (!ReadMemArg(natural, /*exact=*/true, arg)) return;
  PopPushAt(info, arg.memory);
  if (Sending()) sink_.Atomic(info.opcode, arg);
}

void MemoryInstructions::Fence() {
  const uint32_t start = in_.offset();
  if (in_.ReadByte() != 0) in_.Fail(start, "zero byte expected");
  if (Sending()) sink_.AtomicFence();
}

void MemoryInstructions::Lane(const OpcodeInfo& info, uint32_t count) {
  uint32_t lane;
  if (!ReadLane(count, lane)) return;
  PopPush(info);
  if (Sending()) sink_.Lane(info.opcode, lane);
}

void MemoryInstructions::ConstV128() {
  const uint64_t low = in_.ReadFixed64();
  const uint64_t high = in_.ReadFixed64();
  types_.Push(ValType::kV128);
  if (Sending()) sink_.ConstV128(low, high);
}

void MemoryInstructions::Shuffle(const OpcodeInfo& info) {
  uint8_t lanes[16];
  for (uint8_t& lane : lanes) {
    uint32_t number;
    if (!ReadLane(32, number)) return;
    lane = static_cast<uint8_t>(number);
  }
  PopPush(info);
  if (Sending()) sink_.Shuffle(lanes);
}

// memory.size, memory.grow, memory.fill.
void MemoryInstructions::WholeMemory(Opcode op) {
  const uint32_t memory = in_.ReadU32();
  if (!KnownMemory(memory)) return;
  const ValType address = AddressOf(memory);
  switch (op) {
    case Opcode::kMemorySize:
      types_.Push(address);
      if (Sending()) sink_.MemorySize(memory);
      return;
    case Opcode::kMemoryGrow:
      types_.Pop(address);
      types_.Push(address);
      if (Sending()) sink_.MemoryGrow(memory);
      return;
    default:
      types_.Pop(address);
      types_.Pop(ValType::kI32);
      types_.Pop(address);
      if (Sending()) sink_.MemoryFill(memory);
      return;
  }
}

void MemoryInstructions::Copy() {
  const uint32_t to = in_.ReadU32();
  const uint32_t from = in_.ReadU32();
  if (!KnownMemory(to) || !KnownMemory(from)) return;
  const bool both64 = AddressOf(to) == ValType::kI64 && AddressOf(from) == ValType::kI64;
  types_.Pop(both64 ? ValType::kI64 : ValType::kI32);
  types_.Pop(AddressOf(from));
  types_.Pop(AddressOf(to));
  if (Sending()) sink_.MemoryCopy(to, from);
}

void MemoryInstructions::Init() {
  const uint32_t data = in_.ReadU32();
  const uint32_t memory = in_.ReadU32();
  if (!KnownMemory(memory) || !KnownData(data)) return;
  types_.Pop(ValType::kI32);
  types_.Pop(ValType::kI32);
  types_.Pop(AddressOf(memory));
  if (Sending()) sink_.MemoryInit(data, memory);
}

}  // namespace fermata::validate

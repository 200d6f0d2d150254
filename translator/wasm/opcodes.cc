#include "translator/wasm/opcodes.h"

#include <cstddef>
#include <string>

#include "absl/strings/str_format.h"

namespace fermata::wasm {
namespace {

constexpr size_t Colon(absl::string_view signature) {
  size_t i = 0;
  while (i < signature.size() && signature[i] != ':') ++i;
  return i;
}

constexpr absl::string_view Params(absl::string_view signature) {
  return signature.substr(0, Colon(signature));
}

constexpr absl::string_view Results(absl::string_view signature) {
  const size_t colon = Colon(signature);
  return colon == signature.size() ? signature.substr(colon) : signature.substr(colon + 1);
}

}  // namespace

namespace internal {

constexpr OpcodeInfo kOpcodes[] = {
#define FERMATA_OPCODE(enumerator, name, code, feature, immediate, signature)           \
  {Opcode::enumerator, name, Feature::feature, Immediate::immediate, Params(signature), \
   Results(signature)},
#define FERMATA_TRAPPING(enumerator, name, code, feature, immediate, signature)         \
  {Opcode::enumerator, name, Feature::feature, Immediate::immediate, Params(signature), \
   Results(signature), true},
#define FERMATA_INFIX(enumerator, name, code, feature, immediate, signature, symbol, operand_type) \
  {Opcode::enumerator, name,  Feature::feature, Immediate::immediate, Params(signature),           \
   Results(signature), false, symbol,           operand_type},
#define FERMATA_CAST(enumerator, name, code, feature, immediate, signature, before, after) \
  {Opcode::enumerator,                                                                     \
   name,                                                                                   \
   Feature::feature,                                                                       \
   Immediate::immediate,                                                                   \
   Params(signature),                                                                      \
   Results(signature),                                                                     \
   false,                                                                                  \
   nullptr,                                                                                \
   "",                                                                                     \
   before,                                                                                 \
   after},
#include "translator/wasm/opcodes.def"
};

namespace {

constexpr size_t kCount = sizeof kOpcodes / sizeof kOpcodes[0];

// Indices into kOpcodes by the low byte of the codes that share all their other bits with `base`.
constexpr std::array<uint16_t, 256> IndexOf(uint32_t base) {
  std::array<uint16_t, 256> index{};
  for (uint16_t& i : index) i = kNoOpcode;
  for (size_t i = 0; i < kCount; ++i) {
    const uint32_t code = static_cast<uint32_t>(kOpcodes[i].opcode);
    if ((code & ~0xffu) == base) index[code & 0xff] = static_cast<uint16_t>(i);
  }
  return index;
}

constexpr std::array<uint16_t, 256> kOpcodeOfFb = IndexOf(0xfb0000);
constexpr std::array<uint16_t, 256> kOpcodeOfFc = IndexOf(0xfc0000);
constexpr std::array<uint16_t, 256> kOpcodeOfFd = IndexOf(0xfd0000);
constexpr std::array<uint16_t, 256> kOpcodeOfFd1 = IndexOf(0xfd0100);
constexpr std::array<uint16_t, 256> kOpcodeOfFe = IndexOf(0xfe0000);

}  // namespace

constexpr std::array<uint16_t, 256> kOpcodeOfByte = IndexOf(0);

const OpcodeInfo* FindPrefixed(uint32_t code) {
  const std::array<uint16_t, 256>* table = nullptr;
  switch (code >> 8) {
    case 0xfb00:
      table = &kOpcodeOfFb;
      break;
    case 0xfc00:
      table = &kOpcodeOfFc;
      break;
    case 0xfd00:
      table = &kOpcodeOfFd;
      break;
    case 0xfd01:
      table = &kOpcodeOfFd1;
      break;
    case 0xfe00:
      table = &kOpcodeOfFe;
      break;
    default:
      return nullptr;
  }
  const uint16_t index = (*table)[code & 0xff];
  return index == kNoOpcode ? nullptr : &kOpcodes[index];
}

}  // namespace internal

uint32_t AccessBytes(Opcode opcode) {
  switch (Info(opcode).immediate) {
    case Immediate::kMemArg8:
    case Immediate::kMemLane8:
    case Immediate::kAtomic8:
      return 1;
    case Immediate::kMemArg16:
    case Immediate::kMemLane16:
    case Immediate::kAtomic16:
      return 2;
    case Immediate::kMemArg32:
    case Immediate::kMemLane32:
    case Immediate::kAtomic32:
      return 4;
    case Immediate::kMemArg64:
    case Immediate::kMemLane64:
    case Immediate::kAtomic64:
      return 8;
    case Immediate::kMemArg128:
      return 16;
    case Immediate::kNone:
    case Immediate::kBlock:
    case Immediate::kLabel:
    case Immediate::kBrTable:
    case Immediate::kFunction:
    case Immediate::kCallIndirect:
    case Immediate::kSelectTypes:
    case Immediate::kLocal:
    case Immediate::kGlobal:
    case Immediate::kTable:
    case Immediate::kMemory:
    case Immediate::kI32:
    case Immediate::kI64:
    case Immediate::kF32:
    case Immediate::kF64:
    case Immediate::kHeapType:
    case Immediate::kDataMemory:
    case Immediate::kData:
    case Immediate::kMemoryMemory:
    case Immediate::kElementTable:
    case Immediate::kElement:
    case Immediate::kTableTable:
    case Immediate::kType:
    case Immediate::kTag:
    case Immediate::kTryTable:
    case Immediate::kV128:
    case Immediate::kShuffle:
    case Immediate::kLane2:
    case Immediate::kLane4:
    case Immediate::kLane8:
    case Immediate::kLane16:
    case Immediate::kFence:
    case Immediate::kStruct:
    case Immediate::kStructField:
    case Immediate::kArray:
    case Immediate::kArrayCount:
    case Immediate::kArrayData:
    case Immediate::kArrayElement:
    case Immediate::kArrayArray:
    case Immediate::kCastType:
    case Immediate::kCastBranch:
      return 0;
  }
  return 0;
}

namespace {

std::optional<Feature> ProposalOfByte(uint32_t code) {
  if (code >= 0xe0 && code <= 0xe6) return Feature::kStackSwitching;
  return std::nullopt;
}

}  // namespace

std::optional<Feature> ProposalOf(uint32_t code) {
  if (code <= 0xff) return ProposalOfByte(code);
  const uint32_t sub = code & 0xffff;
  const auto in = [sub](uint32_t first, uint32_t last) { return sub >= first && sub <= last; };
  switch (code >> 16) {
    case 0xfc:
      if (sub == 0x12) return Feature::kMemoryControl;
      if (in(0x30, 0x31)) return Feature::kHalfPrecision;
      break;
    case 0xfd:
      if (in(0x120, 0x14f)) return Feature::kHalfPrecision;
      break;
    case 0xfe:
      if (sub == 0x04 || in(0x4f, 0x72)) return Feature::kSharedEverythingThreads;
      break;
  }
  return std::nullopt;
}

std::string CodeText(uint32_t code) {
  if (code <= 0xff) return absl::StrFormat("%02x", code);
  return absl::StrFormat("%02x %02x", code >> 16, code & 0xffff);
}

}  // namespace fermata::wasm

#include "translator/wasm/decoder.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/Endian.h"

namespace fermata::wasm {
namespace {

constexpr char kUnexpectedEnd[] = "unexpected end of section or function";

}  // namespace

void Decoder::Fail(uint32_t offset, std::string message, absl::StatusCode code) {
  if (!ok()) return;
  error_ = {offset, code, std::move(message)};
  p_ = end_;
}

void Decoder::FailFor(uint32_t offset, absl::string_view what, Feature feature) {
  Fail(offset, absl::StrCat(what, " ", NeedsProposal(feature)), absl::StatusCode::kUnimplemented);
}

uint8_t Decoder::FailAtEnd() {
  Fail(offset(), kUnexpectedEnd);
  return 0;
}

// The value fills kBits; signed ones are sign-extended to 64 bits.
template <int kBits, bool kSigned>
uint64_t Decoder::ReadLeb() {
  constexpr int kMaxBytes = (kBits + 6) / 7;
  constexpr int kLastBits = kBits - 7 * (kMaxBytes - 1);  // bits of the value in the last byte
  const uint32_t start = offset();
  uint64_t value = 0;
  for (int i = 0; i < kMaxBytes; ++i) {
    if (p_ == end_) return FailAtEnd();
    const uint8_t byte = *p_++;
    value |= uint64_t{byte & 0x7fu} << (7 * i);
    if (i == kMaxBytes - 1) {
      if (byte & 0x80) {
        Fail(start, "integer representation too long");
        return 0;
      }
      // The bits above the value must be zero, or copies of its sign.
      const int unused = (byte & 0x7f) >> (kSigned ? kLastBits - 1 : kLastBits);
      if (unused != 0 && !(kSigned && unused == 0x7f >> (kLastBits - 1))) {
        Fail(start, "integer too large");
        return 0;
      }
    }
    if ((byte & 0x80) == 0) {
      const int shift = 64 - 7 * (i + 1);
      if (kSigned && shift > 0) {
        value = static_cast<uint64_t>(static_cast<int64_t>(value << shift) >> shift);
      }
      return value;
    }
  }
  return 0;
}

uint32_t Decoder::ReadLongU32() { return static_cast<uint32_t>(ReadLeb<32, false>()); }
uint64_t Decoder::ReadLongU64() { return ReadLeb<64, false>(); }

int32_t Decoder::ReadS32() {
  if (p_ != end_ && *p_ < 0x80) {
    const int32_t byte = *p_++;
    return (byte ^ 0x40) - 0x40;
  }
  return static_cast<int32_t>(ReadLeb<32, true>());
}
int64_t Decoder::ReadS33() { return static_cast<int64_t>(ReadLeb<33, true>()); }
int64_t Decoder::ReadS64() { return static_cast<int64_t>(ReadLeb<64, true>()); }

uint32_t Decoder::ReadFixed32() {
  const absl::Span<const uint8_t> bytes = ReadBytes(4);
  return bytes.size() < 4 ? 0 : llvm::support::endian::read32le(bytes.data());
}

uint64_t Decoder::ReadFixed64() {
  const absl::Span<const uint8_t> bytes = ReadBytes(8);
  return bytes.size() < 8 ? 0 : llvm::support::endian::read64le(bytes.data());
}

absl::Span<const uint8_t> Decoder::ReadBytes(size_t count) {
  if (count > remaining()) {
    FailAtEnd();
    return {};
  }
  const absl::Span<const uint8_t> bytes(p_, count);
  p_ += count;
  return bytes;
}

absl::string_view Decoder::ReadName() {
  const uint32_t start = offset();
  const uint32_t length = ReadU32();
  if (length > remaining()) {
    Fail(start, "length out of bounds");
    return {};
  }
  const absl::Span<const uint8_t> bytes = ReadBytes(length);
  const llvm::UTF8* p = bytes.data();
  if (!bytes.empty() && !llvm::isLegalUTF8String(&p, bytes.data() + bytes.size())) {
    Fail(start, "malformed UTF-8 encoding");
    return {};
  }
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

uint32_t Decoder::ReadCount(uint32_t limit, absl::string_view what) {
  const uint32_t start = offset();
  const uint32_t count = ReadU32();
  if (count > remaining()) {
    Fail(start,
         absl::StrCat(kUnexpectedEnd, ": ", count, " ", what, " in ", remaining(), " bytes"));
    return 0;
  }
  if (count > limit) {
    Fail(start, absl::StrCat("too many ", what, ": ", count, " (the limit is ", limit, ")"));
    return 0;
  }
  return count;
}

namespace {

// kBottom: the byte is no code of a type.
ValType::Kind KindOfCode(uint8_t byte) {
  switch (byte) {
#define FERMATA_VALUE_TYPE(enumerator, code, ...) \
  case code:                                      \
    return ValType::enumerator;
#define FERMATA_HEAP_TYPE(enumerator, code, ...) \
  case code:                                     \
    return ValType::enumerator;
#include "include/fermata/core/value_types.def"
    default:
      return ValType::kBottom;
  }
}

// The proposal that an abstract reference type came with.
Feature ProposalOf(ValType::Kind kind) {
  if (kind == ValType::kExternRef) return Feature::kReferenceTypes;
  return TopOf(kind) == ValType::kExnRef ? Feature::kExceptions : Feature::kGc;
}

}  // namespace

ValType Decoder::FailForType(uint32_t offset, uint8_t byte, absl::string_view otherwise) {
  switch (byte) {
    case 0x68:
    case 0x75:
      FailFor(offset, "a continuation reference", Feature::kStackSwitching);
      break;
    case 0x65:
      FailFor(offset, "a shared reference", Feature::kSharedEverythingThreads);
      break;
    default:
      if (byte & 0x80) {
        Fail(offset, "integer representation too long");
      } else {
        Fail(offset, absl::StrFormat("%s 0x%x", otherwise, byte));
      }
  }
  return ValType();
}

ValType Decoder::AbstractRef(uint8_t byte, uint32_t offset) {
  const ValType::Kind kind = KindOfCode(byte);
  if (kind < ValType::kFuncRef) return ValType();
  if (kind == ValType::kFuncRef) return kind;  // it was always an element of tables
  return Use(ProposalOf(kind), offset) ? kind : ValType::kBottom;
}

ValType Decoder::ReadValType() {
  const ValType::Kind kind = KindOfCode(Peek());
  if (kind != ValType::kBottom && kind < ValType::kFuncRef &&
      (kind != ValType::kV128 || Use(Feature::kSimd, offset()))) {
    ReadByte();
    return kind;
  }
  const uint32_t start = offset();
  const uint8_t byte = Peek();
  if (byte == 0x63 || byte == 0x64) {
    if (Has(Feature::kFunctionReferences)) return ReadRefType();
  } else if (AbstractRef(byte, start) != ValType::kBottom &&
             (byte != 0x70 || Use(Feature::kReferenceTypes, start))) {
    // WebAssembly 1.0 has functions as the elements of tables, not as values.
    return ReadRefType();
  }
  return FailForType(start, ReadByte(), "malformed value type");
}

ValType Decoder::ReadRefType() {
  const uint32_t start = offset();
  const uint8_t byte = ReadByte();
  if ((byte == 0x63 || byte == 0x64) && Use(Feature::kFunctionReferences, start)) {
    return ReadHeapType().With(/*nullable=*/byte == 0x63);
  }
  const ValType type = AbstractRef(byte, start);
  return type == ValType::kBottom ? FailForType(start, byte, "malformed reference type") : type;
}

ValType Decoder::ReadHeapType() {
  const uint32_t start = offset();
  const uint8_t byte = Peek();
  if (byte == 0x62 && Use(Feature::kCustomDescriptors, start)) {
    ReadByte();
    const uint32_t index = ReadU32();
    if (!ok()) return ValType();
    if (index < type_count_) return ValType::Ref(index, /*nullable=*/true, /*exact=*/true);
    // An abstract type can't be exact.
    const bool code = (index & ~0x3fu) == 0x40;
    Fail(start, code ? absl::StrFormat("malformed heap type: exact 0x%x", index)
                     : absl::StrCat("unknown type ", index));
    return ValType();
  }
  if ((byte & 0xc0) == 0x40) {
    ReadByte();
    const ValType type = AbstractRef(byte, start);
    return type == ValType::kBottom ? FailForType(start, byte, "malformed heap type") : type;
  }
  const int64_t index = ReadS33();
  if (!ok()) return ValType();
  if (index < 0 || !Use(Feature::kFunctionReferences, start)) {
    Fail(start, "malformed heap type");
  } else if (index >= type_count_) {
    Fail(start, absl::StrCat("unknown type ", index));
  } else {
    return ValType::Ref(static_cast<uint32_t>(index), /*nullable=*/true);
  }
  return ValType();
}

void Decoder::ReadLimitRange(uint8_t flags, SizeLimits& limits) {
  limits.has_max = (flags & 1) != 0;
  limits.shared = (flags & 2) != 0;
  limits.is64 = (flags & 4) != 0;
  const bool wide = Has(Feature::kMemory64);
  limits.min = wide ? ReadU64() : ReadU32();
  if (limits.has_max) limits.max = wide ? ReadU64() : ReadU32();
}

void Decoder::CheckLimitFlags(uint8_t flags, uint8_t known, uint32_t offset) {
  constexpr std::pair<uint8_t, Feature> kFlags[] = {
      {2, Feature::kThreads}, {4, Feature::kMemory64}, {8, Feature::kCustomPageSizes}};
  bool good = (flags & ~known) == 0;
  for (const auto& [flag, feature] : kFlags) {
    if (good && (flags & flag)) good = Use(feature, offset);
  }
  if (!good) Fail(offset, absl::StrFormat("malformed limits flags 0x%x", flags));
}

SizeLimits Decoder::ReadTableLimits() {
  const uint32_t start = offset();
  const uint8_t flags = ReadByte();
  SizeLimits limits;
  CheckLimitFlags(flags, 1 | 4, start);
  ReadLimitRange(flags, limits);
  return limits;
}

MemoryType Decoder::ReadMemoryType() {
  const uint32_t start = offset();
  const uint8_t flags = ReadByte();
  MemoryType type;
  CheckLimitFlags(flags, 1 | 2 | 4 | 8, start);
  ReadLimitRange(flags, type.limits);
  if (flags & 8) {
    const uint32_t at = offset();
    const uint32_t log2 = ReadU32();
    if (ok() && log2 != 0 && log2 != 16) {
      Fail(at, absl::StrCat("invalid custom page size: 2^", log2, " (it must be 1 or 65536)"));
    }
    type.page_log2 = static_cast<uint8_t>(log2);
  }
  return type;
}

uint32_t Decoder::ReadPrefixed(uint8_t prefix) {
  const uint32_t start = offset() - 1;
  const uint32_t sub = ReadU32();
  if (sub > 0xffff) Fail(start, absl::StrFormat("illegal opcode %02x %x", prefix, sub));
  return uint32_t{prefix} << 16 | (sub & 0xffff);
}

void Decoder::FailForOpcode(uint32_t offset, uint32_t code) {
  if (const std::optional<Feature> feature = ProposalOf(code)) {
    return FailFor(offset, absl::StrCat("opcode ", CodeText(code)), *feature);
  }
  Fail(offset, absl::StrCat("illegal opcode ", CodeText(code)));
}

}  // namespace fermata::wasm

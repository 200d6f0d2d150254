#include "tests/differential/shapes.h"

#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "translator/wasm/opcodes.h"

namespace fermata::differential {
namespace {

using testing_support::Bytes;
using testing_support::Code;
using testing_support::Concat;
using testing_support::Signed;
using testing_support::Unsigned;
using testing_support::WasmBuilder;
using wasm::Immediate;
using wasm::Opcode;
using wasm::OpcodeInfo;

// Numeric instructions and those that access memory, by what they leave on the stack.
struct Instructions {
  std::vector<const OpcodeInfo*> numeric[5], loads[5], atomics[5], stores;
};

constexpr absl::string_view kTypes = "iIfFV";
constexpr uint64_t kMostCost = 20000;
size_t IndexOf(char type) { return kTypes.find(type); }

bool AccessesMemory(Immediate immediate) {
  return (immediate >= Immediate::kMemArg8 && immediate <= Immediate::kMemArg64) ||
         immediate == Immediate::kMemArg128 ||
         (immediate >= Immediate::kMemLane8 && immediate <= Immediate::kMemLane64);
}

// Loads and read-modify-writes.
bool IsAtomic(const OpcodeInfo& info) {
  return info.immediate >= Immediate::kAtomic8 && info.immediate <= Immediate::kAtomic64 &&
         info.results.size() == 1 && !absl::StartsWith(info.name, "memory.");
}

bool IsNumeric(Immediate immediate) {
  return immediate == Immediate::kNone || immediate == Immediate::kShuffle ||
         (immediate >= Immediate::kLane2 && immediate <= Immediate::kLane16);
}

const Instructions& All() {
  static const Instructions* const all = [] {
    auto* list = new Instructions;
    const auto add = [&](uint32_t code) {
      const OpcodeInfo& info = *wasm::Find(code);
      if (IsAtomic(info)) list->atomics[IndexOf(info.results[0])].push_back(&info);
      if (info.feature != wasm::Feature::kMvp && info.feature != wasm::Feature::kSimd &&
          info.feature != wasm::Feature::kSignExtension &&
          info.feature != wasm::Feature::kSaturatingFloat) {
        return;
      }
      if (info.params.empty()) return;  // constants, and what depends on its operands
      if (AccessesMemory(info.immediate)) {
        (info.results.empty() ? list->stores : list->loads[IndexOf(info.results[0])])
            .push_back(&info);
      } else if (IsNumeric(info.immediate) && info.results.size() == 1) {
        list->numeric[IndexOf(info.results[0])].push_back(&info);
      }
    };
#define FERMATA_OPCODE(enumerator, name, code, feature, immediate, signature) add(code);
#include "translator/wasm/opcodes.def"
    return list;
  }();
  return *all;
}

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  Bytes Run() {
    is64_ = OneIn(6);
    pages_ = 1 + Below(2);
    const bool second = OneIn(5);
    AddMemory(is64_);
    if (second) AddMemory(false);
    memories_ = second ? 2 : 1;
    AddImports();
    AddGlobals();
    const uint32_t count = 6 + Below(10);
    for (uint32_t i = 0; i < count; ++i) AddFunction();
    builder_.Data(Concat({{1}, testing_support::Sized(Filler(40))}));
    builder_.DataCount(1);
    return builder_.Build();
  }

 private:
  // ---- Random numbers.
  uint64_t Below(uint64_t end) { return random_() % end; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  template <class T, size_t n>
  T Pick(const T (&list)[n]) {  // also of a list in braces
    return list[Below(n)];
  }
  Bytes Filler(size_t size) {
    Bytes bytes(size);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random_());
    return bytes;
  }

  // ---- The module.
  void AddMemory(bool is64) {
    builder_.RawMemory(
        Concat({{static_cast<uint8_t>(is64 ? 5 : 1)}, Unsigned(pages_), Unsigned(pages_ + 1)}));
  }
  void AddImports() {
    builder_.ImportFunction(builder_.Type("i", ""));
    builder_.ImportFunction(builder_.Type("I", "I"));
    // The builder gives all imports one name.
    builder_.Section(2, Concat({{2},
                                testing_support::Name("env"),
                                testing_support::Name("f"),
                                {0, 0},
                                testing_support::Name("env"),
                                testing_support::Name("g"),
                                {0, 1}}));
    functions_ = {{"i", "", 1}, {"I", "I", 1}};
  }
  void AddGlobals() {
    for (const char type : kTypes) {
      builder_.Global(type, true, Constant(type));
      builder_.Global(type, false, Constant(type));
    }
  }

  void AddFunction() {
    std::string params(1 + Below(3), ' '), results(Below(3), ' ');
    for (char& type : params) type = kTypes[Below(5)];
    params[0] = is64_ ? 'I' : 'i';  // the address, mostly
    for (char& type : results) type = kTypes[Below(5)];
    locals_ = params;
    for (const char type : kTypes) locals_ += std::string(2, type);
    counters_ = 0;
    depth_ = 0;
    rounds_ = cost_ = 1;
    Bytes body;
    for (uint64_t n = 1 + Below(5); n != 0; --n) body = Concat({body, Statement(3)});
    for (const char type : results) body = Concat({body, Value(type, 4)});
    // Each loop has a counter of its own, behind the locals that expressions see.
    builder_.Function(builder_.Type(params, results),
                      locals_.substr(params.size()) + std::string(counters_, 'i'), body);
    functions_.push_back({params, results, cost_});
  }

  // ---- Values.
  Bytes Constant(char type) {
    switch (type) {
      case 'i':
        return Concat({Code(Opcode::kI32Const), Signed(ConstantI32())});
      case 'I':
        return Concat({Code(Opcode::kI64Const), Signed(ConstantI64())});
      case 'f': {
        constexpr uint32_t kBits[] = {0,          0x80000000, 0x3f800000, 0xbf000000,
                                      0x4f000000, 0x4f7fffff, 0x5f000000, 0x7f800000,
                                      0xff800000, 1,          0x7f7fffff, 0x43000000};
        return Concat({Code(Opcode::kF32Const), Fixed(Pick(kBits), 4)});
      }
      case 'F': {
        constexpr uint64_t kBits[] = {0,
                                      0x8000000000000000,
                                      0x3ff0000000000000,
                                      0xbfe0000000000000,
                                      0x41dfffffffc00000,
                                      0x41e0000000000000,
                                      0x41f0000000000000,
                                      0x43e0000000000000,
                                      0x7ff0000000000000,
                                      0xfff0000000000000,
                                      1,
                                      0x7fefffffffffffff};
        return Concat({Code(Opcode::kF64Const), Fixed(Pick(kBits), 8)});
      }
      default:
        return Concat({{0xfd, 0x0c}, Lanes()});
    }
  }
  int64_t ConstantI32() {
    constexpr int32_t kNumbers[] = {
        0,     1,     2,     4,     7,      8,     15,   16,
        24,    31,    32,    48,    63,     127,   128,  255,
        256,   65535, 65536, -1,    -2,     -256,  1000, 0x7fffffff,
        65532, 65528, 65521, 65537, 131068, 65533, -4,   -0x7fffffff - 1};
    return OneIn(6) ? static_cast<int32_t>(random_()) : Pick(kNumbers);
  }
  int64_t ConstantI64() {
    switch (Below(6)) {
      case 0:
        return static_cast<int64_t>(random_());
      case 1:
        return int64_t{1} << Below(63);
      case 2:
        return static_cast<int64_t>((uint64_t{1} << Below(64)) - 1);
      default:
        return ConstantI32();
    }
  }
  // No NaN in lanes of 32 or 64 bits.
  Bytes Lanes() {
    Bytes bytes = Filler(16);
    for (size_t i = 3; i < 16; i += 4) {
      if ((bytes[i] & 0x7f) == 0x7f) bytes[i] = 0;
    }
    if (OneIn(3)) {
      const uint8_t byte = static_cast<uint8_t>(Pick({0, 1, 0x3f, 0x80}));
      std::fill(bytes.begin(), bytes.end(), byte);
    }
    return bytes;
  }
  static Bytes Fixed(uint64_t bits, int size) {
    Bytes bytes;
    for (int i = 0; i < size; ++i) bytes.push_back(static_cast<uint8_t>(bits >> 8 * i));
    return bytes;
  }

  uint32_t Local(char type) {
    uint32_t local = static_cast<uint32_t>(Below(locals_.size()));
    while (locals_[local] != type) local = static_cast<uint32_t>((local + 1) % locals_.size());
    return local;
  }
  Bytes Get(uint32_t local) { return Concat({Code(Opcode::kLocalGet), Unsigned(local)}); }
  Bytes Set(uint32_t local) { return Concat({Code(Opcode::kLocalSet), Unsigned(local)}); }

  Bytes Leaf(char type) {
    switch (Below(5)) {
      case 0:
      case 1:
        return Constant(type);
      case 2:
        return Concat({Code(Opcode::kGlobalGet), Unsigned(2 * IndexOf(type) + Below(2))});
      default:
        return Get(Local(type));
    }
  }

  Bytes Value(char type, int depth) {
    if (depth == 0 || OneIn(8)) return Leaf(type);
    switch (Below(10)) {
      case 0:
      case 1:
      case 2:
        return Load(type, depth - 1);
      case 3:
        return Selected(type, depth - 1);
      case 4:
        return Concat({Value(type, depth - 1), Code(Opcode::kLocalTee), Unsigned(Local(type))});
      case 5:
        return IsInteger(type) && OneIn(2) ? Vanishing(type, depth - 1) : Numeric(type, depth - 1);
      default:
        return Numeric(type, depth - 1);
    }
  }
  static bool IsInteger(char type) { return type == 'i' || type == 'I'; }

  Bytes Numeric(char type, int depth) {
    const auto& list = All().numeric[IndexOf(type)];
    const OpcodeInfo& info = *list[Below(list.size())];
    std::vector<Bytes> parts;
    for (const char param : info.params) parts.push_back(Value(param, depth));
    // Two operands of constants and one of constants: what compilers look at most.
    if (info.params.size() == 2 && OneIn(3)) parts[1] = Constant(info.params[1]);
    parts.push_back(Encoded(info));
    return Concat({Concat(parts), WithoutNan(info, type)});
  }

  Bytes Encoded(const OpcodeInfo& info) {
    Bytes code = Code(info.opcode);
    switch (info.immediate) {
      case Immediate::kShuffle:
        for (int i = 0; i < 16; ++i) code.push_back(static_cast<uint8_t>(Below(32)));
        return code;
      case Immediate::kLane2:
      case Immediate::kLane4:
      case Immediate::kLane8:
      case Immediate::kLane16:
        code.push_back(static_cast<uint8_t>(Below(LaneCount(info.immediate))));
        return code;
      default:
        return code;
    }
  }
  static uint64_t LaneCount(Immediate immediate) {
    return 2u << (static_cast<int>(immediate) - static_cast<int>(Immediate::kLane2));
  }

  // What makes NaNs of what is on the stack zero.
  Bytes WithoutNan(const OpcodeInfo& info, char type) {
    if (type == 'f' || type == 'F')
      return NanToZero(type, type == 'f' ? Opcode::kF32Eq : Opcode::kF64Eq);
    if (type != 'V') return {};
    if (absl::StartsWith(info.name, "f32x4.")) return NanToZero(type, Opcode::kF32x4Eq);
    if (absl::StartsWith(info.name, "f64x2.")) return NanToZero(type, Opcode::kF64x2Eq);
    return {};
  }
  Bytes NanToZero(char type, Opcode equal) {
    const uint32_t local = Local(type);
    const Bytes mask = Concat({Get(local), Get(local), Code(equal)});
    if (type == 'V') {
      return Concat({Set(local), Get(local), mask, Code(Opcode::kV128And)});
    }
    const Bytes zero = type == 'f' ? Concat({Code(Opcode::kF32Const), Fixed(0, 4)})
                                   : Concat({Code(Opcode::kF64Const), Fixed(0, 8)});
    return Concat({Set(local), Get(local), zero, mask, Code(Opcode::kSelect)});
  }

  Bytes Selected(char type, int depth) {
    const Bytes arm = Value(type, depth);
    const Bytes other = OneIn(3) ? arm : Value(type, depth);
    const Bytes condition = OneIn(4) ? Constant('i') : Value('i', depth);
    return Concat({arm, other, condition, Code(Opcode::kSelect)});
  }

  // Operations of whose result a compiler can tell more than its type says.
  Bytes Vanishing(char type, int depth) {
    const bool wide = type == 'I';
    const auto number = [&](int64_t n) {
      return Concat({Code(wide ? Opcode::kI64Const : Opcode::kI32Const), Signed(n)});
    };
    const Bytes value = Load(type, depth);
    switch (Below(8)) {
      case 0:
        return Concat({value, number(0), Code(wide ? Opcode::kI64Mul : Opcode::kI32Mul)});
      case 1:
        return Concat({value, number(Pick({0, 255, 65535, 1})),
                       Code(wide ? Opcode::kI64And : Opcode::kI32And)});
      case 2:
        return Concat({value, number(-1), Code(wide ? Opcode::kI64Or : Opcode::kI32Or)});
      case 3: {
        const uint32_t local = Local(type);
        return Concat({value, Code(Opcode::kLocalTee), Unsigned(local), Get(local),
                       Code(wide ? Opcode::kI64Sub : Opcode::kI32Xor)});
      }
      case 4:
        return Concat({value, number(Pick({256, 65536, 0x10000000})),
                       Code(wide ? Opcode::kI64DivU : Opcode::kI32RemU)});
      case 5:
        return Concat(
            {value, number(wide ? 48 : 24), Code(wide ? Opcode::kI64Shl : Opcode::kI32Shl)});
      case 6:
        return wide ? Concat({Load('i', depth), Code(Opcode::kI64ExtendI32U)})
                    : Concat({Load('I', depth), Code(Opcode::kI32WrapI64)});
      default:
        return wide ? Concat({value, Code(Opcode::kI64Extend8S)})
                    : Concat({value, Code(Opcode::kI32Extend16S)});
    }
  }

  // ---- Memory.
  bool Is64(uint32_t memory) const { return is64_ && memory == 0; }

  // An address, mostly within bounds; or an expression that may be anything.
  Bytes Address(uint32_t memory, int depth) {
    const bool wide = Is64(memory);
    const char type = wide ? 'I' : 'i';
    const int64_t size = static_cast<int64_t>(pages_) * 65536;
    const auto number = [&](int64_t n) {
      return Concat({Code(wide ? Opcode::kI64Const : Opcode::kI32Const), Signed(n)});
    };
    switch (Below(8)) {
      case 0:
        return number(static_cast<int64_t>(Below(256)));
      case 1:
        return OneIn(4) ? number(size - static_cast<int64_t>(Below(18)))
                        : number(size - 17 - static_cast<int64_t>(Below(100)));
      case 2:
        return OneIn(2) && locals_[0] == type ? Get(0) : Get(Local(type));
      case 3:
        return OneIn(3) ? Value(type, depth) : number(4096);
      default:
        return Concat({depth > 0 ? Value(type, depth - 1) : Get(Local(type)),
                       number(Pick({255, 0xfff8, 0xfff0, 0x7fff})),
                       Code(wide ? Opcode::kI64And : Opcode::kI32And)});
    }
  }

  Bytes MemArg(const OpcodeInfo& info, uint32_t memory) {
    constexpr uint64_t kOffsets[] = {1,     2,     3,      4,          7,          8,         15,
                                     16,    100,   65535,  65528,      65520,      65536,     65532,
                                     65537, 32768, 131071, 0xffffffff, 0xfffffffc, 0x80000000};
    const uint64_t offset = OneIn(3) ? (OneIn(4) ? Pick(kOffsets) : Below(20)) : 0;
    Bytes code = memory == 0 ? Bytes{0} : Bytes{0x40};
    if (memory != 0) code = Concat({code, Unsigned(memory)});
    code = Concat({code, Unsigned(offset)});
    if (info.immediate >= Immediate::kMemLane8 && info.immediate <= Immediate::kMemLane64) {
      const int log2 = static_cast<int>(info.immediate) - static_cast<int>(Immediate::kMemLane8);
      code.push_back(static_cast<uint8_t>(Below(16u >> log2)));
    }
    return code;
  }

  // Some change nothing.
  Bytes AtomicAccess(char type, int depth) {
    const auto& list = All().atomics[IndexOf(type)];
    const OpcodeInfo& info = *list[Below(list.size())];
    const uint32_t memory = static_cast<uint32_t>(Below(memories_));
    const bool wide = Is64(memory);
    const int log2 = static_cast<int>(info.immediate) - static_cast<int>(Immediate::kAtomic8);
    std::vector<Bytes> parts = {Address(memory, depth)};
    if (!OneIn(8)) {
      parts.push_back(Concat({Code(wide ? Opcode::kI64Const : Opcode::kI32Const), Signed(-8),
                              Code(wide ? Opcode::kI64And : Opcode::kI32And)}));
    }
    for (const char param : info.params.substr(1)) {
      parts.push_back(OneIn(3) ? Concat({Code(param == 'I' ? Opcode::kI64Const : Opcode::kI32Const),
                                         Signed(Pick({0, -1, 256}))})
                               : Value(param, depth));
    }
    const uint8_t flags = static_cast<uint8_t>(log2 | (memory == 0 ? 0 : 0x40));
    parts.push_back(Concat({Code(info.opcode), {flags}}));
    if (memory != 0) parts.push_back(Unsigned(memory));
    parts.push_back(Unsigned(OneIn(3) ? 8 * Below(4) : 0));
    return Concat(parts);
  }

  Bytes Load(char type, int depth) {
    if (IsInteger(type) && OneIn(10)) return AtomicAccess(type, depth);
    const auto& list = All().loads[IndexOf(type)];
    const OpcodeInfo& info = *list[Below(list.size())];
    const uint32_t memory = static_cast<uint32_t>(Below(memories_));
    std::vector<Bytes> parts = {Address(memory, depth)};
    if (info.params.size() == 2) parts.push_back(Value('V', depth));
    parts.push_back(Code(info.opcode));
    parts.push_back(MemArg(info, memory));
    if (type == 'f') parts.push_back(NanToZero(type, Opcode::kF32Eq));
    if (type == 'F') parts.push_back(NanToZero(type, Opcode::kF64Eq));
    return Concat(parts);
  }

  Bytes Store(int depth) {
    const OpcodeInfo& info = *All().stores[Below(All().stores.size())];
    const uint32_t memory = static_cast<uint32_t>(Below(memories_));
    const Bytes address = Address(memory, depth), argument = MemArg(info, memory);
    Bytes code = Concat({address, Value(info.params[1], depth), Code(info.opcode), argument});
    if (OneIn(3)) {  // once more at the same place
      code = Concat({code, address, Value(info.params[1], 1), Code(info.opcode), argument});
    }
    return code;
  }

  // ---- Statements.
  Bytes Statement(int depth) {
    switch (Below(depth > 0 ? 14 : 8)) {
      case 0:
      case 1: {
        const char type = kTypes[Below(5)];
        return Concat({Value(type, 3), Set(Local(type))});
      }
      case 2: {  // a load that nobody looks at
        const char type = kTypes[Below(5)];
        const uint32_t local = Local(type);
        if (OneIn(2)) return Concat({Load(type, 2), Code(Opcode::kDrop)});
        return Concat({Load(type, 2), Set(local), Constant(type), Set(local)});
      }
      case 3:
      case 4:
      case 5:
        return Store(2);
      case 6:
        return Call();
      case 7: {
        const size_t index = Below(5);
        return Concat({Value(kTypes[index], 2), Code(Opcode::kGlobalSet), Unsigned(2 * index)});
      }
      case 8:
        return Bulk();
      case 9:
      case 10:
        return If(depth);
      case 11:
        return Scan();
      case 12:
        return Loop(depth);
      default:
        return Block(depth);
    }
  }
  Bytes Statements(int depth) {
    Bytes code;
    for (uint64_t n = 1 + Below(3); n != 0; --n) code = Concat({code, Statement(depth - 1)});
    return code;
  }

  Bytes If(int depth) {
    Bytes code = Concat({Value('i', 2), Code(Opcode::kIf, '_'), Statements(depth)});
    if (OneIn(2)) code = Concat({code, Code(Opcode::kElse), Statements(depth)});
    return Concat({code, Code(Opcode::kEnd)});
  }
  Bytes Block(int depth) {
    const Bytes leave = Concat({Value('i', 2), Code(Opcode::kBrIf, 0)});
    return Concat({Code(Opcode::kBlock, '_'), Statements(depth), leave, Statements(depth),
                   Code(Opcode::kEnd)});
  }
  Bytes Call() {
    const uint32_t function = static_cast<uint32_t>(Below(functions_.size()));
    // Imports are functions 0 and 1; functions call those before them, so that all ends, and soon.
    const uint64_t cost = rounds_ * functions_[function].cost;
    if (cost_ + cost > kMostCost) return Store(2);
    cost_ += cost;
    Bytes code;
    for (const char type : functions_[function].params) code = Concat({code, Value(type, 2)});
    code = Concat({code, Code(Opcode::kCall), Unsigned(function)});
    const std::string& results = functions_[function].results;
    for (size_t i = results.size(); i-- > 0;) code = Concat({code, Set(Local(results[i]))});
    return code;
  }

  // A counter that goes down to zero, tested at the end.
  Bytes Counted(const Bytes& body, int64_t rounds) {
    const uint32_t counter = static_cast<uint32_t>(locals_.size() + counters_++);
    return Concat({Code(Opcode::kI32Const), Signed(rounds), Set(counter), Code(Opcode::kLoop, '_'),
                   body, Get(counter),
                   Code(Opcode::kI32Const, 1, Opcode::kI32Sub, Opcode::kLocalTee),
                   Unsigned(counter), Code(Opcode::kBrIf, 0, Opcode::kEnd)});
  }
  Bytes Loop(int depth) {
    if (depth_ >= 2) return Store(2);
    const uint64_t rounds = 1 + Below(6);
    ++depth_;
    rounds_ *= rounds;
    cost_ += rounds_;
    const Bytes body = Statements(depth);
    rounds_ /= rounds;
    --depth_;
    return Counted(body, static_cast<int64_t>(rounds));
  }

  // A loop that does little more than load from addresses that rise, perhaps past the end.
  Bytes Scan() {
    const uint32_t memory = static_cast<uint32_t>(Below(memories_));
    const bool wide = Is64(memory);
    const char type = kTypes[Below(5)];
    const auto& list = All().loads[IndexOf(type)];
    const OpcodeInfo* info = list[Below(list.size())];
    while (info->params.size() != 1) info = list[Below(list.size())];
    const uint32_t pointer = Local(wide ? 'I' : 'i'), sum = Local(type);
    const int64_t stride = Pick({1, 4, 8, 16, 4096, 65536});
    Bytes value = Concat({Get(pointer), Code(info->opcode), MemArg(*info, memory)});
    if (type == 'f') value = Concat({value, NanToZero(type, Opcode::kF32Eq)});
    if (type == 'F') value = Concat({value, NanToZero(type, Opcode::kF64Eq)});
    constexpr Opcode kSums[] = {Opcode::kI32Add, Opcode::kI64Xor, Opcode::kF32Max, Opcode::kF64Min,
                                Opcode::kI8x16Add};
    Bytes use =
        OneIn(3) ? Code(Opcode::kDrop) : Concat({Get(sum), Code(kSums[IndexOf(type)]), Set(sum)});
    const Bytes step =
        Concat({Get(pointer), Code(wide ? Opcode::kI64Const : Opcode::kI32Const), Signed(stride),
                Code(wide ? Opcode::kI64Add : Opcode::kI32Add), Set(pointer)});
    const uint64_t rounds = 1 + Below(300);
    cost_ += rounds_ * rounds;
    Bytes code = Counted(Concat({value, use, step}), static_cast<int64_t>(rounds));
    if (OneIn(2)) code = Concat({Constant(type), Set(sum), code});
    if (OneIn(2)) code = Concat({code, Constant(type), Set(sum)});  // nobody saw it
    return code;
  }

  Bytes Bulk() {
    const uint32_t to = static_cast<uint32_t>(Below(memories_)),
                   from = static_cast<uint32_t>(Below(memories_));
    const auto length = [&](bool wide) {
      const int64_t n = OneIn(6) ? ConstantI32() : static_cast<int64_t>(Below(300));
      return Concat({Code(wide ? Opcode::kI64Const : Opcode::kI32Const), Signed(n)});
    };
    switch (Below(5)) {
      case 0:
        return Concat({Address(to, 1), Address(from, 1), length(Is64(to) && Is64(from)),
                       Code(Opcode::kMemoryCopy), Unsigned(to), Unsigned(from)});
      case 1:
        return Concat({Address(to, 1), Value('i', 1), length(Is64(to)), Code(Opcode::kMemoryFill),
                       Unsigned(to)});
      case 2:
        return Concat({Address(to, 1), Code(Opcode::kI32Const),
                       Signed(static_cast<int64_t>(Below(8))), Code(Opcode::kI32Const),
                       Signed(static_cast<int64_t>(Below(42))), Code(Opcode::kMemoryInit, 0),
                       Unsigned(to)});
      case 3: {
        const bool wide = Is64(to);
        return Concat({Code(wide ? Opcode::kI64Const : Opcode::kI32Const),
                       Signed(static_cast<int64_t>(Below(2))), Code(Opcode::kMemoryGrow),
                       Unsigned(to), Set(Local(wide ? 'I' : 'i'))});
      }
      default: {
        const bool wide = Is64(to);
        return Concat({Code(Opcode::kMemorySize), Unsigned(to), Set(Local(wide ? 'I' : 'i'))});
      }
    }
  }

  struct Signature {
    std::string params, results;
    uint64_t cost;  // about how many rounds of loops and calls it takes at most
  };
  std::mt19937_64 random_;
  WasmBuilder builder_;
  bool is64_ = false;  // the first memory
  uint64_t pages_ = 1;
  uint64_t memories_ = 1;
  std::vector<Signature> functions_;
  std::string locals_;     // of the function, by letters: parameters first
  uint32_t counters_ = 0;  // more locals, behind those
  int depth_ = 0;          // of loops
  uint64_t rounds_ = 1;    // that these make, multiplied
  uint64_t cost_ = 1;      // so far
};

}  // namespace

Bytes RandomModule(uint64_t seed) { return Generator(seed).Run(); }

}  // namespace fermata::differential

// Memories and tables under each policy, against plain byte vectors: every load and store at every
// edge, the bulk instructions, growth, tables, and the faults behind the reserved policy's traps.
//
// A module written by hand as generated code would be has one function, `probe`, that does one
// access of the caller's choice; it is instantiated through the dynamic API.
#include "fermata/core/memory.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "fermata/core/generated.h"
#include "fermata/dynamic.h"
#include "runtime/os/virtual_memory.h"

// As in generated code: conditionally supported, and all compilers we know support it.
#pragma GCC diagnostic ignored "-Winvalid-offsetof"

namespace fermata {
namespace {

using core::Instance;
using core::ref;
using core::u32;
using core::u64;
using core::u8;

// ---- The guest ----

struct Self : Instance {
  u32 types[3];
  core::MemoryField memory0;
  core::Table* functions;
  core::Table* externs;
};
constexpr u8 kSegment[] = "segment bytes";
constexpr u64 kSegmentSize = sizeof kSegment - 1;

enum Op : u32 {
  kI32Load,
  kI64Load,
  kF32Load,
  kF64Load,
  kI32Load8S,
  kI32Load8U,
  kI32Load16S,
  kI32Load16U,
  kI64Load8S,
  kI64Load8U,
  kI64Load16S,
  kI64Load16U,
  kI64Load32S,
  kI64Load32U,
  kI32Store,
  kI64Store,
  kF32Store,
  kF64Store,
  kI32Store8,
  kI32Store16,
  kI64Store8,
  kI64Store16,
  kI64Store32,
  kFirstBulk,
  kFill = kFirstBulk,
  kCopy,
  kInit,
  kGrow,
  kDeadLoad,
  kFunctionsGet,
  kFunctionsSet,
  kFunctionsGrow,
  kFunctionsFill,
  kFunctionsCopy,
  kFunctionsInit,
  kExternsGet,
  kExternsSet,
  kExternsGrow,
  kExternsFill,
  kExternsCopy,
  kExternsInit,
  kIndirect,
  kReferenced,
  kRecurse,
};

// The type of addresses.
template <typename View>
using Index = std::conditional_t<
    std::is_same_v<View, core::MemChecked64> || std::is_same_v<View, core::MemShared>, u64, u32>;

template <typename View>
u64 Perform(View& m, u32 op, Index<View> address, u64 offset, u64 value) {
  using namespace core;
  const u32 low = static_cast<u32>(value);
  switch (op) {
    case kI32Load:
      return i32_load(m, address, offset);
    case kI64Load:
      return i64_load(m, address, offset);
    case kF32Load:
      return i32_reinterpret_f32(f32_load(m, address, offset));
    case kF64Load:
      return i64_reinterpret_f64(f64_load(m, address, offset));
    case kI32Load8S:
      return i32_load8_s(m, address, offset);
    case kI32Load8U:
      return i32_load8_u(m, address, offset);
    case kI32Load16S:
      return i32_load16_s(m, address, offset);
    case kI32Load16U:
      return i32_load16_u(m, address, offset);
    case kI64Load8S:
      return i64_load8_s(m, address, offset);
    case kI64Load8U:
      return i64_load8_u(m, address, offset);
    case kI64Load16S:
      return i64_load16_s(m, address, offset);
    case kI64Load16U:
      return i64_load16_u(m, address, offset);
    case kI64Load32S:
      return i64_load32_s(m, address, offset);
    case kI64Load32U:
      return i64_load32_u(m, address, offset);
    case kI32Store:
      i32_store(m, address, offset, low);
      break;
    case kI64Store:
      i64_store(m, address, offset, value);
      break;
    case kF32Store:
      f32_store(m, address, offset, f32_reinterpret_i32(low));
      break;
    case kF64Store:
      f64_store(m, address, offset, f64_reinterpret_i64(value));
      break;
    case kI32Store8:
      i32_store8(m, address, offset, low);
      break;
    case kI32Store16:
      i32_store16(m, address, offset, low);
      break;
    case kI64Store8:
      i64_store8(m, address, offset, value);
      break;
    case kI64Store16:
      i64_store16(m, address, offset, value);
      break;
    case kI64Store32:
      i64_store32(m, address, offset, value);
      break;
    case kDeadLoad:
      (void)force(i32_load(m, address, offset));
      break;
    default:
      break;
  }
  return 0;
}

u64 OnTable(Self& self, u32 op, u32 a, u64 b, u64 c) {
  using namespace core;
  Instance* base = &self;
  const bool externs = op >= kExternsGet && op <= kExternsInit;
  core::Table* table = externs ? self.externs : self.functions;
  const ref value = static_cast<ref>(b);
  const ref segment[] = {1, 0, 1};
  switch (externs ? op - kExternsGet + kFunctionsGet : op) {
    case kFunctionsGet:
      return table_get(base, table, a);
    case kFunctionsSet:
      table_set(base, table, a, value);
      break;
    case kFunctionsGrow:
      return table_grow(base, table, a, b);
    case kFunctionsFill:
      table_fill(base, table, a, value, c);
      break;
    case kFunctionsCopy:
      table_copy(base, table, table, a, b, c);
      break;
    case kFunctionsInit:
      table_init(base, table, segment, 3, a, b, c);
      break;
    default:
      break;
  }
  return 0;
}

// (op, a, b, c) -> result; for accesses: address, offset, value
template <typename View>
u64 probe(Instance* base, u32 op, u32 a, u64 b, u64 c) {
  using namespace core;
  Self& self = *static_cast<Self*>(base);
  View m(base, self.memory0);
  core::Memory* memory = self.memory0.memory;
  switch (op) {
    case kFill:
      memory_fill(base, memory, a, static_cast<u32>(b), c);
      return 0;
    case kCopy:
      memory_copy(base, memory, memory, a, b, c);
      return 0;
    case kInit:
      memory_init(base, memory, kSegment, kSegmentSize, a, b, c);
      return 0;
    case kGrow:
      return static_cast<u32>(memory_grow(base, memory, a));
    case kIndirect: {
      const Function& callee = indirect(base, self.functions, a, self.types[b]);
      return reinterpret_cast<u64 (*)(Instance*, u32, u32, u64, u64)>(callee.code)(
          callee.instance, kI32Load, 0, 0, c);
    }
    case kReferenced: {
      const Function& callee = referenced(base, a, self.types[b]);
      return reinterpret_cast<u64 (*)(Instance*, u32, u32, u64, u64)>(callee.code)(
          callee.instance, kI32Load, 0, 0, c);
    }
    case kRecurse:  // faults at the bottom of a few native frames
      return a == 0 ? force(i64_load(m, Index<View>{~0u}, 0))
                    : probe<View>(base, op, a - 1, b, c) + 1;
    default:
      return op < kFirstBulk || op == kDeadLoad ? Perform(m, op, a, b, c)
                                                : OnTable(self, op, a, b, c);
  }
}
u64 invoke(Instance* base, core::AnyFunction function, const u64* a) {
  using namespace core;
  return reinterpret_cast<u64 (*)(Instance*, u32, u32, u64, u64)>(function)(
      base, slot_u32(a[0]), slot_u32(a[1]), a[2], a[3]);
}
// A function type that nothing has.
u64 invoke_other(Instance*, core::AnyFunction, const u64*) { return 0; }

constexpr ValType kParams[] = {ValType::kI32, ValType::kI32, ValType::kI64, ValType::kI64,
                               ValType::kI64};
const core::FuncType kTypes[] = {
    {kParams, kParams + 4, 4, 1, 4, 1, "iiII:I", core::kNoType, invoke, nullptr},
    {kParams, kParams, 0, 0, 0, 0, ":", core::kNoType, invoke_other, nullptr},
    {kParams, kParams + 4, 4, 1, 4, 1, "a subtype of 0", 0, invoke, nullptr}};
const core::ExportInfo kExports[] = {{{"probe", 5}, ExternKind::kFunction, 0},
                                     {{"memory", 6}, ExternKind::kMemory, 0},
                                     {{"functions", 9}, ExternKind::kTable, 0},
                                     {{"externs", 7}, ExternKind::kTable, 1}};
const core::TableInfo kTables[] = {{ValType::kFuncRef,
                                    {3, 20, true, false, false, 0},
                                    offsetof(Self, functions),
                                    false,
                                    {0x70, true, 0}},
                                   {ValType::kExternRef,
                                    {3, 20, true, false, false, 0},
                                    offsetof(Self, externs),
                                    false,
                                    {0x6f, true, 0}}};
// 64-bit addresses, shared or not.
template <bool is64, bool shared>
const core::MemoryInfo kMemory[] = {
    {{1, 4, true, is64, shared, 16}, offsetof(Self, memory0), false}};

template <typename View, core::MemoryPolicy policy, bool is64, bool shared>
const ModuleInfo& Module() {
  static const core::FunctionInfo functions[] = {
      {reinterpret_cast<core::AnyFunction>(probe<View>), 0, 0, false, false, nullptr},
      {reinterpret_cast<core::AnyFunction>(probe<View>), 2, 0, false, false, nullptr}};
  static const ModuleInfo info = [] {
    ModuleInfo i{};
    i.abi_version = core::kAbiVersion;
    i.memory_policy = policy;
    i.name = "Probe";
    i.instance_size = sizeof(Self);
    i.instance_align = alignof(Self);
    i.types_offset = offsetof(Self, types);
    i.types = kTypes;
    i.type_count = 3;
    i.exports = kExports;
    i.export_count = 4;
    i.functions = functions;
    i.function_count = 2;
    i.tables = kTables;
    i.table_count = 2;
    i.memories = kMemory<is64, shared>;
    i.memory_count = 1;
    i.initialize = [](Instance*) {};
    i.start = core::kNoFunction;
    return i;
  }();
  return info;
}

// ---- The tests ----

struct Outcome {
  Trap trap;
  u64 value;
  bool operator==(const Outcome& o) const {
    return trap == o.trap && (trap != Trap::kNone || value == o.value);
  }
};
void PrintTo(const Outcome& o, std::ostream* out) {
  *out << TrapMessage(o.trap) << ", " << std::hex << o.value;
}
constexpr Outcome kOutOfBounds{Trap::kMemoryOutOfBounds, 0};
constexpr Outcome kOutOfTable{Trap::kTableOutOfBounds, 0};
Outcome Returns(u64 value) { return {Trap::kNone, value}; }

// How a module's memory is accessed.
constexpr auto kReserved = core::MemoryPolicy::kReserved, kChecked = core::MemoryPolicy::kChecked;
struct Access {
  const char* name;
  core::MemoryPolicy policy;
  const ModuleInfo& (*module)();
  bool faults;  // out of bounds
};
constexpr Access kAccesses[] = {
    {"Reserved", kReserved, Module<core::MemReserved, kReserved, false, false>, true},
    {"Checked", kChecked, Module<core::MemChecked, kChecked, false, false>, false},
    {"Reserved64", kReserved, Module<core::MemChecked64, kReserved, true, false>, false},
    {"Checked64", kChecked, Module<core::MemChecked64, kChecked, true, false>, false},
    {"ReservedShared", kReserved, Module<core::MemReserved, kReserved, false, true>, true},
    {"CheckedShared", kChecked, Module<core::MemShared, kChecked, false, true>, false},
    {"Shared64", kReserved, Module<core::MemShared, kReserved, true, true>, false}};

void PrintTo(const Access& access, std::ostream* out) { *out << access.name; }

class Policies : public testing::TestWithParam<Access> {
 protected:
  void SetUp() override {
    if (GetParam().policy == kReserved && sizeof(void*) < 8) {
      GTEST_SKIP() << "32-bit addresses: no memory is reserved";
    }
    if (GetParam().faults && !core::kReservesMemories) {
      GTEST_SKIP() << "code for reserved memories does not compile for this machine";
    }
    auto made = store_.Instantiate(GetParam().module(), {});
    ASSERT_TRUE(made.ok()) << made.status();
    instance_ = *made;
    memory_ = instance_->FindMemory("memory")->raw();
  }
  Outcome Run(u32 op, u32 a = 0, u64 b = 0, u64 c = 0) {
    const Value values[] = {Value::I32(op), Value::I32(a), Value::I64(b), Value::I64(c)};
    absl::StatusOr<DynamicStep> step = instance_->CallFunction(0, values);
    EXPECT_TRUE(step.ok()) << step.status();
    if (step->trapped()) return {step->trap(), 0};
    return Returns(step->results()[0].i64());
  }
  // Distinct bytes with both signs.
  std::vector<u8> Scramble() {
    std::vector<u8> model(memory_->bytes);
    std::mt19937 random(7);
    for (u8& byte : model) byte = static_cast<u8>(random());
    memcpy(memory_->data, model.data(), model.size());
    return model;
  }
  void ExpectMemory(const std::vector<u8>& model) {
    ASSERT_EQ(memory_->bytes, model.size());
    EXPECT_EQ(memcmp(memory_->data, model.data(), model.size()), 0);
  }

  StoreHandle store_;
  DynamicInstance* instance_ = nullptr;
  core::Memory* memory_ = nullptr;
};
INSTANTIATE_TEST_SUITE_P(All, Policies, testing::ValuesIn(kAccesses),
                         [](const auto& info) { return info.param.name; });

// What an access does, from its name's parts.
struct Shape {
  u32 op;
  u32 bytes;
  u32 extend_to;  // bits that the sign is extended to; 0: not
};
constexpr Shape kLoads[] = {{kI32Load, 4, 0},     {kI64Load, 8, 0},     {kF32Load, 4, 0},
                            {kF64Load, 8, 0},     {kI32Load8S, 1, 32},  {kI32Load8U, 1, 0},
                            {kI32Load16S, 2, 32}, {kI32Load16U, 2, 0},  {kI64Load8S, 1, 64},
                            {kI64Load8U, 1, 0},   {kI64Load16S, 2, 64}, {kI64Load16U, 2, 0},
                            {kI64Load32S, 4, 64}, {kI64Load32U, 4, 0}};
constexpr Shape kStores[] = {{kI32Store, 4, 0},  {kI64Store, 8, 0},   {kF32Store, 4, 0},
                             {kF64Store, 8, 0},  {kI32Store8, 1, 0},  {kI32Store16, 2, 0},
                             {kI64Store8, 1, 0}, {kI64Store16, 2, 0}, {kI64Store32, 4, 0}};

struct Place {
  u32 address;
  u64 offset;
};
// Around both ends of the memory, of 32 bits, and of what address and offset can form together.
std::vector<Place> Places(u64 size) {
  std::vector<Place> places;
  for (u64 at :
       {u64{0}, u64{1}, u64{4095}, size - 9, size - 8, size - 7, size - 4, size - 3, size - 2,
        size - 1, size, size + 1, size + 4096, u64{0x7fffffff}, u64{0xfffffff8}, u64{0xffffffff}}) {
    places.push_back({static_cast<u32>(at), 0});
    places.push_back({0, at});
    places.push_back({static_cast<u32>(at / 2), at - at / 2});
  }
  places.push_back({0xffffffff, 0xffffffff});
  places.push_back({0xffffffff, 1});
  places.push_back({0x80000000, 0x80000000});
  return places;
}

TEST_P(Policies, LoadsReadLittleEndianBytesOrTrap) {
  const std::vector<u8> model = Scramble();
  for (const Shape& load : kLoads) {
    for (const Place& place : Places(model.size())) {
      const u64 at = place.address + place.offset;
      Outcome expected = kOutOfBounds;
      if (at + load.bytes <= model.size()) {
        u64 value = 0;
        for (u32 i = 0; i < load.bytes; ++i) value |= u64{model[at + i]} << 8 * i;
        if (load.extend_to != 0 && (model[at + load.bytes - 1] & 0x80)) {
          for (u32 bit = 8 * load.bytes; bit < load.extend_to; ++bit) value |= u64{1} << bit;
        }
        expected = Returns(value);
      }
      EXPECT_EQ(Run(load.op, place.address, place.offset), expected)
          << "load " << load.op << " at " << place.address << " + " << place.offset;
    }
  }
}

TEST_P(Policies, StoresWriteTheirBytesOnlyOrTrap) {
  std::vector<u8> model = Scramble();
  u64 value = 0xf1e2d3c4b5a69788;
  for (const Shape& store : kStores) {
    for (const Place& place : Places(model.size())) {
      const u64 at = place.address + place.offset;
      value = value * 0x9e3779b97f4a7c15 + 1;
      const bool inside = at + store.bytes <= model.size();
      for (u32 i = 0; inside && i < store.bytes; ++i) {
        model[at + i] = static_cast<u8>(value >> 8 * i);
      }
      EXPECT_EQ(Run(store.op, place.address, place.offset, value),
                inside ? Returns(0) : kOutOfBounds)
          << "store " << store.op << " at " << place.address << " + " << place.offset;
    }
  }
  ExpectMemory(model);
}

TEST_P(Policies, FloatsKeepTheBitsOfNans) {
  for (u64 bits : {0x7ff0000000000001u, 0xfff8123456789abcu, 0x7ff7ffffffffffffu}) {
    EXPECT_EQ(Run(kF64Store, 8, 0, bits), Returns(0));
    EXPECT_EQ(Run(kF64Load, 8), Returns(bits));
  }
  for (u32 bits : {0x7f800001u, 0xffc12345u, 0x7fbfffffu}) {
    EXPECT_EQ(Run(kF32Store, 8, 0, bits), Returns(0));
    EXPECT_EQ(Run(kF32Load, 8), Returns(bits));
  }
}

TEST_P(Policies, ALoadThatNobodyUsesTrapsToo) {
  EXPECT_EQ(Run(kDeadLoad, 65532), Returns(0));
  EXPECT_EQ(Run(kDeadLoad, 65533), kOutOfBounds);
}

TEST_P(Policies, BulkInstructionsAgainstAModel) {
  std::vector<u8> model = Scramble();
  std::mt19937 random(11);
  const u64 edges[] = {0, 1, 7, 13, 100, 65530, 65535, 65536, 65537, 0xffffffff};
  for (int round = 0; round < 4000; ++round) {
    const auto pick = [&] {
      return random() % 2 ? edges[random() % std::size(edges)] : random() % 66000;
    };
    const u64 d = pick(), s = pick(), n = random() % 4 ? random() % 40 : pick();
    const bool to = d + n <= model.size();
    switch (random() % 3) {
      case 0:
        EXPECT_EQ(Run(kFill, static_cast<u32>(d), s, n), to ? Returns(0) : kOutOfBounds);
        if (to) std::fill_n(model.begin() + d, n, static_cast<u8>(s));
        break;
      case 1: {
        const bool inside = to && s + n <= model.size();
        EXPECT_EQ(Run(kCopy, static_cast<u32>(d), s, n), inside ? Returns(0) : kOutOfBounds);
        if (!inside) break;
        const std::vector<u8> bytes(model.begin() + s, model.begin() + s + n);
        std::copy(bytes.begin(), bytes.end(), model.begin() + d);
        break;
      }
      default: {
        const u64 from = s % 20;
        const bool inside = to && from + n <= kSegmentSize;
        EXPECT_EQ(Run(kInit, static_cast<u32>(d), from, n), inside ? Returns(0) : kOutOfBounds);
        if (inside) std::copy_n(kSegment + from, n, model.begin() + d);
      }
    }
  }
  ExpectMemory(model);
  // Empty ranges at the very end are in bounds, past it they are not.
  EXPECT_EQ(Run(kFill, 65536, 0, 0), Returns(0));
  EXPECT_EQ(Run(kFill, 65537, 0, 0), kOutOfBounds);
  EXPECT_EQ(Run(kInit, 0, kSegmentSize, 0), Returns(0));
  EXPECT_EQ(Run(kInit, 0, kSegmentSize + 1, 0), kOutOfBounds);
  // Sums that wrap in 64 bits.
  EXPECT_EQ(Run(kCopy, 0, ~u64{0}, 2), kOutOfBounds);
  EXPECT_EQ(Run(kFill, 1, 0, ~u64{0}), kOutOfBounds);
}

TEST_P(Policies, GrowthKeepsContentsZeroFillsAndHasAMaximum) {
  std::vector<u8> model = Scramble();
  EXPECT_EQ(Run(kI32Load, 65536), kOutOfBounds);
  EXPECT_EQ(Run(kGrow, 0), Returns(1));
  EXPECT_EQ(Run(kGrow, 2), Returns(1));
  model.resize(3 * 65536);
  ExpectMemory(model);
  EXPECT_EQ(Run(kI64Load, 3 * 65536 - 8), Returns(0));
  EXPECT_EQ(Run(kI64Load, 3 * 65536 - 7), kOutOfBounds);
  EXPECT_EQ(Run(kGrow, 2), Returns(0xffffffff));
  EXPECT_EQ(Run(kGrow, 0xffffffff), Returns(0xffffffff));
  EXPECT_EQ(Run(kGrow, 1), Returns(3));
  EXPECT_EQ(Run(kGrow, 1), Returns(0xffffffff));
  EXPECT_EQ(memory_->pages, 4u);
  // By the host, through the view.
  Memory view(memory_);
  EXPECT_FALSE(view.Grow(1).ok());
  EXPECT_EQ(view.Span(4 * 65536, 0).size(), 0u);
  EXPECT_NE(view.Span(4 * 65536 - 1, 1).data(), nullptr);
  EXPECT_EQ(view.Span(4 * 65536 - 1, 2).data(), nullptr);
}

TEST_P(Policies, TrapsRepeatAtAnyDepthAndOnAnyThread) {
  for (u32 depth : {0u, 1u, 20u}) {
    for (int i = 0; i < 200; ++i) ASSERT_EQ(Run(kRecurse, depth), kOutOfBounds);
  }
  EXPECT_EQ(Run(kI32Load, 0), Returns(0));
  for (int i = 0; i < 3; ++i) {
    std::thread([this] {
      for (int k = 0; k < 3; ++k) EXPECT_EQ(Run(kI64Store, 0xfffffffe, 3), kOutOfBounds);
      EXPECT_EQ(Run(kI64Load, 0), Returns(0));
    }).join();
  }
}

TEST_P(Policies, TablesAgainstAModel) {
  struct Ops {
    u32 get, set, grow, fill, copy, init;
    const char* name;
  };
  constexpr Ops kBoth[] = {{kFunctionsGet, kFunctionsSet, kFunctionsGrow, kFunctionsFill,
                            kFunctionsCopy, kFunctionsInit, "functions"},
                           {kExternsGet, kExternsSet, kExternsGrow, kExternsFill, kExternsCopy,
                            kExternsInit, "externs"}};
  for (const Ops& ops : kBoth) {
    std::vector<ref> model(3);
    EXPECT_EQ(Run(ops.grow, 1, 2), Returns(3));  // new elements: reference 1
    model.insert(model.end(), 2, 1);
    for (const u64 delta : {u64{16}, u64{0xffffffff}, u64{1} << 32, ~u64{0}}) {
      EXPECT_EQ(Run(ops.grow, 0, delta), Returns(~u64{0}));
    }
    EXPECT_EQ(Run(ops.grow, 0, 4), Returns(5));
    model.resize(9);
    std::mt19937 random(3);
    for (int round = 0; round < 2000; ++round) {
      const u32 d = random() % 11, s = random() % 11, n = random() % 6, value = random() % 2;
      const bool to = d + n <= model.size();
      switch (random() % 4) {
        case 0:
          EXPECT_EQ(Run(ops.set, d, value), d < model.size() ? Returns(0) : kOutOfTable);
          if (d < model.size()) model[d] = value;
          break;
        case 1:
          EXPECT_EQ(Run(ops.fill, d, value, n), to ? Returns(0) : kOutOfTable);
          if (to) std::fill_n(model.begin() + d, n, value);
          break;
        case 2: {
          const bool inside = to && s + n <= model.size();
          EXPECT_EQ(Run(ops.copy, d, s, n), inside ? Returns(0) : kOutOfTable);
          if (!inside) break;
          const std::vector<ref> moved(model.begin() + s, model.begin() + s + n);
          std::copy(moved.begin(), moved.end(), model.begin() + d);
          break;
        }
        default: {
          const ref segment[] = {1, 0, 1};
          const bool inside = to && s + n <= 3;
          EXPECT_EQ(Run(ops.init, d, s, n), inside ? Returns(0) : kOutOfTable);
          if (inside) std::copy_n(segment + s, n, model.begin() + d);
        }
      }
    }
    // Sums that wrap, and indices that are in bounds if cut to 32 bits.
    for (const u64 large : {u64{1} << 32, ~u64{0}}) {
      EXPECT_EQ(Run(ops.fill, 1, 1, large), kOutOfTable);
      EXPECT_EQ(Run(ops.copy, 1, large, 1), kOutOfTable);
      EXPECT_EQ(Run(ops.copy, 1, 1, large), kOutOfTable);
      EXPECT_EQ(Run(ops.init, 1, large, 1), kOutOfTable);
    }
    for (u32 i = 0; i < model.size(); ++i) EXPECT_EQ(Run(ops.get, i), Returns(model[i]));
    EXPECT_EQ(Run(ops.get, 9), kOutOfTable);
    const absl::StatusOr<Table> view = instance_->FindTable(ops.name);
    for (u32 i = 0; i < model.size(); ++i) EXPECT_EQ(view->Get(i)->ref(), model[i]);
    EXPECT_FALSE(view->Get(9).ok());
  }
  // A handle that names no function, as only a host can make it.
  EXPECT_EQ(Run(kFunctionsSet, 0, 3), (Outcome{Trap::kUndefinedElement, 0}));
  EXPECT_EQ(Run(kExternsSet, 0, 3), Returns(0));
}

TEST_P(Policies, IndirectCallsCheckBoundsAndType) {
  EXPECT_EQ(Run(kFunctionsSet, 1, 1), Returns(0));
  EXPECT_EQ(Run(kI32Store, 0, 0, 99), Returns(0));
  EXPECT_EQ(Run(kIndirect, 1, 0), Returns(99));
  EXPECT_EQ(Run(kIndirect, 1, 1), (Outcome{Trap::kIndirectCallTypeMismatch, 0}));
  EXPECT_EQ(Run(kIndirect, 0, 0), (Outcome{Trap::kUninitializedElement, 0}));
  EXPECT_EQ(Run(kIndirect, 3, 0), (Outcome{Trap::kUndefinedElement, 0}));
  EXPECT_EQ(Run(kIndirect, 0xffffffff, 0), (Outcome{Trap::kUndefinedElement, 0}));
}

TEST_P(Policies, IndirectCallsTakeSubtypes) {
  EXPECT_EQ(Run(kFunctionsSet, 0, 1), Returns(0));
  EXPECT_EQ(Run(kFunctionsSet, 1, 2), Returns(0));
  EXPECT_EQ(Run(kI32Store, 0, 0, 99), Returns(0));
  EXPECT_EQ(Run(kIndirect, 1, 0), Returns(99));
  EXPECT_EQ(Run(kIndirect, 1, 2), Returns(99));
  EXPECT_EQ(Run(kIndirect, 0, 2), (Outcome{Trap::kIndirectCallTypeMismatch, 0}));
  // Without a store that knows subtypes.
  store_.raw()->is_subtype = nullptr;
  EXPECT_EQ(Run(kIndirect, 1, 0), (Outcome{Trap::kIndirectCallTypeMismatch, 0}));
  EXPECT_EQ(Run(kIndirect, 1, 2), Returns(99));
}

TEST_P(Policies, ReferencedFunctionsMustExist) {
  EXPECT_EQ(Run(kI32Store, 0, 0, 99), Returns(0));
  EXPECT_EQ(Run(kReferenced, 1), Returns(99));
  EXPECT_EQ(Run(kReferenced, 0), (Outcome{Trap::kNullFunctionReference, 0}));
  EXPECT_EQ(Run(kReferenced, 3), (Outcome{Trap::kUndefinedElement, 0}));
}

// ---- Storage made by the host ----

TEST_P(Policies, StorageOutsideTheLimitsIsRefused) {
  const auto memory = [&](u64 min, u64 max, StoreHandle& store) {
    return store.MakeMemory({min, max, true, false, false, 16}, GetParam().policy);
  };
  EXPECT_FALSE(memory(2, 1, store_).ok());
  EXPECT_FALSE(memory(70000, 80000, store_).ok());
  Limits large;
  large.memory_pages = 200000;
  StoreHandle store(large);
  absl::StatusOr<Extern> made = memory(1, 200000, store);
  ASSERT_TRUE(made.ok()) << made.status();
  // What 32 bits can address is the most, whatever was declared; a page less where accesses are
  // checked several at once.
  const bool less = GetParam().policy == kChecked;
  EXPECT_EQ(made->memory->max_pages, less ? 65535u : 65536u);
  EXPECT_EQ(made->memory->grow(made->memory, 65536), ~u64{0});

  const auto table = [&](u64 min, u64 max) {
    return store_.MakeTable(ValType::kFuncRef, {min, max, true, false, false, 0});
  };
  EXPECT_FALSE(table(2, 1).ok());
  EXPECT_FALSE(table(0xffffffff, 0xffffffff).ok());
  EXPECT_TRUE(table(0, 0).ok());
}

TEST(Storage, LimitsThatNoMemoryCanHaveAreRefused) {
  StoreHandle store;
  const auto made = [&](u64 min, u64 max, bool is64, bool shared, u8 page_log2) {
    return store.MakeMemory({min, max, max != 0, is64, shared, page_log2}, kReserved).status();
  };
  EXPECT_TRUE(made(1, 2, false, true, 16).ok());
  EXPECT_EQ(made(1, 0, false, true, 16).code(), absl::StatusCode::kInvalidArgument);  // no maximum
  EXPECT_EQ(made(1, 2, false, false, 12).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(made(3, 2, true, false, 16).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(made(u64{1} << 48, u64{1} << 48, true, false, 16).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(store.MakeMemory({1, 2, true, false, true}, core::MemoryPolicy::kFixed).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(Storage, TheStoresLimitCountsBytesWhateverTheAddressesAndPages) {
  Limits limits;
  limits.memory_pages = 3;
  StoreHandle store(limits);
  const struct {
    u64 max;
    bool is64, shared;
    u8 page_log2;
    u64 pages;
  } kCases[] = {{u64{1} << 48, true, false, 16, 3},
                {~u64{0}, true, false, 0, 3 << 16},
                {0xffffffff, false, false, 0, 3 << 16},
                {5, false, true, 16, 3},
                {2, false, true, 16, 2},
                {100000, false, true, 0, 100000},
                {u64{1} << 48, true, true, 16, 3}};
  for (const auto policy : {kReserved, kChecked}) {
    for (const auto& c : kCases) {
      absl::StatusOr<Extern> made =
          store.MakeMemory({0, c.max, true, c.is64, c.shared, c.page_log2}, policy);
      ASSERT_TRUE(made.ok()) << made.status();
      Memory memory(made->memory);
      EXPECT_FALSE(memory.Grow(c.pages + 1).ok());
      EXPECT_FALSE(memory.Grow(~u64{0}).ok());
      EXPECT_EQ(*memory.Grow(c.pages), 0u);
      EXPECT_FALSE(memory.Grow(1).ok());
      EXPECT_EQ(memory.pages(), c.pages);
      EXPECT_EQ(memory.size(), c.pages << c.page_log2);
      memory.data()[memory.size() - 1] = 1;
    }
  }
}

// Small storage is of malloc's, large storage is mapped by itself.
TEST(Storage, CheckedMemoriesKeepTheirContentsWhereverTheyMove) {
  StoreHandle store;
  absl::StatusOr<Extern> made =
      store.MakeMemory({100, 0, false, false, false, 0}, core::MemoryPolicy::kChecked);
  ASSERT_TRUE(made.ok()) << made.status();
  Memory memory(made->memory);
  for (const u64 size : {u64{32767}, u64{32768}, u64{32769}, u64{40000}, u64{1} << 20}) {
    const u64 before = memory.size();
    memory.data()[before - 1] = static_cast<core::u8>(before);
    ASSERT_TRUE(memory.Grow(size - before).ok());
    ASSERT_EQ(memory.size(), size);
    EXPECT_EQ(memory.data()[before - 1], static_cast<core::u8>(before));
    for (u64 i = before; i < size; ++i) ASSERT_EQ(memory.data()[i], 0) << i;
    ASSERT_EQ(*memory.Grow(0), size);
  }
  EXPECT_EQ(memory.data()[99], 100);
}

TEST(Storage, PagesOfOneByteGrowByBytes) {
  StoreHandle store;
  for (const bool shared : {false, true}) {
    absl::StatusOr<Extern> made =
        store.MakeMemory({10, 20000, true, false, shared, 0}, core::MemoryPolicy::kReserved);
    ASSERT_TRUE(made.ok()) << made.status();
    Memory memory(made->memory);
    std::vector<u8> model(10);
    for (u64 size = 10; size < 12000; size += 7) {
      ASSERT_EQ(memory.size(), size);
      memory.data()[size - 1] = model[size - 1] = static_cast<u8>(size);
      ASSERT_EQ(*memory.Grow(7), size);
      model.resize(size + 7);
    }
    EXPECT_EQ(memcmp(memory.data(), model.data(), model.size()), 0);
    EXPECT_NE(memory.Span(memory.size() - 1, 1).data(), nullptr);
    EXPECT_EQ(memory.Span(memory.size(), 1).data(), nullptr);
  }
}

// ---- Faults ----

TEST_P(Policies, FaultsOfOthersGoToTheHandlerBefore) {
  ASSERT_EQ(Run(kI32Load, 65533), kOutOfBounds);  // our handler is there
  uint8_t* page = internal::ReserveAddresses(4096);
  ASSERT_NE(page, nullptr);
  EXPECT_DEATH(*const_cast<volatile uint8_t*>(page) = 1, "");
  // The host's own access to a guest's memory, with no guest running.
  u8* guard = memory_->data + (u64{1} << 32);
  if (GetParam().faults) {
    EXPECT_DEATH(*const_cast<volatile u8*>(guard) = 1, "");
  }
  // Sent, not caused by an instruction.
  EXPECT_DEATH(raise(SIGSEGV), "");
  internal::Unmap(page, 4096);
}

}  // namespace
}  // namespace fermata

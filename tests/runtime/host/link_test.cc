// Linking and the dynamic API's defences, with modules described by hand: what imports are matched
// against, what a failed instantiation leaves, wrong uses that must be errors and nothing more.
// tests/runtime/host/dynamic_test.cc links translated modules.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "fermata/core/generated.h"
#include "fermata/dynamic.h"
#include "tests/support/hand_module.h"

// As in generated code: conditionally supported, and all compilers we know support it.
#pragma GCC diagnostic ignored "-Winvalid-offsetof"

namespace fermata {
namespace {

using core::Instance;
using core::ref;
using core::u32;
using core::u64;
using core::u8;

// ---- A module: imports are chosen by each test ----

struct Self : Instance {
  u32 types[3];
  core::Function import_0;  // (i32) -> i32
  core::MemoryField memory0;
  core::Table* table0;
  u32 g0;
  u64* imported_global;
  ref stored;
};

u32 suspend_0(Instance* base, u32 a0) {
  core::frame_put64(core::PushOp(base, 0, 1), 0, a0);
  return 0;
}
// import(a) + 1; `a` negative: traps
u32 ask(Instance* base, u32 a0) {
  Self& self = *static_cast<Self*>(base);
  if (static_cast<int32_t>(a0) < 0) core::RaiseTrap(base, Trap::kUnreachable);
  const u32 answer =
      reinterpret_cast<u32 (*)(Instance*, u32)>(self.import_0.code)(self.import_0.instance, a0);
  if (self.unwind != core::Unwind::kNone) {
    core::PushFrame(base, 1);
    return 0;
  }
  return answer + 1;
}
u64 ask_resume(Instance*, u32, u8*, u64 value) { return core::slot_u32(value) + 1; }
u32 quick(Instance* base, u32 a0) { return a0 + static_cast<Self*>(base)->g0; }
ref keep(Instance* base, ref a0) {
  Self& self = *static_cast<Self*>(base);
  std::swap(self.stored, a0);
  return a0;
}

// The start function of some: op(1), whose answer goes to g0.
void begin(Instance* base) {
  Self& self = *static_cast<Self*>(base);
  self.g0 =
      reinterpret_cast<u32 (*)(Instance*, u32)>(self.import_0.code)(self.import_0.instance, 1);
  if (self.unwind != core::Unwind::kNone) core::PushFrame(base, 2);
}
u64 begin_resume(Instance* base, u32, u8*, u64 value) {
  static_cast<Self*>(base)->g0 = core::slot_u32(value);
  return 0;
}

u64 invoke_0(Instance* base, core::AnyFunction function, const u64* a) {
  return reinterpret_cast<u32 (*)(Instance*, u32)>(function)(base, core::slot_u32(a[0]));
}
u32 host_0(Instance* base, u32 a0) {
  auto* host = static_cast<core::HostInstance*>(base);
  const u64 arguments[] = {a0};
  u64 results[1] = {0};
  host->call(host, arguments, results);
  return core::slot_u32(results[0]);
}
u64 invoke_1(Instance* base, core::AnyFunction function, const u64* a) {
  return reinterpret_cast<ref (*)(Instance*, ref)>(function)(base, core::slot_u32(a[0]));
}
u64 invoke_2(Instance* base, core::AnyFunction function, const u64*) {
  reinterpret_cast<void (*)(Instance*)>(function)(base);
  return 0;
}

constexpr ValType kI32s[] = {ValType::kI32, ValType::kI32};
constexpr ValType kRefs[] = {ValType::kFuncRef, ValType::kFuncRef};
const core::FuncType kTypes[] = {
    {kI32s, kI32s, 1, 1, 1, 1, "i:i", core::kNoType, invoke_0,
     reinterpret_cast<core::AnyFunction>(host_0)},
    {kRefs, kRefs, 1, 1, 1, 1, "r:r", core::kNoType, invoke_1, nullptr},
    {kI32s, kI32s, 0, 0, 0, 0, ":", core::kNoType, invoke_2, nullptr}};
const core::FunctionInfo kFunctions[] = {
    {reinterpret_cast<core::AnyFunction>(ask), 0, 1, true, false, nullptr},
    {reinterpret_cast<core::AnyFunction>(quick), 0, 2, false, false, nullptr},
    {reinterpret_cast<core::AnyFunction>(keep), 1, 3, false, false, nullptr},
    {reinterpret_cast<core::AnyFunction>(begin), 2, 4, true, false, nullptr}};
const core::FunctionImportSlot kImportSlots[] = {{offsetof(Self, import_0), 0}};
const core::SiteInfo kSites[] = {
    {nullptr, 0, false}, {ask_resume, 0, false}, {begin_resume, 0, false}};
const uint16_t kWords[] = {4, 2, 2};
const core::SiteDetail kDetails[] = {{0, 0, "i"}, {1, 0, ""}, {4, 0, ""}};

core::Text TextOf(const char* s) { return {s, static_cast<u32>(strlen(s))}; }
constexpr core::SizeLimitsInfo Between(u64 min, u64 max, u8 page_log2 = 0) {
  return {min, max, max != 0, false, false, page_log2};
}

// Nullable, to whatever the hierarchy holds.
core::RefType Ref(ValType type) { return {static_cast<u8>(type), true, 0}; }

// Own memory, table and global unless imported.
struct TestModule {
  TestModule() {
    imports = {{TextOf("env"), TextOf("op"), ExternKind::kFunction, 0,
                reinterpret_cast<core::AnyFunction>(suspend_0), 0}};
    exports = {
        {TextOf("ask"), ExternKind::kFunction, 0},  {TextOf("quick"), ExternKind::kFunction, 1},
        {TextOf("keep"), ExternKind::kFunction, 2}, {TextOf("memory"), ExternKind::kMemory, 0},
        {TextOf("table"), ExternKind::kTable, 0},   {TextOf("global"), ExternKind::kGlobal, 0}};
    memories = {{Between(1, 3, 16), offsetof(Self, memory0), false}};
    tables = {
        {ValType::kFuncRef, Between(2, 5), offsetof(Self, table0), false, Ref(ValType::kFuncRef)}};
    globals = {{ValType::kI32, true, false, offsetof(Self, g0), Ref(ValType::kI32)}};
  }
  void ImportMemory(core::SizeLimitsInfo limits) {
    imports.push_back({TextOf("env"), TextOf("memory"), ExternKind::kMemory, 0, nullptr, 0});
    memories[0].limits = limits;
    memories[0].imported = true;
  }
  void ImportTable(ValType type, core::SizeLimitsInfo limits) {
    imports.push_back({TextOf("env"), TextOf("table"), ExternKind::kTable, 0, nullptr, 0});
    tables[0] = {type, limits, offsetof(Self, table0), true, Ref(type)};
  }
  void ImportGlobal(ValType type, bool mut) {
    imports.push_back({TextOf("env"), TextOf("global"), ExternKind::kGlobal, 0, nullptr, 0});
    globals[0] = {type, mut, true, offsetof(Self, imported_global), Ref(type)};
  }
  const ModuleInfo& Info() {
    info.abi_version = core::kAbiVersion;
    info.memory_policy = policy;
    info.name = "Hand";
    info.instance_size = sizeof(Self);
    info.instance_align = alignof(Self);
    info.types_offset = offsetof(Self, types);
    info.types = kTypes;
    info.type_count = 3;
    info.imports = imports.data();
    info.import_count = static_cast<u32>(imports.size());
    info.exports = exports.data();
    info.export_count = static_cast<u32>(exports.size());
    info.functions = kFunctions;
    info.function_count = 4;
    info.function_imports = kImportSlots;
    info.function_import_count = 1;
    info.tables = tables.data();
    info.table_count = 1;
    info.memories = memories.data();
    info.memory_count = 1;
    info.globals = globals.data();
    info.global_count = 1;
    info.sites = kSites;
    info.site_words = kWords;
    info.site_details = kDetails;
    info.site_count = 3;
    if (info.initialize == nullptr) info.initialize = [](Instance*) {};
    info.start = start;
    return info;
  }

  std::vector<core::ImportInfo> imports;
  std::vector<core::ExportInfo> exports;
  std::vector<core::MemoryInfo> memories;
  std::vector<core::TableInfo> tables;
  std::vector<core::GlobalInfo> globals;
  u32 start = core::kNoFunction;
  core::MemoryPolicy policy = kUsualPolicy;
  ModuleInfo info{};
};

Value I(u32 v) { return Value::I32(v); }

class Link : public testing::Test {
 protected:
  DynamicInstance* Make(const Imports& imports = {}) {
    absl::StatusOr<DynamicInstance*> made = store_.Instantiate(module_.Info(), imports);
    EXPECT_TRUE(made.ok()) << made.status();
    return made.ok() ? *made : nullptr;
  }
  void ExpectRefused(TestModule& module, const Imports& imports, const std::string& why) {
    const absl::StatusOr<DynamicInstance*> made = store_.Instantiate(module.Info(), imports);
    ASSERT_FALSE(made.ok()) << "expected: " << why;
    EXPECT_NE(made.status().message().find(why), std::string::npos) << made.status();
    EXPECT_NE(made.status().message().find("Hand"), std::string::npos) << made.status();
  }
  static Signature Unary() { return {{ValType::kI32}, {ValType::kI32}}; }

  TestModule module_;
  StoreHandle store_;
};

// ---- Matching imports ----

TEST_F(Link, LimitsAreMatchedWithTheCurrentSizeAndTheDeclaredMaximum) {
  absl::StatusOr<Extern> memory =
      store_.MakeMemory(Between(1, 4, 16), core::MemoryPolicy::kReserved);
  absl::StatusOr<Extern> unbounded =
      store_.MakeMemory(Between(1, 0, 16), core::MemoryPolicy::kReserved);
  ASSERT_TRUE(memory.ok() && unbounded.ok());
  const struct {
    u64 min, max;
    bool fits, fits_grown, fits_unbounded;
  } kCases[] = {{0, 0, true, true, true},    {1, 4, true, true, false},  {1, 5, true, true, false},
                {1, 3, false, false, false}, {2, 0, false, true, false}, {2, 4, false, true, false},
                {3, 0, false, false, false}};
  for (const bool grown : {false, true}) {
    if (grown) {
      ASSERT_EQ(memory->memory->grow(memory->memory, 1), 1u);
    }
    for (const auto& c : kCases) {
      TestModule module;
      module.ImportMemory(Between(c.min, c.max, 16));
      Imports imports;
      imports.Add("env", "memory", *memory);
      EXPECT_EQ(store_.Instantiate(module.Info(), imports).ok(), grown ? c.fits_grown : c.fits)
          << c.min << ".." << c.max;
      Imports other;
      other.Add("env", "memory", *unbounded);
      EXPECT_EQ(store_.Instantiate(module.Info(), other).ok(), c.fits_unbounded)
          << c.min << ".." << c.max;
    }
  }
}

TEST_F(Link, TablesAndGlobalsAreMatchedByType) {
  absl::StatusOr<Extern> table = store_.MakeTable(ValType::kExternRef, Between(3, 6));
  absl::StatusOr<Extern> global = store_.MakeGlobal(Value::I64(5), true);
  ASSERT_TRUE(table.ok() && global.ok());
  Imports imports;
  imports.Add("env", "table", *table);
  imports.Add("env", "global", *global);
  for (const auto& [type, limits, fits] : {std::tuple(ValType::kExternRef, Between(3, 6), true),
                                           std::tuple(ValType::kExternRef, Between(4, 6), false),
                                           std::tuple(ValType::kExternRef, Between(0, 5), false),
                                           std::tuple(ValType::kFuncRef, Between(3, 6), false)}) {
    TestModule module;
    module.ImportTable(type, limits);
    EXPECT_EQ(store_.Instantiate(module.Info(), imports).ok(), fits);
  }
  for (const auto& [type, mut, fits] :
       {std::tuple(ValType::kI64, true, true), std::tuple(ValType::kI64, false, false),
        std::tuple(ValType::kF64, true, false)}) {
    TestModule module;
    module.ImportGlobal(type, mut);
    absl::StatusOr<DynamicInstance*> made = store_.Instantiate(module.Info(), imports);
    EXPECT_EQ(made.ok(), fits);
    if (!made.ok()) continue;
    // One storage: what one side writes the other reads.
    (*made)->FindGlobal("global")->Set(Value::I64(77));
    EXPECT_EQ(global->global.Get().i64(), 77u);
  }
}

TEST_F(Link, CheckedMemoryDoesNotFitCodeWithoutChecks) {
  absl::StatusOr<Extern> memory =
      store_.MakeMemory(Between(1, 4, 16), core::MemoryPolicy::kChecked);
  Imports imports;
  imports.Add("env", "memory", *memory);
  TestModule module;
  module.policy = core::MemoryPolicy::kReserved;
  module.ImportMemory(Between(1, 4, 16));
  ExpectRefused(module, imports, "translated for reserved memory");
}

TEST_F(Link, ThingsOfAnotherStoreAreRefused) {
  StoreHandle other;
  absl::StatusOr<DynamicInstance*> theirs = other.Instantiate(module_.Info(), {});
  ASSERT_TRUE(theirs.ok());
  for (const char* name : {"quick", "memory", "table", "global"}) {
    TestModule module;
    Imports imports;
    const std::string item = std::string(name) == "quick" ? "op" : name;
    imports.Add("env", item, *(*theirs)->Find(name));
    if (item == "memory") module.ImportMemory(Between(1, 3, 16));
    if (item == "table") module.ImportTable(ValType::kFuncRef, Between(2, 5));
    if (item == "global") module.ImportGlobal(ValType::kI32, true);
    ExpectRefused(module, imports, "env." + item + ": what is provided belongs to another store");
    EXPECT_TRUE(other.Instantiate(module.Info(), imports).ok());
  }
}

TEST_F(Link, MissingImportsAreNamed) {
  module_.ImportMemory(Between(1, 3, 16));
  ExpectRefused(module_, {}, "unknown import: env.memory");
  TestModule immediate;
  immediate.imports[0].suspend = nullptr;
  ExpectRefused(immediate, {}, "unknown import: env.op");
  Imports imports;
  imports.Add("env", "op", *store_.MakeFunction("op", Unary(), nullptr));
  ExpectRefused(immediate, imports, "immediate, but the function provided may suspend");
}

TEST_F(Link, AnotherAbiIsRefused) {
  ModuleInfo info = module_.Info();
  info.abi_version = core::kAbiVersion + 1;
  EXPECT_EQ(store_.Instantiate(info, {}).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(Link, TheLastBindingOfANameCounts) {
  Imports imports;
  imports.AddInstance("env", Make());  // has no "op"
  EXPECT_EQ(imports.Find("env", "op"), nullptr);
  ASSERT_NE(imports.Find("env", "quick"), nullptr);
  const Signature other{{ValType::kI64}, {}};
  imports.Add("env", "quick", *store_.MakeFunction("quick", other, nullptr));
  EXPECT_EQ(imports.Find("env", "quick")->signature, other);
}

TEST_F(Link, AFunctionKeepsItsHandleWhenItIsPassedOn) {
  absl::StatusOr<Extern> host =
      store_.MakeFunction("op", Unary(), [](absl::Span<const u64> a, absl::Span<u64> r) {
        r[0] = a[0] * 2;
        return Trap::kNone;
      });
  Imports imports;
  imports.Add("env", "op", *host);
  DynamicInstance* first = Make(imports);
  absl::StatusOr<DynamicStep> step = first->Call("ask", {I(20)});
  ASSERT_TRUE(step.ok() && step->finished());
  EXPECT_EQ(step->results()[0].i32(), 41u);
  const ref handle = first->Find("quick")->function.handle;
  Imports chain;
  chain.Add("env", "op", *first->Find("quick"));
  DynamicInstance* second = Make(chain);
  EXPECT_EQ(static_cast<Self*>(second->raw())->import_0.handle, handle);
  first->FindGlobal("global")->Set(I(100));
  EXPECT_EQ(second->Call("ask", {I(5)})->results()[0].i32(), 106u);
}

// ---- Failing ----

TEST_F(Link, WhatCannotBeMadeLeavesTheStoreAsItWas) {
  Limits limits;
  limits.table_elements = 1;
  StoreHandle small(limits);
  EXPECT_EQ(small.Instantiate(module_.Info(), {}).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(small.raw()->instance_count, 0u);
  EXPECT_EQ(small.raw()->function_count, 0u);
}

TEST_F(Link, AFailedInstanceStaysWhereOthersReferToIt) {
  DynamicInstance* first = Make();
  TestModule failing;
  failing.ImportTable(ValType::kFuncRef, Between(2, 5));
  failing.info.initialize = [](Instance* base) {
    Self& self = *static_cast<Self*>(base);
    self.g0 = 9;
    core::table_set(base, self.table0, 1, self.function_base + 1);  // quick
    core::RaiseTrap(base, Trap::kMemoryOutOfBounds);
  };
  Imports imports;
  imports.AddInstance("env", first);
  ExpectRefused(failing, imports, "out of bounds memory access");
  EXPECT_EQ(TrapOf(store_.Instantiate(failing.Info(), imports).status()), Trap::kMemoryOutOfBounds);
  // Another failure is not taken for one.
  EXPECT_EQ(TrapOf(store_.Instantiate(failing.Info(), {}).status()), Trap::kNone);
  EXPECT_EQ(TrapOf(absl::AbortedError("trap during initialization: unreachable")), Trap::kNone);
  absl::StatusOr<Value> element = first->FindTable("table")->Get(1);
  ASSERT_TRUE(element.ok());
  absl::StatusOr<DynamicStep> step = store_.CallRef(element->ref(), {I(1)});
  ASSERT_TRUE(step.ok()) << step.status();
  EXPECT_EQ(step->results()[0].i32(), 10u);
}

// ---- Wrong uses ----

TEST_F(Link, HandlesThatNameNothingAreErrors) {
  DynamicInstance* instance = Make();
  const u32 functions = store_.raw()->function_count;
  EXPECT_TRUE(instance->Call("keep", {Value::FuncRef(functions)}).ok());
  EXPECT_FALSE(instance->Call("keep", {Value::FuncRef(functions + 1)}).ok());
  EXPECT_FALSE(store_.MakeGlobal(Value::FuncRef(functions + 1), true).ok());
  EXPECT_FALSE(store_.SignatureOf(functions + 1).ok());
  EXPECT_FALSE(store_.SignatureOf(0).ok());
}

TEST_F(Link, ACallCannotBeResumedFromWithinItself) {
  DynamicStep* running = nullptr;
  absl::Status resumed, thrown;
  absl::StatusOr<Extern> host =
      store_.MakeFunction("op", Unary(), [&](absl::Span<const u64>, absl::Span<u64> results) {
        results[0] = 1;
        if (running == nullptr) return Trap::kNone;
        resumed = running->Resume({I(5)});
        thrown = running->Throw("no");
        running->Cancel();
        EXPECT_FALSE(running->suspended() || running->trapped() || running->finished());
        return Trap::kNone;
      });
  // outer: suspends in `first`'s op, then calls `host` once resumed.
  DynamicInstance* first = Make();
  Imports imports;
  imports.Add("env", "op", *first->Find("ask"));
  DynamicInstance* outer = Make(imports);
  absl::StatusOr<DynamicStep> step = outer->Call("ask", {I(3)});
  ASSERT_TRUE(step.ok() && step->suspended());
  // Its next frame calls the host function: rebind the op for the rest of the call.
  static Instance* self;
  self = first->raw();
  running = &*step;
  static core::SiteInfo sites[2];
  sites[0] = kSites[0];
  sites[1] = {[](Instance* base, u32, u8*, u64 value) -> u64 {
                if (base != self) return value + 1;
                const core::Function& import = static_cast<Self*>(base)->import_0;
                return reinterpret_cast<u32 (*)(Instance*, u32)>(import.code)(import.instance, 0);
              },
              0, false};
  module_.info.sites = sites;
  static_cast<Self*>(self)->import_0 = store_.raw()->functions[host->function.handle - 1];
  ASSERT_TRUE(step->Resume({I(40)}).ok());
  ASSERT_TRUE(step->finished());
  EXPECT_EQ(step->results()[0].i32(), 2u);
  EXPECT_EQ(resumed.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(thrown.code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(Link, TwoThreadsInOneStoreAreToldSo) {
  std::atomic<int> turn{0};
  absl::StatusOr<Extern> host =
      store_.MakeFunction("op", Unary(), [&](absl::Span<const u64>, absl::Span<u64>) {
        turn = 1;
        while (turn != 2) std::this_thread::yield();
        return Trap::kNone;
      });
  DynamicInstance* other = Make();
  Imports imports;
  imports.Add("env", "op", *host);
  DynamicInstance* instance = Make(imports);
  absl::StatusOr<DynamicStep> suspended = other->Call("ask", {I(1)});
  ASSERT_TRUE(suspended.ok() && suspended->suspended());
  std::thread first([&] { EXPECT_TRUE(instance->Call("ask", {I(1)})->finished()); });
  while (turn != 1) std::this_thread::yield();
  EXPECT_EQ(suspended->Resume({I(1)}).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(suspended->suspended());
  absl::StatusOr<DynamicStep> refused = other->Call("quick", {I(1)});
  ASSERT_TRUE(refused.ok() && refused->trapped());
  EXPECT_EQ(refused->message(), "the store is in use by another thread");
  EXPECT_FALSE(store_.Instantiate(module_.Info(), {}).ok());
  turn = 2;
  first.join();
  EXPECT_TRUE(suspended->Resume({I(1)}).ok());
  EXPECT_TRUE(suspended->finished());
}

TEST_F(Link, AStartFunctionThatIsCancelledStaysPending) {
  module_.start = 3;
  DynamicInstance* instance = Make();
  ASSERT_TRUE(instance->start_pending());
  EXPECT_FALSE(instance->Call("quick", {I(1)}).ok());
  absl::StatusOr<DynamicStep> start = instance->Start();
  ASSERT_TRUE(start.ok() && start->suspended());
  EXPECT_FALSE(instance->Start().ok());  // one at a time
  start->Cancel();
  EXPECT_TRUE(instance->start_pending());
  start = instance->Start();  // and again
  ASSERT_TRUE(start.ok() && start->suspended());
  ASSERT_TRUE(start->Resume({I(40)}).ok());
  EXPECT_FALSE(instance->start_pending());
  EXPECT_EQ(instance->Call("quick", {I(2)})->results()[0].i32(), 42u);
}

TEST_F(Link, StepsMoveAndAreCancelledWhenDropped) {
  DynamicInstance* instance = Make();
  std::vector<DynamicStep> steps;
  for (u32 i = 0; i < 100; ++i) {
    absl::StatusOr<DynamicStep> step = instance->Call("ask", {I(i)});
    ASSERT_TRUE(step.ok() && step->suspended());
    EXPECT_EQ(step->depth(), 2u);
    EXPECT_EQ(step->frame_bytes(), 3 * 8u);
    steps.push_back(*std::move(step));
  }
  for (u32 i = 0; i < 100; i += 2) {
    EXPECT_EQ(steps[i].op_arguments()[0].i32(), i);
    ASSERT_TRUE(steps[i].Resume({I(1000 + i)}).ok());
    EXPECT_EQ(steps[i].results()[0].i32(), 1001 + i);
    EXPECT_EQ(steps[i].frame_bytes(), 0u);
  }
  DynamicStep moved = std::move(steps[1]);
  EXPECT_FALSE(steps[1].suspended());
  EXPECT_TRUE(moved.suspended());
  EXPECT_EQ(instance->Call("ask", {I(0xffffffff)})->trap(), Trap::kUnreachable);
}

TEST(LoadModule, RefusesWhatIsNoModule) {
  EXPECT_EQ(LoadModule("/nowhere/at/all.so").status().code(), absl::StatusCode::kNotFound);
  // A library that every process has.
  const std::string library = LoadModule("libm.so.6").status().code() == absl::StatusCode::kNotFound
                                  ? "kernel32.dll"
                                  : "libm.so.6";
  const absl::Status other = LoadModule(library).status();
  EXPECT_EQ(other.code(), absl::StatusCode::kInvalidArgument) << other;
  EXPECT_NE(other.message().find("fermata_module"), std::string::npos) << other;
}

}  // namespace
}  // namespace fermata

// Saving, restoring and forking of generated guests.
#include "fermata/snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/support/code_fixture.h"
#include "tests/support/commands.h"
#include "tests/support/snapshot_guests.h"

namespace fermata {
namespace {

using ::testing::HasSubstr;

Variant Usual() { return {FERMATA_CXX, "auto", "reserved", false, 1}; }

// A store with one instance of mix.wat.
struct Mixed {
  std::unique_ptr<StoreHandle> store = std::make_unique<StoreHandle>();
  DynamicInstance* instance = nullptr;
  explicit Mixed(const ModuleInfo& info) {
    auto made = store->Instantiate(info, {});
    EXPECT_TRUE(made.ok()) << made.status();
    if (made.ok()) instance = *made;
  }
  DynamicStep Call(const char* name, std::vector<Value> arguments) {
    auto step = instance->Call(name, arguments);
    EXPECT_TRUE(step.ok()) << step.status();
    return step.ok() ? *std::move(step) : DynamicStep();
  }
};

std::string Describe(const DynamicStep& step) {
  if (step.trapped()) return step.message();
  std::string text;
  for (const Value& v : step.results()) absl::StrAppend(&text, v.low, ":", v.high, " ");
  return text;
}

// All that can be seen of a store from outside.
std::string StateOf(StoreHandle& store) {
  std::string text;
  for (DynamicInstance* instance : store.instances()) {
    for (const char* name : {"memory", "table", "refs", "a"}) {
      if (auto memory = instance->FindMemory(name); memory.ok()) {
        text.append(reinterpret_cast<const char*>(memory->data()), memory->size());
      }
      if (auto table = instance->FindTable(name); table.ok()) {
        for (uint32_t i = 0; i < table->size(); ++i) {
          absl::StrAppend(&text, table->Get(i)->ref(), ",");
        }
      }
      if (auto global = instance->FindGlobal(name); global.ok()) {
        absl::StrAppend(&text, "global ", global->Get().low, "\n");
      }
    }
  }
  return text;
}

class SnapshotVariants : public CodeFixture {
 protected:
  std::string Text() const override { return GuestText("mix"); }
};

TEST_P(SnapshotVariants, RestoredAtEverySuspension) {
  const std::vector<Value> arguments = {Value::I32(5), Value::ExternRef(77)};
  Mixed plain(*module_);
  DynamicStep expected = plain.Call("mix", arguments);
  ASSERT_TRUE(RunToEnd(expected, [](DynamicStep&) { return absl::OkStatus(); }).ok());
  ASSERT_TRUE(expected.finished()) << expected.message();

  RestoreHost host;
  host.modules = {module_};
  for (const bool compress : {false, true}) {
    Mixed mixed(*module_);
    DynamicStep step = mixed.Call("mix", arguments);
    int suspensions = 0;
    const absl::Status status = RunToEnd(step, [&](DynamicStep& s) {
      ++suspensions;
      return Again(mixed.store, s, host, {compress});
    });
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_GE(suspensions, 5 * 8);
    EXPECT_EQ(Describe(step), Describe(expected));
    EXPECT_EQ(StateOf(*mixed.store), StateOf(*plain.store));
    // The segments are gone in the restored instance, too.
    for (const char* name : {"init", "elements"}) {
      auto again = mixed.store->instances()[0]->Call(name, {});
      ASSERT_TRUE(again.ok());
      ASSERT_TRUE(RunToEnd(*again, [](DynamicStep&) { return absl::OkStatus(); }).ok());
      EXPECT_TRUE(again->trapped()) << name;
    }
  }
}
// Where every import is immediate, nothing suspends.
std::vector<Variant> SuspendingVariants() {
  std::vector<Variant> variants = AllVariants();
  variants.erase(std::remove_if(variants.begin(), variants.end(),
                                [](const Variant& v) { return v.plain_functions; }),
                 variants.end());
  return variants;
}
INSTANTIATE_TEST_SUITE_P(All, SnapshotVariants, testing::ValuesIn(SuspendingVariants()),
                         NameOfVariant);

// The translations of one module by different compilers, for different memories and shapes.
TEST(Snapshot, RestoresInOtherBuilds) {
  FERMATA_SKIP_WITHOUT_WAT2WASM();
  std::vector<const ModuleInfo*> modules;
  for (const char* compiler : {FERMATA_GXX, FERMATA_CLANGXX}) {
    if (*compiler == '\0') continue;
    for (const char* memory : {"reserved", "checked"}) {
      for (const char* shape : {"split", "tails", "shared"}) {
        modules.push_back(LoadText(GuestText("mix"), {compiler, shape, memory, false, 1}));
        ASSERT_NE(modules.back(), nullptr);
      }
    }
  }
  const std::vector<Value> arguments = {Value::I32(6), Value::ExternRef(3)};
  Mixed plain(*modules[0]);
  DynamicStep expected = plain.Call("mix", arguments);
  ASSERT_TRUE(RunToEnd(expected, [](DynamicStep&) { return absl::OkStatus(); }).ok());

  Mixed mixed(*modules[0]);
  DynamicStep step = mixed.Call("mix", arguments);
  size_t next = 0;
  const absl::Status status = RunToEnd(step, [&](DynamicStep& s) {
    RestoreHost host;
    host.modules = {modules[++next % modules.size()]};
    return Again(mixed.store, s, host);
  });
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Describe(step), Describe(expected));
  EXPECT_EQ(StateOf(*mixed.store), StateOf(*plain.store));
  // All of them give the same bytes.
  EXPECT_EQ(*Save(*mixed.store, {}), *Save(*mixed.store, {}));
}

// What the host makes for linked.wat.
struct HostMade {
  int64_t added = 0;
  HostFunction Add() {
    return [this](absl::Span<const uint64_t> a, absl::Span<uint64_t> r) {
      added += 1;
      r[0] = static_cast<uint32_t>(a[0] + a[1]);
      return Trap::kNone;
    };
  }
};

void Link(StoreHandle& store, const ModuleInfo& mix, const ModuleInfo& linked, HostMade& made) {
  Imports imports;
  auto first = store.Instantiate(mix, {});
  ASSERT_TRUE(first.ok()) << first.status();
  const auto add = [&](const char* name, absl::StatusOr<Extern> e) {
    ASSERT_TRUE(e.ok()) << e.status();
    imports.Add("host", name, *e);
  };
  imports.AddInstance("mix", *first);
  core::SizeLimitsInfo limits{};
  limits.min = 1;
  limits.max = 4;
  limits.has_max = true;
  add("global", store.MakeGlobal(Value::I64(uint64_t{1} << 40), true));
  add("memory", store.MakeMemory(limits, linked.memory_policy));
  add("table", store.MakeTable(ValType::kExternRef, limits));
  add("ask", store.MakeFunction("ask", {{ValType::kI32}, {ValType::kI32}}, nullptr));
  add("add",
      store.MakeFunction("add", {{ValType::kI32, ValType::kI32}, {ValType::kI32}}, made.Add()));
  add("tag", store.MakeTag({{ValType::kI32}, {}}));
  auto second = store.Instantiate(linked, imports);
  ASSERT_TRUE(second.ok()) << second.status();
}

TEST(Snapshot, LinkedInstances) {
  FERMATA_SKIP_WITHOUT_WAT2WASM();
  for (const char* memory : {"reserved", "checked"}) {
    for (const bool everywhere : {false, true}) {
      const Variant variant = {FERMATA_CXX, "auto", memory, false, 1, everywhere};
      const ModuleInfo* mix = LoadText(GuestText("mix"), variant);
      const ModuleInfo* linked = LoadText(GuestText("linked"), variant);
      ASSERT_TRUE(mix != nullptr && linked != nullptr);
      HostMade made;
      RestoreHost host;
      host.modules = {linked, mix};
      host.functions["add"] = made.Add();

      std::string expected;
      for (const bool again : {false, true}) {
        auto store = std::make_unique<StoreHandle>();
        Link(*store, *mix, *linked, made);
        if (HasFatalFailure()) return;
        auto step = store->instances()[1]->Call("go", {Value::I32(21)});
        ASSERT_TRUE(step.ok()) << step.status();
        const absl::Status status = RunToEnd(*step, [&](DynamicStep& s) {
          return again ? Again(store, s, host) : absl::OkStatus();
        });
        ASSERT_TRUE(status.ok()) << status;
        ASSERT_TRUE(step->finished()) << step->message();
        const std::string found = Describe(*step) + StateOf(*store);
        EXPECT_TRUE(!again || found == expected);
        expected = found;
        EXPECT_EQ(made.added, again ? 2 : 1);
        made.added = again ? 0 : made.added;
      }
      // Without its code the function can't be restored.
      auto store = std::make_unique<StoreHandle>();
      Link(*store, *mix, *linked, made);
      const std::string bytes = *Save(*store, {});
      host.functions.clear();
      EXPECT_THAT(Restore(bytes, host).status().message(), HasSubstr("\"add\""));
      // What the host made is found again.
      host.functions["add"] = made.Add();
      auto restored = Restore(bytes, host);
      ASSERT_TRUE(restored.ok()) << restored.status();
      ASSERT_EQ(restored->externs.size(), 6u);
      EXPECT_EQ(restored->externs[0].global.Get().low, uint64_t{1} << 40);
      EXPECT_EQ(restored->instances.size(), 2u);
    }
  }
}

TEST(Snapshot, SeveralCallsAndExceptions) {
  FERMATA_SKIP_WITHOUT_WAT2WASM();
  const ModuleInfo* module = LoadText(GuestText("mix"), Usual());
  ASSERT_NE(module, nullptr);
  Mixed mixed(*module);
  auto tag = mixed.store->MakeTag({{ValType::kI64, ValType::kFuncRef}, {}});
  ASSERT_TRUE(tag.ok());
  core::Store& raw = *mixed.store->raw();
  const uint64_t payload[] = {~uint64_t{0}, 1}, other[] = {5, 0};
  EXPECT_EQ(raw.keep(&raw, tag->tag, payload, 2), 1u);
  EXPECT_EQ(raw.keep(&raw, tag->tag, other, 2), 2u);
  ASSERT_TRUE(mixed.store->MakeGlobal(Value::ExnRef(2), true).ok());

  std::vector<DynamicStep> steps;
  std::vector<const DynamicStep*> pointers;
  for (uint32_t i = 0; i < 10; ++i) steps.push_back(mixed.Call("deep", {Value::I32(i * 100)}));
  for (const DynamicStep& step : steps) pointers.push_back(&step);
  absl::StatusOr<std::string> bytes = Save(*mixed.store, pointers);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  RestoreHost host;
  host.modules = {module};
  auto restored = Restore(*bytes, host);
  ASSERT_TRUE(restored.ok()) << restored.status();
  ASSERT_EQ(restored->steps.size(), 10u);
  EXPECT_EQ(*Save(*restored->store, {&restored->steps[3]}), *Save(*mixed.store, {&steps[3]}));
  const core::Store& again = *restored->store->raw();
  ASSERT_EQ(again.exception_count, 2u);
  EXPECT_EQ(again.exceptions[0].values[0], ~uint64_t{0});
  EXPECT_EQ(again.exceptions[1].values[0], 5u);
  EXPECT_EQ(restored->externs[1].global.Get().ref(), 2u);
  for (uint32_t i = 0; i < 10; ++i) {
    const uint32_t n = i * 100;
    EXPECT_EQ(restored->steps[i].depth(), n + 2);
    ASSERT_TRUE(RunToEnd(restored->steps[i], [](DynamicStep&) { return absl::OkStatus(); }).ok());
    ASSERT_TRUE(restored->steps[i].finished());
    EXPECT_EQ(restored->steps[i].results()[0].i32(), n * (n + 1) / 2 + 22);
  }
}

TEST(Snapshot, SizeIsLiveData) {
  FERMATA_SKIP_WITHOUT_WAT2WASM();
  const ModuleInfo* module = LoadText(GuestText("mix"), Usual());
  ASSERT_NE(module, nullptr);
  Mixed mixed(*module);
  Memory memory = *mixed.instance->FindMemory("memory");
  ASSERT_TRUE(memory.Grow(39).ok());
  const DynamicStep step = mixed.Call("deep", {Value::I32(1000)});
  const size_t empty = Save(*mixed.store, {&step})->size();
  EXPECT_LE(empty, step.frame_bytes() + 1024);
  memset(memory.Span(1 << 20, 100000).data(), 7, 100000);
  EXPECT_LE(Save(*mixed.store, {&step})->size(), empty + 100000 + 1024);
  EXPECT_LE(Save(*mixed.store, {&step}, {.compress = true})->size(), 8192u);
}

// ---- Forks ----

TEST(Fork, GoTheirOwnWays) {
  FERMATA_SKIP_WITHOUT_WAT2WASM();
  for (const char* policy : {"reserved", "checked"}) {
    const ModuleInfo* module = LoadText(GuestText("mix"), {FERMATA_CXX, "auto", policy, false, 1});
    ASSERT_NE(module, nullptr);
    Mixed mixed(*module);
    const auto go_on = [](DynamicStep&) { return absl::OkStatus(); };
    DynamicStep step = mixed.Call("mix", {Value::I32(5), Value::ExternRef(9)});
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(step.Resume({Op(step.op_arguments()[0])}).ok());
    const std::string before = StateOf(*mixed.store);
    auto fork = Fork(*mixed.store, {&step});
    auto point = ForkPoint::Make(*mixed.store, {&step});
    ASSERT_TRUE(fork.ok()) << fork.status();
    ASSERT_TRUE(point.ok()) << point.status();
    ASSERT_TRUE(RunToEnd(step, go_on).ok());
    const std::string after = StateOf(*mixed.store), result = Describe(step);
    EXPECT_EQ(StateOf(*fork->store), before);
    mixed.store = nullptr;
    ASSERT_TRUE(RunToEnd(fork->steps[0], go_on).ok());
    EXPECT_EQ(Describe(fork->steps[0]), result);
    EXPECT_EQ(StateOf(*fork->store), after);
    for (int i = 0; i < 3; ++i) {
      auto another = point->Fork();
      ASSERT_TRUE(another.ok()) << another.status();
      EXPECT_EQ(StateOf(*another->store), before);
      ASSERT_TRUE(RunToEnd(another->steps[0], go_on).ok());
      EXPECT_EQ(Describe(another->steps[0]), result);
      EXPECT_EQ(StateOf(*another->store), after);
    }
  }
}

TEST(Fork, ClonesShareTheInstance) {
  FERMATA_SKIP_WITHOUT_WAT2WASM();
  const ModuleInfo* module = LoadText(GuestText("mix"), Usual());
  ASSERT_NE(module, nullptr);
  Mixed mixed(*module);
  DynamicStep step = mixed.Call("deep", {Value::I32(10)});
  auto clone = step.Clone();
  ASSERT_TRUE(clone.ok()) << clone.status();
  ASSERT_TRUE(step.Resume({Value::I32(1)}).ok());
  ASSERT_TRUE(clone->Resume({Value::I32(2)}).ok());
  EXPECT_EQ(step.results()[0].i32(), 56u);
  EXPECT_EQ(clone->results()[0].i32(), 57u);
  EXPECT_FALSE(step.Clone().ok());
}

// ---- Errors ----

TEST(Snapshot, RefusesWhatIsNotSuspended) {
  FERMATA_SKIP_WITHOUT_WAT2WASM();
  const ModuleInfo* module = LoadText(GuestText("mix"), Usual());
  ASSERT_NE(module, nullptr);
  Mixed mixed(*module), other(*module);
  const DynamicStep none, ended = mixed.Call("double", {Value::I32(1)}),
                          foreign = other.Call("forever", {});
  EXPECT_FALSE(Save(*mixed.store, {&none}).ok());
  EXPECT_FALSE(Save(*mixed.store, {&ended}).ok());
  EXPECT_FALSE(Save(*mixed.store, {&foreign}).ok());
  EXPECT_FALSE(Fork(*mixed.store, {&foreign}).ok());
}

TEST(Snapshot, RefusesOtherModulesAndDamage) {
  FERMATA_SKIP_WITHOUT_WAT2WASM();
  const ModuleInfo* module = LoadText(GuestText("mix"), Usual());
  const ModuleInfo* other = LoadText("(module)", Usual());
  const ModuleInfo* everywhere =
      LoadText(GuestText("mix"), {FERMATA_CXX, "auto", "reserved", false, 1, true});
  ASSERT_TRUE(module != nullptr && other != nullptr && everywhere != nullptr);
  Mixed mixed(*module);
  const DynamicStep step = mixed.Call("deep", {Value::I32(3)});
  const auto message = [](absl::string_view bytes, const RestoreHost& host) {
    return std::string(Restore(bytes, host).status().message());
  };
  for (const bool compress : {false, true}) {
    const std::string bytes = *Save(*mixed.store, {&step}, {compress});
    RestoreHost host;
    EXPECT_THAT(message(bytes, host), HasSubstr("with this hash"));
    host.modules = {other};
    EXPECT_THAT(message(bytes, host), HasSubstr("with this hash"));
    host.modules = {other, everywhere};
    EXPECT_THAT(message(bytes, host), HasSubstr("other sites"));
    host.modules = {other, everywhere, module};
    EXPECT_EQ(message(bytes, host), "");
    host.limits.frame_bytes = 32;
    EXPECT_THAT(message(bytes, host), HasSubstr("limits"));
    host.limits = {};
    host.limits.call_depth = 2;
    EXPECT_THAT(message(bytes, host), HasSubstr("limits"));
    host.limits = {};
    host.limits.memory_pages = 0;
    EXPECT_NE(message(bytes, host), "");
    host.limits = {};
    host.most_instances = 0;
    EXPECT_THAT(message(bytes, host), HasSubstr("limit"));
    host.most_instances = 1;
    for (size_t size = 0; size < bytes.size(); ++size) {
      ASSERT_FALSE(Restore(bytes.substr(0, size), host).ok()) << size;
    }
    ASSERT_FALSE(Restore(bytes + "x", host).ok());
    for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
      std::string flipped = bytes;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
      ASSERT_FALSE(Restore(flipped, host).ok()) << bit;
    }
    std::string version = bytes;
    version[8] = 99;
    EXPECT_THAT(message(version, host), HasSubstr("format 99"));
  }
}

// A start function is restored in its course, and runs once.
TEST(Snapshot, StartFunctions) {
  FERMATA_SKIP_WITHOUT_WAT2WASM();
  const ModuleInfo* module = LoadText(R"((module
    (import "env" "op_i32" (func $op (param i32) (result i32)))
    (global $g (export "g") (mut i32) (i32.const 1))
    (start $start)
    (func $start (global.set $g (call $op (global.get $g))))
    (func (export "get") (result i32) (global.get $g))))",
                                      Usual());
  ASSERT_NE(module, nullptr);
  RestoreHost host;
  host.modules = {module};
  Mixed mixed(*module);
  auto pending = Restore(*Save(*mixed.store, {}), host);
  ASSERT_TRUE(pending.ok()) << pending.status();
  EXPECT_TRUE(pending->instances[0]->start_pending());
  auto start = pending->instances[0]->Start();
  ASSERT_TRUE(start.ok()) << start.status();
  EXPECT_FALSE(Save(*pending->store, {&*start, &*start}).ok() &&
               Restore(*Save(*pending->store, {&*start, &*start}), host).ok());
  EXPECT_FALSE(start->Clone().ok());
  auto running = Restore(*Save(*pending->store, {&*start}), host);
  ASSERT_TRUE(running.ok()) << running.status();
  DynamicInstance& instance = *running->instances[0];
  EXPECT_FALSE(instance.Start().ok());
  EXPECT_FALSE(instance.Call("get", {}).ok());
  ASSERT_TRUE(running->steps[0].Resume({Value::I32(8)}).ok());
  EXPECT_FALSE(instance.start_pending());
  EXPECT_EQ(instance.Call("get", {})->results()[0].i32(), 8u);
}

}  // namespace
}  // namespace fermata

// The dynamic API and linking: several instances that import from each other, host functions in
// tables and as imports, start functions, misuse, faults that are not the guest's.
#include "fermata/dynamic.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/support/commands.h"
#include "tests/support/files.h"
#include "tests/support/native.h"

namespace fermata {
namespace {

// Assembles, translates, compiles and loads a module; each text once.
const ModuleInfo* Compile(const std::string& text, const std::vector<std::string>& flags = {}) {
  static std::map<std::pair<std::string, std::vector<std::string>>, const ModuleInfo*> loaded;
  auto [it, fresh] = loaded.try_emplace({text, flags}, nullptr);
  if (!fresh) return it->second;
  static const testing_support::Folder folder;
  const std::string path = folder / absl::StrCat(loaded.size(), ".wasm");
  if (!testing_support::Assemble(text, path, {})) return nullptr;
  driver::NativeBuildOptions options = testing_support::BuildOptions(path);
  options.translator_flags = flags;
  return it->second = testing_support::BuildAndLoad(options);
}

Value I(uint32_t v) { return Value::I32(v); }

class Dynamic : public testing::Test {
 protected:
  void SetUp() override { FERMATA_SKIP_WITHOUT_WAT2WASM(); }
  DynamicInstance* Make(const std::string& text, const Imports& imports = {},
                        const std::vector<std::string>& flags = {}) {
    const ModuleInfo* info = Compile(text, flags);
    if (info == nullptr) return nullptr;
    absl::StatusOr<DynamicInstance*> instance = store_.Instantiate(*info, imports);
    EXPECT_TRUE(instance.ok()) << instance.status();
    return instance.ok() ? *instance : nullptr;
  }
  absl::Status Refused(const std::string& text, const Imports& imports,
                       const std::vector<std::string>& flags = {}) {
    const ModuleInfo* info = Compile(text, flags);
    if (info == nullptr) return absl::OkStatus();
    return store_.Instantiate(*info, imports).status();
  }
  uint32_t Result(absl::StatusOr<DynamicStep> step) {
    EXPECT_TRUE(step.ok()) << step.status();
    if (!step.ok()) return 0xdead;
    EXPECT_TRUE(step->finished()) << step->message();
    return step->finished() && step->results().size() == 1 ? step->results()[0].i32() : 0xdead;
  }

  StoreHandle store_;
};

constexpr char kServer[] = R"((module
  (import "env" "wait" (func $wait (param i32) (result i32)))
  (memory (export "memory") 1 3)
  (table (export "table") 4 8 funcref)
  (global (export "counter") (mut i32) (i32.const 5))
  (global (export "constant") i64 (i64.const 7))
  (func $slow (export "slow") (param i32) (result i32)
    (i32.store (i32.const 16) (local.get 0))
    (i32.add (call $wait (local.get 0)) (i32.load (i32.const 16))))
  (func $quick (export "quick") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  (elem (i32.const 0) $slow $quick)))";

constexpr char kClient[] = R"((module
  (type $unary (func (param i32) (result i32)))
  (import "server" "slow" (func $slow (param i32) (result i32)))
  (import "server" "memory" (memory 1))
  (import "server" "table" (table 2 funcref))
  (import "server" "counter" (global $counter (mut i32)))
  (func (export "run") (param i32) (result i32)
    (local $before i32)
    (local.set $before (global.get $counter))
    (global.set $counter (i32.add (global.get $counter) (i32.const 1)))
    (i32.add (i32.mul (call $slow (local.get 0)) (i32.const 100)) (local.get $before)))
  (func (export "indirect") (param i32 i32) (result i32)
    (i32.add (call_indirect (type $unary) (local.get 0) (local.get 1)) (i32.const 1000)))
  (func (export "peek") (param i32) (result i32) (i32.load (local.get 0)))
  (func $mine (param i32) (result i32) (i32.mul (local.get 0) (local.get 0)))
  (elem (i32.const 2) $mine)))";

TEST_F(Dynamic, ACallThatSuspendsInAnotherInstanceKeepsTheFramesOfBoth) {
  DynamicInstance* server = Make(kServer);
  ASSERT_NE(server, nullptr);
  Imports imports;
  imports.AddInstance("server", server);
  DynamicInstance* client = Make(kClient, imports);
  ASSERT_NE(client, nullptr);

  absl::StatusOr<DynamicStep> step = client->Call("run", {I(3)});
  ASSERT_TRUE(step.ok()) << step.status();
  ASSERT_TRUE(step->suspended());
  EXPECT_EQ(step->op_module(), "env");
  EXPECT_EQ(step->op_name(), "wait");
  EXPECT_EQ(step->op_instance(), server);
  EXPECT_EQ(step->depth(), 3u);  // client, server, op
  // Meanwhile another activation uses both instances.
  EXPECT_EQ(Result(client->Call("indirect", {I(4), I(1)})), 1005u);
  EXPECT_EQ(Result(client->Call("peek", {I(16)})), 3u);
  ASSERT_TRUE(step->Resume({I(40)}).ok());
  ASSERT_TRUE(step->finished());
  EXPECT_EQ(step->results()[0].i32(), 43u * 100 + 5);
  EXPECT_EQ(server->FindGlobal("counter")->Get().i32(), 6u);
}

TEST_F(Dynamic, TablesHoldFunctionsOfSeveralInstances) {
  DynamicInstance* server = Make(kServer);
  Imports imports;
  imports.AddInstance("server", server);
  DynamicInstance* client = Make(kClient, imports);
  EXPECT_EQ(Result(client->Call("indirect", {I(9), I(2)})), 1081u);
  absl::StatusOr<DynamicStep> step = client->Call("indirect", {I(9), I(0)});
  ASSERT_TRUE(step->suspended());
  ASSERT_TRUE(step->Resume({I(1)}).ok());
  EXPECT_EQ(step->results()[0].i32(), 1010u);
  EXPECT_EQ(client->Call("indirect", {I(9), I(3)})->trap(), Trap::kUninitializedElement);
  EXPECT_EQ(client->Call("indirect", {I(9), I(4)})->trap(), Trap::kUndefinedElement);
}

TEST_F(Dynamic, HostFunctionsInTables) {
  DynamicInstance* server = Make(kServer);
  Imports imports;
  imports.AddInstance("server", server);
  DynamicInstance* client = Make(kClient, imports);
  absl::StatusOr<Table> table = server->FindTable("table");
  ASSERT_TRUE(table.ok());
  const Signature unary{{ValType::kI32}, {ValType::kI32}};
  absl::StatusOr<Extern> twice =
      store_.MakeFunction("twice", unary, [](absl::Span<const uint64_t> a, absl::Span<uint64_t> r) {
        r[0] = static_cast<uint32_t>(2 * a[0]);
        return Trap::kNone;
      });
  absl::StatusOr<Extern> ask = store_.MakeFunction("ask", unary, nullptr);
  ASSERT_TRUE(table->Set(3, Value::FuncRef(twice->function.handle)).ok());
  EXPECT_EQ(Result(client->Call("indirect", {I(9), I(3)})), 1018u);
  ASSERT_TRUE(table->Set(3, Value::FuncRef(ask->function.handle)).ok());
  absl::StatusOr<DynamicStep> step = client->Call("indirect", {I(9), I(3)});
  ASSERT_TRUE(step->suspended());
  EXPECT_EQ(step->op_module(), "#host");
  EXPECT_EQ(step->op_name(), "ask");
  EXPECT_EQ(step->op_arguments()[0].i32(), 9u);
  ASSERT_TRUE(step->Resume({I(5)}).ok());
  EXPECT_EQ(step->results()[0].i32(), 1005u);
  // Called by the host itself.
  absl::StatusOr<DynamicStep> direct = store_.CallRef(ask->function.handle, {I(1)});
  ASSERT_TRUE(direct.ok());
  ASSERT_TRUE(direct->suspended());
  ASSERT_TRUE(direct->Resume({I(77)}).ok());
  EXPECT_EQ(direct->results()[0].i32(), 77u);
}

TEST_F(Dynamic, ImmediateImportsMayCallBackAndTrap) {
  DynamicInstance* server = nullptr;
  absl::StatusOr<Extern> wait = store_.MakeFunction(
      "wait", {{ValType::kI32}, {ValType::kI32}},
      [&](absl::Span<const uint64_t> a, absl::Span<uint64_t> r) {
        if (a[0] == 0) return Trap::kHost;
        r[0] = a[0] == 1 ? 50 : Result(server->Call("slow", {I(a[0] - 1)}));  // a new activation
        return Trap::kNone;
      });
  Imports imports;
  imports.Add("env", "wait", *wait);
  server = Make(kServer, imports, {"--immediate=env.wait"});
  ASSERT_NE(server, nullptr);
  // slow(n) stores n, then waits: slow(n) = slow(n - 1) + what the inner call left in memory.
  EXPECT_EQ(Result(server->Call("slow", {I(1)})), 51u);
  EXPECT_EQ(Result(server->Call("slow", {I(3)})), 53u);
  EXPECT_EQ(server->Call("slow", {I(0)})->trap(), Trap::kHost);
  EXPECT_EQ(Result(server->Call("quick", {I(1)})), 2u);
}

TEST_F(Dynamic, LinkErrorsNameTheImport) {
  DynamicInstance* server = Make(kServer);
  Imports imports;
  imports.AddInstance("server", server);
  const absl::Status missing = Refused(R"((module (import "nowhere" "m" (memory 1))))", imports);
  EXPECT_NE(missing.message().find("unknown import: nowhere.m"), std::string::npos) << missing;
  const struct {
    const char* import;
    const char* why;
  } kCases[] = {
      {R"("server" "quick" (func (param i64)))", "expected [i64] -> [], found [i32] -> [i32]"},
      {R"("server" "quick" (memory 1))", "another kind"},
      {R"("server" "memory" (memory 2))", "does not fit"},
      {R"("server" "memory" (memory 1 2))", "does not fit"},
      {R"("server" "table" (table 5 funcref))", "does not fit"},
      {R"("server" "table" (table 1 externref))", "another type"},
      {R"("server" "counter" (global i32))", "mutability"},
      {R"("server" "constant" (global i32))", "another type"}};
  for (const auto& c : kCases) {
    const absl::Status status = Refused(absl::StrCat("(module (import ", c.import, "))"), imports);
    EXPECT_NE(status.message().find("incompatible import type: server."), std::string::npos)
        << status;
    EXPECT_NE(status.message().find(c.why), std::string::npos) << status;
  }
  const absl::Status immediate =
      Refused(R"((module (import "server" "slow" (func (param i32) (result i32)))))", imports,
              {"--immediate=server.slow"});
  EXPECT_NE(immediate.message().find("may suspend"), std::string::npos) << immediate;
}

TEST_F(Dynamic, FailedInitializationKeepsItsWrites) {
  DynamicInstance* server = Make(kServer);
  Imports imports;
  imports.AddInstance("server", server);
  const absl::Status status = Refused(R"((module
      (import "server" "memory" (memory 1))
      (import "server" "table" (table 1 funcref))
      (func $left (param i32) (result i32) (i32.const 321))
      (elem (i32.const 3) $left)
      (data (i32.const 100) "kept")
      (data (i32.const 65535) "too long")))",
                                      imports);
  EXPECT_NE(status.message().find("out of bounds memory access"), std::string::npos) << status;
  EXPECT_EQ(server->FindMemory("memory")->Span(100, 4)[0], 'k');
  Imports again;
  again.AddInstance("server", server);
  DynamicInstance* client = Make(kClient, again);
  EXPECT_EQ(Result(client->Call("indirect", {I(0), I(3)})), 1321u);
}

TEST_F(Dynamic, StartFunctions) {
  DynamicInstance* plain = Make(R"((module (global (export "g") (mut i32) (i32.const 0))
      (func $s (global.set 0 (i32.const 9))) (start $s)))");
  EXPECT_FALSE(plain->start_pending());
  EXPECT_EQ(plain->FindGlobal("g")->Get().i32(), 9u);

  DynamicInstance* slow = Make(R"((module (import "env" "ready" (func $r (result i32)))
      (global (export "g") (mut i32) (i32.const 0))
      (func (export "get") (result i32) (global.get 0))
      (func $s (global.set 0 (call $r))) (start $s)))");
  EXPECT_TRUE(slow->start_pending());
  EXPECT_FALSE(slow->Call("get", {}).ok());
  absl::StatusOr<DynamicStep> start = slow->Start();
  ASSERT_TRUE(start->suspended());
  EXPECT_FALSE(slow->Start().ok());
  ASSERT_TRUE(start->Resume({I(4)}).ok());
  EXPECT_TRUE(start->finished());
  EXPECT_EQ(Result(slow->Call("get", {})), 4u);

  const absl::Status trap = Refused("(module (func $s (unreachable)) (start $s))", {});
  EXPECT_NE(trap.message().find("unreachable"), std::string::npos) << trap;
}

TEST_F(Dynamic, MisuseIsAnError) {
  DynamicInstance* server = Make(kServer);
  EXPECT_FALSE(server->Call("nothing", {}).ok());
  EXPECT_FALSE(server->Call("memory", {}).ok());
  EXPECT_FALSE(server->Call("quick", {}).ok());
  EXPECT_FALSE(server->Call("quick", {Value::I64(1)}).ok());
  EXPECT_FALSE(store_.CallRef(0, {}).ok());
  EXPECT_FALSE(store_.CallRef(100000, {}).ok());
  EXPECT_FALSE(server->FindTable("table")->Set(4, Value::FuncRef(0)).ok());
  EXPECT_FALSE(server->FindTable("table")->Set(0, Value::FuncRef(9999)).ok());
  absl::StatusOr<DynamicStep> step = server->Call("slow", {I(1)});
  EXPECT_FALSE(step->Resume({}).ok());
  EXPECT_FALSE(step->Resume({Value::I64(1)}).ok());
  ASSERT_TRUE(step->suspended());
  ASSERT_TRUE(step->Resume({I(1)}).ok());
  EXPECT_FALSE(step->Resume({I(1)}).ok());
  EXPECT_FALSE(DynamicStep().Resume({}).ok());
  EXPECT_EQ(server->FindMemory("memory")->Span(65535, 2).data(), nullptr);
  EXPECT_EQ(server->FindMemory("memory")->Span(~0ull, 2).data(), nullptr);
}

TEST_F(Dynamic, CancelAndThrowRunNoGuestCode) {
  DynamicInstance* server = Make(kServer);
  absl::StatusOr<DynamicStep> step = server->Call("slow", {I(1)});
  EXPECT_GT(step->frame_bytes(), 0u);
  step->Cancel();
  EXPECT_EQ(step->trap(), Trap::kCancelled);
  EXPECT_EQ(step->frame_bytes(), 0u);
  step = server->Call("slow", {I(1)});
  ASSERT_TRUE(step->Throw("connection reset").ok());
  EXPECT_EQ(step->trap(), Trap::kHost);
  EXPECT_EQ(step->message(), "connection reset");
  EXPECT_FALSE(step->Throw("again").ok());
}

TEST_F(Dynamic, AnActivationMovesToAnotherThread) {
  DynamicInstance* server = Make(kServer);
  absl::StatusOr<DynamicStep> step = server->Call("slow", {I(1)});
  std::thread([&] { EXPECT_TRUE(step->Resume({I(8)}).ok()); }).join();
  ASSERT_TRUE(step->finished());
  EXPECT_EQ(step->results()[0].i32(), 9u);
  std::thread([&] { EXPECT_EQ(server->Call("quick", {I(1)})->results()[0].i32(), 2u); }).join();
}

TEST_F(Dynamic, LimitsAreTraps) {
  Limits limits;
  limits.frame_bytes = 4096;
  limits.memory_pages = 2;
  StoreHandle store(limits);
  const ModuleInfo* info = Compile(R"((module (import "env" "op" (func $op (result i32)))
      (memory 1)
      (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
      (func $down (export "down") (param i32) (result i32)
        (if (result i32) (local.get 0)
          (then (i32.add (call $down (i32.sub (local.get 0) (i32.const 1))) (local.get 0)))
          (else (call $op))))))");
  absl::StatusOr<DynamicInstance*> instance = store.Instantiate(*info, {});
  ASSERT_TRUE(instance.ok());
  EXPECT_TRUE((*instance)->Call("down", {I(100)})->suspended());
  EXPECT_EQ((*instance)->Call("down", {I(1000)})->trap(), Trap::kCallStackExhausted);
  EXPECT_EQ((*instance)->Call("grow", {I(1)})->results()[0].i32(), 1u);
  EXPECT_EQ((*instance)->Call("grow", {I(1)})->results()[0].i32(), 0xffffffffu);
  limits.memory_pages = 0;
  StoreHandle none(limits);
  EXPECT_FALSE(none.Instantiate(*info, {}).ok());
}

using DynamicDeathTest = Dynamic;

TEST_F(DynamicDeathTest, FaultsOfTheHostAreNotTheGuests) {
  DynamicInstance* server = Make(kServer);
  ASSERT_EQ(Result(server->Call("quick", {I(1)})), 2u);  // the fault handler is installed
  void* page = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(page, MAP_FAILED);
  EXPECT_DEATH(*static_cast<volatile char*>(page) = 1, "");
  // In a host function called by a guest, too, even if the address is a guest's.
  Imports imports;
  uint8_t* memory = server->FindMemory("memory")->data();
  absl::StatusOr<Extern> wait =
      store_.MakeFunction("wait", {{ValType::kI32}, {ValType::kI32}},
                          [memory](absl::Span<const uint64_t>, absl::Span<uint64_t>) {
                            *const_cast<volatile uint8_t*>(memory + (uint64_t{1} << 32)) = 1;
                            return Trap::kNone;
                          });
  imports.Add("env", "wait", *wait);
  DynamicInstance* other = Make(kServer, imports, {"--immediate=env.wait"});
  EXPECT_DEATH((void)other->Call("slow", {I(1)}), "");
  munmap(page, 4096);
}

}  // namespace
}  // namespace fermata

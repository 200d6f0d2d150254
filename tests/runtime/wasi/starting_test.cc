// How instances start: the start function and a reactor's "_initialize", which may exit, trap and
// suspend; in processes, and through the dynamic and the typed API.
#include "starting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "fermata/snapshot.h"
#include "fermata/wasi/process.h"
#include "fermata/wasi/snapshot.h"
#include "leaving.h"
#include "starting_at_once.h"

namespace fermata::wasi {
namespace {

using State = Process::State;
using testing::HasSubstr;
using ::wasi::guests::Starting;

const ModuleInfo& Suspending() { return ::wasi::guests::StartingModuleInfo(); }
const ModuleInfo& AtOnce() { return ::wasi::guests::StartingAtOnceModuleInfo(); }

// What starting.wat is told to do, and where.
enum Act { kExit = 1, kExitThroughTable = 2, kTrap = 3, kRead = 4 };
constexpr int kInInitialize = 4;

Config Acting(int act) {
  Config config;
  config.args.assign(static_cast<size_t>(act), "argument");
  return config;
}

uint32_t Log(DynamicInstance& instance) {
  const auto step = instance.Call("log", {});
  return step.ok() && step->finished() ? step->results()[0].i32() : ~0u;
}

// ---- Processes ----

struct Kind {
  bool at_once;  // nothing of the start can suspend
  bool always_suspend;
};
std::string NameOfKind(const testing::TestParamInfo<Kind>& info) {
  return std::string(info.param.at_once ? "at_once" : "suspending") +
         (info.param.always_suspend ? "_always" : "");
}

class StartingProcess : public testing::TestWithParam<Kind> {
 protected:
  const ModuleInfo& Module() const { return GetParam().at_once ? AtOnce() : Suspending(); }
  Process::Options Options(int act) const {
    Process::Options options;
    options.config = Acting(act);
    options.config.in = pipe.reader();
    options.always_suspend = GetParam().always_suspend;
    return options;
  }
  std::unique_ptr<Process> Make(int act, bool initialize = true) const {
    Process::Options options = Options(act);
    options.initialize = initialize;
    auto process = Process::Create(Module(), std::move(options));
    EXPECT_TRUE(process.ok()) << process.status();
    EXPECT_TRUE((*process)->Begin("log", {}).ok());
    return *std::move(process);
  }
  static uint32_t Logged(Process& process) {
    return process.state() == State::kFinished ? process.step().results()[0].i32() : ~0u;
  }
  MemoryPipe pipe;
};
INSTANTIATE_TEST_SUITE_P(Kinds, StartingProcess,
                         testing::Values(Kind{false, false}, Kind{false, true}, Kind{true, false},
                                         Kind{true, true}),
                         NameOfKind);

TEST_P(StartingProcess, RunsEachOnceAndInOrder) {
  const auto process = Make(0);
  EXPECT_EQ(process->state(), State::kReady);
  EXPECT_TRUE(process->instance().start_pending()) << "Create runs no guest code";
  EXPECT_EQ(process->Run(), State::kFinished) << process->message();
  EXPECT_EQ(Logged(*process), 12u);
  EXPECT_TRUE(process->Begin("log", {}).ok());
  EXPECT_EQ(process->Run(), State::kFinished);
  EXPECT_EQ(Logged(*process), 12u) << "not again";
}

TEST_P(StartingProcess, InitializeIsLeftOut) {
  const auto process = Make(0, /*initialize=*/false);
  EXPECT_EQ(process->Run(), State::kFinished) << process->message();
  EXPECT_EQ(Logged(*process), 1u);
  EXPECT_TRUE(process->Begin("_initialize", {}).ok()) << "the embedder's business";
  EXPECT_EQ(process->Run(), State::kFinished);
  EXPECT_TRUE(process->Begin("log", {}).ok());
  EXPECT_EQ(process->Run(), State::kFinished);
  EXPECT_EQ(Logged(*process), 12u);
}

TEST_P(StartingProcess, ExitsWithItsStatus) {
  for (const int in : {0, kInInitialize}) {
    for (const Act act : {kExit, kExitThroughTable}) {
      const auto process = Make(in + act);
      EXPECT_EQ(process->Run(), State::kExited) << process->message();
      EXPECT_EQ(process->exit_code(), 70 + act);
      EXPECT_EQ(process->system().exit_code(), 70u + static_cast<uint32_t>(act));
    }
  }
}

TEST_P(StartingProcess, TrapsLikeAnyCall) {
  for (const int in : {0, kInInitialize}) {
    const auto process = Make(in + kTrap);
    EXPECT_EQ(process->Run(), State::kTrapped);
    EXPECT_EQ(process->exit_code(), 134);
    EXPECT_EQ(process->message(), "unreachable");
    const Backtrace trace = process->backtrace();
    ASSERT_EQ(trace.frames.size(), 1u);
    EXPECT_EQ(trace.frames[0].kind, BacktraceFrame::Kind::kRunning);
    EXPECT_EQ(trace.frames[0].name, in == 0 ? "begin" : "initialize");
  }
}

TEST_P(StartingProcess, Waits) {
  for (const int in : {0, kInInitialize}) {
    const auto process = Make(in + kRead);
    if (!GetParam().at_once) {  // that would block the thread
      EXPECT_EQ(process->Run(), State::kWaiting);
      EXPECT_FALSE(process->Begin("log", {}).ok());
    }
    pipe.Write("\7");
    EXPECT_EQ(process->Run(), State::kFinished) << process->message();
    EXPECT_EQ(Logged(*process), in == 0 ? 172u : 127u);
  }
}

// At each point of its start: before it, and suspended in one part or the other.
TEST_P(StartingProcess, IsRestoredInItsCourse) {
  for (const int in : {0, kInInitialize}) {
    auto process = Make(in + kRead);
    RestoreOptions options;
    options.process = Options(in + kRead);
    pipe.Write("\7");
    const auto state = RunRestoring(process, Module(), options);
    ASSERT_TRUE(state.ok()) << state.status();
    EXPECT_EQ(*state, State::kFinished) << process->message();
    EXPECT_EQ(Logged(*process), in == 0 ? 172u : 127u);
  }
}

// The program's start function calls another instance, which leaves.
TEST_P(StartingProcess, IsLeftByALinkedInstance) {
  for (const int act : {0, static_cast<int>(kExit)}) {
    // Of the program, nothing is WASI's: what the library imports is bound by hand.
    auto system = System::Create(Acting(act));
    ASSERT_TRUE(system.ok());
    StoreHandle store;
    Imports imports;
    if (!GetParam().always_suspend || GetParam().at_once) (*system)->Bind(Module(), imports);
    imports.DeferStart();
    auto lib = store.Instantiate(Module(), imports);
    ASSERT_TRUE(lib.ok()) << lib.status();
    auto run = [&](DynamicInstance& instance) {
      auto step = instance.Start();
      EXPECT_TRUE(step.ok()) << step.status();
      Pending pending;
      while (step->suspended() &&
             (*system)->Answer(*step, pending) == System::Progress::kAnswered) {
      }
      return *std::move(step);
    };
    const DynamicStep started = run(**lib);
    if (act == kExit) {
      EXPECT_EQ(started.trap(), Trap::kCancelled);
      EXPECT_EQ((*system)->exit_code(), 71u);
      continue;
    }
    ASSERT_TRUE(started.finished());
    Imports linked;
    linked.AddInstance("lib", *lib);
    linked.DeferStart();
    auto program = store.Instantiate(::wasi::guests::LeavingModuleInfo(), linked);
    ASSERT_TRUE(program.ok()) << program.status();
    EXPECT_EQ(run(**program).trap(), Trap::kCancelled);
    EXPECT_EQ((*system)->exit_code(), 12u) << "what the library has logged";
  }
}

TEST_P(StartingProcess, ALibraryThatLeavesIsAnError) {
  if (!GetParam().at_once) return;  // Instantiate then runs nothing
  Process::Options options = Options(kExit);
  options.imports = [this](StoreHandle& store, Imports& imports) {
    return store.Instantiate(Module(), imports).status();
  };
  const absl::Status status = Process::Create(Module(), std::move(options)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(status.message(), HasSubstr("exit status 71"));
}

// ---- The dynamic API ----

class StartingInstance : public testing::Test {
 protected:
  void Prepare(int act) {
    Config config = Acting(act);
    config.in = pipe.reader();
    auto made = System::Create(std::move(config));
    ASSERT_TRUE(made.ok()) << made.status();
    system = *std::move(made);
    store = std::make_unique<StoreHandle>();
    imports = {};
  }
  absl::StatusOr<DynamicInstance*> Instantiate(const ModuleInfo& info) {
    system->Bind(info, imports);
    return store->Instantiate(info, imports);
  }
  MemoryPipe pipe;
  std::unique_ptr<System> system;
  std::unique_ptr<StoreHandle> store;
  Imports imports;
};

TEST_F(StartingInstance, InstantiateRunsWhatCannotSuspend) {
  Prepare(0);
  auto instance = Instantiate(AtOnce());
  ASSERT_TRUE(instance.ok()) << instance.status();
  EXPECT_FALSE((*instance)->start_pending());
  EXPECT_FALSE((*instance)->Start().ok());
  EXPECT_EQ(Log(**instance), 12u);
  auto second = Instantiate(AtOnce());
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(Log(**second), 12u) << "each instance has its own";
  imports.SetInitialize(false);
  auto third = Instantiate(AtOnce());
  ASSERT_TRUE(third.ok());
  EXPECT_EQ(Log(**third), 1u);
}

TEST_F(StartingInstance, ErrorsOfInstantiate) {
  for (const int in : {0, kInInitialize}) {
    Prepare(in + kTrap);
    const absl::Status trapped = Instantiate(AtOnce()).status();
    EXPECT_EQ(trapped.code(), absl::StatusCode::kAborted);
    EXPECT_THAT(trapped.message(), HasSubstr(in == 0 ? "trap during the start function: unreachable"
                                                     : "trap during _initialize: unreachable"));
    for (const Act act : {kExit, kExitThroughTable}) {
      Prepare(in + act);
      const absl::Status exited = Instantiate(AtOnce()).status();
      EXPECT_EQ(exited.code(), absl::StatusCode::kCancelled) << exited;
      EXPECT_EQ(system->exit_code(), 70u + static_cast<uint32_t>(act));
    }
  }
}

TEST_F(StartingInstance, StartIsOneCall) {
  for (const int in : {0, kInInitialize}) {
    Prepare(in + kRead);
    auto instance = Instantiate(Suspending());
    ASSERT_TRUE(instance.ok()) << instance.status();
    EXPECT_TRUE((*instance)->start_pending());
    EXPECT_THAT((*instance)->Call("log", {}).status().message(), HasSubstr("Start()"));
    auto step = (*instance)->Start();
    ASSERT_TRUE(step.ok()) << step.status();
    EXPECT_FALSE((*instance)->Start().ok()) << "it is running";
    EXPECT_FALSE(step->Clone().ok());
    Pending pending;
    ASSERT_TRUE(step->suspended());
    EXPECT_EQ(system->Answer(*step, pending), System::Progress::kWaiting);
    pipe.Write("\7");
    EXPECT_EQ(system->Answer(*step, pending), System::Progress::kAnswered);
    ASSERT_TRUE(step->finished()) << step->message();
    EXPECT_TRUE(step->results().empty());
    EXPECT_FALSE((*instance)->start_pending());
    EXPECT_EQ(Log(**instance), in == 0 ? 172u : 127u);
  }
}

// What has finished is not run again.
TEST_F(StartingInstance, IsTakenUpWhereItEnded) {
  Prepare(kInInitialize + kRead);
  auto instance = Instantiate(Suspending());
  ASSERT_TRUE(instance.ok());
  auto step = (*instance)->Start();
  ASSERT_TRUE(step.ok() && step->suspended());
  step->Cancel();
  EXPECT_TRUE((*instance)->start_pending());
  step = (*instance)->Start();
  ASSERT_TRUE(step.ok() && step->suspended()) << step.status();
  step = DynamicStep();  // the same as Cancel
  EXPECT_TRUE((*instance)->start_pending());
  step = (*instance)->Start();
  ASSERT_TRUE(step.ok() && step->suspended()) << step.status();
  pipe.Write("\7");
  Pending pending;
  EXPECT_EQ(system->Answer(*step, pending), System::Progress::kAnswered);
  EXPECT_EQ(Log(**instance), 12227u) << "the start function once, _initialize from its beginning";
}

TEST_F(StartingInstance, Deferred) {
  Prepare(kTrap);
  imports.DeferStart();
  auto instance = Instantiate(AtOnce());
  ASSERT_TRUE(instance.ok()) << instance.status();
  EXPECT_TRUE((*instance)->start_pending());
  auto step = (*instance)->Start();
  ASSERT_TRUE(step.ok());
  EXPECT_EQ(step->trap(), Trap::kUnreachable);
  ASSERT_EQ(step->backtrace().frames.size(), 1u);
  EXPECT_EQ(step->backtrace().frames[0].name, "begin");
  EXPECT_TRUE((*instance)->start_pending());
}

// Restored and forked instances go on where they were.
TEST_F(StartingInstance, SnapshotsAndForks) {
  Prepare(kInInitialize + kRead);
  imports.DeferStart();
  auto instance = Instantiate(Suspending());
  ASSERT_TRUE(instance.ok());
  RestoreHost host;
  host.modules = {&Suspending()};
  host.imports.emplace_back();
  system->Bind(Suspending(), host.imports[0]);
  pipe.Write("\7");

  auto before = Restore(*Save(*store, {}), host);
  ASSERT_TRUE(before.ok()) << before.status();
  EXPECT_TRUE(before->instances[0]->start_pending());
  EXPECT_TRUE(before->instances[0]->Start()->finished());
  EXPECT_EQ(Log(*before->instances[0]), 127u);

  auto step = (*instance)->Start();
  ASSERT_TRUE(step.ok() && step->suspended());
  auto during = Restore(*Save(*store, {&*step}), host);
  ASSERT_TRUE(during.ok()) << during.status();
  EXPECT_TRUE(during->instances[0]->start_pending());
  EXPECT_FALSE(during->instances[0]->Start().ok()) << "it is running";
  pipe.Write("\10");
  Pending pending;
  EXPECT_EQ(system->Answer(during->steps[0], pending), System::Progress::kAnswered);
  EXPECT_TRUE(during->steps[0].finished());
  EXPECT_EQ(Log(*during->instances[0]), 128u);

  auto after = Restore(*Save(*during->store, {}), host);
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_FALSE(after->instances[0]->start_pending());
  EXPECT_EQ(Log(*after->instances[0]), 128u);
  auto fork = Fork(*during->store, {});
  ASSERT_TRUE(fork.ok()) << fork.status();
  EXPECT_FALSE(fork->instances[0]->start_pending());
  EXPECT_EQ(Log(*fork->instances[0]), 128u);
}

// ---- The typed API ----

TEST_F(StartingInstance, Typed) {
  Prepare(kInInitialize + kRead);
  system->Bind(Suspending(), imports);
  auto guest = Starting::Create(*store, imports);
  ASSERT_TRUE(guest.ok()) << guest.status();
  EXPECT_TRUE((*guest)->log().trapped()) << "it has not started";
  Step<void, Starting> start = (*guest)->Start();
  ASSERT_TRUE(start.suspended());
  EXPECT_TRUE((std::holds_alternative<Starting::wasi_snapshot_preview1_fd_read>(start.op())));
  ASSERT_TRUE(start.Resume<Starting::wasi_snapshot_preview1_fd_read>(0).ok());
  ASSERT_TRUE(start.finished()) << start.message();
  EXPECT_EQ((*guest)->log().value(), 120);
}

TEST_F(StartingInstance, TypedExits) {
  Prepare(kInInitialize + kExit);
  system->Bind(Suspending(), imports);
  auto guest = Starting::Create(*store, imports);
  ASSERT_TRUE(guest.ok()) << guest.status();
  Step<void, Starting> start = (*guest)->Start();
  EXPECT_EQ(start.trap(), Trap::kCancelled);
  EXPECT_EQ(system->exit_code(), 71u);
}

// A module with "_start" is a command, whatever else it exports.
TEST(StartingCommand, HasNoInitialize) {
  StoreHandle store;
  Imports imports;
  imports.AddAnswering("lib", "leave", {{ValType::kI32}, {}},
                       [](DynamicInstance&, absl::Span<const uint64_t>, absl::Span<uint64_t>) {
                         return HostReply::Answered();
                       });
  imports.AddAnswering("lib", "log", {{}, {ValType::kI32}},
                       [](DynamicInstance&, absl::Span<const uint64_t>, absl::Span<uint64_t> to) {
                         to[0] = 0;
                         return HostReply::Answered();
                       });
  auto instance = store.Instantiate(::wasi::guests::LeavingModuleInfo(), imports);
  ASSERT_TRUE(instance.ok()) << instance.status();
  auto start = (*instance)->Start();
  ASSERT_TRUE(start.ok()) << start.status();
  EXPECT_TRUE(start->finished()) << start->message();
  EXPECT_FALSE((*instance)->start_pending());
}

}  // namespace
}  // namespace fermata::wasi

// Imports of the embedder's in a WASI program: also under WASI's names, answered at once,
// suspended, and in snapshots.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fermata/answering.h"
#include "fermata/wasi/process.h"
#include "fermata/wasi/snapshot.h"
#include "starting.h"

namespace fermata::wasi {
namespace {

using State = Process::State;

const ModuleInfo& Module() { return ::wasi::guests::StartingModuleInfo(); }

class ForeignTest : public testing::TestWithParam<bool> {
 protected:
  // The host's sock_recv: suspends while `errno_` is empty.
  void BindReceive(Imports& imports) {
    const ValType x = ValType::kI32;
    imports.AddAnswering(
        "wasi_snapshot_preview1", "sock_recv", {{x, x, x, x, x, x}, {x}},
        [this](DynamicInstance&, absl::Span<const uint64_t>, absl::Span<uint64_t> results) {
          ++asked_;
          if (!errno_) return HostReply::Suspend();
          results[0] = *errno_;
          return HostReply::Answered();
        });
  }
  Process::Options Options(bool overridden = true) {
    Process::Options options;
    options.config.in = pipe_.reader();
    options.always_suspend = GetParam();
    if (overridden) {
      options.imports = [this](StoreHandle&, Imports& imports) {
        BindReceive(imports);
        return absl::OkStatus();
      };
    }
    return options;
  }
  std::unique_ptr<Process> Receiving(Process::Options options) {
    auto process = Process::Create(Module(), std::move(options));
    EXPECT_TRUE(process.ok()) << process.status();
    EXPECT_TRUE((*process)->Begin("receive", {}).ok());
    return *std::move(process);
  }
  static uint32_t Result(Process& process) {
    return process.state() == State::kFinished ? process.step().results()[0].i32() : ~0u;
  }

  MemoryPipe pipe_;
  std::optional<uint32_t> errno_;
  int asked_ = 0;
};
INSTANTIATE_TEST_SUITE_P(AlwaysSuspend, ForeignTest, testing::Bool());

TEST_P(ForeignTest, AnOverriddenImportIsTheEmbedders) {
  const auto process = Receiving(Options());
  ASSERT_EQ(process->Run(), State::kForeign) << process->message();
  EXPECT_EQ(asked_, 1);
  DynamicStep& step = process->step();
  EXPECT_EQ(step.op_module(), "wasi_snapshot_preview1");
  EXPECT_EQ(step.op_name(), "sock_recv");
  ASSERT_EQ(step.op_arguments().size(), 6u);
  EXPECT_EQ(step.op_arguments()[0].i32(), 70000u);
  EXPECT_TRUE(step.op_bound());
  EXPECT_EQ(step.op_owner(), nullptr);
  EXPECT_FALSE(process->system().Answers(step));
  const Backtrace trace = process->backtrace();
  ASSERT_EQ(trace.frames.size(), 2u);
  EXPECT_EQ(trace.frames[0].kind, BacktraceFrame::Kind::kImport);
  EXPECT_EQ(trace.frames[0].name, "wasi_snapshot_preview1.sock_recv");
  EXPECT_TRUE(process->wait().sources.empty());

  EXPECT_EQ(process->Run(), State::kForeign) << "it is not answered yet";
  EXPECT_FALSE(process->Begin("log", {}).ok());
  EXPECT_FALSE(step.Resume({}).ok());
  ASSERT_TRUE(step.Resume({Value::I32(6)}).ok());
  EXPECT_EQ(process->Run(), State::kFinished) << process->message();
  EXPECT_EQ(Result(*process), 6u);

  errno_ = 29;
  ASSERT_TRUE(process->Begin("receive", {}).ok());
  EXPECT_EQ(process->Run(), State::kFinished) << "answered at once";
  EXPECT_EQ(Result(*process), 29u);
}

TEST_P(ForeignTest, IsMadeToFail) {
  const auto process = Receiving(Options());
  ASSERT_EQ(process->Run(), State::kForeign);
  ASSERT_TRUE(process->step().Throw("the network is gone").ok());
  EXPECT_EQ(process->Run(), State::kTrapped);
  EXPECT_EQ(process->message(), "the network is gone");
  EXPECT_EQ(process->exit_code(), 134);
  ASSERT_TRUE(process->Begin("receive", {}).ok());
  ASSERT_EQ(process->Run(), State::kForeign);
  process->Abort("enough");
  EXPECT_EQ(process->state(), State::kTrapped);
}

TEST_P(ForeignTest, WithoutTheHostItIsWasis) {
  const auto process = Receiving(Options(/*overridden=*/false));
  EXPECT_EQ(process->Run(), State::kFinished) << process->message();
  EXPECT_EQ(Result(*process), static_cast<uint32_t>(Errno::kBadf));
}

TEST_P(ForeignTest, NamesOfItsOwn) {
  const auto process = Receiving(Options());
  ASSERT_TRUE(process->Begin("ask", {{Value::I32(5)}}).ok());
  ASSERT_EQ(process->Run(), State::kForeign);
  EXPECT_EQ(process->step().op_name(), "ask");
  EXPECT_FALSE(process->step().op_bound());
  ASSERT_TRUE(process->step().Resume({Value::I32(50)}).ok());
  EXPECT_EQ(process->Run(), State::kFinished);
  EXPECT_EQ(Result(*process), 50u);
}

// The other way to bind a function that may suspend (fermata/answering.h).
struct Network {
  std::optional<int32_t> Receive(int32_t fd, int32_t, int32_t, int32_t, int32_t, int32_t) {
    return fd == 70000 ? answer : std::nullopt;
  }
  std::optional<int32_t> answer;
};
TEST_P(ForeignTest, BoundToAMethod) {
  Network network;
  Process::Options options = Options(/*overridden=*/false);
  options.imports = [&](StoreHandle&, Imports& imports) {
    AddAnswering<&Network::Receive>(imports, "wasi_snapshot_preview1", "sock_recv", network);
    return absl::OkStatus();
  };
  const auto process = Receiving(std::move(options));
  ASSERT_EQ(process->Run(), State::kForeign);
  ASSERT_TRUE(process->step().Resume({Value::I32(1)}).ok());
  EXPECT_EQ(process->Run(), State::kFinished);
  network.answer = 2;
  ASSERT_TRUE(process->Begin("receive", {}).ok());
  EXPECT_EQ(process->Run(), State::kFinished);
  EXPECT_EQ(Result(*process), 2u);
}

// One System's imports are not another's to answer.
TEST_P(ForeignTest, TwoSystems) {
  Config config;
  config.in = pipe_.reader();
  config.args = {"4", "arguments:", "standard", "input"};  // is read in the start function
  auto first = System::Create(std::move(config)), second = System::Create({});
  ASSERT_TRUE(first.ok() && second.ok());
  StoreHandle store;
  Imports imports;
  (*first)->Bind(Module(), imports);
  auto instance = store.Instantiate(Module(), imports);
  ASSERT_TRUE(instance.ok());
  auto step = (*instance)->Start();
  ASSERT_TRUE(step.ok() && step->suspended());
  EXPECT_EQ(step->op_name(), "fd_read");
  Pending pending;
  EXPECT_EQ((*second)->Answer(*step, pending), System::Progress::kForeign);
  EXPECT_EQ((*first)->Answer(*step, pending), System::Progress::kWaiting);
}

TEST_P(ForeignTest, Snapshots) {
  const auto process = Receiving(Options());
  ASSERT_EQ(process->Run(), State::kForeign);
  const auto bytes = SaveProcess(*process);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  RestoreOptions options;
  options.process = Options();
  options.host.imports.emplace_back();
  BindReceive(options.host.imports[0]);
  auto restored = RestoreProcess(Module(), *bytes, options);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ((*restored)->state(), State::kForeign);
  EXPECT_EQ((*restored)->Run(), State::kForeign);
  EXPECT_EQ(asked_, 1) << "its answer is due, not the question";
  EXPECT_EQ((*restored)->step().op_name(), "sock_recv");
  ASSERT_TRUE((*restored)->step().Resume({Value::I32(7)}).ok());
  EXPECT_EQ((*restored)->Run(), State::kFinished);
  EXPECT_EQ(Result(**restored), 7u);
  EXPECT_EQ(process->state(), State::kForeign) << "the first goes its own way";
  // To the end, or to where the embedder is asked.
  auto again = Receiving(Options());
  const auto state = RunRestoring(again, Module(), options);
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(*state, State::kForeign);
}

// A host without it leaves the name to WASI.
TEST_P(ForeignTest, RestoredWithoutTheHost) {
  const auto process = Receiving(Options());
  ASSERT_EQ(process->Run(), State::kForeign);
  const auto bytes = SaveProcess(*process);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  RestoreOptions options;
  options.process = Options(/*overridden=*/false);
  auto restored = RestoreProcess(Module(), *bytes, options);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ((*restored)->Run(), State::kFinished);
  EXPECT_EQ(Result(**restored), static_cast<uint32_t>(Errno::kBadf));
}

// What a host opens in an import of its own is one of the guest's descriptors.
TEST_P(ForeignTest, OpensDescriptorsForTheGuest) {
  const auto process = Receiving(Options());
  ASSERT_TRUE(process->Begin("ask", {{Value::I32(0)}}).ok());
  ASSERT_EQ(process->Run(), State::kForeign);
  const auto fd = process->system().Add(pipe_.reader());
  ASSERT_TRUE(fd.ok());
  ASSERT_TRUE(process->step().Resume({Value::I32(*fd)}).ok());
  EXPECT_EQ(process->Run(), State::kFinished);
  EXPECT_EQ(Result(*process), 3u);
}

}  // namespace
}  // namespace fermata::wasi

// WASI programs that are paused: interrupted, or out of fuel, in all phases of a process, and what
// they are like after a snapshot.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "fermata/wasi/process.h"
#include "fermata/wasi/snapshot.h"
#include "paused.h"

namespace fermata::wasi {
namespace {

using State = Process::State;

class PausedProcessTest : public testing::Test {
 protected:
  static const ModuleInfo& Module() { return ::wasi::guests::PausedModuleInfo(); }
  Process::Options Options(uint64_t fuel) const {
    Process::Options options;
    options.config.in = pipe_.reader();
    options.limits.fuel = fuel;
    return options;
  }
  // About to sum the bytes of a pipe that has three of them.
  std::unique_ptr<Process> Summing(uint32_t count, uint64_t fuel = 0) {
    auto made = Process::Create(Module(), Options(fuel));
    EXPECT_TRUE(made.ok()) << made.status();
    EXPECT_TRUE((*made)->Begin("sum", {{Value::I32(count)}}).ok());
    pipe_.Write("\1\2\3");
    return *std::move(made);
  }
  static uint32_t Result(Process& process) {
    return process.state() == State::kFinished ? process.step().results()[0].i32() : ~0u;
  }

  MemoryPipe pipe_;
};

TEST_F(PausedProcessTest, RunGoesOn) {
  // Checks: 9 of the start function's loop, 9 of _initialize's, 3 of sum's.
  const auto process = Summing(3, 1);
  int pauses = 0;
  while (process->Run() == State::kPaused) {
    EXPECT_TRUE(process->step().out_of_fuel());
    EXPECT_EQ(process->Begin("ready", {}).code(), absl::StatusCode::kFailedPrecondition);
    ++pauses;
  }
  EXPECT_EQ(Result(*process), 6u) << process->message();
  EXPECT_EQ(pauses, 9 + 9 + 3 - 1);
  process->store().SetFuel(100);
  ASSERT_TRUE(process->Begin("ready", {}).ok());
  EXPECT_EQ(process->Run(), State::kFinished);
  EXPECT_EQ(Result(*process), 20u) << "a phase was left out";
}

TEST_F(PausedProcessTest, TheHostMayRunTheStepItself) {
  const auto process = Summing(4, 1);
  ASSERT_EQ(process->Run(), State::kPaused);
  ASSERT_TRUE(process->step().Refuel(1000).ok());
  EXPECT_EQ(process->Run(), State::kWaiting) << process->message();
  pipe_.Write("\4");
  EXPECT_EQ(process->Run(), State::kFinished) << process->message();
  EXPECT_EQ(Result(*process), 10u);
}

TEST_F(PausedProcessTest, InterruptsPauseOnce) {
  const auto process = Summing(4);
  const Interrupter interrupter = process->store().interrupter();
  interrupter.Interrupt();
  EXPECT_EQ(process->Run(), State::kPaused);
  EXPECT_TRUE(process->step().interrupted());
  EXPECT_EQ(process->Run(), State::kWaiting);
  interrupter.Interrupt();
  EXPECT_EQ(process->Run(), State::kWaiting) << "there is nothing to be paused";
  pipe_.Write("\4");
  EXPECT_EQ(process->Run(), State::kPaused);
  EXPECT_EQ(process->Run(), State::kFinished);
  EXPECT_EQ(Result(*process), 10u);
}

TEST_F(PausedProcessTest, AbortEndsIt) {
  const auto process = Summing(3, 1);
  ASSERT_EQ(process->Run(), State::kPaused);
  process->Abort("enough");
  EXPECT_EQ(process->state(), State::kTrapped);
  EXPECT_EQ(process->message(), "enough");
  EXPECT_EQ(process->Run(), State::kTrapped);
}

// Saved, destroyed and restored at each pause and each wait.
TEST_F(PausedProcessTest, SnapshotsAtEveryPause) {
  for (const bool interrupt : {false, true}) {
    SCOPED_TRACE(interrupt ? "interrupted" : "out of fuel");
    auto process = Summing(5, interrupt ? 0 : 1);
    int pauses = 0, waits = 0;
    for (;;) {
      if (interrupt) process->store().interrupter().Interrupt();
      const State state = process->Run();
      if (state != State::kPaused && state != State::kWaiting) break;
      absl::StatusOr<std::string> bytes = SaveProcess(*process);
      ASSERT_TRUE(bytes.ok()) << bytes.status();
      process = nullptr;
      RestoreOptions options;
      options.process = Options(interrupt ? 0 : 1);
      auto restored = RestoreProcess(Module(), *bytes, options);
      ASSERT_TRUE(restored.ok()) << restored.status();
      process = *std::move(restored);
      ASSERT_EQ(process->state(), state);
      if (!interrupt) process->store().SetFuel(0);
      if (state == State::kPaused) {
        ++pauses;
        ASSERT_EQ(process->step().interrupted(), interrupt);
        ASSERT_EQ(process->step().out_of_fuel(), !interrupt);
      } else {
        ++waits;
        pipe_.Write("\4");
      }
    }
    EXPECT_EQ(Result(*process), 14u) << process->message();
    EXPECT_EQ(pauses, 9 + 9 + 5 - (interrupt ? 0 : 1));
    EXPECT_EQ(waits, 2);
    process = nullptr;
    pipe_ = MemoryPipe();
  }
}

}  // namespace
}  // namespace fermata::wasi

// Running programs: translator/cli/process.
#include "translator/cli/process/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/support/commands.h"
#include "tests/support/files.h"
#include "translator/cli/process/interruptible.h"

namespace fermata::process {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing_support::MustRun;
using Clock = std::chrono::steady_clock;

Command Shell(const std::string& script) { return {"/bin/sh", "-c", script}; }

class ProcessTest : public testing::Test {
 protected:
  std::string Path(const std::string& name) const { return folder_ / name; }

  const testing_support::Folder folder_;
};

// Whether a process is there that has not ended. One that has, and that nobody has reaped yet, has
// ended.
bool IsAlive(pid_t pid) {
  const std::string text = testing_support::ReadFile(absl::StrCat("/proc/", pid, "/stat"));
  const size_t name_end = text.rfind(')');
  return name_end != std::string::npos && text[name_end + 2] != 'Z';
}

bool EndsSoon(pid_t pid) {
  for (int i = 0; i < 500 && IsAlive(pid); ++i) std::this_thread::sleep_for(milliseconds(10));
  return !IsAlive(pid);
}

TEST_F(ProcessTest, ArgumentsArePassedAsTheyAre) {
  const Result result = MustRun({"printf", "<%s>", "two words", "", "$HOME", "'\""});
  EXPECT_EQ(result.output, "<two words><><$HOME><'\">");
  EXPECT_TRUE(result.ok());
}

TEST_F(ProcessTest, OutputAndErrorsAreCapturedInTheirOrder) {
  const Result result = MustRun(Shell("echo 1; echo 2 >&2; echo 3"));
  EXPECT_EQ(result.output, "1\n2\n3\n");
  EXPECT_EQ(result.errors, "");
}

TEST_F(ProcessTest, ErrorsAreCapturedApart) {
  Command command = Shell("echo 1; echo 2 >&2; echo 3");
  command.errors_apart = true;
  const Result result = MustRun(command);
  EXPECT_EQ(result.output, "1\n3\n");
  EXPECT_EQ(result.errors, "2\n");
}

TEST_F(ProcessTest, OutputOfMoreThanAPipeHolds) {
  Command command = Shell("head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2");
  command.errors_apart = true;
  const Result result = MustRun(command);
  EXPECT_EQ(result.output.size(), 1000000u);
  EXPECT_EQ(result.errors.size(), 1000000u);
}

TEST_F(ProcessTest, StandardInputIsAtItsEnd) { EXPECT_EQ(MustRun({"cat"}).output, ""); }

TEST_F(ProcessTest, FilesTakeThePlaceOfStreams) {
  folder_.Write("in", "given\n");
  folder_.Write("out", "what was there before is longer than what comes");
  Command command = Shell("cat; echo wrong >&2");
  command.input_file = Path("in");
  command.output_file = Path("out");
  command.error_file = Path("errors");
  const Result result = MustRun(command);
  EXPECT_EQ(result.output, "");
  EXPECT_EQ(result.errors, "");
  EXPECT_EQ(folder_.Read("out"), "given\n");
  EXPECT_EQ(folder_.Read("errors"), "wrong\n");
}

TEST_F(ProcessTest, ErrorsGoWhereTheOutputGoes) {
  Command command = Shell("echo 1; echo 2 >&2; echo 3");
  command.output_file = Path("out");
  EXPECT_EQ(MustRun(command).output, "");
  EXPECT_EQ(folder_.Read("out"), "1\n2\n3\n");
}

TEST_F(ProcessTest, FilesThatCannotBeOpenedAreNamed) {
  Command command = {"cat"};
  command.input_file = Path("none");
  absl::StatusOr<Result> result = process::Run(command);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(result.status().ToString(), HasSubstr(Path("none") + ": No such file"));
  command.input_file = "";
  command.output_file = Path("no/such/folder");
  EXPECT_THAT(process::Run(command).status().ToString(), HasSubstr(command.output_file));
}

TEST_F(ProcessTest, VariablesAreAddedAndReplaced) {
  ASSERT_EQ(setenv("FERMATA_PROCESS_KEPT", "kept", 1), 0);
  ASSERT_EQ(setenv("FERMATA_PROCESS", "old", 1), 0);
  Command command = Shell("echo $FERMATA_PROCESS_KEPT $FERMATA_PROCESS $FERMATA_PROCESS_NEW");
  EXPECT_EQ(MustRun(command).output, "kept old\n");
  command.environment = {{"FERMATA_PROCESS", "new"}, {"FERMATA_PROCESS_NEW", "added"}};
  EXPECT_EQ(MustRun(command).output, "kept new added\n");
  EXPECT_STREQ(getenv("FERMATA_PROCESS"), "old");
}

TEST_F(ProcessTest, RunsInAFolder) {
  Command command = Shell("pwd -P; cat");
  folder_.Write("in", "here");
  command.folder = folder_.path();
  command.input_file = Path("in");
  EXPECT_EQ(MustRun(command).output, folder_.path() + "\nhere");
  command.folder = Path("none");
  EXPECT_THAT(process::Run(command).status().ToString(), HasSubstr("in " + Path("none")));
}

TEST_F(ProcessTest, ExitCodesAndSignals) {
  const Result returned = MustRun(Shell("exit 3"));
  EXPECT_EQ(returned.exit_code, 3);
  EXPECT_EQ(returned.signal, 0);
  EXPECT_FALSE(returned.ok());
  const Result killed = MustRun(Shell("kill -TERM $$"));
  EXPECT_EQ(killed.exit_code, 128 + SIGTERM);
  EXPECT_EQ(killed.signal, SIGTERM);
  EXPECT_FALSE(killed.timed_out);
}

TEST_F(ProcessTest, WhatCannotBeStarted) {
  const absl::Status status = process::Run({"fermata-no-such-program"}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(status.ToString(), HasSubstr("cannot run fermata-no-such-program: No such file"));
  EXPECT_EQ(process::Run(Command()).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ProcessTest, TheTimeLimitEndsTheWholeGroup) {
  Command command = Shell("sleep 60 & echo $!; wait");
  command.time_limit = milliseconds(200);
  const Clock::time_point start = Clock::now();
  const Result result = MustRun(command);
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(30));
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.signal, SIGKILL);
  int sleeper = 0;
  ASSERT_TRUE(absl::SimpleAtoi(result.output, &sleeper)) << result.output;
  EXPECT_TRUE(EndsSoon(sleeper));
}

TEST_F(ProcessTest, WhatEndsInTimeIsLeftAlone) {
  Command command = Shell("exit 7");
  command.time_limit = std::chrono::minutes(10);
  const Result result = MustRun(command);
  EXPECT_FALSE(result.timed_out);
  EXPECT_EQ(result.exit_code, 7);
}

TEST_F(ProcessTest, DoesNotWaitForWhatItLeavesBehind) {
  const Clock::time_point start = Clock::now();
  const Result result = MustRun(Shell("sleep 60 & echo $!"));
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(30));
  int sleeper = 0;
  ASSERT_TRUE(absl::SimpleAtoi(result.output, &sleeper)) << result.output;
  EXPECT_TRUE(IsAlive(sleeper));
  kill(sleeper, SIGKILL);
}

TEST_F(ProcessTest, TellsWhatItTook) {
  const Result result =
      MustRun(Shell("sleep 0.2; i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done"));
  EXPECT_GE(result.wall_seconds, 0.2);
  EXPECT_GT(result.user_seconds + result.system_seconds, 0);
  EXPECT_GT(result.peak_bytes, 0u);
}

TEST_F(ProcessTest, AllAreRun) {
  std::vector<Command> commands;
  for (int i = 0; i < 20; ++i) commands.push_back({"touch", Path(absl::StrCat(i))});
  int finished = 0;
  EXPECT_TRUE(RunAll(commands, 3, [&](const Result&) { ++finished; }).ok());
  EXPECT_EQ(finished, 20);
  EXPECT_EQ(testing_support::FilesIn(folder_.path()).size(), 20u);
  EXPECT_TRUE(RunAll({}, 0, nullptr).ok());
}

TEST_F(ProcessTest, NoneIsStartedAfterOneThatFails) {
  int finished = 0;
  const absl::Status status = RunAll({{"true"}, Shell("echo why; exit 9"), {"touch", Path("late")}},
                                     1, [&](const Result&) { ++finished; });
  EXPECT_EQ(finished, 1);
  EXPECT_THAT(status.ToString(), HasSubstr("/bin/sh failed (exit 9):\nwhy"));
  EXPECT_FALSE(fs::exists(Path("late")));
  EXPECT_EQ(RunAll({{"fermata-no-such-program"}}, 1, nullptr).code(), absl::StatusCode::kNotFound);
}

TEST_F(ProcessTest, TailsOfOutput) {
  EXPECT_EQ(Tail("a\nb\nc\n", 2), "b\nc");
  EXPECT_EQ(Tail("a\nb\nc\n\n", 1), "c");
  EXPECT_EQ(Tail("a\nb", 5), "a\nb");
  EXPECT_EQ(Tail("\n", 5), "");
}

// In a process of its own: sends itself a signal while a program of it runs, which writes its number
// to `path`. Returns what Run returned.
absl::StatusOr<Result> Interrupted(const std::string& path) {
  std::thread([path] {
    while (!fs::exists(path)) std::this_thread::sleep_for(milliseconds(10));
    kill(getpid(), SIGTERM);
  }).detach();
  return Run(Shell(
      absl::StrCat("sleep 60 & echo $! > ", path, ".new; mv ", path, ".new ", path, "; wait")));
}

// The test's body runs once more in a process of its own, which is told the name of the file.
class InterruptibleTest : public testing::Test {
 protected:
  void SetUp() override {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const std::string own = absl::StrCat(testing::TempDir(), "/fermata_interruptible_", getpid());
    setenv("FERMATA_INTERRUPTIBLE_TEST", own.c_str(), /*overwrite=*/0);
    file_ = getenv("FERMATA_INTERRUPTIBLE_TEST");
  }
  void TearDown() override {
    unsetenv("FERMATA_INTERRUPTIBLE_TEST");
    fs::remove(file_);
  }
  void ExpectSleeperEnded() const {
    std::ifstream in(file_);
    int sleeper = 0;
    in >> sleeper;
    ASSERT_NE(sleeper, 0);
    EXPECT_TRUE(EndsSoon(sleeper));
  }

  std::string file_;
};

TEST_F(InterruptibleTest, ProgramsEndAndRunReturns) {
  EXPECT_EXIT(
      {
        const Interruptible interruptible(Interruptible::kReturn);
        const auto first = Interrupted(file_);
        const auto second = process::Run({"true"});
        std::fprintf(stderr, "first ended by %d, second: %s\n", first.ok() ? first->signal : 0,
                     second.status().ToString().c_str());
      },
      testing::KilledBySignal(SIGTERM), "first ended by 9, second: CANCELLED");
  ExpectSleeperEnded();
}

TEST_F(InterruptibleTest, ProgramsEndAndTheProcessWithThem) {
  EXPECT_EXIT(
      {
        const Interruptible interruptible(Interruptible::kEnd);
        (void)Interrupted(file_);
        std::this_thread::sleep_for(std::chrono::seconds(10));
        std::_Exit(0);
      },
      testing::KilledBySignal(SIGTERM), "");
  ExpectSleeperEnded();
}

}  // namespace
}  // namespace fermata::process

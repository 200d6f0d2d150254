// args_*, environ_*, clock_*, random_get, proc_*, sched_yield.
#include <time.h>

#include <algorithm>

#include "tests/runtime/wasi/guest.h"

namespace fermata::wasi {
namespace {

using EnvironmentTest = WasiTest;
INSTANTIATE_TEST_SUITE_P(Modes, EnvironmentTest, testing::ValuesIn(BothAnswers()), NameOfMode);

// args_* and environ_* are the same but for the names.
void ExpectStrings(Guest& guest, const std::string& prefix, const std::vector<std::string>& want) {
  const uint32_t count = guest.Room(4), size = guest.Room(4);
  ASSERT_EQ(guest.Call(prefix + "_sizes_get", count, size), Errno::kSuccess);
  std::string all;
  for (const std::string& s : want) all += s + '\0';
  EXPECT_EQ(guest.Load<uint32_t>(count), want.size());
  EXPECT_EQ(guest.Load<uint32_t>(size), all.size());
  const uint32_t pointers = guest.Room(static_cast<uint32_t>(4 * want.size()));
  const uint32_t bytes = guest.Room(static_cast<uint32_t>(all.size()));
  ASSERT_EQ(guest.Call(prefix + "_get", pointers, bytes), Errno::kSuccess);
  EXPECT_EQ(guest.Bytes(bytes, static_cast<uint32_t>(all.size())), all);
  uint32_t next = bytes;
  for (size_t i = 0; i < want.size(); ++i) {
    EXPECT_EQ(guest.Load<uint32_t>(static_cast<uint32_t>(pointers + 4 * i)), next) << i;
    next += static_cast<uint32_t>(want[i].size() + 1);
  }
}

TEST_P(EnvironmentTest, ArgumentsAndVariables) {
  config.args = {"program", "", "two words", "\xc3\xa4"};
  config.env = {"A=1", "EMPTY="};
  const std::vector<std::string> args = config.args, env = config.env;
  ExpectStrings(guest(), "args", args);
  ExpectStrings(guest(), "environ", env);
}

TEST_P(EnvironmentTest, NoArguments) {
  ExpectStrings(guest(), "args", {});
  ExpectStrings(guest(), "environ", {});
}

// An array or a string that ends beyond memory: nothing is written at all.
TEST_P(EnvironmentTest, StringsBeyondMemory) {
  config.args = {"first", "second"};
  const uint32_t end = guest().size(), room = guest().Room(64);
  EXPECT_EQ(guest().Call("args_get", end - 7, room), Errno::kFault);
  EXPECT_EQ(guest().Call("args_get", room, end - 12), Errno::kFault);
  EXPECT_EQ(guest().Call("args_get", 0xfffffffc, room), Errno::kFault);
  EXPECT_EQ(guest().Call("args_get", room, 0xfffffff8), Errno::kFault);
  EXPECT_EQ(guest().Bytes(room, 64), std::string(64, '\xaa'));
  EXPECT_EQ(guest().Call("args_get", end - 8, end - 24), Errno::kSuccess);
  EXPECT_EQ(guest().Bytes(end - 24, 13), std::string("first\0second\0", 13));
}

TEST_P(EnvironmentTest, HostClocks) {
  const uint32_t at = guest().Room(8);
  for (uint32_t id : {0u, 1u, 2u, 3u}) {
    EXPECT_EQ(guest().Call("clock_res_get", id, at), Errno::kSuccess) << id;
    EXPECT_GT(guest().Load<uint64_t>(at), 0u) << id;
    EXPECT_EQ(guest().Call("clock_time_get", id, 1, at), Errno::kSuccess) << id;
    const uint64_t first = guest().Load<uint64_t>(at);
    EXPECT_EQ(guest().Call("clock_time_get", id, 1, at), Errno::kSuccess) << id;
    if (id != 0) {
      EXPECT_GE(guest().Load<uint64_t>(at), first) << id;
    }
  }
  EXPECT_EQ(guest().Call("clock_time_get", 0, 1, at), Errno::kSuccess);
  const uint64_t now = static_cast<uint64_t>(time(nullptr));
  EXPECT_LE(guest().Load<uint64_t>(at) / 1'000'000'000, now + 1);
  EXPECT_GE(guest().Load<uint64_t>(at) / 1'000'000'000, now - 600);
  for (uint32_t id : {4u, 0xffffffffu}) {
    EXPECT_EQ(guest().Call("clock_res_get", id, at), Errno::kInval) << id;
    EXPECT_EQ(guest().Call("clock_time_get", id, 1, at), Errno::kInval) << id;
  }
}

TEST_P(EnvironmentTest, DeterministicClock) {
  config.clock = DeterministicClock(5'000'000, 100);
  const uint32_t at = guest().Room(8);
  const auto now = [&](uint32_t id) {
    EXPECT_EQ(guest().Call("clock_time_get", id, 0, at), Errno::kSuccess);
    return guest().Load<uint64_t>(at);
  };
  EXPECT_EQ(now(0), 5'000'100u);
  EXPECT_EQ(now(0), 5'000'200u);
  EXPECT_EQ(now(1), 300u);
  EXPECT_EQ(now(3), 400u);
  EXPECT_EQ(guest().Call("clock_res_get", 1, at), Errno::kSuccess);
  EXPECT_EQ(guest().Load<uint64_t>(at), 1u);
  EXPECT_EQ(guest().Call("clock_time_get", 4, 0, at), Errno::kInval);
  EXPECT_EQ(guest().Call("clock_res_get", 4, at), Errno::kInval);
}

TEST_P(EnvironmentTest, RandomOfTheSystem) {
  // 64 bytes that happen to be equal don't occur.
  const uint32_t a = guest().Room(64), b = guest().Room(64);
  EXPECT_EQ(guest().Call("random_get", a, 64), Errno::kSuccess);
  EXPECT_EQ(guest().Call("random_get", b, 64), Errno::kSuccess);
  EXPECT_NE(guest().Bytes(a, 64), guest().Bytes(b, 64));
  EXPECT_EQ(guest().Call("random_get", a, 0), Errno::kSuccess);
  EXPECT_EQ(guest().Call("random_get", guest().size(), 0), Errno::kSuccess);
  EXPECT_EQ(guest().Call("random_get", guest().size() - 1, 1), Errno::kSuccess);
  EXPECT_EQ(guest().Call("random_get", guest().size() - 1, 2), Errno::kFault);
  EXPECT_EQ(guest().Call("random_get", 16, 0xffffffff), Errno::kFault);
}

TEST_P(EnvironmentTest, DeterministicRandom) {
  config.random = DeterministicRandom(7);
  auto same = DeterministicRandom(7), other = DeterministicRandom(8);
  std::vector<uint8_t> want(100), unlike(100);
  EXPECT_TRUE(same(absl::MakeSpan(want)));
  EXPECT_TRUE(other(absl::MakeSpan(unlike)));
  const uint32_t at = guest().Room(100);
  EXPECT_EQ(guest().Call("random_get", at, 40), Errno::kSuccess);
  EXPECT_EQ(guest().Call("random_get", at + 40, 60), Errno::kSuccess);
  EXPECT_EQ(guest().Bytes(at, 100), std::string(want.begin(), want.end()));
  EXPECT_NE(want, unlike);
}

TEST_P(EnvironmentTest, RandomThatFails) {
  config.random = [](absl::Span<uint8_t>) { return false; };
  EXPECT_EQ(guest().Call("random_get", 1024, 4), Errno::kIo);
}

TEST_P(EnvironmentTest, ProcExit) {
  for (uint32_t code : {0u, 1u, 42u, 0xffffffffu}) {
    EXPECT_EQ(guest().Start("proc_exit", code), Process::State::kExited);
    EXPECT_EQ(guest().process().system().exit_code(), code);
    EXPECT_EQ(guest().process().exit_code(), static_cast<int>(code));
    EXPECT_TRUE(guest().process().step().trapped());
    EXPECT_EQ(guest().process().step().trap(), Trap::kCancelled);
  }
  // The system would make 0 of these.
  for (uint32_t code : {256u, 0x12300u, 0x80000000u}) {
    EXPECT_EQ(guest().Start("proc_exit", code), Process::State::kExited);
    EXPECT_EQ(guest().process().system().exit_code(), code);
    EXPECT_EQ(guest().process().exit_code(), 255);
  }
}

// What a call that has exited leaves behind is not the next one's.
TEST_P(EnvironmentTest, ProcExitIsOfOneCall) {
  EXPECT_EQ(guest().Start("proc_exit", 3), Process::State::kExited);
  EXPECT_EQ(guest().Call("fd_sync", 99), Errno::kBadf);
  EXPECT_EQ(guest().process().system().exit_code(), std::nullopt);
  EXPECT_EQ(guest().process().exit_code(), 0);
}

TEST_P(EnvironmentTest, ProcRaise) {
  // NONE, CHLD, CONT, URG and WINCH are ignored, as POSIX does by default.
  for (uint32_t signal : {0u, 16u, 17u, 22u, 27u}) {
    EXPECT_EQ(guest().Call("proc_raise", signal), Errno::kSuccess) << signal;
  }
  for (uint32_t signal : {18u, 19u, 20u, 21u}) {  // they would stop the program
    EXPECT_EQ(guest().Call("proc_raise", signal), Errno::kNotSup) << signal;
  }
  for (uint32_t signal : {31u, 256u, 0xffffffffu}) {
    EXPECT_EQ(guest().Call("proc_raise", signal), Errno::kInval) << signal;
  }
  EXPECT_FALSE(guest().process().system().exit_code().has_value());
  for (uint32_t signal : {1u, 6u, 9u, 15u, 30u}) {
    EXPECT_EQ(guest().Start("proc_raise", signal), Process::State::kExited) << signal;
    EXPECT_EQ(guest().process().exit_code(), static_cast<int>(128 + signal));
  }
}

TEST_P(EnvironmentTest, SchedYieldGivesOthersATurn) {
  EXPECT_EQ(guest().Start("sched_yield"), Process::State::kWaiting);
  EXPECT_TRUE(guest().process().wait().yield);
  EXPECT_TRUE(BlockFor(guest().process().wait()));
  EXPECT_EQ(guest().Go(), Process::State::kFinished);
  EXPECT_EQ(guest().result(), Errno::kSuccess);
  EXPECT_EQ(guest().Start("sched_yield"), Process::State::kWaiting) << "each time";
}

}  // namespace
}  // namespace fermata::wasi

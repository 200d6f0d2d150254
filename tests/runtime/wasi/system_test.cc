// System and Process themselves: what Create refuses, answering by hand, calls that block, memories
// of several instances.
#include <gmock/gmock.h>
#include <time.h>

#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/runtime/wasi/guest.h"
#include "tests/support/host_pipe.h"

namespace fermata::wasi {
namespace {

using State = Process::State;

TEST(SystemCreate, Refuses) {
  const auto error = [](Config config) {
    return std::string(System::Create(std::move(config)).status().message());
  };
  Config config;
  config.args = {std::string("a\0b", 3)};
  EXPECT_THAT(error(config), testing::HasSubstr("NUL"));
  config = {};
  config.env = {std::string("A=\0", 3)};
  EXPECT_THAT(error(config), testing::HasSubstr("NUL"));
  config = {};
  config.mounts = {{"/", "/there/is/no/such/folder", false, {}}};
  EXPECT_THAT(error(config), testing::HasSubstr("/there/is/no/such/folder"));
  config.mounts = {{"/", "/proc/self/status", false, {}}};
  EXPECT_THAT(error(config), testing::HasSubstr("/proc/self/status")) << "a file";
  config.mounts = {{std::string("/\0", 2), "/", false, {}}};
  EXPECT_THAT(error(config), testing::HasSubstr("NUL"));
  config.mounts = {{"/", "", false, {{"../up", "x"}}}};
  EXPECT_THAT(error(config), testing::HasSubstr("../up"));
  config = {};
  config.max_descriptors = 2;
  EXPECT_NE(error(config), "");
  config = {};
  config.sockets = {nullptr};
  EXPECT_THAT(error(config), testing::HasSubstr("socket"));
}

TEST(SystemCreate, ImmediateImportsNeverWait) {
  const std::vector<std::string> names = System::ImmediateImports();
  // Preview 1, and the socket extension where there is one.
  const bool extended = System::Provides("wasi_snapshot_preview1", "sock_open");
  EXPECT_EQ(names.size(), extended ? 46u + 48 - 11 : 46u - 7);
  for (const char* waits :
       {"fd_read", "fd_write", "sock_accept", "sock_recv", "sock_send", "poll_oneoff",
        "sched_yield", "sock_connect", "sock_recv_from", "sock_send_to", "sock_addr_resolve"}) {
    EXPECT_THAT(names,
                testing::Not(testing::Contains(absl::StrCat("wasi_snapshot_preview1.", waits))));
  }
}

// The layer below Process: each op is one of the module's, and answered by Answer.
TEST(SystemAnswer, ByHand) {
  MemoryPipe in;
  Config config;
  config.in = in.reader();
  auto system = System::Create(std::move(config));
  ASSERT_TRUE(system.ok()) << system.status();
  StoreHandle store;
  auto instance = store.Instantiate(GuestModule(Answers::kSuspended), {});
  ASSERT_TRUE(instance.ok()) << instance.status();
  Memory memory = *(*instance)->FindMemory("memory");
  memory.data()[16] = 32;  // an iovec: 8 bytes at 32
  memory.data()[20] = 8;
  auto step =
      (*instance)->Call("fd_read", {Value::I32(0), Value::I32(16), Value::I32(1), Value::I32(64)});
  ASSERT_TRUE(step.ok()) << step.status();
  ASSERT_TRUE(step->suspended());
  EXPECT_EQ(step->op_name(), "fd_read");
  Pending pending;
  EXPECT_EQ((*system)->Answer(*step, pending), System::Progress::kWaiting);
  EXPECT_EQ(pending.wait.sources.size(), 1u);
  EXPECT_EQ((*system)->Answer(*step, pending), System::Progress::kWaiting);
  EXPECT_EQ(pending.wait.sources.size(), 1u) << "not added up";
  in.Write("by hand");
  EXPECT_EQ((*system)->Answer(*step, pending), System::Progress::kAnswered);
  EXPECT_TRUE(pending.wait.sources.empty());
  ASSERT_TRUE(step->finished());
  EXPECT_EQ(step->results()[0].i32(), 0u);
  EXPECT_EQ(std::string(reinterpret_cast<char*>(memory.data()) + 32, 7), "by hand");
  EXPECT_EQ((*system)->Answer(*step, pending), System::Progress::kForeign) << "not suspended";

  step = (*instance)->Call("proc_exit", {Value::I32(3)});
  ASSERT_TRUE(step.ok() && step->suspended());
  EXPECT_EQ((*system)->Answer(*step, pending), System::Progress::kExited);
  EXPECT_TRUE(step->trapped());
  EXPECT_EQ((*system)->exit_code(), 3u);
}

// A system outlives its instances; the next one may be at the same address, with another memory.
TEST(SystemAnswer, InstancesComeAndGo) {
  Config config;
  config.args = {"arg"};
  auto system = System::Create(std::move(config));
  ASSERT_TRUE(system.ok());
  for (int i = 0; i < 20; ++i) {
    const ModuleInfo& info = GuestModule(i % 3 ? Answers::kBound : Answers::kImmediate);
    StoreHandle store;
    Imports imports;
    (*system)->Bind(info, imports);
    auto first = store.Instantiate(info, imports), second = store.Instantiate(info, imports);
    ASSERT_TRUE(first.ok() && second.ok());
    for (DynamicInstance* instance : {*first, *second}) {
      auto step = instance->Call("args_get", {Value::I32(8), Value::I32(16)});
      ASSERT_TRUE(step.ok() && step->finished()) << step.status();
      EXPECT_EQ(step->results()[0].i32(), 0u);
      EXPECT_STREQ(reinterpret_cast<char*>(instance->FindMemory("memory")->data()) + 16, "arg");
    }
  }
}

TEST(ProcessTest, CallsOneAfterTheOther) {
  MemoryPipe in;
  Config config;
  config.in = in.reader();
  Guest guest(std::move(config), Answers::kBound);
  Process& process = guest.process();
  EXPECT_FALSE(process.Begin("missing", {}).ok());
  EXPECT_FALSE(process.Begin("memory", {}).ok()) << "not a function";
  EXPECT_EQ(guest.Start("fd_read", 0, guest.Iovecs({{64, 1}}), 1, 128), State::kWaiting);
  EXPECT_FALSE(process.Begin("sched_yield", {}).ok()) << "one is under way";
  EXPECT_EQ(RunToEnd(process), State::kTrapped) << "nobody will ever write";
  EXPECT_THAT(process.message(), testing::HasSubstr("can never come"));
  EXPECT_EQ(guest.Call("fd_sync", 99), Errno::kBadf) << "the instance is still good";
  EXPECT_EQ(process.exit_code(), 0);
  EXPECT_TRUE(process.Begin("fd_sync", {}).ok());
  EXPECT_EQ(process.Run(), State::kTrapped) << "too few arguments";
  EXPECT_NE(process.message(), "");
}

TEST(ProcessTest, WithoutAStart) {
  auto process = Process::Create(GuestModule(Answers::kBound), {});
  ASSERT_TRUE(process.ok());
  EXPECT_EQ((*process)->state(), State::kReady);
  EXPECT_EQ((*process)->Run(), State::kTrapped);
  EXPECT_THAT((*process)->message(), testing::HasSubstr("_start"));
}

// ---- Imports that can't suspend ----

uint64_t Monotonic() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}

class ImmediateTest : public WasiTest {};
INSTANTIATE_TEST_SUITE_P(Modes, ImmediateTest,
                         testing::Values(Mode{Answers::kImmediate, true},
                                         Mode{Answers::kImmediate, false}),
                         NameOfMode);

TEST_P(ImmediateTest, FilesAndExits) {
  folder.Write("file", "contents");
  MountFolder();
  std::string bytes;
  EXPECT_EQ(guest().Read(guest().MustOpen(kDir, "file"), 20, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, "contents");
  uint32_t fd;
  EXPECT_EQ(guest().Open(kDir, "../x", {}, fd), Errno::kNotCapable);
  EXPECT_EQ(guest().Call("sched_yield"), Errno::kSuccess);
  EXPECT_EQ(guest().Start("proc_exit", 7), State::kExited);
  EXPECT_EQ(guest().process().exit_code(), 7);
}

TEST_P(ImmediateTest, SleepsBlock) {
  const uint32_t subscription = guest().Room(48, 0), events = guest().Room(32);
  guest().Store<uint32_t>(subscription + 16, 1);
  guest().Store<uint64_t>(subscription + 24, 2'000'000);
  const uint64_t before = Monotonic();
  EXPECT_EQ(guest().Call("poll_oneoff", subscription, events, 1, guest().Room(4)), Errno::kSuccess);
  EXPECT_GE(Monotonic(), before + 2'000'000);
}

TEST_P(ImmediateTest, ReadsBlock) {
  testing_support::HostPipe pipe;
  config.in = *DescriptorStream(pipe.TakeReader(), true);
  guest();
  std::thread writer([&] {
    pipe.Write("now");
    pipe.CloseWriter();
  });
  std::string bytes;
  EXPECT_EQ(guest().Read(0, 10, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, "now");
  writer.join();
}

TEST_P(ImmediateTest, WaitingForNobodyTraps) {
  MemoryPipe in;
  config.in = in.reader();
  const uint32_t iovecs = guest().Iovecs({{64, 1}});
  EXPECT_EQ(guest().Start("fd_read", 0, iovecs, 1, 128), State::kTrapped);
  EXPECT_EQ(guest().process().step().trap(), Trap::kHost);
  in.Write("x");
  EXPECT_EQ(guest().Call("fd_read", 0, iovecs, 1, 128), Errno::kSuccess);
}

}  // namespace
}  // namespace fermata::wasi

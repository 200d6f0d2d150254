// Streams over descriptors of the host's.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <string>

#include "tests/runtime/wasi/guest.h"
#include "tests/support/host_pipe.h"

namespace fermata::wasi {
namespace {

using State = Process::State;
using testing_support::HostPipe;

class HostStreamsTest : public WasiTest {};
INSTANTIATE_TEST_SUITE_P(Modes, HostStreamsTest, testing::ValuesIn(BothAnswers()), NameOfMode);

std::shared_ptr<Stream> StreamOf(int fd, bool owned = false) {
  auto stream = DescriptorStream(fd, owned);
  EXPECT_TRUE(stream.ok()) << stream.status();
  return *std::move(stream);
}

TEST_P(HostStreamsTest, WhatIsSharedIsLeftAsItIs) {
  for (const bool owned : {false, true}) {
    HostPipe pipe;
    const auto stream = StreamOf(owned ? dup(pipe.reader()) : pipe.reader(), owned);
    EXPECT_EQ(fcntl(pipe.reader(), F_GETFL) & O_NONBLOCK, owned ? O_NONBLOCK : 0);
  }
}

TEST_P(HostStreamsTest, FullHostPipe) {
  for (const bool owned : {false, true}) {
    SCOPED_TRACE(owned);
    HostPipe pipe;
    Config c;
    c.out = StreamOf(owned ? dup(pipe.writer()) : pipe.writer(), owned);
    Guest g(std::move(c), GetParam().answers);
    const std::string piece(3000, 'p');
    const uint32_t iovecs = g.Iovecs({{g.Put(piece), 3000}}), used = g.Room(4);
    uint64_t total = 0;
    while (g.Start("fd_write", 1, iovecs, 1, used) == State::kFinished && total < (1u << 22)) {
      ASSERT_EQ(g.result(), Errno::kSuccess);
      total += g.Load<uint32_t>(used);
    }
    ASSERT_TRUE(g.waits()) << "full after " << total;
    std::string sink(1 << 16, '\0');
    EXPECT_GT(read(pipe.reader(), sink.data(), sink.size()), 0);
    EXPECT_TRUE(BlockFor(g.process().wait()));
    ASSERT_EQ(g.Go(), State::kFinished);
    EXPECT_EQ(g.result(), Errno::kSuccess);
    EXPECT_GT(g.Load<uint32_t>(used), 0u);
  }
}

// The signal would end the host: neither that nor a handler of the host's is for the guest's use.
TEST_P(HostStreamsTest, ClosedHostPipe) {
  static int signals;
  signals = 0;
  struct sigaction count = {}, before;
  count.sa_handler = [](int) { ++signals; };
  sigaction(SIGPIPE, &count, &before);
  for (const bool owned : {false, true}) {
    HostPipe pipe;
    pipe.CloseReader();
    Config c;
    c.out = StreamOf(owned ? dup(pipe.writer()) : pipe.writer(), owned);
    Guest g(std::move(c), GetParam().answers);
    EXPECT_EQ(g.Write(1, "x"), Errno::kPipe);
  }
  sigaction(SIGPIPE, &before, nullptr);
  EXPECT_EQ(signals, 0);
  sigset_t blocked;
  pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  EXPECT_FALSE(sigismember(&blocked, SIGPIPE)) << "the mask is as it was";
}

TEST_P(HostStreamsTest, Terminals) {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal < 0) GTEST_SKIP() << "not run: no pseudo-terminals here";
  config.in = StreamOf(terminal, true);
  const Guest::FdStat stat = guest().MustFdStat(0);
  EXPECT_EQ(stat.type, FileType::kCharacterDevice);
  // What C libraries take for a terminal.
  EXPECT_EQ(stat.base & (rights::kFdSeek | rights::kFdTell), 0u);
}

// Programs must not take such devices for terminals, however they come to them.
TEST_P(HostStreamsTest, DevicesThatAreNoTerminals) {
  const auto device = [] { return open("/dev/null", O_RDWR | O_CLOEXEC); };
  const auto looks_like_a_terminal = [this](uint32_t fd) {
    const Guest::FdStat stat = guest().MustFdStat(fd);
    return stat.type == FileType::kCharacterDevice &&
           (stat.base & (rights::kFdSeek | rights::kFdTell)) == 0;
  };
  config.in = config.out = StreamOf(device(), true);
  config.sockets.push_back(StreamOf(device(), true));
  config.mounts.push_back({"/dev", "/dev", false, {}});
  System& system = guest().process().system();
  const uint32_t added = *system.Add(StreamOf(device(), true)), file = *system.AddFile(device());
  const uint32_t opened = guest().MustOpen(3, "null", {0, rights::kAll, 0, 0, true}),
                 less = guest().MustOpen(3, "null", {0, rights::kFdRead, 0, 0, true});
  for (const uint32_t fd : {0u, 1u, 4u, added, file, opened, less}) {
    EXPECT_FALSE(looks_like_a_terminal(fd)) << fd;
  }
  FileStat stat;
  EXPECT_EQ(guest().StatFd(opened, stat), Errno::kSuccess);
  EXPECT_EQ(stat.type, FileType::kCharacterDevice);
  EXPECT_EQ(guest().Call("fd_fdstat_set_rights", 0, rights::kFdRead, 0), Errno::kSuccess);
  EXPECT_FALSE(looks_like_a_terminal(0));
  std::string bytes;
  EXPECT_EQ(guest().Read(0, 8, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, "");
  EXPECT_EQ(guest().Call("fd_seek", opened, 0, 0, guest().Room(8)), Errno::kSpipe);
}

}  // namespace
}  // namespace fermata::wasi

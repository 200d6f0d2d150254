// Streams: memory pipes, bytes, callbacks, descriptors of the host's; calls that wait for them.
#include <unistd.h>

#include <string>

#include "tests/runtime/wasi/guest.h"
#include "tests/support/host_pipe.h"

namespace fermata::wasi {
namespace {

using State = Process::State;
using testing_support::HostPipe;

class StreamsTest : public WasiTest {
 protected:
  // Starts a read; Bytes() are what came, once it has ended.
  State StartRead(uint32_t fd, uint32_t size) {
    buffer_ = guest().Room(size);
    used_ = guest().Room(4);
    return guest().Start("fd_read", fd, guest().Iovecs({{buffer_, size}}), 1, used_);
  }
  State StartWrite(uint32_t fd, const std::string& bytes) {
    const uint32_t size = static_cast<uint32_t>(bytes.size());
    used_ = guest().Room(4);
    return guest().Start("fd_write", fd, guest().Iovecs({{guest().Put(bytes), size}}), 1, used_);
  }
  uint32_t Used() { return guest().Load<uint32_t>(used_); }
  std::string Bytes() { return guest().Bytes(buffer_, Used()); }

  uint32_t buffer_ = 0, used_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Modes, StreamsTest, testing::ValuesIn(BothAnswers()), NameOfMode);

TEST_P(StreamsTest, NothingIsConnected) {
  std::string bytes = "?";
  EXPECT_EQ(guest().Read(0, 4, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, "");
  uint32_t written;
  EXPECT_EQ(guest().Write(1, "dropped", &written), Errno::kSuccess);
  EXPECT_EQ(written, 7u);
  EXPECT_EQ(guest().Write(0, "x"), Errno::kNotCapable);
  EXPECT_EQ(guest().Read(1, 4, bytes), Errno::kNotCapable);
  EXPECT_EQ(guest().Read(2, 4, bytes), Errno::kNotCapable);
  EXPECT_EQ(guest().Read(3, 4, bytes), Errno::kBadf);
}

TEST_P(StreamsTest, BytesAndWhatIsCollected) {
  std::string out;
  config.in = BytesStream("some input");
  config.out = CollectingStream(&out, 5);
  std::string bytes;
  EXPECT_EQ(guest().Read(0, 4, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, "some");
  EXPECT_EQ(guest().Read(0, 100, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, " input");
  EXPECT_EQ(guest().Read(0, 100, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, "");
  uint32_t written;
  EXPECT_EQ(guest().Write(1, "abc", &written), Errno::kSuccess);
  EXPECT_EQ(guest().Write(1, "defg", &written), Errno::kSuccess);
  EXPECT_EQ(written, 2u) << "as much as there is room for";
  EXPECT_EQ(guest().Write(1, "h"), Errno::kNoSpc);
  EXPECT_EQ(guest().Write(1, ""), Errno::kSuccess);
  EXPECT_EQ(out, "abcde");
}

TEST_P(StreamsTest, StreamsHaveNoPositions) {
  config.in = BytesStream("x");
  Guest& g = guest();
  const uint32_t room = g.Room(8), iovecs = g.Iovecs({{room, 8}});
  EXPECT_EQ(g.Call("fd_seek", 0, 0, 0, room), Errno::kSpipe);
  EXPECT_EQ(g.Call("fd_tell", 0, room), Errno::kSpipe);
  EXPECT_EQ(g.Call("fd_pread", 0, iovecs, 1, 0, room), Errno::kSpipe);
  EXPECT_EQ(g.Call("fd_pwrite", 1, iovecs, 1, 0, room), Errno::kSpipe);
  FileStat stat;
  EXPECT_EQ(g.StatFd(0, stat), Errno::kSuccess);
  EXPECT_EQ(stat.type, FileType::kUnknown);
  EXPECT_EQ(stat.size, 0u);
}

TEST_P(StreamsTest, EmptyPipeIsWaitedFor) {
  MemoryPipe in;
  config.in = in.reader();
  ASSERT_EQ(StartRead(0, 10), State::kWaiting);
  ASSERT_EQ(guest().process().wait().sources.size(), 1u);
  EXPECT_FALSE(guest().process().wait().sources[0].write);
  EXPECT_FALSE(guest().process().wait().deadline);
  EXPECT_FALSE(BlockFor(guest().process().wait())) << "only the host knows when";
  EXPECT_EQ(guest().Go(), State::kWaiting) << "still nothing";
  EXPECT_EQ(in.Write("hello"), 5u);
  EXPECT_TRUE(BlockFor(guest().process().wait()));
  ASSERT_EQ(guest().Go(), State::kFinished);
  EXPECT_EQ(guest().result(), Errno::kSuccess);
  EXPECT_EQ(Bytes(), "hello");
  ASSERT_EQ(StartRead(0, 10), State::kWaiting);
  in.Close();
  ASSERT_EQ(guest().Go(), State::kFinished);
  EXPECT_EQ(guest().result(), Errno::kSuccess);
  EXPECT_EQ(Bytes(), "") << "the end";
}

TEST_P(StreamsTest, EmptyReadsDoNotWait) {
  MemoryPipe in;
  config.in = in.reader();
  std::string bytes;
  EXPECT_EQ(guest().Read(0, 0, bytes), Errno::kSuccess);
  EXPECT_EQ(guest().Call("fd_read", 0, 0, 0, guest().Room(4)), Errno::kSuccess);
}

TEST_P(StreamsTest, FullPipeIsWaitedFor) {
  MemoryPipe out(4);
  config.out = out.writer();
  ASSERT_EQ(StartWrite(1, "abcdef"), State::kFinished);
  EXPECT_EQ(Used(), 4u) << "as much as fitted";
  ASSERT_EQ(StartWrite(1, "ef"), State::kWaiting);
  ASSERT_EQ(guest().process().wait().sources.size(), 1u);
  EXPECT_TRUE(guest().process().wait().sources[0].write);
  EXPECT_EQ(out.Read(), "abcd");
  ASSERT_EQ(guest().Go(), State::kFinished);
  EXPECT_EQ(Used(), 2u);
  EXPECT_EQ(out.Read(), "ef");
  out.Close();
  EXPECT_EQ(guest().Write(1, "x"), Errno::kPipe);
}

TEST_P(StreamsTest, NonblockIsTold) {
  MemoryPipe in, out(1);
  config.in = in.reader();
  config.out = out.writer();
  std::string bytes;
  EXPECT_EQ(guest().Call("fd_fdstat_set_flags", 0, fdflags::kNonblock), Errno::kSuccess);
  EXPECT_EQ(guest().Call("fd_fdstat_set_flags", 1, fdflags::kNonblock), Errno::kSuccess);
  EXPECT_EQ(guest().MustFdStat(0).flags, fdflags::kNonblock);
  EXPECT_EQ(guest().Read(0, 4, bytes), Errno::kAgain);
  EXPECT_EQ(guest().Write(1, "x"), Errno::kSuccess);
  EXPECT_EQ(guest().Write(1, "x"), Errno::kAgain);
  in.Write("y");
  EXPECT_EQ(guest().Read(0, 4, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, "y");
  EXPECT_EQ(guest().Call("fd_fdstat_set_flags", 0, 0), Errno::kSuccess);
  EXPECT_EQ(StartRead(0, 4), State::kWaiting) << "waits again";
}

TEST_P(StreamsTest, BadPointersLoseNoBytes) {
  MemoryPipe in;
  config.in = in.reader();
  in.Write("kept");
  Guest& g = guest();
  const uint32_t room = g.Room(8), end = g.size();
  EXPECT_EQ(g.Call("fd_read", 0, g.Iovecs({{room, 8}}), 1, end - 3), Errno::kFault);
  EXPECT_EQ(g.Call("fd_read", 0, g.Iovecs({{room, 2}, {end - 3, 4}}), 2, room), Errno::kFault);
  EXPECT_EQ(g.Call("fd_read", 0, end - 7, 1, room), Errno::kFault);
  std::string bytes;
  EXPECT_EQ(g.Read(0, 8, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, "kept");
  in.Write("end");
  EXPECT_EQ(g.Call("fd_read", 0, g.Iovecs({{end - 3, 3}}), 1, room), Errno::kSuccess);
  EXPECT_EQ(g.Bytes(end - 3, 3), "end") << "the very end of memory";
}

TEST_P(StreamsTest, Callbacks) {
  std::string out;
  bool ready = false;
  config.in = CallbackStream({.read =
                                  [&](absl::Span<uint8_t> bytes) {
                                    if (!ready) return IoResult::Failed(Errno::kAgain);
                                    bytes[0] = 'r';
                                    return IoResult{Errno::kSuccess, 1};
                                  },
                              .write = nullptr,
                              .can_read = [&] { return ready; },
                              .can_write = nullptr});
  config.out = CallbackStream({.read = nullptr,
                               .write =
                                   [&](absl::Span<const uint8_t> bytes) {
                                     out.append(bytes.begin(), bytes.end());
                                     return IoResult{Errno::kSuccess, bytes.size()};
                                   },
                               .can_read = nullptr,
                               .can_write = nullptr});
  config.err = CallbackStream({});
  ASSERT_EQ(StartRead(0, 3), State::kWaiting);
  EXPECT_FALSE(BlockFor(guest().process().wait()));
  ready = true;
  EXPECT_TRUE(BlockFor(guest().process().wait()));
  ASSERT_EQ(guest().Go(), State::kFinished);
  EXPECT_EQ(Bytes(), "r");
  const uint32_t used = guest().Room(4);
  const uint32_t iovecs = guest().Iovecs({{guest().Put("ab"), 2}, {guest().Put("cd"), 2}});
  EXPECT_EQ(guest().Call("fd_write", 1, iovecs, 2, used), Errno::kSuccess);
  EXPECT_EQ(guest().Load<uint32_t>(used), 4u);
  EXPECT_EQ(out, "abcd");
  EXPECT_EQ(guest().Write(2, "x"), Errno::kBadf);
}

// They claim more than they were given room for, or fail half-way.
TEST_P(StreamsTest, MisbehavingCallbacks) {
  int calls = 0;
  config.in = CallbackStream({.read =
                                  [&](absl::Span<uint8_t>) {
                                    return IoResult{Errno::kSuccess, uint64_t{1} << 40};
                                  },
                              .write = nullptr,
                              .can_read = nullptr,
                              .can_write = nullptr});
  config.out = CallbackStream({.read = nullptr,
                               .write =
                                   [&](absl::Span<const uint8_t> bytes) {
                                     if (++calls == 2) return IoResult{Errno::kIo, 99};
                                     return IoResult{Errno::kSuccess, bytes.size() + 1};
                                   },
                               .can_read = nullptr,
                               .can_write = nullptr});
  std::string bytes;
  EXPECT_EQ(guest().Read(0, 5, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes.size(), 5u);
  const uint32_t used = guest().Room(4);
  const uint32_t iovecs = guest().Iovecs({{guest().Put("ab"), 2}, {guest().Put("cd"), 2}});
  EXPECT_EQ(guest().Call("fd_write", 1, iovecs, 2, used), Errno::kSuccess);
  EXPECT_EQ(guest().Load<uint32_t>(used), 2u) << "what had gone before the error";
  calls = 1;
  EXPECT_EQ(guest().Call("fd_write", 1, iovecs, 2, used), Errno::kIo);
}

std::shared_ptr<Stream> StreamOf(int fd, bool owned = false) {
  auto stream = DescriptorStream(fd, owned);
  EXPECT_TRUE(stream.ok()) << stream.status();
  return *std::move(stream);
}

TEST_P(StreamsTest, HostPipes) {
  for (const bool owned : {false, true}) {
    SCOPED_TRACE(owned);
    HostPipe pipe;
    Config c;
    c.in = StreamOf(owned ? dup(pipe.reader()) : pipe.reader(), owned);
    Guest g(std::move(c), GetParam().answers);
    const uint32_t buffer = g.Room(8), iovecs = g.Iovecs({{buffer, 8}}), used = g.Room(4);
    ASSERT_EQ(g.Start("fd_read", 0, iovecs, 1, used), State::kWaiting);
    pipe.Write("data");
    EXPECT_TRUE(BlockFor(g.process().wait())) << "poll says so";
    ASSERT_EQ(g.Go(), State::kFinished);
    EXPECT_EQ(g.result(), Errno::kSuccess);
    EXPECT_EQ(g.Bytes(buffer, g.Load<uint32_t>(used)), "data");
    ASSERT_EQ(g.Start("fd_read", 0, iovecs, 1, used), State::kWaiting);
    pipe.CloseWriter();
    EXPECT_TRUE(BlockFor(g.process().wait()));
    ASSERT_EQ(g.Go(), State::kFinished);
    EXPECT_EQ(g.Load<uint32_t>(used), 0u) << "the end";
  }
}

TEST_P(StreamsTest, DescriptorsThatAreNone) {
  EXPECT_FALSE(DescriptorStream(-1, false).ok());
  EXPECT_FALSE(DescriptorStream(1 << 20, true).ok());
}

}  // namespace
}  // namespace fermata::wasi

// Descriptors that the host gives to a guest, and takes from it, while it runs.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "fermata/wasi/snapshot.h"
#include "tests/runtime/wasi/guest.h"

namespace fermata::wasi {
namespace {

using State = Process::State;
using Access = System::Access;

class AddedDescriptorsTest : public WasiTest {
 protected:
  System& system() { return guest().process().system(); }
  uint32_t Must(absl::StatusOr<uint32_t> fd) {
    EXPECT_TRUE(fd.ok()) << fd.status();
    return fd.value_or(~0u);
  }
  using EventList = std::vector<std::pair<uint64_t, Errno>>;
  // Waits for one of them to be readable.
  State Poll(uint32_t a, uint32_t b) {
    Guest& g = guest();
    const uint32_t subscriptions = g.Room(96, 0);
    for (uint32_t i = 0; i < 2; ++i) {
      g.Store<uint64_t>(subscriptions + 48 * i, i);
      g.Store<uint8_t>(subscriptions + 48 * i + 8, 1);
      g.Store<uint32_t>(subscriptions + 48 * i + 16, i == 0 ? a : b);
    }
    events_ = g.Room(64);
    used_ = g.Room(4);
    return g.Start("poll_oneoff", subscriptions, events_, 2, used_);
  }
  // What the poll came to: which of the two, and the error.
  EventList Events() {
    EXPECT_EQ(guest().result(), Errno::kSuccess);
    EventList events;
    for (uint32_t i = 0; i < guest().Load<uint32_t>(used_); ++i) {
      events.emplace_back(guest().Load<uint64_t>(events_ + 32 * i),
                          static_cast<Errno>(guest().Load<uint16_t>(events_ + 32 * i + 8)));
    }
    return events;
  }
  State StartRead(uint32_t fd) {
    return guest().Start("fd_read", fd, guest().Iovecs({{guest().Room(8), 8}}), 1, guest().Room(4));
  }

  uint32_t events_ = 0, used_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Modes, AddedDescriptorsTest, testing::ValuesIn(BothAnswers()), NameOfMode);

TEST_P(AddedDescriptorsTest, AreUsedLikeItsOwn) {
  MountFolder();
  MemoryPipe pipe;
  const uint32_t fd = Must(system().Add(pipe.reader()));
  EXPECT_EQ(fd, 4u) << "the lowest that is free";
  pipe.Write("given");
  std::string bytes;
  EXPECT_EQ(guest().Read(fd, 16, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, "given");
  // It has no end yet, so the guest waits.
  EXPECT_EQ(StartRead(fd), State::kWaiting);
  EXPECT_EQ(guest().process().wait().sources[0].stream, system().Find(fd));
  pipe.Write("more");
  EXPECT_EQ(guest().Go(), State::kFinished);
  // The guest renumbers and closes it as it likes.
  EXPECT_EQ(guest().Call("fd_renumber", fd, 0), Errno::kSuccess);
  EXPECT_EQ(system().Find(fd), nullptr);
  pipe.Write("as standard input");
  EXPECT_EQ(guest().Read(0, 32, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, "as standard input");
  EXPECT_EQ(guest().Close(0), Errno::kSuccess);
  EXPECT_EQ(Must(system().Add(NullStream())), 0u);
}

// One poll_oneoff over a pipe of the process's own and a socket that was added.
TEST_P(AddedDescriptorsTest, ArePolledBesideItsOwn) {
  int own[2], ends[2];
  ASSERT_EQ(pipe2(own, O_CLOEXEC), 0);
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  config.in = *DescriptorStream(own[0], /*owned=*/true);
  const uint32_t fd = Must(system().Add(*DescriptorStream(ends[0], /*owned=*/true)));
  ASSERT_EQ(Poll(0, fd), State::kWaiting);
  EXPECT_EQ(guest().process().wait().sources.size(), 2u);
  EXPECT_EQ(guest().Go(), State::kWaiting) << "nothing has come";
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  EXPECT_EQ(RunToEnd(guest().process()), State::kFinished);
  EXPECT_EQ(Events(), (EventList{{1, Errno::kSuccess}}));
  ASSERT_EQ(write(own[1], "y", 1), 1);
  EXPECT_EQ(Poll(0, fd), State::kFinished);
  EXPECT_EQ(Events().size(), 2u);
  // Both ways to be ready in one: a stream that only the host knows about.
  MemoryPipe pipe;
  std::string bytes;
  EXPECT_EQ(guest().Read(fd, 1, bytes), Errno::kSuccess);
  const uint32_t memory = Must(system().Add(pipe.reader()));
  ASSERT_EQ(Poll(fd, memory), State::kWaiting);
  pipe.Write("z");
  EXPECT_EQ(guest().Go(), State::kFinished);
  EXPECT_EQ(Events(), (EventList{{1, Errno::kSuccess}}));
  close(own[1]);
  close(ends[1]);
}

TEST_P(AddedDescriptorsTest, AreTakenAway) {
  MemoryPipe pipe, other;
  const std::shared_ptr<Stream> stream = pipe.reader();
  const uint32_t fd = Must(system().Add(stream)), second = Must(system().Add(other.reader()));
  int woken = 0;
  guest().process().SetWaker([&] { ++woken; });
  ASSERT_EQ(StartRead(fd), State::kWaiting);
  const auto taken = system().Take(fd);
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_EQ(*taken, stream);
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(guest().Go(), State::kFinished);
  EXPECT_EQ(guest().result(), Errno::kBadf);
  // A poll learns of it by an event.
  EXPECT_EQ(Must(system().Add(stream)), fd);
  ASSERT_EQ(Poll(fd, second), State::kWaiting);
  EXPECT_TRUE(system().Remove(second).ok());
  EXPECT_EQ(woken, 2);
  EXPECT_EQ(guest().Go(), State::kFinished);
  EXPECT_EQ(Events(), (EventList{{1, Errno::kBadf}}));
  EXPECT_TRUE(system().Remove(fd).ok());
  EXPECT_EQ(woken, 2) << "it waits for nothing";
  EXPECT_EQ(system().Remove(fd).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(system().Take(fd).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(system().Remove(0xffffffff).code(), absl::StatusCode::kNotFound);
  // Its own, too.
  EXPECT_TRUE(system().Take(0).ok());
  EXPECT_EQ(guest().Close(0), Errno::kBadf);
}

// From one guest to another: a connection that the first has accepted, say.
TEST_P(AddedDescriptorsTest, ArePassedOn) {
  MemoryPipe pipe;
  config.in = pipe.reader();
  Guest second({}, GetParam().answers);
  const auto taken = system().Take(0);
  ASSERT_TRUE(taken.ok());
  const uint32_t fd = Must(second.process().system().Add(*taken));
  pipe.Write("passed on");
  std::string bytes;
  EXPECT_EQ(second.Read(fd, 16, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, "passed on");
}

TEST_P(AddedDescriptorsTest, GiveNoMoreThanTheAccess) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const auto stream = *DescriptorStream(ends[0], /*owned=*/true);
  const uint32_t reads = Must(system().Add(stream, Access::kRead)),
                 writes = Must(system().Add(stream, Access::kWrite)),
                 both = Must(system().Add(stream));
  std::string bytes;
  for (const uint32_t fd : {writes, both}) EXPECT_EQ(guest().Write(fd, "w"), Errno::kSuccess);
  EXPECT_EQ(guest().Write(reads, "w"), Errno::kNotCapable);
  ASSERT_EQ(write(ends[1], "abc", 3), 3);
  for (const uint32_t fd : {reads, both}) EXPECT_EQ(guest().Read(fd, 1, bytes), Errno::kSuccess);
  EXPECT_EQ(guest().Read(writes, 1, bytes), Errno::kNotCapable);
  EXPECT_EQ(guest().Call("fd_fdstat_set_rights", reads, rights::kStream, 0), Errno::kNotCapable);
  close(ends[1]);
}

TEST_P(AddedDescriptorsTest, Files) {
  folder.Write("file", "0123456789");
  folder.MakeDirectory("dir");
  folder.Write("dir/inner", "in");
  Guest& g = guest();
  const uint32_t at = g.Room(8);
  std::string bytes;
  // Opened for reading: no access beyond that.
  const uint32_t fd = Must(system().AddFile(open((folder / "file").c_str(), O_RDONLY | O_CLOEXEC)));
  EXPECT_EQ(g.Call("fd_seek", fd, 4, 0, at), Errno::kSuccess);
  EXPECT_EQ(g.Read(fd, 3, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, "456");
  EXPECT_EQ(g.Write(fd, "x"), Errno::kNotCapable);
  EXPECT_EQ(g.MustFdStat(fd).type, FileType::kRegularFile);
  EXPECT_EQ(system().Find(fd), nullptr);
  EXPECT_EQ(system().Take(fd).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(system().Remove(fd).ok());
  const uint32_t log = Must(system().AddFile(
      open((folder / "file").c_str(), O_RDWR | O_APPEND | O_CLOEXEC), Access::kWrite));
  EXPECT_EQ(g.Write(log, "!"), Errno::kSuccess);
  EXPECT_EQ(g.Read(log, 1, bytes), Errno::kNotCapable);
  EXPECT_EQ(g.MustFdStat(log).flags, fdflags::kAppend);
  EXPECT_EQ(folder.Read("file"), "0123456789!");
  // A directory, and nothing outside.
  const auto directory = [&](Access access) {
    return Must(system().AddFile(open((folder / "dir").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                                 access));
  };
  const uint32_t dir = directory(Access::kReadWrite), read_only = directory(Access::kRead);
  uint32_t opened;
  EXPECT_EQ(g.Read(g.MustOpen(dir, "inner"), 8, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, "in");
  EXPECT_EQ(g.Open(dir, "../file", {}, opened), Errno::kNotCapable);
  g.MustOpen(dir, "new", Creating());
  EXPECT_EQ(g.Open(read_only, "newer", Creating(), opened), Errno::kRofs);
  EXPECT_EQ(g.Call("fd_prestat_get", dir, at), Errno::kBadf) << "it has no name";
  EXPECT_FALSE(system().AddFile(-1).ok());
}

TEST_P(AddedDescriptorsTest, Mounts) {
  folder.Write("file", "contents");
  const uint32_t dir = Must(system().AddMount({"/late", folder.path(), /*read_only=*/true, {}}));
  const uint32_t at = guest().Room(8);
  EXPECT_EQ(guest().Call("fd_prestat_get", dir, at), Errno::kSuccess);
  EXPECT_EQ(guest().Load<uint32_t>(at + 4), 5u);
  guest().MustOpen(dir, "file");
  const uint32_t made = Must(system().AddMount({"/made", "", false, {{"a/b", "virtual"}}}));
  std::string bytes;
  EXPECT_EQ(guest().Read(guest().MustOpen(made, "a/b"), 16, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, "virtual");
  EXPECT_FALSE(system().AddMount({"/none", folder / "none", false, {}}).ok());
  EXPECT_FALSE(system().AddMount({std::string("/\0", 2), folder.path(), false, {}}).ok());
}

TEST_P(AddedDescriptorsTest, HaveALimit) {
  config.max_descriptors = 4;
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  EXPECT_EQ(Must(system().AddFile(ends[0])), 3u);
  EXPECT_EQ(system().Add(NullStream()).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(system().AddFile(ends[1]).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(fcntl(ends[1], F_GETFD), -1) << "it belonged to the system";
  EXPECT_TRUE(system().Remove(3).ok());
  EXPECT_EQ(fcntl(ends[0], F_GETFD), -1);
  EXPECT_EQ(system().Add(nullptr).status().code(), absl::StatusCode::kInvalidArgument);
}

// A snapshot knows their number and rights; the stream is the host's to supply.
TEST_P(AddedDescriptorsTest, AreRestoredByTheHost) {
  MemoryPipe before, after;
  const uint32_t fd = Must(system().Add(before.reader(), Access::kRead));
  ASSERT_EQ(StartRead(fd), State::kWaiting);
  const auto bytes = SaveProcess(guest().process());
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  RestoreOptions options;
  options.process.always_suspend = GetParam().answers == Answers::kSuspended;
  EXPECT_THAT(RestoreProcess(GuestModule(GetParam().answers), *bytes, options).status().message(),
              testing::HasSubstr("descriptor 3: a stream that was opened, accepted or added"));
  options.stream = [&](const SavedStream& stream) {
    return stream.fd == fd ? after.reader() : nullptr;
  };
  auto process = RestoreProcess(GuestModule(GetParam().answers), *bytes, options);
  ASSERT_TRUE(process.ok()) << process.status();
  EXPECT_EQ((*process)->Run(), State::kWaiting);
  after.Write("restored");
  EXPECT_EQ((*process)->Run(), State::kFinished);
  EXPECT_EQ((*process)->step().results()[0].i32(), 0u);
  EXPECT_EQ(guest().process().state(), State::kWaiting) << "the first goes its own way";
  Must(system().AddFile(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
  const auto more = SaveProcess(guest().process());
  ASSERT_TRUE(more.ok()) << more.status();
  EXPECT_THAT(RestoreProcess(GuestModule(GetParam().answers), *more, options).status().message(),
              testing::HasSubstr("descriptor 4: a file or directory that the host added"));
}

}  // namespace
}  // namespace fermata::wasi

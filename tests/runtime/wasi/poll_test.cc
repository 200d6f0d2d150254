// poll_oneoff: clocks, descriptors, several at a time.
#if __has_include(<sys/socket.h>)
#include <sys/socket.h>
#endif
#include <time.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "tests/runtime/wasi/guest.h"
#include "tests/support/host_pipe.h"

namespace fermata::wasi {
namespace {

using State = Process::State;

enum Tag : uint8_t { kClock = 0, kRead = 1, kWrite = 2 };

struct Event {
  uint64_t userdata;
  Errno error;
  uint8_t type;
  uint64_t bytes;
  uint16_t flags;
  bool operator==(const Event& o) const = default;
};
void PrintTo(const Event& e, std::ostream* out) {
  *out << "{" << e.userdata << ", errno " << static_cast<int>(e.error) << ", type " << int{e.type}
       << ", " << e.bytes << " bytes, flags " << e.flags << "}";
}

class PollTest : public WasiTest {
 protected:
  // Each takes the next userdata: 100, 101, …
  void Clock(uint32_t id, uint64_t timeout, bool absolute = false) {
    const uint32_t at = Next(kClock);
    guest().Store(at + 16, id);
    guest().Store(at + 24, timeout);
    guest().Store<uint16_t>(at + 40, absolute);
  }
  void Descriptor(Tag tag, uint32_t fd) { guest().Store(Next(tag) + 16, fd); }

  State Start() {
    events_ = guest().Room(32 * count_);
    used_ = guest().Room(4);
    return guest().Start("poll_oneoff", subscriptions_, events_, count_, used_);
  }
  std::vector<Event> Events() {
    EXPECT_EQ(guest().result(), Errno::kSuccess);
    std::vector<Event> events;
    const uint32_t used = guest().Load<uint32_t>(used_);
    EXPECT_LE(used, count_);
    for (uint32_t i = 0; i < used; ++i) {
      const uint32_t at = events_ + 32 * i;
      events.push_back({guest().Load<uint64_t>(at),
                        static_cast<Errno>(guest().Load<uint16_t>(at + 8)),
                        guest().Load<uint8_t>(at + 10), guest().Load<uint64_t>(at + 16),
                        guest().Load<uint16_t>(at + 24)});
      EXPECT_EQ(guest().Bytes(at + 11, 5), std::string(5, '\0')) << "padding";
      EXPECT_EQ(guest().Bytes(at + 26, 6), std::string(6, '\0'));
    }
    count_ = 0;
    guest().Release();
    return events;
  }
  // For those that don't wait.
  std::vector<Event> Poll() {
    EXPECT_EQ(Start(), State::kFinished);
    return Events();
  }

 private:
  uint32_t Next(uint8_t tag) {
    if (count_ == 0) subscriptions_ = guest().Room(48 * 64, 0);
    const uint32_t at = subscriptions_ + 48 * count_;
    guest().Store<uint64_t>(at, 100 + count_++);
    guest().Store(at + 8, tag);
    return at;
  }
  uint32_t subscriptions_ = 0, count_ = 0, events_ = 0, used_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Modes, PollTest, testing::ValuesIn(BothAnswers()), NameOfMode);

uint64_t Now(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}

TEST_P(PollTest, RelativeClock) {
  const uint64_t before = Now(CLOCK_MONOTONIC);
  Clock(1, 2'000'000);
  ASSERT_EQ(Start(), State::kWaiting);
  ASSERT_TRUE(guest().process().wait().deadline);
  EXPECT_GE(*guest().process().wait().deadline, before);
  EXPECT_LE(*guest().process().wait().deadline, Now(CLOCK_MONOTONIC) + 2'000'000);
  while (guest().waits()) {
    EXPECT_TRUE(BlockFor(guest().process().wait()));
    guest().Go();
  }
  EXPECT_EQ(Events(), (std::vector<Event>{{100, Errno::kSuccess, kClock, 0, 0}}));
  EXPECT_GE(Now(CLOCK_MONOTONIC), before + 2'000'000);
  Clock(1, 0);
  EXPECT_EQ(Poll().size(), 1u) << "no time at all";
}

TEST_P(PollTest, AbsoluteClocks) {
  for (const uint32_t id : {0u, 1u}) {
    const clockid_t host = id == 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
    Clock(id, 5, /*absolute=*/true);
    EXPECT_EQ(Poll(), (std::vector<Event>{{100, Errno::kSuccess, kClock, 0, 0}})) << "long past";
    const uint64_t end = Now(host) + 2'000'000;
    Clock(id, end, /*absolute=*/true);
    Start();
    while (guest().waits()) {
      EXPECT_TRUE(BlockFor(guest().process().wait()));
      guest().Go();
    }
    EXPECT_EQ(Events().size(), 1u);
    EXPECT_GE(Now(host), end);
  }
}

TEST_P(PollTest, TimesThatNeverCome) {
  for (const bool absolute : {false, true}) {
    Clock(1, ~uint64_t{0}, absolute);
    ASSERT_EQ(Start(), State::kWaiting);
    EXPECT_GT(*guest().process().wait().deadline, Now(CLOCK_MONOTONIC) + 1'000'000'000'000);
    guest().process().Abort("enough");
    guest().Release();
    EXPECT_EQ(guest().state(), State::kTrapped);
    EXPECT_EQ(guest().process().message(), "enough");
    EXPECT_EQ(guest().process().exit_code(), 134);
    Descriptor(kWrite, 1);
    Poll();
  }
}

TEST_P(PollTest, ClocksThatCannotBeWaitedFor) {
  Clock(7, 10);
  Clock(2, 10);
  Clock(3, 10);
  EXPECT_EQ(Poll(), (std::vector<Event>{{100, Errno::kInval, kClock, 0, 0},
                                        {101, Errno::kNotSup, kClock, 0, 0},
                                        {102, Errno::kNotSup, kClock, 0, 0}}));
}

TEST_P(PollTest, DeterministicClockTakesNoTime) {
  config.clock = DeterministicClock(1'000'000, 1);
  Clock(1, 3'600'000'000'000);
  Clock(1, 7'200'000'000'000);
  EXPECT_EQ(Poll(), (std::vector<Event>{{100, Errno::kSuccess, kClock, 0, 0}})) << "the first";
  const uint32_t at = guest().Room(8);
  EXPECT_EQ(guest().Call("clock_time_get", 1, 0, at), Errno::kSuccess);
  const uint64_t now = guest().Load<uint64_t>(at);
  EXPECT_GE(now, 3'600'000'000'000u);
  EXPECT_LT(now, 3'600'000'001'000u);
  guest().Release();
  Clock(0, ~uint64_t{0}, /*absolute=*/true);
  EXPECT_EQ(Poll().size(), 1u);
  const uint32_t end = guest().Room(8);
  for (const uint32_t id : {0u, 1u}) {
    EXPECT_EQ(guest().Call("clock_time_get", id, 0, end), Errno::kSuccess);
    EXPECT_GT(guest().Load<uint64_t>(end), now) << "time never goes back";
  }
}

TEST_P(PollTest, PipeThatIsWrittenLater) {
  MemoryPipe in;
  config.in = in.reader();
  Descriptor(kRead, 0);
  ASSERT_EQ(Start(), State::kWaiting);
  ASSERT_EQ(guest().process().wait().sources.size(), 1u);
  EXPECT_FALSE(guest().process().wait().sources[0].write);
  EXPECT_EQ(guest().Go(), State::kWaiting);
  in.Write("seven!!");
  ASSERT_EQ(guest().Go(), State::kFinished);
  EXPECT_EQ(Events(), (std::vector<Event>{{100, Errno::kSuccess, kRead, 7, 0}}));
  in.Close();
  Descriptor(kRead, 0);
  EXPECT_EQ(Poll(), (std::vector<Event>{{100, Errno::kSuccess, kRead, 7, 1}})) << "hung up";
  std::string bytes;
  EXPECT_EQ(guest().Read(0, 10, bytes), Errno::kSuccess);
  guest().Release();
  Descriptor(kRead, 0);
  EXPECT_EQ(Poll(), (std::vector<Event>{{100, Errno::kSuccess, kRead, 0, 1}}));
}

TEST_P(PollTest, Timeout) {
  MemoryPipe in;
  config.in = in.reader();
  Descriptor(kRead, 0);
  Clock(1, 1'000'000);
  ASSERT_EQ(Start(), State::kWaiting);
  EXPECT_EQ(guest().process().wait().sources.size(), 1u);
  EXPECT_TRUE(guest().process().wait().deadline);
  while (guest().waits()) {
    EXPECT_TRUE(BlockFor(guest().process().wait()));
    guest().Go();
  }
  EXPECT_EQ(Events(), (std::vector<Event>{{101, Errno::kSuccess, kClock, 0, 0}}));
}

TEST_P(PollTest, AllThatHasHappened) {
  MemoryPipe in, out(4);
  config.in = in.reader();
  config.out = out.writer();
  folder.Write("file", "0123456789");
  MountFolder();
  const uint32_t fd = guest().MustOpen(3, "file");
  std::string bytes;
  EXPECT_EQ(guest().Read(fd, 3, bytes), Errno::kSuccess);
  guest().Release();
  Descriptor(kRead, 0);
  Descriptor(kWrite, 1);
  Clock(1, 3'600'000'000'000);
  Descriptor(kRead, fd);
  Descriptor(kRead, 99);
  Descriptor(kRead, 3);
  Clock(1, 0);
  Descriptor(Tag{3}, 0);
  EXPECT_EQ(Poll(), (std::vector<Event>{{101, Errno::kSuccess, kWrite, 0, 0},
                                        {103, Errno::kSuccess, kRead, 7, 0},
                                        {104, Errno::kBadf, kRead, 0, 0},
                                        {105, Errno::kSuccess, kRead, 0, 0},
                                        {106, Errno::kSuccess, kClock, 0, 0},
                                        {107, Errno::kInval, 3, 0, 0}}));
  EXPECT_EQ(guest().Call("fd_fdstat_set_rights", fd, rights::kFdRead, 0), Errno::kSuccess);
  guest().Release();
  Descriptor(kRead, fd);
  EXPECT_EQ(Poll(), (std::vector<Event>{{100, Errno::kNotCapable, kRead, 0, 0}}));
}

#if __has_include(<sys/socket.h>)
TEST_P(PollTest, HostDescriptors) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  config.sockets.push_back(*DescriptorStream(ends[0], true));
  Descriptor(kRead, 3);
  ASSERT_EQ(Start(), State::kWaiting);
  EXPECT_EQ(write(ends[1], "abc", 3), 3);
  EXPECT_TRUE(BlockFor(guest().process().wait()));
  ASSERT_EQ(guest().Go(), State::kFinished);
  EXPECT_EQ(Events(), (std::vector<Event>{{100, Errno::kSuccess, kRead, 3, 0}}));
  close(ends[1]);
  Descriptor(kRead, 3);
  Descriptor(kWrite, 3);
  EXPECT_EQ(Poll(), (std::vector<Event>{{100, Errno::kSuccess, kRead, 3, 1},
                                        {101, Errno::kSuccess, kWrite, 0, 1}}));
}
#endif

// Far more than a process may have descriptors: poll(2) would refuse them.
TEST_P(PollTest, TheSameDescriptorManyTimes) {
  testing_support::HostPipe pipe;
  const std::shared_ptr<Stream> stream = *DescriptorStream(pipe.TakeReader(), true);
  Wait wait;
  // Windows takes whatever is no file for writable.
  const bool writable = stream->CanWrite();
  for (int i = 0; i < 65536; ++i) wait.sources.push_back({stream, !writable && i % 3 == 0});
  // With nothing to come it would block for good, were the deadline not to come.
  const uint64_t end = Now(CLOCK_MONOTONIC) + 1'000'000;
  wait.deadline = end;
  EXPECT_TRUE(BlockFor(wait));
  EXPECT_GE(Now(CLOCK_MONOTONIC), end);
}

TEST_P(PollTest, WrongArguments) {
  Guest& g = guest();
  const uint32_t room = g.Room(4096, 0), end = g.size();
  EXPECT_EQ(g.Call("poll_oneoff", room, room, 0, room), Errno::kInval);
  EXPECT_EQ(g.Call("poll_oneoff", room, room, 65537, room), Errno::kInval);
  EXPECT_EQ(g.Call("poll_oneoff", end - 47, room, 1, room), Errno::kFault);
  EXPECT_EQ(g.Call("poll_oneoff", room, end - 31, 1, room), Errno::kFault);
  EXPECT_EQ(g.Call("poll_oneoff", room, room, 1, end - 3), Errno::kFault);
  EXPECT_EQ(g.Call("poll_oneoff", room, room, 65536, room), Errno::kFault);
  EXPECT_EQ(g.Call("poll_oneoff", end - 48, end - 32, 1, room), Errno::kSuccess);
  // Events may be written over the subscriptions they are for.
  EXPECT_EQ(g.Call("poll_oneoff", room, room, 2, room + 2048), Errno::kSuccess);
  EXPECT_EQ(g.Load<uint32_t>(room + 2048), 2u);
}

}  // namespace
}  // namespace fermata::wasi

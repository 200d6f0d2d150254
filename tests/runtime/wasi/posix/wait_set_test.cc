// wasi::WaitSet: what a guest waits for, as one descriptor.
#include "fermata/wasi/wait_set.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <utility>

namespace fermata::wasi {
namespace {

using State = WaitSet::State;

constexpr uint64_t kLongPast = 1, kNever = ~uint64_t{0};

// Two connected sockets: one is a stream, the other the test's.
struct Pair {
  Pair() {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
    mine = ends[0];
    handle = ends[1];
    stream = *DescriptorStream(handle, /*owned=*/true);
  }
  ~Pair() { close(mine); }
  void Send() const { EXPECT_EQ(write(mine, "x", 1), 1); }
  int mine, handle;
  std::shared_ptr<Stream> stream;
};

bool Readable(int fd, int timeout = 0) {
  pollfd p = {fd, POLLIN, 0};
  return poll(&p, 1, timeout) == 1;
}

State Update(WaitSet& set, std::vector<Wait::Source> sources,
             std::optional<uint64_t> deadline = std::nullopt) {
  const auto outcome = set.Update({std::move(sources), deadline, /*yield=*/false});
  EXPECT_TRUE(outcome.ok()) << outcome.status();
  return outcome.value_or(State::kReady);
}

TEST(WaitSet, IsReadableWhenASourceIsReady) {
  Pair a, b;
  WaitSet set;
  ASSERT_EQ(Update(set, {{a.stream}, {b.stream}}), State::kHandles);
  EXPECT_FALSE(Readable(set.descriptor()));
  b.Send();
  EXPECT_TRUE(Readable(set.descriptor()));
}

TEST(WaitSet, ASourceThatIsReadyAlreadyCounts) {
  Pair a;
  a.Send();
  WaitSet set;
  ASSERT_EQ(Update(set, {{a.stream}}), State::kHandles);
  EXPECT_TRUE(Readable(set.descriptor()));
}

TEST(WaitSet, WatchesOnlyWhatIsWaitedForNow) {
  Pair a, b;
  WaitSet set;
  Update(set, {{a.stream}, {b.stream}});
  Update(set, {{b.stream}});
  a.Send();
  EXPECT_FALSE(Readable(set.descriptor()));
  Update(set, {{a.stream}});
  EXPECT_TRUE(Readable(set.descriptor()));
}

TEST(WaitSet, OneStreamToReadAndToWrite) {
  Pair a;
  WaitSet set;
  ASSERT_EQ(Update(set, {{a.stream}, {a.stream, /*write=*/true}}), State::kHandles);
  EXPECT_TRUE(Readable(set.descriptor()));  // it can be written to
  ASSERT_EQ(Update(set, {{a.stream}}), State::kHandles);
  EXPECT_FALSE(Readable(set.descriptor()));
}

TEST(WaitSet, TwoStreamsOverOneHandle) {
  Pair a;
  const std::shared_ptr<Stream> again = *DescriptorStream(a.handle, /*owned=*/false);
  WaitSet set;
  ASSERT_EQ(Update(set, {{a.stream}, {again}}), State::kHandles);
  ASSERT_EQ(Update(set, {{again}}), State::kHandles);
  a.Send();
  EXPECT_TRUE(Readable(set.descriptor()));
}

TEST(WaitSet, ANumberThatNamesAnotherFileLater) {
  WaitSet set;
  auto a = std::make_unique<Pair>();
  Pair b;
  const int handle = a->handle;
  Update(set, {{a->stream}});
  a.reset();
  Update(set, {});  // lets go of it: now it is closed
  ASSERT_EQ(dup2(b.handle, handle), handle);
  const std::shared_ptr<Stream> stream = *DescriptorStream(handle, /*owned=*/true);
  ASSERT_EQ(Update(set, {{stream}}), State::kHandles);
  EXPECT_FALSE(Readable(set.descriptor()));
  b.Send();
  EXPECT_TRUE(Readable(set.descriptor()));
}

TEST(WaitSet, LetsGoOfStreamsThatAreNotWaitedForAnyMore) {
  Pair a;
  WaitSet set;
  Update(set, {{a.stream}});
  const std::weak_ptr<Stream> stream = std::exchange(a.stream, nullptr);
  EXPECT_FALSE(stream.expired());
  Wait yields;
  yields.yield = true;
  ASSERT_EQ(*set.Update(yields), State::kReady);
  EXPECT_TRUE(stream.expired());
  EXPECT_TRUE(Readable(a.mine));  // the end
}

TEST(WaitSet, DeadlineOfAWaitForHandles) {
  Pair a;
  WaitSet set;
  ASSERT_EQ(Update(set, {{a.stream}}, kLongPast), State::kHandles);
  EXPECT_TRUE(Readable(set.descriptor(), -1));
  ASSERT_EQ(Update(set, {{a.stream}}, 0), State::kHandles);
  EXPECT_TRUE(Readable(set.descriptor(), -1));
  ASSERT_EQ(Update(set, {{a.stream}}, kNever), State::kHandles);
  EXPECT_FALSE(Readable(set.descriptor()));
  Update(set, {{a.stream}}, kLongPast);
  Update(set, {{a.stream}});  // none
  EXPECT_FALSE(Readable(set.descriptor()));
}

TEST(WaitSet, WithoutHandlesThereIsNothingToWatch) {
  WaitSet set;
  MemoryPipe pipe;
  EXPECT_EQ(Update(set, {{pipe.reader()}}), State::kNoHandles);
  EXPECT_EQ(Update(set, {}, kLongPast), State::kNoHandles);
  EXPECT_EQ(set.descriptor(), -1);
  pipe.Write("x");
  EXPECT_EQ(Update(set, {{pipe.reader()}}), State::kReady);
}

TEST(WaitSet, WhatEpollRefusesIsReady) {
  const int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(file, 0);
  const std::shared_ptr<Stream> stream = *DescriptorStream(file, /*owned=*/true);
  Pair a;
  WaitSet set;
  EXPECT_EQ(Update(set, {{stream}}), State::kReady);
  EXPECT_EQ(Update(set, {{stream}, {a.stream}}), State::kReady);
  EXPECT_EQ(Update(set, {{a.stream}}), State::kHandles);
}

TEST(WaitSet, LeavesTheFlagsOfWhatItWatchesAlone) {
  Pair a;
  const std::shared_ptr<Stream> shared = *DescriptorStream(a.mine, /*owned=*/false);
  const int flags = fcntl(a.mine, F_GETFL);
  WaitSet set;
  Update(set, {{shared}});
  EXPECT_EQ(fcntl(a.mine, F_GETFL), flags);
  EXPECT_EQ(flags & O_NONBLOCK, 0);
}

}  // namespace
}  // namespace fermata::wasi

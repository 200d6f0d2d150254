// Open regular files: what they transfer, where they are, what they say of themselves.
#include <sys/stat.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/runtime/wasi/guest.h"

namespace fermata::wasi {
namespace {

class FilesTest : public WasiTest {
 protected:
  FilesTest() {
    folder.Write("file", "0123456789");
    MountFolder();
  }
  uint32_t Position(uint32_t fd) {
    const uint32_t at = guest().Room(8);
    EXPECT_EQ(guest().Call("fd_tell", fd, at), Errno::kSuccess);
    return static_cast<uint32_t>(guest().Load<uint64_t>(at));
  }
  Errno Seek(uint32_t fd, int64_t offset, uint32_t whence, uint64_t* position = nullptr) {
    const uint32_t at = guest().Room(8);
    const Errno error = guest().Call("fd_seek", fd, offset, whence, at);
    if (position != nullptr) *position = guest().Load<uint64_t>(at);
    return error;
  }
};
INSTANTIATE_TEST_SUITE_P(Modes, FilesTest, testing::ValuesIn(BothAnswers()), NameOfMode);

TEST_P(FilesTest, ReadsScatter) {
  Guest& g = guest();
  const uint32_t fd = g.MustOpen(kDir, "file");
  const uint32_t a = g.Room(3), b = g.Room(4), used = g.Room(4);
  const uint32_t iovecs = g.Iovecs({{a, 3}, {0, 0}, {b, 4}, {g.size(), 0}});
  ASSERT_EQ(g.Call("fd_read", fd, iovecs, 4, used), Errno::kSuccess);
  EXPECT_EQ(g.Load<uint32_t>(used), 7u);
  EXPECT_EQ(g.Bytes(a, 4), "012\xaa");
  EXPECT_EQ(g.Bytes(b, 5), "3456\xaa");
  ASSERT_EQ(g.Call("fd_read", fd, iovecs, 4, used), Errno::kSuccess);
  EXPECT_EQ(g.Load<uint32_t>(used), 3u) << "no more was there";
  EXPECT_EQ(g.Bytes(a, 3), "789");
  EXPECT_EQ(g.Bytes(b, 4), "3456") << "not touched";
  ASSERT_EQ(g.Call("fd_read", fd, iovecs, 4, used), Errno::kSuccess);
  EXPECT_EQ(g.Load<uint32_t>(used), 0u) << "the end";
}

TEST_P(FilesTest, WritesGather) {
  Guest& g = guest();
  const uint32_t fd = g.MustOpen(kDir, "file", {0, kReadWrite});
  const uint32_t used = g.Room(4);
  const uint32_t iovecs = g.Iovecs({{g.Put("ab"), 2}, {0, 0}, {g.Put("cde"), 3}});
  ASSERT_EQ(g.Call("fd_write", fd, iovecs, 3, used), Errno::kSuccess);
  EXPECT_EQ(g.Load<uint32_t>(used), 5u);
  EXPECT_EQ(folder.Read("file"), "abcde56789");
}

TEST_P(FilesTest, NothingToTransfer) {
  Guest& g = guest();
  const uint32_t fd = g.MustOpen(kDir, "file", {0, kReadWrite});
  for (const char* function : {"fd_read", "fd_write"}) {
    const uint32_t used = g.Room(4);
    EXPECT_EQ(g.Call(function, fd, 0, 0, used), Errno::kSuccess) << function;
    EXPECT_EQ(g.Load<uint32_t>(used), 0u);
    g.Store<uint32_t>(used, 7);
    EXPECT_EQ(g.Call(function, fd, g.Iovecs({{0, 0}, {g.size(), 0}}), 2, used), Errno::kSuccess);
    EXPECT_EQ(g.Load<uint32_t>(used), 0u);
  }
  EXPECT_EQ(folder.Read("file"), "0123456789");
}

// More parts than a system call takes: as many as go are transferred.
TEST_P(FilesTest, ManyIovecs) {
  Guest& g = guest();
  const uint32_t fd = g.MustOpen(kDir, "many", Creating());
  const uint32_t byte = g.Put("x"), iovecs = g.Room(8 * 3000), used = g.Room(4);
  for (uint32_t i = 0; i < 3000; ++i) {
    g.Store(iovecs + 8 * i, byte);
    g.Store(iovecs + 8 * i + 4, i % 2);  // every other one is empty
  }
  ASSERT_EQ(g.Call("fd_write", fd, iovecs, 3000, used), Errno::kSuccess);
  EXPECT_EQ(g.Load<uint32_t>(used), 1024u);
  EXPECT_EQ(folder.Read("many"), std::string(1024, 'x'));
}

TEST_P(FilesTest, AtOffsets) {
  Guest& g = guest();
  const uint32_t fd = g.MustOpen(kDir, "file", {0, kReadWrite});
  const uint32_t buffer = g.Room(4), iovecs = g.Iovecs({{buffer, 4}}), used = g.Room(4);
  ASSERT_EQ(g.Call("fd_pread", fd, iovecs, 1, 3, used), Errno::kSuccess);
  EXPECT_EQ(g.Bytes(buffer, 4), "3456");
  ASSERT_EQ(g.Call("fd_pread", fd, iovecs, 1, 8, used), Errno::kSuccess);
  EXPECT_EQ(g.Load<uint32_t>(used), 2u);
  ASSERT_EQ(g.Call("fd_pread", fd, iovecs, 1, 1000, used), Errno::kSuccess);
  EXPECT_EQ(g.Load<uint32_t>(used), 0u);
  ASSERT_EQ(g.Call("fd_pwrite", fd, g.Iovecs({{g.Put("xy"), 2}}), 1, 12, used), Errno::kSuccess);
  EXPECT_EQ(g.Load<uint32_t>(used), 2u);
  EXPECT_EQ(folder.Read("file"), std::string("0123456789\0\0xy", 14));
  EXPECT_EQ(Position(fd), 0u) << "it does not move";
  for (const uint64_t offset : {uint64_t{1} << 63, ~uint64_t{0}}) {
    EXPECT_EQ(g.Call("fd_pread", fd, iovecs, 1, offset, used), Errno::kInval);
    EXPECT_EQ(g.Call("fd_pwrite", fd, iovecs, 1, offset, used), Errno::kInval);
  }
}

TEST_P(FilesTest, Seeks) {
  const uint32_t fd = guest().MustOpen(kDir, "file", {0, kReadWrite});
  uint64_t position = 0;
  EXPECT_EQ(Seek(fd, 4, 0, &position), Errno::kSuccess);
  EXPECT_EQ(position, 4u);
  EXPECT_EQ(Seek(fd, -1, 1, &position), Errno::kSuccess);
  EXPECT_EQ(position, 3u);
  EXPECT_EQ(Seek(fd, -2, 2, &position), Errno::kSuccess);
  EXPECT_EQ(position, 8u);
  EXPECT_EQ(Seek(fd, 100, 2, &position), Errno::kSuccess) << "beyond the end is fine";
  EXPECT_EQ(position, 110u);
  EXPECT_EQ(Seek(fd, -1, 0), Errno::kInval);
  EXPECT_EQ(Seek(fd, -11, 2), Errno::kInval);
  EXPECT_EQ(Seek(fd, INT64_MIN, 1), Errno::kInval);
  EXPECT_EQ(Seek(fd, 0, 3), Errno::kInval);
  EXPECT_EQ(Seek(fd, 0, 0x100), Errno::kInval);
  EXPECT_EQ(Position(fd), 110u) << "errors don't move it";
  EXPECT_EQ(guest().Call("fd_seek", fd, 0, 0, guest().size() - 7), Errno::kFault);
  EXPECT_EQ(Position(fd), 110u) << "nor does a bad pointer";
  EXPECT_EQ(guest().Call("fd_tell", fd, guest().size() - 7), Errno::kFault);
  std::string bytes = "?";
  EXPECT_EQ(guest().Read(fd, 4, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, "");
}

TEST_P(FilesTest, TellingNeedsItsOwnRight) {
  const uint32_t tells = guest().MustOpen(kDir, "file", {0, rights::kFdRead | rights::kFdTell});
  EXPECT_EQ(Position(tells), 0u);
  EXPECT_EQ(Seek(tells, 0, 1), Errno::kSuccess) << "asks where it is";
  EXPECT_EQ(Seek(tells, 1, 1), Errno::kNotCapable);
  const uint32_t none = guest().MustOpen(kDir, "file", {0, rights::kFdRead});
  EXPECT_EQ(Seek(none, 0, 1), Errno::kNotCapable);
  EXPECT_EQ(guest().Call("fd_pread", none, 1024, 0, 0, 1024), Errno::kNotCapable);
  EXPECT_EQ(guest().Call("fd_pwrite", none, 1024, 0, 0, 1024), Errno::kNotCapable);
}

TEST_P(FilesTest, Appends) {
  Guest& g = guest();
  const uint32_t fd = g.MustOpen(kDir, "file", {0, kReadWrite, 0, fdflags::kAppend});
  EXPECT_EQ(g.MustFdStat(fd).flags, fdflags::kAppend);
  EXPECT_EQ(g.Write(fd, "a"), Errno::kSuccess);
  EXPECT_EQ(Seek(fd, 0, 0), Errno::kSuccess);
  EXPECT_EQ(g.Write(fd, "b"), Errno::kSuccess);
  EXPECT_EQ(folder.Read("file"), "0123456789ab");
  EXPECT_EQ(g.Call("fd_fdstat_set_flags", fd, 0), Errno::kSuccess);
  EXPECT_EQ(Seek(fd, 0, 0), Errno::kSuccess);
  EXPECT_EQ(g.Write(fd, "c"), Errno::kSuccess);
  EXPECT_EQ(folder.Read("file"), "c123456789ab");
  EXPECT_EQ(g.Call("fd_fdstat_set_flags", fd, fdflags::kAppend), Errno::kSuccess);
  EXPECT_EQ(g.Write(fd, "d"), Errno::kSuccess);
  EXPECT_EQ(folder.Read("file"), "c123456789abd");
}

TEST_P(FilesTest, FlagsThatCannotChange) {
  Guest& g = guest();
  const uint32_t fd = g.MustOpen(kDir, "file", {0, kReadWrite});
  EXPECT_EQ(g.Call("fd_fdstat_set_flags", fd, fdflags::kNonblock), Errno::kSuccess);
  EXPECT_EQ(g.MustFdStat(fd).flags, fdflags::kNonblock);
  EXPECT_EQ(g.Call("fd_fdstat_set_flags", fd, fdflags::kSync), Errno::kNotSup);
  EXPECT_EQ(g.Call("fd_fdstat_set_flags", fd, fdflags::kDsync), Errno::kNotSup);
  EXPECT_EQ(g.Call("fd_fdstat_set_flags", fd, 32), Errno::kInval);
  EXPECT_EQ(g.Call("fd_fdstat_set_flags", fd, 0x10000), Errno::kInval);
  EXPECT_EQ(g.MustFdStat(fd).flags, fdflags::kNonblock);
  const uint32_t synced =
      g.MustOpen(kDir, "file", {0, kReadWrite, 0, fdflags::kSync | fdflags::kDsync});
  EXPECT_EQ(g.MustFdStat(synced).flags, fdflags::kSync | fdflags::kDsync);
  EXPECT_EQ(g.Write(synced, "x"), Errno::kSuccess);
  EXPECT_EQ(g.Call("fd_fdstat_set_flags", synced, 0), Errno::kNotSup);
}

TEST_P(FilesTest, SizesAndSpace) {
  Guest& g = guest();
  const uint32_t fd = g.MustOpen(kDir, "file", {0, kReadWrite});
  EXPECT_EQ(g.Call("fd_filestat_set_size", fd, 4), Errno::kSuccess);
  EXPECT_EQ(folder.Read("file"), "0123");
  EXPECT_EQ(g.Call("fd_filestat_set_size", fd, 6), Errno::kSuccess);
  EXPECT_EQ(folder.Read("file"), std::string("0123\0\0", 6));
  EXPECT_EQ(g.Call("fd_filestat_set_size", fd, uint64_t{1} << 63), Errno::kFbig);
  EXPECT_EQ(g.Call("fd_allocate", fd, 0, 0), Errno::kInval);
  EXPECT_EQ(g.Call("fd_allocate", fd, 1, INT64_MAX), Errno::kFbig);
  EXPECT_EQ(g.Call("fd_allocate", fd, ~uint64_t{0}, 1), Errno::kFbig);
  EXPECT_EQ(folder.Read("file").size(), 6u);
  const Errno allocated = g.Call("fd_allocate", fd, 8, 4);
  if (allocated != Errno::kNotSup) {  // not every file system can
    EXPECT_EQ(allocated, Errno::kSuccess);
    EXPECT_EQ(folder.Read("file").size(), 12u);
    EXPECT_EQ(g.Call("fd_allocate", fd, 0, 2), Errno::kSuccess);
    EXPECT_EQ(folder.Read("file").size(), 12u) << "never shrinks";
  }
}

TEST_P(FilesTest, AdviceAndSyncing) {
  Guest& g = guest();
  const uint32_t fd = g.MustOpen(kDir, "file", {0, kReadWrite});
  for (uint32_t advice = 0; advice <= 5; ++advice) {
    EXPECT_EQ(g.Call("fd_advise", fd, 0, 4, advice), Errno::kSuccess) << advice;
  }
  EXPECT_EQ(g.Call("fd_advise", fd, 0, 4, 6), Errno::kInval);
  EXPECT_EQ(g.Call("fd_advise", fd, 0, 4, 0x100), Errno::kInval);
  EXPECT_EQ(g.Call("fd_advise", fd, ~uint64_t{0}, 4, 0), Errno::kInval);
  EXPECT_EQ(g.Call("fd_sync", fd), Errno::kSuccess);
  EXPECT_EQ(g.Call("fd_datasync", fd), Errno::kSuccess);
  EXPECT_EQ(g.Call("fd_sync", kDir), Errno::kSuccess);
  const uint32_t bare = g.MustOpen(kDir, "file", {0, rights::kFdRead});
  EXPECT_EQ(g.Call("fd_advise", bare, 0, 4, 0), Errno::kNotCapable);
  EXPECT_EQ(g.Call("fd_sync", bare), Errno::kNotCapable);
  EXPECT_EQ(g.Call("fd_datasync", bare), Errno::kNotCapable);
}

// struct filestat, byte by byte.
TEST_P(FilesTest, StatOfAnOpenFile) {
  Guest& g = guest();
  const uint32_t fd = g.MustOpen(kDir, "file");
  const uint32_t at = g.Room(72);
  ASSERT_EQ(g.Call("fd_filestat_get", fd, at), Errno::kSuccess);
  struct stat want;
  ASSERT_EQ(stat((folder / "file").c_str(), &want), 0);
  const auto ns = [](const timespec& t) {
    return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
  };
  EXPECT_EQ(g.Load<uint64_t>(at), want.st_dev);
  EXPECT_EQ(g.Load<uint64_t>(at + 8), want.st_ino);
  EXPECT_EQ(g.Load<uint64_t>(at + 16), 4u) << "the type, and seven zeros";
  EXPECT_EQ(g.Load<uint64_t>(at + 24), 1u);
  EXPECT_EQ(g.Load<uint64_t>(at + 32), 10u);
  EXPECT_EQ(g.Load<uint64_t>(at + 40), ns(want.st_atim));
  EXPECT_EQ(g.Load<uint64_t>(at + 48), ns(want.st_mtim));
  EXPECT_EQ(g.Load<uint64_t>(at + 56), ns(want.st_ctim));
  EXPECT_EQ(g.Bytes(at + 64, 8), std::string(8, '\xaa'));
  EXPECT_EQ(g.Call("fd_filestat_get", fd, g.size() - 64), Errno::kSuccess);
  EXPECT_EQ(g.Call("fd_filestat_get", fd, g.size() - 63), Errno::kFault);
  EXPECT_EQ(g.Call("fd_filestat_get", g.MustOpen(kDir, "file", {0, rights::kFdRead}), at),
            Errno::kNotCapable);
}

TEST_P(FilesTest, TimesOfAnOpenFile) {
  Guest& g = guest();
  const uint32_t fd = g.MustOpen(kDir, "file", {0, kReadWrite});
  constexpr uint64_t kAccess = 1'000'000'000'000'000'001, kModify = 5'000'000'007;
  FileStat stat;
  EXPECT_EQ(g.Call("fd_filestat_set_times", fd, kAccess, kModify, 1 | 4), Errno::kSuccess);
  ASSERT_EQ(g.StatFd(fd, stat), Errno::kSuccess);
  EXPECT_EQ(stat.atim, kAccess);
  EXPECT_EQ(stat.mtim, kModify);
  EXPECT_EQ(g.Call("fd_filestat_set_times", fd, 1, 2, 4), Errno::kSuccess);
  ASSERT_EQ(g.StatFd(fd, stat), Errno::kSuccess);
  EXPECT_EQ(stat.atim, kAccess) << "left as it was";
  EXPECT_EQ(stat.mtim, 2u);
  EXPECT_EQ(g.Call("fd_filestat_set_times", fd, 1, 2, 2 | 8), Errno::kSuccess);
  ASSERT_EQ(g.StatFd(fd, stat), Errno::kSuccess);
  EXPECT_GT(stat.atim, kAccess) << "now";
  EXPECT_GT(stat.mtim, kAccess);
  for (const uint32_t flags : {1 | 2, 4 | 8, 16, 0x100}) {
    EXPECT_EQ(g.Call("fd_filestat_set_times", fd, 1, 2, flags), Errno::kInval) << flags;
  }
}

TEST_P(FilesTest, FilesAreNoSockets) {
  Guest& g = guest();
  const uint32_t fd = g.MustOpen(kDir, "file", {0, kReadWrite});
  const uint32_t iovecs = g.Iovecs({{g.Room(4), 4}}), used = g.Room(4);
  EXPECT_EQ(g.Call("sock_recv", fd, iovecs, 1, 0, used, used), Errno::kNotSock);
  EXPECT_EQ(g.Call("sock_send", fd, iovecs, 1, 0, used), Errno::kNotSock);
  EXPECT_EQ(folder.Read("file"), "0123456789");
}

}  // namespace
}  // namespace fermata::wasi

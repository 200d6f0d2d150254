// The table of descriptors: what they say of themselves, numbers, rights; read-only and virtual
// mounts.
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/runtime/wasi/guest.h"

namespace fermata::wasi {
namespace {

class DescriptorsTest : public WasiTest {
 protected:
  DescriptorsTest() {
    folder.Write("file", "0123456789");
    folder.MakeDirectory("dir");
  }
};
INSTANTIATE_TEST_SUITE_P(Modes, DescriptorsTest, testing::ValuesIn(AllModes()), NameOfMode);

// struct fdstat and struct prestat, byte by byte.
TEST_P(DescriptorsTest, Layouts) {
  if (!HasHostDirectories()) GTEST_SKIP() << "no directories of the host";
  MountFolder("/the name");
  Guest& g = guest();
  const uint32_t fd =
      g.MustOpen(kDir, "file", {0, 0x2000ull | 0x22, 0x42, fdflags::kAppend | fdflags::kNonblock});
  const uint32_t at = g.Room(24);
  ASSERT_EQ(g.Call("fd_fdstat_get", fd, at), Errno::kSuccess);
  EXPECT_EQ(g.Load<uint64_t>(at), 4u | 5u << 16) << "regular file, append and nonblock";
  EXPECT_EQ(g.Load<uint64_t>(at + 8), 0x22u) << "path_open makes no sense for a file";
  EXPECT_EQ(g.Load<uint64_t>(at + 16), 0x42u);
  EXPECT_EQ(g.Bytes(at + 24, 8), std::string(8, '\xaa'));
  EXPECT_EQ(g.MustFdStat(kDir).type, FileType::kDirectory);
  EXPECT_EQ(g.MustFdStat(0).type, FileType::kUnknown);

  ASSERT_EQ(g.Call("fd_prestat_get", kDir, at), Errno::kSuccess);
  EXPECT_EQ(g.Load<uint32_t>(at), 0u) << "a directory";
  EXPECT_EQ(g.Load<uint32_t>(at + 4), 9u);
  const uint32_t name = g.Room(16);
  ASSERT_EQ(g.Call("fd_prestat_dir_name", kDir, name, 9), Errno::kSuccess);
  EXPECT_EQ(g.Bytes(name, 10), "/the name\xaa") << "no NUL";
  EXPECT_EQ(g.Call("fd_prestat_dir_name", kDir, name, 8), Errno::kNameTooLong);
  EXPECT_EQ(g.Call("fd_prestat_dir_name", kDir, name, 16), Errno::kSuccess);
  for (const uint32_t other : {0u, fd, 99u}) {
    EXPECT_EQ(g.Call("fd_prestat_get", other, at), Errno::kBadf) << other;
    EXPECT_EQ(g.Call("fd_prestat_dir_name", other, name, 16), Errno::kBadf) << other;
  }
  EXPECT_EQ(g.Call("fd_fdstat_get", fd, g.size() - 23), Errno::kFault);
  EXPECT_EQ(g.Call("fd_prestat_get", kDir, g.size() - 7), Errno::kFault);
  EXPECT_EQ(g.Call("fd_prestat_dir_name", kDir, g.size() - 8, 9), Errno::kFault);
  EXPECT_EQ(g.Call("fd_fdstat_get", fd, g.size() - 24), Errno::kSuccess);
}

// Each function that takes a descriptor, with one that isn't open.
TEST_P(DescriptorsTest, NotOpen) {
  Guest& g = guest();
  const uint32_t room = g.Room(64);
  for (const uint32_t fd : {3u, 1000u, 0x7fffffffu, 0xffffffffu}) {
    SCOPED_TRACE(fd);
    EXPECT_EQ(g.Call("fd_advise", fd, 0, 0, 0), Errno::kBadf);
    EXPECT_EQ(g.Call("fd_allocate", fd, 0, 1), Errno::kBadf);
    EXPECT_EQ(g.Call("fd_close", fd), Errno::kBadf);
    EXPECT_EQ(g.Call("fd_datasync", fd), Errno::kBadf);
    EXPECT_EQ(g.Call("fd_fdstat_get", fd, room), Errno::kBadf);
    EXPECT_EQ(g.Call("fd_fdstat_set_flags", fd, 0), Errno::kBadf);
    EXPECT_EQ(g.Call("fd_fdstat_set_rights", fd, 0, 0), Errno::kBadf);
    EXPECT_EQ(g.Call("fd_filestat_get", fd, room), Errno::kBadf);
    EXPECT_EQ(g.Call("fd_filestat_set_size", fd, 0), Errno::kBadf);
    EXPECT_EQ(g.Call("fd_filestat_set_times", fd, 0, 0, 0), Errno::kBadf);
    EXPECT_EQ(g.Call("fd_pread", fd, room, 0, 0, room), Errno::kBadf);
    EXPECT_EQ(g.Call("fd_pwrite", fd, room, 0, 0, room), Errno::kBadf);
    EXPECT_EQ(g.Call("fd_read", fd, room, 0, room), Errno::kBadf);
    EXPECT_EQ(g.Call("fd_write", fd, room, 0, room), Errno::kBadf);
    EXPECT_EQ(g.Call("fd_renumber", fd, 0), Errno::kBadf);
    EXPECT_EQ(g.Call("fd_renumber", 0, fd), Errno::kBadf);
    EXPECT_EQ(g.Call("fd_seek", fd, 0, 0, room), Errno::kBadf);
    EXPECT_EQ(g.Call("fd_tell", fd, room), Errno::kBadf);
    EXPECT_EQ(g.Call("fd_sync", fd), Errno::kBadf);
  }
}

TEST_P(DescriptorsTest, Renumber) {
  if (!HasHostDirectories()) GTEST_SKIP() << "no directories of the host";
  MountFolder();
  Guest& g = guest();
  const uint32_t a = g.MustOpen(kDir, "file"), b = g.MustOpen(kDir, "dir");
  EXPECT_EQ(g.Call("fd_renumber", a, a), Errno::kSuccess);
  EXPECT_EQ(g.Call("fd_renumber", a, b), Errno::kSuccess);
  EXPECT_EQ(g.MustFdStat(b).type, FileType::kRegularFile);
  EXPECT_EQ(g.Close(a), Errno::kBadf);
  std::string bytes;
  EXPECT_EQ(g.Read(b, 4, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, "0123");
  EXPECT_EQ(g.Call("fd_renumber", kDir, a), Errno::kBadf) << "not open";
  EXPECT_EQ(g.Call("fd_renumber", kDir, b), Errno::kSuccess);
  const uint32_t at = g.Room(8);
  EXPECT_EQ(g.Call("fd_prestat_get", b, at), Errno::kSuccess) << "mounts keep their names";
  EXPECT_EQ(g.Call("fd_prestat_get", kDir, at), Errno::kBadf);
  EXPECT_EQ(g.MustOpen(b, "file"), kDir) << "the number is free";
}

TEST_P(DescriptorsTest, Exhaustion) {
  MountFolder();
  config.max_descriptors = 8;
  Guest& g = guest();
  for (uint32_t fd = 4; fd < 8; ++fd) EXPECT_EQ(g.MustOpen(kDir, "file"), fd);
  uint32_t fd;
  EXPECT_EQ(g.Open(kDir, "file", {}, fd), Errno::kMfile);
  EXPECT_EQ(g.Open(kDir, "new", Creating(), fd), Errno::kMfile);
  EXPECT_FALSE(folder.Exists("new")) << "nothing was done";
  EXPECT_EQ(g.Close(5), Errno::kSuccess);
  EXPECT_EQ(g.MustOpen(kDir, "file"), 5u) << "the lowest that is free";
  EXPECT_EQ(g.Call("fd_renumber", 6, 7), Errno::kSuccess);
  EXPECT_EQ(g.MustOpen(kDir, "file"), 6u);
  EXPECT_EQ(g.Open(kDir, "file", {}, fd), Errno::kMfile);
  EXPECT_EQ(g.Close(0), Errno::kSuccess);
  EXPECT_EQ(g.MustOpen(kDir, "file"), 0u);
}

TEST_P(DescriptorsTest, BadPlaceForTheNumber) {
  MountFolder();
  Guest& g = guest();
  const uint32_t path = g.Put("new");
  EXPECT_EQ(g.Call("path_open", kDir, 1, path, 3, oflags::kCreat, kReadWrite, 0, 0, g.size() - 3),
            Errno::kFault);
  EXPECT_FALSE(folder.Exists("new"));
  EXPECT_EQ(g.MustOpen(kDir, "file"), 4u) << "no descriptor was used up";
}

TEST_P(DescriptorsTest, RightsAreGivenUp) {
  if (!HasHostDirectories()) GTEST_SKIP() << "no directories of the host";
  MountFolder();
  Guest& g = guest();
  const uint32_t fd = g.MustOpen(kDir, "file", {0, kReadWrite, rights::kFdRead});
  const Rights all = g.MustFdStat(fd).base;
  EXPECT_EQ(all, kReadWrite);
  EXPECT_EQ(g.Call("fd_fdstat_set_rights", fd, all, rights::kFdRead), Errno::kSuccess);
  EXPECT_EQ(g.Call("fd_fdstat_set_rights", fd, rights::kFdRead, rights::kFdWrite),
            Errno::kNotCapable);
  EXPECT_EQ(g.MustFdStat(fd).base, all) << "both or none";
  EXPECT_EQ(g.Call("fd_fdstat_set_rights", fd, rights::kFdRead, 0), Errno::kSuccess);
  EXPECT_EQ(g.MustFdStat(fd).base, rights::kFdRead);
  EXPECT_EQ(g.MustFdStat(fd).inheriting, 0u);
  EXPECT_EQ(g.Call("fd_fdstat_set_rights", fd, all, 0), Errno::kNotCapable);
  EXPECT_EQ(g.Call("fd_fdstat_set_rights", fd, uint64_t{1} << 40, 0), Errno::kNotCapable);
  EXPECT_EQ(g.Call("fd_fdstat_set_flags", fd, 0), Errno::kNotCapable);
}

// Directories take no flags.
TEST_P(DescriptorsTest, FlagsOfDirectories) {
  if (!HasHostDirectories()) GTEST_SKIP() << "no directories of the host";
  MountFolder();
  EXPECT_EQ(guest().Call("fd_fdstat_set_flags", kDir, 0), Errno::kSuccess);
  EXPECT_EQ(guest().Call("fd_fdstat_set_flags", kDir, fdflags::kAppend), Errno::kNotSup);
}

// What reading needs, read-only mounts allow. (What they don't: escape_rights_test.cc.)
TEST_P(DescriptorsTest, ReadOnlyMount) {
  if (!HasHostDirectories()) GTEST_SKIP() << "no directories of the host";
  folder.Symlink("file", "link");
  MountFolder("/", /*read_only=*/true);
  Guest& g = guest();
  std::string text;
  FileStat stat;
  const uint32_t fd = g.MustOpen(kDir, "link");
  EXPECT_EQ(g.Read(fd, 20, text), Errno::kSuccess);
  EXPECT_EQ(text, "0123456789");
  EXPECT_EQ(g.Stat(kDir, "file", true, stat), Errno::kSuccess);
  EXPECT_EQ(g.ReadLink(kDir, "link", text), Errno::kSuccess);
  const uint32_t dir = g.MustOpen(kDir, "dir", WholeDirectory());
  EXPECT_EQ(g.Path("path_create_directory", dir, "new"), Errno::kRofs);
  EXPECT_EQ(g.MustFdStat(fd).base & rights::kWriting, 0u);
}

class VirtualTest : public WasiTest {
 protected:
  VirtualTest() {
    config.mounts.push_back(
        {"/v", "", false, {{"a.txt", "alpha"}, {"dir/b.txt", "beta"}, {"/dir/sub//c", ""}}});
    MountFolder("/host");
  }
};
INSTANTIATE_TEST_SUITE_P(Modes, VirtualTest, testing::ValuesIn(BothAnswers()), NameOfMode);

TEST_P(VirtualTest, Reads) {
  Guest& g = guest();
  std::string text;
  const uint32_t fd = g.MustOpen(3, "dir/../a.txt");
  EXPECT_EQ(g.Read(fd, 3, text), Errno::kSuccess);
  EXPECT_EQ(text, "alp");
  EXPECT_EQ(g.Read(fd, 9, text), Errno::kSuccess);
  EXPECT_EQ(text, "ha");
  const uint32_t at = g.Room(8), buffer = g.Room(4);
  EXPECT_EQ(g.Call("fd_pread", fd, g.Iovecs({{buffer, 1}, {buffer + 1, 3}}), 2, 1, at),
            Errno::kSuccess);
  EXPECT_EQ(g.Bytes(buffer, 4), "lpha");
  EXPECT_EQ(g.Call("fd_pread", fd, g.Iovecs({{buffer, 4}}), 1, ~uint64_t{0}, at), Errno::kSuccess);
  EXPECT_EQ(g.Load<uint32_t>(at), 0u);
  EXPECT_EQ(g.Call("fd_seek", fd, -2, 2, at), Errno::kSuccess);
  EXPECT_EQ(g.Load<uint64_t>(at), 3u);
  EXPECT_EQ(g.Call("fd_seek", fd, -4, 1, at), Errno::kInval);
  EXPECT_EQ(g.Call("fd_seek", fd, INT64_MAX, 1, at), Errno::kInval);
  EXPECT_EQ(g.Call("fd_tell", fd, at), Errno::kSuccess);
  EXPECT_EQ(g.Load<uint64_t>(at), 3u);
  FileStat stat;
  EXPECT_EQ(g.StatFd(fd, stat), Errno::kSuccess);
  EXPECT_EQ(stat.type, FileType::kRegularFile);
  EXPECT_EQ(stat.size, 5u);
  EXPECT_EQ(g.Stat(3, "dir/sub", false, stat), Errno::kSuccess);
  EXPECT_EQ(stat.type, FileType::kDirectory);
  EXPECT_EQ(g.Call("fd_sync", fd), Errno::kNotCapable);
}

TEST_P(VirtualTest, FindsNothingElse) {
  Guest& g = guest();
  const std::pair<const char*, Errno> kPaths[] = {
      {"missing", Errno::kNoEnt},        {"a.txt/", Errno::kNotDir},
      {"a.txt/x", Errno::kNotDir},       {"a.txt/..", Errno::kNotDir},
      {"missing/..", Errno::kNoEnt},     {"..", Errno::kNotCapable},
      {"dir/../..", Errno::kNotCapable}, {"/v/a.txt", Errno::kNotCapable},
      {"dir/b.txt/.", Errno::kNotDir}};
  for (const auto& [path, error] : kPaths) {
    uint32_t fd;
    FileStat stat;
    std::string target;
    EXPECT_EQ(g.Open(3, path, {}, fd), error) << path;
    EXPECT_EQ(g.Stat(3, path, true, stat), error) << path;
    EXPECT_EQ(g.ReadLink(3, path, target), error) << path;
  }
  const uint32_t dir = g.MustOpen(3, "dir", WholeDirectory());
  uint32_t fd;
  EXPECT_EQ(g.Open(dir, "../a.txt", {}, fd), Errno::kNotCapable);
  EXPECT_EQ(g.Open(dir, "sub/../b.txt", {}, fd), Errno::kSuccess);
  EXPECT_EQ(g.Open(3, "a.txt", {oflags::kDirectory}, fd), Errno::kNotDir);
  EXPECT_EQ(g.Open(3, ".", {oflags::kDirectory, kReadWrite}, fd), Errno::kIsDir);
  EXPECT_EQ(g.Open(3, "dir", {oflags::kDirectory, rights::kFdRead}, fd), Errno::kSuccess);
  std::string target;
  EXPECT_EQ(g.ReadLink(3, "a.txt", target), Errno::kInval);
}

TEST_P(VirtualTest, IsReadOnly) {
  Guest& g = guest();
  uint32_t fd;
  const Errno kRofs = Errno::kRofs;
  EXPECT_EQ(g.Open(3, "a.txt", {0, kReadWrite}, fd), kRofs);
  EXPECT_EQ(g.Open(3, "a.txt", {oflags::kTrunc}, fd), kRofs);
  EXPECT_EQ(g.Open(3, "new", Creating(), fd), kRofs);
  EXPECT_EQ(g.Open(3, "a.txt", Creating(oflags::kExcl), fd), Errno::kExist);
  EXPECT_EQ(g.Path("path_create_directory", 3, "new"), kRofs);
  EXPECT_EQ(g.Path("path_remove_directory", 3, "dir/sub"), kRofs);
  EXPECT_EQ(g.Path("path_unlink_file", 3, "a.txt"), kRofs);
  EXPECT_EQ(g.Symlink("x", 3, "new"), kRofs);
  EXPECT_EQ(g.Link(3, "a.txt", 4, "new"), kRofs);
  EXPECT_EQ(g.Rename(3, "a.txt", 4, "new"), kRofs);
  folder.Write("file", "x");
  const Errno other = HasHostDirectories() ? Errno::kXdev : kRofs;
  EXPECT_EQ(g.Link(4, "file", 3, "new"), other);
  EXPECT_EQ(g.Rename(4, "file", 3, "new"), other);
  EXPECT_EQ(g.SetTimes(3, "a.txt", true, 1, 1, 5), kRofs);
  EXPECT_EQ(g.Call("fd_filestat_set_times", 3, 1, 1, 5), kRofs);
  const uint32_t file = g.MustOpen(3, "a.txt");
  EXPECT_EQ(g.Write(file, "x"), Errno::kNotCapable);
  EXPECT_EQ(g.Call("fd_filestat_set_size", file, 0), Errno::kNotCapable);
  EXPECT_TRUE(folder.Exists("file"));
}

}  // namespace
}  // namespace fermata::wasi

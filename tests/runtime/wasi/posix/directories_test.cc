// Directories of the host's: opening, listing, and what is done to the names in them.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/runtime/wasi/guest.h"

namespace fermata::wasi {
namespace {

class DirectoriesTest : public WasiTest {
 protected:
  DirectoriesTest() {
    folder.Write("file", "0123456789");
    folder.MakeDirectory("dir/sub");
    folder.Write("dir/inner", "inner");
    folder.Symlink("file", "link");
    folder.Symlink("dir", "dirlink");
    MountFolder();
  }
  Errno Open(absl::string_view path, const Opening& how) {
    uint32_t fd;
    const Errno error = guest().Open(kDir, path, how, fd);
    if (error == Errno::kSuccess) {
      EXPECT_EQ(guest().Close(fd), Errno::kSuccess);
    }
    return error;
  }
};
INSTANTIATE_TEST_SUITE_P(Modes, DirectoriesTest, testing::ValuesIn(AllModes()), NameOfMode);

TEST_P(DirectoriesTest, Opens) {
  EXPECT_EQ(Open("file", {}), Errno::kSuccess);
  EXPECT_EQ(Open("./dir//../file", {}), Errno::kSuccess);
  EXPECT_EQ(Open("dirlink/inner", {}), Errno::kSuccess);
  EXPECT_EQ(Open("dir", {}), Errno::kSuccess);
  EXPECT_EQ(Open("dir/", {}), Errno::kSuccess);
  EXPECT_EQ(Open("dirlink/", {}), Errno::kSuccess);
  EXPECT_EQ(Open(".", {}), Errno::kSuccess);
  EXPECT_EQ(Open("dir/..", {}), Errno::kSuccess);
  EXPECT_EQ(Open("dir", WholeDirectory()), Errno::kSuccess);
  EXPECT_EQ(Open("dirlink", WholeDirectory()), Errno::kSuccess);
  EXPECT_EQ(Open("dir", {0, rights::kAll}), Errno::kSuccess) << "all rights at once";
  EXPECT_EQ(Open("missing", {}), Errno::kNoEnt);
  EXPECT_EQ(Open("missing/x", {}), Errno::kNoEnt);
  EXPECT_EQ(Open("file/", {}), Errno::kNotDir);
  EXPECT_EQ(Open("file/x", {}), Errno::kNotDir);
  EXPECT_EQ(Open("file/.", {}), Errno::kNotDir);
  EXPECT_EQ(Open("file/..", {}), Errno::kNotDir);
  EXPECT_EQ(Open("file", {oflags::kDirectory}), Errno::kNotDir);
  EXPECT_EQ(Open("link", {oflags::kDirectory}), Errno::kNotDir);
  EXPECT_EQ(Open("dir", {0, rights::kFdWrite}), Errno::kIsDir);
  EXPECT_EQ(Open("dir", {oflags::kTrunc, kReadWrite}), Errno::kIsDir);
  // What is asked for as a directory is not to be written.
  for (const Rights base : {rights::kFdRead | rights::kFdWrite, rights::kFdWrite | Rights{0},
                            kReadWrite, rights::kAll | Rights{0}}) {
    for (const char* path : {".", "dir", "dir/", "dirlink", "dir/.."}) {
      EXPECT_EQ(Open(path, {oflags::kDirectory, base}), Errno::kIsDir) << path;
    }
    EXPECT_EQ(Open("file", {oflags::kDirectory, base}), Errno::kNotDir);
    EXPECT_EQ(Open("missing", {oflags::kDirectory, base}), Errno::kNoEnt);
  }
  EXPECT_EQ(Open(".", {oflags::kDirectory, rights::kFdRead}), Errno::kSuccess);
  EXPECT_EQ(Open(".", {oflags::kDirectory, rights::kAll & ~Rights{rights::kFdWrite}}),
            Errno::kSuccess);
}

TEST_P(DirectoriesTest, OpensWithoutFollowing) {
  Opening how;
  how.follow = false;
  EXPECT_EQ(Open("file", how), Errno::kSuccess);
  EXPECT_EQ(Open("link", how), Errno::kLoop);
  EXPECT_EQ(Open("dirlink", how), Errno::kLoop);
  EXPECT_EQ(Open("dirlink/inner", how), Errno::kSuccess) << "only the last name counts";
  EXPECT_EQ(Open("dirlink/", how), Errno::kSuccess) << "the slash follows";
}

TEST_P(DirectoriesTest, Creates) {
  EXPECT_EQ(Open("new", Creating()), Errno::kSuccess);
  EXPECT_TRUE(folder.Exists("new"));
  EXPECT_EQ(Open("new", Creating()), Errno::kSuccess);
  EXPECT_EQ(Open("new", Creating(oflags::kExcl)), Errno::kExist);
  EXPECT_EQ(Open("link", Creating(oflags::kExcl)), Errno::kExist);
  EXPECT_EQ(Open("dir", Creating()), Errno::kIsDir);
  EXPECT_EQ(Open("dir", Creating(oflags::kExcl)), Errno::kExist);
  EXPECT_EQ(Open("missing/new", Creating()), Errno::kNoEnt);
  EXPECT_EQ(Open("file/new", Creating()), Errno::kNotDir);
  EXPECT_EQ(Open("other/", Creating()), Errno::kIsDir);
  EXPECT_EQ(Open("file/", Creating()), Errno::kIsDir);
  EXPECT_EQ(Open("other", Creating(oflags::kDirectory)), Errno::kInval);
  EXPECT_EQ(Open("dir", Creating(oflags::kDirectory)), Errno::kInval);
  EXPECT_FALSE(folder.Exists("other"));
  EXPECT_EQ(folder.Read("file"), "0123456789");
  EXPECT_EQ(Open("file", Creating(oflags::kTrunc)), Errno::kSuccess);
  EXPECT_EQ(folder.Read("file"), "");
  // A link that leads nowhere is where the file is made.
  folder.Symlink("dir/target", "dangling");
  EXPECT_EQ(Open("dangling", Creating()), Errno::kSuccess);
  EXPECT_TRUE(folder.Exists("dir/target"));
}

TEST_P(DirectoriesTest, FlagsThatAreNone) {
  Guest& g = guest();
  const uint32_t path = g.Put("file"), fd = g.Room(4);
  const auto open = [&](uint32_t lookup, uint32_t oflags, uint32_t fdflags) {
    return g.Call("path_open", kDir, lookup, path, 4, oflags, rights::kFdRead, 0, fdflags, fd);
  };
  EXPECT_EQ(open(2, 0, 0), Errno::kInval);
  EXPECT_EQ(open(0x10001, 0, 0), Errno::kInval);
  EXPECT_EQ(open(1, 16, 0), Errno::kInval);
  EXPECT_EQ(open(1, 0x10000, 0), Errno::kInval);
  EXPECT_EQ(open(1, 0, 32), Errno::kInval);
  EXPECT_EQ(open(1, 0, 0x10000), Errno::kInval);
  const uint32_t room = g.Room(64);
  EXPECT_EQ(g.Call("path_filestat_get", kDir, 2, path, 4, room), Errno::kInval);
  EXPECT_EQ(g.Call("path_filestat_set_times", kDir, 2, path, 4, 0, 0, 0), Errno::kInval);
  EXPECT_EQ(g.Call("path_link", kDir, 2, path, 4, kDir, room, 4), Errno::kIlseq)
      << "paths come first";
  EXPECT_EQ(g.Call("path_link", kDir, 2, path, 4, kDir, g.Put("l"), 1), Errno::kInval);
  EXPECT_FALSE(folder.Exists("l"));
}

TEST_P(DirectoriesTest, PathsThatAreNone) {
  const std::string kLong(4096, 'a'), kLongName(256, 'b');
  const std::pair<std::string, Errno> kPaths[] = {
      {"", Errno::kNoEnt},
      {kLong, Errno::kNameTooLong},
      {kLongName, Errno::kNameTooLong},
      {std::string("file\0", 5), Errno::kInval},
      {"\xff", Errno::kIlseq},
      {"\xed\xa0\x80", Errno::kIlseq},      // a surrogate
      {"\xf4\x90\x80\x80", Errno::kIlseq},  // beyond U+10FFFF
      {"a\xc3", Errno::kIlseq},             // cut off
      {"/file", Errno::kNotCapable},
      {"..", Errno::kNotCapable},
  };
  Guest& g = guest();
  for (const auto& [path, error] : kPaths) {
    SCOPED_TRACE(testing::PrintToString(path.substr(0, 20)));
    FileStat stat;
    std::string target;
    EXPECT_EQ(Open(path, {}), error);
    EXPECT_EQ(Open(path, Creating()), error);
    EXPECT_EQ(g.Stat(kDir, path, true, stat), error);
    EXPECT_EQ(g.SetTimes(kDir, path, true, 0, 0, 0), error);
    EXPECT_EQ(g.Path("path_create_directory", kDir, path), error);
    EXPECT_EQ(g.Path("path_remove_directory", kDir, path), error);
    EXPECT_EQ(g.Path("path_unlink_file", kDir, path), error);
    EXPECT_EQ(g.ReadLink(kDir, path, target), error);
    EXPECT_EQ(g.Symlink("x", kDir, path), error);
    EXPECT_EQ(g.Link(kDir, path, kDir, "new"), error);
    EXPECT_EQ(g.Link(kDir, "file", kDir, path), error);
    EXPECT_EQ(g.Rename(kDir, path, kDir, "new"), error);
    EXPECT_EQ(g.Rename(kDir, "file", kDir, path), error);
    g.Release();
  }
  EXPECT_EQ(g.Symlink("", kDir, "new"), Errno::kNoEnt);
  EXPECT_EQ(g.Symlink(std::string("x\0y", 3), kDir, "new"), Errno::kInval);
  EXPECT_FALSE(folder.Exists("new"));
  EXPECT_EQ(Open("\xe2\x82\xac\xf0\x9f\x8e\xb5", Creating()), Errno::kSuccess) << "UTF-8 is fine";
  EXPECT_TRUE(folder.Exists("\xe2\x82\xac\xf0\x9f\x8e\xb5"));
}

TEST_P(DirectoriesTest, WrongKindsOfDescriptor) {
  Guest& g = guest();
  const uint32_t file = g.MustOpen(kDir, "file", {0, kReadWrite});
  for (const auto& [fd, error] : {std::pair<uint32_t, Errno>{file, Errno::kNotDir},
                                  {0u, Errno::kNotDir},
                                  {99u, Errno::kBadf},
                                  {~0u, Errno::kBadf}}) {
    SCOPED_TRACE(fd);
    FileStat stat;
    std::string target;
    uint32_t opened;
    EXPECT_EQ(g.Open(fd, "x", {}, opened), error);
    EXPECT_EQ(g.Stat(fd, "x", true, stat), error);
    EXPECT_EQ(g.SetTimes(fd, "x", true, 0, 0, 0), error);
    EXPECT_EQ(g.Path("path_create_directory", fd, "x"), error);
    EXPECT_EQ(g.Path("path_remove_directory", fd, "x"), error);
    EXPECT_EQ(g.Path("path_unlink_file", fd, "x"), error);
    EXPECT_EQ(g.ReadLink(fd, "x", target), error);
    EXPECT_EQ(g.Symlink("x", fd, "x"), error);
    EXPECT_EQ(g.Link(fd, "x", kDir, "y"), error);
    EXPECT_EQ(g.Link(kDir, "file", fd, "y"), error);
    EXPECT_EQ(g.Rename(fd, "x", kDir, "y"), error);
    EXPECT_EQ(g.Rename(kDir, "file", fd, "y"), error);
    EXPECT_EQ(g.Call("fd_readdir", fd, 1024, 64, 0, 1024), error);
    g.Release();
  }
  const uint32_t iovecs = g.Iovecs({{g.Room(4), 4}}), used = g.Room(4);
  EXPECT_EQ(g.Call("fd_read", kDir, iovecs, 1, used), Errno::kNotCapable);
  const uint32_t dir = g.MustOpen(kDir, "dir", {0, rights::kAll});
  EXPECT_EQ(g.Call("fd_pread", dir, iovecs, 1, 0, used), Errno::kIsDir);
}

// Every right of a directory, taken away alone.
TEST_P(DirectoriesTest, MissingRights) {
  Guest& g = guest();
  const auto without = [&](Rights right) {
    return g.MustOpen(kDir, "dir", {oflags::kDirectory, rights::kDirectory & ~right, rights::kAll});
  };
  FileStat stat;
  std::string target;
  uint32_t fd;
  const Errno kNo = Errno::kNotCapable;
  EXPECT_EQ(g.Open(without(rights::kPathOpen), "inner", {}, fd), kNo);
  EXPECT_EQ(g.Open(without(rights::kPathCreateFile), "new", Creating(), fd), kNo);
  EXPECT_EQ(g.Open(without(rights::kPathFilestatSetSize), "inner", {oflags::kTrunc}, fd), kNo);
  EXPECT_EQ(g.Path("path_create_directory", without(rights::kPathCreateDirectory), "new"), kNo);
  EXPECT_EQ(g.Path("path_remove_directory", without(rights::kPathRemoveDirectory), "sub"), kNo);
  EXPECT_EQ(g.Path("path_unlink_file", without(rights::kPathUnlinkFile), "inner"), kNo);
  EXPECT_EQ(g.Stat(without(rights::kPathFilestatGet), "inner", true, stat), kNo);
  EXPECT_EQ(g.SetTimes(without(rights::kPathFilestatSetTimes), "inner", true, 0, 0, 0), kNo);
  EXPECT_EQ(g.ReadLink(without(rights::kPathReadlink), "inner", target), kNo);
  EXPECT_EQ(g.Symlink("x", without(rights::kPathSymlink), "new"), kNo);
  EXPECT_EQ(g.Link(without(rights::kPathLinkSource), "inner", kDir, "new"), kNo);
  EXPECT_EQ(g.Link(kDir, "file", without(rights::kPathLinkTarget), "new"), kNo);
  EXPECT_EQ(g.Rename(without(rights::kPathRenameSource), "inner", kDir, "new"), kNo);
  EXPECT_EQ(g.Rename(kDir, "file", without(rights::kPathRenameTarget), "new"), kNo);
  EXPECT_EQ(g.Call("fd_readdir", without(rights::kFdReaddir), 1024, 64, 0, 1024), kNo);
  EXPECT_EQ(g.StatFd(without(rights::kFdFilestatGet), stat), kNo);
  EXPECT_EQ(g.Call("fd_filestat_set_times", without(rights::kFdFilestatSetTimes), 0, 0, 0), kNo);
  EXPECT_EQ(folder.Read("dir/inner"), "inner");
  EXPECT_FALSE(folder.Exists("new"));
}

TEST_P(DirectoriesTest, MakesAndRemoves) {
  Guest& g = guest();
  EXPECT_EQ(g.Path("path_create_directory", kDir, "dir/new"), Errno::kSuccess);
  EXPECT_EQ(g.Path("path_create_directory", kDir, "slash/"), Errno::kSuccess);
  EXPECT_EQ(g.Path("path_create_directory", kDir, "dir"), Errno::kExist);
  EXPECT_EQ(g.Path("path_create_directory", kDir, "file"), Errno::kExist);
  EXPECT_EQ(g.Path("path_create_directory", kDir, "."), Errno::kExist);
  EXPECT_EQ(g.Path("path_create_directory", kDir, "dir/.."), Errno::kExist);
  EXPECT_EQ(g.Path("path_create_directory", kDir, "a/b"), Errno::kNoEnt);
  EXPECT_EQ(g.Path("path_create_directory", kDir, "file/b"), Errno::kNotDir);
  EXPECT_EQ(g.Path("path_remove_directory", kDir, "dir"), Errno::kNotEmpty);
  EXPECT_EQ(g.Path("path_remove_directory", kDir, "file"), Errno::kNotDir);
  EXPECT_EQ(g.Path("path_remove_directory", kDir, "missing"), Errno::kNoEnt);
  EXPECT_EQ(g.Path("path_remove_directory", kDir, "."), Errno::kInval);
  EXPECT_EQ(g.Path("path_remove_directory", kDir, "dirlink"), Errno::kNotDir);
  EXPECT_EQ(g.Path("path_remove_directory", kDir, "dir/new/"), Errno::kSuccess);
  EXPECT_FALSE(folder.Exists("dir/new"));
  EXPECT_EQ(g.Path("path_unlink_file", kDir, "dir"), Errno::kIsDir);
  EXPECT_EQ(g.Path("path_unlink_file", kDir, "dir/"), Errno::kIsDir);
  EXPECT_EQ(g.Path("path_unlink_file", kDir, "file/"), Errno::kNotDir);
  EXPECT_EQ(g.Path("path_unlink_file", kDir, "missing"), Errno::kNoEnt);
  EXPECT_EQ(g.Path("path_unlink_file", kDir, "link"), Errno::kSuccess) << "the link itself";
  EXPECT_TRUE(folder.Exists("file"));
  EXPECT_EQ(g.Path("path_unlink_file", kDir, "dirlink/inner"), Errno::kSuccess);
  EXPECT_FALSE(folder.Exists("dir/inner"));
}

TEST_P(DirectoriesTest, Renames) {
  Guest& g = guest();
  const uint32_t dir = g.MustOpen(kDir, "dir", WholeDirectory());
  EXPECT_EQ(g.Rename(kDir, "file", dir, "moved"), Errno::kSuccess);
  EXPECT_EQ(folder.Read("dir/moved"), "0123456789");
  EXPECT_EQ(g.Rename(dir, "inner", dir, "moved"), Errno::kSuccess) << "replaces";
  EXPECT_EQ(folder.Read("dir/moved"), "inner");
  EXPECT_EQ(g.Rename(kDir, "missing", kDir, "x"), Errno::kNoEnt);
  EXPECT_EQ(g.Rename(kDir, "dir", kDir, "dir/sub/in"), Errno::kInval);
  EXPECT_EQ(g.Rename(dir, "moved", dir, "sub"), Errno::kIsDir);
  EXPECT_EQ(g.Rename(dir, "sub", dir, "moved"), Errno::kNotDir);
  EXPECT_EQ(g.Rename(dir, "moved", dir, "x/"), Errno::kNotDir);
  EXPECT_EQ(g.Rename(dir, "sub", dir, "sub2/"), Errno::kSuccess);
  EXPECT_TRUE(folder.Exists("dir/sub2"));
  EXPECT_EQ(g.Rename(kDir, "link", kDir, "link2"), Errno::kSuccess) << "the link itself";
  EXPECT_TRUE(folder.Exists("link2"));
}

TEST_P(DirectoriesTest, LinksAndSymlinks) {
  Guest& g = guest();
  FileStat stat;
  std::string target;
  EXPECT_EQ(g.Link(kDir, "file", kDir, "dir/same"), Errno::kSuccess);
  ASSERT_EQ(g.Stat(kDir, "file", true, stat), Errno::kSuccess);
  EXPECT_EQ(stat.nlink, 2u);
  EXPECT_EQ(g.Link(kDir, "file", kDir, "dir/same"), Errno::kExist);
  EXPECT_EQ(g.Link(kDir, "missing", kDir, "x"), Errno::kNoEnt);
  EXPECT_EQ(g.Link(kDir, "dir", kDir, "x"), Errno::kPerm);
  EXPECT_EQ(g.Link(kDir, "dir/", kDir, "x"), Errno::kPerm);
  EXPECT_EQ(g.Link(kDir, "file/", kDir, "x"), Errno::kNotDir);
  EXPECT_EQ(g.Link(kDir, "file", kDir, "x/"), Errno::kNoEnt);
  EXPECT_EQ(g.Link(kDir, "link", kDir, "hard", /*follow=*/true), Errno::kNotSup);
  folder.Symlink("nowhere", "dangling");
  folder.Symlink("loop", "loop");
  EXPECT_EQ(g.Link(kDir, "dangling", kDir, "hard", /*follow=*/true), Errno::kInval);
  EXPECT_EQ(g.Link(kDir, "loop", kDir, "hard", /*follow=*/true), Errno::kInval);
  EXPECT_EQ(g.Link(kDir, "missing", kDir, "hard", /*follow=*/true), Errno::kNoEnt);
  EXPECT_FALSE(folder.Exists("hard"));
  EXPECT_EQ(g.Link(kDir, "dangling", kDir, "dir/dangling"), Errno::kSuccess) << "the link itself";
  EXPECT_EQ(g.Link(kDir, "file", kDir, "dir/followed", /*follow=*/true), Errno::kSuccess);
  EXPECT_EQ(g.Link(kDir, "link", kDir, "hard"), Errno::kSuccess);
  EXPECT_EQ(g.ReadLink(kDir, "hard", target), Errno::kSuccess);
  EXPECT_EQ(target, "file");

  EXPECT_EQ(g.Symlink("../file", kDir, "dir/up"), Errno::kSuccess);
  EXPECT_EQ(Open("dir/up", {}), Errno::kSuccess);
  EXPECT_EQ(g.Symlink("x", kDir, "file"), Errno::kExist);
  EXPECT_EQ(g.Symlink("x", kDir, "new/"), Errno::kNoEnt);
  EXPECT_EQ(g.ReadLink(kDir, "dir/up", target), Errno::kSuccess);
  EXPECT_EQ(target, "../file");
  EXPECT_EQ(g.ReadLink(kDir, "dir/up", target, 3), Errno::kSuccess);
  EXPECT_EQ(target, "../") << "cut off";
  EXPECT_EQ(g.ReadLink(kDir, "dir/up", target, 0), Errno::kSuccess);
  EXPECT_EQ(target, "");
  EXPECT_EQ(g.ReadLink(kDir, "file", target), Errno::kInval);
  EXPECT_EQ(g.ReadLink(kDir, "dir", target), Errno::kInval);
  EXPECT_EQ(g.ReadLink(kDir, "dirlink/", target), Errno::kInval);
  EXPECT_EQ(g.ReadLink(kDir, "missing", target), Errno::kNoEnt);
}

TEST_P(DirectoriesTest, StatsAndTimesByPath) {
  Guest& g = guest();
  FileStat stat;
  ASSERT_EQ(g.Stat(kDir, "link", true, stat), Errno::kSuccess);
  EXPECT_EQ(stat.type, FileType::kRegularFile);
  EXPECT_EQ(stat.size, 10u);
  ASSERT_EQ(g.Stat(kDir, "link", false, stat), Errno::kSuccess);
  EXPECT_EQ(stat.type, FileType::kSymbolicLink);
  EXPECT_EQ(stat.size, 4u);
  ASSERT_EQ(g.Stat(kDir, "dirlink/", false, stat), Errno::kSuccess);
  EXPECT_EQ(stat.type, FileType::kDirectory);
  ASSERT_EQ(g.StatFd(kDir, stat), Errno::kSuccess);
  EXPECT_EQ(stat.type, FileType::kDirectory);
  EXPECT_EQ(g.Stat(kDir, "missing", false, stat), Errno::kNoEnt);
  EXPECT_EQ(g.Stat(kDir, "file/", false, stat), Errno::kNotDir);

  EXPECT_EQ(g.SetTimes(kDir, "link", true, 11, 12, 5), Errno::kSuccess);
  EXPECT_EQ(g.SetTimes(kDir, "link", false, 21, 22, 5), Errno::kSuccess);
  ASSERT_EQ(g.Stat(kDir, "file", true, stat), Errno::kSuccess);
  EXPECT_EQ(stat.atim, 11u);
  EXPECT_EQ(stat.mtim, 12u);
  ASSERT_EQ(g.Stat(kDir, "link", false, stat), Errno::kSuccess);
  EXPECT_EQ(stat.mtim, 22u);
  EXPECT_EQ(g.SetTimes(kDir, "file", true, 0, 0, 3), Errno::kInval);
  EXPECT_EQ(g.SetTimes(kDir, "missing", true, 0, 0, 5), Errno::kNoEnt);
  EXPECT_EQ(g.Call("fd_filestat_set_times", kDir, 31, 32, 5), Errno::kSuccess);
  ASSERT_EQ(g.StatFd(kDir, stat), Errno::kSuccess);
  EXPECT_EQ(stat.mtim, 32u);
}

// Who may not read gets to know so. Root may.
TEST_P(DirectoriesTest, Permissions) {
  ASSERT_EQ(chmod((folder / "file").c_str(), 0), 0);
  ASSERT_EQ(chmod((folder / "dir").c_str(), 0), 0);
  const Errno want = geteuid() == 0 ? Errno::kSuccess : Errno::kAcces;
  EXPECT_EQ(Open("file", {}), want);
  EXPECT_EQ(Open("dir/inner", {}), want);
  EXPECT_EQ(chmod((folder / "dir").c_str(), 0700), 0);
}

}  // namespace
}  // namespace fermata::wasi

// Escapes by paths: "..", absolute paths, and what is no path at all, through every function.
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/runtime/wasi/posix/escape.h"

namespace fermata::wasi {
namespace {

constexpr Errno kNo = Errno::kNotCapable;

// Opening, by the shapes that a path out can have.
std::vector<Attempt> Reading() {
  std::vector<Attempt> table;
  const auto add = [&](const char* name, std::string path, Errno expected = kNo) {
    table.push_back({name, expected, [path](Sandbox& s) { return s.ReadFile(kMount, path); }});
  };
  add("DotDot", "..");
  add("DotDotSlash", "../");
  add("DotDotDot", "../.");
  add("DotDotFirst", "../outside/canary");
  add("DotDotAfterDot", "./../outside/canary");
  add("DotDotInTheMiddle", "d/../../outside/canary");
  add("DotDotDeep", "d/e/../../../outside/canary");
  add("DotDotLast", "d/../..");
  add("DotDotAmongSlashes", "d//..///..//outside//canary");
  add("DotDotOutAndBackIn", "../mount/inside");
  add("DotDotToTheRoot", []() {
    std::string path;
    for (int i = 0; i < 200; ++i) path += "../";
    return path + "etc/passwd";
  }());
  add("DotDotThroughAFile", "inside/../../outside/canary", Errno::kNotDir);
  add("DotDotThroughNothing", "missing/../../outside/canary", Errno::kNoEnt);
  add("ThreeDotsAreAName", ".../outside/canary", Errno::kNoEnt);
  add("BackslashesAreNames", "..\\outside\\canary", Errno::kNoEnt);
  add("PercentsAreNames", "%2e%2e/outside/canary", Errno::kNoEnt);
  add("Absolute", "/etc/passwd");
  add("AbsoluteTwoSlashes", "//etc/passwd");
  add("AbsoluteRoot", "/");
  add("AbsoluteProcRoot", "/proc/self/root/etc/passwd");
  add("NulHidesTheRest", std::string("inside\0/../../outside/canary", 28), Errno::kInval);
  add("NulAfterDotDot", std::string("..\0", 3), Errno::kInval);
  add("OverlongSlash", "..\xc0\xaf..\xc0\xafoutside", Errno::kIlseq);
  add("OverlongDots", "\xc0\xae\xc0\xae/outside/canary", Errno::kIlseq);
  add("LongerThanPathsAre", std::string(3000, '/').insert(0, ".") + std::string(2000, '/') + "..",
      Errno::kNameTooLong);
  return table;
}

// The same few ways out through each function, both paths of those that take two.
std::vector<Attempt> Functions() {
  std::vector<Attempt> table;
  const auto add = [&](const char* name, std::function<Errno(Sandbox&)> run) {
    table.push_back({name, kNo, std::move(run)});
  };
  add("AbsolutePathOfTheMountItself",
      [](Sandbox& s) { return s.ReadFile(kMount, s.host() / "mount/inside"); });
  add("AbsolutePathOfTheCanary", [](Sandbox& s) { return s.ReadFile(kMount, s.Outside()); });
  add("OpenCreates",
      [](Sandbox& s) { return s.WriteFile(kMount, "../outside/new", oflags::kCreat); });
  add("OpenCreatesExclusively", [](Sandbox& s) {
    return s.WriteFile(kMount, "../outside/new", oflags::kCreat | oflags::kExcl);
  });
  add("OpenTruncates",
      [](Sandbox& s) { return s.WriteFile(kMount, "../outside/canary", oflags::kTrunc); });
  add("OpenDirectory", [](Sandbox& s) {
    uint32_t fd;
    return s.guest().Open(kMount, "../outside", WholeDirectory(), fd);
  });
  add("OpenWithoutFollowing",
      [](Sandbox& s) { return s.ReadFile(kMount, "../outside/canary", /*follow=*/false); });
  add("MakeDirectory",
      [](Sandbox& s) { return s.guest().Path("path_create_directory", kMount, "../outside/new"); });
  add("MakeDirectoryBesideTheMount",
      [](Sandbox& s) { return s.guest().Path("path_create_directory", kMount, "../new"); });
  add("MakeDirectoryDotDot",
      [](Sandbox& s) { return s.guest().Path("path_create_directory", kMount, ".."); });
  add("MakeDirectoryAbsolute",
      [](Sandbox& s) { return s.guest().Path("path_create_directory", kMount, s.Outside("new")); });
  add("RemoveDirectory",
      [](Sandbox& s) { return s.guest().Path("path_remove_directory", kMount, "../outside/dir"); });
  add("RemoveDirectoryDotDot",
      [](Sandbox& s) { return s.guest().Path("path_remove_directory", kMount, "d/../.."); });
  add("RemoveDirectoryAbsolute",
      [](Sandbox& s) { return s.guest().Path("path_remove_directory", kMount, s.Outside("dir")); });
  add("Unlink",
      [](Sandbox& s) { return s.guest().Path("path_unlink_file", kMount, "../outside/canary"); });
  add("UnlinkDotDot", [](Sandbox& s) { return s.guest().Path("path_unlink_file", kMount, "../"); });
  add("UnlinkAbsolute",
      [](Sandbox& s) { return s.guest().Path("path_unlink_file", kMount, s.Outside()); });
  for (const bool follow : {false, true}) {
    add(follow ? "StatFollowing" : "Stat", [follow](Sandbox& s) {
      FileStat stat;
      return s.guest().Stat(kMount, "../outside/canary", follow, stat);
    });
    add(follow ? "SetTimesFollowing" : "SetTimes", [follow](Sandbox& s) {
      return s.guest().SetTimes(kMount, "../outside/canary", follow, 1, 1, 5);
    });
  }
  add("StatDotDot", [](Sandbox& s) {
    FileStat stat;
    return s.guest().Stat(kMount, "..", false, stat);
  });
  add("StatAbsolute", [](Sandbox& s) {
    FileStat stat;
    return s.guest().Stat(kMount, s.Outside(), false, stat);
  });
  add("SetTimesAbsolute",
      [](Sandbox& s) { return s.guest().SetTimes(kMount, s.Outside(), false, 1, 1, 5); });
  return table;
}

std::vector<Attempt> TwoPaths() {
  std::vector<Attempt> table;
  const auto add = [&](const char* name, std::function<Errno(Sandbox&)> run) {
    table.push_back({name, kNo, std::move(run)});
  };
  add("ReadLink", [](Sandbox& s) {
    std::string target;
    return s.guest().ReadLink(kMount, "../outside/link", target);
  });
  add("ReadLinkAbsolute", [](Sandbox& s) {
    std::string target;
    return s.guest().ReadLink(kMount, s.Outside("link"), target);
  });
  add("SymlinkOutside",
      [](Sandbox& s) { return s.guest().Symlink("canary", kMount, "../outside/new"); });
  add("SymlinkAbsolutePath",
      [](Sandbox& s) { return s.guest().Symlink("canary", kMount, s.Outside("new")); });
  add("SymlinkAbsoluteTarget",
      [](Sandbox& s) { return s.guest().Symlink(s.Outside(), kMount, "l"); });
  add("LinkFromOutside",
      [](Sandbox& s) { return s.guest().Link(kMount, "../outside/canary", kMount, "got"); });
  add("LinkFromAbsolute",
      [](Sandbox& s) { return s.guest().Link(kMount, s.Outside(), kMount, "got"); });
  add("LinkToOutside",
      [](Sandbox& s) { return s.guest().Link(kMount, "inside", kMount, "../outside/new"); });
  add("LinkToAbsolute",
      [](Sandbox& s) { return s.guest().Link(kMount, "inside", kMount, s.Outside("new")); });
  add("RenameFromOutside",
      [](Sandbox& s) { return s.guest().Rename(kMount, "../outside/canary", kMount, "got"); });
  add("RenameFromAbsolute",
      [](Sandbox& s) { return s.guest().Rename(kMount, s.Outside(), kMount, "got"); });
  add("RenameToOutside",
      [](Sandbox& s) { return s.guest().Rename(kMount, "inside", kMount, "../outside/new"); });
  add("RenameOverTheCanary",
      [](Sandbox& s) { return s.guest().Rename(kMount, "inside", kMount, "../outside/canary"); });
  add("RenameToAbsolute",
      [](Sandbox& s) { return s.guest().Rename(kMount, "inside", kMount, s.Outside("new")); });
  add("RenameDirectoryToDotDot",
      [](Sandbox& s) { return s.guest().Rename(kMount, "d", kMount, ".."); });
  add("RenameDotDot", [](Sandbox& s) { return s.guest().Rename(kMount, "..", kMount, "d/up"); });
  add("LinkDotDot", [](Sandbox& s) { return s.guest().Link(kMount, "..", kMount, "up"); });
  // From a directory of the mount's: its own parent is outside for who holds only it.
  add("DotDotOfASubdirectory",
      [](Sandbox& s) { return s.ReadFile(s.OpenDirectory("d/e"), "../../inside"); });
  add("RenameOutOfASubdirectory", [](Sandbox& s) {
    return s.guest().Rename(s.OpenDirectory("d/e"), "deep", s.OpenDirectory("d"), "../deep");
  });
  add("DotDotOfAReadOnlyMount",
      [](Sandbox& s) { return s.ReadFile(kReadOnly, "../outside/canary"); });
  return table;
}

FERMATA_ESCAPES(EscapeByPath, Reading);
FERMATA_ESCAPES(EscapeByPathFunction, Functions);
FERMATA_ESCAPES(EscapeByTwoPaths, TwoPaths);

// Which inode the mount's parent has is nobody's business.
TEST(EscapeByReaddir, DotDotIsTheDirectoryItself) {
  for (const bool openat2 : {true, false}) {
    Sandbox s(openat2);
    Guest& guest = s.guest();
    for (const uint32_t fd : {kMount, s.OpenDirectory("d")}) {
      FileStat self;
      ASSERT_EQ(guest.StatFd(fd, self), Errno::kSuccess);
      const uint32_t buffer = guest.Room(4096), used = guest.Room(4);
      ASSERT_EQ(guest.Call("fd_readdir", fd, buffer, 4096, 0, used), Errno::kSuccess);
      bool seen = false;
      for (uint32_t at = 0; at < guest.Load<uint32_t>(used);) {
        const uint32_t size = guest.Load<uint32_t>(buffer + at + 16);
        if (guest.Bytes(buffer + at + 24, size) == "..") {
          EXPECT_EQ(guest.Load<uint64_t>(buffer + at + 8), self.ino);
          seen = true;
        }
        at += 24 + size;
      }
      EXPECT_TRUE(seen);
    }
  }
}

}  // namespace
}  // namespace fermata::wasi

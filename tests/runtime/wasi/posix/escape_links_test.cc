// Escapes by links: symbolic ones that the host left or the guest made, hard links, /proc's.
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/runtime/wasi/posix/escape.h"

namespace fermata::wasi {
namespace {

constexpr Errno kNo = Errno::kNotCapable;

// Links that the host left in the mount: target and name, then what the guest reads.
std::vector<Attempt> HostLinks() {
  std::vector<Attempt> table;
  using Links = std::vector<std::pair<const char*, const char*>>;
  const auto add = [&](const char* name, Links links, const char* path, Errno expected = kNo) {
    table.push_back({name, expected, [links, path](Sandbox& s) {
                       for (const auto& [target, at] : links) s.HostLink(target, at);
                       return s.ReadFile(kMount, path);
                     }});
  };
  add("Relative", {{"../outside/canary", "l"}}, "l");
  add("Absolute", {{"/etc/passwd", "l"}}, "l");
  add("AbsoluteRoot", {{"/", "l"}}, "l/etc/passwd");
  add("ToDotDot", {{"..", "l"}}, "l");
  add("ToDotDotAndOn", {{"..", "l"}}, "l/outside/canary");
  add("InTheMiddle", {{"../outside", "l"}}, "l/canary");
  add("InTheMiddleThenDotDot", {{"../outside", "l"}}, "l/../outside/canary");
  add("InTheMiddleThenBackIn", {{"../outside", "l"}}, "l/../mount/inside");
  add("TrailingSlash", {{"../outside", "l"}}, "l/");
  add("TrailingDot", {{"../outside", "l"}}, "l/.");
  add("TrailingSlashAbsolute", {{"/etc", "l"}}, "l/");
  add("Chained", {{"../outside/canary", "c"}, {"c", "b"}, {"d/../b", "a"}}, "a");
  add("ChainedThroughDirectories", {{"../../outside", "d/up"}, {"d", "x"}}, "x/up/canary");
  add("DeepUp", {{"../..", "d/up"}}, "d/up/outside/canary");
  add("UpWithinThenDotDot", {{"..", "d/up"}}, "d/up/../outside/canary");
  add("OutAndBackIn", {{"../mount/inside", "l"}}, "l");
  add("ToProcRoot", {{"/proc/self/root/etc/passwd", "l"}}, "l");
  add("ToProcCwd", {{"/proc/self/cwd", "l"}}, "l/x");
  add("Loop", {{"l", "l"}}, "l", Errno::kLoop);
  add("LoopOfTwo", {{"b", "a"}, {"a", "b"}}, "a", Errno::kLoop);
  add("LoopInTheMiddle", {{"l/x", "l"}}, "l/y", Errno::kLoop);
  add("LoopThatGrows", {{"l/l", "l"}}, "l", Errno::kLoop);
  add("DanglingWithin", {{"missing", "l"}}, "l", Errno::kNoEnt);
  add("DanglingOutside", {{"../outside/missing", "l"}}, "l");
  // Not following is an error even if the link leads nowhere bad.
  table.push_back({"NotFollowed", Errno::kLoop, [](Sandbox& s) {
                     s.HostLink("../outside/canary", "l");
                     return s.ReadFile(kMount, "l", /*follow=*/false);
                   }});
  table.push_back({"FortyOneLinks", Errno::kLoop, [](Sandbox& s) {
                     s.HostLink("inside", "l0");
                     for (int i = 1; i <= 40; ++i) {
                       s.HostLink(absl::StrCat("l", i - 1), absl::StrCat("l", i));
                     }
                     EXPECT_EQ(s.ReadFile(kMount, "l39"), Errno::kSuccess) << "forty are fine";
                     return s.ReadFile(kMount, "l40");
                   }});
  return table;
}

// A link "l" to the folder outside, "f" to the canary, "n" to nothing: what functions make of them.
Attempt WithLinks(const char* name, Errno expected, std::function<Errno(Sandbox&)> run) {
  return {name, expected, [run](Sandbox& s) {
            s.HostLink("../outside", "l");
            s.HostLink("../outside/canary", "f");
            s.HostLink("../outside/missing", "n");
            return run(s);
          }};
}

std::vector<Attempt> LinksAndFunctions() {
  std::vector<Attempt> table;
  const auto add = [&](const char* name, Errno expected, std::function<Errno(Sandbox&)> run) {
    table.push_back(WithLinks(name, expected, std::move(run)));
  };
  const auto path = [](const char* function, const char* path) {
    return [=](Sandbox& s) { return s.guest().Path(function, kMount, path); };
  };
  const auto create = [](const char* path, uint32_t more) {
    return [=](Sandbox& s) { return s.WriteFile(kMount, path, oflags::kCreat | more); };
  };
  const auto stat = [](const char* path, bool follow) {
    return [=](Sandbox& s) {
      FileStat stat;
      return s.guest().Stat(kMount, path, follow, stat);
    };
  };
  add("CreateThroughDangling", kNo, create("n", 0));
  add("CreateThroughDanglingExclusively", Errno::kExist, create("n", oflags::kExcl));
  add("CreateThroughDirectory", kNo, create("l/new", 0));
  add("CreateWithSlash", Errno::kIsDir, create("n/", 0));
  add("TruncateThrough", kNo, create("f", oflags::kTrunc));
  add("OpenDirectory", kNo, [](Sandbox& s) {
    uint32_t fd;
    return s.guest().Open(kMount, "l", WholeDirectory(), fd);
  });
  add("MakeDirectoryThrough", kNo, path("path_create_directory", "l/new"));
  add("MakeDirectoryOnDangling", Errno::kExist, path("path_create_directory", "n"));
  add("MakeDirectoryOnDanglingWithSlash", Errno::kExist, path("path_create_directory", "n/"));
  add("RemoveDirectoryThrough", kNo, path("path_remove_directory", "l/dir"));
  add("RemoveDirectoryItself", Errno::kNotDir, path("path_remove_directory", "l"));
  add("RemoveDirectoryWithSlash", Errno::kNotDir, path("path_remove_directory", "l/"));
  add("UnlinkThrough", kNo, path("path_unlink_file", "l/canary"));
  add("UnlinkWithSlash", Errno::kNotDir, path("path_unlink_file", "l/"));
  add("StatThrough", kNo, stat("l/canary", false));
  add("StatFollowing", kNo, stat("f", true));
  add("StatWithSlash", kNo, stat("l/", false));
  add("StatDanglingFollowing", kNo, stat("n", true));
  add("SetTimesFollowing", kNo,
      [](Sandbox& s) { return s.guest().SetTimes(kMount, "f", true, 1, 1, 5); });
  add("SetTimesThrough", kNo,
      [](Sandbox& s) { return s.guest().SetTimes(kMount, "l/canary", false, 1, 1, 5); });
  return table;
}

std::vector<Attempt> LinksAndTwoPaths() {
  std::vector<Attempt> table;
  const auto add = [&](const char* name, Errno expected, std::function<Errno(Sandbox&)> run) {
    table.push_back(WithLinks(name, expected, std::move(run)));
  };
  const auto read_link = [](const char* path) {
    return [=](Sandbox& s) {
      std::string target;
      return s.guest().ReadLink(kMount, path, target);
    };
  };
  const auto two = [](bool link, const char* from, const char* to) {
    return [=](Sandbox& s) {
      return link ? s.guest().Link(kMount, from, kMount, to)
                  : s.guest().Rename(kMount, from, kMount, to);
    };
  };
  add("ReadLinkThrough", kNo, read_link("l/link"));
  // A slash follows the link: whether there is something outside, and what, must not show.
  add("ReadLinkOfDirectoryWithSlash", kNo, read_link("l/"));
  add("ReadLinkOfFileWithSlash", kNo, read_link("f/"));
  add("ReadLinkOfNothingWithSlash", kNo, read_link("n/"));
  add("LinkOfDirectoryWithSlash", kNo, two(true, "l/", "got"));
  add("LinkOfFileWithSlash", kNo, two(true, "f/", "got"));
  add("LinkOfNothingWithSlash", kNo, two(true, "n/", "got"));
  add("LinkFromThrough", kNo, two(true, "l/canary", "got"));
  add("LinkToThrough", kNo, two(true, "inside", "l/new"));
  add("LinkOntoDangling", Errno::kExist, two(true, "inside", "n"));
  add("LinkFollowing", Errno::kNotSup,
      [](Sandbox& s) { return s.guest().Link(kMount, "f", kMount, "got", /*follow=*/true); });
  add("RenameFromThrough", kNo, two(false, "l/canary", "got"));
  add("RenameToThrough", kNo, two(false, "inside", "l/new"));
  add("RenameWithSlash", Errno::kNotDir, two(false, "l/", "got"));
  add("RenameToWithSlash", Errno::kNotDir, two(false, "d", "l/"));
  add("SymlinkThrough", kNo,
      [](Sandbox& s) { return s.guest().Symlink("canary", kMount, "l/new"); });
  add("HardLinkOfALink", kNo, [](Sandbox& s) {
    EXPECT_EQ(s.guest().Link(kMount, "f", kMount, "g"), Errno::kSuccess);
    return s.ReadFile(kMount, "g");
  });
  return table;
}

std::vector<Attempt> GuestLinks() {
  std::vector<Attempt> table;
  const auto add = [&](const char* name, std::function<Errno(Sandbox&)> run) {
    table.push_back({name, kNo, std::move(run)});
  };
  add("Relative", [](Sandbox& s) {
    EXPECT_EQ(s.guest().Symlink("../outside/canary", kMount, "l"), Errno::kSuccess);
    return s.ReadFile(kMount, "l");
  });
  add("FromASubdirectory", [](Sandbox& s) {
    const uint32_t e = s.OpenDirectory("d/e");
    EXPECT_EQ(s.guest().Symlink("../../inside", e, "l"), Errno::kSuccess);
    EXPECT_EQ(s.ReadFile(kMount, "d/e/l"), Errno::kSuccess) << "within the mount";
    return s.ReadFile(e, "l");
  });
  add("RenamedUpwards", [](Sandbox& s) {
    EXPECT_EQ(s.guest().Symlink("../../outside/canary", kMount, "d/e/l"), Errno::kSuccess);
    EXPECT_EQ(s.guest().Rename(kMount, "d/e/l", kMount, "d/l"), Errno::kSuccess);
    return s.ReadFile(kMount, "d/l");
  });
  add("InADirectoryMovedUpwards", [](Sandbox& s) {
    EXPECT_EQ(s.guest().Symlink("../../outside/canary", kMount, "d/e/l"), Errno::kSuccess);
    EXPECT_EQ(s.ReadFile(kMount, "d/e/l"), Errno::kNoEnt);
    EXPECT_EQ(s.guest().Rename(kMount, "d/e", kMount, "e"), Errno::kSuccess);
    return s.ReadFile(kMount, "e/l");
  });
  add("ADirectoryReplacedByALink", [](Sandbox& s) {
    const uint32_t d = s.OpenDirectory("d");
    EXPECT_EQ(s.guest().Rename(kMount, "d", kMount, "was"), Errno::kSuccess);
    EXPECT_EQ(s.guest().Symlink("../outside", kMount, "d"), Errno::kSuccess);
    EXPECT_EQ(s.ReadFile(d, "e/deep"), Errno::kSuccess) << "the descriptor is the old one's";
    EXPECT_EQ(s.ReadFile(d, "canary"), Errno::kNoEnt);
    return s.ReadFile(kMount, "d/canary");
  });
  return table;
}

// Links of /proc that lead where no path could: with openat2 the kernel refuses them as such.
std::vector<Attempt> MagicLinks() {
  std::vector<Attempt> table;
  const auto add = [&](const char* name, std::function<std::string(int)> path, bool stat = false) {
    table.push_back({name, Errno::kLoop,
                     [path, stat](Sandbox& s) {
                       const int canary = open(s.Outside().c_str(), O_RDONLY | O_CLOEXEC);
                       const std::string p = path(canary);
                       FileStat unused;
                       const Errno error =
                           stat ? s.guest().Stat(kProc, p, true, unused) : s.ReadFile(kProc, p);
                       close(canary);
                       return error;
                     },
                     kNo});
  };
  add("Root", [](int) { return "self/root/etc/passwd"; });
  add("RootItself", [](int) { return "self/root"; });
  add("ThreadRoot", [](int) { return "thread-self/root/etc/passwd"; });
  add("Cwd", [](int) { return "self/cwd"; });
  add("CwdDotDot", [](int) { return "self/cwd/.."; });
  add("Exe", [](int) { return "self/exe"; });
  add("Descriptor", [](int fd) { return absl::StrCat("self/fd/", fd); });
  add("DescriptorWithSlash", [](int fd) { return absl::StrCat("self/fd/", fd, "/"); });
  add(
      "DescriptorStat", [](int fd) { return absl::StrCat("self/fd/", fd); }, true);
  return table;
}

FERMATA_ESCAPES(EscapeByHostLink, HostLinks);
FERMATA_ESCAPES(EscapeByLinkFunction, LinksAndFunctions);
FERMATA_ESCAPES(EscapeByLinkAndTwoPaths, LinksAndTwoPaths);
FERMATA_ESCAPES(EscapeByGuestLink, GuestLinks);
FERMATA_ESCAPES(EscapeByMagicLink, MagicLinks);

}  // namespace
}  // namespace fermata::wasi

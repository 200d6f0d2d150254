// Escapes by descriptors: numbers used again, rights that nobody gave, read-only mounts, pointers,
// and things in a directory that are neither files nor directories.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "tests/runtime/wasi/posix/escape.h"

namespace fermata::wasi {
namespace {

constexpr Errno kNo = Errno::kNotCapable;
constexpr Rights kReadOnlyRights = rights::kFdRead | rights::kFdSeek | rights::kFdTell;

using Table = std::vector<Attempt>;

Table Descriptors() {
  Table table;
  const auto add = [&](const char* name, Errno expected, std::function<Errno(Sandbox&)> run) {
    table.push_back({name, expected, std::move(run)});
  };
  add("ThroughAClosedMount", Errno::kBadf, [](Sandbox& s) {
    EXPECT_EQ(s.guest().Close(kMount), Errno::kSuccess);
    return s.ReadFile(kMount, "inside");
  });
  add("ThroughADescriptorNobodyOpened", Errno::kBadf,
      [](Sandbox& s) { return s.ReadFile(kFirstFree, "inside"); });
  add("ThroughAHostDescriptor", Errno::kBadf, [](Sandbox& s) {
    // The host has many more descriptors than the guest.
    return s.guest().Call("fd_write", 900, 1024, 0, 1024);
  });
  add("ThroughTheLargestNumber", Errno::kBadf,
      [](Sandbox& s) { return s.ReadFile(0xffffffff, "inside"); });
  add("ThroughAFile", Errno::kNotDir, [](Sandbox& s) {
    return s.ReadFile(s.guest().MustOpen(kMount, "inside"), "../outside/canary");
  });
  add("ThroughAStream", Errno::kNotDir, [](Sandbox& s) { return s.ReadFile(0, "../x"); });
  add("ThroughAReusedNumber", Errno::kNotDir, [](Sandbox& s) {
    const uint32_t dir = s.OpenDirectory("d");
    EXPECT_EQ(s.guest().Close(dir), Errno::kSuccess);
    EXPECT_EQ(s.guest().MustOpen(kMount, "inside"), dir) << "the lowest number that is free";
    return s.ReadFile(dir, "e/deep");
  });
  add("FileRenumberedOverAMount", Errno::kNotDir, [](Sandbox& s) {
    const uint32_t fd = s.guest().MustOpen(kMount, "inside");
    EXPECT_EQ(s.guest().Call("fd_renumber", fd, kMount), Errno::kSuccess);
    return s.ReadFile(kMount, "inside");
  });
  add("RenumberedMountKeepsItsWalls", kNo, [](Sandbox& s) {
    EXPECT_EQ(s.guest().Call("fd_renumber", kMount, 0), Errno::kSuccess);
    EXPECT_EQ(s.ReadFile(0, "inside"), Errno::kSuccess);
    return s.ReadFile(0, "../outside/canary");
  });
  add("ReadOnlyMountRenumberedOverAWritable", Errno::kRofs, [](Sandbox& s) {
    EXPECT_EQ(s.guest().Call("fd_renumber", kReadOnly, kMount), Errno::kSuccess);
    return s.WriteFile(kMount, "kept", 0);
  });
  add("RenumberToANumberNobodyOpened", Errno::kBadf,
      [](Sandbox& s) { return s.guest().Call("fd_renumber", kMount, 4000000000u); });
  return table;
}

Table RightsAndFlags() {
  Table table;
  const auto add = [&](const char* name, std::function<Errno(Sandbox&)> run) {
    table.push_back({name, kNo, std::move(run)});
  };
  add("SetRightsBack", [](Sandbox& s) {
    const uint32_t fd = s.guest().MustOpen(kMount, "inside", {0, kReadWrite});
    EXPECT_EQ(s.guest().Call("fd_fdstat_set_rights", fd, kReadOnlyRights, 0), Errno::kSuccess);
    EXPECT_EQ(s.guest().Write(fd, "harm"), kNo);
    return s.guest().Call("fd_fdstat_set_rights", fd, kReadWrite, 0);
  });
  add("SetRightsBeyondAll",
      [](Sandbox& s) { return s.guest().Call("fd_fdstat_set_rights", kMount, ~uint64_t{0}, 0); });
  add("SetInheritingBack", [](Sandbox& s) {
    EXPECT_EQ(s.guest().Call("fd_fdstat_set_rights", kMount, rights::kPathOpen, rights::kFdRead),
              Errno::kSuccess);
    return s.guest().Call("fd_fdstat_set_rights", kMount, rights::kPathOpen, rights::kAll);
  });
  add("OpenWithMoreThanInherited", [](Sandbox& s) {
    EXPECT_EQ(s.guest().Call("fd_fdstat_set_rights", kMount, rights::kAll & rights::kDirectory,
                             kReadOnlyRights | rights::kFdFilestatGet | rights::kFdReaddir |
                                 rights::kPollFdReadwrite),
              Errno::kSuccess);
    EXPECT_EQ(s.ReadFile(kMount, "inside"), Errno::kSuccess);
    return s.WriteFile(kMount, "inside", 0);
  });
  add("OpenThatPassesOnMoreThanInherited", [](Sandbox& s) {
    const uint32_t d =
        s.guest().MustOpen(kMount, "d", {oflags::kDirectory, rights::kDirectory, kReadOnlyRights});
    uint32_t fd;
    return s.guest().Open(d, "e", {oflags::kDirectory, kReadOnlyRights, rights::kFdWrite}, fd);
  });
  add("OpenWithoutTheRight", [](Sandbox& s) {
    const uint32_t d =
        s.guest().MustOpen(kMount, "d", {oflags::kDirectory, rights::kFdReaddir, rights::kAll});
    return s.ReadFile(d, "e/deep");
  });
  add("CreateWithoutTheRight", [](Sandbox& s) {
    const uint32_t d =
        s.guest().MustOpen(kMount, "d", {oflags::kDirectory, rights::kPathOpen, rights::kAll});
    return s.WriteFile(d, "new", oflags::kCreat);
  });
  add("TruncateWithoutTheRight", [](Sandbox& s) {
    const uint32_t d =
        s.guest().MustOpen(kMount, "d/e", {oflags::kDirectory, rights::kPathOpen, rights::kAll});
    return s.WriteFile(d, "deep", oflags::kTrunc);
  });
  add("WriteWhatWasOpenedToRead",
      [](Sandbox& s) { return s.guest().Write(s.guest().MustOpen(kMount, "inside"), "harm"); });
  add("ReadWhatWasOpenedToWrite", [](Sandbox& s) {
    std::string bytes;
    return s.guest().Read(s.guest().MustOpen(kMount, "inside", {0, rights::kFdWrite}), 8, bytes);
  });
  add("AllocateWhatWasOpenedToRead", [](Sandbox& s) {
    return s.guest().Call("fd_allocate", s.guest().MustOpen(kMount, "inside"), 0, 100);
  });
  add("SetSizeOfWhatWasOpenedToRead", [](Sandbox& s) {
    return s.guest().Call("fd_filestat_set_size", s.guest().MustOpen(kMount, "inside"), 0);
  });
  add("SetSizeOfADirectory",
      [](Sandbox& s) { return s.guest().Call("fd_filestat_set_size", kMount, 0); });
  add("WriteToStandardInput", [](Sandbox& s) { return s.guest().Write(0, "harm"); });
  add("AcceptOnStandardInput",
      [](Sandbox& s) { return s.guest().Call("sock_accept", 0, 0, s.guest().Room(4)); });
  return table;
}

Table ReadOnlyMounts() {
  Table table;
  const auto add = [&](const char* name, std::function<Errno(Sandbox&)> run,
                       Errno expected = Errno::kRofs) {
    table.push_back({name, expected, std::move(run)});
  };
  add("OpenToWrite", [](Sandbox& s) { return s.WriteFile(kReadOnly, "kept", 0); });
  add("OpenToCreate", [](Sandbox& s) { return s.WriteFile(kReadOnly, "new", oflags::kCreat); });
  add("OpenToTruncate", [](Sandbox& s) {
    uint32_t fd;
    return s.guest().Open(kReadOnly, "kept", {oflags::kTrunc}, fd);
  });
  add("OpenInASubdirectory", [](Sandbox& s) {
    const uint32_t sub = s.guest().MustOpen(kReadOnly, "sub", WholeDirectory());
    return s.WriteFile(sub, "file", 0);
  });
  add("MakeDirectory",
      [](Sandbox& s) { return s.guest().Path("path_create_directory", kReadOnly, "new"); });
  add("RemoveDirectory",
      [](Sandbox& s) { return s.guest().Path("path_remove_directory", kReadOnly, "sub"); });
  add("Unlink", [](Sandbox& s) { return s.guest().Path("path_unlink_file", kReadOnly, "kept"); });
  add("Symlink", [](Sandbox& s) { return s.guest().Symlink("kept", kReadOnly, "new"); });
  add("Link", [](Sandbox& s) { return s.guest().Link(kReadOnly, "kept", kReadOnly, "new"); });
  add("LinkToAWritableMount",
      [](Sandbox& s) { return s.guest().Link(kReadOnly, "kept", kMount, "kept"); });
  add("LinkFromAWritableMount",
      [](Sandbox& s) { return s.guest().Link(kMount, "inside", kReadOnly, "inside"); });
  add("Rename", [](Sandbox& s) { return s.guest().Rename(kReadOnly, "kept", kReadOnly, "new"); });
  add("RenameToAWritableMount",
      [](Sandbox& s) { return s.guest().Rename(kReadOnly, "kept", kMount, "kept"); });
  add("RenameFromAWritableMount",
      [](Sandbox& s) { return s.guest().Rename(kMount, "inside", kReadOnly, "kept"); });
  add("SetTimes", [](Sandbox& s) { return s.guest().SetTimes(kReadOnly, "kept", true, 1, 1, 5); });
  add("SetTimesOfTheDirectory",
      [](Sandbox& s) { return s.guest().Call("fd_filestat_set_times", kReadOnly, 1, 1, 5); });
  // An open file: the rights it was opened without are gone for good.
  add(
      "SetTimesOfAnOpenFile",
      [](Sandbox& s) {
        Opening how;
        how.base |= rights::kFdFilestatSetTimes;
        return s.guest().Call("fd_filestat_set_times", s.guest().MustOpen(kReadOnly, "kept", how),
                              1, 1, 5);
      },
      kNo);
  return table;
}

// The memory of others is behind pointers that are out of bounds.
Table Pointers() {
  Table table;
  const auto add = [&](const char* name, std::function<Errno(Sandbox&)> run,
                       Errno expected = Errno::kFault) {
    table.push_back({name, expected, std::move(run)});
  };
  static constexpr auto kTransfer = [](Sandbox& s, const char* function, uint32_t at,
                                       uint32_t size) {
    const uint32_t fd = s.guest().MustOpen(kMount, "inside", {0, kReadWrite});
    return s.guest().Call(function, fd, s.guest().Iovecs({{at, size}}), 1, s.guest().Room(4));
  };
  add("WriteFromBeyondMemory",
      [](Sandbox& s) { return kTransfer(s, "fd_write", s.guest().size() - 4, 8); });
  add("ReadToBeyondMemory",
      [](Sandbox& s) { return kTransfer(s, "fd_read", s.guest().size() - 4, 8); });
  add("WriteFromTheLastAddress",
      [](Sandbox& s) { return kTransfer(s, "fd_write", 0xffffffff, 1); });
  add("SumWrapsAround", [](Sandbox& s) { return kTransfer(s, "fd_write", 0xfffffff0, 0x20); });
  add("EverythingAtOnce", [](Sandbox& s) { return kTransfer(s, "fd_write", 0, 0xffffffff); });
  add("HugeCountOfIovecs", [](Sandbox& s) {
    return s.guest().Call("fd_write", s.guest().MustOpen(kMount, "inside", {0, kReadWrite}), 1024,
                          0xffffffff, 1024);
  });
  add("IovecsThatWrapAround", [](Sandbox& s) {
    return s.guest().Call("fd_write", s.guest().MustOpen(kMount, "inside", {0, kReadWrite}),
                          0xfffffff8, 0x20000001, 1024);
  });
  add("IovecsAtTheEndOfMemory", [](Sandbox& s) {
    return s.guest().Call("fd_read", s.guest().MustOpen(kMount, "inside"), s.guest().size() - 8, 2,
                          1024);
  });
  add("PathBeyondMemory", [](Sandbox& s) {
    return s.guest().Call("path_unlink_file", kMount, s.guest().size() - 3, 4);
  });
  add("PathOfAllMemory",
      [](Sandbox& s) { return s.guest().Call("path_unlink_file", kMount, 16, 0xfffffff0); });
  add("RandomOverEverything",
      [](Sandbox& s) { return s.guest().Call("random_get", 0, 0xffffffff); });
  add("ReaddirOverEverything",
      [](Sandbox& s) { return s.guest().Call("fd_readdir", kMount, 0, 0xffffffff, 0, 1024); });
  add("PollOfMoreThanMemory",
      [](Sandbox& s) { return s.guest().Call("poll_oneoff", 1024, 1024, 65536, 1024); });
  add(
      "PollOfTooMany",
      [](Sandbox& s) { return s.guest().Call("poll_oneoff", 1024, 1024, 0xffffffff, 1024); },
      Errno::kInval);
  return table;
}

// What the host must neither wait for nor be led astray by.
Table SpecialFiles() {
  Table table;
  const auto add = [&](const char* name, Errno expected, std::function<Errno(Sandbox&)> run) {
    table.push_back({name, expected, std::move(run)});
  };
  static constexpr auto kFifo = [](Sandbox& s) {
    EXPECT_EQ(mkfifo((s.host() / "mount/fifo").c_str(), 0600), 0);
    return "fifo";
  };
  add("FifoToRead", Errno::kSuccess, [](Sandbox& s) { return s.ReadFile(kMount, kFifo(s)); });
  add("FifoToWrite", Errno::kNxio, [](Sandbox& s) {
    uint32_t fd;
    return s.guest().Open(kMount, kFifo(s), {0, rights::kFdWrite}, fd);
  });
  add("FifoAsADirectory", Errno::kNotDir, [](Sandbox& s) {
    uint32_t fd;
    return s.guest().Open(kMount, kFifo(s), WholeDirectory(), fd);
  });
  add("FifoInTheMiddle", Errno::kNotDir,
      [](Sandbox& s) { return s.ReadFile(kMount, std::string(kFifo(s)) + "/../inside"); });
  add("SocketNode", Errno::kNxio, [](Sandbox& s) {
    EXPECT_EQ(mknod((s.host() / "mount/socket").c_str(), S_IFSOCK | 0600, 0), 0);
    return s.ReadFile(kMount, "socket");
  });
  // Only root makes devices, and not where that is forbidden: there is nothing to try then.
  add("TerminalDeviceIsNotTaken", Errno::kNxio, [](Sandbox& s) {
    // /dev/tty: without a controlling terminal there is none to open; and it must not become ours.
    if (mknod((s.host() / "mount/tty").c_str(), S_IFCHR | 0600, makedev(5, 0)) != 0) {
      return Errno::kNxio;
    }
    const Errno error = s.ReadFile(kMount, "tty");
    return error == Errno::kSuccess || error == Errno::kPerm || error == Errno::kAcces
               ? Errno::kNxio
               : error;
  });
  add("DeviceAsADirectory", Errno::kNotDir, [](Sandbox& s) {
    if (mknod((s.host() / "mount/null").c_str(), S_IFCHR | 0600, makedev(1, 3)) != 0) {
      return Errno::kNotDir;
    }
    return s.ReadFile(kMount, "null/../inside");
  });
  return table;
}

// The guest holds directories that the host moves out of the mount.
Table MovedDirectories() {
  Table table;
  using Run = std::function<Errno(Sandbox&, uint32_t moved)>;
  const auto add = [&](const char* name, Errno expected, Run run) {
    table.push_back({name, expected, [run](Sandbox& s) {
                       const std::filesystem::path in(s.host() / "mount/d/e");
                       const std::filesystem::path out(s.Outside("dir/e"));
                       const auto written = std::filesystem::last_write_time(s.Outside("dir"));
                       const uint32_t fd = s.OpenDirectory("d/e");
                       std::filesystem::rename(in, out);
                       const Errno error = run(s, fd);
                       // All as it was, for the comparison with what was there before.
                       std::filesystem::rename(out, in);
                       std::filesystem::last_write_time(s.Outside("dir"), written);
                       return error;
                     }});
  };
  add("DotDotOfAMovedDirectory", kNo,
      [](Sandbox& s, uint32_t moved) { return s.ReadFile(moved, ".."); });
  add("CanaryBesideAMovedDirectory", kNo,
      [](Sandbox& s, uint32_t moved) { return s.ReadFile(moved, "../inner"); });
  add("CanaryAboveAMovedDirectory", kNo,
      [](Sandbox& s, uint32_t moved) { return s.ReadFile(moved, "../../canary"); });
  add("MakeDirectoryBesideAMovedDirectory", kNo, [](Sandbox& s, uint32_t moved) {
    return s.guest().Path("path_create_directory", moved, "../new");
  });
  add("RenameOutOfAMovedDirectory", kNo,
      [](Sandbox& s, uint32_t moved) { return s.guest().Rename(moved, "deep", moved, "../deep"); });
  add("PathOfAMovedDirectory", Errno::kNoEnt,
      [](Sandbox& s, uint32_t) { return s.ReadFile(kMount, "d/e/../../inside"); });
  return table;
}

FERMATA_ESCAPES(EscapeByDescriptor, Descriptors);
FERMATA_ESCAPES(EscapeByRights, RightsAndFlags);
FERMATA_ESCAPES(EscapeFromReadOnly, ReadOnlyMounts);
FERMATA_ESCAPES(EscapeByPointer, Pointers);
FERMATA_ESCAPES(EscapeBySpecialFile, SpecialFiles);
FERMATA_ESCAPES(EscapeByMovedDirectory, MovedDirectories);

}  // namespace
}  // namespace fermata::wasi

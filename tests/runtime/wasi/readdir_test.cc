// fd_readdir: struct dirent, cookies, buffers that are too small. Host's and virtual directories.
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/runtime/wasi/guest.h"

namespace fermata::wasi {
namespace {

struct Entry {
  uint64_t next, ino;
  FileType type;
};

class ReaddirTest : public WasiTest {
 protected:
  ReaddirTest() {
    Mount files{"/virtual", "", false, {}};
    for (int i = 0; i < 50; ++i) {
      folder.Write(absl::StrCat("name", i), "x");
      files.files[absl::StrCat("name", i)] = "x";
    }
    folder.MakeDirectory("sub");
    files.files["sub/file"] = "y";
    MountFolder();
    config.mounts.push_back(std::move(files));
  }

  // The host's and the virtual one.
  static std::vector<uint32_t> Mounts() {
    return HasHostDirectories() ? std::vector<uint32_t>{3, 4} : std::vector<uint32_t>{4};
  }

  // Reads on from `cookie` with a buffer of `size`; sets it to where to go on. False at the end.
  bool ReadSome(uint32_t fd, uint32_t size, uint64_t& cookie, std::map<std::string, Entry>& all) {
    Guest& g = guest();
    g.Release();
    const uint32_t buffer = g.Room(size), used_at = g.Room(4);
    EXPECT_EQ(g.Call("fd_readdir", fd, buffer, size, cookie, used_at), Errno::kSuccess);
    const uint32_t used = g.Load<uint32_t>(used_at);
    EXPECT_LE(used, size);
    EXPECT_EQ(g.Bytes(buffer + size, 8), std::string(8, '\xaa')) << "nothing beyond";
    uint32_t at = 0;
    while (at + 24 <= used) {
      const uint32_t name = g.Load<uint32_t>(buffer + at + 16);
      if (at + 24 + name > used) break;
      EXPECT_EQ(g.Bytes(buffer + at + 21, 3), std::string(3, '\0')) << "padding";
      cookie = g.Load<uint64_t>(buffer + at);
      const bool fresh =
          all.emplace(g.Bytes(buffer + at + 24, name),
                      Entry{cookie, g.Load<uint64_t>(buffer + at + 8),
                            static_cast<FileType>(g.Load<uint8_t>(buffer + at + 20))})
              .second;
      EXPECT_TRUE(fresh) << g.Bytes(buffer + at + 24, name);
      at += 24 + name;
    }
    return used == size;
  }
};
INSTANTIATE_TEST_SUITE_P(Modes, ReaddirTest, testing::ValuesIn(AllModes()), NameOfMode);

TEST_P(ReaddirTest, AnySizeOfBuffer) {
  for (const uint32_t fd : Mounts()) {
    for (const uint32_t size : {32u, 33u, 55u, 100u, 4096u, 65536u}) {
      SCOPED_TRACE(absl::StrCat(fd, " ", size));
      std::map<std::string, Entry> all;
      uint64_t cookie = 0;
      while (ReadSome(fd, size, cookie, all)) {
      }
      EXPECT_EQ(all.size(), 53u);
      FileStat stat;
      ASSERT_EQ(guest().Stat(fd, "name7", false, stat), Errno::kSuccess);
      EXPECT_EQ(all["name7"].ino, stat.ino);
      EXPECT_EQ(all["name7"].type, FileType::kRegularFile);
      ASSERT_EQ(guest().Stat(fd, "sub", false, stat), Errno::kSuccess);
      EXPECT_EQ(all["sub"].ino, stat.ino);
      EXPECT_EQ(all["sub"].type, FileType::kDirectory);
      ASSERT_EQ(guest().StatFd(fd, stat), Errno::kSuccess);
      EXPECT_EQ(all["."].ino, stat.ino);
      EXPECT_EQ(all[".."].ino, stat.ino);
    }
  }
}

// Every cookie leads to the entry after its own.
TEST_P(ReaddirTest, Cookies) {
  for (const uint32_t fd : Mounts()) {
    std::map<std::string, Entry> all;
    uint64_t cookie = 0;
    while (ReadSome(fd, 4096, cookie, all)) {
    }
    for (const auto& [name, entry] : all) {
      std::map<std::string, Entry> rest;
      cookie = entry.next;
      while (ReadSome(fd, 4096, cookie, rest)) {
      }
      EXPECT_EQ(rest.count(name), 0u) << name;
      EXPECT_LT(rest.size(), all.size());
    }
    std::map<std::string, Entry> none;
    cookie = 0;
    EXPECT_TRUE(ReadSome(fd, 0, cookie, none)) << "no room, nothing said";
    EXPECT_TRUE(ReadSome(fd, 23, cookie, none)) << "a piece of the first";
    EXPECT_TRUE(none.empty());
  }
  const uint32_t used = guest().Room(4);
  if (HasHostDirectories()) {
    EXPECT_EQ(guest().Call("fd_readdir", 3, 1024, 64, ~uint64_t{0}, used), Errno::kInval);
  }
  EXPECT_EQ(guest().Call("fd_readdir", 4, 1024, 64, ~uint64_t{0}, used), Errno::kSuccess);
  EXPECT_EQ(guest().Load<uint32_t>(used), 0u);
}

TEST_P(ReaddirTest, SeesWhatHasChanged) {
  if (!HasHostDirectories()) GTEST_SKIP() << "virtual directories never change";
  std::map<std::string, Entry> before, after;
  uint64_t cookie = 0;
  while (ReadSome(3, 4096, cookie, before)) {
  }
  EXPECT_EQ(guest().Path("path_unlink_file", 3, "name1"), Errno::kSuccess);
  guest().MustOpen(3, "another", Creating());
  cookie = 0;
  while (ReadSome(3, 4096, cookie, after)) {
  }
  EXPECT_EQ(before.count("name1") + after.count("another"), 2u);
  EXPECT_EQ(before.count("another") + after.count("name1"), 0u);
}

TEST_P(ReaddirTest, Types) {
  if (!HasHostDirectories()) GTEST_SKIP() << "virtual directories have no links";
  folder.Symlink("sub", "link");
  std::map<std::string, Entry> all;
  uint64_t cookie = 0;
  while (ReadSome(3, 4096, cookie, all)) {
  }
  EXPECT_EQ(all["link"].type, FileType::kSymbolicLink);
}

TEST_P(ReaddirTest, Pointers) {
  const uint32_t end = guest().size();
  EXPECT_EQ(guest().Call("fd_readdir", 3, end - 63, 64, 0, 1024), Errno::kFault);
  EXPECT_EQ(guest().Call("fd_readdir", 3, 1024, 64, 0, end - 3), Errno::kFault);
  EXPECT_EQ(guest().Call("fd_readdir", 3, end - 64, 64, 0, 1024), Errno::kSuccess);
}

}  // namespace
}  // namespace fermata::wasi

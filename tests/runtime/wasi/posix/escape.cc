#include "tests/runtime/wasi/posix/escape.h"

#include <sys/stat.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace fermata::wasi {

Sandbox::Sandbox(bool openat2) {
  host_.MakeDirectory("outside/dir");
  host_.Write("outside/canary", kCanary);
  host_.Write("outside/dir/inner", kCanary);
  host_.Symlink("canary", "outside/link");
  host_.MakeDirectory("mount/d/e");
  host_.Write("mount/inside", "inside");
  host_.Write("mount/d/e/deep", "deep");
  host_.MakeDirectory("readonly/sub");
  host_.Write("readonly/kept", "kept");
  host_.Write("readonly/sub/file", "file");
  Config config;
  config.use_openat2 = openat2;
  config.mounts.push_back({"/", host_ / "mount", false, {}});
  config.mounts.push_back({"/readonly", host_ / "readonly", true, {}});
  config.mounts.push_back({"/proc", "/proc", false, {}});
  guest_ = std::make_unique<Guest>(std::move(config), Answers::kBound);
}

Errno Sandbox::ReadFile(uint32_t dir, absl::string_view path, bool follow) {
  Opening how;
  how.follow = follow;
  uint32_t fd;
  const Errno error = guest().Open(dir, path, how, fd);
  if (error == Errno::kSuccess) {
    std::string bytes;
    guest().Read(fd, 4096, bytes);
    leaked_ |= absl::StrContains(bytes, kCanary);
    guest().Close(fd);
  }
  return error;
}

Errno Sandbox::WriteFile(uint32_t dir, absl::string_view path, uint32_t oflags, bool follow) {
  Opening how{oflags, kReadWrite, 0, 0, follow};
  uint32_t fd;
  const Errno error = guest().Open(dir, path, how, fd);
  if (error == Errno::kSuccess) {
    guest().Write(fd, "harm");
    guest().Close(fd);
  }
  return error;
}

std::map<std::string, std::string> Sandbox::Snapshot() const {
  std::map<std::string, std::string> found;
  for (const char* top : {"outside", "readonly"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(host_ / top)) {
      const std::string path = entry.path().string();
      struct stat s;
      if (lstat(path.c_str(), &s) != 0) continue;
      const std::string name = path.substr(host_.path().size() + 1);
      found[name] = absl::StrCat(s.st_mode, " ", s.st_ino, " ", s.st_nlink, " ", s.st_size, " ",
                                 s.st_mtim.tv_sec, ".", s.st_mtim.tv_nsec,
                                 S_ISREG(s.st_mode) ? host_.Read(name) : "");
    }
  }
  return found;
}

bool Sandbox::GuestKnowsCanary() {
  const std::string memory = guest().Bytes(0, guest().size());
  return leaked_ || absl::StrContains(memory, kCanary);
}

void PrintTo(const Attempt& attempt, std::ostream* out) { *out << attempt.name; }

std::string NameOfAttempt(const testing::TestParamInfo<std::tuple<Attempt, bool>>& info) {
  return absl::StrCat(std::get<0>(info.param).name,
                      std::get<1>(info.param) ? "_openat2" : "_walking");
}

void EscapeTest::Run() {
  const auto& [attempt, openat2] = GetParam();
  Sandbox sandbox(openat2);
  const auto before = sandbox.Snapshot();
  const std::filesystem::path top(sandbox.host().path());
  const Errno expected =
      openat2 ? attempt.expected : attempt.expected_walking.value_or(attempt.expected);
  EXPECT_EQ(attempt.run(sandbox), expected);
  EXPECT_FALSE(sandbox.GuestKnowsCanary());
  EXPECT_EQ(sandbox.Snapshot(), before);
  for (const auto& entry : std::filesystem::directory_iterator(top)) {
    const std::string name = entry.path().filename().string();
    EXPECT_TRUE(name == "outside" || name == "mount" || name == "readonly") << name;
  }
}

}  // namespace fermata::wasi

// Escapes by timing: the host moves directories in and out of the mount, or swaps them with links,
// while the guest opens paths through them. Whatever wins, the guest never meets the canary.
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <thread>

#include "tests/runtime/wasi/posix/escape.h"

namespace fermata::wasi {
namespace {

constexpr int kAttempts = 4000;

// Does something again and again on a thread of its own, until it is destroyed.
class Meanwhile {
 public:
  explicit Meanwhile(std::function<void()> work)
      : thread_([this, work = std::move(work)] {
          while (!done_) work();
        }) {}
  ~Meanwhile() {
    done_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> done_{false};
  std::thread thread_;
};

class EscapeByRace : public testing::TestWithParam<bool> {
 protected:
  EscapeByRace() : sandbox(GetParam()), outside(Names("outside")) {}

  // What there is, but for what the test itself moves there.
  std::set<std::string> Names(const std::string& folder) const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(sandbox.host() / folder)) {
      if (entry.path().filename() != "d") names.insert(entry.path().filename().string());
    }
    return names;
  }
  // The same path, which takes long enough in d for it to have moved meanwhile.
  static std::string Lingering(std::string path) {
    for (int i = 0; i < 300; ++i) path.insert(2, "e/../");
    return path;
  }
  // The directory d is now in the mount, now beside the canary.
  void Move() {
    const std::string in = sandbox.host() / "mount/d", out = sandbox.Outside("d");
    rename(in.c_str(), out.c_str());
    rename(out.c_str(), in.c_str());
  }
  // d is now a directory, now a link to the folder of the canary.
  void Swap() {
    const std::string d = sandbox.host() / "mount/d", l = sandbox.host() / "mount/l";
    syscall(SYS_renameat2, AT_FDCWD, d.c_str(), AT_FDCWD, l.c_str(), RENAME_EXCHANGE);
  }
  void Expect(Errno error) {
    // What the guest may see of the commotion. Nothing that it opens is the canary.
    static const std::set<Errno> kMay = {
        Errno::kSuccess, Errno::kNotCapable, Errno::kNoEnt, Errno::kNotDir,   Errno::kLoop,
        Errno::kAgain,   Errno::kInval,      Errno::kExist, Errno::kNotEmpty, Errno::kIsDir};
    EXPECT_TRUE(kMay.count(error)) << static_cast<int>(error);
  }
  void AfterAttempt(int i) {
    if (i % 100 == 0) {
      EXPECT_FALSE(sandbox.GuestKnowsCanary());
    }
    sandbox.guest().Release();
  }
  void ExpectNothingHappened() {
    EXPECT_FALSE(sandbox.GuestKnowsCanary());
    EXPECT_EQ(sandbox.host().Read("outside/canary"), kCanary);
    EXPECT_EQ(Names("outside"), outside);
  }

  Sandbox sandbox;
  std::set<std::string> outside;
};
INSTANTIATE_TEST_SUITE_P(Resolvers, EscapeByRace, testing::Bool(),
                         [](const auto& info) { return info.param ? "openat2" : "walking"; });

TEST_P(EscapeByRace, DotDotOfADirectoryThatMovesOut) {
  {
    Meanwhile moving([this] { Move(); });
    for (int i = 0; i < kAttempts && !HasFailure(); ++i) {
      const std::string kPaths[] = {"d/../canary", "d/e/../../canary", Lingering("d/../canary"),
                                    Lingering("d/../../canary")};
      Expect(sandbox.ReadFile(kMount, kPaths[i % 4]));
      AfterAttempt(i);
    }
  }
  ExpectNothingHappened();
}

TEST_P(EscapeByRace, DescriptorsOfADirectoryThatMovesOut) {
  {
    Meanwhile moving([this] { Move(); });
    for (int i = 0; i < kAttempts && !HasFailure(); ++i) {
      uint32_t d;
      if (sandbox.guest().Open(kMount, i % 2 ? "d" : "d/e", WholeDirectory(), d) ==
          Errno::kSuccess) {
        EXPECT_EQ(sandbox.ReadFile(d, i % 2 ? "../canary" : "../../canary"), Errno::kNotCapable);
        sandbox.guest().Close(d);
      }
      AfterAttempt(i);
    }
  }
  ExpectNothingHappened();
}

TEST_P(EscapeByRace, DirectoriesThatBecomeLinks) {
  sandbox.HostLink("../outside", "l");
  sandbox.host().Write("mount/d/canary", "harmless");
  {
    Meanwhile swapping([this] { Swap(); });
    for (int i = 0; i < kAttempts && !HasFailure(); ++i) {
      const char* const kPaths[] = {"d/canary", "l/canary", "d/./canary", "d/e/../canary"};
      Expect(sandbox.ReadFile(kMount, kPaths[i % 4]));
      AfterAttempt(i);
    }
  }
  ExpectNothingHappened();
}

TEST_P(EscapeByRace, FilesThatBecomeLinks) {
  sandbox.HostLink("../outside/canary", "l");
  std::filesystem::remove_all(sandbox.host() / "mount/d");
  sandbox.host().Write("mount/d", "harmless");
  {
    Meanwhile swapping([this] { Swap(); });
    for (int i = 0; i < kAttempts && !HasFailure(); ++i) {
      Expect(i % 3 == 0 ? sandbox.WriteFile(kMount, "d", oflags::kTrunc, i % 2)
                        : sandbox.ReadFile(kMount, "d", i % 2));
      AfterAttempt(i);
    }
  }
  ExpectNothingHappened();
}

TEST_P(EscapeByRace, ThingsMadeThroughDirectoriesThatMoveOrBecomeLinks) {
  sandbox.HostLink("../outside", "l");
  {
    Meanwhile commotion([this] {
      Swap();
      Move();
    });
    Guest& guest = sandbox.guest();
    for (int i = 0; i < kAttempts && !HasFailure(); ++i) {
      const char* const kPaths[] = {"d/../made", "d/made", "d/e/../../made"};
      const char* path = kPaths[i % 3];
      switch (i % 5) {
        case 0:
          Expect(guest.Path("path_create_directory", kMount, path));
          Expect(guest.Path("path_remove_directory", kMount, path));
          break;
        case 1:
          Expect(sandbox.WriteFile(kMount, path, oflags::kCreat));
          break;
        case 2:
          Expect(guest.Symlink("x", kMount, path));
          break;
        case 3:
          Expect(guest.Link(kMount, "inside", kMount, path));
          break;
        case 4:
          Expect(guest.Rename(kMount, "made", kMount, path));
          break;
      }
      guest.Path("path_unlink_file", kMount, path);
      guest.Release();
    }
  }
  ExpectNothingHappened();
}

}  // namespace
}  // namespace fermata::wasi

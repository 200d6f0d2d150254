// Attempts of a guest to leave its mounts, or to do more than it may.
//
// Each is one named row of a table: what it does, and the exact error that it must get, with either
// way to resolve paths. Whatever it does, afterwards nothing outside has changed or appeared, and
// no byte of the canary is in the guest's memory.
//
//   outside/canary  outside/dir/inner  outside/link    not the guest's
//   mount/inside  mount/d/e/deep                       descriptor kMount
//   readonly/kept  readonly/sub/file                   descriptor kReadOnly
//   /proc                                              descriptor kProc
#ifndef FERMATA_TESTS_RUNTIME_WASI_POSIX_ESCAPE_H_
#define FERMATA_TESTS_RUNTIME_WASI_POSIX_ESCAPE_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "tests/runtime/wasi/guest.h"

namespace fermata::wasi {

inline constexpr uint32_t kMount = 3, kReadOnly = 4, kProc = 5, kFirstFree = 6;
inline constexpr char kCanary[] = "the canary is alive 6c1f0e52";

class Sandbox {
 public:
  explicit Sandbox(bool openat2);
  Guest& guest() { return *guest_; }
  const Folder& host() const { return host_; }
  std::string Outside(absl::string_view name = "canary") const {
    return host_ / "outside/" + std::string(name);
  }

  // Opens and, should that succeed, reads (writes): for the checks to find.
  Errno ReadFile(uint32_t dir, absl::string_view path, bool follow = true);
  Errno WriteFile(uint32_t dir, absl::string_view path, uint32_t oflags, bool follow = true);
  // A link of the host's in the mount.
  void HostLink(absl::string_view target, absl::string_view name) {
    host_.Symlink(target, "mount/" + std::string(name));
  }
  uint32_t OpenDirectory(absl::string_view path) {
    return guest().MustOpen(kMount, path, WholeDirectory());
  }

  // What there is outside of the mounts, with contents and times; and the read-only mount.
  std::map<std::string, std::string> Snapshot() const;
  bool GuestKnowsCanary();  // or has known it

 private:
  Folder host_;
  std::unique_ptr<Guest> guest_;
  bool leaked_ = false;  // at any time: memory is used again
};

struct Attempt {
  const char* name;
  Errno expected;
  std::function<Errno(Sandbox&)> run;
  // Where only the walk knows why: otherwise `expected`.
  std::optional<Errno> expected_walking = std::nullopt;
};
void PrintTo(const Attempt& attempt, std::ostream* out);

class EscapeTest : public testing::TestWithParam<std::tuple<Attempt, bool>> {
 protected:
  void Run();
};
std::string NameOfAttempt(const testing::TestParamInfo<std::tuple<Attempt, bool>>& info);

// A suite of the attempts in `table`.
#define FERMATA_ESCAPES(Suite, table)                                                     \
  class Suite : public EscapeTest {};                                                     \
  TEST_P(Suite, Fails) { Run(); }                                                         \
  INSTANTIATE_TEST_SUITE_P(Attempts, Suite,                                               \
                           testing::Combine(testing::ValuesIn(table()), testing::Bool()), \
                           NameOfAttempt)

}  // namespace fermata::wasi

#endif  // FERMATA_TESTS_RUNTIME_WASI_POSIX_ESCAPE_H_

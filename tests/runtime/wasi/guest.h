// A guest whose every call the test makes: an instance of every_function.wat, whose exports pass
// their parameters on to the WASI functions of the same names. Structures are laid out in its
// memory by hand, as the witx definitions say, so that the tests check the layouts too.
#ifndef FERMATA_TESTS_RUNTIME_WASI_GUEST_H_
#define FERMATA_TESTS_RUNTIME_WASI_GUEST_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "fermata/wasi/process.h"
#include "runtime/wasi/descriptor.h"
#include "tests/support/files.h"

namespace fermata::wasi {

void PrintTo(Errno error, std::ostream* out);

// How the guest's calls reach the System.
enum class Answers {
  kBound,      // answered on its stack, where they can be
  kSuspended,  // each unwinds the guest, and is answered by System::Answer
  kImmediate,  // none can suspend: those that must wait block
};

struct Mode {
  Answers answers = Answers::kBound;
  bool openat2 = true;
};
void PrintTo(const Mode& mode, std::ostream* out);
std::string NameOfMode(const testing::TestParamInfo<Mode>& info);
// Calls answered at once and suspended; the same, with each way to resolve paths.
std::vector<Mode> BothAnswers();
std::vector<Mode> AllModes();

const ModuleInfo& GuestModule(Answers answers);
// The same for socket_functions.wat.
const ModuleInfo& SocketGuestModule(Answers answers);

// What path_open is given.
struct Opening {
  uint32_t oflags = 0;
  Rights base = rights::kFdRead | rights::kFdSeek | rights::kFdTell | rights::kFdFilestatGet |
                rights::kFdReaddir | rights::kPollFdReadwrite;
  Rights inheriting = 0;
  uint32_t fdflags = 0;
  bool follow = true;
};
inline constexpr Rights kReadWrite = rights::kFile;
// What directories are opened with to be used as fully as a mount.
inline Opening WholeDirectory() {
  return {oflags::kDirectory, rights::kDirectory, rights::kAll, 0, true};
}
inline Opening Creating(uint32_t more_oflags = 0, uint32_t fdflags = 0) {
  return {oflags::kCreat | more_oflags, kReadWrite, 0, fdflags, true};
}

class Guest {
 public:
  Guest(Config config, Answers answers) : Guest(std::move(config), answers, GuestModule(answers)) {}
  Guest(Config config, Answers answers, const ModuleInfo& module);
  ~Guest();

  // ---- Calls ----
  // To its end; fails the test if it waits. An argument is what the parameter's type makes of it.
  template <typename... A>
  Errno Call(absl::string_view function, A... arguments) {
    return ToEnd(Begin(function, {static_cast<uint64_t>(arguments)...}));
  }
  // Until it waits or ends; then Go().
  template <typename... A>
  Process::State Start(absl::string_view function, A... arguments) {
    return Begin(function, {static_cast<uint64_t>(arguments)...});
  }
  Process::State Go() { return process_->Run(); }
  Process::State state() const { return process_->state(); }
  bool waits() const { return state() == Process::State::kWaiting; }
  Errno result();  // of the call that has ended
  Process& process() { return *process_; }

  // ---- Memory ----
  // Places that are used up one after the other; Release gives them back.
  uint32_t Put(absl::string_view bytes);
  uint32_t Room(uint32_t size, uint8_t fill = 0xaa);
  uint32_t Iovecs(std::initializer_list<std::pair<uint32_t, uint32_t>> list);
  void Release() { top_ = kFirst; }
  uint32_t size();  // of the memory
  uint8_t* At(uint32_t address);
  std::string Bytes(uint32_t address, uint32_t size);
  template <typename T>
  T Load(uint32_t address) {
    T value = 0;
    for (size_t i = 0; i < sizeof value; ++i) {
      value = static_cast<T>(value | static_cast<T>(T{At(address)[i]} << (8 * i)));
    }
    return value;
  }
  template <typename T>
  void Store(uint32_t address, T value) {
    for (size_t i = 0; i < sizeof value; ++i) {
      At(address)[i] = static_cast<uint8_t>(value >> (8 * i));
    }
  }

  // ---- What most tests need ----
  Errno Open(uint32_t dir, absl::string_view path, const Opening& how, uint32_t& fd);
  // The descriptor, or ~0 and a failure of the test.
  uint32_t MustOpen(uint32_t dir, absl::string_view path, const Opening& how = {});
  Errno Close(uint32_t fd) { return Call("fd_close", fd); }
  Errno Read(uint32_t fd, uint32_t size, std::string& bytes);
  Errno Write(uint32_t fd, absl::string_view bytes, uint32_t* written = nullptr);
  // A function of a directory and a path: path_create_directory, path_unlink_file, …
  Errno Path(absl::string_view function, uint32_t dir, absl::string_view path);
  Errno Rename(uint32_t dir, absl::string_view path, uint32_t to, absl::string_view new_path);
  Errno Link(uint32_t dir, absl::string_view path, uint32_t to, absl::string_view new_path,
             bool follow = false);
  Errno Symlink(absl::string_view target, uint32_t dir, absl::string_view path);
  Errno ReadLink(uint32_t dir, absl::string_view path, std::string& target, uint32_t room = 4096);
  Errno Stat(uint32_t dir, absl::string_view path, bool follow, FileStat& stat);
  Errno StatFd(uint32_t fd, FileStat& stat);
  Errno SetTimes(uint32_t dir, absl::string_view path, bool follow, uint64_t access,
                 uint64_t modify, uint32_t flags);
  struct FdStat {
    FileType type;
    uint16_t flags;
    Rights base, inheriting;
  };
  FdStat MustFdStat(uint32_t fd);

 private:
  static constexpr uint32_t kFirst = 1024;
  Process::State Begin(absl::string_view function, const std::vector<uint64_t>& arguments);
  Errno ToEnd(Process::State state);
  FileStat LoadStat(uint32_t at);

  std::unique_ptr<Process> process_;
  uint32_t top_ = kFirst;
};

using testing_support::Folder;

// Whether mounts can be directories of the host: not on Windows.
bool HasHostDirectories();

// A guest with one mounted folder, descriptor 3, unless the test asks for more.
class WasiTest : public testing::TestWithParam<Mode> {
 protected:
  // Made at first use, of `config` and the mode.
  Guest& guest();
  virtual const ModuleInfo& module() const { return GuestModule(GetParam().answers); }
  bool openat2() const { return GetParam().openat2; }
  // Without directories of the host: the files that it has when the guest is made, in the program.
  void MountFolder(absl::string_view name = "/", bool read_only = false);

  Folder folder;
  Config config;
  static constexpr uint32_t kDir = 3;

 private:
  std::unique_ptr<Guest> guest_;
};

}  // namespace fermata::wasi

#endif  // FERMATA_TESTS_RUNTIME_WASI_GUEST_H_

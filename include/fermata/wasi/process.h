// WASI preview 1 (wasi_snapshot_preview1): the functions that most WebAssembly programs import.
//
// A System is what one guest program sees: arguments, environment, clocks, descriptors. Its calls
// never block the thread. A call that would block (a read of standard input, a sleep) suspends the
// guest, and the host resumes it when the wait is over.
//
// There are three ways to run a program, each a layer over the next:
//
//   RunToEnd(process)         blocks the thread in poll(2) while the guest waits
//   Process                   the same without a loop: Run() until it waits, wait() says for what
//   System::Answer(step, …)   for hosts with calls of their own: answers one op if it is WASI's
//
// For hosts on Asio there is fermata/wasi/asio.h; for other event loops use Process with
// fermata/wasi/wait_set.h.
//
// Capabilities: a guest reaches files only through the mounted directories. No path, link, rename
// or ".." leads out of one; such attempts get Errno::kNotCapable. A guest's pointers are checked;
// one that is out of bounds gets kFault. The guest reaches only those parts of the network that
// Config::network allows.
//
// One thread at a time uses a System, with the store of the instances that call it.
#ifndef FERMATA_WASI_PROCESS_H_
#define FERMATA_WASI_PROCESS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fermata/dynamic.h"
#include "fermata/needs_cxx20.h"
#include "fermata/wasi/network.h"
#include "fermata/wasi/stream.h"
#include "fermata/wasi/types.h"

namespace fermata::wasi {

// Time as a guest sees it.
class Clock {
 public:
  virtual ~Clock() = default;
  // The time in nanoseconds; kInval for a clock that isn't there.
  virtual Errno Now(ClockId id, uint64_t& time) = 0;
  virtual Errno Resolution(ClockId id, uint64_t& resolution) = 0;
  // Called when a guest waits until `time`. A clock that makes its own time jumps there and returns
  // true.
  virtual bool SkipTo(ClockId, uint64_t /*time*/) { return false; }
};

// The clocks of the system.
std::shared_ptr<Clock> HostClock();
// Starts at `start` (ns), advances by `step` ns each time it is read, and makes sleeps take no
// time. So the same program with the same input sees the same times.
std::shared_ptr<Clock> DeterministicClock(uint64_t start = 1'000'000'000'000'000'000,
                                          uint64_t step = 1000);
// Numbers that look random and are the same for the same seed. Not for secrets.
std::function<bool(absl::Span<uint8_t>)> DeterministicRandom(uint64_t seed);

// A directory that the guest finds open at start.
struct Mount {
  std::string guest;  // what the guest calls it: "/", "/data", "."
  std::string host;   // a directory of the host's; not on Windows: kUnimplemented
  bool read_only = false;
  // Instead of `host`: the contents of files, by their path within the mount. Read-only.
  std::map<std::string, std::string> files;
};

// What a program sees of the host.
struct Config {
  std::vector<std::string> args;         // args[0] is the program's name
  std::vector<std::string> env;          // "NAME=value"
  std::shared_ptr<Stream> in, out, err;  // descriptors 0 to 2; null: NullStream()
  // The three are the host process's own standard streams or files; `in`, `out`, `err` are ignored.
  bool inherit_stdio = false;
  std::vector<Mount> mounts;                        // descriptors 3, 4, …
  std::vector<std::shared_ptr<Stream>> sockets;     // the descriptors after those
  std::shared_ptr<Clock> clock;                     // null: HostClock()
  std::function<bool(absl::Span<uint8_t>)> random;  // null: the system's; false: kIo
  NetworkPolicy network;            // what the guest may connect to, listen on and resolve: nothing
  NameResolver resolve_name;        // null: the system's, by getaddrinfo(3)
  uint32_t max_descriptors = 1024;  // more: kMfile
  bool use_openat2 = true;  // where the kernel has it; else paths are walked one name at a time
};

// What a suspended call waits for: whichever of these comes first.
struct Wait {
  // A stream that it waits for.
  struct Source {
    std::shared_ptr<Stream> stream;
    bool write = false;  // else: until it can be read
  };
  std::vector<Source> sources;
  std::optional<uint64_t> deadline;  // ns of the host's monotonic clock (CLOCK_MONOTONIC)
  bool yield = false;                // for nothing: the guest lets others have a turn
};

// The state of one suspended call. It is kept by the code that answers it, and is empty at first.
struct Pending {
  Wait wait;
  // The rest is System's.
  bool begun = false;
  uint64_t progress = 0;
  std::vector<uint64_t> deadlines;
  std::shared_ptr<Stream> operation;  // what is done for the call elsewhere
};

struct SnapshotAccess;  // fermata/wasi/snapshot.h

class System {
 public:
  // Errors: a mount that is not a directory or can't be opened, a string with a NUL in it, a null
  // socket.
  static absl::StatusOr<std::unique_ptr<System>> Create(Config config);
  ~System();
  System(const System&) = delete;

  // Binds the imports of `info` that are WASI's. Calls that need not wait are answered without
  // unwinding. Those that can't suspend (IMMEDIATE imports) block if they have to wait. Imports
  // that are not bound become ops, which Answer answers all the same. The System must outlive the
  // instances.
  void Bind(const ModuleInfo& info, Imports& imports);
  // Whether a function import of this name is WASI's.
  static bool Provides(absl::string_view module, absl::string_view name);
  // The functions of wasi_snapshot_preview1 that never suspend, and so should be IMMEDIATE.
  static std::vector<std::string> ImmediateImports();

  enum class Progress {
    kAnswered,  // the step has run on
    kWaiting,   // for pending.wait; call again when it may be over
    kExited,    // the guest has called proc_exit: the step is cancelled
    kForeign,   // not this System's to answer (Answers), or the step isn't suspended
  };
  // Answers the op on which `step` is suspended. `pending` is empty the first time, and is passed
  // again until the op is answered, which empties it.
  Progress Answer(DynamicStep& step, Pending& pending);
  // Whether the op on which `step` is suspended is WASI's. An import that the host has bound to an
  // answering function of its own is the host's, even under one of WASI's names.
  bool Answers(const DynamicStep& step) const;

  // ---- Descriptors, while the guest runs ----
  // These are for hosts whose own imports open, accept or hand over something. The guest uses a
  // descriptor that it was given as if it had opened it itself: it reads and writes, waits for it
  // in poll_oneoff together with its other descriptors, and closes or renumbers it. The number is
  // the lowest that is free, as in POSIX. The host has to tell the guest the number. Errors:
  // kResourceExhausted if Config::max_descriptors are open, and those below.
  enum class Access : uint8_t { kRead, kWrite, kReadWrite };
  // Adds a stream: a socket or pipe (DescriptorStream, MemoryPipe), or one that the host
  // implements. A host that keeps a reference may go on using the stream together with the guest.
  // Event loops watch its native handle; if it has none, call Process::Wake when it becomes ready.
  // Error: a null stream.
  absl::StatusOr<uint32_t> Add(std::shared_ptr<Stream> stream, Access access = Access::kReadWrite);
  // Adds an open file or directory of the host, or any other descriptor. It belongs to the System
  // from then on, even after an error. The guest gets no access that `fd` itself lacks. For a
  // directory, `access` applies to the files below it. Errors: not open; kUnimplemented on Windows.
  absl::StatusOr<uint32_t> AddFile(int fd, Access access = Access::kReadWrite);
  // Adds a directory like those in Config::mounts. C libraries look for mounts when the program
  // starts, so most programs must be told the number of a later one. Errors: those of Create.
  absl::StatusOr<uint32_t> AddMount(Mount mount);
  // The stream of descriptor `fd`; null if that isn't open, or is a file or directory.
  std::shared_ptr<Stream> Find(uint32_t fd) const;
  // Take a descriptor from the guest, whoever opened it. Take returns its stream, and Remove drops
  // it. A call of the guest that waits for the descriptor is tried again (a Process is woken for
  // that), and gets kBadf, or uses whatever has that number by then. Errors: kNotFound if it is not
  // open; for Take also kFailedPrecondition if it is not a stream.
  absl::StatusOr<std::shared_ptr<Stream>> Take(uint32_t fd);
  absl::Status Remove(uint32_t fd);

  // Set once the guest has called proc_exit, to the number that it gave (or proc_raise: 128 + the
  // signal's number). The step that called it has trapped with Trap::kCancelled. If that was during
  // the start of an instance, Instantiate and Create return a kCancelled error.
  const std::optional<uint32_t>& exit_code() const;

  struct Impl;

 private:
  friend class Process;
  friend struct SnapshotAccess;
  System();
  std::unique_ptr<Impl> impl_;
};

// A WASI program in progress: an instance, its System, and one call.
class Process {
 public:
  // What a process is made with.
  struct Options {
    Config config;
    Limits limits;
    // Adds further imports, which are looked up before WASI's. Functions that neither provides
    // become ops. If one of these imports suspends, the host must answer it (kForeign), whatever
    // its name.
    std::function<absl::Status(StoreHandle&, Imports&)> imports;
    // Whether the "_initialize" of a reactor belongs to its start (DynamicInstance::Start).
    bool initialize = true;
    bool always_suspend = false;  // each call unwinds, even if its answer is ready
  };
  // Instantiates the module; no guest code runs yet. `info` must outlive the process.
  static absl::StatusOr<std::unique_ptr<Process>> Create(const ModuleInfo& info, Options options);
  ~Process();
  Process(const Process&) = delete;

  enum class State {
    kReady,     // nothing has been called yet
    kWaiting,   // on a WASI call: wait() says for what
    kForeign,   // on an import of the host's: answer step() by Resume or Throw, then Run()
    kPaused,    // interrupted, or out of fuel (step() says which): Run() continues
    kFinished,  // the call has returned: step().results()
    kExited,    // the guest has called proc_exit
    kTrapped,   // message() says why
  };
  // Makes a call of `export_name` the next thing to run. Without it a process calls "_start", or if
  // its module has a start function and no "_start", nothing but that. Before the first call the
  // instance starts: the start function and a reactor's "_initialize" run, which may suspend, trap
  // and exit as the call may. Errors: another call is under way, and those of
  // DynamicInstance::Call.
  absl::Status Begin(absl::string_view export_name, absl::Span<const Value> arguments);
  // Runs until the guest waits or is paused, or the call has ended. If the module can't be run (no
  // "_start", no start function), the state is kTrapped.
  State Run();
  // Makes the call under way fail: kTrapped with this message. No guest code runs. Calls Wake().
  void Abort(absl::string_view message);
  // To be called when what the guest waits for may be there: a stream without a native handle has
  // become ready, or a foreign op has been answered. It calls the function that was set last (null:
  // none), by which the event loop that runs the process learns that it should run it again. One
  // thread at a time may call it, as all else.
  void Wake();
  void SetWaker(std::function<void()> waker) { waker_ = std::move(waker); }
  State state() const { return state_; }
  const Wait& wait() const { return pending_.wait; }
  // The status with which a program that runs this one should exit. kExited: the guest's status, of
  // which the host's system keeps the lowest 8 bits; if these are 0 although the whole is not, it
  // is 255, as it would look like success otherwise. kTrapped: 134, as for a program that was
  // aborted. Otherwise 0.
  int exit_code() const;
  std::string message() const;
  // Where the call is, or was when it trapped. See backtrace.h.
  Backtrace backtrace() const { return step_.backtrace(); }

  DynamicStep& step() { return step_; }
  System& system() { return *system_; }
  DynamicInstance& instance() { return *instance_; }
  StoreHandle& store() { return *store_; }

 private:
  friend struct SnapshotAccess;
  Process() = default;
  absl::Status Instantiate(const ModuleInfo& info, Options& options);
  void Own(std::unique_ptr<System> system);
  // Binds what its instance imports, except for what Options::imports adds.
  static void BindImports(System& system, const ModuleInfo& info, const Options& options,
                          Imports& imports);
  State Next();
  bool Advance();  // answers one op; false if it waits, is foreign, or the call has ended
  bool OnlyStarts() const;
  State Ended();
  State Fail(const absl::Status& status);

  std::unique_ptr<System> system_;
  std::unique_ptr<StoreHandle> store_;
  DynamicInstance* instance_ = nullptr;
  DynamicStep step_;
  Pending pending_;
  State state_ = State::kReady;
  std::string failure_;
  enum class Phase { kStart = 0, kCall = 2 } phase_ = Phase::kStart;  // numbers: docs/abi.md
  std::string next_export_;
  std::vector<Value> next_arguments_;
  std::function<void()> waker_;
};

// Blocks until `wait` may be over and returns true. Returns false at once if it never will be (it
// waits only for streams without a native handle).
bool BlockFor(const Wait& wait);
// Runs a process to its end, to a foreign op, or until it is paused. With a deadline (ns of the
// host's monotonic clock) it also returns kWaiting if that passes while the guest waits. A process
// that waits for something that can never come traps.
Process::State RunToEnd(Process& process, std::optional<uint64_t> deadline = std::nullopt);

}  // namespace fermata::wasi

#endif  // FERMATA_WASI_PROCESS_H_

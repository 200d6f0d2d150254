// WASI preview 1 (wasi_snapshot_preview1): what most WebAssembly programs expect of their host.
//
// A System is what one guest program sees: arguments, environment, clocks, descriptors. Its calls
// never block the thread: one that would (a read of standard input, a sleep) suspends the guest,
// and the host goes on with it when that makes sense.
//
// Three ways to run a program, each a layer over the next:
//
//   RunToEnd(process)         blocks the thread in poll(2) while the guest waits
//   Process                   the same without a loop: Run() until it waits, wait() says for what
//   System::Answer(step, …)   for hosts with calls of their own: answers one op if it is WASI's
//
// asio programs: fermata/wasi/asio.h. Other event loops: Process, with fermata/wasi/wait_set.h.
//
// Capabilities: a guest reaches files only through the mounted directories. No path, link, rename
// or ".." leads out of one: such attempts get Errno::kNotCapable. A guest's pointers are checked:
// kFault. Of the network it reaches what Config::network allows.
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
  // Nanoseconds; kInval for a clock that isn't there.
  virtual Errno Now(ClockId id, uint64_t& time) = 0;
  virtual Errno Resolution(ClockId id, uint64_t& resolution) = 0;
  // A guest waits until `time`: a clock that makes its own time jumps there and says true.
  virtual bool SkipTo(ClockId, uint64_t /*time*/) { return false; }
};

std::shared_ptr<Clock> HostClock();
// Starts at `start`, advances by `step` ns at each look, and makes sleeps take no time. The same
// program on the same input sees the same times.
std::shared_ptr<Clock> DeterministicClock(uint64_t start = 1'000'000'000'000'000'000,
                                          uint64_t step = 1000);
// Numbers that look random and are the same for the same seed. Not for secrets.
std::function<bool(absl::Span<uint8_t>)> DeterministicRandom(uint64_t seed);

// A directory that the guest finds open at start.
struct Mount {
  std::string guest;  // what the guest calls it: "/", "/data", "."
  std::string host;   // a directory of the host's
  bool read_only = false;
  // Instead of `host`: files by their path within the mount, with their contents. Read-only.
  std::map<std::string, std::string> files;
};

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

// What a suspended call waits for: any of these.
struct Wait {
  struct Source {
    std::shared_ptr<Stream> stream;
    bool write = false;  // else: until it can be read
  };
  std::vector<Source> sources;
  std::optional<uint64_t> deadline;  // ns of the host's monotonic clock (CLOCK_MONOTONIC)
  bool yield = false;                // nothing: the guest lets others have a turn
};

// The state of one suspended call, kept by who answers it; empty before.
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
  // Errors: a mount that is not a directory or can't be opened, strings with a NUL in them, a null
  // socket.
  static absl::StatusOr<std::unique_ptr<System>> Create(Config config);
  ~System();
  System(const System&) = delete;

  // Binds the imports of `info` that are WASI's: calls are answered without unwinding when they can
  // be. Those that can't suspend (IMMEDIATE ones) block. Imports that are not bound become ops, and
  // are answered all the same. The system outlives the instances.
  void Bind(const ModuleInfo& info, Imports& imports);
  // Whether a function import of this name is WASI's.
  static bool Provides(absl::string_view module, absl::string_view name);
  // Functions of wasi_snapshot_preview1 that never suspend: worth being IMMEDIATE.
  static std::vector<std::string> ImmediateImports();

  enum class Progress {
    kAnswered,  // the step has run on
    kWaiting,   // for pending.wait; call again when it may be over
    kExited,    // the guest has called proc_exit: the step is cancelled
    kForeign,   // not this System's to answer (Answers), or the step isn't suspended
  };
  // Answers the op that `step` is suspended on. `pending` is empty at an op's first time and given
  // again until it is answered; it is emptied then.
  Progress Answer(DynamicStep& step, Pending& pending);
  // Whether the op that `step` is suspended on is WASI's. An import that the host has bound to an
  // answering function of its own is the host's, also under one of WASI's names.
  bool Answers(const DynamicStep& step) const;

  // ---- Descriptors, while the guest runs ----
  // For hosts with imports of their own that open, accept or hand over something. The guest uses
  // what it is given as if it had opened it itself: it reads and writes, waits for it in
  // poll_oneoff beside its other descriptors, closes or renumbers it. The number is the lowest that
  // is free, as in POSIX; how the guest learns of it is the host's business. Errors:
  // kResourceExhausted: Config::max_descriptors are open; and those below.
  enum class Access : uint8_t { kRead, kWrite, kReadWrite };
  // A stream: a socket or pipe (DescriptorStream, MemoryPipe), or one of the host's making. Whoever
  // keeps a share in it goes on using it beside the guest. Drivers watch its native handle; when
  // one without becomes ready, Process::Wake says so. Error: null.
  absl::StatusOr<uint32_t> Add(std::shared_ptr<Stream> stream, Access access = Access::kReadWrite);
  // An open file or directory of the host's, or any other descriptor of it. It belongs to the
  // System from then on, also after an error. The guest gets no access that `fd` itself lacks; in a
  // directory, `access` is that to the files below it. Error: not open.
  absl::StatusOr<uint32_t> AddFile(int fd, Access access = Access::kReadWrite);
  // A directory, as those of Config::mounts. C libraries look for these when the program starts, so
  // most programs must be told of the number. Errors: Create's.
  absl::StatusOr<uint32_t> AddMount(Mount mount);
  // The stream that is descriptor `fd`; null if that isn't open, or is a file or directory.
  std::shared_ptr<Stream> Find(uint32_t fd) const;
  // Takes a descriptor from the guest, whoever opened it; Take hands out the stream that it was,
  // Remove just drops it. A call of the guest that waits for it gets kBadf when it is tried again
  // (a Process is woken for that), or what is by then behind that number. Errors: kNotFound: not
  // open; Take: kFailedPrecondition: not a stream.
  absl::StatusOr<std::shared_ptr<Stream>> Take(uint32_t fd);
  absl::Status Remove(uint32_t fd);

  // Set once the guest has called proc_exit (or proc_raise: 128 + the signal's number), any number
  // as it was given. A step that called it has trapped with Trap::kCancelled; if that was in what
  // an instance starts with, Instantiate and Create return a kCancelled error.
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
  struct Options {
    Config config;
    Limits limits;
    // Further imports. They are looked up before WASI's; functions that neither has become ops. One
    // that suspends is the embedder's to answer (kForeign), whatever its name.
    std::function<absl::Status(StoreHandle&, Imports&)> imports;
    // Whether a reactor's "_initialize" belongs to its start (DynamicInstance::Start).
    bool initialize = true;
    bool always_suspend = false;  // each call unwinds, also one whose answer is ready
  };
  // Instantiates; no guest code runs yet. `info` outlives the process.
  static absl::StatusOr<std::unique_ptr<Process>> Create(const ModuleInfo& info, Options options);
  ~Process();
  Process(const Process&) = delete;

  enum class State {
    kReady,     // nothing has been called yet
    kWaiting,   // on a WASI call: wait() says for what
    kForeign,   // on an import of the embedder's: answer step() by Resume or Throw, then Run()
    kPaused,    // interrupted, or out of fuel (step() says which): Run() goes on
    kFinished,  // the call has returned: step().results()
    kExited,    // the guest has called proc_exit
    kTrapped,   // message() says why
  };
  // Calls `export_name` next. A process that is told nothing calls "_start", or, of a module
  // that has a start function and no "_start", nothing more than that. Before the first call
  // comes the instance's start: the start function and a reactor's "_initialize", which may
  // suspend, trap and exit as that call may. Errors: a call is under way, as
  // DynamicInstance::Call's.
  absl::Status Begin(absl::string_view export_name, absl::Span<const Value> arguments);
  // Runs until the guest waits or is paused, or the call has ended. A module that can't be run (no
  // "_start", no start function) traps.
  State Run();
  // Makes the call under way fail: kTrapped with this message. No guest code runs. Wakes.
  void Abort(absl::string_view message);
  // Says that what the guest waits for may be there: a stream without a native handle has become
  // ready, an answer to a foreign op has been given. Whoever runs the process in an event loop
  // learns of it by the function set last (null: nobody), and runs it again. One thread at a time,
  // as all else.
  void Wake();
  void SetWaker(std::function<void()> waker) { waker_ = std::move(waker); }
  State state() const { return state_; }
  const Wait& wait() const { return pending_.wait; }
  // What a program that runs this one should exit with. kExited: the guest's status, of which the
  // host's system keeps the lowest 8 bits; if these are 0 and the whole is not, which would look
  // like success, it is 255. kTrapped: 134, as for a program that was aborted. Else 0.
  int exit_code() const;
  std::string message() const;
  // Where the call is, or was when it trapped (backtrace.h).
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
  // What its instance imports, except for what Options::imports adds.
  static void BindImports(System& system, const ModuleInfo& info, const Options& options,
                          Imports& imports);
  State Next();
  bool Advance();  // answers one op; false: it waits, or nobody answers, or that was the end
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

// Blocks until `wait` may be over: true; false if it never will be (it waits for streams that only
// the embedder knows about).
bool BlockFor(const Wait& wait);
// Runs a process to its end, to a foreign op, or until it is paused; if there is a deadline (ns of
// the host's monotonic clock), it is kWaiting too if that comes while it waits. A process that
// waits for what never comes traps.
Process::State RunToEnd(Process& process, std::optional<uint64_t> deadline = std::nullopt);

}  // namespace fermata::wasi

#endif  // FERMATA_WASI_PROCESS_H_

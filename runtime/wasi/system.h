// What is behind wasi::System, and how its functions are written.
#ifndef FERMATA_RUNTIME_WASI_SYSTEM_H_
#define FERMATA_RUNTIME_WASI_SYSTEM_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "fermata/wasi/process.h"
#include "runtime/wasi/descriptor.h"
#include "runtime/wasi/guest_memory.h"

namespace fermata::wasi {

// A guest's descriptors by number.
class DescriptorTable {
 public:
  explicit DescriptorTable(uint32_t most) : most_(most) {}

  // kBadf: not open. kNotCapable: it is, but without one of the rights `needed`.
  Errno Get(uint32_t fd, Rights needed, Descriptor*& found) const;
  // The same, for a directory: kNotDir if it is something else.
  Errno GetDirectory(uint32_t fd, Rights needed, Directory*& found) const;
  bool full() const { return open_ >= most_; }
  // Gives it the lowest free number. kMfile: there are too many.
  Errno Add(std::unique_ptr<Descriptor> descriptor, uint32_t& fd);
  Errno Close(uint32_t fd);
  // `to` becomes what `from` is, which is then free.
  Errno Renumber(uint32_t from, uint32_t to);

  // For snapshots. All numbers that are or were in use are below size().
  uint32_t size() const { return static_cast<uint32_t>(table_.size()); }
  Descriptor* At(uint32_t fd) const { return fd < table_.size() ? table_[fd].get() : nullptr; }
  std::vector<std::unique_ptr<Descriptor>> TakeAll();
  // kMfile: there are too many. The number must be free.
  Errno Put(uint32_t fd, std::unique_ptr<Descriptor> descriptor);

 private:
  std::vector<std::unique_ptr<Descriptor>> table_;  // null: free
  uint32_t open_ = 0;
  uint32_t most_;
};

// A mounted directory. Errors: as System::Create's.
absl::StatusOr<std::unique_ptr<Directory>> OpenMount(Mount& mount, bool use_openat2);

// What can't be done with a thing that is only read, or only written.
inline Rights RightsWithout(System::Access access) {
  constexpr Rights kWritesData =
      rights::kFdWrite | rights::kFdAllocate | rights::kFdFilestatSetSize;
  return access == System::Access::kRead    ? kWritesData
         : access == System::Access::kWrite ? Rights{rights::kFdRead}
                                            : Rights{0};
}

// An open file, directory or other descriptor of the host, which is its owner's even after an error.
// Errors: as System::AddFile's; kUnimplemented: not on this system.
absl::StatusOr<std::unique_ptr<Descriptor>> TakeHostDescriptor(int fd, System::Access access,
                                                               bool use_openat2);

struct System::Impl {
  explicit Impl(Config c) : config(std::move(c)), descriptors(config.max_descriptors) {}

  Config config;
  DescriptorTable descriptors;
  std::optional<uint32_t> exit_code;
  std::function<void()> removed;  // told when the host has taken a descriptor away; may be null

  // Which of its memories the module that called last means: looked up by name once. (Not the
  // memory itself: instances come and go, also at the same address.)
  const ModuleInfo* memory_of = nullptr;
  uint32_t memory = 0;
  core::Memory* MemoryOf(DynamicInstance& instance);
};

// One call of a WASI function.
struct Call {
  System::Impl& system;
  GuestMemory memory;
  Pending* pending;  // null: the first attempt, on the guest's stack; it must not have half effects
};

// What a call came to: an error code for the guest, or nothing yet.
struct Result {
  enum Kind : uint8_t { kDone, kWait, kExit } kind = kDone;
  Errno error = Errno::kSuccess;
  Result(Errno error) : error(error) {}  // NOLINT: functions return error codes
  static Result Wait() { return Result(kWait); }
  static Result Exit() { return Result(kExit); }

 private:
  explicit Result(Kind kind) : kind(kind) {}
};

// Has the call wait for a stream; kAgain if there is nobody who could wait.
Result WaitFor(Call& call, std::shared_ptr<Stream> stream, bool write);
// The same for a descriptor's, as long as its timeouts allow: then `late`.
Result WaitFor(Call& call, StreamDescriptor& d, bool write, Errno late = Errno::kAgain);

// Receives into `buffers`, as sock_recv does with these flags (kReceiveFlags), which it may wait
// for; `size_at` has room. `truncated`: more of a datagram was there than room for it.
enum : uint32_t { kReceivePeek = 1, kReceiveAll = 2, kReceiveFlags = 3 };
Result Receive(Call& call, StreamDescriptor& d, const Buffers& buffers, uint32_t flags,
               uint32_t size_at, NetworkAddress* from, bool& truncated);

struct Function {
  absl::string_view name;
  Signature signature;
  bool may_wait;  // or end the guest: worth a suspension
  Result (*code)(Call& call, const uint64_t* arguments);
};

// All of wasi_snapshot_preview1 that is linked.
absl::Span<const Function> Functions();
const Function* FindFunction(absl::string_view name);
inline constexpr absl::string_view kModule = "wasi_snapshot_preview1";

// The parts of the table, one per file.
void AddEnvironmentFunctions(std::vector<Function>& table);
void AddDescriptorFunctions(std::vector<Function>& table);
void AddTransferFunctions(std::vector<Function>& table);
void AddPathFunctions(std::vector<Function>& table);
void AddPollFunctions(std::vector<Function>& table);
// WAMR's extension, docs/sockets.md.
void AddSocketFunctions(std::vector<Function>& table);
void AddSocketOptions(std::vector<Function>& table);
void AddNameFunctions(std::vector<Function>& table);

// Between a guest's structures and ours.
Errno StoreStat(const Call& call, uint32_t to, const FileStat& stat);
Errno ToTimes(uint64_t access, uint64_t modify, uint32_t flags, Times& times);

// ---- From a C++ function to a Function: its parameters' types are the signature. ----

template <typename T>
inline constexpr ValType kValType = sizeof(T) == 8 ? ValType::kI64 : ValType::kI32;

template <auto code, typename = decltype(code)>
struct Wrap;
template <auto code, typename... A>
struct Wrap<code, Result (*)(Call&, A...)> {
  static Result Run(Call& call, const uint64_t* arguments) {
    return Run(call, arguments, std::index_sequence_for<A...>());
  }
  template <size_t... I>
  static Result Run(Call& call, [[maybe_unused]] const uint64_t* arguments,
                    std::index_sequence<I...>) {
    return code(call, static_cast<A>(arguments[I])...);
  }
  static Function Make(absl::string_view name, bool may_wait = false) {
    return {name, {{kValType<A>...}, {ValType::kI32}}, may_wait, Run};
  }
};

// Small integers must be passed as such: anything above is an error, not cut off.
inline bool FitsFlags(uint32_t value, uint32_t all) { return (value & ~all) == 0; }

// Nanoseconds of the host's monotonic clock.
uint64_t HostMonotonic();

}  // namespace fermata::wasi

// Adds WAMR's extension. A program has it if its link asks for the symbol (`-u`), which whoever
// links Fermata::runtime does, and `fermata compile` for guests that import it: most have no need
// of it.
extern "C" void fermata_wasi_sockets(std::vector<fermata::wasi::Function>* table);

#endif  // FERMATA_RUNTIME_WASI_SYSTEM_H_

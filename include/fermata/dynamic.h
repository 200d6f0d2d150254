// The dynamic API: any translated module, its exports and imports looked up by name, values as
// tagged unions. The typed API (generated headers, step.h) is a thin layer over this one.
//
// Ownership: a StoreHandle owns its instances; memories, tables, globals, functions obtained from
// an instance stay valid as long as the store lives. A DynamicStep owns its activation's storage;
// of a call that is held when its store is destroyed nothing can come any more: the step has then
// trapped with Trap::kHost, "the call has outlived its store". One thread at a time uses a store;
// two are found out, if not always.
//
// Errors are values: absl::Status with the module, import or export named. Guests' traps are not
// errors of the API: a step that trapped says so.
#ifndef FERMATA_DYNAMIC_H_
#define FERMATA_DYNAMIC_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fermata/backtrace.h"
#include "fermata/core/module_info.h"
#include "fermata/interrupt.h"
#include "fermata/limits.h"
#include "fermata/needs_cxx20.h"
#include "fermata/trap.h"

namespace fermata {

namespace internal {
class Linker;
struct SnapshotAccess;
}  // namespace internal

using core::ExternKind;
using core::ModuleInfo;
using core::ValType;

// A value of any type: a tag and its bit pattern.
struct Value {
  ValType type = ValType::kI32;
  uint64_t low = 0;   // i32, f32 and references: the upper 32 bits are zero
  uint64_t high = 0;  // v128 only

  static Value I32(uint32_t v) { return {ValType::kI32, v}; }
  static Value I64(uint64_t v) { return {ValType::kI64, v}; }
  static Value F32(float v);
  static Value F64(double v);
  static Value FuncRef(core::ref handle) { return {ValType::kFuncRef, handle}; }
  static Value ExternRef(core::ref handle) { return {ValType::kExternRef, handle}; }
  static Value ExnRef(core::ref handle) { return {ValType::kExnRef, handle}; }
  static Value AnyRef(core::ref handle) { return {ValType::kAnyRef, handle}; }
  static Value V128(uint64_t low, uint64_t high) { return {ValType::kV128, low, high}; }
  uint32_t i32() const { return static_cast<uint32_t>(low); }
  uint64_t i64() const { return low; }
  float f32() const;
  double f64() const;
  core::ref ref() const { return static_cast<uint32_t>(low); }
};

struct Signature {
  std::vector<ValType> params;
  std::vector<ValType> results;
  bool operator==(const Signature& o) const { return params == o.params && results == o.results; }
};

class DynamicInstance;
class DynamicStep;
class StoreHandle;

// A view of a linear memory. Spans are checked against the current size and stay valid until the
// memory grows (under the reserved policy, and of shared memories: as long as the store lives).
class Memory {
 public:
  explicit Memory(core::Memory* memory) : memory_(memory) {}
  uint64_t size() const;  // in bytes; a shared memory may be growing
  uint64_t pages() const;
  uint8_t* data() const { return memory_->data; }
  // The bytes [address, address + size), or an empty span with data() == nullptr if any of them is
  // out of bounds.
  absl::Span<uint8_t> Span(uint64_t address, uint64_t size) const;
  // Grows by `delta` pages: the previous size in pages, or an error.
  absl::StatusOr<uint64_t> Grow(uint64_t delta);
  core::Memory* raw() const { return memory_; }

 private:
  core::Memory* memory_;
};

// A view of a table; elements as Values of the table's type.
class Table {
 public:
  Table(StoreHandle* store, core::Table* table) : store_(store), table_(table) {}
  uint32_t size() const { return table_->size; }
  ValType type() const { return table_->type; }
  absl::StatusOr<Value> Get(uint32_t index) const;
  absl::Status Set(uint32_t index, Value value);
  absl::StatusOr<uint32_t> Grow(uint32_t delta);
  core::Table* raw() const { return table_; }

 private:
  StoreHandle* store_;
  core::Table* table_;
};

struct Global {
  ValType type;
  bool mut;
  uint64_t* storage;  // 4 or 8 bytes are in use (16 for v128), by type
  Value Get() const;
  void Set(Value value);  // type must match
};

// The host's side of an immediate import: plain code called on the guest's stack. Arguments and
// results in slots, a v128 in two (low half first); the result's types are the import's. Returning
// anything but Trap::kNone traps the guest. It may call into guests again.
using HostFunction =
    std::function<Trap(absl::Span<const uint64_t> arguments, absl::Span<uint64_t> results)>;

// What an answering function came to: it has answered (the results are filled), or can't yet, or
// makes the guest trap.
struct HostReply {
  enum Kind : uint8_t { kAnswered, kSuspend, kTrap } kind = kAnswered;
  Trap trap = Trap::kNone;
  static HostReply Answered() { return {}; }
  static HostReply Suspend() { return {kSuspend}; }
  static HostReply Trapped(Trap trap) { return {kTrap, trap}; }
};

// The host's side of an import that is answered on the guest's stack, without unwinding it, when
// the answer is ready, and else becomes an op like any other: on HostReply::Suspend() the call
// suspends, and is answered by resuming it. `caller` is the instance whose import it is. An
// IMMEDIATE import must not suspend (it traps with Trap::kHost).
using AnsweringFunction = std::function<HostReply(
    DynamicInstance& caller, absl::Span<const uint64_t> arguments, absl::Span<uint64_t> results)>;

// What code that answers an import by itself (fermata/answering.h) is called with, in place of the
// importing instance. Its `host` is Extern::answering_host.
struct AnsweringImport : core::Instance {
  core::Instance* caller;     // the importing instance, to be passed to `suspend`
  core::AnyFunction suspend;  // makes the call an op; null: the import is IMMEDIATE
};

// What an import is bound to.
struct Extern {
  ExternKind kind = ExternKind::kFunction;
  core::Function function{};  // kFunction
  Signature signature;        // kFunction, kTag: the payload's types as parameters
  bool may_suspend = false;   // kFunction
  bool may_throw = false;     // kFunction: an exception may leave it
  core::Memory* memory = nullptr;
  core::LimitsInfo memory_limits{};  // kMemory: declared
  core::Table* table = nullptr;
  core::LimitsInfo table_limits{};  // kTable: declared
  Global global{};
  // kTable, kGlobal of references: what they may refer to, `type` being a canonical number.
  core::RefType ref{};
  uint32_t tag = 0;          // kTag: its number within the store
  AnsweringFunction answer;  // kFunction: bound to each import by itself; `function` is not used
  // kFunction: if not null, `function.code` is called with an AnsweringImport of each import.
  void* answering_host = nullptr;
  // Shared memories, which may be linked into several stores: a share in what is behind `memory`.
  std::shared_ptr<void> shared_memory;
  // The store it belongs to; null for functions that are bound to whichever instance imports them.
  const core::Store* store = nullptr;
  // Answering functions: whose they are, for DynamicStep::op_owner(); any address, or null.
  const void* owner = nullptr;
};

// Imports by (module, name). What is not listed: a function becomes an op (it suspends), unless the
// module was translated with it IMMEDIATE; anything else missing is an error that names it.
class Imports {
 public:
  void Add(absl::string_view module, absl::string_view name, Extern value);
  // An import that is answered at once whenever that is possible. `owner`: Extern::owner.
  void AddAnswering(absl::string_view module, absl::string_view name, const Signature& signature,
                    AnsweringFunction answer, const void* owner = nullptr);
  // Looked up last, for embedders that link by module name: all exports of `instance` under
  // `module`.
  void AddInstance(absl::string_view module, DynamicInstance* instance);
  const Extern* Find(absl::string_view module, absl::string_view name) const;

  // What core::Instance::host of the new instance is set to, before any of its code runs (the start
  // function too). The embedder's own; the typed API keeps the generated host interface there.
  void SetHost(void* host) { host_ = host; }
  void* host() const { return host_; }

  // How the new instance starts (DynamicInstance::Start). Without "_initialize": the embedder calls
  // it like any other export, or never does.
  void SetInitialize(bool initialize) { initialize_ = initialize; }
  bool initialize() const { return initialize_; }
  // Nothing of it runs before Start() is called, also what can't suspend. A trap or an exit of the
  // program is then that of a step, with its back trace, and not an error of Instantiate.
  void DeferStart() { start_deferred_ = true; }
  bool start_deferred() const { return start_deferred_; }

 private:
  void* host_ = nullptr;
  bool initialize_ = true;
  bool start_deferred_ = false;
  struct Entry {
    std::string module, name;
    Extern value;
  };
  std::vector<Entry> entries_;
};

// An exception that no guest caught.
struct Thrown {
  uint32_t tag;  // its number within the store: Extern::tag
  std::vector<Value> values;
};

// A call in progress: finished, suspended on an op, trapped, or paused between two instructions.
// Move-only.
class DynamicStep {
 public:
  DynamicStep();
  DynamicStep(DynamicStep&&) noexcept;
  DynamicStep& operator=(DynamicStep&&) noexcept;
  ~DynamicStep();  // a suspended call is cancelled: its frames are dropped, no guest code runs

  bool finished() const;
  bool suspended() const;
  bool trapped() const;
  // Pre-empted, between two instructions (only in modules translated with --preempt): because the
  // store was interrupted (interrupt.h), or because its fuel is used up.
  bool paused() const { return interrupted() || out_of_fuel(); }
  bool interrupted() const;
  bool out_of_fuel() const;

  // Finished: the results.
  absl::Span<const Value> results() const;
  // Trapped: the reason, and a message that names it ("integer divide by zero", or Throw's text).
  Trap trap() const;
  const std::string& message() const;
  // Trapped with Trap::kUncaughtException: the exception. Null otherwise, and if there was no room
  // to keep it (Limits::exceptions).
  const Thrown* exception() const;

  // Suspended: the import waited for, and its arguments (valid until the step changes).
  const core::ImportInfo& op() const;
  absl::string_view op_module() const;
  absl::string_view op_name() const;
  uint32_t op_import() const;            // index into ModuleInfo::imports of op_instance()'s module
  DynamicInstance* op_instance() const;  // the instance whose import it is
  const std::vector<Value>& op_arguments() const;
  // Whether the import is bound to an answering function, which has left the call to be resumed,
  // and that function's Extern::owner. Other imports that suspend are bound to nothing.
  bool op_bound() const;
  const void* op_owner() const;

  // Answers the op and runs on. Errors (and no effect): not suspended (which a call that is running
  // is not either), wrong count or types, a handle that names no function, a store in use by
  // another thread.
  absl::Status Resume(absl::Span<const Value> results);
  // Paused: runs on. A call that is out of fuel gets to its next check, if the store has got none
  // meanwhile. Errors: not paused, a store in use by another thread.
  absl::Status Continue();
  // The same, after giving the store `fuel` units more.
  absl::Status Refuel(uint64_t fuel);
  // Makes the call fail at the op, as a trap of kind kHost with this message.
  absl::Status Throw(absl::string_view message);
  // Suspended or paused: drops the frames; the step becomes trapped with Trap::kCancelled. No
  // guest code runs.
  void Cancel();

  // Bytes of frames held while suspended or paused, op frame included (a paused call has one too,
  // of 8 bytes).
  uint32_t frame_bytes() const;
  uint32_t depth() const;  // frames held, op frame included

  // The type of the function that was called; empty without a call.
  const Signature& signature() const;

  // Another step of the same call, from here on on its own: its frames are copied, while memories,
  // tables and globals stay shared. Costs its bytes. Errors: neither suspended nor paused; a start
  // function, which runs once.
  absl::StatusOr<DynamicStep> Clone() const;

  // Suspended, paused or trapped: where the call is, or was. See backtrace.h.
  Backtrace backtrace() const;

  // The activation itself, for use with the level 0 API; null unless suspended or paused.
  core::Activation* raw_activation();

 private:
  friend class StoreHandle;
  friend class DynamicInstance;
  friend struct internal::SnapshotAccess;
  struct State;
  bool held() const { return suspended() || paused(); }
  absl::Status Not(absl::string_view state) const;
  std::unique_ptr<State> state_;
};

class DynamicInstance {
 public:
  ~DynamicInstance();
  const ModuleInfo& info() const;
  StoreHandle* store() const;
  core::Instance* raw() const;

  // Calls an export. Errors: no such function, wrong argument types, it has still to start.
  absl::StatusOr<DynamicStep> Call(absl::string_view name, absl::Span<const Value> arguments);
  // An instance starts with its module's start function, if there is one, and then, if it is a WASI
  // reactor, "_initialize", which sets up its C library and global objects: an export of that name
  // that is a function without parameters and results, in a module that exports no function
  // "_start". (A module with both is a command: "_initialize" is then an export like others.) Each
  // runs once; a restored or forked instance has run them.
  //
  // Instantiate runs what can't suspend. If something is left, start_pending() says so, and Call
  // refuses; Start() runs the rest, as one call, which may suspend like any other. If it traps or
  // is cancelled, what has not finished is still pending.
  bool start_pending() const;
  absl::StatusOr<DynamicStep> Start();

  // Any export, ready to be an import of another instance. NotFound if there is none.
  absl::StatusOr<Extern> Find(absl::string_view name);
  absl::StatusOr<Memory> FindMemory(absl::string_view name);
  absl::StatusOr<Table> FindTable(absl::string_view name);
  absl::StatusOr<Global> FindGlobal(absl::string_view name);

  // Calls ModuleInfo::functions[function]: what Call does after looking the name up. The typed API
  // calls this way, so that a call costs no search.
  absl::StatusOr<DynamicStep> CallFunction(uint32_t function, absl::Span<const Value> arguments);

 private:
  friend class StoreHandle;
  friend class DynamicStep;
  friend class internal::Linker;
  friend struct internal::SnapshotAccess;
  struct State;
  std::unique_ptr<State> state_;
  DynamicInstance();
};

// Owns linked instances. Address-stable.
class StoreHandle {
 public:
  explicit StoreHandle(const Limits& limits = {});
  ~StoreHandle();
  StoreHandle(const StoreHandle&) = delete;

  // Links, instantiates and (if it can't suspend) starts. Errors: another ABI version, a missing or
  // mistyped import ("unknown import", "incompatible import type" with its name), no memory, a trap
  // during initialization (TrapOf; its writes to imported memories and tables stay); kCancelled: it
  // has ended the program while it started (wasi::System::exit_code()). The instance belongs to the
  // store.
  absl::StatusOr<DynamicInstance*> Instantiate(const ModuleInfo& info, const Imports& imports);

  // Calls any function value: a host's own call through a table. `null` and unknown handles are
  // errors.
  absl::StatusOr<DynamicStep> CallRef(core::ref function, absl::Span<const Value> arguments);
  absl::StatusOr<Signature> SignatureOf(core::ref function) const;

  // Host-made externs. A null `code` makes a function that suspends: an op whose module is "#host"
  // and whose name is `name`; it is usable in tables and as an import.
  absl::StatusOr<Extern> MakeFunction(absl::string_view name, const Signature& signature,
                                      HostFunction code);
  // Memories with 64-bit addresses or small pages are checked under every policy; a shared memory
  // may be linked into other stores too, used by other threads, and lives as long as any of them.
  absl::StatusOr<Extern> MakeMemory(const core::LimitsInfo& limits, core::MemoryPolicy policy);
  absl::StatusOr<Extern> MakeTable(ValType type, const core::LimitsInfo& limits);
  absl::StatusOr<Extern> MakeGlobal(Value value, bool mut);
  // An exception tag; the parameters are the payload's types, results are an error.
  absl::StatusOr<Extern> MakeTag(const Signature& signature);

  // Pauses the calls of this store; for any thread.
  Interrupter interrupter() const;
  // What is left of Limits::fuel, and a new amount. Only guests translated with --preempt=fuel use
  // any: a unit each time a loop jumps back, unless it is known to end soon, and at the beginning
  // of recursive functions. All calls of the store share it.
  uint64_t fuel() const;
  void SetFuel(uint64_t fuel);

  // In the order they were made, those that failed to start included.
  std::vector<DynamicInstance*> instances() const;

  core::Store* raw();

 private:
  friend class DynamicInstance;
  friend class DynamicStep;
  friend struct internal::SnapshotAccess;
  // Instantiates, but runs nothing.
  absl::StatusOr<DynamicInstance*> Link(const ModuleInfo& info, const Imports& imports);
  absl::Status StartAtOnce(DynamicInstance& instance);
  struct State;
  std::unique_ptr<State> state_;
};

// Why Instantiate (and Create of what is made with it) failed, if it was for a trap, in the
// initialization or in what runs at once of the start: its reason. kNone for all other statuses.
Trap TrapOf(const absl::Status& status);

// A module in a shared library built from generated code (which exports `fermata_module`). The
// library stays loaded for the life of the process.
absl::StatusOr<const ModuleInfo*> LoadModule(const std::string& path);

}  // namespace fermata

#endif  // FERMATA_DYNAMIC_H_

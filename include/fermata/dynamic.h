// The dynamic API: it works with any translated module, looks exports and imports up by name, and
// represents values as tagged unions. The typed API (generated headers, step.h) is a thin layer
// over it.
//
// Ownership: a StoreHandle owns its instances. Memories, tables, globals and functions that were
// obtained from an instance stay valid as long as the store lives. A DynamicStep owns its
// activation's storage. A call that is held when its store is destroyed can't run on: resuming or
// continuing the step is an error, and the step has then trapped with Trap::kHost, "the call has
// outlived its store". One thread at a time uses a store; use by two is often detected, but not
// always.
//
// Errors are values: an absl::Status that names the module, import or export. Traps of guests are
// not errors of the API; the step tells of them (DynamicStep::trapped).
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
struct StoreState;
struct SnapshotAccess;
struct ObjectsAccess;
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

// The type of a function.
struct Signature {
  std::vector<ValType> params;
  std::vector<ValType> results;
  bool operator==(const Signature& o) const { return params == o.params && results == o.results; }
};

class DynamicInstance;
class DynamicStep;
class StoreHandle;

// A view of a linear memory. Spans are checked against the current size and stay valid until the
// memory grows. Under the reserved policy, and in shared memories, they stay valid as long as the
// store lives.
class Memory {
 public:
  explicit Memory(core::Memory* memory) : memory_(memory) {}
  uint64_t size() const;  // in bytes; a shared memory may be growing
  uint64_t pages() const;
  uint8_t* data() const { return memory_->data; }
  // The bytes [address, address + size), or an empty span with data() == nullptr if any of them is
  // out of bounds.
  absl::Span<uint8_t> Span(uint64_t address, uint64_t size) const;
  // Grows by `delta` pages. Returns the previous size in pages, or an error.
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

// A global of an instance, or of the host's; it must not outlive the store.
struct Global {
  ValType type;
  bool mut;
  uint64_t* storage;  // 4 or 8 bytes are in use (16 for v128), by type
  Value Get() const;
  void Set(Value value);  // type must match
};

// The host's side of an immediate import: plain code that is called on the guest's native stack.
// Arguments and results are in slots, a v128 in two (low half first), and have the types of the
// import. If it returns anything but Trap::kNone, the guest traps. It may call guests.
using HostFunction =
    std::function<Trap(absl::Span<const uint64_t> arguments, absl::Span<uint64_t> results)>;

// What an answering function returns: it has answered (and filled in the results), has no answer
// yet, or makes the guest trap.
struct HostReply {
  enum Kind : uint8_t { kAnswered, kSuspend, kTrap } kind = kAnswered;
  Trap trap = Trap::kNone;
  static HostReply Answered() { return {}; }
  static HostReply Suspend() { return {kSuspend}; }
  static HostReply Trapped(Trap trap) { return {kTrap, trap}; }
};

// The host's side of an answering import. It is called on the guest's native stack. If the answer
// is ready, nothing is unwound. If it returns HostReply::Suspend(), the import becomes an op like
// any other: the call suspends, and is answered by resuming it. `caller` is the instance whose
// import it is. For an IMMEDIATE import it must not return Suspend() (the call then traps with
// Trap::kHost).
using AnsweringFunction = std::function<HostReply(
    DynamicInstance& caller, absl::Span<const uint64_t> arguments, absl::Span<uint64_t> results)>;

// What the code of an answering import (fermata/answering.h) is called with, in place of the
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
  core::SizeLimitsInfo memory_limits{};  // kMemory: declared
  core::Table* table = nullptr;
  core::SizeLimitsInfo table_limits{};  // kTable: declared
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

// Imports by module and name. A function that is not listed becomes an op (calls of it suspend),
// unless the module was translated with it IMMEDIATE. Any other import that is not listed is an
// error that names it.
class Imports {
 public:
  void Add(absl::string_view module, absl::string_view name, Extern value);
  // An answering import. `owner`: Extern::owner.
  void AddAnswering(absl::string_view module, absl::string_view name, const Signature& signature,
                    AnsweringFunction answer, const void* owner = nullptr);
  // Adds all exports of `instance` under the name `module`. They are looked up last.
  void AddInstance(absl::string_view module, DynamicInstance* instance);
  const Extern* Find(absl::string_view module, absl::string_view name) const;

  // What core::Instance::host of the new instance is set to, before any of its code runs (the start
  // function too). It is free for the host's use, except that the typed API keeps the generated
  // host interface there.
  void SetHost(void* host) { host_ = host; }
  void* host() const { return host_; }

  // Whether "_initialize" belongs to the start of the new instance (DynamicInstance::Start). If
  // not, the host may call it like any other export.
  void SetInitialize(bool initialize) { initialize_ = initialize; }
  bool initialize() const { return initialize_; }
  // Nothing of the start runs before Start() is called, even if it can't suspend. A trap or an exit
  // of the program is then that of a step, with a back trace, and not an error of Instantiate.
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

// A call as the host holds it: finished, suspended on an op, trapped, or paused between two
// instructions. Move-only.
class DynamicStep {
 public:
  DynamicStep();
  DynamicStep(DynamicStep&&) noexcept;
  DynamicStep& operator=(DynamicStep&&) noexcept;
  ~DynamicStep();  // a suspended call is cancelled: its frames are dropped, no guest code runs

  bool finished() const;
  bool suspended() const;
  bool trapped() const;
  // Left at a check (only in modules translated with --preempt): because the store was interrupted
  // (interrupt.h), or because it is out of fuel.
  bool paused() const { return interrupted() || out_of_fuel(); }
  bool interrupted() const;
  bool out_of_fuel() const;

  // Finished: the results.
  absl::Span<const Value> results() const;
  // Trapped: the reason, and a message that names it ("integer divide by zero", or Throw's text).
  Trap trap() const;
  const std::string& message() const;
  // Trapped with Trap::kUncaughtException: the exception. Null if the step has not, or if there was
  // no room to keep the exception (Limits::exceptions).
  const Thrown* exception() const;

  // Suspended: the import that the call waits for, and its arguments (valid until the step
  // changes).
  const core::ImportInfo& op() const;
  absl::string_view op_module() const;
  absl::string_view op_name() const;
  uint32_t op_import() const;            // index into ModuleInfo::imports of op_instance()'s module
  DynamicInstance* op_instance() const;  // the instance whose import it is
  const std::vector<Value>& op_arguments() const;
  // Whether the arguments have been asked for since a collection of objects may have changed them.
  bool op_is_decoded() const;
  // Whether the import is bound to an answering function, which had no answer yet; and that
  // function's Extern::owner. Other imports that suspend are bound to nothing.
  bool op_bound() const;
  const void* op_owner() const;

  // Answers the op with these results and runs the guest on. Errors, which change nothing: not
  // suspended (nor is a call that is running), wrong number or types of results, a handle that
  // names no function, a store in use by another thread.
  absl::Status Resume(absl::Span<const Value> results);
  // Paused: runs the call on. If it is out of fuel and the store has not been given any since, it
  // gets as far as its next check. Errors: not paused, a store in use by another thread.
  absl::Status Continue();
  // The same, after giving the store `fuel` units more.
  absl::Status Refuel(uint64_t fuel);
  // Makes the call fail at its op: it traps with Trap::kHost and this message.
  absl::Status Throw(absl::string_view message);
  // Makes the op throw an exception, which guests may catch. `tag`: Extern::tag; `values`: its
  // payload. Errors, which change nothing: not suspended, an unknown tag, wrong values.
  absl::Status Throw(uint32_t tag, absl::Span<const Value> values);
  // Suspended or paused: drops the frames. The step has then trapped with Trap::kCancelled. No
  // guest code runs.
  void Cancel();

  // Bytes of frames held while suspended or paused, op frame included (a paused call has one too,
  // of 8 bytes).
  uint32_t frame_bytes() const;
  uint32_t depth() const;  // frames held, op frame included

  // The type of the function that was called; empty if there is no call.
  const Signature& signature() const;

  // A second step of the same call, which from now on runs independently: the frames are copied,
  // while memories, tables and globals stay shared. Errors: neither suspended nor paused; the call
  // is a start, which runs only once.
  absl::StatusOr<DynamicStep> Clone() const;

  // Suspended, paused or trapped: where the call is, or was. See backtrace.h.
  Backtrace backtrace() const;

  // The activation itself, for use with the core API (core/abi.h); null unless suspended or paused.
  core::Activation* raw_activation();

  // For the typed API, which knows the types of arguments and results.
  struct RawOp {
    uint32_t function = ~0u;             // of the module that is imported; ~0: none of its
    const uint8_t* arguments = nullptr;  // slots of 8 bytes (core/frame.h), until the step changes
  };
  RawOp op_of(const ModuleInfo& module) const;
  // As Resume, with slots: those of an op whose results are numbers and vectors only. The op of
  // `module` that the call is suspended on then. An error goes to `status`, which is OK before.
  RawOp ResumeWithSlots(absl::Span<const uint64_t> slots, const ModuleInfo& module,
                        absl::Status& status);

 private:
  friend class StoreHandle;
  friend class DynamicInstance;
  friend struct internal::SnapshotAccess;
  friend struct internal::ObjectsAccess;
  struct State;
  bool held() const { return suspended() || paused(); }
  absl::Status Not(absl::string_view state) const;
  std::unique_ptr<State> state_;
};

// An instance of a module, by whose names it is used. It belongs to its store.
class DynamicInstance {
 public:
  ~DynamicInstance();
  const ModuleInfo& info() const;
  StoreHandle* store() const;
  core::Instance* raw() const;

  // Calls an export. Errors: no such function, wrong argument types, an instance that has still to
  // start.
  absl::StatusOr<DynamicStep> Call(absl::string_view name, absl::Span<const Value> arguments);
  // An instance starts by running its module's start function, if there is one, and then, if the
  // module is a WASI reactor, "_initialize", which sets up its C library and global objects. A
  // reactor is a module that exports a function "_initialize" without parameters and results, and
  // no function "_start". (A module with both is a command; its "_initialize" is an export like
  // others.) Each of the two runs once; a restored or forked instance has run them.
  //
  // Instantiate runs those that can't suspend. If one is left, start_pending() is true and Call is
  // an error. Start() then runs the rest as one call, which may suspend like any other. If it traps
  // or is cancelled, whatever has not finished is still pending.
  bool start_pending() const;
  absl::StatusOr<DynamicStep> Start();

  // Any export, ready to be an import of another instance. kNotFound if there is none.
  absl::StatusOr<Extern> Find(absl::string_view name);
  absl::StatusOr<Memory> FindMemory(absl::string_view name);
  absl::StatusOr<Table> FindTable(absl::string_view name);
  absl::StatusOr<Global> FindGlobal(absl::string_view name);

  // Calls ModuleInfo::functions[function], as Call does after looking up the name. The typed API
  // uses this, so that a call costs no search.
  absl::StatusOr<DynamicStep> CallFunction(uint32_t function, absl::Span<const Value> arguments);

 private:
  friend class StoreHandle;
  friend class DynamicStep;
  friend class internal::Linker;
  friend struct internal::StoreState;
  friend struct internal::SnapshotAccess;
  friend struct internal::ObjectsAccess;
  struct State;
  std::unique_ptr<State> state_;
  DynamicInstance();
};

// Owns instances that may be linked with each other. They stay at their addresses.
class StoreHandle {
 public:
  explicit StoreHandle(const Limits& limits = {});
  ~StoreHandle();
  StoreHandle(const StoreHandle&) = delete;

  // Links and instantiates a module, and starts the instance if its start can't suspend. The
  // instance belongs to the store. Errors: another ABI version; a missing or mistyped import
  // ("unknown import", "incompatible import type" with its name); no memory; a trap during
  // initialization (TrapOf; what it has written to imported memories and tables stays); kCancelled
  // if the start has ended the program (wasi::System::exit_code()).
  absl::StatusOr<DynamicInstance*> Instantiate(const ModuleInfo& info, const Imports& imports);

  // Calls the function that a handle names, for example one from a table. Null and unknown handles
  // are errors.
  absl::StatusOr<DynamicStep> CallRef(core::ref function, absl::Span<const Value> arguments);
  absl::StatusOr<Signature> SignatureOf(core::ref function) const;
  // The payload of an exception tag, as parameters. Error: there is no such tag.
  absl::StatusOr<Signature> SignatureOfTag(uint32_t tag) const;

  // Externs that the host makes. A null `code` makes a function that suspends: an op whose module
  // is "#host" and whose name is `name`. It can be put into tables and be an import.
  absl::StatusOr<Extern> MakeFunction(absl::string_view name, const Signature& signature,
                                      HostFunction code);
  // Memories with 64-bit addresses or small pages are checked under every policy. A shared memory
  // may also be linked into other stores, which other threads use, and lives as long as any of
  // them.
  absl::StatusOr<Extern> MakeMemory(const core::SizeLimitsInfo& limits, core::MemoryPolicy policy);
  absl::StatusOr<Extern> MakeTable(ValType type, const core::SizeLimitsInfo& limits);
  absl::StatusOr<Extern> MakeGlobal(Value value, bool mut);
  // An exception tag. The parameters are the types of its payload; results are an error.
  absl::StatusOr<Extern> MakeTag(const Signature& signature);

  // Interrupts this store, from any thread.
  Interrupter interrupter() const;
  // The fuel that is left of Limits::fuel; and a new amount. Only guests translated with
  // --preempt=fuel use any: a unit each time a loop jumps back, unless it is known to end soon, and
  // at the beginning of recursive functions. All calls of the store share the fuel.
  uint64_t fuel() const;
  void SetFuel(uint64_t fuel);

  // In the order in which they were made, including those that failed to start.
  std::vector<DynamicInstance*> instances() const;

  core::Store* raw();

 private:
  friend class DynamicInstance;
  friend class DynamicStep;
  friend struct internal::SnapshotAccess;
  friend struct internal::ObjectsAccess;
  // Instantiates, but runs nothing.
  absl::StatusOr<DynamicInstance*> Link(const ModuleInfo& info, const Imports& imports);
  absl::Status StartAtOnce(DynamicInstance& instance);
  struct State;
  std::unique_ptr<State> state_;
};

// If Instantiate, or a Create that is built on it, failed because of a trap, in the initialization
// or in a start that ran at once: the trap. kNone for all other statuses.
Trap TrapOf(const absl::Status& status);

// Loads a module from a shared library that was built from generated code (it exports
// `fermata_module`). The library stays loaded for the life of the process.
absl::StatusOr<const ModuleInfo*> LoadModule(const std::string& path);

}  // namespace fermata

#endif  // FERMATA_DYNAMIC_H_

// What is behind the handles of fermata/dynamic.h.
#ifndef FERMATA_RUNTIME_HOST_STATE_H_
#define FERMATA_RUNTIME_HOST_STATE_H_

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "fermata/dynamic.h"
#include "runtime/heap/heap.h"
#include "runtime/host/exceptions.h"
#include "runtime/host/types.h"
#include "runtime/storage/storage.h"

namespace fermata::internal {

// The code for one function type, taken from the first module that has it.
struct TypeCode {
  core::Invoke invoke = nullptr;
  core::AnyFunction host = nullptr;
};

struct StoreState;

// A host-made function: the instance that FuncType::host code is called with.
struct HostFunctionInstance : core::HostInstance {
  StoreState* state;
  std::string name;
  Signature signature;
  uint32_t param_slots, result_slots;
  HostFunction code;    // null: suspends
  uint32_t site = 0;    // suspending ones: number in HostModule::sites
  std::string letters;  // suspending ones: SiteDetail::slots
  core::ref handle = 0;
};

// What suspending host functions push their op frames under.
struct HostModule {
  core::Instance instance{};
  ModuleInfo module{};
  std::vector<core::ImportInfo> imports;
  std::vector<core::SiteInfo> sites;
  std::vector<uint16_t> words;
  std::vector<core::SiteDetail> details;
  std::vector<HostFunctionInstance*> by_site;
};

// An import bound to a function that answers at once if it can (AnsweringFunction).
struct AnsweringInstance : core::HostInstance {
  DynamicInstance* caller;
  AnsweringFunction answer;
  uint32_t param_slots, result_slots;
  uint32_t site;   // of the import's op frames
  bool immediate;  // it can't suspend
};

// Storage of a host-made global; generated code loads a v128 from it with one instruction.
struct alignas(16) GlobalCell {
  uint64_t words[2];
  ValType type;
  bool mut;
};

// What there is of a call: what a collection looks at.
struct CallState {
  static constexpr uint32_t kNotListed = 0xffffffff;
  enum class Phase : uint8_t {
    kEmpty,
    kRunning,
    kFinished,
    kSuspended,
    kTrapped,
    kOutOfFuel,
    kInterrupted
  };
  struct Failure {
    std::string message;
    std::optional<Thrown> thrown;  // Trap::kUncaughtException
  };
  Phase phase = Phase::kEmpty;
  mutable bool decoded = false;  // the op
  core::Activation activation{};
  mutable std::vector<Value> values;     // kFinished: the results; kSuspended: the op's arguments
  std::unique_ptr<Failure> failure;      // kTrapped
  uint32_t place_in_store = kNotListed;  // among the calls of the StoreLink
  uint32_t place_among_ran = kNotListed;

  bool held() const {
    return phase == Phase::kSuspended || phase == Phase::kOutOfFuel || phase == Phase::kInterrupted;
  }
};

// By which calls know their store: it is there as long as either is, so that a call which outlives
// its store finds out. Calls may end on any thread.
class StoreLink {
 public:
  explicit StoreLink(StoreState* store) : store_(store) {}
  StoreLink(const StoreLink&) = delete;
  // Null: the store is gone.
  StoreState* store() const { return store_.load(std::memory_order_relaxed); }
  void Cut() {
    store_.store(nullptr, std::memory_order_relaxed);
    Release();
  }
  void Keep() { users_.fetch_add(1, std::memory_order_relaxed); }

  // The calls whose frames or results may hold references to objects.
  void AddCall(CallState& call);
  void RemoveCall(CallState& call);
  // Of these, those that have run since the last collection.
  void NoteRun(CallState& call);
  template <class Look>
  void ForEachThatRan(Look&& look) {
    std::lock_guard<std::mutex> lock(mutex_);
    for (CallState* call : ran_) look(*call);
  }
  void ForgetThoseThatRan() {
    std::lock_guard<std::mutex> lock(mutex_);
    for (CallState* call : ran_) call->place_among_ran = CallState::kNotListed;
    ran_.clear();
  }
  template <class Look>
  void ForEachCall(Look&& look) {
    std::lock_guard<std::mutex> lock(mutex_);
    for (CallState* call : calls_) look(*call);
  }
  // References that the host keeps, by their places.
  uint32_t Keep(Value reference);
  Value KeptAt(uint32_t place);
  void Drop(uint32_t place);
  template <class Look>
  void ForEachKept(Look&& look) {
    std::lock_guard<std::mutex> lock(mutex_);
    for (Value& value : kept_) look(value);
  }
  void Release() {
    if (users_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 private:
  ~StoreLink() = default;
  std::atomic<StoreState*> store_;
  std::atomic<uint64_t> users_{1};  // the store is one
  std::mutex mutex_;
  std::vector<CallState*> calls_;  // in no order
  std::vector<CallState*> ran_;    // in no order
  std::vector<Value> kept_;
  std::vector<uint32_t> free_kept_;  // places
};

struct StoreState {
  StoreState() = default;
  StoreState(const StoreState&) = delete;
  ~StoreState() { link->Cut(); }

  StoreHandle* handle = nullptr;
  StoreLink* const link = new StoreLink(this);
  std::atomic<core::Context*> user{nullptr};  // of the thread that is using the store
  core::HeapStore store{};
  Limits limits;
  std::shared_ptr<uint32_t> interrupt = std::make_shared<uint32_t>(0);  // store.interrupt
  std::vector<core::Instance*> instances;                               // by index
  // Those whose initialization trapped before their globals and tables had values. Nothing refers to
  // their functions, and nothing may: only in what was restored are there any.
  absl::flat_hash_set<const core::Instance*> unusable;
  std::vector<DynamicInstance*> dynamic;  // by index; null: the host's pseudo-instance
  std::vector<core::Function> functions;  // by handle - 1
  std::vector<bool> may_suspend;          // by handle - 1
  std::vector<bool> may_throw;            // by handle - 1
  std::vector<uint32_t> tags;             // canonical types, by tag number
  Exceptions exceptions;
  absl::flat_hash_map<uint32_t, TypeCode> types;  // by canonical type
  uint32_t max_results = 1;  // most slots of any parameters, results or payload in the store
  std::vector<std::unique_ptr<DynamicInstance>> owned;
  std::vector<std::shared_ptr<MemoryStorage>> memories;
  std::vector<std::unique_ptr<TableStorage>> tables;
  std::vector<std::unique_ptr<GlobalCell>> globals;
  std::unique_ptr<Heap> heap;  // once an instance has objects
  // Host values to tell the host of when nothing refers to them any more, and how.
  absl::flat_hash_map<uint32_t, bool> watched;  // whether the last major collection met them
  std::function<void(uint32_t)> dropped;
  std::vector<std::unique_ptr<AnsweringInstance>> answering;
  std::vector<std::unique_ptr<AnsweringImport>> answering_imports;

  // What was made in the store, in that order, which all numbers follow from: the instances
  // (`index` in `owned`) and what the host made itself (in `host_functions`, `memories`, …).
  struct Made {
    enum Kind : uint8_t { kInstance, kFunction, kMemory, kTable, kGlobal, kTag } kind;
    uint32_t index;
  };
  std::vector<Made> made;
  void Add(Made::Kind kind, size_t index) { made.push_back({kind, static_cast<uint32_t>(index)}); }

  std::vector<std::unique_ptr<HostFunctionInstance>> host_functions;
  std::unique_ptr<HostModule> host;  // once there is one of those

  // Adds an instance to the store; its index.
  uint32_t Register(core::Instance* instance, DynamicInstance* owner);
  // Adds a function; its handle.
  core::ref Register(const core::Function& function, bool suspends, bool throws);
  // Makes the heap, if there is none. Errors: no memory; references of the host that would look like
  // objects.
  absl::Status MakeHeap();
  bool HasUntaggedReferences() const;
  // What suspending host functions need once, and each of them.
  void AddHostInstance();
  void AddHostSite(HostFunctionInstance& function);
  // Has contexts hold the parameters and the results.
  void MakeRoom(const Signature& signature);
  // Lets host functions that waited for the code of their type have it.
  void LearnTypes(const ModuleInfo& info, const uint32_t* canonical);
};

// HostInstance::call of an AnsweringInstance.
void CallAnswering(core::HostInstance* base, const uint64_t* arguments, uint64_t* results);

// Marks a store as in use by a thread, nested uses included. It finds out about two threads in one
// store most of the time, which is what a program that does this needs to be told; it is no lock.
class StoreUse {
 public:
  StoreUse(StoreState& store, core::Context* context)
      : store_(store), outer_(store.user.load(std::memory_order_relaxed)) {
    ok_ = outer_ == nullptr || outer_ == context;
    if (!ok_) return;
    store_.user.store(context, std::memory_order_relaxed);
    ++store_.store.uses;
  }
  ~StoreUse() {
    if (!ok_) return;
    store_.user.store(outer_, std::memory_order_relaxed);
    --store_.store.uses;
  }
  StoreUse(const StoreUse&) = delete;
  bool ok() const { return ok_; }
  absl::Status status() const { return absl::FailedPreconditionError(kMessage); }
  static constexpr absl::string_view kMessage = "the store is in use by another thread";

 private:
  StoreState& store_;
  core::Context* outer_;
  bool ok_;
};

// Values as the ABI passes them, and back.
template <class Slots>
void AppendSlots(absl::Span<const Value> values, Slots& slots) {
  for (const Value& value : values) {
    slots.push_back(value.low);
    if (value.type == ValType::kV128) slots.push_back(value.high);
  }
}
// `next(i)` is slot i.
template <class Next>
void AppendValues(const std::vector<ValType>& types, Next next, std::vector<Value>& values) {
  uint32_t i = 0;
  values.reserve(values.size() + types.size());
  for (ValType type : types) {
    Value value{type, next(i++)};
    if (type == ValType::kV128) value.high = next(i++);
    values.push_back(value);
  }
}

// What is wrong with `values` as arguments or results of these types; empty if nothing is. `what`
// names one of them: "argument". `refs`: what they may refer to, if that is known.
std::string Misfit(const StoreState& store, absl::string_view what,
                   const std::vector<ValType>& types, absl::Span<const Value> values,
                   absl::Span<const core::RefType> refs = {});

}  // namespace fermata::internal

namespace fermata {

struct StoreHandle::State : internal::StoreState {};

struct DynamicInstance::State {
  StoreHandle* store = nullptr;
  core::Instance* instance = nullptr;
  const ModuleInfo* info = nullptr;
  void* storage = nullptr;  // of the instance structure, by operator new
  std::align_val_t storage_alignment{alignof(void*)};
  struct FunctionImport {
    uint32_t import;  // in ModuleInfo::imports
    const Signature* signature;
    uint32_t type = core::kNoType;  // canonical
    bool answering = false;         // bound to an answering function,
    const void* owner = nullptr;    // and whose that is
  };
  std::vector<FunctionImport> function_imports;  // by function index
  // By name, if there are many; made when the first is looked for.
  absl::flat_hash_map<absl::string_view, const core::ExportInfo*> exports;
  // By global index: what each may refer to, with canonical numbers; an imported one as its owner
  // declares it.
  std::vector<core::RefType> global_refs;
  // What is left of its start (DynamicInstance::Start): bits, done in this order.
  enum Due : uint8_t { kStartFunction = 1, kInitialize = 2 };
  uint8_t due = 0;
  bool start_running = false;

  ~State();

  // Null: there is none.
  const core::ExportInfo* FindExport(absl::string_view name);
  // "_initialize", if the module is a reactor; else core::kNoFunction.
  uint32_t Initialize() const;
  // The handle of the function that is to be called next, if there is something due.
  core::ref NextToStart() const {
    return HandleOf((due & kStartFunction) != 0 ? info->start : Initialize());
  }
  // That function has returned.
  void Started() { due &= (due & kStartFunction) != 0 ? kInitialize : 0; }

  template <typename T>
  T* Field(uint32_t offset) const {
    return reinterpret_cast<T*>(reinterpret_cast<char*>(instance) + offset);
  }
  // Function `k` of ModuleInfo::functions.
  core::ref HandleOf(uint32_t k) const { return instance->function_base + k; }
};

struct DynamicStep::State : internal::CallState {
  // Restored from a snapshot: what a call returns is then taken on trust, and must be this store's.
  bool restored = false;
  // Whether `link` is kept. A call that finishes at once does without, and has no use for it then.
  bool keeps_link = false;
  core::ref function = 0;  // that was called
  internal::StoreLink* link = nullptr;
  DynamicInstance* starting = nullptr;  // whose start function this is, if it is one
  uint32_t suspended_size = 0;          // of the activation, when it was last suspended
  mutable bool located = false;         // what follows, at first use
  mutable uint32_t import_index = 0;    // of the op
  mutable const core::ImportInfo* import = nullptr;
  mutable DynamicInstance* op_instance = nullptr;
  mutable const Signature* op_signature = nullptr;
  mutable uint32_t op_type = core::kNoType;  // canonical; kNoType: a host's function
  mutable bool op_bound = false;
  mutable const void* op_owner = nullptr;
  const Signature* signature = nullptr;

  ~State();
  internal::StoreState* store() const { return link->store(); }
  bool Is(Phase held) const { return phase == held && store() != nullptr; }
  bool outlived() const { return held() && store() == nullptr; }
  void Hold(Phase how);
  void KeepLink();
  void Begin(const core::Function& function, core::Invoke invoke, absl::Span<const Value> arguments,
             internal::StoreState* state);
  void Take(core::Exit exit, core::Context* context);
  bool GoOnStarting(core::Context* context);
  // Objects may be referred to by its frames or results from now on.
  void List();
  bool CollectAndResume(core::Context* context, core::Exit& exit);
  bool AnswerBuiltin(core::Context* context, core::Exit& exit);
  void CollectIfDue();
  absl::Status Continue();
  // A copy of these frames; false if there is no memory.
  bool SetFrames(const core::Activation& from);
  void Trapped(Trap trap, absl::string_view text);
  void AppendRunning(Backtrace& trace) const;
  void KeepThrown(core::ref exception);
  // The op's identity; and its arguments, too.
  void Locate() const;
  void Decode() const;
  absl::Status RunOn(absl::Span<const uint64_t> results);
  bool FindOp()
      const;  // whether there is one, decoded; the number and the arguments are then there
};

}  // namespace fermata

#endif  // FERMATA_RUNTIME_HOST_STATE_H_

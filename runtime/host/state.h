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
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "fermata/dynamic.h"
#include "runtime/heap/heap.h"
#include "runtime/host/exceptions.h"
#include "runtime/host/types.h"
#include "runtime/storage/storage.h"

namespace fermata::internal {

struct StoreState;

// The code for function types, by their canonical numbers: each from the first module that has it.
class TypeCodes {
 public:
  void Learn(const ModuleInfo& info, const uint32_t* canonical);
  // Null: no module of the store has it.
  const core::FuncType* Find(uint32_t type) const;

 private:
  absl::InlinedVector<std::pair<uint32_t, const core::FuncType*>, 2> sorted_;
};

// What few stores have: made when it is first needed, and empty until then.
template <class T>
class OnDemand {
 public:
  const T& operator*() const {
    static const T none;
    return made_ != nullptr ? *made_ : none;
  }
  const T* operator->() const { return &**this; }
  T& Make() {
    if (made_ == nullptr) made_ = std::make_unique<T>();
    return *made_;
  }

 private:
  std::unique_ptr<T> made_;
};

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

// Storage of a host-made global; generated code loads a v128 from it with one instruction.
struct alignas(16) GlobalCell {
  uint64_t words[2];
  ValType type;
  bool mut;
};

// What the host made in a store itself, beside memories, tables and tags.
struct HostMade {
  std::vector<std::unique_ptr<GlobalCell>> globals;
  std::vector<std::unique_ptr<HostFunctionInstance>> functions;
  std::unique_ptr<HostModule> module;  // once there is a function
};

// An import bound to a function that answers at once if it can (AnsweringFunction).
struct AnsweringInstance : core::HostInstance {
  DynamicInstance* caller;
  AnsweringFunction answer;
  uint32_t param_slots, result_slots;
  uint32_t site;   // of the import's op frames
  bool immediate;  // it can't suspend
};
struct Answering {
  std::vector<std::unique_ptr<AnsweringInstance>> instances;
  std::vector<std::unique_ptr<AnsweringImport>> imports;
};

// Host values to tell the host of when nothing refers to them any more, and how.
struct HostValues {
  absl::flat_hash_map<uint32_t, bool> watched;  // whether the last major collection met them
  std::function<void(uint32_t)> dropped;
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

  // Store::interrupt. It must be there as long as somebody may set it.
  uint32_t* interrupt() { return &interrupt_; }

  // The calls whose frames or results may hold references to objects.
  void AddCall(CallState& call);
  void RemoveCall(CallState& call);
  // Of these, those that have run since the last collection.
  void NoteRun(CallState& call);
  template <class Look>
  void ForEachThatRan(Look&& look) {
    Locked lists = Lock();
    for (CallState* call : lists->ran) look(*call);
  }
  void ForgetThoseThatRan() {
    Locked lists = Lock();
    for (CallState* call : lists->ran) call->place_among_ran = CallState::kNotListed;
    lists->ran.clear();
  }
  template <class Look>
  void ForEachCall(Look&& look) {
    Locked lists = Lock();
    for (CallState* call : lists->calls) look(*call);
  }
  // References that the host keeps, by their places.
  uint32_t Keep(Value reference);
  Value KeptAt(uint32_t place);
  void Drop(uint32_t place);
  template <class Look>
  void ForEachKept(Look&& look) {
    Locked lists = Lock();
    for (Value& value : lists->kept) look(value);
  }
  void Release() {
    if (users_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 private:
  struct Lists {
    std::mutex mutex;
    std::vector<CallState*> calls;  // in no order
    std::vector<CallState*> ran;    // in no order
    std::vector<Value> kept;
    std::vector<uint32_t> free_kept;  // places
  };
  struct Locked {
    explicit Locked(Lists& of) : lists(of), lock(of.mutex) {}
    Lists* operator->() { return &lists; }
    Lists& lists;
    std::lock_guard<std::mutex> lock;
  };

  ~StoreLink() { delete lists_.load(std::memory_order_relaxed); }
  // Made at first use: only stores with objects have any.
  Locked Lock();
  std::atomic<StoreState*> store_;
  std::atomic<uint64_t> users_{1};  // the store is one
  std::atomic<Lists*> lists_{nullptr};
  uint32_t interrupt_ = 0;
};

struct FunctionTraits {
  bool may_suspend : 1;
  bool may_throw : 1;
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
  // Most stores have one instance, and with it one or two of what follows.
  absl::InlinedVector<core::Instance*, 2> instances;  // by index
  absl::InlinedVector<DynamicInstance*, 2> dynamic;   // by index; null: the host's pseudo-instance
  std::vector<core::Function> functions;              // by handle - 1
  absl::InlinedVector<FunctionTraits, 16> traits;     // by handle - 1
  OnDemand<std::vector<uint32_t>> tags;               // canonical types, by tag number
  OnDemand<Exceptions> exceptions;
  TypeCodes types;
  uint32_t max_results = 1;  // most slots of any parameters, results or payload in the store
  absl::InlinedVector<std::unique_ptr<DynamicInstance>, 2> owned;
  absl::InlinedVector<std::shared_ptr<MemoryStorage>, 1> memories;
  absl::InlinedVector<std::unique_ptr<TableStorage>, 2> tables;
  std::unique_ptr<Heap> heap;  // once an instance has objects
  OnDemand<HostValues> host_values;
  OnDemand<Answering> answering;
  OnDemand<HostMade> host_made;

  // What was made in the store, in that order, which all numbers follow from: the instances
  // (`index` in `owned`) and what the host made itself (in `host_made`, `memories`, …).
  struct Made {
    enum Kind : uint8_t { kInstance, kFunction, kMemory, kTable, kGlobal, kTag } kind;
    uint32_t index;
  };
  absl::InlinedVector<Made, 2> made;
  void Add(Made::Kind kind, size_t index) { made.push_back({kind, static_cast<uint32_t>(index)}); }

  // Whether functions of the instance may be called.
  bool IsUsable(const core::Instance& instance) const;
  // Adds an instance to the store; its index.
  uint32_t Register(core::Instance* instance, DynamicInstance* owner);
  // Adds a function; its handle.
  core::ref Register(const core::Function& function, FunctionTraits traits);
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
  FERMATA_INLINE StoreUse(StoreState& store, core::Context* context)
      : store_(store), outer_(store.user.load(std::memory_order_relaxed)) {
    ok_ = outer_ == nullptr || outer_ == context;
    if (!ok_) return;
    store_.user.store(context, std::memory_order_relaxed);
    ++store_.store.uses;
  }
  FERMATA_INLINE ~StoreUse() {
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
  core::Instance* instance = nullptr;  // by operator new
  const ModuleInfo* info = nullptr;
  struct FunctionImport {
    uint32_t import : 31;        // in ModuleInfo::imports
    uint32_t answering : 1;      // bound to an answering function,
    uint32_t type;               // canonical
    const void* owner;           // and whose that is
    const Signature* signature;  // of `type`
  };
  absl::InlinedVector<FunctionImport, 1> function_imports;  // by function index
  // By name, if there are many; made when the first is looked for.
  std::unique_ptr<absl::flat_hash_map<absl::string_view, const core::ExportInfo*>> exports;
  // By global index: what each may refer to, with canonical numbers; an imported one as its owner
  // declares it.
  absl::InlinedVector<core::RefType, 2> global_refs;
  // What is left of its start (DynamicInstance::Start): bits, done in this order.
  enum Due : uint8_t { kStartFunction = 1, kInitialize = 2 };
  uint8_t due = 0;
  bool start_running = false;
  // Its initialization trapped before its globals and tables had values. Nothing refers to its
  // functions, and nothing may: only in what was restored are there such instances.
  bool unusable = false;
  uint8_t alignment_log2 = 0;  // of `instance`; the module may be gone when that is deleted

  ~State();

  // Null: there is none.
  const core::ExportInfo* FindExport(absl::string_view name);
  // "_initialize", if the module is a reactor; else core::kNoFunction.
  uint32_t Initialize() const;
  std::align_val_t alignment() const { return std::align_val_t(size_t{1} << alignment_log2); }
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
  mutable uint32_t import_index = 0;    // of the op, if it is decoded
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
  // A copy of these frames; false if there is no memory.
  bool SetFrames(const core::Activation& from);
  void Trapped(Trap trap, absl::string_view text);
  void AppendRunning(Backtrace& trace) const;
  void KeepThrown(core::ref exception);
  // The op that a call is suspended on.
  struct LocatedOp {
    uint32_t import_index;
    const core::ImportInfo* import;
    DynamicInstance* instance;  // null: a function of the host's
    const Signature* signature;
    uint32_t type = core::kNoType;  // canonical; kNoType: a host's function
    bool bound = false;             // to an answering function
    const void* owner = nullptr;
  };
  LocatedOp Locate() const;
  void Decode() const;
  absl::Status RunOn(absl::Span<const uint64_t> results);
  absl::Status RoundTrip(absl::Span<const uint64_t> results);
  void SuspendedAgain();
  DynamicStep::RawOp OpOf(const ModuleInfo& module) const;
  bool FindOp()
      const;  // whether there is one, decoded; the number and the arguments are then there
};

}  // namespace fermata

#endif  // FERMATA_RUNTIME_HOST_STATE_H_

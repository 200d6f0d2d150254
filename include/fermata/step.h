// The typed API: what a generated header builds its class from, and what a host works with.
//
// A generated class, say guest::Echo, has a method for each exported function, a struct for each
// import that suspends (an *op*), and a variant of those structs, Echo::Op (if there are more than
// 256, see ops.h). The method returns a Step if the function may suspend, and an Outcome if it
// can't.
//
//   auto echo = guest::Echo::Create();                      // StatusOr<unique_ptr<Echo>>
//   fermata::Step<int32_t, guest::Echo> step = (*echo)->serve(3);
//   while (step.suspended()) {
//     step.Answer(fermata::Match{
//         // Each handler returns the Result of its op; without a handler for every op this does
//         // not compile.
//         [&](guest::Echo::net_recv op) { return net.Recv(op.fd, …); },
//         [&](guest::Echo::timer_sleep op) { clock.Sleep(op.ns); }});
//   }
//   if (step.finished()) Use(step.value()); else Log(step.message());
//
// A call of a guest that was translated with --preempt may also be paused (interrupt.h). It is then
// neither finished nor suspended on an op, so the loop is `while (step.suspended() ||
// step.paused())`, and Continue() runs a paused call on.
//
// A step need not be answered where it was made: it is a value that can be moved, kept in a map by
// file descriptor, handed to another thread, and resumed later with
// `step.Resume<Echo::net_recv>(n)`.
//
// Misuse:
//  - Resuming a step that isn't suspended, or as another op than it waits for, returns an
//    absl::Status error and changes nothing.
//  - A call that can't be made because the instance has not started returns a step or an outcome
//    that has trapped, with Trap::kHost and the reason as its message.
//  - Reading a value that isn't there (value() before the end, op() when not suspended) ends the
//    process with a message, as absl::StatusOr::value() does. Ask finished() or suspended() first.
//  - Continuing a step whose store is gone returns an absl::Status error, "the call has outlived
//    its store"; the step has then trapped with Trap::kHost.
//
// Ownership: the object that Create makes owns its store, or borrows it if it is linked with
// others. One thread at a time uses a store.
#ifndef FERMATA_STEP_H_
#define FERMATA_STEP_H_

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "fermata/dynamic.h"
#include "fermata/needs_cxx20.h"
#include "fermata/ops.h"
#include "fermata/wire.h"

namespace fermata {

// One function object made of several: Match{[](A) {…}, [](B) {…}}.
template <class... Cases>
struct Match : Cases... {
  using Cases::operator()...;
};
// The types are those of the function objects.
template <class... Cases>
Match(Cases...) -> Match<Cases...>;

// Implementation details, not part of the API.
namespace typed {

[[noreturn]] inline void Misuse(const char* what) {
  std::fprintf(stderr, "fermata: %s\n", what);
  std::abort();
}

// A result that may not be there yet; void has no storage.
template <class R>
using Slot = std::conditional_t<std::is_void_v<R>, std::monostate, std::optional<R>>;

// Whether the guest makes objects or looks at them, as its generated class says.
template <class Guest>
inline constexpr bool kHasObjects = requires {
  Guest::kHasObjects_;
};

// What a handler of op T may return: the op's Result, or a status (an error makes the call trap).
template <class Returned, class Result>
constexpr bool IsAnswer() {
  if constexpr (std::is_void_v<Result>) {
    return std::is_void_v<Returned> || std::is_same_v<Returned, absl::Status>;
  } else {
    return std::is_convertible_v<Returned, Result> ||
           std::is_convertible_v<Returned, absl::StatusOr<Result>>;
  }
}
template <class H, class T>
inline constexpr bool kAnswers = IsAnswer<std::invoke_result_t<H&, const T&>, typename T::Result>();
template <class H, class T>
concept Handles = std::invocable<H&, const T&> && kAnswers<H, T>;

template <class H, class... T>
constexpr bool HandlesEach(OpList<T...>) {
  return AllOf({Handles<H, T>...});
}
template <class H, class Op>
concept HandlesAll = HandlesEach<H>(OpListOf<Op>());

}  // namespace typed

// The end of a call that can't suspend: a value, or a trap.
template <class R>
class [[nodiscard]] Outcome {
 public:
  explicit Outcome(DynamicStep step) {
    if (step.suspended() || step.paused()) {
      // Only a function that the host put into a table can do this to a call proved not to suspend.
      step.Cancel();
      Fail("suspended in a call that can't be suspended");
    } else if (step.trapped()) {
      trap_ = step.trap();
      message_ = step.message();
    } else if (step.results().size() != typed::Results<R>::kCount) {
      Fail("the module does not match its header");
    } else if constexpr (!std::is_void_v<R>) {
      value_ = typed::Results<R>::From(step.results());
    }
  }
  explicit Outcome(const absl::Status& error) { Fail(error.message()); }

  bool finished() const { return trap_ == Trap::kNone; }
  bool trapped() const { return trap_ != Trap::kNone; }
  Trap trap() const { return trap_; }
  // Why the call trapped; empty if it didn't.
  const std::string& message() const { return message_; }
  // Finished only.
  std::add_lvalue_reference_t<const R> value() const {
    if (trapped()) typed::Misuse("Outcome::value() of a call that trapped");
    if constexpr (!std::is_void_v<R>) return *value_;
  }
  // OK, or kAborted with the message.
  absl::Status status() const {
    return finished() ? absl::OkStatus() : absl::AbortedError(message_);
  }

 private:
  void Fail(absl::string_view message) {
    trap_ = Trap::kHost;
    message_ = std::string(message);
  }

  Trap trap_ = Trap::kNone;
  std::string message_;
  typed::Slot<R> value_{};
};

// A call as the host holds it: finished, suspended on an op, paused, or trapped. Move-only; a step
// that was moved from counts as cancelled. Destroying a suspended or paused step cancels it: its
// frames are dropped and no guest code runs.
template <class R, class Guest>
class [[nodiscard]] Step {
 public:
  using Op = typename Guest::Op;

  // A cancelled step, to be assigned to.
  Step() { SetTrap(Trap::kCancelled, "no call"); }
  explicit Step(DynamicStep step) : step_(std::move(step)) { Update(); }
  explicit Step(const absl::Status& error) { SetTrap(Trap::kHost, error.message()); }
  Step(Step&& other) noexcept { Take(other); }
  Step& operator=(Step&& other) noexcept {
    if (this != &other) Take(other);
    return *this;
  }

  bool finished() const { return state_ == State::kFinished; }
  bool suspended() const { return state_ == State::kSuspended; }
  bool trapped() const { return state_ == State::kTrapped; }
  // Left at a check, between two instructions; it holds its live values as a suspended step does.
  bool paused() const { return state_ == State::kInterrupted || state_ == State::kOutOfFuel; }
  bool interrupted() const { return state_ == State::kInterrupted; }
  bool out_of_fuel() const { return state_ == State::kOutOfFuel; }

  // Finished only: what the function returned; a tuple if there are several values.
  std::add_lvalue_reference_t<const R> value() const {
    if (!finished()) typed::Misuse("Step::value() of a step that has not finished");
    ReadAgain();
    if constexpr (!std::is_void_v<R>) return *value_;
  }
  // Trapped: the reason and its text ("integer divide by zero", or Throw's message). Otherwise
  // kNone and "".
  Trap trap() const { return trap_; }
  const std::string& message() const { return message_; }
  // OK when finished, kAborted with the message when trapped, kFailedPrecondition when suspended,
  // kUnavailable when interrupted, kResourceExhausted when out of fuel.
  absl::Status status() const {
    if (finished()) return absl::OkStatus();
    if (trapped()) return absl::AbortedError(message_);
    if (interrupted()) return absl::UnavailableError("interrupted");
    if (out_of_fuel()) return absl::ResourceExhaustedError("out of fuel");
    return absl::FailedPreconditionError(absl::StrCat("suspended on ", OpName()));
  }

  // Suspended and not foreign(): the import that the call waits for, with its arguments.
  const Op& op() const {
    ReadAgain();
    if (!op_) typed::Misuse("Step::op() of a step that is not suspended on an op of its guest");
    return *op_;
  }
  // The op if it is a T; null if it is another one, or if the step is not suspended.
  template <class T>
  requires typed::OneOf<T, Op>
  const T* op_if() const {
    ReadAgain();
    return op_ ? typed::OpIf<T>(*op_) : nullptr;
  }
  // Suspended on an import of another module that is linked with this one, or in a function that
  // the host put into a table. Such an op is not in Op; dynamic() has it.
  bool foreign() const { return suspended() && !op_; }

  // Answers the op with what the handler for its type returns, and runs the guest on; true if that
  // was done. If the handler returns an error status, the step traps with its message. It also
  // traps if the op is foreign, since `while (step.suspended())` would otherwise never end.
  template <class Handler>
  requires typed::HandlesAll<Handler, Op>
  bool Answer(Handler&& handler) {
    if (!suspended()) return false;
    if (!op_) {
      Drop(Throw(absl::StrCat("no handler for ", OpName())));
      return false;
    }
    ReadAgain();
    return typed::VisitOp(
        [&](const auto& o) {
          const auto op = o;  // the handler may look at, even move, this step
          return AnswerOne(op, handler);
        },
        *op_);
  }

  // Answers op T with its result (nothing if T::Result is void), and runs the guest on. Errors,
  // which change nothing: not suspended, or suspended on another op.
  template <class T>
  requires(typed::OneOf<T, Op>&& std::is_void_v<typename T::Result>) absl::Status Resume() {
    return WaitsFor<T>() ? ResumeWithSlots({}) : OtherOp<T>();
  }
  template <class T>
  requires(typed::OneOf<T, Op> && !std::is_void_v<typename T::Result>) absl::Status
      Resume(const typename T::Result& result) {
    if (!WaitsFor<T>()) return OtherOp<T>();
    using Slots = typed::NumberSlots<typename T::Result>;
    if constexpr (Slots::kOnly) {
      uint64_t slots[Slots::kCount];
      Slots::Put(slots, result);
      return ResumeWithSlots(slots);
    } else {
      return Resumed(typed::Results<typename T::Result>::Resume(step_, result));
    }
  }

  // Paused: runs the call on. If it is out of fuel and the store has not been given any since, it
  // gets as far as its next check. Refuel gives the store `fuel` units first. Error, which changes
  // nothing: not paused.
  absl::Status Continue() { return Resumed(step_.Continue()); }
  absl::Status Refuel(uint64_t fuel) { return Resumed(step_.Refuel(fuel)); }

  // Makes the call fail at its op: it traps with Trap::kHost and this message. Error: not
  // suspended.
  absl::Status Throw(absl::string_view message) {
    if (!suspended()) return NotSuspended();
    return Resumed(step_.Throw(message));
  }

  // Drops the frames without running guest code; the step has then trapped with kCancelled. No
  // effect on a step that is neither suspended nor paused.
  void Cancel() {
    if (!suspended() && !paused()) return;
    step_.Cancel();
    Update();
  }

  // Suspended or paused: the bytes of its frames, and their number, op frame included. Otherwise 0.
  uint32_t frame_bytes() const { return step_.frame_bytes(); }
  uint32_t depth() const { return step_.depth(); }

  // Suspended, paused or trapped: where the call is, or was. See backtrace.h.
  Backtrace backtrace() const { return step_.backtrace(); }

  // The step of the dynamic API beneath, for a foreign op. Call Refresh() after changing it.
  DynamicStep& dynamic() { return step_; }
  void Refresh() { Update(); }

 private:
  enum class State : uint8_t { kFinished, kSuspended, kTrapped, kInterrupted, kOutOfFuel };

  static absl::Status NotSuspended() {
    return absl::FailedPreconditionError("the step is not suspended");
  }
  static void Drop(const absl::Status&) {}

  std::string OpName() const {
    return suspended() ? absl::StrCat(step_.op_module(), ".", step_.op_name()) : std::string();
  }

  template <class T>
  bool WaitsFor() const {
    return op_ && typed::OpIf<T>(*op_) != nullptr;
  }
  template <class T>
  absl::Status OtherOp() const {
    if (!suspended()) return NotSuspended();
    return absl::InvalidArgumentError(
        absl::StrCat("the step is suspended on ", OpName(), ", not on ", T::kImport));
  }

  template <class T, class Handler>
  bool AnswerOne(const T& op, Handler& handler) {
    if constexpr (std::is_same_v<T, std::monostate>) {
      return false;  // a guest without ops
    } else if constexpr (std::is_void_v<typename T::Result>) {
      if constexpr (std::is_void_v<std::invoke_result_t<Handler&, const T&>>) {
        handler(op);
      } else {
        const absl::Status status = handler(op);
        if (!status.ok()) return Refuse(status);
      }
      return Resume<T>().ok();
    } else if constexpr (std::is_convertible_v<std::invoke_result_t<Handler&, const T&>,
                                               typename T::Result>) {
      return Resume<T>(static_cast<typename T::Result>(handler(op))).ok();
    } else {
      const absl::StatusOr<typename T::Result> result = handler(op);
      return result.ok() ? Resume<T>(*result).ok() : Refuse(result.status());
    }
  }
  bool Refuse(const absl::Status& status) {
    Drop(Throw(status.message()));
    return false;
  }

  absl::Status ResumeWithSlots(absl::Span<const uint64_t> slots) {
    absl::Status status;
    const DynamicStep::RawOp next = step_.ResumeWithSlots(slots, Guest::Module_(), status);
    if constexpr (!typed::kHasObjects<Guest>) {
      if (next.function != ~0u) {
        Guest::ReadOp(op_, next);  // suspended as before: nothing but the op is another
        return absl::OkStatus();
      }
    }
    return Resumed(std::move(status));
  }
  absl::Status Resumed(absl::Status status) {
    // A failed resumption has trapped the step if its store is gone.
    if (status.ok() || step_.trapped()) Update();
    return status;
  }

  // A collection, which any other call of the store may lead to, changes references to objects.
  void ReadAgain() const {
    if constexpr (typed::kHasObjects<Guest>) {
      if (suspended()) {
        if (op_ && !step_.op_is_decoded()) Guest::ReadOp(op_, step_);
      } else if constexpr (!std::is_void_v<R>) {
        if (finished()) value_ = typed::Results<R>::From(step_.results());
      }
    }
  }

  // Reads the state of `step_` once, so that asking for it costs nothing.
  void Update() {
    op_.reset();
    trap_ = Trap::kNone;
    message_.clear();
    if (step_.suspended()) {
      state_ = State::kSuspended;
      // In place: copying it would cost more than reading it.
      if constexpr (typed::kHasObjects<Guest>) {
        Guest::ReadOp(op_, step_);
      } else {
        Guest::ReadOp(op_, step_.op_of(Guest::Module_()));
      }
    } else if (step_.trapped()) {
      SetTrap(step_.trap(), step_.message());
    } else if (step_.paused()) {
      state_ = step_.interrupted() ? State::kInterrupted : State::kOutOfFuel;
    } else if (step_.results().size() != typed::Results<R>::kCount) {
      SetTrap(Trap::kHost, "the module does not match its header");
    } else {
      state_ = State::kFinished;
      if constexpr (!std::is_void_v<R>) value_ = typed::Results<R>::From(step_.results());
    }
  }
  void SetTrap(Trap trap, absl::string_view message) {
    state_ = State::kTrapped;
    trap_ = trap;
    message_ = std::string(message);
  }
  void Take(Step& other) {
    step_ = std::move(other.step_);
    state_ = other.state_;
    trap_ = other.trap_;
    message_ = std::move(other.message_);
    op_ = std::move(other.op_);
    value_ = std::move(other.value_);
    other.op_.reset();
    other.SetTrap(Trap::kCancelled, "moved from");
  }

  DynamicStep step_;
  State state_ = State::kTrapped;
  Trap trap_ = Trap::kNone;
  std::string message_;
  mutable std::optional<Op> op_;  // only if suspended
  mutable typed::Slot<R> value_{};
};

// An exported global of type T; `const T` if the module can't change it.
template <class T>
class GlobalView {
 public:
  explicit GlobalView(void* storage) : storage_(storage) {}
  std::remove_const_t<T> Get() const {
    std::remove_const_t<T> value;
    memcpy(&value, storage_, sizeof value);
    return InMachineOrder(value);
  }
  void Set(T value) requires(!std::is_const_v<T>) {
    value = InMachineOrder(value);
    memcpy(storage_, &value, sizeof value);
  }

 private:
  // A vector's halves are in the machine's order of bytes; and back.
  static std::remove_const_t<T> InMachineOrder(std::remove_const_t<T> value) {
    if constexpr (std::is_same_v<std::remove_const_t<T>, V128>) {
      if (std::endian::native == std::endian::big) std::swap(value.low, value.high);
    }
    return value;
  }
  void* storage_;
};

namespace typed {

// Exists while the host's code runs: a fault there is the host's, even if it is in a guest's
// memory.
class InHost {
 public:
  explicit InHost(core::Context* context) : context_(context), activation_(context->activation) {
    context->activation = nullptr;
  }
  ~InHost() { context_->activation = activation_; }
  InHost(const InHost&) = delete;

 private:
  core::Context* context_;
  core::Activation* activation_;
};

// Native code for an immediate import: calls a method of the host interface that Instance::host
// points at. The method must not throw: generated frames can't be unwound by C++.
template <auto method>
struct Thunk;
template <class Host, class R, class... A, R (Host::*method)(A...)>
struct Thunk<method> {
  static typename Results<R>::Abi Call(core::Instance* base,
                                       typename Wire<A>::Abi... arguments) noexcept {
    const InHost in_host(base->context);
    Host* host = static_cast<Host*>(base->host);
    if constexpr (std::is_void_v<R>) {
      (host->*method)(Wire<A>::FromAbi(arguments)...);
    } else if constexpr (std::is_void_v<typename Results<R>::Abi>) {
      StoreResults(base->context->results, (host->*method)(Wire<A>::FromAbi(arguments)...));
    } else {
      return Wire<R>::ToAbi((host->*method)(Wire<A>::FromAbi(arguments)...));
    }
  }
};

// A name as a template argument: "serve" in Export_<"serve">.
template <size_t kSize>
struct Name {
  char text[kSize];                                     // with the NUL at the end
  constexpr Name(const char (&name)[kSize]) : text() {  // NOLINT: made from literals
    for (size_t i = 0; i < kSize; ++i) text[i] = name[i];
  }
  template <size_t kOther>
  constexpr bool Is(const char (&other)[kOther]) const {
    if constexpr (kSize == kOther) {
      for (size_t i = 0; i < kSize; ++i) {
        if (text[i] != other[i]) return false;
      }
      return true;
    }
    return false;
  }
};

// The base of all generated classes. Its own names end in an underscore; names made from the
// module's never do.
class GuestBase {
 public:
  GuestBase(const GuestBase&) = delete;
  GuestBase& operator=(const GuestBase&) = delete;

  // The instance beneath, for the dynamic API and for linking.
  DynamicInstance* instance() const { return instance_; }
  StoreHandle* store() const { return instance_->store(); }

 protected:
  explicit GuestBase(DynamicInstance* instance) : instance_(instance) {}
  ~GuestBase() = default;

  // Binds import number `import`, a function, to `code`, which is called with the importing
  // instance. No effect if the host has bound it already.
  static void BindImmediate_(Imports& imports, const ModuleInfo& info, uint32_t import,
                             core::AnyFunction code) {
    const core::ImportInfo& i = info.imports[import];
    const absl::string_view module(i.module.data, i.module.size);
    const absl::string_view name(i.name.data, i.name.size);
    if (imports.Find(module, name) != nullptr) return;
    const core::FuncType& type = info.types[info.function_imports[i.index].type];
    Extern bound;
    bound.kind = ExternKind::kFunction;
    bound.function.code = code;
    bound.signature.params.assign(type.params, type.params + type.param_count);
    bound.signature.results.assign(type.results, type.results + type.result_count);
    imports.Add(module, name, bound);
  }

  // Instantiates `Guest` in `store`.
  template <class Guest>
  static absl::StatusOr<std::unique_ptr<Guest>> Create_(StoreHandle& store, const ModuleInfo& info,
                                                        Imports imports, void* host) {
    if (host != nullptr) imports.SetHost(host);
    absl::StatusOr<DynamicInstance*> instance = store.Instantiate(info, imports);
    if (!instance.ok()) return instance.status();
    return absl::WrapUnique(new Guest(*instance));
  }
  template <class Guest>
  static std::unique_ptr<Guest> Adopt_(DynamicInstance& instance) {
    return absl::WrapUnique(new Guest(&instance));
  }
  // The same with a store of its own.
  template <class Guest>
  static absl::StatusOr<std::unique_ptr<Guest>> CreateAlone_(const Limits& limits,
                                                             const ModuleInfo& info,
                                                             Imports imports, void* host) {
    auto store = std::make_unique<StoreHandle>(limits);
    absl::StatusOr<std::unique_ptr<Guest>> guest =
        Create_<Guest>(*store, info, std::move(imports), host);
    if (guest.ok()) (*guest)->own_store_ = std::move(store);
    return guest;
  }

  // Calls export number `index`.
  template <class R, class Guest, class... A>
  Step<R, Guest> CallStep_(uint32_t index, A... arguments) {
    absl::StatusOr<DynamicStep> step = Call_(index, arguments...);
    if (!step.ok()) return Step<R, Guest>(step.status());
    return Step<R, Guest>(*std::move(step));
  }
  template <class R, class... A>
  Outcome<R> CallPlain_(uint32_t index, A... arguments) {
    absl::StatusOr<DynamicStep> step = Call_(index, arguments...);
    if (!step.ok()) return Outcome<R>(step.status());
    return Outcome<R>(*std::move(step));
  }
  template <class Guest>
  Step<void, Guest> Start_() {
    absl::StatusOr<DynamicStep> step = instance_->Start();
    if (!step.ok()) return Step<void, Guest>(step.status());
    return Step<void, Guest>(*std::move(step));
  }

  Memory Memory_(uint32_t index) const {
    core::MemoryField field;
    memcpy(&field, Field_(instance_->info().memories[index].offset), sizeof field);
    return Memory(field.memory);
  }
  Table Table_(uint32_t index) const {
    core::Table* table;
    memcpy(&table, Field_(instance_->info().tables[index].offset), sizeof table);
    return Table(instance_->store(), table);
  }
  // Where global `index` is stored: in the instance, or wherever it was imported from.
  void* Global_(uint32_t index) const {
    const core::GlobalInfo& global = instance_->info().globals[index];
    uint8_t* field = Field_(global.offset);
    if (!global.imported) return field;
    void* storage;
    memcpy(&storage, field, sizeof storage);
    return storage;
  }

  // Whether the step is suspended in code of this module, and not of one that is linked with it, or
  // in a function of the host.
  static bool IsOpOf_(const DynamicStep& step, const ModuleInfo& info) {
    const DynamicInstance* instance = step.op_instance();
    return instance != nullptr && &instance->info() == &info;
  }

 private:
  uint8_t* Field_(uint32_t offset) const {
    return reinterpret_cast<uint8_t*>(instance_->raw()) + offset;
  }
  template <class... A>
  absl::StatusOr<DynamicStep> Call_(uint32_t index, A... arguments) {
    const core::ExportInfo& e = instance_->info().exports[index];
    if constexpr (sizeof...(A) == 0) {
      return instance_->CallFunction(e.index, {});
    } else {
      const Value values[] = {Wire<A>::To(arguments)...};
      return instance_->CallFunction(e.index, values);
    }
  }

  std::unique_ptr<StoreHandle> own_store_;  // null when linked with others
  DynamicInstance* instance_;
};

}  // namespace typed
}  // namespace fermata

#endif  // FERMATA_STEP_H_

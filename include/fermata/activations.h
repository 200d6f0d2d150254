// Many calls of one instance at the same time, interleaved.
//
// A suspended call keeps its values in frames of its own, so calls of one instance may be started,
// suspended and resumed in any order. This header is about the two things that they still share:
//
// *The guest stack.* Compilers keep variables whose address is taken (arrays, structs passed by
// pointer) in linear memory, on a stack whose top is a global, `__stack_pointer`. Calls that
// interleave would move it under each other's feet. Activations save and restore it for each call,
// and can give each call a stack of its own, so that its variables are safe from the other calls:
//
//   kSaved     The pointer is saved when a call is suspended, and restored when it is resumed or
//              has trapped: it never drifts. All calls use the same memory. This is enough for
//              guests that keep nothing on their stack while they wait, and for calls that end in
//              reverse order.
//   kSeparate  Each call has a region of `stack_bytes` while it is in progress. For any guest.
//   kNone      The pointer is left alone. For guests without such a stack.
//
// *Re-entry.* Most C code does not expect to be called while another call of it is in progress.
// Each export has a rule for that, Reentry.
//
//   auto calls = fermata::Activations<guest::Shop>::Create(
//       *shop, {.stack = fermata::ActivationOptions::kSeparate});
//   auto browse = (*calls)->Export(&guest::Shop::browse);            // as many at once as you like
//   auto order = (*calls)->Export(&guest::Shop::order, fermata::Reentry::kQueue);
//   auto refund = (*calls)->Export(&guest::Shop::refund, order);     // takes turns with `order`
//
//   auto call = browse(17);                       // StatusOr<Activation<Step<int32_t, Shop>>>
//   call->suspended(), call->op(), call->Resume<Shop::net_recv>(n), … // as a Step
//   absl::StatusOr<int32_t> sum = co_await fermata::Drive(order(18), handlers);  // or driven
//
// An Activation is a step for which both are taken care of. It is a value that can be moved, kept,
// handed to another thread and resumed there. Everything that holds for steps holds for it:
// destroying it cancels it, it is of no use without its store, and one thread at a time uses a
// store. Drive and async_call accept an activation of a Step, or what an export returns, as they
// accept a Step; if the call is queued, it waits for its turn first.
//
// Costs: a resumption takes 2 to 3 ns more than that of a step. A region is memory of the guest,
// which grows by as many regions as are in use at once; they are kept for later calls.
//
// Errors are absl::Status: kNotFound (there is no stack pointer), kInvalidArgument (the given
// global can't be one), kResourceExhausted (no room for another stack), kFailedPrecondition
// (re-entry that is forbidden; an activation that waits for its turn, or is running).
#ifndef FERMATA_ACTIVATIONS_H_
#define FERMATA_ACTIVATIONS_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "fermata/dynamic.h"
#include "fermata/needs_cxx20.h"
#include "fermata/step.h"

namespace fermata {

// How the calls of an instance get their guest stacks.
struct ActivationOptions {
  enum Stack : uint8_t { kSaved, kSeparate, kNone };
  Stack stack = kSaved;
  // kSeparate: the size of each region, rounded up to a multiple of 16; at least 1024. wasm-ld
  // gives a program 64 KiB. A call that uses more traps when it is next suspended or ends, but by
  // then it has overwritten what lies beneath its region, which is most likely another region.
  uint32_t stack_bytes = 64 * 1024;
  uint32_t max_stacks = 0;  // limit of calls in progress at once; 0: as many as memory has room for
  // The index in the module of the global that is the stack pointer. By default it is the export or
  // import `__stack_pointer`, or else the module's own first global, which LLVM uses for it, if
  // that is mutable and its value could be a stack pointer.
  std::optional<uint32_t> stack_pointer = std::nullopt;
  // kSeparate: where regions come from. By default memory 0 grows, which suits guests whose
  // allocator uses only the memory by which it grew the memory itself (wasi-libc, Rust). Others
  // (Emscripten, TinyGo, Go) take all memory behind their heap for their own, and need one of these
  // two:
  // - the guest's allocator: an export as malloc is, which takes a size and gives an address;
  std::string stack_allocator = {};
  // - a function that gives the address of `bytes` bytes, aligned to 16.
  // The regions are never given back. The function must not call the guest.
  std::function<absl::StatusOr<uint64_t>(uint64_t bytes)> allocate_stack = nullptr;
};

// What happens to a call of an export while another call of it is in progress, running or held.
enum class Reentry : uint8_t {
  kAllow,   // it is made
  kForbid,  // it is refused, with kFailedPrecondition
  kQueue,   // it waits for its turn: Activation::queued()
};

namespace activation_internal {

// The stack of one call.
struct Stack {
  uint64_t pointer = 0;  // while it does not run
  uint64_t low = 0;      // its region; 0: none of its own
  uint64_t high = 0;
  bool held = false;
};

// What the activations of one instance share.
class Stacks {
 public:
  static absl::StatusOr<std::shared_ptr<Stacks>> Create(DynamicInstance& instance,
                                                        const ActivationOptions& options);

  // A stack for a new call.
  absl::StatusOr<Stack> Acquire();
  void Release(Stack& stack);
  // The one in use now.
  Stack Current() const;
  // Around the time a call runs. Error: it can't run now, and nothing was done.
  absl::Status Enter(Stack& stack, uint64_t& outer);
  // False: it has used more than its region.
  bool Leave(Stack& stack, uint64_t outer);

  uint32_t in_use() const { return in_use_; }
  uint32_t made() const { return made_; }

 private:
  Stacks(DynamicInstance& instance, const ActivationOptions& options);
  absl::StatusOr<uint32_t> FindPointer() const;
  absl::Status CheckPointer(uint32_t global) const;
  absl::StatusOr<uint64_t> MakeRegion();
  absl::StatusOr<uint64_t> CallAllocator(uint64_t bytes);
  absl::Status Grow();
  uint8_t* At(uint64_t address) const { return memory_->data + address; }
  void* Storage(uint32_t global) const;
  uint64_t Get() const;
  uint64_t Address(const void* storage) const;  // a global of the type of addresses
  void Set(uint64_t value);

  DynamicInstance& instance_;
  const ActivationOptions options_;
  core::Memory* memory_ = nullptr;  // 0; null: there is none
  void* pointer_ = nullptr;         // the global's storage; null: kNone
  bool is64_ = false;
  uint32_t running_ = 0;  // calls, one within the other
  uint32_t in_use_ = 0;
  uint32_t made_ = 0;
  std::vector<uint64_t> free_;  // regions
  uint64_t fresh_ = 0;          // memory that grew and is no region yet: from here
  uint64_t fresh_end_ = 0;      // to here
};

// The turns of an export's calls, or of several exports'.
class Gate {
 public:
  struct Entry {
    bool turn = false;
    std::function<void()> on_turn;
  };

  explicit Gate(Reentry rule) : rule_(rule) {}
  // A place among the calls in progress: an entry that has its turn, or will have it.
  absl::StatusOr<std::shared_ptr<Entry>> Enter();
  // Gives it up, and the turn to the next.
  void Leave(const std::shared_ptr<Entry>& entry);

 private:
  void PassOn();

  const Reentry rule_;
  uint32_t inside_ = 0;   // calls that have had their turn and have not ended
  bool passing_ = false;  // PassOn is running
  std::deque<std::shared_ptr<Entry>> queue_;
};

template <class S>
struct OpOf {};
template <class R, class Guest>
struct OpOf<Step<R, Guest>> {
  using Op = typename Guest::Op;
};

}  // namespace activation_internal

// A call as the host holds it, with a guest stack and a turn. S is a Step or DynamicStep.
// Move-only; an activation that was moved from is neither queued, suspended nor finished.
template <class S>
class [[nodiscard]] Activation : public activation_internal::OpOf<S> {
 public:
  using Gate = activation_internal::Gate;
  using Stacks = activation_internal::Stacks;

  Activation() = default;
  Activation(Activation&& other) noexcept { Take(other); }
  Activation& operator=(Activation&& other) noexcept {
    if (this != &other) {
      End();
      Take(other);
    }
    return *this;
  }
  ~Activation() { End(); }

  // Whether it waits for its turn, or to be begun; no code of it has run yet.
  bool queued() const { return start_ != nullptr; }
  // Whether it is queued and it is its turn, so that Begin() will not refuse.
  bool ready() const { return queued() && entry_->turn; }
  // Queued: calls `waker` once it is ready, which is at once, or when the call before it ends.
  void OnTurn(std::function<void()> waker) {
    if (!queued()) return;
    if (entry_->turn) return waker();
    entry_->on_turn = std::move(waker);
  }
  // Makes the call. Errors, which change nothing: not queued, not its turn, no room for its stack.
  absl::Status Begin() {
    if (!queued()) return absl::FailedPreconditionError("the call was made already");
    if (!entry_->turn) return absl::FailedPreconditionError("the call waits for its turn");
    if (!stack_.held) {
      absl::StatusOr<activation_internal::Stack> stack = stacks_->Acquire();
      if (!stack.ok()) return stack.status();
      stack_ = *stack;
    }
    absl::Status made;
    const absl::Status ran = Run([&] { made = start_(step_); });
    if (!ran.ok()) return ran;
    start_ = nullptr;
    if (!made.ok()) End();
    Settle();
    return made;
  }

  bool suspended() const { return !overflowed_ && step_.suspended(); }
  bool finished() const { return !overflowed_ && step_.finished(); }
  bool trapped() const { return overflowed_ || (!queued() && step_.trapped()); }
  Trap trap() const { return overflowed_ ? Trap::kHost : queued() ? Trap::kNone : step_.trap(); }
  bool paused() const { return !overflowed_ && step_.paused(); }
  bool interrupted() const { return !overflowed_ && step_.interrupted(); }
  bool out_of_fuel() const { return !overflowed_ && step_.out_of_fuel(); }
  const std::string& message() const {
    static const std::string* overflow =
        new std::string("the call has used more stack than its region has");
    return overflowed_ ? *overflow : step_.message();
  }
  absl::Status status() const {
    if (overflowed_) return absl::AbortedError(message());
    if (queued()) return absl::FailedPreconditionError("the call waits for its turn");
    return step_.status();
  }

  // As in S.
  decltype(auto) value() const { return step_.value(); }
  decltype(auto) results() const { return step_.results(); }
  decltype(auto) op() const { return step_.op(); }
  template <class T>
  const T* op_if() const {
    return step_.template op_if<T>();
  }
  bool foreign() const { return step_.foreign(); }
  uint32_t frame_bytes() const { return step_.frame_bytes(); }
  uint32_t depth() const { return step_.depth(); }
  // For inspection only: resuming the step itself would not switch the guest stack.
  const S& step() const { return step_; }
  decltype(auto) dynamic() { return step_.dynamic(); }

  template <class T, class... Result>
  absl::Status Resume(const Result&... result) {
    return Resumed([&] { return step_.template Resume<T>(result...); });
  }
  // Of a DynamicStep.
  absl::Status Resume(absl::Span<const Value> results) {
    return Resumed([&] { return step_.Resume(results); });
  }
  absl::Status Continue() {
    return Resumed([&] { return step_.Continue(); });
  }
  absl::Status Refuel(uint64_t fuel) {
    return Resumed([&] { return step_.Refuel(fuel); });
  }
  absl::Status Throw(absl::string_view message) {
    const absl::Status status = step_.Throw(message);
    Settle();
    return status;
  }
  // Drops the call, even if it is queued.
  void Cancel() {
    if (start_ != nullptr) {
      start_ = nullptr;
      return End();
    }
    step_.Cancel();
    Settle();
  }

  // Made by Activations.
  Activation(std::shared_ptr<Stacks> stacks, std::shared_ptr<Gate> gate,
             std::shared_ptr<Gate::Entry> entry, std::function<absl::Status(S&)> start)
      : stacks_(std::move(stacks)),
        gate_(std::move(gate)),
        entry_(std::move(entry)),
        start_(std::move(start)) {}

 private:
  template <class F>
  absl::Status Run(F f) {
    uint64_t outer = 0;
    const absl::Status entered = stacks_->Enter(stack_, outer);
    if (!entered.ok()) return entered;
    f();
    overflowed_ = !stacks_->Leave(stack_, outer);
    return absl::OkStatus();
  }
  template <class F>
  absl::Status Resumed(F resume) {
    if (queued()) return absl::FailedPreconditionError("the call waits for its turn");
    if (!step_.suspended() && !step_.paused()) return resume();  // which says what is wrong
    absl::Status status;
    const absl::Status ran = Run([&] { status = resume(); });
    Settle();
    return ran.ok() ? status : ran;
  }

  // A call that has ended gives up its stack and its turn; the last thing done with this object, as
  // whoever has the turn then may destroy it.
  void Settle() {
    if (overflowed_) step_.Cancel();
    if (!step_.finished() && !step_.trapped()) return;
    Free();
  }
  void End() {
    start_ = nullptr;
    if (stacks_ != nullptr) step_.Cancel();
    Free();
  }
  void Free() {
    if (stacks_ == nullptr) return;
    stacks_->Release(stack_);
    stacks_ = nullptr;
    const std::shared_ptr<Gate> gate = std::move(gate_);
    const std::shared_ptr<Gate::Entry> entry = std::move(entry_);
    gate->Leave(entry);
  }
  void Take(Activation& other) {
    stacks_ = std::move(other.stacks_);
    gate_ = std::move(other.gate_);
    entry_ = std::move(other.entry_);
    start_ = std::exchange(other.start_, nullptr);
    step_ = std::move(other.step_);
    stack_ = std::exchange(other.stack_, {});
    overflowed_ = std::exchange(other.overflowed_, false);
  }

  std::shared_ptr<Stacks> stacks_;  // null: the call has ended
  std::shared_ptr<Gate> gate_;
  std::shared_ptr<Gate::Entry> entry_;
  std::function<absl::Status(S&)> start_;  // until it has been called
  S step_;
  activation_internal::Stack stack_;
  bool overflowed_ = false;
};

// An export that can be called: the function object that Activations::Export makes. Copies share
// its rule.
template <class S, class... P>
class ActivationExport {
 public:
  // Makes the call, or queues it. Errors: it is forbidden now; there is no room for its stack; for
  // exports of a DynamicInstance also those of DynamicInstance::Call.
  absl::StatusOr<Activation<S>> operator()(P... arguments) const {
    auto entry = gate_->Enter();
    if (!entry.ok()) return entry.status();
    const bool turn = (*entry)->turn;
    Activation<S> call(stacks_, gate_, *std::move(entry),
                       [make = make_, arguments...](S& step) { return make(step, arguments...); });
    if (turn) {
      const absl::Status status = call.Begin();
      if (!status.ok()) return status;
    }
    return call;
  }

 private:
  template <class Guest>
  friend class Activations;
  friend class DynamicActivations;
  template <class S2, class... P2>
  friend class ActivationExport;
  using Make = std::function<absl::Status(S&, P...)>;

  ActivationExport(std::shared_ptr<activation_internal::Stacks> stacks,
                   std::shared_ptr<activation_internal::Gate> gate, Make make)
      : stacks_(std::move(stacks)), gate_(std::move(gate)), make_(std::move(make)) {}

  std::shared_ptr<activation_internal::Stacks> stacks_;
  std::shared_ptr<activation_internal::Gate> gate_;
  Make make_;
};

// The activations of an instance of a generated class. All its calls that may suspend should go
// through the exports made here. The instance must outlive exports and activations.
template <class Guest>
class Activations {
 public:
  // Errors: no stack pointer was found, or the one that `options` names can't be one.
  static absl::StatusOr<std::unique_ptr<Activations>> Create(
      Guest& guest, const ActivationOptions& options = {}) {
    auto stacks = activation_internal::Stacks::Create(*guest.instance(), options);
    if (!stacks.ok()) return stacks.status();
    return absl::WrapUnique(new Activations(guest, *std::move(stacks)));
  }

  // An export with its own rule.
  template <class R, class... P>
  ActivationExport<Step<R, Guest>, P...> Export(Step<R, Guest> (Guest::*method)(P...),
                                                Reentry rule = Reentry::kAllow) {
    return Make(method, std::make_shared<activation_internal::Gate>(rule));
  }
  // An export that shares the rule of `other`: their calls count as calls of one export.
  template <class R, class... P, class S2, class... P2>
  ActivationExport<Step<R, Guest>, P...> Export(Step<R, Guest> (Guest::*method)(P...),
                                                const ActivationExport<S2, P2...>& other) {
    return Make(method, other.gate_);
  }

  // An export that can't suspend: a function object that returns an Outcome. It uses the guest's
  // own stack, or that of the call which is running. If it traps, the stack pointer is restored.
  template <class R, class... P>
  auto Export(Outcome<R> (Guest::*method)(P...)) {
    return [guest = &guest_, stacks = stacks_, method](P... arguments) -> Outcome<R> {
      activation_internal::Stack stack = stacks->Current();
      uint64_t outer = 0;
      const absl::Status entered = stacks->Enter(stack, outer);
      if (!entered.ok()) return Outcome<R>(entered);
      Outcome<R> outcome = (guest->*method)(arguments...);
      stacks->Leave(stack, outer);
      return outcome;
    };
  }

  // Calls in progress that have a stack: all that are not queued.
  uint32_t in_progress() const { return stacks_->in_use(); }
  // kSeparate: how many regions were made so far.
  uint32_t stacks_made() const { return stacks_->made(); }

 private:
  Activations(Guest& guest, std::shared_ptr<activation_internal::Stacks> stacks)
      : guest_(guest), stacks_(std::move(stacks)) {}
  template <class R, class... P>
  ActivationExport<Step<R, Guest>, P...> Make(Step<R, Guest> (Guest::*method)(P...),
                                              std::shared_ptr<activation_internal::Gate> gate) {
    return {stacks_, std::move(gate), [guest = &guest_, method](Step<R, Guest>& step, P... p) {
              step = (guest->*method)(p...);
              return absl::OkStatus();
            }};
  }

  Guest& guest_;
  std::shared_ptr<activation_internal::Stacks> stacks_;
};

// The same for the dynamic API, with exports by name.
class DynamicActivations {
 public:
  using Export_ = ActivationExport<DynamicStep, std::vector<Value>>;

  static absl::StatusOr<std::unique_ptr<DynamicActivations>> Create(
      DynamicInstance& instance, const ActivationOptions& options = {}) {
    auto stacks = activation_internal::Stacks::Create(instance, options);
    if (!stacks.ok()) return stacks.status();
    return absl::WrapUnique(new DynamicActivations(instance, *std::move(stacks)));
  }

  // Errors: no such function.
  absl::StatusOr<Export_> Export(absl::string_view name, Reentry rule = Reentry::kAllow) {
    return Make(name, std::make_shared<activation_internal::Gate>(rule));
  }
  absl::StatusOr<Export_> Export(absl::string_view name, const Export_& other) {
    return Make(name, other.gate_);
  }
  uint32_t in_progress() const { return stacks_->in_use(); }
  uint32_t stacks_made() const { return stacks_->made(); }

 private:
  DynamicActivations(DynamicInstance& instance, std::shared_ptr<activation_internal::Stacks> stacks)
      : instance_(instance), stacks_(std::move(stacks)) {}
  absl::StatusOr<Export_> Make(absl::string_view name,
                               std::shared_ptr<activation_internal::Gate> gate);

  DynamicInstance& instance_;
  std::shared_ptr<activation_internal::Stacks> stacks_;
};

}  // namespace fermata

#endif  // FERMATA_ACTIVATIONS_H_

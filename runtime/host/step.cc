// Calls in progress.
#include <stdlib.h>
#include <string.h>

#include <algorithm>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "fermata/core/frame.h"
#include "runtime/host/collect.h"
#include "runtime/host/js_string.h"
#include "runtime/host/state.h"
#include "runtime/os/hosted_context.h"

namespace fermata {
namespace {

bool GrowActivation(core::Activation* activation, uint32_t capacity) {
  internal::RequireStack();
  const uint64_t size =
      std::max<uint64_t>(capacity, std::min<uint64_t>(2ull * activation->capacity, 0xfffffff8u));
  void* frames = realloc(activation->frames, size);
  if (frames == nullptr) return false;
  activation->frames = static_cast<core::u8*>(frames);
  activation->capacity = static_cast<uint32_t>(size);
  return true;
}

constexpr absl::string_view kOutlived = "the call has outlived its store";

// What a collection may change or free.
bool IsCollected(const Value& value) {
  return core::IsRef(value.type) && value.type != ValType::kFuncRef;
}

// Nothing says that the functions of a restored call return what their callers expect: a caller
// that reads more than was returned must not find what other guests have left there.
void ForgetResults(core::Context& context) {
  std::fill_n(context.results, context.results_capacity, uint64_t{0});
}

}  // namespace

DynamicStep::State::~State() {
  // A step that is dropped is cancelled: the instance can be started again.
  if (starting != nullptr && held() && store() != nullptr) starting->state_->start_running = false;
  free(activation.frames);
  if (place_in_store != kNotListed) link->RemoveCall(*this);
  if (keeps_link) link->Release();
}

namespace internal {

StoreLink::Locked StoreLink::Lock() {
  Lists* lists = lists_.load(std::memory_order_acquire);
  if (lists == nullptr) {
    auto made = std::make_unique<Lists>();
    if (lists_.compare_exchange_strong(lists, made.get(), std::memory_order_acq_rel)) {
      lists = made.release();
    }
  }
  return Locked(*lists);
}

void StoreLink::AddCall(CallState& call) {
  Locked lists = Lock();
  call.place_in_store = static_cast<uint32_t>(lists->calls.size());
  lists->calls.push_back(&call);
}

void StoreLink::NoteRun(CallState& call) {
  Locked lists = Lock();
  if (call.place_among_ran != CallState::kNotListed) return;
  call.place_among_ran = static_cast<uint32_t>(lists->ran.size());
  lists->ran.push_back(&call);
}

void StoreLink::RemoveCall(CallState& call) {
  Locked lists = Lock();
  std::vector<CallState*>& calls = lists->calls;
  std::vector<CallState*>& ran = lists->ran;
  if (call.place_among_ran != CallState::kNotListed) {
    ran.back()->place_among_ran = call.place_among_ran;
    ran[call.place_among_ran] = ran.back();
    ran.pop_back();
    call.place_among_ran = CallState::kNotListed;
  }
  calls.back()->place_in_store = call.place_in_store;
  calls[call.place_in_store] = calls.back();
  calls.pop_back();
  call.place_in_store = CallState::kNotListed;
}

}  // namespace internal

inline DynamicStep::State::LocatedOp DynamicStep::State::Locate() const {
  const core::Footer footer = core::LastFooter(activation);
  const internal::StoreState& s = *store();
  const ModuleInfo& info = *s.store.instances[footer.instance]->module;
  DynamicInstance* const instance = s.dynamic[footer.instance];
  if (instance == nullptr) {
    return {footer.site, &info.imports[footer.site], nullptr,
            &s.host_made->module->by_site[footer.site]->signature};
  }
  const auto& bound = instance->state_->function_imports[info.site_details[footer.site].function];
  return {bound.import, &info.imports[bound.import], instance,   bound.signature,
          bound.type,   bound.answering != 0,        bound.owner};
}

void DynamicStep::State::List() {
  if (store()->heap == nullptr) return;
  KeepLink();
  if (place_in_store == kNotListed) link->AddCall(*this);
  link->NoteRun(*this);
}

// The call was left so that objects can be collected: runs it on. False: it has trapped.
bool DynamicStep::State::CollectAndResume(core::Context* context, core::Exit& exit) {
  internal::StoreState& s = *store();
  if (!internal::Collect(s, activation, s.store.wanted_bytes)) {
    Trapped(Trap::kHeapExhausted, "");
    return false;
  }
  exit = core::Resume(*context, activation, nullptr, 0);
  return true;
}

// The call may have been left by a builtin that had no room: collects and answers it, and runs the
// call on. False: it has trapped, or is suspended on an op of the host's.
bool DynamicStep::State::AnswerBuiltin(core::Context* context, core::Exit& exit) {
  internal::StoreState& s = *store();
  // Each time one more of its strings is made flat, and then one made.
  constexpr int kMostRounds = 8;
  for (int round = 0; round < kMostRounds; ++round) {
    const LocatedOp op = Locate();
    if (op.owner != internal::JsStringOwner()) return false;
    decoded = false;
    Decode();
    decoded = false;
    absl::InlinedVector<uint64_t, 4> slots;
    internal::AppendSlots(values, slots);
    const internal::BuiltinResult result =
        internal::CallJsString(s, {op.import->name.data, op.import->name.size}, slots.data());
    switch (result.outcome) {
      case internal::BuiltinOutcome::kDone:
        exit = core::Resume(*context, activation, &result.value, 1);
        return true;
      case internal::BuiltinOutcome::kTrap:
        Trapped(result.trap, "");
        return false;
      case internal::BuiltinOutcome::kNoRoom:
        if (internal::Collect(s, activation, result.wanted)) continue;
        Trapped(Trap::kHeapExhausted, "");
        return false;
    }
  }
  Trapped(Trap::kHeapExhausted, "");
  return false;
}

void DynamicStep::State::KeepLink() {
  if (keeps_link) return;
  keeps_link = true;
  link->Keep();
}

void DynamicStep::State::Hold(Phase how) {
  KeepLink();
  List();
  phase = how;
}

void DynamicStep::State::Begin(const core::Function& function, core::Invoke invoke,
                               absl::Span<const Value> arguments, internal::StoreState* state) {
  link = state->link;
  this->function = function.handle;
  activation.grow = GrowActivation;
  activation.store = &state->store;
  core::Context* context = internal::ThreadContext(state->max_results);
  if (context == nullptr) return Trapped(Trap::kCallStackExhausted, "");
  internal::StoreUse use(*state, context);
  if (!use.ok()) return Trapped(Trap::kHost, internal::StoreUse::kMessage);
  const internal::StackBudget budget(*context, state->limits.stack_bytes);
  phase = Phase::kRunning;
  absl::InlinedVector<uint64_t, 8> slots;
  internal::AppendSlots(arguments, slots);
  Take(core::Enter(*context, activation, function, invoke, slots.data()), context);
}

void DynamicStep::State::CollectIfDue() {
  internal::StoreState& s = *store();
  // A call that is suspended has its frames pushed: what that costs is paid.
  if (s.heap == nullptr || !(s.limits.heap_stress != 0 || s.heap->IsNearlyFull())) return;
  if (!core::HasNativeFrames(s.store)) internal::Collect(s, core::Activation{}, 0);
}

bool DynamicStep::State::SetFrames(const core::Activation& from) {
  activation.grow = GrowActivation;
  activation.store = &store()->store;
  activation.frames = static_cast<core::u8*>(malloc(from.size));
  if (activation.frames == nullptr) return false;
  memcpy(activation.frames, from.frames, from.size);
  activation.size = activation.capacity = from.size;
  activation.depth = from.depth;
  suspended_size = activation.size;
  return true;
}

// One of the functions that an instance starts with has returned: calls the next, if there is one.
bool DynamicStep::State::GoOnStarting(core::Context* context) {
  DynamicInstance::State& instance = *starting->state_;
  instance.Started();
  if (instance.due == 0) {
    instance.start_running = false;
    return false;
  }
  const core::Function& next = store()->functions[instance.NextToStart() - 1];
  function = next.handle;
  Take(core::Enter(*context, activation, next, store()->types.Find(next.type)->invoke, nullptr),
       context);
  return true;
}

// A call that has kept its link.
inline void DynamicStep::State::SuspendedAgain() {
  decoded = false;
  suspended_size = activation.size;
  phase = Phase::kSuspended;
}

void DynamicStep::State::Take(core::Exit exit, core::Context* context) {
  decoded = false;
  const bool objects = store()->heap != nullptr;
  while (objects && (exit == core::Exit::kCollect || exit == core::Exit::kSuspended)) {
    const bool collect = exit == core::Exit::kCollect;
    if (collect ? CollectAndResume(context, exit) : AnswerBuiltin(context, exit)) continue;
    if (collect || phase == Phase::kTrapped) return;
    break;
  }
  if (exit != core::Exit::kTrapped) suspended_size = activation.size;
  switch (exit) {
    case core::Exit::kSuspended:
      KeepLink();
      SuspendedAgain();
      if (!objects) return;
      List();
      CollectIfDue();
      return;
    case core::Exit::kReturned: {
      if (starting != nullptr && GoOnStarting(context)) return;
      phase = Phase::kFinished;
      // A single v128 takes two slots, and the way that several results take.
      const bool one = internal::SlotsOf(signature->results) == 1;
      values.clear();
      internal::AppendValues(
          signature->results,
          [&](uint32_t i) { return one ? activation.value : context->results[i]; }, values);
      if (std::any_of(values.begin(), values.end(), IsCollected)) List();
      return;
    }
    case core::Exit::kOutOfFuel:
      Hold(Phase::kOutOfFuel);
      CollectIfDue();
      return;
    case core::Exit::kInterrupted:
      Hold(Phase::kInterrupted);
      CollectIfDue();
      return;
    case core::Exit::kCollect:
      return;  // not after the loop above
    case core::Exit::kTrapped:
      if (activation.trap == Trap::kUncaughtException) {
        KeepThrown(activation.trapped.exception);
      }
      return Trapped(activation.trap, "");
  }
}

void DynamicStep::State::Trapped(Trap trap, absl::string_view text) {
  if (phase != Phase::kRunning) activation.trapped.size = activation.size;
  KeepLink();
  phase = Phase::kTrapped;
  activation.trap = trap;
  activation.size = 0;
  activation.depth = 0;
  if (failure == nullptr) failure = std::make_unique<Failure>();
  failure->message = std::string(text.empty() ? absl::string_view(TrapMessage(trap)) : text);
  if (starting != nullptr && store() != nullptr) starting->state_->start_running = false;
}

void DynamicStep::State::KeepThrown(core::ref exception) {
  if (exception == 0) return;
  const core::Exception& e = store()->store.exceptions[exception - 1];
  failure = std::make_unique<Failure>();
  failure->thrown = Thrown{e.tag, {}};
  internal::AppendValues(
      internal::SignatureOfType((*store()->tags)[e.tag]).params,
      [&](uint32_t i) { return e.values[i]; }, failure->thrown->values);
  List();
}

void DynamicStep::State::Decode() const {
  if (decoded) return;
  decoded = true;
  const LocatedOp op = Locate();
  import_index = op.import_index;
  const core::Footer footer = core::LastFooter(activation);
  values.clear();
  const core::u8* frame = activation.frames + activation.size - footer.words * core::kFrameWord;
  internal::AppendValues(
      op.signature->params, [&](uint32_t i) { return core::frame_get64(frame, 8 * i); }, values);
}

// What was decoded is the step's own, whatever became of the store.
bool DynamicStep::State::FindOp() const {
  if (phase != Phase::kSuspended) return false;
  if (decoded) return true;
  if (store() == nullptr) return false;
  Decode();
  return true;
}

DynamicStep::DynamicStep() = default;
DynamicStep::DynamicStep(DynamicStep&&) noexcept = default;
DynamicStep& DynamicStep::operator=(DynamicStep&&) noexcept = default;
DynamicStep::~DynamicStep() = default;

// Asked each time that a call runs on, so it is a load and a compare where the state is held.
bool DynamicStep::finished() const { return state_ && state_->phase == State::Phase::kFinished; }
bool DynamicStep::suspended() const { return state_ && state_->Is(State::Phase::kSuspended); }
bool DynamicStep::out_of_fuel() const { return state_ && state_->Is(State::Phase::kOutOfFuel); }
bool DynamicStep::interrupted() const { return state_ && state_->Is(State::Phase::kInterrupted); }
bool DynamicStep::trapped() const {
  return state_ && (state_->phase == State::Phase::kTrapped || state_->outlived());
}

absl::Status DynamicStep::Not(absl::string_view state) const {
  return absl::FailedPreconditionError(
      state_ && state_->outlived() ? kOutlived : absl::StrCat("the call is not ", state));
}

absl::Span<const Value> DynamicStep::results() const {
  return finished() ? absl::MakeConstSpan(state_->values) : absl::Span<const Value>();
}
Trap DynamicStep::trap() const {
  if (!trapped()) return Trap::kNone;
  return state_->outlived() ? Trap::kHost : state_->activation.trap;
}
const std::string& DynamicStep::message() const {
  static const std::string* none = new std::string;
  static const std::string* outlived = new std::string(kOutlived);
  if (state_ && state_->outlived()) return *outlived;
  return state_ && state_->failure != nullptr ? state_->failure->message : *none;
}
const Thrown* DynamicStep::exception() const {
  return trapped() && state_->failure != nullptr && state_->failure->thrown
             ? &*state_->failure->thrown
             : nullptr;
}

const core::ImportInfo& DynamicStep::op() const {
  static const core::ImportInfo none = {};
  return suspended() ? *state_->Locate().import : none;
}
absl::string_view DynamicStep::op_module() const {
  const core::ImportInfo& import = op();
  return {import.module.data, import.module.size};
}
absl::string_view DynamicStep::op_name() const {
  const core::ImportInfo& import = op();
  return {import.name.data, import.name.size};
}
uint32_t DynamicStep::op_import() const {
  if (!state_ || !state_->FindOp()) return ~0u;
  return state_->import_index;
}
DynamicInstance* DynamicStep::op_instance() const {
  return suspended() ? state_->Locate().instance : nullptr;
}
const std::vector<Value>& DynamicStep::op_arguments() const {
  static const std::vector<Value>* none = new std::vector<Value>;
  if (!state_ || !state_->FindOp()) return *none;
  return state_->values;
}

bool DynamicStep::op_is_decoded() const { return state_ && state_->decoded; }

bool DynamicStep::op_bound() const { return suspended() && state_->Locate().bound; }
const void* DynamicStep::op_owner() const { return suspended() ? state_->Locate().owner : nullptr; }

// The op of `module` that the call is suspended on.
inline DynamicStep::RawOp DynamicStep::State::OpOf(const ModuleInfo& module) const {
  const core::Footer footer = core::LastFooter(activation);
  if (store()->store.instances[footer.instance]->module != &module) return {};
  return {module.site_details[footer.site].function,
          activation.frames + activation.size - footer.words * core::kFrameWord};
}

DynamicStep::RawOp DynamicStep::op_of(const ModuleInfo& module) const {
  return suspended() ? state_->OpOf(module) : RawOp{};
}

// Suspended or paused: what the round trip of a call consists of, beside the guest's own.
FERMATA_INLINE absl::Status DynamicStep::State::RoundTrip(absl::Span<const uint64_t> results) {
  internal::StoreState& store = *this->store();
  core::Context* context = internal::ThreadContext(store.max_results);
  if (context == nullptr) return absl::ResourceExhaustedError("no memory for the thread's context");
  internal::StoreUse use(store, context);
  if (!use.ok()) return use.status();
  const internal::StackBudget budget(*context, store.limits.stack_bytes);
  // A host function called by the guest must not resume or cancel the call that it is part of.
  phase = Phase::kRunning;
  if (restored) ForgetResults(*context);
  const core::Exit exit =
      core::Resume(*context, activation, results.data(), static_cast<uint32_t>(results.size()));
  if (exit == core::Exit::kSuspended && store.heap == nullptr) {
    SuspendedAgain();
  } else {
    Take(exit, context);
  }
  return absl::OkStatus();
}

absl::Status DynamicStep::State::RunOn(absl::Span<const uint64_t> results) {
  return RoundTrip(results);
}

DynamicStep::RawOp DynamicStep::ResumeWithSlots(absl::Span<const uint64_t> slots,
                                                const ModuleInfo& module, absl::Status& status) {
  if (!suspended()) {
    status = Not("suspended");
    return {};
  }
  State& s = *state_;
  absl::Status ran = s.RoundTrip(slots);
  if (!ran.ok()) {
    status = std::move(ran);
    return {};
  }
  return s.phase == State::Phase::kSuspended ? s.OpOf(module) : RawOp{};
}

absl::Status DynamicStep::Resume(absl::Span<const Value> results) {
  if (!suspended()) return Not("suspended");
  State& s = *state_;
  internal::StoreState& store = *s.store();
  const State::LocatedOp op = s.Locate();
  absl::Span<const core::RefType> refs;
  if (store.heap != nullptr && op.type != core::kNoType) {
    refs = absl::MakeConstSpan(internal::RefsOfType(op.type));
    refs.remove_prefix(std::min(refs.size(), op.signature->params.size()));
  }
  const std::string misfit =
      internal::Misfit(store, "result", op.signature->results, results, refs);
  if (!misfit.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(op_module(), ".", op_name(), ": ", misfit));
  }
  absl::InlinedVector<uint64_t, 4> slots;
  internal::AppendSlots(results, slots);
  return s.RunOn(slots);
}

absl::Status DynamicStep::Continue() { return paused() ? state_->RunOn({}) : Not("paused"); }

absl::Status DynamicStep::Refuel(uint64_t fuel) {
  if (!paused()) return Not("paused");
  StoreHandle& store = *state_->store()->handle;
  store.SetFuel(store.fuel() + std::min(fuel, ~uint64_t{0} - store.fuel()));
  return state_->RunOn({});
}

absl::Status DynamicStep::Throw(absl::string_view message) {
  if (!suspended()) return Not("suspended");
  state_->Trapped(Trap::kHost, message);
  return absl::OkStatus();
}

absl::Status DynamicStep::Throw(uint32_t tag, absl::Span<const Value> values) {
  if (!suspended()) return Not("suspended");
  State& s = *state_;
  internal::StoreState& store = *s.store();
  if (tag >= store.tags->size()) {
    return absl::InvalidArgumentError(absl::StrCat("no tag has the number ", tag));
  }
  const uint32_t type = (*store.tags)[tag];
  const std::string misfit = internal::Misfit(
      store, "value", internal::SignatureOfType(type).params, values, internal::RefsOfType(type));
  if (!misfit.empty()) return absl::InvalidArgumentError(misfit);
  absl::InlinedVector<uint64_t, 4> slots;
  internal::AppendSlots(values, slots);
  core::Context* context = internal::ThreadContext(store.max_results);
  if (context == nullptr) return absl::ResourceExhaustedError("no memory for the thread's context");
  internal::StoreUse use(store, context);
  if (!use.ok()) return use.status();
  const internal::StackBudget budget(*context, store.limits.stack_bytes);
  s.phase = State::Phase::kRunning;
  if (s.restored) ForgetResults(*context);
  s.Take(core::ResumeThrow(*context, s.activation, tag, slots.data(),
                           static_cast<uint32_t>(slots.size())),
         context);
  return absl::OkStatus();
}

void DynamicStep::Cancel() {
  if (state_ && state_->held()) state_->Trapped(Trap::kCancelled, "");
}

uint32_t DynamicStep::frame_bytes() const { return held() ? state_->activation.size : 0; }
uint32_t DynamicStep::depth() const { return held() ? state_->activation.depth : 0; }
core::Activation* DynamicStep::raw_activation() { return held() ? &state_->activation : nullptr; }
const Signature& DynamicStep::signature() const {
  static const Signature* none = new Signature;
  return state_ && state_->signature != nullptr ? *state_->signature : *none;
}

absl::StatusOr<DynamicStep> DynamicStep::Clone() const {
  if (!held()) return Not("suspended");
  if (state_->starting != nullptr) {
    return absl::FailedPreconditionError("a start function runs once");
  }
  DynamicStep copy;
  copy.state_ = std::make_unique<State>();
  State& c = *copy.state_;
  c.link = state_->link;
  c.Hold(state_->phase);
  c.function = state_->function;
  c.restored = state_->restored;
  c.signature = state_->signature;
  if (!c.SetFrames(state_->activation)) {
    return absl::ResourceExhaustedError("no memory for the frames of a call");
  }
  return copy;
}

}  // namespace fermata

// Stores: their instances and functions, and what the host makes itself.
#include <string.h>

#include <algorithm>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "fermata/core/frame.h"
#include "runtime/host/state.h"
#include "runtime/os/faults.h"
#include "runtime/os/hosted_context.h"

namespace fermata {
namespace internal {
namespace {

// Faults in the host's own code are the host's, even if it touches a guest's memory.
class InHost {
 public:
  explicit InHost(core::Context& context) : context_(context), running_(context.activation) {
    context.activation = nullptr;
  }
  ~InHost() { context_.activation = running_; }
  InHost(const InHost&) = delete;

 private:
  core::Context& context_;
  core::Activation* running_;
};

// HostInstance::call of host-made functions.
void CallHost(core::HostInstance* base, const uint64_t* arguments, uint64_t* results) {
  auto* self = static_cast<HostFunctionInstance*>(base);
  core::Instance* anchor = &self->state->host_made->module->instance;
  self->context = anchor->context;
  if (self->code == nullptr) {
    core::u8* frame = core::PushOp(anchor, self->site, self->param_slots);
    for (uint32_t i = 0; i < self->param_slots; ++i) {
      core::frame_put64(frame, 8 * i, arguments[i]);
    }
    return;
  }
  RequireStack();
  Trap trap;
  {
    const InHost in_host(*anchor->context);
    trap = self->code(absl::MakeConstSpan(arguments, self->param_slots),
                      absl::MakeSpan(results, self->result_slots));
  }
  if (trap != Trap::kNone) core::RaiseTrapIn(*anchor->context, trap);
}

bool IsBefore(const std::pair<uint32_t, const core::FuncType*>& a,
              const std::pair<uint32_t, const core::FuncType*>& b) {
  return a.first < b.first;
}

// Functions whose type no module of the store has can't be called by one.
void CallUnknown() {}

core::ref Keep(core::Store* store, uint32_t tag, const uint64_t* values, uint32_t payload) {
  RequireStack();
  auto* state = static_cast<StoreState*>(store->owner);
  const auto is_object = [](ValType type) {
    return core::IsRef(type) && type != ValType::kFuncRef;
  };
  const bool objects = state->heap != nullptr && tag < state->tags->size() &&
                       absl::c_any_of(SignatureOfType((*state->tags)[tag]).params, is_object);
  Exceptions& exceptions = state->exceptions.Make();
  const core::ref handle = exceptions.Keep(tag, values, payload, state->limits.exceptions, objects);
  // Those that nobody refers to any more are found by a collection only.
  constexpr uint32_t kMany = 10000;
  if (objects && exceptions.kept_since() >= kMany) state->heap->RequestCollection(/*major=*/true);
  store->exceptions = exceptions.data();
  store->exception_count = exceptions.size();
  return handle;
}

// A fault in the heap of the running store, where null leads and a host's word that is no reference,
// or in a memory whose accesses are not checked.
Trap MeaningOfFault(const core::Context& context, const void* address) {
  const auto* state = static_cast<const StoreState*>(context.activation->store->owner);
  if (state->heap != nullptr && state->heap->Covers(address)) {
    return state->heap->IsInNull(address) ? Trap::kNullReference : Trap::kMemoryOutOfBounds;
  }
  const bool owned = absl::c_any_of(state->memories, [&](const auto& memory) {
    return memory->policy() == core::MemoryPolicy::kReserved && memory->Covers(address);
  });
  return owned ? Trap::kMemoryOutOfBounds : Trap::kNone;
}

}  // namespace

void CallAnswering(core::HostInstance* base, const uint64_t* arguments, uint64_t* results) {
  auto* self = static_cast<AnsweringInstance*>(base);
  core::Instance* caller = self->caller->raw();
  self->context = caller->context;
  RequireStack();
  HostReply reply;
  {
    const InHost in_host(*caller->context);
    reply = self->answer(*self->caller, absl::MakeConstSpan(arguments, self->param_slots),
                         absl::MakeSpan(results, self->result_slots));
  }
  if (reply.kind == HostReply::kAnswered) return;
  if (reply.kind == HostReply::kTrap || self->immediate) {
    core::RaiseTrapIn(*caller->context, reply.kind == HostReply::kTrap ? reply.trap : Trap::kHost);
  }
  core::u8* frame = core::PushOp(caller, self->site, self->param_slots);
  for (uint32_t i = 0; i < self->param_slots; ++i) core::frame_put64(frame, 8 * i, arguments[i]);
}

uint32_t StoreState::Register(core::Instance* instance, DynamicInstance* owner) {
  instance->index = static_cast<uint32_t>(instances.size());
  instance->store = &store;
  instance->interrupt = store.interrupt;
  instances.push_back(instance);
  dynamic.push_back(owner);
  store.instances = instances.data();
  store.instance_count = static_cast<uint32_t>(instances.size());
  return instance->index;
}

core::ref StoreState::Register(const core::Function& function, FunctionTraits has) {
  functions.push_back(function);
  traits.push_back(has);
  store.functions = functions.data();
  store.function_count = static_cast<uint32_t>(functions.size());
  return store.function_count;
}

bool StoreState::IsUsable(const core::Instance& instance) const {
  // Functions of the host have instances that are none of these.
  const uint32_t i = instance.index;
  return i >= instances.size() || instances[i] != &instance || dynamic[i] == nullptr ||
         !dynamic[i]->state_->unusable;
}

void TypeCodes::Learn(const ModuleInfo& info, const uint32_t* canonical) {
  const size_t known = sorted_.size();
  for (uint32_t t = 0; t < info.type_count; ++t) {
    const auto end = sorted_.begin() + known;
    const std::pair<uint32_t, const core::FuncType*> added(canonical[t], &info.types[t]);
    const auto at = std::lower_bound(sorted_.begin(), end, added, IsBefore);
    if (at == end || at->first != canonical[t]) sorted_.push_back(added);
  }
  const auto middle = sorted_.begin() + known;
  std::stable_sort(middle, sorted_.end(), IsBefore);
  std::inplace_merge(sorted_.begin(), middle, sorted_.end(), IsBefore);
  const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
  sorted_.erase(std::unique(sorted_.begin(), sorted_.end(), same), sorted_.end());
}

const core::FuncType* TypeCodes::Find(uint32_t type) const {
  const auto at =
      std::lower_bound(sorted_.begin(), sorted_.end(),
                       std::pair<uint32_t, const core::FuncType*>(type, nullptr), IsBefore);
  return at == sorted_.end() || at->first != type ? nullptr : at->second;
}

void StoreState::LearnTypes(const ModuleInfo& info, const uint32_t* canonical) {
  types.Learn(info, canonical);
  for (const auto& host : host_made->functions) {
    core::Function& function = functions[host->handle - 1];
    const core::FuncType* const type = types.Find(function.type);
    if (type == nullptr || function.code != CallUnknown) continue;
    function.code = type->host;
    for (const auto& table : tables) {
      if (table->table()->type != ValType::kFuncRef) continue;
      for (uint32_t i = 0; i < table->table()->size; ++i) {
        if (table->table()->functions[i].handle == host->handle) {
          table->table()->functions[i] = function;
        }
      }
    }
  }
}

// Before there were objects, hosts could choose any words as references.
bool StoreState::HasUntaggedReferences() const {
  const auto untagged = [](ValType type, core::ref word) {
    return (type == ValType::kAnyRef || type == ValType::kExternRef) && word != 0 &&
           (word & core::kTagMask) == 0;
  };
  for (const auto& storage : tables) {
    const core::Table& table = *storage->table();
    if (table.type == ValType::kFuncRef) continue;
    for (uint32_t i = 0; i < table.size; ++i) {
      if (untagged(table.type, table.refs[i])) return true;
    }
  }
  for (const auto& cell : host_made->globals) {
    core::ref word;
    memcpy(&word, cell->words, sizeof word);
    if (untagged(cell->type, word)) return true;
  }
  for (const core::Instance* instance : instances) {
    const ModuleInfo& module = *instance->module;
    for (uint32_t i = 0; i < module.global_count; ++i) {
      const core::GlobalInfo& global = module.globals[i];
      if (global.imported || !core::IsRef(global.type)) continue;
      core::ref word;
      memcpy(&word, reinterpret_cast<const uint8_t*>(instance) + global.offset, sizeof word);
      if (untagged(global.type, word)) return true;
    }
  }
  return false;
}

absl::Status StoreState::MakeHeap() {
  if (heap != nullptr) return absl::OkStatus();
  if (HasUntaggedReferences()) {
    return absl::FailedPreconditionError(
        "the store holds references of the host that are not tagged (fermata/core/objects.h)");
  }
  absl::StatusOr<std::unique_ptr<Heap>> made = Heap::Make(limits);
  if (!made.ok()) return made.status();
  heap = *std::move(made);
  exceptions.Make().BeCollected();
  store.grow = [](core::HeapStore* of, uint64_t bytes, bool must) {
    return static_cast<StoreState*>(of->owner)->heap->Grow(bytes, must);
  };
  return absl::OkStatus();
}

void StoreState::AddHostInstance() {
  std::unique_ptr<HostModule>& host = host_made.Make().module;
  if (host != nullptr) return;
  host = std::make_unique<HostModule>();
  host->module.abi_version = core::kAbiVersion;
  host->module.name = "#host";
  host->instance.module = &host->module;
  Register(&host->instance, nullptr);
}

void StoreState::AddHostSite(HostFunctionInstance& function) {
  HostModule& h = *host_made->module;
  function.site = static_cast<uint32_t>(h.sites.size());
  for (ValType t : function.signature.params) function.letters += core::LetterOf(t);
  h.sites.push_back({nullptr, 0, false});
  h.words.push_back(static_cast<uint16_t>(2 * function.param_slots + 2));
  h.details.push_back({function.site, 0, function.letters.c_str()});
  h.by_site.push_back(&function);
  h.imports.push_back({{"#host", 5},
                       {function.name.data(), static_cast<uint32_t>(function.name.size())},
                       ExternKind::kFunction,
                       function.site,
                       nullptr,
                       function.site});
  h.module.imports = h.imports.data();
  h.module.import_count = static_cast<uint32_t>(h.imports.size());
  h.module.sites = h.sites.data();
  h.module.site_words = h.words.data();
  h.module.site_details = h.details.data();
  h.module.site_count = static_cast<uint32_t>(h.sites.size());
}

void StoreState::MakeRoom(const Signature& signature) {
  max_results = std::max({max_results, SlotsOf(signature.params), SlotsOf(signature.results)});
}

}  // namespace internal

StoreHandle::StoreHandle(const Limits& limits) : state_(std::make_unique<State>()) {
  internal::SetFaultMeaning(internal::MeaningOfFault);
  state_->handle = this;
  state_->limits = limits;
  state_->store.limits = {limits.frame_bytes, limits.call_depth};
  state_->store.interrupt = state_->link->interrupt();
  SetFuel(limits.fuel == 0 ? ~uint64_t{0} : limits.fuel);
  state_->store.owner = static_cast<internal::StoreState*>(state_.get());
  state_->store.keep = internal::Keep;
  state_->store.is_subtype = [](const core::Store*, uint32_t type, uint32_t wanted) {
    return internal::IsSubtype(type, wanted);
  };
}
StoreHandle::~StoreHandle() = default;

std::vector<DynamicInstance*> StoreHandle::instances() const {
  std::vector<DynamicInstance*> result;
  for (const auto& instance : state_->owned) result.push_back(instance.get());
  return result;
}

core::Store* StoreHandle::raw() { return &state_->store; }
Interrupter StoreHandle::interrupter() const {
  internal::StoreLink* const link = state_->link;
  link->Keep();
  return Interrupter(
      std::shared_ptr<uint32_t>(link->interrupt(), [link](uint32_t*) { link->Release(); }));
}
uint64_t StoreHandle::fuel() const { return static_cast<uint64_t>(state_->store.fuel); }
void StoreHandle::SetFuel(uint64_t fuel) {
  state_->store.fuel = static_cast<int64_t>(std::min<uint64_t>(fuel, INT64_MAX));
}

absl::StatusOr<Signature> StoreHandle::SignatureOf(core::ref function) const {
  if (function == 0 || function > state_->functions.size()) {
    return absl::InvalidArgumentError(absl::StrCat("no function has the handle ", function));
  }
  return internal::SignatureOfType(state_->functions[function - 1].type);
}

absl::StatusOr<Signature> StoreHandle::SignatureOfTag(uint32_t tag) const {
  if (tag >= state_->tags->size()) {
    return absl::InvalidArgumentError(absl::StrCat("no tag has the number ", tag));
  }
  return internal::SignatureOfType((*state_->tags)[tag]);
}

absl::StatusOr<Extern> StoreHandle::MakeFunction(absl::string_view name, const Signature& signature,
                                                 HostFunction code) {
  State& s = *state_;
  s.AddHostInstance();
  auto host = std::make_unique<internal::HostFunctionInstance>();
  static_cast<core::HostInstance&>(*host) = {};
  host->store = &s.store;
  host->module = &s.host_made->module->module;
  host->call = internal::CallHost;
  host->state = &s;
  host->name = std::string(name);
  host->signature = signature;
  host->code = std::move(code);
  host->param_slots = internal::SlotsOf(signature.params);
  host->result_slots = internal::SlotsOf(signature.results);
  const bool suspends = host->code == nullptr;
  s.MakeRoom(signature);
  const uint32_t type = internal::CanonicalType(signature);
  const core::FuncType* const known = s.types.Find(type);
  core::Function function = {known == nullptr ? internal::CallUnknown : known->host, host.get(),
                             type, static_cast<core::ref>(s.functions.size() + 1)};
  host->handle = s.Register(function, {suspends, /*may_throw=*/false});
  if (suspends) s.AddHostSite(*host);
  s.Add(State::Made::kFunction, s.host_made->functions.size());
  s.host_made.Make().functions.push_back(std::move(host));
  Extern result;
  result.kind = ExternKind::kFunction;
  result.store = &state_->store;
  result.function = function;
  result.signature = signature;
  result.may_suspend = suspends;
  return result;
}

absl::StatusOr<Extern> StoreHandle::MakeMemory(const core::SizeLimitsInfo& limits,
                                               core::MemoryPolicy policy) {
  auto memory = internal::MakeMemory(limits, policy, state_->limits.memory_pages);
  if (!memory.ok()) return memory.status();
  Extern result;
  result.kind = ExternKind::kMemory;
  result.store = &state_->store;
  result.memory = (*memory)->memory();
  result.memory_limits = limits;
  if (limits.shared) result.shared_memory = *memory;
  state_->Add(State::Made::kMemory, state_->memories.size());
  state_->memories.push_back(*std::move(memory));
  return result;
}

absl::StatusOr<Extern> StoreHandle::MakeTable(ValType type, const core::SizeLimitsInfo& limits) {
  const core::RefType ref = internal::AbstractRef(type);
  if (ref.heap == 0)
    return absl::InvalidArgumentError("the elements of a table must be references");
  auto table = internal::TableStorage::Make(type, ref, limits, state_->limits.table_elements);
  if (!table.ok()) return table.status();
  Extern result;
  result.ref = ref;
  result.kind = ExternKind::kTable;
  result.store = &state_->store;
  result.table = (*table)->table();
  result.table_limits = limits;
  state_->Add(State::Made::kTable, state_->tables.size());
  state_->tables.push_back(*std::move(table));
  return result;
}

absl::StatusOr<Extern> StoreHandle::MakeGlobal(Value value, bool mut) {
  const std::string misfit = internal::Misfit(*state_, "initial value", {value.type}, {&value, 1});
  if (!misfit.empty()) return absl::InvalidArgumentError(misfit);
  Extern result;
  result.kind = ExternKind::kGlobal;
  result.store = &state_->store;
  state_->Add(State::Made::kGlobal, state_->host_made->globals.size());
  auto cell = std::make_unique<internal::GlobalCell>();
  cell->type = value.type;
  cell->mut = mut;
  result.global = {value.type, mut, cell->words};
  state_->host_made.Make().globals.push_back(std::move(cell));
  result.global.Set(value);
  result.ref = internal::RefOfHostGlobal(value.type, value.low, mut);
  return result;
}

absl::StatusOr<Extern> StoreHandle::MakeTag(const Signature& signature) {
  if (!signature.results.empty()) return absl::InvalidArgumentError("a tag can't have results");
  state_->MakeRoom(signature);
  Extern result;
  result.kind = ExternKind::kTag;
  result.store = &state_->store;
  result.signature = signature;
  result.tag = static_cast<uint32_t>(state_->tags->size());
  state_->Add(State::Made::kTag, result.tag);
  state_->tags.Make().push_back(internal::CanonicalType(signature));
  return result;
}

absl::StatusOr<DynamicStep> StoreHandle::CallRef(core::ref function,
                                                 absl::Span<const Value> arguments) {
  if (function == 0 || function > state_->functions.size()) {
    return absl::InvalidArgumentError(function == 0
                                          ? "the reference to call is null"
                                          : absl::StrCat("no function has the handle ", function));
  }
  const core::Function& f = state_->functions[function - 1];
  const core::FuncType* const type = state_->types.Find(f.type);
  if (type == nullptr) {
    return absl::FailedPreconditionError("no module of the store has a function of this type");
  }
  const Signature& signature = internal::SignatureOfType(f.type);
  absl::Span<const core::RefType> refs;
  if (state_->heap != nullptr) refs = absl::MakeConstSpan(internal::RefsOfType(f.type));
  const std::string misfit =
      internal::Misfit(*state_, "argument", signature.params, arguments, refs);
  if (!misfit.empty()) return absl::InvalidArgumentError(misfit);
  DynamicStep step;
  step.state_ = std::make_unique<DynamicStep::State>();
  step.state_->signature = &signature;
  step.state_->Begin(f, type->invoke, arguments, state_.get());
  return step;
}

}  // namespace fermata

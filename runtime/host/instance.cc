// Instances: looking up exports and calling them.
#include <algorithm>
#include <new>

#include "absl/strings/str_cat.h"
#include "runtime/host/state.h"

namespace fermata {
namespace {

// Of StoreState::unusable.
absl::Status Unusable() {
  return absl::FailedPreconditionError("the instance's initialization has trapped");
}

absl::Status NotFound(const ModuleInfo& info, absl::string_view what, absl::string_view name) {
  return absl::NotFoundError(absl::StrCat(info.name, ": no export \"", name, "\"", what));
}

}  // namespace

DynamicInstance::State::~State() {
  if (instance != nullptr) ::operator delete(static_cast<void*>(instance), alignment());
}
DynamicInstance::DynamicInstance() : state_(std::make_unique<State>()) {}
DynamicInstance::~DynamicInstance() = default;

const ModuleInfo& DynamicInstance::info() const { return *state_->info; }
StoreHandle* DynamicInstance::store() const { return state_->store; }
core::Instance* DynamicInstance::raw() const { return state_->instance; }
bool DynamicInstance::start_pending() const { return state_->due != 0; }

namespace {

absl::string_view NameOf(const core::ExportInfo& e) { return {e.name.data, e.name.size}; }

// One after the other. Null: there is none.
const core::ExportInfo* SearchExports(const ModuleInfo& info, absl::string_view name) {
  const auto exports = absl::MakeConstSpan(info.exports, info.export_count);
  const auto found = std::find_if(exports.begin(), exports.end(),
                                  [&](const core::ExportInfo& e) { return NameOf(e) == name; });
  return found == exports.end() ? nullptr : &*found;
}

}  // namespace

const core::ExportInfo* DynamicInstance::State::FindExport(absl::string_view name) {
  constexpr uint32_t kFew = 8;
  if (info->export_count <= kFew) return SearchExports(*info, name);
  if (exports == nullptr) {
    exports = std::make_unique<decltype(exports)::element_type>();
    for (uint32_t i = 0; i < info->export_count; ++i) {
      (*exports)[NameOf(info->exports[i])] = &info->exports[i];
    }
  }
  const auto it = exports->find(name);
  return it == exports->end() ? nullptr : it->second;
}

uint32_t DynamicInstance::State::Initialize() const {
  const auto function = [&](absl::string_view name) {
    const core::ExportInfo* const e = SearchExports(*info, name);
    return e == nullptr || e->kind != ExternKind::kFunction ? core::kNoFunction : e->index;
  };
  const uint32_t found = function("_initialize");
  if (found == core::kNoFunction || function("_start") != core::kNoFunction) {
    return core::kNoFunction;
  }
  const core::FuncType& type = info->types[info->functions[found].type];
  return type.param_count == 0 && type.result_count == 0 ? found : core::kNoFunction;
}

absl::StatusOr<DynamicStep> DynamicInstance::Call(absl::string_view name,
                                                  absl::Span<const Value> arguments) {
  const core::ExportInfo* const e = state_->FindExport(name);
  if (e == nullptr || e->kind != ExternKind::kFunction) {
    return NotFound(info(), " that is a function", name);
  }
  absl::StatusOr<DynamicStep> step = CallFunction(e->index, arguments);
  if (!step.ok()) {
    return absl::Status(step.status().code(),
                        absl::StrCat(info().name, ": ", name, ": ", step.status().message()));
  }
  return step;
}

absl::StatusOr<DynamicStep> DynamicInstance::CallFunction(uint32_t function,
                                                          absl::Span<const Value> arguments) {
  if (state_->due != 0) {
    return absl::FailedPreconditionError("the instance has not started: see Start()");
  }
  if (state_->unusable) return Unusable();
  if (function >= info().function_count) return absl::InvalidArgumentError("no such function");
  return state_->store->CallRef(state_->HandleOf(function), arguments);
}

absl::StatusOr<DynamicStep> DynamicInstance::Start() {
  if (state_->due == 0) return absl::FailedPreconditionError("the instance has started");
  if (state_->start_running) {
    return absl::FailedPreconditionError("the instance is starting already");
  }
  StoreHandle::State& store = *state_->store->state_;
  if (state_->unusable) return Unusable();
  const core::Function& f = store.functions[state_->NextToStart() - 1];
  DynamicStep step;
  step.state_ = std::make_unique<DynamicStep::State>();
  step.state_->signature = &internal::SignatureOfType(f.type);
  step.state_->starting = this;
  state_->start_running = true;
  step.state_->Begin(f, store.types.Find(f.type)->invoke, {}, &store);
  return step;
}

absl::StatusOr<Extern> DynamicInstance::Find(absl::string_view name) {
  if (state_->unusable) return Unusable();
  const core::ExportInfo* const found = state_->FindExport(name);
  if (found == nullptr) return NotFound(info(), "", name);
  const core::ExportInfo& e = *found;
  StoreHandle::State& store = *state_->store->state_;
  Extern result;
  result.kind = e.kind;
  result.store = &store.store;
  switch (e.kind) {
    case ExternKind::kFunction: {
      const core::ref handle = state_->HandleOf(e.index);
      result.function = store.functions[handle - 1];
      result.signature = internal::SignatureOfType(result.function.type);
      result.may_suspend = store.traits[handle - 1].may_suspend;
      result.may_throw = store.traits[handle - 1].may_throw;
      break;
    }
    case ExternKind::kTable: {
      result.table = *state_->Field<core::Table*>(info().tables[e.index].offset);
      const auto* storage = static_cast<internal::TableStorage*>(result.table->owner);
      result.table_limits = storage->limits();
      result.ref = storage->ref();
      break;
    }
    case ExternKind::kMemory: {
      result.memory = state_->Field<core::MemoryField>(info().memories[e.index].offset)->memory;
      auto* storage = static_cast<internal::MemoryStorage*>(result.memory->owner);
      result.memory_limits = storage->limits();
      if (result.memory->shared != 0) result.shared_memory = storage->shared_from_this();
      break;
    }
    case ExternKind::kGlobal: {
      const core::GlobalInfo& g = info().globals[e.index];
      uint64_t* field = state_->Field<uint64_t>(g.offset);
      result.global = {g.type, g.mut, g.imported ? *state_->Field<uint64_t*>(g.offset) : field};
      result.ref = state_->global_refs[e.index];
      break;
    }
    case ExternKind::kTag:
      result.tag = *state_->Field<uint32_t>(info().tags[e.index].offset);
      result.signature = internal::SignatureOfType((*store.tags)[result.tag]);
      break;
  }
  return result;
}

absl::StatusOr<Memory> DynamicInstance::FindMemory(absl::string_view name) {
  absl::StatusOr<Extern> e = Find(name);
  if (!e.ok()) return e.status();
  if (e->kind != ExternKind::kMemory) return NotFound(info(), " that is a memory", name);
  return Memory(e->memory);
}
absl::StatusOr<Table> DynamicInstance::FindTable(absl::string_view name) {
  absl::StatusOr<Extern> e = Find(name);
  if (!e.ok()) return e.status();
  if (e->kind != ExternKind::kTable) return NotFound(info(), " that is a table", name);
  return Table(state_->store, e->table);
}
absl::StatusOr<Global> DynamicInstance::FindGlobal(absl::string_view name) {
  absl::StatusOr<Extern> e = Find(name);
  if (!e.ok()) return e.status();
  if (e->kind != ExternKind::kGlobal) return NotFound(info(), " that is a global", name);
  return e->global;
}

}  // namespace fermata

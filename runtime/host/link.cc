// Instantiation (specification §4.5.4): imports are matched against what is provided, storage is
// made, own globals and segments are initialized, the start function is run.
#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <bit>
#include <new>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "fermata/core/memory.h"
#include "runtime/host/state.h"
#include "runtime/os/hosted_context.h"

namespace fermata {
namespace {

absl::string_view View(const core::Text& text) { return {text.data, text.size}; }

std::string Describe(absl::Span<const ValType> types) {
  std::string text = "[";
  for (ValType t : types) {
    if (text.size() > 1) text += ' ';
    text += core::NameOf(t);
  }
  return text + "]";
}

// The import's limits admit a memory or table of `size` units with this declared maximum.
bool Admits(const core::SizeLimitsInfo& wanted, uint64_t size,
            const core::SizeLimitsInfo& declared) {
  if (size < wanted.min || wanted.is64 != declared.is64 || wanted.shared != declared.shared) {
    return false;
  }
  return !wanted.has_max || (declared.has_max && declared.max <= wanted.max);
}

}  // namespace

void Imports::Add(absl::string_view module, absl::string_view name, Extern value) {
  entries_.push_back({std::string(module), std::string(name), std::move(value)});
}

void Imports::AddAnswering(absl::string_view module, absl::string_view name,
                           const Signature& signature, AnsweringFunction answer,
                           const void* owner) {
  Extern value;
  value.signature = signature;
  value.answer = std::move(answer);
  value.owner = owner;
  Add(module, name, std::move(value));
}

void Imports::AddInstance(absl::string_view module, DynamicInstance* instance) {
  const ModuleInfo& info = instance->info();
  for (uint32_t i = 0; i < info.export_count; ++i) {
    absl::StatusOr<Extern> e = instance->Find(View(info.exports[i].name));
    if (e.ok()) Add(module, View(info.exports[i].name), *std::move(e));
  }
}

const Extern* Imports::Find(absl::string_view module, absl::string_view name) const {
  // The latest wins, so that single items can replace those of an instance.
  for (auto it = entries_.rbegin(); it != entries_.rend(); ++it) {
    if (it->module == module && it->name == name) return &it->value;
  }
  return nullptr;
}

namespace internal {

// Of what stands for a host's function in place of an instance: without functions of its own.
constexpr ModuleInfo kNoModule{};

// One instantiation, step by step.
class Linker {
 public:
  Linker(StoreState& store, DynamicInstance::State& target, DynamicInstance* dynamic,
         const Imports& imports)
      : store_(store), t_(target), dynamic_(dynamic), imports_(imports), info_(*target.info) {}

  // Checks only; makes nothing.
  absl::Status Prepare() {
    if (info_.abi_version != core::kAbiVersion) {
      return absl::FailedPreconditionError(absl::StrCat(info_.name, ": generated for ABI version ",
                                                        info_.abi_version, ", the runtime has ",
                                                        core::kAbiVersion));
    }
    if (store_.instances.size() >= core::kScannedFrame) {
      return absl::ResourceExhaustedError("a store holds at most 32,768 instances");
    }
    canonical_ = CanonicalTypes({info_.types, info_.type_count});
    NoteSignatureRefs(info_, canonical_);
    for (uint32_t i = 0; i < info_.import_count; ++i) {
      absl::Status status = Check(info_.imports[i]);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // Makes the instance and adds it to the store. A failure leaves the store as it was.
  absl::Status Build() {
    const size_t memories = store_.memories.size(), tables = store_.tables.size();
    absl::Status status = Allocate();
    if (status.ok()) status = MakeMemories();
    if (status.ok()) status = MakeTables();
    if (!status.ok()) {
      store_.memories.resize(memories);
      store_.tables.resize(tables);
      return status;
    }
    Bind();
    store_.Register(t_.instance, dynamic_);
    RegisterFunctions();
    store_.max_results = std::max(store_.max_results, info_.max_results);
    return absl::OkStatus();
  }

 private:
  absl::Status Mismatch(const core::ImportInfo& import, absl::string_view why) const {
    return absl::FailedPreconditionError(
        absl::StrCat(info_.name, ": incompatible import type: ", View(import.module), ".",
                     View(import.name), ": ", why));
  }

  absl::Status Check(const core::ImportInfo& import) {
    const Extern* e = imports_.Find(View(import.module), View(import.name));
    found_.push_back(e);
    if (e == nullptr) {
      if (import.kind == ExternKind::kFunction && import.suspend != nullptr)
        return absl::OkStatus();
      return absl::NotFoundError(absl::StrCat(info_.name, ": unknown import: ", View(import.module),
                                              ".", View(import.name), " is not provided"));
    }
    if (e->kind != import.kind) return Mismatch(import, "what is provided is of another kind");
    const bool shared = e->kind == ExternKind::kMemory && e->memory->shared != 0;
    if (e->store != nullptr && e->store != &store_.store && !shared) {
      return Mismatch(import, "what is provided belongs to another store");
    }
    switch (import.kind) {
      case ExternKind::kFunction:
        return CheckFunction(import, *e);
      case ExternKind::kTable:
        return CheckTable(import, *e);
      case ExternKind::kMemory:
        return CheckMemory(import, *e);
      case ExternKind::kGlobal:
        return CheckGlobal(import, *e);
      case ExternKind::kTag:
        return CheckTag(import, *e);
    }
    return Mismatch(import, "it is of an unknown kind");
  }

  absl::Status CheckFunction(const core::ImportInfo& import, const Extern& e) {
    const uint32_t type = canonical_[info_.function_imports[import.index].type];
    const Signature& wanted = SignatureOfType(type);
    const bool exact = info_.function_imports[import.index].exact;
    // Code that is bound to whichever instance imports it has no type of its own.
    if (e.store == nullptr ? e.signature != wanted
        : exact            ? e.function.type != type
                           : !IsSubtype(e.function.type, type)) {
      return Mismatch(
          import, absl::StrCat("expected ", Describe(wanted.params), " -> ",
                               Describe(wanted.results), ", found ", Describe(e.signature.params),
                               " -> ", Describe(e.signature.results)));
    }
    if (import.suspend == nullptr && e.may_suspend) {
      return Mismatch(import, "it is immediate, but the function provided may suspend");
    }
    if (import.suspend == nullptr && e.may_throw && !info_.uses_exceptions) {
      return Mismatch(import,
                      "it is immediate, and the module is not ready for the exceptions of the "
                      "function provided");
    }
    return absl::OkStatus();
  }

  absl::Status CheckTable(const core::ImportInfo& import, const Extern& e) {
    const core::TableInfo& wanted = info_.tables[import.index];
    if (e.table->type != wanted.type || !SameType(e.ref, Canonical(wanted.ref))) {
      return Mismatch(import, "the table provided has another type");
    }
    if (!Admits(wanted.limits, e.table->size, e.table_limits)) {
      return Mismatch(import, "the size or maximum of the table provided does not fit");
    }
    return absl::OkStatus();
  }

  absl::Status CheckMemory(const core::ImportInfo& import, const Extern& e) {
    const core::MemoryInfo& wanted = info_.memories[import.index];
    if (e.memory_limits.is64 != wanted.limits.is64 ||
        e.memory_limits.shared != wanted.limits.shared ||
        e.memory_limits.page_log2 != wanted.limits.page_log2) {
      return Mismatch(import, "the memory provided has other addresses, sharing or page size");
    }
    if (!Admits(wanted.limits, core::memory_pages(e.memory), e.memory_limits)) {
      return Mismatch(import, "the size or maximum of the memory provided does not fit");
    }
    const auto* storage = static_cast<MemoryStorage*>(e.memory->owner);
    if (info_.memory_policy == core::MemoryPolicy::kReserved && !AlwaysChecked(wanted.limits) &&
        storage->policy() != core::MemoryPolicy::kReserved) {
      return Mismatch(
          import,
          "the module was translated for reserved memory, and the memory provided is checked");
    }
    if (info_.memory_policy == core::MemoryPolicy::kFixed) {
      return Mismatch(import, "the module was translated for a memory of its own");
    }
    return absl::OkStatus();
  }

  absl::Status CheckGlobal(const core::ImportInfo& import, const Extern& e) {
    const core::GlobalInfo& wanted = info_.globals[import.index];
    if (e.global.type != wanted.type || e.global.mut != wanted.mut) {
      return Mismatch(import, "the global provided has another type or mutability");
    }
    if (AbstractRef(wanted.type).heap == 0) return absl::OkStatus();  // no reference
    // What can't be written may hold less than what it is read as.
    const core::RefType ref = Canonical(wanted.ref);
    if (wanted.mut ? !SameType(e.ref, ref) : !IsSubtype(e.ref, ref)) {
      return Mismatch(import, "the global provided has references of another type");
    }
    return absl::OkStatus();
  }

  absl::Status CheckTag(const core::ImportInfo& import, const Extern& e) {
    const uint32_t type = canonical_[info_.tags[import.index].type];
    if (e.tag >= store_.tags->size() || (*store_.tags)[e.tag] != type) {
      return Mismatch(import,
                      absl::StrCat("expected a tag of ", Describe(SignatureOfType(type).params),
                                   ", found ", Describe(e.signature.params)));
    }
    return absl::OkStatus();
  }

  core::RefType Canonical(core::RefType ref) const {
    ref.type = IsOfModule(ref) ? canonical_[ref.type] : 0;
    return ref;
  }

  absl::Status Allocate() {
    const size_t align = std::max<size_t>(info_.instance_align, alignof(void*));
    t_.alignment_log2 = static_cast<uint8_t>(std::countr_zero(align));
    const size_t size = (info_.instance_size + align - 1) / align * align;
    void* const storage = ::operator new(size, t_.alignment(), std::nothrow);
    if (storage == nullptr) return absl::ResourceExhaustedError("no memory for an instance");
    memset(storage, 0, size);
    t_.instance = static_cast<core::Instance*>(storage);
    t_.instance->module = &info_;
    t_.instance->host = imports_.host();
    // A module without types has no pointers to copy from.
    if (!canonical_.empty()) {
      memcpy(t_.Field<uint32_t>(info_.types_offset), canonical_.data(), 4 * canonical_.size());
    }
    return info_.object_types == nullptr ? absl::OkStatus() : ShareHeap();
  }

  absl::Status ShareHeap() {
    absl::Status status = store_.MakeHeap();
    if (!status.ok()) return status;
    *t_.Field<uint8_t*>(info_.heap_offset) = store_.heap->base();
    const std::vector<uint32_t> numbers = store_.heap->AddTypes(info_, canonical_);
    if (!numbers.empty()) {
      memcpy(t_.Field<uint32_t>(info_.object_types_offset), numbers.data(), 4 * numbers.size());
    }
    return absl::OkStatus();
  }

  absl::Status MakeMemories() {
    const uint64_t most = store_.limits.memory_pages;
    for (uint32_t i = 0; i < info_.memory_count; ++i) {
      const core::MemoryInfo& m = info_.memories[i];
      if (m.imported) continue;
      auto memory = MakeMemory(m.limits, info_.memory_policy, most, m.fixed_bytes);
      if (!memory.ok()) return memory.status();
      SetMemory(m, (*memory)->memory());
      store_.memories.push_back(*std::move(memory));
    }
    return absl::OkStatus();
  }
  void SetMemory(const core::MemoryInfo& m, core::Memory* memory) {
    *t_.Field<core::MemoryField>(m.offset) = {memory, memory->data};
  }

  absl::Status MakeTables() {
    for (uint32_t i = 0; i < info_.table_count; ++i) {
      const core::TableInfo& table = info_.tables[i];
      if (table.imported) continue;
      auto storage = TableStorage::Make(table.type, Canonical(table.ref), table.limits,
                                        store_.limits.table_elements);
      if (!storage.ok()) return storage.status();
      SetTable(table, (*storage)->table());
      store_.tables.push_back(*std::move(storage));
    }
    return absl::OkStatus();
  }

  void SetTable(const core::TableInfo& info, core::Table* table) {
    *t_.Field<core::Table*>(info.offset) = table;
    if (info.elements_offset != 0) {
      *t_.Field<core::Function*>(info.elements_offset) = table->functions;
    }
  }

  void Bind() {
    t_.function_imports.resize(info_.function_import_count);
    for (uint32_t i = 0; i < info_.global_count; ++i) {
      const core::GlobalInfo& global = info_.globals[i];
      t_.global_refs.push_back(AbstractRef(global.type).heap != 0 ? Canonical(global.ref)
                                                                  : AbstractRef(global.type));
    }
    for (uint32_t i = 0; i < info_.tag_count; ++i) {
      if (info_.tags[i].imported) continue;
      std::vector<uint32_t>& tags = store_.tags.Make();
      *t_.Field<uint32_t>(info_.tags[i].offset) = static_cast<uint32_t>(tags.size());
      tags.push_back(canonical_[info_.tags[i].type]);
    }
    for (uint32_t i = 0; i < info_.import_count; ++i) {
      const core::ImportInfo& import = info_.imports[i];
      const Extern* e = found_[i];
      switch (import.kind) {
        case ExternKind::kFunction: {
          const core::FunctionImportSlot& slot = info_.function_imports[import.index];
          const uint32_t type = canonical_[slot.type];
          t_.function_imports[import.index] = {i, 0, type, nullptr, &SignatureOfType(type)};
          if (e != nullptr && (e->answer != nullptr || e->answering_host != nullptr)) {
            t_.function_imports[import.index].answering = 1;
            t_.function_imports[import.index].owner = e->owner;
          }
          core::Function f =
              e != nullptr ? e->function : core::Function{import.suspend, nullptr, 0, 0};
          if (e != nullptr && e->answer != nullptr) f = Answering(import, *e);
          if (e != nullptr && e->answering_host != nullptr) f = AnsweringCode(import, *e);
          // Otherwise its own, which may be a subtype.
          if (e == nullptr || e->store == nullptr) f.type = canonical_[slot.type];
          if (f.instance == nullptr) f.instance = t_.instance;
          *t_.Field<core::Function>(slot.offset) = f;
          break;
        }
        case ExternKind::kTable:
          SetTable(info_.tables[import.index], e->table);
          break;
        case ExternKind::kMemory:
          SetMemory(info_.memories[import.index], e->memory);
          if (e->memory->shared != 0) Share(*static_cast<MemoryStorage*>(e->memory->owner));
          break;
        case ExternKind::kGlobal:
          *t_.Field<uint64_t*>(info_.globals[import.index].offset) = e->global.storage;
          t_.global_refs[import.index] = e->ref;
          break;
        case ExternKind::kTag:
          *t_.Field<uint32_t>(info_.tags[import.index].offset) = e->tag;
          break;
      }
    }
  }

  core::Function AnsweringCode(const core::ImportInfo& import, const Extern& e) {
    auto bound = std::make_unique<AnsweringImport>();
    static_cast<core::Instance&>(*bound) = {};
    bound->store = &store_.store;
    bound->module = &kNoModule;
    bound->host = e.answering_host;
    bound->caller = t_.instance;
    bound->suspend = import.suspend;
    auto& imports = store_.answering.Make().imports;
    imports.push_back(std::move(bound));
    return {e.function.code, imports.back().get(), 0, 0};
  }

  core::Function Answering(const core::ImportInfo& import, const Extern& e) {
    const core::FuncType& type = info_.types[info_.function_imports[import.index].type];
    auto bound = std::make_unique<AnsweringInstance>();
    static_cast<core::HostInstance&>(*bound) = {};
    bound->store = &store_.store;
    bound->module = &kNoModule;
    bound->call = CallAnswering;
    bound->caller = dynamic_;
    bound->answer = e.answer;
    bound->param_slots = type.param_slots;
    bound->result_slots = type.result_slots;
    bound->site = import.site;
    bound->immediate = import.suspend == nullptr;
    auto& instances = store_.answering.Make().instances;
    instances.push_back(std::move(bound));
    return {type.host, instances.back().get(), 0, 0};
  }

  // The store keeps a memory that may be another's.
  void Share(MemoryStorage& memory) {
    for (const auto& held : store_.memories) {
      if (held.get() == &memory) return;
    }
    store_.memories.push_back(memory.shared_from_this());
  }

  void RegisterFunctions() {
    t_.instance->function_base = static_cast<core::ref>(store_.functions.size() + 1);
    for (uint32_t i = 0; i < info_.function_count; ++i) {
      const core::FunctionInfo& f = info_.functions[i];
      core::Function function = {f.code, t_.instance, canonical_[f.type],
                                 static_cast<core::ref>(store_.functions.size() + 1)};
      FunctionTraits traits = {f.may_suspend, f.may_throw};
      if (f.code == nullptr) {
        const core::Function& import =
            *t_.Field<core::Function>(info_.function_imports[f.index].offset);
        function.code = import.code;
        function.instance = import.instance;
        function.type = import.type;
        // A function keeps its handle when it is passed on.
        if (import.handle != 0) {
          function.handle = import.handle;
          traits = store_.traits[import.handle - 1];
        }
      }
      store_.Register(function, traits);
    }
    // A host function of a type unknown until now gets its code here.
    store_.LearnTypes(info_, canonical_.data());
    for (uint32_t i = 0; i < info_.function_import_count; ++i) {
      core::Function& import = *t_.Field<core::Function>(info_.function_imports[i].offset);
      if (import.handle != 0) import.code = store_.functions[import.handle - 1].code;
    }
    for (uint32_t i = 0; i < info_.function_count; ++i) {
      core::Function& f = store_.functions[t_.instance->function_base + i - 1];
      f.code = store_.functions[f.handle - 1].code;
    }
  }

  StoreState& store_;
  DynamicInstance::State& t_;
  DynamicInstance* dynamic_;
  const Imports& imports_;
  const ModuleInfo& info_;
  std::vector<uint32_t> canonical_;
  std::vector<const Extern*> found_;  // by import
};

}  // namespace internal

namespace {

// The payload of a status that tells of a trap: its number.
constexpr char kTrapPayload[] = "fermata.trap";

absl::Status TrapDuring(const ModuleInfo& info, absl::string_view what, Trap trap) {
  if (trap == Trap::kCancelled) {
    return absl::CancelledError(absl::StrCat(info.name, ": cancelled during ", what));
  }
  absl::Status status =
      absl::AbortedError(absl::StrCat(info.name, ": trap during ", what, ": ", TrapMessage(trap)));
  status.SetPayload(kTrapPayload, absl::Cord(absl::StrCat(static_cast<uint32_t>(trap))));
  return status;
}

}  // namespace

Trap TrapOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kTrapPayload);
  uint32_t number = 0;
  if (!payload || !absl::SimpleAtoi(std::string(*payload), &number)) return Trap::kNone;
  return static_cast<Trap>(number);
}

absl::StatusOr<DynamicInstance*> StoreHandle::Link(const ModuleInfo& info, const Imports& imports) {
  auto owned = std::unique_ptr<DynamicInstance>(new DynamicInstance);
  DynamicInstance* instance = owned.get();
  instance->state_->store = this;
  instance->state_->info = &info;
  internal::Linker linker(*state_, *instance->state_, instance, imports);
  absl::Status status = linker.Prepare();
  if (status.ok()) status = linker.Build();
  if (!status.ok()) return status;
  // From here on tables of others may come to hold the instance's functions: it stays.
  state_->Add(State::Made::kInstance, state_->owned.size());
  state_->owned.push_back(std::move(owned));
  return instance;
}

absl::StatusOr<DynamicInstance*> StoreHandle::Instantiate(const ModuleInfo& info,
                                                          const Imports& imports) {
  core::Context* context = internal::ThreadContext(std::max(state_->max_results, info.max_results));
  if (context == nullptr) return absl::ResourceExhaustedError("no memory for the thread's context");
  internal::StoreUse use(*state_, context);
  if (!use.ok()) return use.status();
  absl::StatusOr<DynamicInstance*> linked = Link(info, imports);
  if (!linked.ok()) return linked.status();
  DynamicInstance* instance = *linked;
  core::Activation activation{};
  if (core::Initialize(*context, activation, *instance->raw()) != core::Exit::kReturned) {
    return TrapDuring(info, "initialization", activation.trap);
  }
  DynamicInstance::State& started = *instance->state_;
  if (info.start != core::kNoFunction) started.due |= DynamicInstance::State::kStartFunction;
  if (imports.initialize() && started.Initialize() != core::kNoFunction) {
    started.due |= DynamicInstance::State::kInitialize;
  }
  if (imports.start_deferred()) return instance;
  absl::Status status = StartAtOnce(*instance);
  if (!status.ok()) return status;
  return instance;
}

// Runs what of an instance's start comes before anything that may suspend.
absl::Status StoreHandle::StartAtOnce(DynamicInstance& instance) {
  DynamicInstance::State& s = *instance.state_;
  while (s.due != 0 && !state_->traits[s.NextToStart() - 1].may_suspend) {
    // One by one: the step would go on with the next, which may suspend.
    const uint8_t due = s.due;
    const bool function = (due & DynamicInstance::State::kStartFunction) != 0;
    if (function) s.due = DynamicInstance::State::kStartFunction;
    const absl::StatusOr<DynamicStep> step = instance.Start();
    s.due = due;
    if (!step.ok()) return step.status();
    if (step->trapped()) {
      return TrapDuring(*s.info, function ? "the start function" : "_initialize", step->trap());
    }
    s.Started();
  }
  return absl::OkStatus();
}

}  // namespace fermata

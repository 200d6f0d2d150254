// The public side: who supplies what when a store is made again.
#include "fermata/snapshot.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "runtime/snapshot/frozen_memory.h"
#include "runtime/snapshot/image.h"

namespace fermata {
namespace internal {
namespace {

absl::string_view View(const core::Text& text) { return {text.data, text.size}; }

// The host, which supplies everything by name.
class HostSupplier : public Supplier {
 public:
  explicit HostSupplier(const RestoreHost& host) : host_(host) {}

  absl::StatusOr<const ModuleInfo*> Module(const InstanceImage& image, uint32_t) override {
    const ModuleInfo* same_hash = nullptr;
    const ModuleInfo* found = nullptr;
    for (const ModuleInfo* info : host_.modules) {
      if (info == nullptr || std::memcmp(info->hash, image.hash.data(), image.hash.size()) != 0) {
        continue;
      }
      same_hash = info;
      if (info->site_count != image.site_count || SiteHash(*info) != image.site_hash) continue;
      if (found == nullptr || info->name == image.name) found = info;
    }
    if (found != nullptr) return found;
    return absl::NotFoundError(absl::StrCat(
        "module \"", image.name, "\": ",
        same_hash == nullptr
            ? "the host supplies none with this hash"
            : "the host's translation of it has other sites (other IMMEDIATE imports?)"));
  }
  const Imports& ImportsOf(uint32_t instance) override {
    static const Imports* none = new Imports;
    if (host_.imports.empty()) return *none;
    return host_.imports[std::min<size_t>(instance, host_.imports.size() - 1)];
  }
  HostFunction Code(const FunctionImage& image, uint32_t) override {
    auto it = host_.functions.find(image.name);
    return it == host_.functions.end() ? nullptr : it->second;
  }
  // Fit for all modules that may come to import it.
  core::MemoryPolicy PolicyOf(const HostMemoryImage&) override {
    for (const ModuleInfo* info : host_.modules) {
      if (info != nullptr && info->memory_policy == core::MemoryPolicy::kReserved) {
        return core::MemoryPolicy::kReserved;
      }
    }
    return host_.modules.empty() ? core::MemoryPolicy::kReserved : core::MemoryPolicy::kChecked;
  }

 private:
  const RestoreHost& host_;
};

// What an existing store got from its host.
class ForkSupplier : public Supplier {
 public:
  explicit ForkSupplier(StoreState& store) {
    const Numbering numbering(store);
    for (const auto& instance : store.owned) Add(store, numbering, SnapshotAccess::Of(*instance));
    for (const auto& function : store.host_made->functions) codes_.push_back(function->code);
  }

  absl::StatusOr<const ModuleInfo*> Module(const InstanceImage&, uint32_t index) override {
    return modules_[index];
  }
  const Imports& ImportsOf(uint32_t instance) override { return imports_[instance]; }
  HostFunction Code(const FunctionImage&, uint32_t index) override { return codes_[index]; }
  core::MemoryPolicy PolicyOf(const HostMemoryImage& image) override { return image.policy; }

 private:
  void Add(StoreState& store, const Numbering& numbering, const InstanceState& instance) {
    const ModuleInfo& info = *instance.info;
    Imports imports;
    imports.SetHost(instance.instance->host);
    for (uint32_t i = 0; i < info.import_count; ++i) {
      const core::ImportInfo& import = info.imports[i];
      Extern value;
      value.kind = import.kind;
      if (import.kind == ExternKind::kFunction) {
        if (!AddFunction(store, instance, import, value)) continue;
      } else if (import.kind == ExternKind::kMemory) {
        value.memory =
            instance.Field<core::MemoryField>(info.memories[import.index].offset)->memory;
        const auto& own = numbering.memories;
        if (std::find(own.begin(), own.end(), value.memory) != own.end()) continue;
        auto* storage = static_cast<MemoryStorage*>(value.memory->owner);
        value.memory_limits = storage->limits();
        value.shared_memory = storage->shared_from_this();
      } else {
        continue;
      }
      imports.Add(View(import.module), View(import.name), std::move(value));
    }
    modules_.push_back(&info);
    imports_.push_back(std::move(imports));
  }

  // False: an op, or a function of the store.
  static bool AddFunction(StoreState& store, const InstanceState& instance,
                          const core::ImportInfo& import, Extern& value) {
    const ModuleInfo& info = *instance.info;
    const core::FunctionImportSlot& slot = info.function_imports[import.index];
    const core::Function& bound = *instance.Field<core::Function>(slot.offset);
    if (bound.handle != 0 || (import.suspend != nullptr && bound.code == import.suspend)) {
      return false;
    }
    value.signature = *instance.function_imports[import.index].signature;
    for (const auto& answering : store.answering->instances) {
      if (answering.get() == bound.instance) {
        value.answer = answering->answer;
        return true;
      }
    }
    value.function = bound;
    for (const auto& answering : store.answering->imports) {
      if (answering.get() == bound.instance) value.answering_host = answering->host;
    }
    if (bound.instance == instance.instance) value.function.instance = nullptr;
    return true;
  }

  std::vector<const ModuleInfo*> modules_;
  std::vector<Imports> imports_;
  std::vector<HostFunction> codes_;
};

constexpr uint32_t kAnyNumber = 0xffffffff;

}  // namespace
}  // namespace internal

absl::StatusOr<std::string> Save(StoreHandle& store, absl::Span<const DynamicStep* const> steps,
                                 const SaveOptions& options) {
  absl::StatusOr<internal::StoreImage> image = internal::Capture(store, steps);
  if (!image.ok()) return image.status();
  return internal::Encode(*image, options);
}

absl::StatusOr<RestoredStore> Restore(absl::string_view bytes, const RestoreHost& host) {
  std::string storage;
  absl::StatusOr<internal::StoreImage> image = internal::Decode(bytes, host.most_bytes, storage);
  if (!image.ok()) return image.status();
  internal::HostSupplier supplier(host);
  return internal::Rebuild(*image, supplier, host.limits, host.most_instances);
}

absl::StatusOr<RestoredStore> Fork(StoreHandle& store, absl::Span<const DynamicStep* const> steps) {
  absl::StatusOr<internal::StoreImage> image = internal::Capture(store, steps);
  if (!image.ok()) return image.status();
  internal::StoreState& state = internal::SnapshotAccess::Of(store);
  internal::ForkSupplier supplier(state);
  return internal::Rebuild(*image, supplier, state.limits, internal::kAnyNumber);
}

struct ForkPoint::State {
  State(internal::StoreImage&& i, internal::StoreState& store)
      : image(std::move(i)), supplier(store), limits(store.limits) {}
  internal::StoreImage image;
  mutable internal::ForkSupplier supplier;
  Limits limits;
  std::vector<std::unique_ptr<internal::FrozenMemory>> memories;

  void Freeze(internal::MemoryImage& memory) {
    memories.push_back(std::make_unique<internal::FrozenMemory>(memory.runs));
    memory.runs.clear();
    memory.frozen = memories.back().get();
  }
};

absl::StatusOr<ForkPoint> ForkPoint::Make(StoreHandle& store,
                                          absl::Span<const DynamicStep* const> steps) {
  absl::StatusOr<internal::StoreImage> image = internal::Capture(store, steps);
  if (!image.ok()) return image.status();
  auto state = std::make_unique<State>(*std::move(image), internal::SnapshotAccess::Of(store));
  for (internal::InstanceImage& instance : state->image.instances) {
    for (internal::MemoryImage& memory : instance.memories) state->Freeze(memory);
  }
  for (internal::HostMemoryImage& memory : state->image.memories) state->Freeze(memory.memory);
  internal::HeapImage& heap = state->image.heap;
  heap.storage.assign(reinterpret_cast<const char*>(heap.objects.data()), heap.objects.size());
  heap.objects = {reinterpret_cast<const uint8_t*>(heap.storage.data()), heap.storage.size()};
  for (internal::StepImage& step : state->image.steps) {
    step.storage.assign(reinterpret_cast<const char*>(step.frames.data()), step.frames.size());
    step.frames = {reinterpret_cast<const uint8_t*>(step.storage.data()), step.storage.size()};
  }
  return ForkPoint(std::move(state));
}

ForkPoint::ForkPoint(std::unique_ptr<State> state) : state_(std::move(state)) {}
ForkPoint::ForkPoint(ForkPoint&&) noexcept = default;
ForkPoint& ForkPoint::operator=(ForkPoint&&) noexcept = default;
ForkPoint::~ForkPoint() = default;

absl::StatusOr<RestoredStore> ForkPoint::Fork() const {
  return internal::Rebuild(state_->image, state_->supplier, state_->limits, internal::kAnyNumber);
}

}  // namespace fermata

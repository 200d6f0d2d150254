// A live store as an image.
#include <cstring>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "fermata/core/memory.h"
#include "runtime/host/collect.h"
#include "runtime/snapshot/image.h"

namespace fermata::internal {
namespace {

std::string Letters(const std::vector<ValType>& types) {
  std::string letters;
  for (ValType t : types) letters += core::LetterOf(t);
  return letters;
}

Bits BitsOf(const Global& global) {
  const Value value = global.Get();
  return {value.low, value.high};
}

class Capturer {
 public:
  Capturer(StoreState& store, StoreImage& image) : store_(store), image_(image), numbering_(store) {
    Index(numbering_.memories, memory_numbers_);
    Index(numbering_.tables, table_numbers_);
    for (const Global& g : numbering_.globals) {
      global_numbers_.emplace(g.storage, static_cast<uint32_t>(global_numbers_.size()));
    }
  }

  void Run() {
    for (const StoreState::Made& made : store_.made) {
      uint32_t index = 0;
      switch (made.kind) {
        case StoreState::Made::kInstance:
          index = Push(image_.instances, Instance(*store_.owned[made.index]));
          break;
        case StoreState::Made::kFunction: {
          const HostFunctionInstance& f = *store_.host_made->functions[made.index];
          index =
              Push(image_.functions, FunctionImage{f.name,
                                                   absl::StrCat(Letters(f.signature.params), ":",
                                                                Letters(f.signature.results)),
                                                   f.code == nullptr});
          break;
        }
        case StoreState::Made::kMemory: {
          MemoryStorage& memory = *store_.memories[made.index];
          index = Push(image_.memories, HostMemoryImage{memory.limits(), Contents(*memory.memory()),
                                                        memory.policy()});
          break;
        }
        case StoreState::Made::kTable: {
          TableStorage& table = *store_.tables[made.index];
          index = Push(image_.tables, HostTableImage{core::LetterOf(table.table()->type),
                                                     table.limits(), Elements(*table.table())});
          break;
        }
        case StoreState::Made::kGlobal: {
          const Global& g =
              numbering_.globals[global_numbers_.at(store_.host_made->globals[made.index]->words)];
          index = Push(image_.globals, HostGlobalImage{core::LetterOf(g.type), g.mut, BitsOf(g)});
          break;
        }
        case StoreState::Made::kTag:
          index = Push(image_.tags, Letters(SignatureOfType((*store_.tags)[made.index]).params));
          break;
      }
      image_.made.push_back({made.kind, index});
    }
    for (uint32_t i = 0; i < store_.exceptions->size(); ++i) {
      const core::Exception& e = store_.exceptions->data()[i];
      image_.exceptions.push_back({e.tag, {e.values, e.values + e.payload}});
    }
    if (store_.heap != nullptr) CaptureHeap();
  }

 private:
  // A type of the heap is named by an instance whose module has it. Types that no instance has are
  // no object's.
  void CaptureHeap() {
    image_.heap.exists = true;
    image_.heap.objects = store_.heap->objects();
    for (uint32_t k = 0; k < Heap::kStringTypes; ++k) {
      const uint32_t number = store_.heap->string_type(static_cast<Heap::StringType>(k));
      image_.heap.types.push_back({number, HeapImage::kStrings, k});
    }
    store_.link->ForEachKept([&](const Value& value) {
      image_.heap.kept.push_back({core::LetterOf(value.type), value.ref()});
    });
    absl::flat_hash_set<uint32_t> found;
    for (uint32_t i = 0; i < store_.owned.size(); ++i) {
      const InstanceState& state = SnapshotAccess::Of(*store_.owned[i]);
      const ModuleInfo& info = *state.info;
      if (info.object_types == nullptr) continue;
      const auto* numbers = state.Field<uint32_t>(info.object_types_offset);
      for (uint32_t t = 0; t < info.type_count; ++t) {
        if (numbers[t] != 0 && found.insert(numbers[t]).second) {
          image_.heap.types.push_back({numbers[t], i, t});
        }
      }
    }
  }
  template <class T>
  static uint32_t Push(std::vector<T>& list, T item) {
    list.push_back(std::move(item));
    return static_cast<uint32_t>(list.size() - 1);
  }
  template <class T>
  static void Index(const std::vector<T*>& list, absl::flat_hash_map<const void*, uint32_t>& map) {
    for (uint32_t i = 0; i < list.size(); ++i) map.emplace(list[i], i);
  }

  static MemoryImage Contents(const core::Memory& memory) {
    MemoryImage image;
    image.pages = core::memory_pages(&memory);
    image.runs = FindRuns(memory);
    return image;
  }
  static TableImage Elements(const core::Table& table) {
    TableImage image;
    image.elements.reserve(table.size);
    for (uint32_t i = 0; i < table.size; ++i) {
      image.elements.push_back(table.type == ValType::kFuncRef ? table.functions[i].handle
                                                               : table.refs[i]);
    }
    return image;
  }

  InstanceImage Instance(DynamicInstance& instance) const {
    const InstanceState& state = SnapshotAccess::Of(instance);
    const ModuleInfo& info = *state.info;
    InstanceImage image;
    image.name = info.name;
    std::memcpy(image.hash.data(), info.hash, image.hash.size());
    image.site_count = info.site_count;
    image.site_hash = SiteHash(info);
    image.due = state.due;
    for (uint32_t i = 0; i < info.import_count; ++i) {
      image.imports.push_back(Import(state, info.imports[i]));
    }
    for (uint32_t i = 0; i < info.memory_count; ++i) {
      if (info.memories[i].imported) continue;
      image.memories.push_back(
          Contents(*state.Field<core::MemoryField>(info.memories[i].offset)->memory));
    }
    for (uint32_t i = 0; i < info.table_count; ++i) {
      if (info.tables[i].imported) continue;
      image.tables.push_back(Elements(**state.Field<core::Table*>(info.tables[i].offset)));
    }
    for (uint32_t i = 0; i < info.global_count; ++i) {
      const core::GlobalInfo& g = info.globals[i];
      if (g.imported) continue;
      image.globals.push_back(BitsOf({g.type, g.mut, state.Field<uint64_t>(g.offset)}));
    }
    for (uint32_t i = 0; i < info.segment_count; ++i) {
      const core::SegmentInfo& s = info.segments[i];
      SegmentImage segment;
      if (s.elements == 0) {
        segment.dropped = *state.Field<uint64_t>(s.offset) == 0;
      } else {
        const uint32_t size = *state.Field<uint32_t>(s.offset);
        const core::ref* elements = state.Field<core::ref>(s.elements);
        segment.dropped = size == 0;
        segment.elements.assign(elements, elements + size);
      }
      image.segments.push_back(std::move(segment));
    }
    return image;
  }

  ImportImage Import(const InstanceState& state, const core::ImportInfo& import) const {
    const ModuleInfo& info = *state.info;
    const auto find = [](const absl::flat_hash_map<const void*, uint32_t>& map, const void* what) {
      auto it = map.find(what);
      return it == map.end() ? ImportImage{ImportSource::kHost, 0}
                             : ImportImage{ImportSource::kStore, it->second};
    };
    switch (import.kind) {
      case ExternKind::kFunction: {
        const core::ref handle =
            state.Field<core::Function>(info.function_imports[import.index].offset)->handle;
        if (handle == 0) return {ImportSource::kHost, 0};
        return {ImportSource::kStore, handle};
      }
      case ExternKind::kMemory:
        return find(memory_numbers_,
                    state.Field<core::MemoryField>(info.memories[import.index].offset)->memory);
      case ExternKind::kTable:
        return find(table_numbers_, *state.Field<core::Table*>(info.tables[import.index].offset));
      case ExternKind::kGlobal:
        return find(global_numbers_, *state.Field<uint64_t*>(info.globals[import.index].offset));
      case ExternKind::kTag:
        return {ImportSource::kStore, *state.Field<uint32_t>(info.tags[import.index].offset)};
    }
    return {ImportSource::kHost, 0};
  }

  StoreState& store_;
  StoreImage& image_;
  Numbering numbering_;
  absl::flat_hash_map<const void*, uint32_t> memory_numbers_, table_numbers_, global_numbers_;
};

absl::Status CaptureSteps(const StoreState& store, absl::Span<const DynamicStep* const> steps,
                          StoreImage& image) {
  for (const DynamicStep* step : steps) {
    const StepState* state = SnapshotAccess::Of(*step);
    if (state == nullptr || (!step->suspended() && !step->paused())) {
      return absl::FailedPreconditionError("a step that is neither suspended nor paused");
    }
    if (state->store() != &store) {
      return absl::FailedPreconditionError("a step of another store");
    }
    StepImage s;
    s.function = state->function;
    s.held = step->suspended()     ? StepImage::kSuspended
             : step->interrupted() ? StepImage::kInterrupted
                                   : StepImage::kOutOfFuel;
    s.restored = state->restored;
    ForgetScanned(state->activation);
    s.frames = {state->activation.frames, state->activation.size};
    for (uint32_t i = 0; i < store.owned.size(); ++i) {
      if (state->starting == store.owned[i].get()) s.starting = i;
    }
    image.steps.push_back(std::move(s));
  }
  return absl::OkStatus();
}

}  // namespace

Numbering::Numbering(StoreState& store) {
  for (const StoreState::Made& made : store.made) {
    switch (made.kind) {
      case StoreState::Made::kInstance:
        AddInstance(SnapshotAccess::Of(*store.owned[made.index]));
        break;
      case StoreState::Made::kMemory:
        memories.push_back(store.memories[made.index]->memory());
        break;
      case StoreState::Made::kTable:
        tables.push_back(store.tables[made.index]->table());
        break;
      case StoreState::Made::kGlobal: {
        const GlobalCell& cell = *store.host_made->globals[made.index];
        globals.push_back({cell.type, cell.mut, const_cast<uint64_t*>(cell.words)});
        global_refs.push_back(AbstractRef(cell.type));
        break;
      }
      case StoreState::Made::kFunction:
      case StoreState::Made::kTag:
        break;
    }
  }
}

void Numbering::AddInstance(InstanceState& instance) {
  const ModuleInfo& info = *instance.info;
  for (uint32_t i = 0; i < info.memory_count; ++i) {
    if (info.memories[i].imported) continue;
    memories.push_back(instance.Field<core::MemoryField>(info.memories[i].offset)->memory);
  }
  for (uint32_t i = 0; i < info.table_count; ++i) {
    if (info.tables[i].imported) continue;
    tables.push_back(*instance.Field<core::Table*>(info.tables[i].offset));
  }
  for (uint32_t i = 0; i < info.global_count; ++i) {
    const core::GlobalInfo& g = info.globals[i];
    if (g.imported) continue;
    globals.push_back({g.type, g.mut, instance.Field<uint64_t>(g.offset)});
    global_refs.push_back(instance.global_refs[i]);
  }
}

absl::StatusOr<StoreImage> Capture(StoreHandle& handle,
                                   absl::Span<const DynamicStep* const> steps) {
  StoreState& store = SnapshotAccess::Of(handle);
  if (store.user.load(std::memory_order_relaxed) != nullptr) {
    return absl::FailedPreconditionError("the store is in use");
  }
  if (store.heap != nullptr) {
    // So that the objects lie in the first space.
    do {
      if (!Collect(store, core::Activation{}, 0, Heap::Kind::kMajor)) {
        return absl::ResourceExhaustedError("no memory to collect objects");
      }
    } while (!store.heap->in_first_space());
  }
  StoreImage image;
  absl::Status status = CaptureSteps(store, steps, image);
  if (!status.ok()) return status;
  Capturer(store, image).Run();
  return image;
}

}  // namespace fermata::internal

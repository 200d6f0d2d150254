// An image as a live store: everything is made again in the order in which it was, by the same code
// that makes and links it in the first place, but without running any of the guests'. So all that
// linking checks is checked again. Then contents are filled in.
#include <algorithm>
#include <cstring>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "fermata/objects.h"
#include "runtime/heap/strings.h"
#include "runtime/host/references.h"
#include "runtime/os/hosted_context.h"
#include "runtime/snapshot/frozen_memory.h"
#include "runtime/snapshot/image.h"

namespace fermata::internal {
namespace {

absl::Status Bad(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("inconsistent snapshot: ", what));
}

absl::string_view View(const core::Text& text) { return {text.data, text.size}; }

bool ParseTypes(absl::string_view letters, std::vector<ValType>& types) {
  for (char c : letters) {
    ValType type;
    if (!core::TypeOfLetter(c, type)) return false;
    types.push_back(type);
  }
  return true;
}

// Whether `value` is one of type `type` at all: unused bits are zero.
bool IsValue(ValType type, const Bits& value) {
  const uint32_t bytes = core::FrameBytes(type);
  return (bytes > 8 || value.high == 0) && (bytes > 4 || value.low >> 32 == 0);
}

class Rebuilder {
 public:
  Rebuilder(const StoreImage& image, Supplier& supplier, const Limits& limits,
            uint32_t most_instances)
      : image_(image), supplier_(supplier), most_instances_(most_instances) {
    result_.store = std::make_unique<StoreHandle>(limits);
  }

  absl::StatusOr<RestoredStore> Run() {
    for (absl::Status (Rebuilder::*stage)() :
         {&Rebuilder::FindModules, &Rebuilder::Make, &Rebuilder::LoadObjects,
          &Rebuilder::FillExceptions, &Rebuilder::CheckObjects, &Rebuilder::KeepReferences,
          &Rebuilder::Fill, &Rebuilder::FillSteps}) {
      absl::Status status = (this->*stage)();
      if (!status.ok()) return status;
    }
    if (store().heap != nullptr) store().heap->Forget();
    // Functions that waited for the code of their type may have it now.
    for (Extern& e : result_.externs) {
      if (e.kind == ExternKind::kFunction) e.function = store().functions[e.function.handle - 1];
    }
    return std::move(result_);
  }

 private:
  StoreState& store() { return SnapshotAccess::Of(*result_.store); }

  // ---- Making ----

  absl::Status FindModules() {
    if (image_.instances.size() > most_instances_) {
      return absl::ResourceExhaustedError(absl::StrCat(
          image_.instances.size(), " instances are above the limit of ", most_instances_));
    }
    for (const InstanceImage& i : image_.instances) {
      absl::StatusOr<const ModuleInfo*> module =
          supplier_.Module(i, static_cast<uint32_t>(modules_.size()));
      if (!module.ok()) return module.status();
      if (i.imports.size() != (*module)->import_count) return Bad("the number of imports is wrong");
      modules_.push_back(*module);
    }
    return absl::OkStatus();
  }

  absl::Status Make() {
    for (const StoreState::Made& made : image_.made) {
      absl::Status status = MakeOne(made);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status MakeOne(const StoreState::Made& made) {
    switch (made.kind) {
      case StoreState::Made::kInstance:
        return MakeInstance(made.index);
      case StoreState::Made::kFunction:
        return MakeFunction(image_.functions[made.index], made.index);
      case StoreState::Made::kMemory: {
        const HostMemoryImage& m = image_.memories[made.index];
        absl::StatusOr<Extern> memory = result_.store->MakeMemory(m.limits, supplier_.PolicyOf(m));
        if (!memory.ok()) return memory.status();
        numbers_.memories.push_back(memory->memory);
        result_.externs.push_back(*memory);
        return Resize(*memory->memory, m.memory);
      }
      case StoreState::Made::kTable: {
        const HostTableImage& t = image_.tables[made.index];
        ValType type;
        if (!core::TypeOfLetter(t.type, type)) return Bad("a table has an unknown type");
        if (t.limits.min > t.table.elements.size()) return Bad("a table is too small");
        absl::StatusOr<Extern> table = result_.store->MakeTable(type, t.limits);
        if (!table.ok()) return table.status();
        numbers_.tables.push_back(table->table);
        result_.externs.push_back(*table);
        return Resize(*table->table, t.table);
      }
      case StoreState::Made::kGlobal: {
        const HostGlobalImage& g = image_.globals[made.index];
        ValType type;
        if (!core::TypeOfLetter(g.type, type) || !IsValue(type, g.value))
          return Bad("a global of the host has a wrong type or value");
        // What a reference names may not be there yet.
        absl::StatusOr<Extern> global = result_.store->MakeGlobal(
            Value{type, core::IsRef(type) ? 0 : g.value.low, g.value.high}, g.mut);
        if (!global.ok()) return global.status();
        global->ref = RefOfHostGlobal(type, g.value.low, g.mut);
        numbers_.globals.push_back(global->global);
        numbers_.global_refs.push_back(global->ref);
        result_.externs.push_back(*global);
        return absl::OkStatus();
      }
      case StoreState::Made::kTag: {
        Signature signature;
        if (!ParseTypes(image_.tags[made.index], signature.params))
          return Bad("a tag has a wrong type");
        return Keep(result_.store->MakeTag(signature));
      }
    }
    return Bad("an unknown kind of object");
  }

  absl::Status Keep(absl::StatusOr<Extern> made) {
    if (!made.ok()) return made.status();
    result_.externs.push_back(*std::move(made));
    return absl::OkStatus();
  }

  absl::Status MakeFunction(const FunctionImage& f, uint32_t index) {
    const size_t colon = f.type.find(':');
    Signature signature;
    if (colon == std::string::npos || !ParseTypes(f.type.substr(0, colon), signature.params) ||
        !ParseTypes(f.type.substr(colon + 1), signature.results)) {
      return Bad("a function has a wrong type");
    }
    // What validators allow a function to take or return.
    if (signature.params.size() > 1000 || signature.results.size() > 1000) {
      return Bad("a function has too many parameters or results");
    }
    HostFunction code;
    if (!f.suspends) {
      code = supplier_.Code(f, index);
      if (code == nullptr) {
        return absl::NotFoundError(
            absl::StrCat("the host supplies no code for its function \"", f.name, "\""));
      }
    }
    return Keep(result_.store->MakeFunction(f.name, signature, std::move(code)));
  }

  absl::Status MakeInstance(uint32_t index) {
    const InstanceImage& i = image_.instances[index];
    const ModuleInfo& info = *modules_[index];
    const Imports& supplied = supplier_.ImportsOf(index);
    Imports imports;
    imports.SetHost(supplied.host());
    for (uint32_t k = 0; k < info.import_count; ++k) {
      const core::ImportInfo& import = info.imports[k];
      Extern value;
      if (i.imports[k].source == ImportSource::kHost) {
        const Extern* found = supplied.Find(View(import.module), View(import.name));
        if (found == nullptr) continue;
        // What belongs to a store belongs to another one.
        value = *found;
      } else {
        absl::StatusOr<Extern> own = Own(info, import, i.imports[k].number);
        if (!own.ok()) return own.status();
        value = *std::move(own);
      }
      imports.Add(View(import.module), View(import.name), std::move(value));
    }
    absl::StatusOr<DynamicInstance*> made = SnapshotAccess::Link(*result_.store, info, imports);
    if (!made.ok()) return made.status();
    result_.instances.push_back(*made);
    const InstanceState& state = SnapshotAccess::Of(**made);
    numbers_.AddInstance(SnapshotAccess::Of(**made));
    absl::Status status = ResizeAll(i, info, state);
    if (status.ok()) NoteNulls(i, info, state);
    return status;
  }

  // Finds out whether an instance has nulls where there can't be any once it is initialized: in own
  // globals or tables.
  void NoteNulls(const InstanceImage& i, const ModuleInfo& info, const InstanceState& state) {
    std::vector<const void*> nulls;
    size_t own = 0;
    for (uint32_t k = 0; k < info.global_count; ++k) {
      const core::GlobalInfo& global = info.globals[k];
      if (global.imported) continue;
      if (own < i.globals.size() && core::IsRef(global.type) && !global.ref.nullable &&
          i.globals[own].low == 0) {
        nulls.push_back(state.Field<uint64_t>(global.offset));
      }
      ++own;
    }
    own = 0;
    for (uint32_t k = 0; k < info.table_count; ++k) {
      const core::TableInfo& table = info.tables[k];
      if (table.imported) continue;
      const std::vector<core::ref>& elements = i.tables[own++].elements;
      if (!table.ref.nullable && std::count(elements.begin(), elements.end(), 0u) != 0) {
        nulls.push_back(*state.Field<core::Table*>(table.offset));
      }
    }
    if (nulls.empty()) return;
    SnapshotAccess::Of(*store().dynamic[state.instance->index]).unusable = true;
    may_be_null_.insert(nulls.begin(), nulls.end());
  }

  // What the store has made already, as an import.
  absl::StatusOr<Extern> Own(const ModuleInfo& info, const core::ImportInfo& import,
                             uint32_t number) {
    StoreState& s = store();
    Extern value;
    value.kind = import.kind;
    value.store = &s.store;
    const absl::Status nothing =
        Bad(absl::StrCat(info.name, ": import ", View(import.module), ".", View(import.name),
                         " refers to something that does not exist"));
    switch (import.kind) {
      case ExternKind::kFunction:
        if (number == 0 || number > s.functions.size()) return nothing;
        value.function = s.functions[number - 1];
        value.signature = SignatureOfType(value.function.type);
        value.may_suspend = s.traits[number - 1].may_suspend;
        value.may_throw = s.traits[number - 1].may_throw;
        // A function that an instance passes on without having it from a store is not one to import
        // by number.
        if (value.function.handle == 0 || !s.IsUsable(*value.function.instance)) {
          return nothing;
        }
        return value;
      case ExternKind::kMemory:
        if (number >= numbers_.memories.size()) return nothing;
        value.memory = numbers_.memories[number];
        value.memory_limits = static_cast<MemoryStorage*>(value.memory->owner)->limits();
        return value;
      case ExternKind::kTable:
        if (number >= numbers_.tables.size()) return nothing;
        value.table = numbers_.tables[number];
        if (may_be_null_.contains(value.table)) return nothing;
        value.table_limits = static_cast<TableStorage*>(value.table->owner)->limits();
        value.ref = static_cast<TableStorage*>(value.table->owner)->ref();
        return value;
      case ExternKind::kGlobal:
        if (number >= numbers_.globals.size()) return nothing;
        value.global = numbers_.globals[number];
        if (may_be_null_.contains(value.global.storage)) return nothing;
        value.ref = numbers_.global_refs[number];
        return value;
      case ExternKind::kTag:
        if (number >= s.tags->size()) return nothing;
        value.tag = number;
        value.signature = SignatureOfType((*s.tags)[number]);
        return value;
    }
    return nothing;
  }

  // Before others are linked, which may ask for a size.
  absl::Status ResizeAll(const InstanceImage& i, const ModuleInfo& info,
                         const InstanceState& state) {
    size_t memory = 0, table = 0;
    for (uint32_t k = 0; k < info.memory_count; ++k) {
      if (info.memories[k].imported) continue;
      if (memory == i.memories.size()) return Bad("the number of memories is wrong");
      absl::Status status = Resize(*state.Field<core::MemoryField>(info.memories[k].offset)->memory,
                                   i.memories[memory++]);
      if (!status.ok()) return status;
      // Unless it was reserved it may have moved.
      core::MemoryField* field = state.Field<core::MemoryField>(info.memories[k].offset);
      field->base = field->memory->data;
    }
    for (uint32_t k = 0; k < info.table_count; ++k) {
      if (info.tables[k].imported) continue;
      if (table == i.tables.size()) return Bad("the number of tables is wrong");
      absl::Status status =
          Resize(**state.Field<core::Table*>(info.tables[k].offset), i.tables[table++]);
      if (!status.ok()) return status;
    }
    if (memory != i.memories.size() || table != i.tables.size()) {
      return Bad("the number of memories or tables is wrong");
    }
    return absl::OkStatus();
  }

  absl::Status Resize(core::Memory& memory, const MemoryImage& image) {
    if (image.pages < memory.pages) return Bad("a memory is too small");
    const uint64_t more = image.pages - memory.pages;
    if (more != 0 && memory.grow(&memory, more) == ~uint64_t{0}) {
      return absl::ResourceExhaustedError(
          absl::StrCat("a memory can't have ", image.pages, " pages"));
    }
    memory_images_.push_back(&image);
    return absl::OkStatus();
  }
  absl::Status Resize(core::Table& table, const TableImage& image) {
    if (image.elements.size() < table.size) return Bad("a table is too small");
    const uint64_t more = image.elements.size() - table.size;
    if (more > table.max - table.size ||
        (more != 0 && table.grow(&table, static_cast<uint32_t>(more)) == ~uint32_t{0})) {
      return absl::ResourceExhaustedError(
          absl::StrCat("a table can't have ", image.elements.size(), " elements"));
    }
    table_images_.push_back(&image);
    return absl::OkStatus();
  }

  // ---- Filling ----

  // The bytes of objects become objects of these types; what is in them is checked later.
  absl::Status LoadObjects() {
    StoreState& s = store();
    if (s.heap == nullptr) {
      return image_.heap.objects.empty() ? absl::OkStatus() : Bad("there are no types of objects");
    }
    if (!image_.heap.exists) return Bad("the objects are missing");
    absl::flat_hash_map<uint32_t, uint32_t> numbers;
    for (const HeapImage::Type& type : image_.heap.types) {
      if (type.instance == HeapImage::kStrings && type.type < Heap::kStringTypes) {
        const uint32_t own = s.heap->string_type(static_cast<Heap::StringType>(type.type));
        if (!numbers.emplace(type.number, own).second) return Bad("a type of objects is unknown");
        continue;
      }
      if (type.instance >= result_.instances.size()) return Bad("a type of objects is unknown");
      const InstanceState& state = SnapshotAccess::Of(*result_.instances[type.instance]);
      const ModuleInfo& info = *state.info;
      if (info.object_types == nullptr || type.type >= info.type_count) {
        return Bad("a type of objects is unknown");
      }
      const uint32_t number = state.Field<uint32_t>(info.object_types_offset)[type.type];
      if (number == 0 || !numbers.emplace(type.number, number).second) {
        return Bad("a type of objects is unknown");
      }
    }
    return s.heap->Load(image_.heap.objects, numbers);
  }

  absl::Status CheckObjects() {
    const StoreState& s = store();
    if (s.heap == nullptr) return absl::OkStatus();
    const uint8_t* const base = s.heap->base();
    bool good = true;
    const Strings strings(*s.heap);
    s.heap->ForEachObject([&](core::ref object, const HeapType& type) {
      if (type.opaque) {
        good &= strings.IsSound(object);
        return;
      }
      const bool array = type.kind == core::ObjectKind::kArray;
      const uint32_t count = array ? core::array_length(base, object) : 1;
      for (const core::FieldInfo& field : type.fields) {
        if (!core::IsRef(field.type)) continue;
        const uint8_t* at = base + object + field.offset;
        for (uint32_t i = 0; i < count; ++i, at += 4) {
          good &= RefFits(s, field.ref, field.type, core::value_get<uint32_t>(at));
        }
      }
    });
    return good ? absl::OkStatus() : Bad("an object has a wrong value");
  }

  absl::Status KeepReferences() {
    Objects objects(*result_.store);
    for (const HeapImage::Kept& kept : image_.heap.kept) {
      ValType type;
      // A place that was free is of a number.
      if (!core::TypeOfLetter(kept.type, type) ||
          (core::IsRef(type) && !RefExists(store(), type, kept.reference))) {
        return Bad("a reference that was kept is wrong");
      }
      result_.kept.push_back(
          objects.Keep(core::IsRef(type) ? Value{type, kept.reference} : Value::AnyRef(0)));
    }
    return absl::OkStatus();
  }

  absl::Status CheckException(const ExceptionImage& e) {
    StoreState& s = store();
    if (e.tag >= s.tags->size()) return Bad("an exception has an unknown tag");
    const std::vector<ValType>& types = SignatureOfType((*s.tags)[e.tag]).params;
    if (e.values.size() != SlotsOf(types)) return Bad("an exception has the wrong size");
    const std::vector<core::RefType>& refs = RefsOfType((*s.tags)[e.tag]);
    size_t slot = 0;
    for (size_t i = 0; i < types.size(); ++i) {
      const ValType type = types[i];
      const Bits value = {e.values[slot], type == ValType::kV128 ? e.values[slot + 1] : 0};
      slot += SlotsOf(type);
      const bool exists =
          !core::IsRef(type) ||
          (i < refs.size() ? RefFits(s, refs[i], type, value.low) : RefExists(s, type, value.low));
      if (!exists || !IsValue(type, value)) return Bad("an exception has a wrong value");
    }
    return absl::OkStatus();
  }

  // Where they are collected, their handles are used again, and may be in any order.
  absl::Status FillCollectedExceptions() {
    StoreState& s = store();
    if (image_.exceptions.size() > s.limits.exceptions) {
      return absl::ResourceExhaustedError("too many exceptions");
    }
    for (const ExceptionImage& e : image_.exceptions) {
      if (e.tag == core::kFreeTag) {
        if (!e.values.empty()) return Bad("an exception has the wrong size");
        s.exceptions.Make().AddFree();
      } else {
        s.exceptions.Make().Add(e.tag, e.values);
      }
    }
    s.store.exceptions = s.exceptions.Make().data();
    s.store.exception_count = s.exceptions->size();
    for (const ExceptionImage& e : image_.exceptions) {
      if (e.tag == core::kFreeTag) continue;
      absl::Status status = CheckException(e);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status FillExceptions() {
    StoreState& s = store();
    if (s.heap != nullptr) return FillCollectedExceptions();
    for (const ExceptionImage& e : image_.exceptions) {
      // References to exceptions only name earlier ones: they were there first.
      absl::Status status = CheckException(e);
      if (!status.ok()) return status;
      const core::ref handle =
          s.store.keep(&s.store, e.tag, e.values.data(), static_cast<uint32_t>(e.values.size()));
      if (handle == 0) return absl::ResourceExhaustedError("too many exceptions");
      if (handle != s.exceptions->size() || handle != ++exceptions_)
        return Bad("an exception is listed twice");
    }
    return absl::OkStatus();
  }

  absl::Status Fill() {
    for (size_t i = 0; i < memory_images_.size(); ++i) {
      absl::Status status = FillMemory(*numbers_.memories[i], *memory_images_[i]);
      if (!status.ok()) return status;
    }
    for (size_t i = 0; i < table_images_.size(); ++i) {
      absl::Status status = FillTable(*numbers_.tables[i], *table_images_[i]);
      if (!status.ok()) return status;
    }
    size_t global = 0;
    for (const StoreState::Made& made : image_.made) {
      absl::Status status;
      if (made.kind == StoreState::Made::kGlobal) {
        status = FillGlobal(global++, image_.globals[made.index].value);
      } else if (made.kind == StoreState::Made::kInstance) {
        const InstanceImage& i = image_.instances[made.index];
        for (size_t k = 0; k < i.globals.size() && status.ok(); ++k) {
          status = FillGlobal(global++, i.globals[k]);
        }
        if (status.ok()) status = FillInstance(i, made.index);
      }
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  static absl::Status FillMemory(core::Memory& memory, const MemoryImage& image) {
    if (image.frozen != nullptr) return image.frozen->CopyTo(memory);
    for (const MemoryRun& run : image.runs) {
      if (run.address + run.bytes.size() > memory.bytes)
        return Bad("bytes are past the end of a memory");
      if (!run.bytes.empty())
        std::memcpy(memory.data + run.address, run.bytes.data(), run.bytes.size());
    }
    return absl::OkStatus();
  }

  absl::Status FillTable(core::Table& table, const TableImage& image) {
    StoreState& s = store();
    const core::RefType& type = static_cast<TableStorage*>(table.owner)->ref();
    for (uint32_t i = 0; i < table.size; ++i) {
      const core::ref handle = image.elements[i];
      if (!RefFits(s, type, table.type, handle) &&
          (handle != 0 || !may_be_null_.contains(&table))) {
        return Bad("an element of a table is wrong");
      }
      if (table.type != ValType::kFuncRef) {
        table.refs[i] = handle;
      } else if (handle != 0) {
        table.functions[i] = s.functions[handle - 1];
      }
    }
    return absl::OkStatus();
  }

  absl::Status FillGlobal(size_t number, const Bits& value) {
    if (number >= numbers_.globals.size()) return Bad("the number of globals is wrong");
    Global& global = numbers_.globals[number];
    if (!IsValue(global.type, value) ||
        (core::IsRef(global.type) &&
         !RefFits(store(), numbers_.global_refs[number], global.type, value.low) &&
         (value.low != 0 || !may_be_null_.contains(global.storage)))) {
      return Bad("the value of a global is wrong");
    }
    global.Set(Value{global.type, value.low, value.high});
    return absl::OkStatus();
  }

  absl::Status FillInstance(const InstanceImage& i, uint32_t index) {
    InstanceState& state = SnapshotAccess::Of(*result_.instances[index]);
    const ModuleInfo& info = *state.info;
    uint32_t own = 0;
    for (uint32_t k = 0; k < info.global_count; ++k) own += !info.globals[k].imported;
    if (i.globals.size() != own) return Bad("the number of globals is wrong");
    if (((i.due & InstanceState::kStartFunction) != 0 && info.start == core::kNoFunction) ||
        ((i.due & InstanceState::kInitialize) != 0 && state.Initialize() == core::kNoFunction)) {
      return Bad("there is no start function");
    }
    state.due = i.due;
    if (i.segments.size() != info.segment_count) return Bad("the number of segments is wrong");
    for (uint32_t k = 0; k < info.segment_count; ++k) {
      const core::SegmentInfo& segment = info.segments[k];
      const SegmentImage& s = i.segments[k];
      const uint64_t elements = s.dropped || segment.elements == 0 ? 0 : segment.size;
      if (s.elements.size() != elements) return Bad("a segment has the wrong size");
      if (segment.elements == 0) {
        *state.Field<uint64_t>(segment.offset) = s.dropped ? 0 : segment.size;
        continue;
      }
      *state.Field<uint32_t>(segment.offset) = static_cast<uint32_t>(elements);
      core::RefType ref = segment.ref;
      if (IsOfModule(ref)) ref.type = state.Field<uint32_t>(info.types_offset)[ref.type];
      for (const core::ref element : s.elements) {
        if (!RefFits(store(), ref, segment.type, element))
          return Bad("an element of a segment is wrong");
      }
      std::copy(s.elements.begin(), s.elements.end(), state.Field<core::ref>(segment.elements));
    }
    return absl::OkStatus();
  }

  absl::Status FillSteps() {
    StoreState& s = store();
    for (const StepImage& image : image_.steps) {
      if (image.function == 0 || image.function > s.functions.size()) {
        return Bad("a call is of a function that does not exist");
      }
      absl::StatusOr<uint32_t> depth =
          CheckFrames(s, image.function, image.frames, image.held != StepImage::kSuspended);
      if (!depth.ok()) return depth.status();
      if (image.frames.size() > s.limits.frame_bytes || *depth > s.limits.call_depth) {
        return absl::ResourceExhaustedError("a call holds more frames than the limits allow");
      }
      const uint32_t type = s.functions[image.function - 1].type;
      if (s.types.Find(type) == nullptr) return Bad("a call is of a function of an unknown type");
      DynamicStep step;
      StepState& state = SnapshotAccess::Make(step);
      state.link = s.link;
      state.function = image.function;
      state.restored = image.restored;
      state.signature = &SignatureOfType(type);
      if (image.starting != StepImage::kNotStarting) {
        absl::Status status = Starts(image, state);
        if (!status.ok()) return status;
      }
      core::Activation frames{};
      frames.frames = const_cast<core::u8*>(image.frames.data());
      frames.size = static_cast<uint32_t>(image.frames.size());
      frames.depth = *depth;
      if (!state.SetFrames(frames)) {
        return absl::ResourceExhaustedError("no memory for the frames of a call");
      }
      state.Hold(image.held == StepImage::kSuspended     ? StepState::Phase::kSuspended
                 : image.held == StepImage::kInterrupted ? StepState::Phase::kInterrupted
                                                         : StepState::Phase::kOutOfFuel);
      result_.steps.push_back(std::move(step));
    }
    return absl::OkStatus();
  }

  // The step is its instance's start, which happens once.
  absl::Status Starts(const StepImage& image, StepState& step) {
    if (image.starting >= result_.instances.size())
      return Bad("a start is of an instance that does not exist");
    InstanceState& state = SnapshotAccess::Of(*result_.instances[image.starting]);
    if (state.due == 0 || state.start_running ||
        image.function != store().functions[state.NextToStart() - 1].handle) {
      return Bad("a start can't be running");
    }
    state.start_running = true;
    step.starting = result_.instances[image.starting];
    return absl::OkStatus();
  }

  const StoreImage& image_;
  Supplier& supplier_;
  const uint32_t most_instances_;
  RestoredStore result_;
  absl::flat_hash_set<const void*> may_be_null_;  // storage of globals, tables
  std::vector<const ModuleInfo*> modules_;
  Numbering numbers_;
  std::vector<const MemoryImage*> memory_images_;  // by number
  std::vector<const TableImage*> table_images_;
  uint32_t exceptions_ = 0;
};

}  // namespace

absl::StatusOr<RestoredStore> Rebuild(const StoreImage& image, Supplier& supplier,
                                      const Limits& limits, uint32_t most_instances) {
  return Rebuilder(image, supplier, limits, most_instances).Run();
}

}  // namespace fermata::internal

#include "runtime/host/collect.h"

#include <cstring>

#include "fermata/core/frame.h"
#include "runtime/heap/heap.h"
#include "runtime/host/state.h"

namespace fermata::internal {
namespace {

bool IsObject(ValType type) { return type == ValType::kAnyRef || type == ValType::kExternRef; }

// In a footer, as a word.
constexpr core::u64 kScanned = core::u64{core::kScannedFrame} << 48;

// One collection.
class Collector {
 public:
  Collector(StoreState& store, Heap::Kind kind) : store_(store), heap_(*store.heap), kind_(kind) {}

  bool Run(const core::Activation& running, uint64_t wanted) {
    const bool major = kind_ == Heap::Kind::kMajor;
    if (!heap_.BeginCollection(kind_)) return false;
    if (major) store_.exceptions.Make().BeginCollection();
    for (const core::Instance* instance : store_.instances) VisitInstance(*instance);
    for (const auto& table : store_.tables) VisitTable(*table->table());
    for (const auto& cell : store_.host_made->globals) VisitWord(cell->type, cell->words);
    store_.link->ForEachKept([&](Value& value) { VisitSlot(value.type, value.low); });
    if (major) {
      store_.link->ForEachCall([&](CallState& call) { VisitCall(call); });
    } else {
      // Others hold old objects only.
      store_.link->ForEachThatRan([&](CallState& call) { VisitCall(call); });
      for (core::ref exception : store_.exceptions->recent()) VisitPayload(exception);
    }
    store_.link->ForgetThoseThatRan();
    VisitFrames(running);
    do {
      VisitPayloads();
    } while (heap_.Scan([&](core::ref exception) { Mark(exception); }) || !marked_.empty());
    if (major) store_.exceptions.Make().EndCollection();
    store_.exceptions.Make().ForgetRecent();
    return heap_.EndCollection(wanted);
  }

 private:
  void Mark(core::ref exception) {
    if (kind_ == Heap::Kind::kMajor && store_.exceptions.Make().Mark(exception))
      marked_.push_back(exception);
  }
  void VisitPayloads() {
    while (!marked_.empty()) {
      const core::ref exception = marked_.back();
      marked_.pop_back();
      VisitPayload(exception);
    }
  }
  void VisitPayload(core::ref exception) {
    uint64_t* value = store_.exceptions.Make().ValuesOf(exception);
    const uint32_t tag = store_.exceptions->data()[exception - 1].tag;
    if (tag == core::kFreeTag) return;
    for (ValType type : SignatureOfType((*store_.tags)[tag]).params) {
      VisitSlot(type, *value);
      value += core::SlotsOf(type);
    }
  }

  // A reference in the low half of a slot.
  void VisitSlot(ValType type, uint64_t& slot) {
    if (type == ValType::kExnRef) return Mark(static_cast<core::ref>(slot));
    if (!IsObject(type)) return;
    auto reference = static_cast<core::ref>(slot);
    heap_.Visit(reference);
    slot = reference;
  }
  // In the machine's order, at any address.
  void VisitWord(ValType type, void* at) {
    if (!core::IsRef(type) || type == ValType::kFuncRef) return;
    core::ref reference;
    std::memcpy(&reference, at, sizeof reference);
    if (type == ValType::kExnRef) return Mark(reference);
    heap_.Visit(reference);
    std::memcpy(at, &reference, sizeof reference);
  }

  template <class T>
  static T* Field(const core::Instance& instance, uint32_t offset) {
    const auto at = reinterpret_cast<uintptr_t>(&instance) + offset;
    return reinterpret_cast<T*>(at);
  }
  void VisitInstance(const core::Instance& instance) {
    const ModuleInfo& module = *instance.module;
    for (uint32_t i = 0; i < module.global_count; ++i) {
      const core::GlobalInfo& global = module.globals[i];
      if (!global.imported) VisitWord(global.type, Field<uint8_t>(instance, global.offset));
    }
    for (uint32_t i = 0; i < module.segment_count; ++i) {
      const core::SegmentInfo& segment = module.segments[i];
      if (segment.elements == 0) continue;
      auto* element = Field<core::ref>(instance, segment.elements);
      for (uint32_t n = *Field<uint32_t>(instance, segment.offset); n != 0; --n) {
        VisitWord(segment.type, element++);
      }
    }
  }
  void VisitTable(const core::Table& table) {
    if (table.type == ValType::kFuncRef) return;
    for (uint32_t i = 0; i < table.size; ++i) VisitWord(table.type, &table.refs[i]);
  }

  void VisitCall(CallState& call) {
    if (call.held()) {
      VisitFrames(call.activation);
      call.decoded = false;
    } else if (call.phase == CallState::Phase::kFinished) {
      for (Value& value : call.values) VisitSlot(value.type, value.low);
    }
    if (call.failure != nullptr && call.failure->thrown) {
      for (Value& value : call.failure->thrown->values) VisitSlot(value.type, value.low);
    }
  }
  // From the innermost on. In a minor collection, frames that the last one has seen have nothing new,
  // nor have those below them.
  void VisitFrames(const core::Activation& activation) {
    core::u8* end = activation.frames + activation.size;
    while (end != activation.frames) {
      core::u64 bits;
      std::memcpy(&bits, end - sizeof bits, sizeof bits);
      bits = core::little(bits);
      if (kind_ == Heap::Kind::kMinor && (bits & kScanned) != 0) return;
      const core::u64 scanned = core::little(bits | kScanned);
      std::memcpy(end - sizeof bits, &scanned, sizeof bits);
      const ModuleInfo& module = *store_.instances[(bits & ~kScanned) >> 48]->module;
      const auto site = static_cast<uint32_t>(bits);
      end -= (bits >> 32 & 0xffff) * core::kFrameWord;
      VisitFrame(module, site, end);
    }
  }
  void VisitFrame(const ModuleInfo& module, uint32_t site, core::u8* at) {
    const bool op = module.sites[site].resume == nullptr;
    for (const char* letter = module.site_details[site].slots; *letter != '\0'; ++letter) {
      ValType type{};
      if (!core::TypeOfLetter(*letter, type)) return;
      if (core::IsRef(type) && type != ValType::kFuncRef) {
        core::ref reference = core::frame_get32(at, 0);
        if (type == ValType::kExnRef) {
          Mark(reference);
        } else {
          heap_.Visit(reference);
          core::frame_put32(at, 0, reference);
        }
      }
      at += op ? 8 * core::SlotsOf(type) : core::FrameBytes(type);
    }
  }

  StoreState& store_;
  Heap& heap_;
  const Heap::Kind kind_;
  std::vector<core::ref> marked_;  // exceptions whose payload has not been visited
};

}  // namespace

namespace {

void TellOfDropped(HostValues& values) {
  std::vector<uint32_t> dropped;
  for (const auto& [number, met] : values.watched) {
    if (!met) dropped.push_back(number);
  }
  for (uint32_t number : dropped) values.watched.erase(number);
  for (uint32_t number : dropped) values.dropped(number);
}

}  // namespace

bool Collect(StoreState& store, const core::Activation& running, uint64_t wanted,
             Heap::Kind least) {
  using Kind = Heap::Kind;
  Heap& heap = *store.heap;
  if (least == Kind::kMinor && heap.NextCollection(wanted) == Kind::kMinor &&
      Collector(store, Kind::kMinor).Run(running, wanted) &&
      heap.NextCollection(0) == Kind::kMinor) {
    return true;
  }
  HostValues* const values =
      store.host_values->watched.empty() ? nullptr : &store.host_values.Make();
  if (values != nullptr) {
    for (auto& [number, met] : values->watched) met = false;
    heap.NoteHostValues(&values->watched);
  }
  const uint64_t before = heap.major_collections();
  const bool room = Collector(store, Kind::kMajor).Run(running, wanted);
  heap.NoteHostValues(nullptr);
  if (values != nullptr && heap.major_collections() != before) TellOfDropped(*values);
  return room;
}

void ForgetScanned(const core::Activation& activation) {
  core::u8* end = activation.frames + activation.size;
  while (end != activation.frames) {
    core::u64 bits;
    std::memcpy(&bits, end - sizeof bits, sizeof bits);
    bits = core::little(bits) & ~kScanned;
    const core::u64 footer = core::little(bits);
    std::memcpy(end - sizeof bits, &footer, sizeof bits);
    end -= (bits >> 32 & 0xffff) * core::kFrameWord;
  }
}

}  // namespace fermata::internal

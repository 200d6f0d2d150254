#include "runtime/heap/heap.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "runtime/os/hosted_context.h"
#include "runtime/os/virtual_memory.h"

namespace fermata::internal {

using core::ObjectKind;

absl::StatusOr<std::unique_ptr<Heap>> Heap::Make(const Limits& limits) {
  std::unique_ptr<Heap> heap(new Heap(limits));
  absl::Status status = heap->Reserve(limits.heap_bytes);
  if (!status.ok()) return status;
  return heap;
}

absl::Status Heap::Reserve(uint64_t most) {
  // All offsets are below 2^32, with the guard behind them.
  constexpr uint64_t kMostSpace = ((uint64_t{1} << 32) - core::kYoungEnd - kGuard) / 2 - kNursery;
  const uint64_t page = SystemPageSize();
  space_bytes_ = RoundUpToPages(std::clamp<uint64_t>(most, page, kMostSpace - page));
  const uint64_t slots = RoundUpToPages(core::kMostSlots * sizeof(core::u32));
  region_bytes_ = slots + page + core::kYoungEnd + 2 * (space_bytes_ + kNursery) + kGuard;
  region_ = ReserveAddresses(region_bytes_);
  if (region_ == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no address space to reserve for a heap (", region_bytes_, " bytes)"));
  }
  base_ = region_ + slots + page;
  begin_[0] = core::kYoungEnd;
  begin_[1] = static_cast<uint32_t>(core::kYoungEnd + space_bytes_ + kNursery);
  if (!CommitAddresses(region_, slots + page) || !CommitAddresses(base_ + kGuard, kNursery)) {
    return absl::ResourceExhaustedError("no memory for a heap");
  }
  header() = {};
  header().slots = reinterpret_cast<core::u32*>(region_);
  header().top = kGuard;
  header().limit = NurseryLimit(0);
  parked_top_ = fresh_ = begin();
  old_limit_ = std::min(kFirst, space_bytes_);
  AddStringTypes();
  return absl::OkStatus();
}

Heap::~Heap() {
  if (region_ != nullptr) Unmap(region_, region_bytes_);
}

bool Heap::Covers(const void* address) const {
  const auto at = reinterpret_cast<uintptr_t>(address), from = reinterpret_cast<uintptr_t>(region_);
  return at >= from && at - from < region_bytes_;
}

bool Heap::Commit(int space, uint64_t bytes) {
  bytes = RoundUpToPages(bytes);
  if (bytes <= committed_[space]) return true;
  uint8_t* const from = base_ + begin_[space] + committed_[space];
  if (bytes > space_bytes_ + kNursery || !CommitAddresses(from, bytes - committed_[space])) {
    return false;
  }
  committed_[space] = bytes;
  return true;
}

void Heap::Release(int space) {
  // What still refers to it must not find anything.
  if (stress_ != 0) std::memset(base_ + begin_[space], 0xff, std::min(committed_[space], kKept));
  if (committed_[space] <= kKept) return;
  DecommitAddresses(base_ + begin_[space] + kKept, committed_[space] - kKept);
  committed_[space] = kKept;
}

// ---- The window ----

uint32_t Heap::NurseryLimit(uint64_t wanted) const {
  if (stress_ == 0) return kGuard + young_size_;
  return static_cast<uint32_t>(
      std::min<uint64_t>(young_top() + wanted + stress_ - 1, kGuard + young_size_));
}

void Heap::EnterNursery(uint32_t limit) {
  if (in_old_) std::swap(header().top, parked_top_);
  in_old_ = false;
  header().limit = limit;
}

bool Heap::EnterOld(uint64_t bytes) {
  const uint64_t end = old_bytes() + bytes;
  if (bytes > space_bytes_ || end > space_bytes_ || !Commit(space_, end)) return false;
  if (!in_old_) std::swap(header().top, parked_top_);
  in_old_ = true;
  header().limit = static_cast<uint32_t>(begin() + end);
  return true;
}

void Heap::RequestCollection(bool major) {
  requested_ = true;
  major_requested_ |= major;
  header().limit = header().top;
}

bool Heap::Grow(uint64_t bytes, bool must) {
  if (must) RequireStack();
  const bool may = must || !(requested_ || header().slot_count == core::kMostSlots);
  if (in_old_ && may && stress_ == 0 && bytes <= NurseryLimit(0) - young_top()) {
    EnterNursery(NurseryLimit(0));
    return true;
  }
  if (must) return EnterOld(std::max(bytes, kStep)) || EnterOld(bytes);
  const bool large = bytes > young_size_ / 2;
  return may && large && stress_ == 0 && old_bytes() + bytes <= old_limit_ && EnterOld(bytes);
}

uint64_t Heap::SizeOf(core::ref object) const {
  const HeapType& type = TypeOf(core::object_get32(base_, object, 0));
  if (type.kind == ObjectKind::kStruct) return type.bytes;
  return core::array_bytes(core::array_length(base_, object), type.log2);
}

// ---- Types ----

std::vector<uint32_t> Heap::AddTypes(const core::ModuleInfo& module,
                                     absl::Span<const uint32_t> canonical) {
  std::vector<uint32_t> numbers;
  for (uint32_t t = 0; t < module.type_count; ++t) {
    const bool object = module.object_types[t].kind != ObjectKind::kNone;
    auto it = object ? numbers_.find(canonical[t]) : numbers_.end();
    numbers.push_back(!object                ? 0
                      : it != numbers_.end() ? it->second
                                             : AddType(module, t, canonical, numbers));
  }
  SetDisplays();
  return numbers;
}

uint32_t Heap::AddType(const core::ModuleInfo& module, uint32_t t,
                       absl::Span<const uint32_t> canonical, const std::vector<uint32_t>& numbers) {
  const core::ObjectType& object = module.object_types[t];
  HeapType type{canonical[t], 0, object.kind, object.bytes, 0, {}, {}, {}, object.has_descriptor};
  for (uint32_t f = 0; f < object.field_count; ++f) {
    core::FieldInfo field = object.fields[f];
    if (core::IsRef(field.type) && IsOfModule(field.ref))
      field.ref.type = canonical[field.ref.type];
    type.fields.push_back(field);
    if (field.type == core::ValType::kAnyRef || field.type == core::ValType::kExternRef) {
      type.references.push_back(field.offset);
    } else if (field.type == core::ValType::kExnRef) {
      type.exceptions.push_back(field.offset);
    }
  }
  if (object.kind == ObjectKind::kArray) {
    const core::FieldInfo& element = object.fields[0];
    uint32_t bytes =
        element.packed_bits != 0 ? element.packed_bits / 8u : core::FrameBytes(element.type);
    for (; bytes > 1; bytes /= 2) ++type.log2;
  }
  const uint32_t supertype = module.types[t].supertype;
  return AddType(std::move(type), object.depth,
                 supertype == core::kNoType ? 0 : numbers[supertype]);
}

// The depth, the description, the display.
uint32_t Heap::AddType(HeapType type, uint32_t depth, uint32_t supertype) {
  displays_.push_back(depth);
  displays_.push_back(static_cast<uint32_t>(types_.size() << core::kDescriptionShift) |
                      (type.opaque ? core::kOpaqueFlag : 0) |
                      (type.kind == ObjectKind::kArray ? core::kArrayFlag : 0));
  const size_t place = displays_.size();
  type.number = static_cast<uint32_t>(4 * place);
  displays_.resize(place + std::max(depth + 1, core::kDisplayWords));
  displays_[place + depth] = type.number;
  std::copy_n(displays_.begin() + supertype / 4, depth, displays_.begin() + place);
  if (!type.opaque) numbers_.emplace(type.canonical, type.number);
  numbered_.insert(type.number);
  types_.push_back(std::move(type));
  return types_.back().number;
}

void Heap::AddStringTypes() {
  const core::FieldInfo byte = {core::ValType::kI32, 8, true, core::kArrayHeader, {}};
  const core::FieldInfo unit = {core::ValType::kI32, 16, true, core::kArrayHeader, {}};
  const core::RefType external = {static_cast<uint8_t>(core::HeapType::kExternRef), true, 0};
  const auto field = [&](core::ValType type, uint32_t offset) {
    return core::FieldInfo{type, 0, true, offset, external};
  };
  const auto add = [&](HeapType type) {
    type.canonical = core::kNoType;
    type.opaque = true;
    return AddType(std::move(type), 0, 0);
  };
  string_types_[kLatin1] = add({0, 0, ObjectKind::kArray, core::kArrayHeader, 0, {byte}, {}, {}});
  string_types_[kUtf16] = add({0, 0, ObjectKind::kArray, core::kArrayHeader, 1, {unit}, {}, {}});
  string_types_[kRope] = add({0,
                              0,
                              ObjectKind::kStruct,
                              16,
                              0,
                              {field(core::ValType::kExternRef, 4),
                               field(core::ValType::kExternRef, 8), field(core::ValType::kI32, 12)},
                              {4, 8},
                              {}});
  SetDisplays();
}

uint32_t Heap::NumberOf(uint32_t canonical) const {
  const auto it = numbers_.find(canonical);
  return it == numbers_.end() ? 0 : it->second;
}

// ---- Snapshots ----

absl::Status Heap::Load(absl::Span<const uint8_t> bytes,
                        const absl::flat_hash_map<uint32_t, uint32_t>& numbers) {
  const auto bad = [](const char* what) {
    return absl::InvalidArgumentError(absl::StrCat("inconsistent snapshot: ", what));
  };
  if (bytes.size() > space_bytes_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("objects of ", bytes.size(), " bytes are above the limit of the heap"));
  }
  if (bytes.size() % core::kObjectAlignment != 0) return bad("objects have a wrong size");
  const uint64_t limit = std::min(space_bytes_, bytes.size() + kFirst);
  if (!Commit(0, limit)) return absl::ResourceExhaustedError("no memory for a heap");
  std::copy(bytes.begin(), bytes.end(), base_ + kFirstObject);
  starts_.assign(bytes.size() / core::kObjectAlignment, false);
  for (uint64_t at = 0; at != bytes.size();) {
    const auto object = static_cast<core::ref>(kFirstObject + at);
    const auto it = numbers.find(core::object_get32(base_, object, 0));
    if (it == numbers.end()) return bad("an object is of an unknown type");
    core::object_put32(base_, object, 0, it->second);
    const bool array = TypeOf(it->second).kind == ObjectKind::kArray;
    if (array && bytes.size() - at < core::kArrayHeader) return bad("an object is too large");
    const uint64_t size = SizeOf(object);
    if (size > bytes.size() - at) return bad("an object is too large");
    starts_[at / core::kObjectAlignment] = true;
    at += size;
  }
  parked_top_ = fresh_ = static_cast<uint32_t>(kFirstObject + bytes.size());
  old_limit_ = std::min(space_bytes_, 2 * bytes.size() + kFirst);
  return absl::OkStatus();
}

// ---- Collections ----

Heap::Kind Heap::NextCollection(uint64_t wanted) const {
  const uint64_t large = wanted > young_size_ / 2 ? wanted : 0;
  const bool major = major_requested_ || header().slots_lost || old_bytes() + large > old_limit_ ||
                     (stress_ != 0 && stress_debt_ >= old_bytes());
  return major ? Kind::kMajor : Kind::kMinor;
}

bool Heap::BeginCollection(Kind kind) {
  kind_ = kind;
  const bool minor = kind == Kind::kMinor;
  const int to = minor ? space_ : 1 - space_;
  const uint64_t most = minor ? used_bytes() : std::max<uint64_t>(used_bytes(), 1);
  if (!Commit(to, most)) return false;
  leaving_young_ = static_cast<uint32_t>(young_bytes());
  leaving_from_ = begin();
  leaving_old_ = minor ? 0 : static_cast<uint32_t>(old_bytes());
  moved_ = minor ? old_top() : begin_[to];
  scanned_ = minor ? fresh_ : moved_;
  if (minor) VisitSlots();
  return true;
}

void Heap::VisitSlots() {
  for (uint32_t i = 0; i < header().slot_count; ++i) {
    uint8_t* const slot = base_ + header().slots[i];
    const auto value = core::value_get<core::ref>(slot);
    if (Leaves(value)) core::value_put(slot, Move(value));
  }
}

// The new place of an object that was moved lies in the word of its type number, marked as no such
// number by the lowest bit.
core::ref Heap::Move(core::ref object) {
  uint8_t* const at = base_ + object;
  const uint32_t word = core::value_get<uint32_t>(at);
  if ((word & 1) != 0) return word & ~1u;
  const uint64_t bytes = SizeOf(object);
  const core::ref to = moved_;
  std::memcpy(base_ + to, at, bytes);
  moved_ += static_cast<uint32_t>(bytes);
  core::value_put(at, to | 1);
  return to;
}

bool Heap::EndCollection(uint64_t wanted) {
  ++collections_;
  stress_debt_ += young_bytes() + 64;
  // What still refers to it must not find anything.
  if (stress_ != 0) std::memset(base_ + kGuard, 0xff, young_bytes());
  if (kind_ == Kind::kMajor) {
    Release(space_);
    space_ = 1 - space_;
    ++majors_;
    stress_debt_ = 0;
    major_requested_ = false;
    header().slots_lost = false;
    const uint64_t live = moved_ - begin();
    old_limit_ = std::min(space_bytes_, 2 * live + kFirst);
  }
  requested_ = false;
  header().slot_count = 0;
  in_old_ = false;
  parked_top_ = fresh_ = moved_;
  leaving_young_ = leaving_old_ = 0;
  header().top = kGuard;
  young_size_ = std::min(kNursery, 2 * young_size_);
  header().limit = NurseryLimit(wanted);
  if (old_bytes() <= space_bytes_ && wanted <= header().limit - header().top) return true;
  if (old_bytes() > space_bytes_ || !EnterOld(wanted)) {
    header().limit = header().top;
    return false;
  }
  old_limit_ = std::max(old_limit_, old_bytes() + wanted);
  return true;
}

}  // namespace fermata::internal

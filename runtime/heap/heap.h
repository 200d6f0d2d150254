// The heap of a store: objects of garbage collection (fermata/core/objects.h), and the copying
// collector.
//
// A region of address space, in which references are offsets:
//
//   header | a guard that can't be accessed | space 0 | space 1 | a guard
//
// One of the spaces is in use: objects are made from its beginning to the top. A collection copies
// those that can be reached to the other space.
#ifndef FERMATA_RUNTIME_HEAP_HEAP_H_
#define FERMATA_RUNTIME_HEAP_HEAP_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "fermata/core/heap.h"
#include "fermata/core/limits.h"
#include "fermata/core/module_info.h"

namespace fermata::internal {

// A struct or array type of the store.
struct HeapType {
  uint32_t canonical;  // number within the process
  uint32_t number;     // that objects begin with
  core::ObjectKind kind;
  uint32_t bytes;  // of an object; of an array: without its elements
  uint32_t log2;   // of an array's elements' size
  // With canonical numbers; of an array: one. The last is the descriptor, if objects have one.
  std::vector<core::FieldInfo> fields;
  // Offsets of fields; of an array: 0 if its elements are such.
  std::vector<uint32_t> references;  // to objects
  std::vector<uint32_t> exceptions;  // exnref
  bool has_descriptor = false;
  bool opaque = false;  // core::kOpaqueFlag; `canonical` is core::kNoType

  size_t own_fields() const { return fields.size() - has_descriptor; }
};

// One region: a guard, the nursery, two spaces for old objects, a guard.
//
// Objects are made at the *window*, from HeapHeader::top to limit. It usually lies in the nursery.
// When that is full, a *minor* collection moves what is alive there to the old space that is in use,
// and looks at nothing else than the nursery's objects: old objects that refer to young ones have
// been remembered. When the old space is full, a *major* collection moves everything to the other
// one. Objects that are too large for the nursery, and all where nothing can be moved, are made in
// the old space: the window lies there for a while. A minor collection looks through those that were
// made there since the last one.
class Heap {
  static constexpr uint32_t kGuard = core::kFirstYoung;
  static constexpr uint32_t kNursery = core::kYoungEnd - core::kFirstYoung;  // the most it takes

 public:
  // Errors: no address space, or no memory for the first objects.
  static absl::StatusOr<std::unique_ptr<Heap>> Make(const Limits& limits);
  ~Heap();
  Heap(const Heap&) = delete;

  uint8_t* base() const { return base_; }
  bool Covers(const void* address) const;
  // Whether it is where the fields of null would be.
  bool IsInNull(const void* address) const {
    return reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(base_) < kGuard;
  }

  // The numbers of a module's types, in its order; 0 for those of functions. `canonical`: their
  // numbers within the process.
  std::vector<uint32_t> AddTypes(const core::ModuleInfo& module,
                                 absl::Span<const uint32_t> canonical);
  // Strings: arrays of bytes (Latin-1), arrays of UTF-16 code units, and ropes, structs of two strings
  // and a length. See strings.h.
  enum StringType : uint32_t { kLatin1, kUtf16, kRope, kStringTypes };
  uint32_t string_type(StringType type) const { return string_types_[type]; }
  bool IsString(core::ref reference) const {
    return Holds(reference) && TypeOf(core::object_get32(base_, reference, 0)).opaque;
  }
  // The type of an object. `number` must be one that an object begins with.
  const HeapType& TypeOf(uint32_t number) const {
    return types_[displays_[number / 4 - 1] >> core::kDescriptionShift];
  }
  uint64_t SizeOf(core::ref object) const;

  // Whether a reference is to an object.
  bool Holds(core::ref reference) const {
    return (reference & core::kTagMask) == 0 && ((reference >= kGuard && reference < young_top()) ||
                                                 (reference >= begin() && reference < old_top()));
  }

  // Has the next allocation lead to a collection, of everything if `major`.
  void RequestCollection(bool major);
  // Core's Store::grow_heap.
  bool Grow(uint64_t bytes, bool must);
  // Writes a reference in an object that may be old.
  void Put(core::ref object, uint32_t offset, core::ref v) {
    core::object_put_ref(base_, object, offset, v);
  }

  enum class Kind : uint8_t { kMinor, kMajor };
  // Whether a minor collection would do for `wanted` bytes, and whether another one has to follow.
  Kind NextCollection(uint64_t wanted) const;
  // Whether it is time for a collection if one costs little.
  bool IsNearlyFull() const { return young_bytes() > young_size_ / 4 * 3; }

  // A collection: Begin, Visit for each root, Scan until nothing is left to do, End. False: there
  // is no memory for it, and nothing has changed.
  bool BeginCollection(Kind kind);
  // Moves the object that `reference` refers to, if that has not been done, and changes it. What is
  // no object of what is being left stays what it is.
  void Visit(core::ref& reference) {
    if (Leaves(reference)) {
      reference = Move(reference);
    } else if (met_ != nullptr) {
      Meet(reference);
    }
  }
  // Until the next call, has Visit and Scan put down which of these host values they come upon, by
  // number. Null: does not.
  void NoteHostValues(absl::flat_hash_map<uint32_t, bool>* met) { met_ = met; }
  // Visits the references in objects that have been moved. `exception` is called with the exnrefs
  // in them. True: there were some.
  template <class OnException>
  bool Scan(OnException&& exception);
  // `wanted`: bytes that there has to be room for. False: there is none.
  bool EndCollection(uint64_t wanted);

  // Snapshots. The objects, from the beginning of a space to the top, and where that is. They begin
  // at kFirstObject in the space that snapshots are made of.
  static constexpr uint32_t kFirstObject = core::kYoungEnd;
  bool in_first_space() const { return space_ == 0; }
  // After a major collection.
  absl::Span<const uint8_t> objects() const {
    return {base_ + begin(), static_cast<size_t>(old_bytes())};
  }
  const std::vector<HeapType>& types() const { return types_; }
  // Of a type by its number within the process; 0: the heap has none.
  uint32_t NumberOf(uint32_t canonical) const;
  // Makes these bytes the objects of an empty heap. `numbers`: by the number that an object begins
  // with there, what it is here. Afterwards IsStart says where objects begin, until Forget. Errors:
  // no room; bytes that are no sequence of objects.
  absl::Status Load(absl::Span<const uint8_t> bytes,
                    const absl::flat_hash_map<uint32_t, uint32_t>& numbers);
  bool IsStart(core::ref object) const {
    return Holds(object) && object >= kFirstObject &&
           starts_[(object - kFirstObject) / core::kObjectAlignment];
  }
  void Forget() { starts_ = {}; }
  // Whether a reference is to an object, as far as that can be told: of one that never was right it
  // is not certain, except between Load and Forget.
  bool IsObject(core::ref reference) const {
    if (!Holds(reference)) return false;
    return !starts_.empty() ? IsStart(reference)
                            : numbered_.contains(core::object_get32(base_, reference, 0));
  }
  // Calls look(object, type) for each, in order; between Load and Forget.
  template <class Look>
  void ForEachObject(Look&& look) const {
    for (core::ref object = begin(); object != old_top();) {
      const HeapType& type = TypeOf(core::object_get32(base_, object, 0));
      look(object, type);
      object += static_cast<uint32_t>(SizeOf(object));
    }
  }

  uint64_t collections() const { return collections_; }
  uint64_t major_collections() const { return majors_; }
  uint64_t used_bytes() const { return young_bytes() + old_bytes(); }

 private:
  static constexpr uint32_t kFirstNursery = 64u << 10;  // it doubles until it has its full size
  static constexpr uint64_t kFirst = 256u << 10;        // old bytes before the first collection
  static constexpr uint64_t kKept = 64u << 10;          // of an empty space that stays committed
  static constexpr uint64_t kStep = 64u << 10;          // by which the old space grows

  explicit Heap(const Limits& limits) : stress_(limits.heap_stress) {}
  absl::Status Reserve(uint64_t most);
  core::HeapHeader& header() const { return core::heap_header(base_); }
  uint32_t begin() const { return begin_[space_]; }
  uint32_t young_top() const { return in_old_ ? parked_top_ : header().top; }
  uint32_t old_top() const { return in_old_ ? header().top : parked_top_; }
  uint64_t young_bytes() const { return young_top() - kGuard; }
  uint64_t old_bytes() const { return old_top() - begin(); }
  // An object of what a collection is leaving.
  bool Leaves(core::ref r) const {
    return (r & core::kTagMask) == 0 &&
           (r - kGuard < leaving_young_ || r - leaving_from_ < leaving_old_);
  }
  // Moves the window, with room for so many bytes.
  bool EnterOld(uint64_t bytes);
  void EnterNursery(uint32_t limit);
  uint32_t NurseryLimit(uint64_t wanted) const;
  void VisitSlots();
  void Meet(core::ref reference) {
    if ((reference & core::kTagMask) != core::kHostTag) return;
    const auto found = met_->find(reference >> 2);
    if (found != met_->end()) found->second = true;
  }
  bool Commit(int space, uint64_t bytes);
  void Release(int space);
  core::ref Move(core::ref object);
  uint32_t AddType(const core::ModuleInfo& module, uint32_t type,
                   absl::Span<const uint32_t> canonical, const std::vector<uint32_t>& numbers);
  // Gives it a number. `supertype`: that of its supertype, if depth is not 0.
  uint32_t AddType(HeapType type, uint32_t depth, uint32_t supertype);
  void AddStringTypes();
  void SetDisplays() { header().displays = displays_.data(); }

  const uint32_t stress_;
  uint8_t* region_ = nullptr;
  uint64_t region_bytes_ = 0;
  uint8_t* base_ = nullptr;
  // What old objects may take. Each space has room for a full nursery more, so that a collection
  // never lacks any.
  uint64_t space_bytes_ = 0;
  uint32_t begin_[2] = {0, 0};
  uint64_t committed_[2] = {0, 0};  // bytes from the beginning of each space
  int space_ = 0;                   // in use
  bool in_old_ = false;             // where the window is
  uint32_t parked_top_ = 0;         // of the other
  uint32_t fresh_ = 0;  // in the old space: up to here all refer to old objects, but slots
  uint32_t young_size_ = kFirstNursery;
  uint64_t old_limit_ = kFirst;  // bytes of the old space that call for a major collection
  bool major_requested_ = false;
  bool requested_ = false;
  uint64_t stress_debt_ = 0;  // bytes that minor collections have looked at
  // A collection.
  absl::flat_hash_map<uint32_t, bool>* met_ = nullptr;
  Kind kind_ = Kind::kMinor;
  uint32_t leaving_young_ = 0;  // bytes
  uint32_t leaving_from_ = 0;
  uint32_t leaving_old_ = 0;  // bytes
  uint32_t scanned_ = 0;      // of the objects that were moved, up to here
  uint32_t moved_ = 0;        // where the next goes
  uint64_t collections_ = 0;
  uint64_t majors_ = 0;
  std::vector<bool> starts_;  // by word of the first space

  uint32_t string_types_[kStringTypes] = {};
  std::vector<uint32_t> displays_{0};  // no type has the number 0
  std::vector<HeapType> types_;
  absl::flat_hash_map<uint32_t, uint32_t> numbers_;  // by canonical number
  absl::flat_hash_set<uint32_t> numbered_;           // the numbers
};

template <class OnException>
bool Heap::Scan(OnException&& exception) {
  const bool any = scanned_ != moved_;
  while (scanned_ != moved_) {
    const core::ref object = scanned_;
    uint8_t* const at = base_ + object;
    const HeapType& type = TypeOf(core::value_get<uint32_t>(at));
    scanned_ += static_cast<uint32_t>(SizeOf(object));
    const auto visit = [&](uint8_t* field) {
      const auto value = core::value_get<core::ref>(field);
      if (Leaves(value)) {
        core::value_put(field, Move(value));
      } else if (met_ != nullptr) {
        Meet(value);
      }
    };
    if (type.kind == core::ObjectKind::kStruct) {
      for (uint32_t offset : type.references) visit(at + offset);
      for (uint32_t offset : type.exceptions) exception(core::value_get<uint32_t>(at + offset));
    } else if (!type.references.empty() || !type.exceptions.empty()) {
      uint8_t* element = at + core::kArrayHeader;
      for (uint32_t n = core::array_length(base_, object); n != 0; --n, element += 4) {
        if (type.exceptions.empty()) {
          visit(element);
        } else {
          exception(core::value_get<uint32_t>(element));
        }
      }
    }
  }
  return any;
}

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_HEAP_HEAP_H_

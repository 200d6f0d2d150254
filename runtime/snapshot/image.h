// A store as data: what lies between live stores and bytes. Numbers instead of pointers; memory
// contents are views of the live memories or of the bytes.
//
//   Capture  (capture.cc)   store  -> image
//   Encode   (encode.cc)    image  -> bytes
//   Decode   (decode.cc)    bytes  -> image, checked for form only
//   Rebuild  (rebuild.cc)   image  -> store, everything checked
//
// Memories, tables and globals are numbered in the order in which they were made, those of
// instances and those of the host alike; functions by handles, tags as in the store.
#ifndef FERMATA_RUNTIME_SNAPSHOT_IMAGE_H_
#define FERMATA_RUNTIME_SNAPSHOT_IMAGE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "fermata/snapshot.h"
#include "runtime/host/state.h"

namespace fermata::internal {

// A value by its bits, as in Value.
struct Bits {
  uint64_t low = 0;
  uint64_t high = 0;
};

// Bytes of a memory; all others are zero. In ascending order, apart from each other.
struct MemoryRun {
  uint64_t address;
  absl::Span<const uint8_t> bytes;
};
class FrozenMemory;
struct MemoryImage {
  uint64_t pages = 0;
  std::vector<MemoryRun> runs;
  const FrozenMemory* frozen = nullptr;  // instead of runs: to be mapped
};

struct TableImage {
  std::vector<core::ref> elements;
};

struct SegmentImage {
  bool dropped = false;
  std::vector<core::ref> elements;  // of an element segment that is not dropped
};

// What a function, memory, … was imported from.
enum class ImportSource : uint32_t {
  kHost = 0,   // supplied by name, or nothing
  kStore = 1,  // `number` among what the store has of this kind
};
struct ImportImage {
  ImportSource source;
  uint32_t number;
};

struct InstanceImage {
  std::string name;  // of the module, for messages
  std::array<uint8_t, 32> hash{};
  uint32_t site_count = 0;
  uint32_t site_hash = 0;  // SiteHash
  uint8_t due = 0;         // of its start: DynamicInstance::State::Due
  std::vector<ImportImage> imports;
  std::vector<MemoryImage> memories;  // own ones, and so on
  std::vector<TableImage> tables;
  std::vector<Bits> globals;
  std::vector<SegmentImage> segments;
};

// What the host made.
struct FunctionImage {
  std::string name;
  std::string type;  // a letter a value: parameters ':' results
  bool suspends = false;
};
struct HostMemoryImage {
  core::SizeLimitsInfo limits{};
  MemoryImage memory;
  core::MemoryPolicy policy = core::MemoryPolicy::kReserved;  // forks only
};
struct HostTableImage {
  char type = 0;
  core::SizeLimitsInfo limits{};
  TableImage table;
};
struct HostGlobalImage {
  char type = 0;
  bool mut = false;
  Bits value;
};

struct ExceptionImage {
  uint32_t tag = 0;
  std::vector<uint64_t> values;
};

// The objects, as they lie in the first space of a heap.
struct HeapImage {
  static constexpr uint32_t kStrings = 0xffffffff;
  struct Type {
    uint32_t number;    // that objects begin with
    uint32_t instance;  // which of `instances`, and which of its module's types; or kStrings, and
    uint32_t type;      // which of Heap::StringType
  };
  bool exists = false;
  std::vector<Type> types;
  absl::Span<const uint8_t> objects;
  struct Kept {
    char type;  // a letter
    uint32_t reference;
  };
  std::vector<Kept> kept;  // by the host, by number
  std::string storage;     // of the objects, if they had to be copied
};

struct StepImage {
  static constexpr uint32_t kNotStarting = 0xffffffff;
  core::ref function = 0;
  uint32_t starting = kNotStarting;  // which of `instances`, if it is its start
  // As the format has it.
  enum Held : uint32_t { kSuspended = 0, kOutOfFuel = 1, kInterrupted = 2 } held = kSuspended;
  bool restored = false;  // forks only
  absl::Span<const uint8_t> frames;
  std::string storage;  // of the frames, if they had to be copied
};

struct StoreImage {
  std::vector<StoreState::Made> made;  // `index` in the list of its kind
  std::vector<InstanceImage> instances;
  std::vector<FunctionImage> functions;
  std::vector<HostMemoryImage> memories;
  std::vector<HostTableImage> tables;
  std::vector<HostGlobalImage> globals;
  std::vector<std::string> tags;  // the letters of their payloads
  std::vector<ExceptionImage> exceptions;
  HeapImage heap;
  std::vector<StepImage> steps;
};

// Private parts of the dynamic API.
struct SnapshotAccess {
  using InstanceState = DynamicInstance::State;
  using StepState = DynamicStep::State;
  static StoreState& Of(StoreHandle& store) { return *store.state_; }
  static InstanceState& Of(DynamicInstance& instance) { return *instance.state_; }
  static StepState* Of(const DynamicStep& step) { return step.state_.get(); }
  static StepState& Make(DynamicStep& step) {
    step.state_ = std::make_unique<StepState>();
    return *step.state_;
  }
  static absl::StatusOr<DynamicInstance*> Link(StoreHandle& store, const ModuleInfo& info,
                                               const Imports& imports) {
    return store.Link(info, imports);
  }
};
using InstanceState = SnapshotAccess::InstanceState;
using StepState = SnapshotAccess::StepState;

// A hash of the sites of a module: two translations of one wasm module have the same frames if they
// have the same sites. Remembered by module.
uint32_t SiteHash(const ModuleInfo& info);

// The own memories, tables and globals of an instance and of the host, in the order of their
// numbers. `index` is in the module's or in the host's list.
struct Numbering {
  std::vector<core::Memory*> memories;
  std::vector<core::Table*> tables;
  std::vector<Global> globals;
  std::vector<core::RefType> global_refs;

  // What the store has made up to now.
  explicit Numbering(StoreState& store);
  Numbering() = default;
  void AddInstance(InstanceState& instance);
};

// The image is valid as long as nothing of the store changes.
absl::StatusOr<StoreImage> Capture(StoreHandle& handle, absl::Span<const DynamicStep* const> steps);

// Where the bytes of a memory are not zero, in runs worth their cost.
std::vector<MemoryRun> FindRuns(const core::Memory& memory);

std::string Encode(const StoreImage& image, const SaveOptions& options);

// `storage` holds what the image's views refer to, if that isn't `bytes`.
absl::StatusOr<StoreImage> Decode(absl::string_view bytes, uint64_t most_bytes,
                                  std::string& storage);

// Where what is not in the image comes from.
class Supplier {
 public:
  virtual ~Supplier() = default;
  virtual absl::StatusOr<const ModuleInfo*> Module(const InstanceImage& image, uint32_t index) = 0;
  virtual const Imports& ImportsOf(uint32_t instance) = 0;
  // Null: there is none.
  virtual HostFunction Code(const FunctionImage& image, uint32_t index) = 0;
  virtual core::MemoryPolicy PolicyOf(const HostMemoryImage& image) = 0;
};
absl::StatusOr<RestoredStore> Rebuild(const StoreImage& image, Supplier& supplier,
                                      const Limits& limits, uint32_t most_instances);

// The frames of one activation, of a call of `function`: each names a resume point that exists, its
// references name what exists, each is of a function that the frame beneath may have called, and
// the innermost is an op (`paused`: that of a pause). The number of frames.
absl::StatusOr<uint32_t> CheckFrames(const StoreState& store, core::ref function,
                                     absl::Span<const uint8_t> frames, bool paused);

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_SNAPSHOT_IMAGE_H_

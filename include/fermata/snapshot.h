// Snapshots: a store with its instances and held calls as bytes, and restored from them; and forks.
//
//   absl::StatusOr<std::string> bytes = fermata::Save(store, {&step});
//   … another process, built by another compiler, under another memory policy …
//   fermata::RestoreHost host;
//   host.modules = {&guest::EchoModuleInfo()};
//   absl::StatusOr<fermata::RestoredStore> again = fermata::Restore(*bytes, host);
//   again->steps[0].Resume(…);
//
// A snapshot holds memories (zero bytes cost nothing), tables, globals, the segments that were not
// dropped, the exceptions that are referred to, and the frames of the calls that were given to
// Save; the hashes of the modules; and how the instances are linked. docs/abi.md has the format.
//
// It does not hold what belongs to the host, which supplies it again at Restore: the translated
// modules, the code of its functions by name, and shared memories that it links into several
// stores. References of the host (externref, anyref) are numbers of the host and come back
// unchanged.
//
// Bytes are not trusted. Bytes that were truncated, damaged, or made for another module give an
// error. Forged bytes that pass all checks give guests, at worst, values that no run of theirs
// would have given them; they are still confined to their own memories and to the functions that
// they can call anyway. Those values include references of the host: a host that restores what
// others may have written must check them as it checks other arguments.
//
// Link with Fermata::snapshot.
#ifndef FERMATA_SNAPSHOT_H_
#define FERMATA_SNAPSHOT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fermata/dynamic.h"
#include "fermata/needs_cxx20.h"
#include "fermata/objects.h"
#include "fermata/step.h"

namespace fermata {

// How Save writes a snapshot.
struct SaveOptions {
  bool compress = false;  // by zlib, for speed: about a tenth of the time that it takes to save
};

// Saves the store and these calls, in this order, and changes nothing. Calls that are not listed
// are not in the snapshot, nor is the fuel that is left. Errors (kFailedPrecondition): the store is
// in use; a step is neither suspended nor paused, or is of another store.
absl::StatusOr<std::string> Save(StoreHandle& store, absl::Span<const DynamicStep* const> steps,
                                 const SaveOptions& options = {});

// What the host supplies.
struct RestoreHost {
  // The modules, in any order; that of each instance is found by its hash and its sites. They must
  // outlive the store.
  std::vector<const ModuleInfo*> modules;
  // The imports that did not come from the store: answering functions, plain code (`Guest::Bind_`
  // of a generated class adds its own), shared memories. Functions that are not listed become ops
  // again. There is an entry for each instance, in the order in which they were made, or one for
  // all of them.
  std::vector<Imports> imports;
  // The code of functions that StoreHandle::MakeFunction made, by name. Those that had no code need
  // none.
  std::map<std::string, HostFunction> functions;
  Limits limits;                             // of the new store; what exceeds them is an error
  uint64_t most_bytes = uint64_t{16} << 30;  // of a snapshot that was compressed
  uint32_t most_instances = 1000;
};

// What Restore and Fork make.
struct RestoredStore {
  std::unique_ptr<StoreHandle> store;
  std::vector<DynamicInstance*> instances;  // in the order they were made: store->instances()
  // What the host had made itself (StoreHandle::MakeMemory …), in the order it made it.
  std::vector<Extern> externs;
  std::vector<DynamicStep> steps;  // as given to Save
  std::vector<Kept> kept;          // what the host kept (objects.h), by Kept::number()
};

// Errors: kInvalidArgument and kDataLoss (not a snapshot, another version, damaged, inconsistent),
// kNotFound (a module, function or import that the host does not supply), kResourceExhausted (a
// limit, no memory), and those of linking. No guest code runs.
absl::StatusOr<RestoredStore> Restore(absl::string_view bytes, const RestoreHost& host);

// A copy of the store and of these calls, which runs independently. It shares what the host
// supplied, and shared memories that came from outside. Errors are those of Save and Restore.
absl::StatusOr<RestoredStore> Fork(StoreHandle& store, absl::Span<const DynamicStep* const> steps);

// A store as it was, to be forked many times. Memories are copied once, and then page by page as
// the forks write (copy on write, where the system has it). May outlive the store. One thread at a
// time may use it.
class ForkPoint {
 public:
  static absl::StatusOr<ForkPoint> Make(StoreHandle& store,
                                        absl::Span<const DynamicStep* const> steps);
  ForkPoint(ForkPoint&&) noexcept;
  ForkPoint& operator=(ForkPoint&&) noexcept;
  ~ForkPoint();
  absl::StatusOr<RestoredStore> Fork() const;

 private:
  struct State;
  explicit ForkPoint(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// A restored step as a step of the typed API. Error: the called function has other results.
template <class R, class Guest>
absl::StatusOr<Step<R, Guest>> TypedStep(DynamicStep step) {
  if (!typed::Results<R>::Are(step.signature().results)) {
    return absl::InvalidArgumentError("the call is of a function with other results");
  }
  return Step<R, Guest>(std::move(step));
}

}  // namespace fermata

#endif  // FERMATA_SNAPSHOT_H_

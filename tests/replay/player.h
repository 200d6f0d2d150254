// Plays a recorded trace against a translated module: does what the host did, and checks that the
// guest does what it did then.
//
// Suspended (the usual way), no import is bound, so every call of one suspends the guest; the
// answer is given by resuming. What the host did during an import call, calls of other exports
// included, happens while the guest is suspended. The calls under way are a stack of steps, so that
// any depth of host-guest-host nesting needs no native stack. Plain, imports are host functions
// that play the events up to their own return: nested calls nest on the native stack.
//
// The module's instance is the only one of its store, so an op is known by its module and name.
#ifndef FERMATA_TESTS_REPLAY_PLAYER_H_
#define FERMATA_TESTS_REPLAY_PLAYER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "fermata/dynamic.h"
#include "tests/replay/trace.h"
#include "tests/replay/values.h"

namespace fermata::replay {

struct PlayStats {
  uint64_t imports = 0;  // import calls answered
  uint64_t calls = 0;    // calls made into the guest
  uint64_t suspensions = 0;
  uint64_t restores = 0;        // from snapshots
  uint64_t snapshot_bytes = 0;  // most that one took
  uint32_t nesting = 0;         // most calls under way at once
  uint32_t frame_bytes = 0;     // most bytes that one suspended call held
  uint32_t depth = 0;           // most frames that one suspended call held
  uint64_t memory_bytes = 0;    // size of the memory at the end
  bool hash_checked = false;    // the final memory was compared
};

class Player {
 public:
  // `restore_every`: at each so manieth suspension, and at each of the first 100, the store with
  // all calls under way is saved, destroyed and restored; 0: never.
  Player(TraceReader& trace, bool plain, const Limits& limits = {}, uint64_t restore_every = 0);
  // Instantiates `module` and plays the trace to its end. Error: the first difference.
  absl::Status Play(const ModuleInfo& module);
  const PlayStats& stats() const { return stats_; }

 private:
  struct Call {
    DynamicStep step;
    std::string name;
    bool start;  // the start function: the trace has no event for it
  };

  absl::Status Instantiate(const ModuleInfo& module);
  absl::Status BindImport(const ModuleInfo& module, const core::ImportInfo& import,
                          Imports& imports);
  void FindMemoryAndTable(const ModuleInfo& module);

  // The next event; nothing at the end, which is an error unless the trace is truncated.
  absl::StatusOr<std::optional<TraceEvent>> NextInside(absl::string_view wanted);
  absl::Status Difference(const std::string& what) const;

  // What the host did: everything but returns from imports.
  absl::Status HostEvent(const TraceEvent& event);
  absl::Status BeginCall(const TraceEvent& event);
  absl::Status CheckGlobal(const TraceEvent& event);
  absl::Status SetElement(const TraceEvent& event);
  absl::Status Write(const TraceEvent& event);
  absl::Status CheckMemory(const TraceEvent& event);
  absl::StatusOr<Extern> HostFunctionFor(const std::string& name, const std::string& signature);

  // Checks what the innermost call has come to against the next event.
  absl::Status Settle();
  absl::Status SettleEnd(const Call& call);
  bool SameThrown(const DynamicStep& step, const TraceEvent& event);
  absl::Status ThrowInto(DynamicStep& step, const TraceEvent& event);
  absl::Status Restore();
  absl::Status CheckImport(const TraceEvent& event, absl::string_view module,
                           absl::string_view name, absl::Span<const Value> arguments);
  absl::StatusOr<std::vector<Value>> Results(const TraceEvent& event, const std::string& import,
                                             absl::Span<const ValType> types);
  // Answers the innermost suspended call by a "ret" or "throw".
  absl::Status Answer(const TraceEvent& event);

  // Plain: the whole of one import call.
  Trap PlainImport(const std::string& module, const std::string& name, const Signature& signature,
                   absl::Span<const uint64_t> arguments, absl::Span<uint64_t> results);
  absl::Status PlayImport(const std::string& module, const std::string& name,
                          const Signature& signature, absl::Span<const uint64_t> arguments,
                          absl::Span<uint64_t> results, bool& threw);

  TraceReader& trace_;
  const bool plain_;
  const uint64_t restore_every_;
  std::unique_ptr<StoreHandle> store_;
  DynamicInstance* instance_ = nullptr;
  std::optional<Memory> memory_;
  std::optional<Table> table_;
  ValueMap values_;
  std::map<std::string, uint32_t> tags_;          // by the name of their export or import
  std::optional<uint32_t> host_tag_;              // WebAssembly.JSTag
  std::map<std::string, Extern> host_functions_;  // those put into tables, by name
  std::vector<Call> calls_;                       // suspended or to be settled, innermost last
  uint32_t under_way_ = 0;  // calls of the trace, those of plain imports included
  bool ended_ = false;      // a truncated trace has ended
  absl::Status failure_;    // plain: found inside an import
  PlayStats stats_;
  Limits limits_;
  std::vector<std::string> made_;  // by the host, in that order: names of functions, else ""
};

}  // namespace fermata::replay

#endif  // FERMATA_TESTS_REPLAY_PLAYER_H_

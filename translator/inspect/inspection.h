// What `fermata inspect` tells about a module: everything that follows from reading and validating
// it, without translating it.
//
//   module  ->  call graph  ->  who may suspend  ->  features, counts, types (here)
//
// This is the one place that computes; text.h, json.h and graph.h only show it. All of it takes
// time and memory linear in the module's size and its call graph, whatever the module holds: a path
// of calls may be as long as the module has functions, so that no more than its ends are shown.
#ifndef FERMATA_TRANSLATOR_INSPECT_INSPECTION_H_
#define FERMATA_TRANSLATOR_INSPECT_INSPECTION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "translator/module_analysis/call_graph.h"
#include "translator/module_analysis/may_suspend.h"
#include "translator/wasm/features.h"
#include "translator/wasm/module.h"

namespace fermata::inspect {

inline constexpr uint32_t kNone = 0xffffffff;

struct Options {
  wasm::FeatureSet features = wasm::Supported();  // what the module may use
  std::vector<std::string> immediate;             // globs
  bool wasi = false;  // WASI functions that never wait are immediate too
};

// A proposal beyond WebAssembly 1.0 that the module uses.
struct FeatureNeed {
  wasm::Feature feature;
  uint32_t offset;            // where it is needed first
  uint32_t function = kNone;  // if that is in a body
  std::string place;          // `function 12 "parse"`, "code section"
};

// The calls by one type through one table, if they may suspend.
struct SuspendingType {
  uint32_t type;   // canonical
  uint32_t table;  // or analysis::kAnyTable
  uint32_t sites = 0;
  uint32_t callers = 0;
  bool open = false;  // they may reach functions that are not known
  // Functions of the type that the module's own segments put into the table.
  uint32_t targets = 0;
  uint32_t suspending_targets = 0;
  uint32_t example = kNone;  // of those that may suspend, the one nearest to an import
};

// Call sites are instructions that can be reached; imports are not among the functions.
struct Counts {
  uint32_t functions = 0;
  uint32_t suspending_functions = 0;
  uint64_t call_sites = 0;  // indirect ones too
  uint64_t suspending_call_sites = 0;
  uint64_t indirect_call_sites = 0;
  uint64_t suspending_indirect_call_sites = 0;
};

// The shortest paths of calls to imports that suspend.
class Paths {
 public:
  Paths() = default;
  explicit Paths(const analysis::Suspension& suspension);

  // The number of calls from `function`, which may suspend, to where the path ends.
  uint32_t length(uint32_t function) const { return length_[function]; }
  // As analysis::Explain; the middle of a long path is left out.
  std::string Explain(const wasm::Module& module, const analysis::Suspension& suspension,
                      uint32_t function) const;

 private:
  std::vector<uint32_t> length_;  // by function index
  std::vector<uint32_t> end_;     // the last function of the path
};

struct Inspection {
  wasm::Module module;
  analysis::CallGraph graph;
  analysis::Suspension suspension;
  std::vector<bool> immediate;  // by function import
  std::vector<FeatureNeed> features;
  Counts counts;
  std::vector<SuspendingType> types;  // by type and table
  Paths paths;

  bool MaySuspend(uint32_t function) const { return suspension.MayCallSuspend(function); }
  // Why `function` may suspend.
  std::string Explain(uint32_t function) const {
    return paths.Explain(module, suspension, function);
  }
};

// `path` is for messages; the result refers to `bytes`. Errors: those of the reader and the
// validator, and of `options.immediate`.
absl::StatusOr<std::unique_ptr<Inspection>> Inspect(const std::string& path,
                                                    absl::Span<const uint8_t> bytes,
                                                    const Options& options);

}  // namespace fermata::inspect

#endif  // FERMATA_TRANSLATOR_INSPECT_INSPECTION_H_

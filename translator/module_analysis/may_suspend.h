// Which functions may suspend, and why.
//
// A function may suspend if it calls, directly or not, an import that suspends. An indirect call
// may reach every function of its type that its table can hold; a table that others can write to
// may hold anything, so a call through it may suspend. The result saves size (plain functions need
// no resume points), not speed. Which functions may throw an exception follows in the same way from
// those that hold a throw, and from imports.
#ifndef FERMATA_TRANSLATOR_MODULE_ANALYSIS_MAY_SUSPEND_H_
#define FERMATA_TRANSLATOR_MODULE_ANALYSIS_MAY_SUSPEND_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "translator/module_analysis/call_graph.h"
#include "translator/wasm/module.h"

namespace fermata::analysis {

// Why a function may suspend: the first step of a shortest path to an import.
// kPaused: it can be paused, or (in tests) suspends everywhere. kAllocates: a collection suspends it.
struct Reason {
  enum Kind : uint8_t {
    kNever,
    kImport,
    kCall,
    kIndirect,
    kOpenTable,
    kPaused,
    kAllocates
  } kind = kNever;
  uint32_t function = 0;  // kCall, kIndirect: the next function on the path
  uint32_t type = 0;      // kIndirect, kOpenTable: the type called through a table
  uint32_t table = 0;
};

struct Suspension {
  std::vector<Reason> functions;  // by function index
  bool MayCallSuspend(uint32_t function) const {
    return functions[function].kind != Reason::kNever;
  }
  bool MayIndirectSuspend(uint32_t canonical_type, uint32_t table) const {
    return indirect.contains(uint64_t{canonical_type} << 32 | table);
  }
  bool MayCallThrow(uint32_t function) const { return throws[function]; }
  bool MayIndirectThrow(uint32_t canonical_type, uint32_t table) const {
    return indirect_throws.contains(uint64_t{canonical_type} << 32 | table);
  }
  absl::flat_hash_set<uint64_t> indirect;  // (canonical type << 32 | table) that may suspend
  std::vector<bool> throws;                // by function index
  absl::flat_hash_set<uint64_t> indirect_throws;
  std::vector<uint32_t> canonical_type;  // by type index
};

// `immediate`: by function import, whether it is a plain call. `pauses`: by function, whether it
// suspends by itself (Options::suspend_everywhere, Options::preempt).
Suspension AnalyzeSuspension(const wasm::Module& module, const CallGraph& graph,
                             const std::vector<bool>& immediate, const std::vector<bool>& pauses);

// "f3 "parse" -> f9 -> import net.recv": the path that makes `function` resumable; of one with
// more than `max_functions` the beginning and " -> …". Names are escaped and may be cut
// (wasm/printable.h).
std::string Explain(const wasm::Module& module, const Suspension& suspension, uint32_t function,
                    uint32_t max_functions = 0xffffffff);

}  // namespace fermata::analysis

#endif  // FERMATA_TRANSLATOR_MODULE_ANALYSIS_MAY_SUSPEND_H_

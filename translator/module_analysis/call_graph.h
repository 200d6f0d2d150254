// Who calls whom: collected while validating, one record per function.
#ifndef FERMATA_TRANSLATOR_MODULE_ANALYSIS_CALL_GRAPH_H_
#define FERMATA_TRANSLATOR_MODULE_ANALYSIS_CALL_GRAPH_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "translator/wasm/module.h"

namespace fermata::analysis {

// In place of a table: a call through a reference, which may be to any function of its type.
inline constexpr uint32_t kAnyTable = 0xffffffffu;

struct IndirectCall {
  uint32_t type;  // canonical: the first equal type of the module
  uint32_t table;
  bool operator==(const IndirectCall& o) const { return type == o.type && table == o.table; }
};

struct FunctionCalls {
  std::vector<uint32_t> direct;        // callees, each once, in order of first call
  std::vector<IndirectCall> indirect;  // each once
  // How many instructions make each of these calls, in the same order.
  std::vector<uint32_t> direct_sites;
  std::vector<uint32_t> indirect_sites;
  uint32_t body_bytes = 0;
  uint32_t local_count = 0;
  bool has_loop = false;
  bool suspension_free_loops = true;  // no call inside any loop
  bool throws = false;                // holds an instruction that throws
  bool allocates = false;             // makes objects
  bool tail_calls = false;            // makes tail calls, other than of itself
};

struct CallGraph {
  std::vector<FunctionCalls> functions;  // by function index; imports: empty
  // By table: elements may come from elsewhere than this module's element segments (imported,
  // exported, or written by table.set, table.fill, table.grow).
  std::vector<bool> open_table;
  // By table: the functions its elements may be, as far as this module's own segments go.
  std::vector<std::vector<uint32_t>> table_functions;
  std::vector<uint32_t> canonical_type;  // by type index
  // Functions that can be named from outside their callers: exports, element segments, ref.func in
  // bodies or constant expressions, start. In increasing order.
  std::vector<uint32_t> referenced;
  // Segments that bodies name: only these are of interest once an instance has been made.
  std::vector<bool> named_datas;
  std::vector<bool> named_elements;
  // By table: instructions other than calls through it (and table.size) name it.
  std::vector<bool> used_tables;
  // References to functions are made by ref.func, or called.
  bool uses_handles = false;
  // Some type has a declared subtype: indirect calls may reach functions of several types.
  bool has_subtypes = false;
  wasm::FeatureUses uses;  // by function bodies
  // What of the core headers the generated code needs.
  bool uses_simd = false;
  bool uses_atomics = false;
  bool uses_wide = false;
  bool uses_exceptions = false;
  bool uses_tail_calls = false;
  bool uses_heap = false;  // objects are made or looked at
};

// Validates every function body and collects the graph.
absl::StatusOr<CallGraph> BuildCallGraph(const wasm::Module& module);

}  // namespace fermata::analysis

#endif  // FERMATA_TRANSLATOR_MODULE_ANALYSIS_CALL_GRAPH_H_

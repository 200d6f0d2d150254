// Everything that is known about a module before its functions are emitted.
#ifndef FERMATA_TRANSLATOR_EMIT_MODULE_CONTEXT_H_
#define FERMATA_TRANSLATOR_EMIT_MODULE_CONTEXT_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "translator/emit/options.h"
#include "translator/module_analysis/call_graph.h"
#include "translator/module_analysis/may_suspend.h"
#include "translator/wasm/module.h"

namespace fermata::emit {

// The source files that a function is in.
struct ShardRange {
  uint32_t first;  // holds the function itself
  uint32_t last;   // of a giant function: further pieces of it
};

// Calls of a canonical type through a table (typed_elements.h).
struct TypedElements {
  uint32_t table;
  uint32_t type;
  bool operator==(const TypedElements& o) const { return table == o.table && type == o.type; }
  bool operator<(const TypedElements& o) const {
    return table != o.table ? table < o.table : type < o.type;
  }
};

struct ModuleContext {
  const wasm::Module& module;
  const Options& options;
  const analysis::CallGraph& graph;
  const analysis::Suspension& suspension;
  std::vector<bool> immediate{};       // by function import
  std::vector<uint32_t> stack_need{};  // by function, see analysis/stack_checks.h
  std::vector<uint32_t> info_index{};  // by function: index in ModuleInfo::functions, or ir::kNone
  std::vector<ShardRange> shards{};    // by function
  std::array<uint8_t, 32> hash{};      // SHA-256 of the module
  uint64_t code_bytes = 0;             // of all bodies
  // Compile time and code size count more than the last percent of speed.
  bool large() const { return code_bytes > 64 * 1024; }

  uint32_t pause_site = 0;           // if Options::Pauses(), or for collections
  std::vector<bool> entry_checks{};  // by function, of Options::preempt

  bool has_tail_calls(uint32_t function) const { return graph.functions[function].tail_calls; }

  std::vector<TypedElements> typed_elements{};  // sorted

  // Called from its own file only, and from nowhere else by name.
  std::vector<bool> internal{};  // by function
};

// A suspension point as the module's tables describe it.
struct Site {
  uint32_t function;  // op sites: the imported function
  uint32_t point;
  uint32_t offset;  // byte offset of the call in the module
  uint32_t words;
  std::string letters;   // core::SiteDetail::slots
  std::string types;     // the same, behind the letters' end
  bool op;               // the frame of an import's arguments
  bool catches = false;  // in a try region
  uint16_t callee = 0;   // core::kCallsAny …
};

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_MODULE_CONTEXT_H_

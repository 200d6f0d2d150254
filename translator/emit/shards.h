// Distributes the functions over source files: in module order, by size.
#ifndef FERMATA_TRANSLATOR_EMIT_SHARDS_H_
#define FERMATA_TRANSLATOR_EMIT_SHARDS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "translator/emit/functions.h"
#include "translator/emit/module_context.h"

namespace fermata::emit {

// By function index: its source files, below Options::shards. `first` does not decrease. It is one,
// but for giant functions: their pieces are spread over all files that their bytes fall in.
std::vector<ShardRange> AssignShards(const wasm::Module& module, const Options& options);

// By function index: whether nothing outside the function's own source file names it.
std::vector<bool> FindInternal(const wasm::Module& module, const analysis::CallGraph& graph,
                               const std::vector<ShardRange>& shards);

// One source file in the making.
class ShardWriter {
 public:
  explicit ShardWriter(const ModuleContext& context) : context_(context) {}
  // A function's first part, and further parts of functions in other files.
  void Add(uint32_t function, EmittedFunction::Part part);
  void AddFurther(EmittedFunction::Part part);
  // The file's text: prototypes of all functions in it and of those it calls, then the functions.
  // Leaves the writer empty.
  std::string Finish(uint32_t number);

 private:
  const ModuleContext& context_;
  std::vector<uint32_t> functions_;
  absl::flat_hash_set<uint32_t> callees_;
  std::string text_;
};

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_SHARDS_H_

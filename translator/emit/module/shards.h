// Distributes the functions over source files: in module order, by size.
#ifndef FERMATA_TRANSLATOR_EMIT_MODULE_SHARDS_H_
#define FERMATA_TRANSLATOR_EMIT_MODULE_SHARDS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "translator/emit/module_context.h"

namespace fermata::emit {

// By function index: its source files, below Options::shards. `first` does not decrease. It is one,
// but for giant functions: their pieces are spread over all files that their bytes fall in.
std::vector<ShardRange> AssignShards(const wasm::Module& module, const Options& options);

// By function index: whether nothing outside the function's own source file names it.
std::vector<bool> FindInternal(const wasm::Module& module, const analysis::CallGraph& graph,
                               const std::vector<ShardRange>& shards);

// What comes before and after the functions of source file `shard`: the former declares those that
// are called before they are defined.
std::string ShardStart(const ModuleContext& context, uint32_t shard);
std::string ShardEnd(const ModuleContext& context);

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_MODULE_SHARDS_H_

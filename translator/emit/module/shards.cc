#include "translator/emit/module/shards.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "translator/emit/function/functions.h"
#include "translator/emit/module/module_source.h"

namespace fermata::emit {

std::vector<ShardRange> AssignShards(const wasm::Module& module, const Options& options) {
  const uint32_t count = options.shards;
  uint64_t total = 0;
  for (const wasm::Function& f : module.functions) total += f.body.size();
  std::vector<ShardRange> shards(module.functions.size(), {0, 0});
  const auto shard_at = [&](uint64_t byte) {
    const uint64_t at = total == 0 ? 0 : byte * count / total;
    return static_cast<uint32_t>(std::min<uint64_t>(at, count - 1));
  };
  uint64_t before = 0;
  for (uint32_t f = 0; f < module.functions.size(); ++f) {
    const uint64_t size = module.functions[f].body.size();
    if (size > options.giant_bytes) {
      shards[f] = {shard_at(before), shard_at(before + size - 1)};
    } else {
      // By its middle, so that a large function does not push its neighbours around.
      shards[f].first = shards[f].last = shard_at(before + size / 2);
    }
    before += size;
  }
  return shards;
}

std::vector<bool> FindInternal(const wasm::Module& module, const analysis::CallGraph& graph,
                               const std::vector<ShardRange>& shards) {
  std::vector<bool> internal(module.functions.size(), true);
  for (uint32_t f : graph.referenced) internal[f] = false;
  for (uint32_t f = 0; f < module.functions.size(); ++f) {
    for (uint32_t callee : graph.functions[f].direct) {
      if (shards[callee].first != shards[f].first || shards[f].first != shards[f].last) {
        internal[callee] = false;
      }
    }
  }
  return internal;
}

// In large modules partial redundancies are not worth looking for: 2 % of the code and 8 % of the
// compile time, for 0.4 % of the instructions of a Lua script.
constexpr char kPasses[] = R"(#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-pre", "no-code-hoisting")
#endif
)";

std::string ShardStart(const ModuleContext& context, uint32_t shard) {
  const wasm::Module& module = context.module;
  std::vector<bool> declared(module.functions.size());
  std::vector<uint32_t> functions;
  for (uint32_t f = module.imported_functions; f < module.functions.size(); ++f) {
    if (shard < context.shards[f].first || shard > context.shards[f].last) continue;
    for (uint32_t callee : context.graph.functions[f].direct) {
      const bool defined = callee < f && context.shards[callee].first == shard;
      if (module.functions[callee].imported || defined || declared[callee]) continue;
      declared[callee] = true;
      functions.push_back(callee);
    }
  }
  return absl::StrCat(Banner(context, absl::StrCat("functions, part ", shard)),
                      context.large() ? kPasses : "", "#include \"", context.options.file_stem,
                      "_module.h\"\n\n", OpenCodeNamespace(context),
                      Declarations(context, std::move(functions)));
}

std::string ShardEnd(const ModuleContext& context) { return CloseCodeNamespace(context); }

}  // namespace fermata::emit

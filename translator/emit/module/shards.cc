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

// What whoever reads the file needs to know.
constexpr char kLegend[] = R"(//
// fn12_parse       function 12 of the module, named "parse"; fn12_parse_resume goes on with it
//                  where it was suspended
// l0 l1_len        its parameters and locals
// s3 w3 p3 d3 v3   operands at height 3 of the stack, by type: i32, i64, f32, f64, v128; of
//                  references: r (funcref), x (externref), e (exnref), a (anyref)
// self.g2, m0      global 2; memory 0, with what its accesses need at hand
// L7               a label; X: leaves the function with an exception
// SUSPENDED        the call before it did not return normally
// S4, R4           suspends at the function's resume point 4, by saving its live values as a
//                  frame; goes on there
// sites_12         the number of the first resume point of function 12 among all of the module
// force(x)         x is computed although it may not be used: a load in it may trap
// object_stored()  what follows is done after the write, which may trap
// // 0x1a2b        the offset in the module of the instruction that ends the line's operation
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
  return absl::StrCat(Banner(context, absl::StrCat("functions, part ", shard)), kLegend,
                      context.large() ? kPasses : "", "#include \"", context.options.file_stem,
                      "_module.h\"\n\n", OpenCodeNamespace(context),
                      Declarations(context, std::move(functions)));
}

std::string ShardEnd(const ModuleContext& context) { return CloseCodeNamespace(context); }

}  // namespace fermata::emit

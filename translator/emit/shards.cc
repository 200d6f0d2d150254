#include "translator/emit/shards.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "translator/emit/module_source.h"

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

void ShardWriter::Add(uint32_t function, EmittedFunction::Part part) {
  functions_.push_back(function);
  AddFurther(std::move(part));
}

void ShardWriter::AddFurther(EmittedFunction::Part part) {
  callees_.insert(part.callees.begin(), part.callees.end());
  text_.append(part.text);
}

std::string ShardWriter::Finish(uint32_t number) {
  std::string out = Banner(context_, absl::StrCat("functions, part ", number));
  absl::StrAppend(&out, "#include \"", context_.options.file_stem, "_module.h\"\n\n",
                  OpenCodeNamespace(context_));
  std::vector<uint32_t> declared(callees_.begin(), callees_.end());
  declared.insert(declared.end(), functions_.begin(), functions_.end());
  std::sort(declared.begin(), declared.end());
  declared.erase(std::unique(declared.begin(), declared.end()), declared.end());
  for (uint32_t f : declared) out.append(Prototype(context_, f));
  for (uint32_t f : functions_) {
    if (context_.suspension.MayCallSuspend(f)) out.append(ResumePrototype(context_, f));
  }
  out.append(std::exchange(text_, {}));
  out.append(CloseCodeNamespace(context_));
  return out;
}

}  // namespace fermata::emit

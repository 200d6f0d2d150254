#include "translator/emit/shards.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "translator/emit/module_source.h"

namespace fermata::emit {

std::vector<uint32_t> AssignShards(const wasm::Module& module, uint32_t count) {
  uint64_t total = 0;
  for (const wasm::Function& f : module.functions) total += f.body.size();
  std::vector<uint32_t> shard(module.functions.size(), 0);
  uint64_t before = 0;
  for (uint32_t f = 0; f < module.functions.size(); ++f) {
    const uint64_t size = module.functions[f].body.size();
    // By its middle, so that a large function does not push its neighbours around.
    const uint64_t at = total == 0 ? 0 : (before + size / 2) * count / total;
    shard[f] = static_cast<uint32_t>(std::min<uint64_t>(at, count - 1));
    before += size;
  }
  return shard;
}

std::vector<bool> FindInternal(const wasm::Module& module, const analysis::CallGraph& graph,
                               const std::vector<uint32_t>& shard) {
  std::vector<bool> internal(module.functions.size(), true);
  for (uint32_t f : graph.referenced) internal[f] = false;
  for (uint32_t f = 0; f < module.functions.size(); ++f) {
    for (uint32_t callee : graph.functions[f].direct) {
      if (shard[callee] != shard[f]) internal[callee] = false;
    }
  }
  return internal;
}

void ShardWriter::Add(uint32_t function, EmittedFunction emitted) {
  functions_.push_back(function);
  callees_.insert(emitted.callees.begin(), emitted.callees.end());
  text_.append(emitted.text);
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
  out.append(text_);
  out.append(CloseCodeNamespace(context_));
  return out;
}

}  // namespace fermata::emit

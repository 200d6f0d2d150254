// What a module must not have under some options, because the code for it could not be made or would
// never work. Errors name the offset in the module.
#ifndef FERMATA_TRANSLATOR_RESTRICTIONS_H_
#define FERMATA_TRANSLATOR_RESTRICTIONS_H_

#include "absl/status/status.h"
#include "translator/emit/options.h"
#include "translator/module_analysis/call_graph.h"
#include "translator/wasm/module.h"

namespace fermata {

// kUnimplemented: a memory that can't be of a fixed size. kInvalidArgument: Options::memory_bytes is
// more than the module declares, or less than its data segments need.
absl::Status CheckFixedMemory(const wasm::Module& module, const emit::Options& options);

// What the freestanding profile can't do. kUnimplemented: no host could name it, or there is no code
// for it. kInvalidArgument: the module could never be instantiated. Call after CheckFixedMemory.
absl::Status CheckFreestanding(const wasm::Module& module, const analysis::CallGraph& graph,
                               const emit::Options& options);

}  // namespace fermata

#endif  // FERMATA_TRANSLATOR_RESTRICTIONS_H_

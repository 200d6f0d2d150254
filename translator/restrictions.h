// What a module must not have under some options, because the code for it could not be made or would
// never work. Errors name the offset in the module.
#ifndef FERMATA_TRANSLATOR_RESTRICTIONS_H_
#define FERMATA_TRANSLATOR_RESTRICTIONS_H_

#include "absl/status/status.h"
#include "translator/emit/options.h"
#include "translator/wasm/module.h"

namespace fermata {

// kUnimplemented: a memory that can't be of a fixed size. kInvalidArgument: Options::memory_bytes is
// more than the module declares, or less than its data segments need.
absl::Status CheckFixedMemory(const wasm::Module& module, const emit::Options& options);

}  // namespace fermata

#endif  // FERMATA_TRANSLATOR_RESTRICTIONS_H_

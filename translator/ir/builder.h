// Builds the IR of a function from the validator's events.
#ifndef FERMATA_TRANSLATOR_IR_BUILDER_H_
#define FERMATA_TRANSLATOR_IR_BUILDER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "translator/ir/ir.h"
#include "translator/module_analysis/may_suspend.h"
#include "translator/wasm/module.h"

namespace fermata::ir {

// `suspension` says which calls may suspend. Errors are the validator's.
absl::StatusOr<std::unique_ptr<Function>> Build(const wasm::Module& module, uint32_t function,
                                                const analysis::Suspension& suspension);

}  // namespace fermata::ir

#endif  // FERMATA_TRANSLATOR_IR_BUILDER_H_

// One function's way: from the bytes of its body to C++.
#ifndef FERMATA_TRANSLATOR_TRANSLATE_FUNCTION_H_
#define FERMATA_TRANSLATOR_TRANSLATE_FUNCTION_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "translator/emit/function/functions.h"
#include "translator/emit/module_context.h"
#include "translator/ir/ir.h"
#include "translator/module_analysis/may_suspend.h"
#include "translator/wasm/module.h"

namespace fermata {

// Decodes and checks the body of a function once more, now with the builder listening, and leaves
// out what says nothing (passes/tidy.h). Whoever looks at a function before its turn gets the same
// statements that are translated then.
absl::StatusOr<std::unique_ptr<ir::Function>> BuildFunction(const wasm::Module& module,
                                                            uint32_t function,
                                                            const analysis::Suspension& suspension);

struct TranslatedFunction {
  emit::EmittedFunction emitted;
  std::string ir_text;   // as ir::Print says it, if that was asked for
  int forced_loads = 0;  // see passes/force_loads.h
};

// Depends on nothing but its arguments, so functions can be translated in any order, on any thread.
// Error: the function exceeds an implementation limit on what frames hold.
absl::StatusOr<TranslatedFunction> TranslateFunction(const emit::ModuleContext& context,
                                                     uint32_t function, bool print_ir);

}  // namespace fermata

#endif  // FERMATA_TRANSLATOR_TRANSLATE_FUNCTION_H_

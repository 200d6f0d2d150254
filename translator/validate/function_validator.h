// Decodes and validates one function body, in one pass, and tells a sink what it says.
//
// One instruction at a time: its opcode is looked up in the one table, its immediates are decoded
// by kind, its operands are checked, and only if all of that was right, and the instruction can be
// reached, the event is sent. So a listener never sees an instruction that is not valid.
#ifndef FERMATA_TRANSLATOR_VALIDATE_FUNCTION_VALIDATOR_H_
#define FERMATA_TRANSLATOR_VALIDATE_FUNCTION_VALIDATOR_H_

#include <cstdint>

#include "absl/status/status.h"
#include "translator/validate/sink.h"
#include "translator/wasm/module.h"

namespace fermata::validate {

// `module` must have passed ValidateModule; `function` is the index of a defined function. After an
// error the sink has seen the events of the valid instructions before it.
absl::Status ValidateFunction(const wasm::Module& module, uint32_t function, InstructionSink& sink);

}  // namespace fermata::validate

#endif  // FERMATA_TRANSLATOR_VALIDATE_FUNCTION_VALIDATOR_H_

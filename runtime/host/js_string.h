// The builtins of wasm:js-string, as the runtime answers them when they had no room.
#ifndef FERMATA_RUNTIME_HOST_JS_STRING_H_
#define FERMATA_RUNTIME_HOST_JS_STRING_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "runtime/host/state.h"

namespace fermata::internal {

// Extern::owner of the builtins.
const void* JsStringOwner();

// What a builtin has come to.
enum class BuiltinOutcome : uint8_t { kDone, kTrap, kNoRoom };
struct BuiltinResult {
  BuiltinOutcome outcome = BuiltinOutcome::kDone;
  Trap trap = Trap::kNone;
  uint64_t wanted = 0;  // kNoRoom: bytes
  uint64_t value = 0;   // kDone
};

// Runs the builtin of that name. `arguments`: slots.
BuiltinResult CallJsString(StoreState& store, absl::string_view name, const uint64_t* arguments);

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_HOST_JS_STRING_H_

#include "translator/wasm/error.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "translator/wasm/printable.h"

namespace fermata::wasm {
namespace {

constexpr size_t kMaxNameInMessage = 80;

}  // namespace

absl::Status ErrorAt(absl::string_view path, uint32_t offset, absl::string_view message,
                     absl::StatusCode code) {
  return absl::Status(code, absl::StrFormat("%s: 0x%x: %s", path, offset, message));
}

absl::Status ErrorIn(const Module& module, uint32_t function, uint32_t offset,
                     absl::string_view message, absl::StatusCode code) {
  std::string name;
  if (function < module.names.functions.size() && !module.names.functions[function].empty()) {
    name =
        absl::StrCat(" \"", Printable(module.names.functions[function], kMaxNameInMessage), "\"");
  }
  return absl::Status(code, absl::StrFormat("%s: 0x%x (function %u%s): %s", module.path, offset,
                                            function, name, message));
}

}  // namespace fermata::wasm

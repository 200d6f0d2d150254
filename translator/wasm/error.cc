#include "translator/wasm/error.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace fermata::wasm {
namespace {

// Names come from the module: they may be of any length, and hold anything.
constexpr size_t kMaxNameInMessage = 80;

std::string Quoted(const std::string& name) {
  if (name.size() <= kMaxNameInMessage) {
    return absl::StrCat("\"", absl::Utf8SafeCEscape(name), "\"");
  }
  // Not within a character's bytes.
  size_t size = kMaxNameInMessage;
  while (size > 0 && (static_cast<uint8_t>(name[size]) & 0xc0) == 0x80) --size;
  return absl::StrCat("\"", absl::Utf8SafeCEscape(name.substr(0, size)), "…\"");
}

}  // namespace

absl::Status ErrorAt(absl::string_view path, uint32_t offset, absl::string_view message,
                     absl::StatusCode code) {
  return absl::Status(code, absl::StrFormat("%s: 0x%x: %s", path, offset, message));
}

absl::Status ErrorIn(const Module& module, uint32_t function, uint32_t offset,
                     absl::string_view message, absl::StatusCode code) {
  std::string name;
  if (function < module.names.functions.size() && !module.names.functions[function].empty()) {
    name = absl::StrCat(" ", Quoted(module.names.functions[function]));
  }
  return absl::Status(code, absl::StrFormat("%s: 0x%x (function %u%s): %s", module.path, offset,
                                            function, name, message));
}

}  // namespace fermata::wasm

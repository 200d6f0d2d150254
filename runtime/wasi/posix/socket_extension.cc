// What links WAMR's socket extension into a program: its functions are referred to from here alone.
#include "runtime/wasi/system.h"

extern "C" void fermata_wasi_sockets(std::vector<fermata::wasi::Function>* table) {
  fermata::wasi::AddSocketFunctions(*table);
  fermata::wasi::AddSocketOptions(*table);
  fermata::wasi::AddNameFunctions(*table);
}

namespace fermata::wasi {

bool IsSocketExtension(absl::string_view module, absl::string_view name) {
  static const auto* functions = [] {
    auto* table = new std::vector<Function>;
    fermata_wasi_sockets(table);
    return table;
  }();
  if (module != kModule) return false;
  for (const Function& function : *functions) {
    if (function.name == name) return true;
  }
  return false;
}

}  // namespace fermata::wasi
